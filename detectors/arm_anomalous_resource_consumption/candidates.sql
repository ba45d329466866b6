-- Subscriptions of which a day in the window cost as much as the least that any rule wants; and if one of them may be
-- young, the bills of all, since it may borrow from any.
with dear as (
  select
    lines.subscription_id,
    sum(lines.cost) >= max(300 * coalesce(units.unit, 1.0)) as may_borrow
  from lines
  left join units on units.currency = lines.currency
  where lines.event_at >= $since - interval '1 day'
  group by lines.subscription_id, lines.currency, lines.day
  having sum(lines.cost) >= max(100 * coalesce(units.unit, 1.0))
),
settled as (
  -- Who was billed more than two weeks ago. Few days are enough to leave nearly all out.
  select distinct subscription_id
  from lines
  where event_at >= $since - interval '18 days'
    and event_at < $since - interval '15 days'
),
young as (
  select count(*) as subscriptions
  from dear
  left anti join settled on settled.subscription_id = dear.subscription_id
  where may_borrow
)
select distinct
  subscription_id as "cost.subscription_id",
  subscription_id as "activity.subscription_id"
from dear
union all
select distinct
  lines.subscription_id as "cost.subscription_id",
  cast(null as varchar) as "activity.subscription_id"
from lines
cross join young
where lines.event_at >= $since - interval '1 day'
  and young.subscriptions > 0
