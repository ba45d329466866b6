-- Unusual use of Azure Container Instances, one row for each subscription, caller and hour in which the
-- caller added container groups or started a known miner.
--
-- A burst is what a caller added within the six hours up to the end of that hour. It is held against
-- the 28 days before, without the last 24 hours, so that an attack does not become its own history.
-- Signs of different kinds earn points (see `weighed`); one kind alone is never enough. The image of a
-- known miner is.
--
-- A miner is known by the name of its image, whole between separators, so that a `process-miner` is
-- none. Thieves who name their image otherwise are found by the other signs.
--
-- The detectors of Batch, container instances and machine learning are built alike. They differ in
-- `requests` and in what they count.
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
    -- Bodies are text within text, so their quotes have backslashes, and they may be cut off. Of several
    -- containers in a group, the first is looked at, but a miner is found in any.
    max(regexp_match(lower(properties), 'image\\*"\s*:\s*\\*"([^"\\]+)')[1]) as image,
    max(regexp_match(
      lower(properties),
      'image\\*"\s*:\s*\\*"((?:[^"\\]*[/_.-])?(?:xmrig|xmr-stak|cpuminer|ethminer|lolminer|srbminer|phoenixminer))[-_.:@/"\\]'
    )[1]) as miner,
    max(regexp_match(lower(properties), 'gpu\\*"\s*:\s*\{[^}]*sku\\*"\s*:\s*\\*"([a-z0-9]+)')[1]) as kind,
    max(caller_ip) as address,
    -- A share of a vCPU counts as one.
    max(
      greatest(coalesce(cast(regexp_match(lower(properties), 'cpu\\*"\s*:\s*([0-9]{1,4})')[1] as bigint), 1), 1)
    ) as target
  from activity
  where operation = 'microsoft.containerinstance/containergroups/write'
    and subscription_id is not null
    and resource_id is not null
  group by
    subscription_id,
    coalesce(caller_id, caller, 'unknown'),
    coalesce(correlation_id, cast(date_trunc('hour', event_at) as varchar)),
    resource_id
  having bool_or(status in ('accepted', 'succeeded'))
),
additions as (
  -- What was written before is changed, not added.
  select
    *,
    date_trunc('hour', first_at) as hour,
    case when earlier_target is null then 1 else 0 end as added,
    greatest(coalesce(target, 0) - coalesce(earlier_target, 0), 0) as amount
  from (
    select
      *,
      max(coalesce(target, 0)) over (
        partition by subscription_id, resource_id
        order by first_at
        range between interval '28 days' preceding and interval '1 microsecond' preceding
      ) as earlier_target,
      count(*) over (
        partition by subscription_id, kind
        order by first_at
        range between interval '28 days' preceding and interval '24 hours' preceding
      ) > 0 as kind_known
    from requests
  )
),
measured as (
  select
    *,
    max(six_hours_added) over past as usual_added,
    max(six_hours_amount) over past as usual_amount
  from (
    select
      *,
      sum(added) over six_hours as six_hours_added,
      sum(amount) over six_hours as six_hours_amount
    from additions
    where added > 0
      or amount > 0
      or miner is not null
    window six_hours as (
      partition by subscription_id
      order by first_at
      range between interval '6 hours' preceding and current row
    )
  )
  window past as (
    partition by subscription_id
    order by first_at
    range between interval '28 days' preceding and interval '24 hours' preceding
  )
),
bursts as (
  -- An addition counts in its own hour and in the five after it, if something is added in them.
  select
    subscription_id,
    caller_id,
    hour + later.by as burst_hour,
    max(caller) as caller,
    max(customer_tenant_id) as customer_tenant_id,
    min(first_at) as first_at,
    max(last_at) as last_at,
    sum(added) as added,
    sum(amount) as amount,
    coalesce(max(usual_added), 0) as usual_added,
    coalesce(max(usual_amount), 0) as usual_amount,
    array_agg(distinct region order by region) filter (where region is not null) as regions,
    array_agg(distinct kind order by kind) filter (where kind is not null and not kind_known) as new_kinds,
    array_agg(distinct image order by image) filter (where image is not null) as images,
    array_agg(distinct miner order by miner) filter (where miner is not null) as miners,
    array_agg(distinct address order by address) filter (where address is not null) as caller_addresses,
    array_slice(array_agg(distinct resource_id order by resource_id), 1, 25) as resources
  from measured
  cross join (
    values (interval '0 hours'), (interval '1 hour'), (interval '2 hours'),
      (interval '3 hours'), (interval '4 hours'), (interval '5 hours')
  ) as later (by)
  -- Earlier ones are in no burst that is judged; a request ends within a day.
  where first_at >= $since - interval '2 days'
  group by subscription_id, caller_id, hour + later.by
  having max(hour) = hour + later.by
    and max(last_at) >= $since
    -- Fewer are no alarm whatever the signs, and need no look at history.
    and (sum(added) >= 3 or max(miner) is not null)
),
past as (
  -- What the subscription saw in the 28 days before. With less than a week of records, "never seen"
  -- means nothing.
  select
    bursts.subscription_id,
    bursts.caller_id,
    bursts.burst_hour,
    min(activity.event_at) < bursts.burst_hour - interval '7 days' as subscription_known,
    bool_or(coalesce(activity.caller_id, activity.caller, 'unknown') = bursts.caller_id) as caller_known,
    bool_or(
      coalesce(activity.caller_id, activity.caller, 'unknown') = bursts.caller_id
      and array_has(bursts.caller_addresses, activity.caller_ip)
    ) as address_known,
    count(distinct case when coalesce(activity.caller_id, activity.caller, 'unknown') = bursts.caller_id then activity.caller_ip end)
      as usual_addresses,
    array_agg(distinct activity.resource_region) filter (where activity.resource_region is not null) as regions
  from bursts
  join activity
    on activity.subscription_id = bursts.subscription_id
    and activity.event_at >= bursts.burst_hour - interval '28 days'
    and activity.event_at < bursts.burst_hour - interval '24 hours'
  group by bursts.subscription_id, bursts.caller_id, bursts.burst_hour
),
judged as (
  select
    bursts.*,
    coalesce(past.subscription_known, false) as subscription_known,
    coalesce(past.caller_known, false) as caller_known,
    -- Who comes from everywhere has no usual address.
    coalesce(not past.address_known and past.usual_addresses between 1 and 3, false) as is_elsewhere,
    case
      when past.regions is null then bursts.regions
      else array_sort(array_except(bursts.regions, past.regions))
    end as new_regions,
    greatest(10, 3 * bursts.usual_added) as added_threshold,
    greatest(40, 3 * bursts.usual_amount) as amount_threshold
  from bursts
  left join past
    on past.subscription_id = bursts.subscription_id
    and past.caller_id = bursts.caller_id
    and past.burst_hour = bursts.burst_hour
),
weighed as (
  -- Four kinds of sign, up to two points each. On a subscription without history, nothing counts for
  -- being new but many regions at once and accelerators.
  select
    *,
    case
      when subscription_known and not caller_known then 2
      when caller_known and is_elsewhere then 1
      else 0
    end as who,
    case
      when coalesce(array_length(new_regions), 0) >= 3 then 2
      when coalesce(array_length(new_regions), 0) >= 1 and subscription_known then 1
      else 0
    end as place,
    case when array_length(new_kinds) >= 1 then 2 else 0 end as what,
    case when added >= added_threshold then 1 else 0 end
      + case when amount >= amount_threshold then 1 else 0 end as volume
  from judged
)
select
  subscription_id,
  customer_tenant_id,
  first_at as first_observed_at,
  last_at as last_observed_at,
  resources,
  -- More than ever by a known caller, at a usual address and in usual regions, is growth until a second sign is there.
  case
    when miners is not null or who + place + what + volume >= 6 then 'high'
    when caller_known and who = 0 and place = 0 then 'low'
    else 'medium'
  end as severity,
  case
    when miners is not null or who + place + what + volume >= 6 then 'high'
    when caller_known and who = 0 and place = 0 then 'low'
    else 'medium'
  end as confidence,
  concat(
    caller, ' added ', added, ' container groups with ', amount, ' vCPUs in ',
    coalesce(array_length(regions), 0), ' regions within six hours. The most in six hours of the 28 days before was ',
    usual_added, ' with ', usual_amount, ' vCPUs.',
    case when miners is not null then concat(' Images of miners: ', array_to_string(miners, ', '), '.') else '' end,
    case
      when who = 2 then ' This caller was not seen on the subscription before.'
      when who = 1 then ' This caller did not come from this address before.'
      else ''
    end,
    case when place > 0 then concat(' Not used before: ', array_to_string(new_regions, ', '), '.') else '' end,
    case when what > 0 then concat(' New accelerators: ', array_to_string(new_kinds, ', '), '.') else '' end
  ) as description,
  caller_id,
  caller,
  caller_addresses,
  added as container_groups,
  amount as cpus,
  regions,
  new_regions,
  array_slice(images, 1, 25) as images,
  miners,
  new_kinds as new_accelerators,
  usual_added as usual_container_groups,
  usual_amount as usual_cpus,
  added_threshold as container_groups_threshold,
  amount_threshold as cpus_threshold,
  who + place + what + volume as points,
  concat('who ', who, ', where ', place, ', what ', what, ', how much ', volume) as points_by_sign
from weighed
where miners is not null
  or (
    added >= 3
    and who + place + what + volume >= 4
    and least(who, 1) + least(place, 1) + least(what, 1) + least(volume, 1) >= 2
  )
