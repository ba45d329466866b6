-- Users who changed something and within a day signed in from two places far from each other, and their tenants, for
-- colleagues there. Records name a caller by id or by name.
select distinct
  sign_ins.user_id as "sign_in.user_id",
  sign_ins.customer_tenant_id as "sign_in.customer_tenant_id",
  sign_ins.user_key as "activity.caller_id",
  sign_ins.user_key as "activity.caller"
from sign_ins
left semi join movers on movers.caller_key = sign_ins.user_key and movers.last_at >= $since
where sign_ins.event_at >= $since - interval '28 hours'
