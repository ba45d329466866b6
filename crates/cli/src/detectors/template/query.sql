-- Locks deleted by a caller who was not seen on the subscription in the 28 days before, one row for each
-- subscription, caller and hour.
with deletions as (
  -- Start, acceptance and end of one request share correlation and resource: count them once.
  select
    subscription_id,
    coalesce(caller_id, caller, 'unknown') as caller_id,
    max(coalesce(caller, caller_id, 'unknown')) as caller,
    max(customer_tenant_id) as customer_tenant_id,
    resource_id,
    min(event_at) as first_at,
    max(event_at) as last_at
  from activity
  where operation = 'microsoft.authorization/locks/delete'
    and event_at >= $since - interval '2 hours'
    and subscription_id is not null
  group by subscription_id, coalesce(caller_id, caller, 'unknown'), correlation_id, resource_id
  -- What was refused did no harm.
  having bool_or(status in ('accepted', 'succeeded'))
),
hours as (
  select
    subscription_id,
    caller_id,
    date_trunc('hour', first_at) as hour,
    max(caller) as caller,
    max(customer_tenant_id) as customer_tenant_id,
    min(first_at) as first_at,
    max(last_at) as last_at,
    count(*) as locks,
    array_agg(distinct resource_id order by resource_id) filter (where resource_id is not null) as resources
  from deletions
  group by subscription_id, caller_id, date_trunc('hour', first_at)
),
known as (
  -- The last day is left out, or an attack would make itself familiar.
  select
    hours.subscription_id,
    hours.caller_id,
    hours.hour,
    count(case when coalesce(past.caller_id, past.caller, 'unknown') = hours.caller_id then 1 end) as by_caller
  from hours
  join activity as past
    on past.subscription_id = hours.subscription_id
    and past.event_at >= hours.hour - interval '28 days'
    and past.event_at < hours.hour - interval '24 hours'
  group by hours.subscription_id, hours.caller_id, hours.hour
)
-- A subscription without any history has no row in `known`: there, everybody is new.
select
  hours.subscription_id,
  hours.customer_tenant_id,
  hours.first_at as first_observed_at,
  hours.last_at as last_observed_at,
  hours.resources,
  concat(
    hours.caller, ' deleted ', hours.locks, case when hours.locks = 1 then ' lock' else ' locks' end,
    ', and was not seen on this subscription in the four weeks before.'
  ) as description,
  hours.caller_id,
  hours.caller,
  hours.locks
from hours
join known
  on known.subscription_id = hours.subscription_id
  and known.caller_id = hours.caller_id
  and known.hour = hours.hour
where known.by_caller = 0
