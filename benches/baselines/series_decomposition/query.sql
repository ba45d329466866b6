-- Days with more changes than the decomposition of the last four weeks explains. The rhythm of a weekday is its mean; what is
-- left is judged by fences from its 10th and 90th percentile, of which 1.5 widths are allowed; 25 changes are the least.
with counts as (
  select
    subscription_id,
    day,
    min(event_at) as first_at,
    max(event_at) as last_at,
    cast(count(distinct concat_ws(' ', operation, resource_id, correlation_id)) as double) as changes
  from activity
  where subscription_id is not null
    and (operation like '%/write' or operation like '%/delete')
    and coalesce(status, 'succeeded') in ('accepted', 'succeeded')
  group by subscription_id, day
),
ago (days) as (
  select unnest(range(0, 28))
),
windows as (
  select
    judged.subscription_id,
    judged.day as judged_day,
    ago.days,
    max(judged.first_at) as first_at,
    max(judged.last_at) as last_at,
    max(judged.changes) as judged_changes,
    sum(case when past.day = judged.day - cast(ago.days as int) then past.changes else 0 end) as changes
  from counts as judged
  cross join ago
  join counts as past
    on past.subscription_id = judged.subscription_id
    and past.day <= judged.day
    and past.day > judged.day - 28
  where judged.last_at >= $since
    and judged.changes > 25
  group by judged.subscription_id, judged.day, ago.days
),
residuals as (
  select
    *,
    changes - avg(changes) over (partition by subscription_id, judged_day, days % 7) as residual
  from windows
),
fences as (
  select
    subscription_id,
    judged_day,
    max(first_at) as first_at,
    max(last_at) as last_at,
    max(judged_changes) as changes,
    max(case when days = 0 then residual end) as residual,
    approx_percentile_cont(0.1) within group (order by residual) as low,
    approx_percentile_cont(0.9) within group (order by residual) as high
  from residuals
  group by subscription_id, judged_day
)
select
  subscription_id,
  first_at as first_observed_at,
  last_at as last_observed_at,
  concat(changes, ' changes on a day, ', round(residual, 1), ' more than the rhythm of the week explains.') as description,
  cast(judged_day as varchar) as day,
  changes,
  residual
from fences
where residual > high + 1.5 * (high - low)
