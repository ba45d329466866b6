-- Subscriptions of which a day in the window cost as much as the least that any rule wants.
with dear as (
  select lines.subscription_id
  from lines
  left join units on units.currency = lines.currency
  where lines.event_at >= $since - interval '1 day'
  group by lines.subscription_id, lines.currency, lines.day
  having sum(lines.cost) >= max(100 * coalesce(units.unit, 1.0))
)
select distinct
  subscription_id as "cost.subscription_id",
  subscription_id as "activity.subscription_id"
from dear
