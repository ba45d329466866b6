-- Users with a session from the network of a change that shows no device. Records name a caller by id or by name.
select distinct
  user_id as "sign_in.user_id",
  caller_key as "activity.caller_id",
  caller_key as "activity.caller"
from suspects
where last_at >= $since;

-- Of these, those to whom it is strange, and their tenants, for colleagues.
select distinct
  user_id as "sign_in.user_id",
  sign_in_tenant_id as "sign_in.customer_tenant_id",
  caller_key as "activity.caller_id",
  caller_key as "activity.caller"
from sessions
