-- Users who changed something and within a day signed in from two places far from each other, and their tenants, for
-- colleagues there. Records name a caller by id or by name. Places of 500 km between them differ by more than four degrees in sum.
with movers as (
  select sign_ins.user_id
  from changes
  join sign_ins on sign_ins.user_key = changes.caller_key
  where sign_ins.event_at >= $since - interval '28 hours'
    and changes.last_at >= $since
  group by sign_ins.user_id
  having count(distinct concat_ws(' ', country, cast(autonomous_system as varchar))) >= 2
    and max(latitude) - min(latitude) + max(longitude) - min(longitude) > 4
)
select distinct
  user_id as "sign_in.user_id",
  customer_tenant_id as "sign_in.customer_tenant_id",
  user_key as "activity.caller_id",
  user_key as "activity.caller"
from sign_ins
left semi join movers on movers.user_id = sign_ins.user_id
where event_at >= $since - interval '28 hours'
