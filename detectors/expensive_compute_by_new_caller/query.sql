-- One or two dear machines made by a caller who is new to a subscription that had none of their kind. One
-- row for each subscription, caller and hour, from the six hours up to its end.
--
-- Three machines or more, refused ones included, are for the detector of unusual deployments of virtual
-- machines. While such a burst goes on, its first machines may be reported here before the third comes.
--
-- Only what is there after the request counts, and only if it was not there before. Records of the 28
-- days before, without the last 24 hours, tell who and what is known. With less than a week of them
-- nothing is found, since everything would be new.
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
    coalesce(max(vm_capacity), 1) as capacity,
    max(caller_ip) as address,
    coalesce(bool_or(status in ('accepted', 'succeeded')), false) as done,
    -- What is answered with OK and never with Created was there before and is changed.
    not coalesce(bool_or(sub_status in ('created', '201')), false)
      and coalesce(bool_or(sub_status in ('ok', '200')), false) as changed,
    coalesce(
      bool_or(status = 'failed' and (sub_status like '%quota%' or lower(properties) like '%quota%')),
      false
    ) as over_quota
  from activity
  where operation in (
      'microsoft.compute/virtualmachines/write',
      'microsoft.compute/virtualmachinescalesets/write'
    )
    and subscription_id is not null
    and resource_id is not null
  group by
    subscription_id,
    coalesce(caller_id, caller, 'unknown'),
    coalesce(correlation_id, cast(date_trunc('hour', event_at) as varchar)),
    resource_id
),
additions as (
  -- A machine that was written before is changed, not added.
  select
    *,
    date_trunc('hour', first_at) as hour,
    vm_size_accelerator(size) is not null
      or coalesce(vm_size_family(size) in ('h', 'hb', 'hc', 'hx'), false)
      or coalesce(vm_size_vcpus(size) >= 64, false) as is_dear
  from (
    select
      *,
      max(case when done then capacity end) over (
        partition by subscription_id, resource_id
        order by first_at
        range between interval '28 days' preceding and interval '1 microsecond' preceding
      ) is not null as written_before
    from requests
  )
  where over_quota
    or (done and not changed and not written_before)
),
bursts as (
  -- A machine counts in its own hour and in the five after it, if something is made in them.
  select
    subscription_id,
    caller_id,
    hour + later.by as burst_hour,
    max(caller) as caller,
    max(customer_tenant_id) as customer_tenant_id,
    min(first_at) as first_at,
    max(last_at) as last_at,
    sum(case when done and is_dear then capacity else 0 end) as machines,
    array_agg(distinct size order by size) filter (where done and is_dear) as sizes,
    array_agg(distinct region order by region) filter (where done and is_dear and region is not null) as regions,
    array_agg(distinct address order by address) filter (where address is not null) as caller_addresses,
    array_agg(distinct resource_id order by resource_id) filter (where done and is_dear) as resources
  from additions
  cross join (
    values (interval '0 hours'), (interval '1 hour'), (interval '2 hours'),
      (interval '3 hours'), (interval '4 hours'), (interval '5 hours')
  ) as later (by)
  -- Earlier ones are in no burst that is judged; a request ends within a day.
  where first_at >= $since - interval '2 days'
  group by subscription_id, caller_id, hour + later.by
  having max(hour) = hour + later.by
    and max(last_at) >= $since
    and sum(case when done and is_dear then capacity else 0 end) >= 1
    and sum(case when done then capacity else 1 end) < 3
),
past as (
  select
    bursts.subscription_id,
    bursts.caller_id,
    bursts.burst_hour,
    count(distinct coalesce(activity.caller_id, activity.caller)) as usual_callers
  from bursts
  join activity
    on activity.subscription_id = bursts.subscription_id
    and activity.event_at >= bursts.burst_hour - interval '28 days'
    and activity.event_at < bursts.burst_hour - interval '24 hours'
  group by bursts.subscription_id, bursts.caller_id, bursts.burst_hour
  having min(activity.event_at) < bursts.burst_hour - interval '7 days'
    and not bool_or(coalesce(activity.caller_id, activity.caller, 'unknown') = bursts.caller_id)
    -- No machine of these kinds was made or changed.
    and not bool_or(
      coalesce(activity.status, '') <> 'failed'
      and (
        vm_size_accelerator(activity.vm_size) is not null
        or coalesce(vm_size_family(activity.vm_size) in ('h', 'hb', 'hc', 'hx'), false)
        or coalesce(vm_size_vcpus(activity.vm_size) >= 64, false)
      )
    )
)
select
  bursts.subscription_id,
  bursts.customer_tenant_id,
  bursts.first_at as first_observed_at,
  bursts.last_at as last_observed_at,
  bursts.resources,
  concat(
    bursts.caller, ' made ', bursts.machines,
    case when bursts.machines = 1 then ' dear machine (' else ' dear machines (' end,
    array_to_string(bursts.sizes, ', '), ')',
    case when bursts.regions is not null then concat(' in ', array_to_string(bursts.regions, ', ')) else '' end,
    '. The subscription saw neither this caller nor such a machine in the 28 days before.'
  ) as description,
  bursts.caller_id,
  bursts.caller,
  bursts.caller_addresses,
  bursts.machines,
  bursts.sizes,
  bursts.regions,
  0 as usual_dear_machines,
  past.usual_callers
from bursts
join past
  on past.subscription_id = bursts.subscription_id
  and past.caller_id = bursts.caller_id
  and past.burst_hour = bursts.burst_hour
