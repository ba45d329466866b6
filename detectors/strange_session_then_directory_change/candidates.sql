-- Users with a session from the network of a change that shows no device.
select distinct
  user_id as "sign_in.user_id",
  user_id as "audit.actor_id"
from suspects
where last_at >= $since;

-- Of these, those to whom it is strange, and their tenants, for colleagues.
select distinct
  user_id as "sign_in.user_id",
  tenant as "sign_in.customer_tenant_id",
  user_id as "audit.actor_id"
from sessions
