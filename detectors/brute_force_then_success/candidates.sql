-- Users who got in after twenty failures, for what they change later, and their tenants, for who else comes from there.
-- Records name a caller by id or by name.
select
  user_id as "sign_in.user_id",
  customer_tenant_id as "sign_in.customer_tenant_id",
  user_id as "activity.caller_id",
  user_id as "activity.caller"
from successes
union all
select
  cast(null as varchar) as "sign_in.user_id",
  cast(null as varchar) as "sign_in.customer_tenant_id",
  user_principal_name as "activity.caller_id",
  user_principal_name as "activity.caller"
from successes
