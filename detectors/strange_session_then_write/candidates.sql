-- Users who changed something and within a day signed in from the network of the change, without a device, and their
-- tenants, for colleagues. Records name a caller by id or by name.
select distinct
  sign_ins.user_id as "sign_in.user_id",
  sign_ins.customer_tenant_id as "sign_in.customer_tenant_id",
  sign_ins.user_key as "activity.caller_id",
  sign_ins.user_key as "activity.caller"
from changes
join sign_ins
  on sign_ins.user_key = changes.caller_key
  and sign_ins.network = changes.network
where sign_ins.event_at >= $since - interval '28 hours'
  and sign_ins.device_id is null
