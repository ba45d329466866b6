-- Unusual deployments of virtual machines and scale sets, one row for each subscription, caller and
-- hour in which the caller added machines.
--
-- A burst is what a caller added within the six hours up to the end of that hour. It is held against
-- the 28 days before, without the last 24 hours, so that an attack does not become its own history.
-- Signs of different kinds earn points (see `weighed`); one kind alone is never enough.
with requests as (
  -- Start, acceptance and end of one request share correlation and resource: count them once.
  select
    subscription_id,
    coalesce(caller_id, caller, 'unknown') as caller_id,
    max(coalesce(caller, caller_id, 'unknown')) as caller,
    resource_id,
    max(customer_tenant_id) as customer_tenant_id,
    min(event_at) as first_at,
    max(event_at) as last_at,
    max(vm_size) as vm_size,
    max(resource_region) as region,
    max(vm_capacity) as capacity,
    max(caller_ip) as address,
    bool_or(status in ('accepted', 'succeeded')) as done,
    bool_or(status = 'failed' and (sub_status like '%quota%' or lower(properties) like '%quota%')) as over_quota
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
requests_with_past as (
  select
    *,
    max(case when done then coalesce(capacity, 1) end) over (
      partition by subscription_id, resource_id
      order by first_at
      range between interval '28 days' preceding and interval '1 microsecond' preceding
    ) as earlier_capacity
  from requests
),
actions as (
  -- A machine that was written before is changed, not added; a scale set adds what it grows by.
  select
    *,
    date_trunc('hour', first_at) as hour,
    case when done then greatest(coalesce(capacity, 1) - coalesce(earlier_capacity, 0), 0) else 0 end as machines,
    coalesce(vm_size_vcpus(vm_size), 1) as vcpus_each,
    -- Machines for high performance computing are as dear as those with accelerators.
    coalesce(
      vm_size_accelerator(vm_size),
      case when vm_size_family(vm_size) in ('h', 'hb', 'hc', 'hx') then vm_size_family(vm_size) end
    ) as dear_kind
  from requests_with_past
),
additions as (
  select *
  from actions
  where machines > 0
    or over_quota
),
bursts as (
  -- The hours to judge.
  select subscription_id, caller_id, hour
  from additions
  group by subscription_id, caller_id, hour
  having max(last_at) >= $since
),
members as (
  select
    bursts.hour as burst_hour,
    additions.*
  from bursts
  join additions
    on additions.subscription_id = bursts.subscription_id
    and additions.caller_id = bursts.caller_id
    and additions.hour > bursts.hour - interval '6 hours'
    and additions.hour <= bursts.hour
),
seen as (
  -- What was seen on a subscription in which hour.
  select subscription_id, 'subscription' as what, '' as value, date_trunc('hour', event_at) as hour
  from activity
  group by 1, 2, 3, 4
  union all
  select subscription_id, 'caller', coalesce(caller_id, caller, 'unknown'), date_trunc('hour', event_at)
  from activity
  group by 1, 2, 3, 4
  union all
  select subscription_id, 'region', resource_region, date_trunc('hour', event_at)
  from activity
  where resource_region is not null
  group by 1, 2, 3, 4
  union all
  select subscription_id, 'address', caller_ip, date_trunc('hour', event_at)
  from activity
  where caller_ip is not null
  group by 1, 2, 3, 4
  union all
  select subscription_id, 'dear kind', dear_kind, hour
  from actions
  where dear_kind is not null
    and done
  group by 1, 2, 3, 4
),
asked as (
  select subscription_id, burst_hour, 'subscription' as what, '' as value
  from members
  group by 1, 2, 3, 4
  union all
  select subscription_id, burst_hour, 'caller', caller_id
  from members
  group by 1, 2, 3, 4
  union all
  select subscription_id, burst_hour, 'region', region
  from members
  group by 1, 2, 3, 4
  union all
  select subscription_id, burst_hour, 'address', address
  from members
  group by 1, 2, 3, 4
  union all
  select subscription_id, burst_hour, 'dear kind', dear_kind
  from members
  group by 1, 2, 3, 4
),
known as (
  select
    asked.subscription_id,
    asked.burst_hour,
    asked.what,
    asked.value
  from asked
  join seen
    on seen.subscription_id = asked.subscription_id
    and seen.what = asked.what
    and seen.value = asked.value
    and seen.hour >= asked.burst_hour - interval '28 days'
    and seen.hour < asked.burst_hour - interval '24 hours'
  group by 1, 2, 3, 4
),
caller_addresses as (
  -- A caller who comes from everywhere, such as a hosted build agent, has no usual address.
  select
    bursts.subscription_id,
    bursts.caller_id,
    bursts.hour,
    count(distinct activity.caller_ip) as addresses
  from bursts
  join activity
    on activity.subscription_id = bursts.subscription_id
    and coalesce(activity.caller_id, activity.caller, 'unknown') = bursts.caller_id
    and activity.event_at >= bursts.hour - interval '28 days'
    and activity.event_at < bursts.hour - interval '24 hours'
  group by 1, 2, 3
),
subscription_hours as (
  select
    subscription_id,
    hour,
    sum(machines) as machines,
    sum(machines * vcpus_each) as vcpus
  from additions
  group by subscription_id, hour
),
subscription_bursts as (
  select
    subscription_id,
    hour,
    sum(machines) over six_hours as machines,
    sum(vcpus) over six_hours as vcpus
  from subscription_hours
  window six_hours as (
    partition by subscription_id
    order by hour
    range between interval '5 hours' preceding and current row
  )
),
usual as (
  select
    bursts.subscription_id,
    bursts.caller_id,
    bursts.hour,
    max(subscription_bursts.machines) as machines,
    max(subscription_bursts.vcpus) as vcpus
  from bursts
  join subscription_bursts
    on subscription_bursts.subscription_id = bursts.subscription_id
    and subscription_bursts.hour >= bursts.hour - interval '28 days'
    and subscription_bursts.hour < bursts.hour - interval '24 hours'
  group by 1, 2, 3
),
summed as (
  select
    members.subscription_id,
    members.caller_id,
    members.burst_hour,
    max(members.caller) as caller,
    max(members.customer_tenant_id) as customer_tenant_id,
    min(members.first_at) as first_at,
    max(members.last_at) as last_at,
    sum(members.machines) as machines,
    sum(members.machines * members.vcpus_each) as vcpus,
    count(distinct case when over_quota then members.resource_id end) as quota_failures,
    count(distinct case when over_quota then members.region end) as quota_regions,
    count(distinct case when known_region.value is null then members.region end) as new_region_count,
    count(distinct case when known_kind.value is null then members.dear_kind end) as new_kind_count,
    count(distinct case when known_address.value is null then members.address end) as new_address_count,
    array_agg(distinct members.region order by members.region) filter (where members.region is not null) as regions,
    array_agg(distinct members.region order by members.region)
      filter (where members.region is not null and known_region.value is null) as new_regions,
    array_agg(distinct members.vm_size order by members.vm_size)
      filter (where members.vm_size is not null) as sizes,
    array_agg(distinct members.dear_kind order by members.dear_kind)
      filter (where members.dear_kind is not null and known_kind.value is null) as new_accelerators,
    array_agg(distinct members.address order by members.address)
      filter (where members.address is not null) as caller_addresses,
    array_agg(distinct members.resource_id order by members.resource_id) as resources
  from members
  left join known as known_region
    on known_region.what = 'region'
    and known_region.subscription_id = members.subscription_id
    and known_region.burst_hour = members.burst_hour
    and known_region.value = members.region
  left join known as known_kind
    on known_kind.what = 'dear kind'
    and known_kind.subscription_id = members.subscription_id
    and known_kind.burst_hour = members.burst_hour
    and known_kind.value = members.dear_kind
  left join known as known_address
    on known_address.what = 'address'
    and known_address.subscription_id = members.subscription_id
    and known_address.burst_hour = members.burst_hour
    and known_address.value = members.address
  group by members.subscription_id, members.caller_id, members.burst_hour
),
judged as (
  select
    summed.*,
    coalesce(usual.machines, 0) as usual_machines,
    coalesce(usual.vcpus, 0) as usual_vcpus,
    known_subscription.value is not null as subscription_known,
    known_caller.value is not null as caller_known,
    coalesce(caller_addresses.addresses, 0) <= 5 as caller_stays_put
  from summed
  left join usual
    on usual.subscription_id = summed.subscription_id
    and usual.caller_id = summed.caller_id
    and usual.hour = summed.burst_hour
  left join caller_addresses
    on caller_addresses.subscription_id = summed.subscription_id
    and caller_addresses.caller_id = summed.caller_id
    and caller_addresses.hour = summed.burst_hour
  left join known as known_subscription
    on known_subscription.what = 'subscription'
    and known_subscription.subscription_id = summed.subscription_id
    and known_subscription.burst_hour = summed.burst_hour
  left join known as known_caller
    on known_caller.what = 'caller'
    and known_caller.subscription_id = summed.subscription_id
    and known_caller.burst_hour = summed.burst_hour
    and known_caller.value = summed.caller_id
),
weighed as (
  -- Five independent kinds of sign, up to two points each. On a subscription without history,
  -- nothing counts for being new but many regions at once and dear machines.
  select
    *,
    case
      when not subscription_known then 0
      when not caller_known then 2
      when new_address_count > 0 and caller_stays_put then 1
      else 0
    end as who,
    case
      when new_region_count >= 3 then 2
      when new_region_count >= 1 and subscription_known then 1
      else 0
    end as place,
    case when new_kind_count >= 1 then 2 else 0 end as kind,
    case when machines >= greatest(8, 3 * usual_machines) then 1 else 0 end
      + case when vcpus >= greatest(192, 6 * usual_vcpus) then 1 else 0 end as volume,
    case
      when quota_failures < 3 then 0
      when quota_regions >= 2 then 2
      else 1
    end as quota
  from judged
)
select
  subscription_id,
  customer_tenant_id,
  first_at as first_observed_at,
  last_at as last_observed_at,
  resources,
  case when who + place + kind + volume + quota >= 6 then 'high' else 'medium' end as severity,
  case when who + place + kind + volume + quota >= 6 then 'high' else 'medium' end as confidence,
  concat(
    caller, ' added ', machines, ' machines with ', vcpus, ' vCPUs in ',
    array_length(regions), ' regions within six hours',
    case when quota_failures > 0 then concat(', and ', quota_failures, ' more were refused for quota') else '' end,
    '. The most in six hours of the 28 days before was ', usual_machines, ' machines with ', usual_vcpus, ' vCPUs.',
    case when who = 2 then ' This caller was not seen on the subscription before.' else '' end,
    case when who = 1 then concat(' The caller came from ', array_to_string(caller_addresses, ', '), ', not seen before.') else '' end,
    case when place > 0 then concat(' Not used before: ', array_to_string(new_regions, ', '), '.') else '' end,
    case when kind > 0 then concat(' New kinds of dear machine: ', array_to_string(new_accelerators, ', '), '.') else '' end
  ) as description,
  caller_id,
  caller,
  caller_addresses,
  machines,
  vcpus,
  regions,
  new_regions,
  sizes,
  new_accelerators,
  quota_failures,
  usual_machines,
  usual_vcpus,
  who + place + kind + volume + quota as points,
  concat('who ', who, ', where ', place, ', what ', kind, ', how much ', volume, ', quota ', quota) as points_by_sign
from weighed
where who + place + kind + volume + quota >= 4
  and least(who, 1) + least(place, 1) + least(kind, 1) + least(volume, 1) + least(quota, 1) >= 2
  and machines + quota_failures >= 3
