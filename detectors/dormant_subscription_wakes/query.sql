-- Computing made on a subscription that slept, or in a region that slept. One row for each subscription,
-- caller and hour.
--
-- What is known comes from the 42 days before, without yesterday. A region sleeps if no record of the
-- subscription names it, though there are records from four weeks ago or earlier; the caller must be new
-- as well. A subscription sleeps if nothing was written for 21 days, though there are older records of it.
-- The last two days belong to the waking. How many machines there are does not matter here: that is for
-- vm_anomalous_deployment.
with created as (
  select
    subscription_id,
    coalesce(caller_id, caller, 'unknown') as caller_id,
    max(coalesce(caller, caller_id, 'unknown')) as caller,
    max(caller_origin) as caller_origin,
    max(customer_tenant_id) as customer_tenant_id,
    max(caller_ip) as address,
    max(resource_type) as resource_type,
    resource_id,
    min(event_at) as first_at,
    max(event_at) as last_at,
    coalesce(max(resource_region), 'unknown') as region,
    -- Only some records of a request name the region; this is the first that does.
    coalesce(min(case when resource_region is not null then event_at end), min(event_at)) as region_at,
    max(vm_size) as vm_size,
    max(vm_accelerator) as accelerator
  from activity
  where operation in (
      'microsoft.compute/virtualmachines/write',
      'microsoft.compute/virtualmachinescalesets/write',
      'microsoft.batch/batchaccounts/pools/write',
      'microsoft.containerinstance/containergroups/write',
      'microsoft.containerservice/managedclusters/write',
      'microsoft.containerservice/managedclusters/agentpools/write',
      'microsoft.machinelearningservices/workspaces/computes/write'
    )
    and subscription_id is not null
    and resource_id is not null
    and event_at >= date_trunc('hour', $since) - interval '2 hours'
  group by
    subscription_id,
    coalesce(caller_id, caller, 'unknown'),
    coalesce(correlation_id, cast(date_trunc('hour', event_at) as varchar)),
    resource_id
  having bool_or(coalesce(status, 'succeeded') in ('accepted', 'succeeded'))
    -- Tags on an old machine are a write as well. Sparse records do not tell the two apart.
    and (bool_or(sub_status = 'created') or count(sub_status) = 0)
),
familiar as (
  select
    subscription_id,
    caller_id,
    region,
    day,
    count(*) over (partition by subscription_id order by day range between interval '42 days' preceding and interval '28 days' preceding) > 0
      as subscription_known,
    count(*) over (partition by subscription_id, caller_id order by day range between interval '42 days' preceding and interval '2 days' preceding) > 0
      as caller_known,
    count(*) over (partition by subscription_id, region order by day range between interval '42 days' preceding and interval '2 days' preceding) > 0
      as region_known,
    count(*) over (partition by subscription_id order by day range between interval '42 days' preceding and interval '22 days' preceding) > 0
      as was_there,
    coalesce(sum(writes) over (partition by subscription_id order by day range between interval '21 days' preceding and interval '2 days' preceding), 0) > 0
      as is_awake,
    max(case when writes > 0 then day end) over (partition by subscription_id order by day range between interval '42 days' preceding and interval '2 days' preceding)
      as last_write_on
  from (
    select
      subscription_id,
      coalesce(caller_id, caller, 'unknown') as caller_id,
      coalesce(resource_region, 'unknown') as region,
      day,
      max(case when operation like '%/write' then 1 else 0 end) as writes
    from activity
    where subscription_id in (select subscription_id from created)
    group by subscription_id, coalesce(caller_id, caller, 'unknown'), coalesce(resource_region, 'unknown'), day
  )
),
judged as (
  select
    created.subscription_id,
    created.caller_id,
    max(caller) as caller,
    max(caller_origin) as caller_origin,
    max(customer_tenant_id) as customer_tenant_id,
    min(first_at) as first_at,
    max(last_at) as last_at,
    bool_or(was_there and not is_awake) as woke,
    bool_or(not caller_known) as caller_new,
    max(last_write_on) as last_write_on,
    array_agg(distinct created.region order by created.region)
      filter (where created.region <> 'unknown' and subscription_known and not region_known) as new_regions,
    array_agg(distinct resource_type order by resource_type) filter (where resource_type is not null) as resource_types,
    array_agg(distinct vm_size order by vm_size) filter (where vm_size is not null) as sizes,
    max(accelerator) as accelerator,
    array_agg(distinct address order by address) filter (where address is not null) as caller_addresses,
    count(distinct resource_id) as made,
    array_slice(array_agg(distinct resource_id order by resource_id), 1, 25) as resources
  from created
  join familiar
    on familiar.subscription_id = created.subscription_id
    and familiar.caller_id = created.caller_id
    and familiar.region = created.region
    and familiar.day = cast(created.region_at as date)
  where (was_there and not is_awake)
    or (not caller_known and not region_known and subscription_known and created.region <> 'unknown')
  group by created.subscription_id, created.caller_id, date_trunc('hour', first_at)
)
select
  subscription_id,
  customer_tenant_id,
  first_at as first_observed_at,
  last_at as last_observed_at,
  resources,
  case
    when coalesce(caller_origin, '') = 'partner' then 'low'
    when caller_new and (woke or accelerator is not null) then 'medium'
    else 'low'
  end as severity,
  case when caller_new and (woke or accelerator is not null) then 'medium' else 'low' end as confidence,
  concat(
    caller, ' made ', made, case when made = 1 then ' computing resource' else ' computing resources' end,
    ' (', coalesce(array_to_string(resource_types, ', '), 'unknown type'), ').',
    case
      when woke and last_write_on is null then ' No write on the subscription is on record in the six weeks before.'
      when woke then concat(' Nothing had been written on the subscription since ', last_write_on, '.')
      else ''
    end,
    case
      when array_length(new_regions) > 0
        then concat(' The subscription had not used ', array_to_string(new_regions, ', '), ' in the six weeks before.')
      else ''
    end,
    case when caller_new then ' Nor was this caller seen here in that time.' else ' The caller is known from before.' end
  ) as description,
  caller_id,
  caller,
  caller_origin,
  caller_addresses,
  made,
  resource_types,
  sizes,
  new_regions,
  last_write_on
from judged
