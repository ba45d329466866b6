-- Days with more than three times as many changes of a subscription as the mean of its seven days before, on which
-- there must have been any. A day without changes is zero.
with days as (
  select
    subscription_id,
    day,
    min(event_at) as first_at,
    max(event_at) as last_at,
    count(distinct concat_ws(' ', operation, resource_id, correlation_id)) as changes
  from activity
  where subscription_id is not null
    and (operation like '%/write' or operation like '%/delete')
    and coalesce(status, 'succeeded') in ('accepted', 'succeeded')
  group by subscription_id, day
),
compared as (
  select
    *,
    sum(changes) over (
      partition by subscription_id
      order by day
      range between interval '7 days' preceding and interval '1 day' preceding
    ) / 7.0 as mean
  from days
)
select
  subscription_id,
  first_at as first_observed_at,
  last_at as last_observed_at,
  concat(changes, ' changes on a day; the mean of the week before is ', round(mean, 1), '.') as description,
  cast(day as varchar) as day,
  changes,
  mean
from compared
where changes > 3 * mean
  and last_at >= $since
