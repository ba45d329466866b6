-- Subscriptions of which a day in the window cost as much as the least that any rule wants; and if one of them is young
-- and rose sixfold, as its rules want, the bills of all, since it borrows from any of its size.
--
-- Bounds are on days and not on times: the statements that count are looked for on these days alone then.
with dear as (
  select
    lines.subscription_id,
    lines.currency,
    lines.day,
    sum(lines.cost) as cost,
    max(coalesce(units.unit, 1.0)) as unit
  from lines
  left join units on units.currency = lines.currency
  where lines.day >= cast($since - interval '1 day' as date)
  group by lines.subscription_id, lines.currency, lines.day
  having sum(lines.cost) >= 100 * max(coalesce(units.unit, 1.0))
),
past as (
  -- Who was billed more than two weeks ago is not young.
  select
    lines.subscription_id,
    lines.currency,
    lines.day,
    sum(lines.cost) as cost
  from lines
  where lines.day >= cast($since - interval '19 days' as date)
    and lines.subscription_id in (select subscription_id from dear where cost >= 300 * unit)
  group by lines.subscription_id, lines.currency, lines.day
),
young as (
  -- Half of the days before were a sixth of it or less, absent ones included, give or take two that are coming in.
  select dear.subscription_id
  from dear
  join past
    on past.subscription_id = dear.subscription_id
    and past.currency = dear.currency
    and past.day < dear.day
  where dear.cost >= 300 * dear.unit
  group by dear.subscription_id, dear.currency, dear.day
  having min(past.day) >= dear.day - 13
    and 2 * (count(case when 6 * past.cost <= dear.cost then 1 end) + 2)
      + cast(dear.day as integer) - cast(min(past.day) as integer) >= 2 * count(*)
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
where lines.day >= cast($since - interval '1 day' as date)
  and exists (select subscription_id from young)
