-- Scale sets in three or more regions that the subscription did not use before, within six hours. One row
-- for each subscription, caller and hour.
--
-- A region is new if no record of the subscription names it in the 28 days before, without the last 24
-- hours, whatever the resource. On a subscription without a week of history every region would be new,
-- so nothing is found there; the detector of virtual machines weighs other signs.
--
-- The detector of machine learning in many regions is built alike. They differ in `requests`.
with requests as (
  -- Start, acceptance and end of one request share correlation and resource: count them once.
  select
    subscription_id,
    coalesce(caller_id, caller, 'unknown') as caller_id,
    resource_id,
    max(coalesce(caller, caller_id, 'unknown')) as caller,
    max(customer_tenant_id) as customer_tenant_id,
    min(event_at) as first_at,
    max(event_at) as last_at,
    max(resource_region) as region,
    max(vm_size) as size,
    coalesce(max(vm_capacity), 1) as machines,
    max(caller_ip) as address
  from activity
  where operation = 'microsoft.compute/virtualmachinescalesets/write'
    -- A burst reaches back five hours before the hour that is judged.
    and event_at >= $since - interval '1 day'
    and subscription_id is not null
    and resource_id is not null
  group by
    subscription_id,
    coalesce(caller_id, caller, 'unknown'),
    coalesce(correlation_id, cast(date_trunc('hour', event_at) as varchar)),
    resource_id
  -- What is answered with OK and never with Created was there before and is changed.
  having bool_or(status in ('accepted', 'succeeded'))
    and (
      coalesce(bool_or(sub_status in ('created', '201')), false)
      or not coalesce(bool_or(sub_status in ('ok', '200')), false)
    )
),
bursts as (
  -- A request counts in its own hour and in the five after it, if something is made in them.
  select
    subscription_id,
    caller_id,
    date_trunc('hour', first_at) + later.by as burst_hour,
    max(caller) as caller,
    max(customer_tenant_id) as customer_tenant_id,
    min(first_at) as first_at,
    max(last_at) as last_at,
    count(distinct resource_id) as resource_count,
    sum(machines) as machines,
    array_agg(distinct region order by region) as regions,
    array_agg(distinct size order by size) filter (where size is not null) as sizes,
    coalesce(bool_or(
      vm_size_accelerator(size) is not null
      or vm_size_family(size) in ('h', 'hb', 'hc', 'hx')
      or vm_size_vcpus(size) >= 64
    ), false) as is_dear,
    array_agg(distinct address order by address) filter (where address is not null) as caller_addresses,
    array_slice(array_agg(distinct resource_id order by resource_id), 1, 25) as resources
  from requests
  cross join (
    values (interval '0 hours'), (interval '1 hour'), (interval '2 hours'),
      (interval '3 hours'), (interval '4 hours'), (interval '5 hours')
  ) as later (by)
  where region is not null
    -- A scale set without machines costs nothing.
    and machines > 0
  group by subscription_id, caller_id, date_trunc('hour', first_at) + later.by
  having max(date_trunc('hour', first_at)) = date_trunc('hour', first_at) + later.by
    and max(last_at) >= $since
    and count(distinct region) >= 3
),
past as (
  select
    bursts.subscription_id,
    bursts.caller_id,
    bursts.burst_hour,
    bool_or(coalesce(activity.caller_id, activity.caller, 'unknown') = bursts.caller_id) as caller_known,
    array_agg(distinct activity.resource_region) filter (where activity.resource_region is not null) as regions
  from bursts
  join activity
    on activity.subscription_id = bursts.subscription_id
    and activity.event_at >= bursts.burst_hour - interval '28 days'
    and activity.event_at < bursts.burst_hour - interval '24 hours'
  group by bursts.subscription_id, bursts.caller_id, bursts.burst_hour
  having min(activity.event_at) < bursts.burst_hour - interval '7 days'
),
judged as (
  select
    bursts.*,
    past.caller_known,
    past.regions as usual_regions,
    case
      when past.regions is null then bursts.regions
      else array_sort(array_except(bursts.regions, past.regions))
    end as new_regions
  from bursts
  join past
    on past.subscription_id = bursts.subscription_id
    and past.caller_id = bursts.caller_id
    and past.burst_hour = bursts.burst_hour
)
select
  subscription_id,
  customer_tenant_id,
  first_at as first_observed_at,
  last_at as last_observed_at,
  resources,
  case when not caller_known or is_dear then 'high' else 'medium' end as severity,
  case
    when not caller_known and is_dear then 'high'
    when not caller_known or is_dear then 'medium'
    else 'low'
  end as confidence,
  concat(
    caller, ' made ', resource_count, ' scale sets with ', machines, ' machines in ', array_length(new_regions),
    ' regions within six hours that the subscription did not use in the 28 days before: ',
    array_to_string(new_regions, ', '), '.',
    case when not caller_known then ' This caller was not seen on the subscription before.' else '' end,
    case when is_dear then ' The machines are dear.' else '' end
  ) as description,
  caller_id,
  caller,
  caller_addresses,
  resource_count as scale_sets,
  machines,
  sizes,
  new_regions,
  array_slice(array_sort(usual_regions), 1, 25) as usual_regions,
  3 as new_regions_threshold
from judged
where array_length(new_regions) >= 3
