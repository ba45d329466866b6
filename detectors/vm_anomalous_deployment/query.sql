-- Unusual deployments of virtual machines and scale sets, one row for each subscription, caller and
-- hour in which the caller added machines.
--
-- A burst is what a caller added within the six hours up to the end of that hour. It is held against
-- the 28 days before, without the last 24 hours, so that an attack does not become its own history.
-- Signs of different kinds earn points (see `weighed`); one kind alone is never enough.
--
-- DataFusion runs a part of `with` once for each place that names it, so none is named where a window
-- function can tell the same.
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
facets (what) as (
  values ('subscription'), ('caller'), ('region'), ('address'), ('dear kind')
),
seen as (
  -- What was seen on a subscription in which hour. A dear machine that was refused does not count.
  select
    subscription_id,
    what,
    value,
    hour,
    bool_or(what <> 'dear kind' or status in ('accepted', 'succeeded')) as counts
  from (
    select
      subscription_id,
      status,
      what,
      date_trunc('hour', event_at) as hour,
      case what
        when 'subscription' then subscription_id
        when 'caller' then coalesce(caller_id, caller, 'unknown')
        when 'region' then resource_region
        when 'address' then caller_ip
        when 'dear kind' then coalesce(
          vm_size_accelerator(vm_size),
          case when vm_size_family(vm_size) in ('h', 'hb', 'hc', 'hx') then vm_size_family(vm_size) end
        )
      end as value
    from activity
    cross join facets
    where subscription_id is not null
  )
  where value is not null
  group by subscription_id, what, value, hour
),
familiar as (
  select
    *,
    count(case when counts then 1 end) over (
      partition by subscription_id, what, value
      order by hour
      range between interval '28 days' preceding and interval '24 hours' preceding
    ) > 0 as known
  from seen
),
marked as (
  -- Each addition with what was known when it came.
  select
    additions.subscription_id,
    additions.caller_id,
    additions.resource_id,
    additions.first_at,
    max(additions.last_at) as last_at,
    max(additions.hour) as hour,
    max(additions.caller) as caller,
    max(additions.customer_tenant_id) as customer_tenant_id,
    max(additions.machines) as machines,
    max(additions.machines * additions.vcpus_each) as vcpus,
    max(additions.vm_size) as vm_size,
    max(additions.region) as region,
    max(additions.address) as address,
    max(additions.dear_kind) as dear_kind,
    bool_or(additions.over_quota) as over_quota,
    coalesce(bool_or(additions.what = 'subscription' and familiar.known), false) as subscription_known,
    coalesce(bool_or(additions.what = 'caller' and familiar.known), false) as caller_known,
    coalesce(bool_or(additions.what = 'region' and familiar.known), false) as region_known,
    coalesce(bool_or(additions.what = 'address' and familiar.known), false) as address_known,
    coalesce(bool_or(additions.what = 'dear kind' and familiar.known), false) as kind_known
  from (
    select
      *,
      case what
        when 'subscription' then subscription_id
        when 'caller' then caller_id
        when 'region' then region
        when 'address' then address
        when 'dear kind' then dear_kind
      end as value
    from additions
    cross join facets
  ) as additions
  left join familiar
    on familiar.subscription_id = additions.subscription_id
    and familiar.what = additions.what
    and familiar.value = additions.value
    -- The records of one request may lie on both sides of a full hour.
    and familiar.hour between additions.hour and additions.last_at
  group by
    additions.subscription_id,
    additions.caller_id,
    additions.resource_id,
    additions.first_at
),
address_hours as (
  select
    subscription_id,
    caller_id,
    hour,
    count(case when hour_before is null or hour_before < hour - interval '14 days' then 1 end) as fresh_addresses
  from (
    select
      *,
      lag(hour) over (partition by subscription_id, caller_id, caller_ip order by hour) as hour_before
    from (
      select distinct
        subscription_id,
        coalesce(caller_id, caller, 'unknown') as caller_id,
        caller_ip,
        date_trunc('hour', event_at) as hour
      from activity
      where caller_ip is not null
    )
  )
  group by subscription_id, caller_id, hour
),
roaming as (
  -- A caller who comes from everywhere, such as a hosted build agent, has no usual address.
  select
    subscription_id,
    caller_id,
    hour,
    sum(fresh_addresses) over (
      partition by subscription_id, caller_id
      order by hour
      range between interval '14 days' preceding and interval '24 hours' preceding
    ) > 5 as roams
  from address_hours
),
subscription_bursts as (
  select
    subscription_id,
    hour,
    sum(machines) over six_hours as machines,
    sum(vcpus) over six_hours as vcpus
  from (
    select
      subscription_id,
      hour,
      sum(machines) as machines,
      sum(machines * vcpus_each) as vcpus
    from additions
    group by subscription_id, hour
  )
  window six_hours as (
    partition by subscription_id
    order by hour
    range between interval '5 hours' preceding and current row
  )
),
usual as (
  select
    subscription_id,
    hour,
    max(machines) over past as machines,
    max(vcpus) over past as vcpus
  from subscription_bursts
  window past as (
    partition by subscription_id
    order by hour
    range between interval '28 days' preceding and interval '24 hours' preceding
  )
),
summed as (
  select
    marked.subscription_id,
    marked.caller_id,
    bursts.hour as burst_hour,
    max(marked.caller) as caller,
    max(marked.customer_tenant_id) as customer_tenant_id,
    min(marked.first_at) as first_at,
    max(marked.last_at) as last_at,
    sum(marked.machines) as machines,
    sum(marked.vcpus) as vcpus,
    bool_or(subscription_known) as subscription_known,
    bool_or(caller_known) as caller_known,
    count(distinct case when over_quota then resource_id end) as quota_failures,
    count(distinct case when over_quota then region end) as quota_regions,
    count(distinct case when not region_known then region end) as new_region_count,
    count(distinct case when not kind_known then dear_kind end) as new_kind_count,
    count(distinct case when not address_known then address end) as new_address_count,
    array_agg(distinct region order by region) filter (where region is not null) as regions,
    array_agg(distinct region order by region) filter (where region is not null and not region_known) as new_regions,
    array_agg(distinct vm_size order by vm_size) filter (where vm_size is not null) as sizes,
    array_agg(distinct dear_kind order by dear_kind)
      filter (where dear_kind is not null and not kind_known) as new_accelerators,
    array_agg(distinct address order by address) filter (where address is not null) as caller_addresses,
    array_agg(distinct resource_id order by resource_id) as resources
  from bursts
  join marked
    on marked.subscription_id = bursts.subscription_id
    and marked.caller_id = bursts.caller_id
    and marked.hour > bursts.hour - interval '6 hours'
    and marked.hour <= bursts.hour
  group by marked.subscription_id, marked.caller_id, bursts.hour
),
judged as (
  select
    summed.*,
    coalesce(usual.machines, 0) as usual_machines,
    coalesce(usual.vcpus, 0) as usual_vcpus,
    coalesce(roaming.roams, false) as roams
  from summed
  left join usual
    on usual.subscription_id = summed.subscription_id
    and usual.hour = summed.burst_hour
  left join roaming
    on roaming.subscription_id = summed.subscription_id
    and roaming.caller_id = summed.caller_id
    and roaming.hour = summed.burst_hour
),
weighed as (
  -- Five independent kinds of sign, up to two points each. On a subscription without history,
  -- nothing counts for being new but many regions at once and dear machines.
  select
    *,
    case
      when not subscription_known then 0
      when not caller_known then 2
      when new_address_count > 0 and not roams then 1
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
    coalesce(array_length(regions), 0), ' regions within six hours',
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
where who + place + kind + volume + quota >= setting('points_min', customer_tenant_id, subscription_id)
  and least(who, 1) + least(place, 1) + least(kind, 1) + least(volume, 1) + least(quota, 1) >= 2
  and (
    machines + quota_failures >= setting('machines_min', customer_tenant_id, subscription_id)
    -- A stranger, in a region never used, with a kind of dear machine never used: the first machine is enough.
    or (machines >= 1 and who >= 1 and place >= 1 and kind >= 1)
  )
