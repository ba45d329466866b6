-- Callers who write a virtual machine or scale set and did nothing on the subscription in the fourteen days before, up to
-- the day before.
with acts as (
  select
    subscription_id,
    coalesce(caller_id, caller) as caller,
    day,
    min(event_at) filter (where operation in ('microsoft.compute/virtualmachines/write', 'microsoft.compute/virtualmachinescalesets/write')) as first_at,
    max(event_at) filter (where operation in ('microsoft.compute/virtualmachines/write', 'microsoft.compute/virtualmachinescalesets/write')) as last_at
  from activity
  where subscription_id is not null
    and coalesce(caller_id, caller) is not null
  group by subscription_id, coalesce(caller_id, caller), day
),
compared as (
  select
    *,
    count(*) over (
      partition by subscription_id, caller
      order by day
      range between interval '14 days' preceding and interval '1 day' preceding
    ) as days_before
  from acts
)
select
  subscription_id,
  first_at as first_observed_at,
  last_at as last_observed_at,
  concat(caller, ' wrote virtual machines and was not seen in the fourteen days before.') as description,
  caller,
  cast(day as varchar) as day
from compared
where first_at is not null
  and last_at >= $since
  and days_before = 0
