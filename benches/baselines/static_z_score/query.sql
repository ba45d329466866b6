-- Days on which a subscription cost more than the mean of its thirty days before and three standard deviations; of a
-- week or more on record.
with days as (
  select subscription_id, coalesce(currency, '') as currency, day, min(event_at) as at, sum(cost) as cost
  from cost
  where subscription_id is not null
    and cost is not null
  group by subscription_id, coalesce(currency, ''), day
),
compared as (
  select
    *,
    avg(cost) over thirty as mean,
    stddev(cost) over thirty as deviation,
    count(*) over thirty as days_before
  from days
  window thirty as (
    partition by subscription_id, currency
    order by day
    range between interval '30 days' preceding and interval '1 day' preceding
  )
)
select
  subscription_id,
  at as first_observed_at,
  at as last_observed_at,
  concat(round(cost, 2), ' ', currency, ' on a day; the mean is ', round(mean, 2), ', the deviation ', round(deviation, 2), '.') as description,
  cast(day as varchar) as day,
  cost,
  mean,
  deviation
from compared
where days_before >= 7
  and cost > mean + 3 * deviation
  and cost > 0
  and at >= $since
