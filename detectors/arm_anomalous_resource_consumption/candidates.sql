-- Subscriptions of which a day in the window cost as much as the least that any rule wants. Bounds are on days and not on
-- times: the statements that count are looked for on these days alone then.
select distinct subscription_id as "cost.subscription_id"
from (
  select lines.subscription_id
  from lines
  left join units on units.currency = lines.currency
  where lines.day >= cast($since - interval '1 day' as date)
  group by lines.subscription_id, lines.currency, lines.day
  having sum(lines.cost) >= 100 * max(coalesce(units.unit, 1.0))
) as dear;

-- Of these, those with a day to judge; and if one of them is young and rose far above its few days, the bills of all,
-- since it borrows from any of its size.
select
  subscription_id as "cost.subscription_id",
  subscription_id as "activity.subscription_id"
from candidates
union all
select
  '*' as "cost.subscription_id",
  cast(null as varchar) as "activity.subscription_id"
from candidates
where history_days between 4 and 13
  and ratio >= 6
  and increase >= 300 * unit
  and increase >= 6 * own_spread
