-- Users with such a session, and their tenants, for colleagues. Records name a caller by id or by name.
select distinct
  user_id as "sign_in.user_id",
  sign_in_tenant_id as "sign_in.customer_tenant_id",
  caller_key as "activity.caller_id",
  caller_key as "activity.caller"
from sessions
where last_at >= $since
