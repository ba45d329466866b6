-- Whoever changed something after eight quiet days.
select distinct
  principal_id as "sign_in.user_id",
  principal_id as "sign_in.service_principal_id",
  principal_id as "activity.caller_id",
  principal_id as "audit.actor_id"
from quiet;

-- Of these, those who slept for a month, and their tenants, for who else signs in there.
select distinct
  tenant as "sign_in.customer_tenant_id",
  principal_id as "sign_in.user_id",
  principal_id as "sign_in.service_principal_id",
  principal_id as "activity.caller_id",
  principal_id as "audit.actor_id"
from woken
