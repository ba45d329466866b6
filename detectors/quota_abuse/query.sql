-- Somebody reaches for more compute than the quota allows. One row for each subscription, caller and half
-- hour, from what the caller did in the hour up to its end. One of:
--
--   - more compute quota is asked for, by a caller not seen on the subscription in the 28 days before;
--   - it is asked for in three or more regions, by a caller who did not ask for quota before;
--   - five or more deployments of compute, in two or more regions, are refused for want of quota.
--
-- What is asked for counts whether or not Azure grants it: thieves are often turned down.
with requests as (
  -- Start and end of one request share correlation and resource: count them once. A deployment that is
  -- tried again on the same resource counts once as well (see `bursts`).
  select
    subscription_id,
    coalesce(caller_id, caller, 'unknown') as caller_id,
    resource_id,
    operation,
    max(coalesce(caller, caller_id, 'unknown')) as caller,
    max(caller_origin) as caller_origin,
    max(customer_tenant_id) as customer_tenant_id,
    min(event_at) as first_at,
    max(event_at) as last_at,
    max(caller_ip) as address,
    -- Quota has the region in its path, a ticket in its body (of several, the first counts), and a refusal
    -- in the body or the message. Bodies are text within text, so their quotes have backslashes.
    max(coalesce(
      resource_region,
      regexp_match(resource_id, '/locations/([a-z0-9]+)/')[1],
      replace(regexp_match(lower(properties), 'region\\*"\s*:\s*\\*"([a-z0-9 ]+)')[1], ' ', ''),
      regexp_match(lower(properties), '(?:location: |in region '')([a-z0-9]+)')[1]
    )) as region,
    coalesce(bool_or(
      (operation = 'microsoft.support/supporttickets/write' and lower(properties) like '%quotaticketdetails%')
      or (
        operation in (
          'microsoft.quota/quotas/write',
          'microsoft.capacity/resourceproviders/locations/servicelimits/write'
        )
        -- More addresses or more storage are no good for mining.
        and regexp_like(resource_id, 'microsoft\.(compute|machinelearningservices|batch|containerinstance)/')
      )
    ), false) as asked,
    coalesce(bool_or(
      operation not in (
        'microsoft.quota/quotas/write',
        'microsoft.capacity/resourceproviders/locations/servicelimits/write',
        'microsoft.support/supporttickets/write'
      )
      and status = 'failed'
      and (sub_status like '%quota%' or lower(properties) like '%quota%')
    ), false) as refused
  from activity
  where operation in (
      'microsoft.quota/quotas/write',
      'microsoft.capacity/resourceproviders/locations/servicelimits/write',
      'microsoft.support/supporttickets/write',
      'microsoft.compute/virtualmachines/write',
      'microsoft.compute/virtualmachinescalesets/write',
      'microsoft.batch/batchaccounts/pools/write',
      'microsoft.containerinstance/containergroups/write',
      'microsoft.machinelearningservices/workspaces/computes/write',
      'microsoft.resources/deployments/write'
    )
    -- A burst reaches back an hour; its requests may take longer.
    and event_at >= $since - interval '1 day'
    and subscription_id is not null
    and resource_id is not null
  group by
    subscription_id,
    coalesce(caller_id, caller, 'unknown'),
    coalesce(correlation_id, cast(date_trunc('hour', event_at) as varchar)),
    resource_id,
    operation
),
bursts as (
  -- A request counts in its own half hour and in the one after it, if the caller goes on in that.
  select
    subscription_id,
    caller_id,
    date_bin(interval '30 minutes', first_at) + later.by as burst_start,
    max(caller) as caller,
    max(caller_origin) as caller_origin,
    max(customer_tenant_id) as customer_tenant_id,
    min(first_at) as first_at,
    max(last_at) as last_at,
    count(distinct case when asked then resource_id end) as asked,
    count(distinct case when asked then region end) as asked_region_count,
    count(distinct case when refused then resource_id end) as refused,
    count(distinct case when refused then region end) as refused_region_count,
    array_agg(distinct region order by region) filter (where asked and region is not null) as asked_regions,
    array_agg(distinct region order by region) filter (where refused and region is not null) as refused_regions,
    array_agg(distinct operation order by operation) as operations,
    array_agg(distinct address order by address) filter (where address is not null) as caller_addresses,
    array_slice(array_agg(distinct resource_id order by resource_id), 1, 25) as resources
  from requests
  cross join (values (interval '0 minutes'), (interval '30 minutes')) as later (by)
  where asked
    or refused
  group by subscription_id, caller_id, date_bin(interval '30 minutes', first_at) + later.by
  having max(date_bin(interval '30 minutes', first_at)) = date_bin(interval '30 minutes', first_at) + later.by
    and max(last_at) >= $since
    and (bool_or(asked) or count(distinct resource_id) >= 5)
),
past as (
  -- With less than a week of records, "never seen" means nothing.
  select
    bursts.subscription_id,
    bursts.caller_id,
    bursts.burst_start,
    min(activity.event_at) < bursts.burst_start - interval '7 days' as subscription_known,
    bool_or(coalesce(activity.caller_id, activity.caller, 'unknown') = bursts.caller_id) as caller_known,
    bool_or(
      coalesce(activity.caller_id, activity.caller, 'unknown') = bursts.caller_id
      and activity.operation in (
        'microsoft.quota/quotas/write',
        'microsoft.capacity/resourceproviders/locations/servicelimits/write'
      )
    ) as asks_usually
  from bursts
  join activity
    on activity.subscription_id = bursts.subscription_id
    and activity.event_at >= bursts.burst_start - interval '28 days'
    and activity.event_at < bursts.burst_start - interval '24 hours'
  group by bursts.subscription_id, bursts.caller_id, bursts.burst_start
),
judged as (
  select
    bursts.*,
    coalesce(past.subscription_known and not past.caller_known, false) as is_new,
    coalesce(bursts.caller_origin, '') = 'partner' as is_partner,
    bursts.asked_region_count >= 3 and not coalesce(past.asks_usually, false) as asks_widely,
    bursts.refused >= 5 and bursts.refused_region_count >= 2 as refused_widely
  from bursts
  left join past
    on past.subscription_id = bursts.subscription_id
    and past.caller_id = bursts.caller_id
    and past.burst_start = bursts.burst_start
)
select
  subscription_id,
  customer_tenant_id,
  first_at as first_observed_at,
  last_at as last_observed_at,
  resources,
  -- The partner's own people ask for quota on behalf of customers, on some for the first time.
  case
    when is_new and (refused_widely or (asks_widely and not is_partner)) then 'high'
    when is_new and (asks_widely or not is_partner) then 'medium'
    when refused_widely and (asked > 0 or refused_region_count >= 3) then 'medium'
    else 'low'
  end as severity,
  case
    when is_new and refused_widely and asked > 0 then 'high'
    when is_new and (refused_widely or asks_widely or not is_partner) then 'medium'
    else 'low'
  end as confidence,
  concat(
    caller,
    case
      when asked > 0 then concat(
        ' asked for more quota of compute ', asked, case when asked = 1 then ' time' else ' times' end,
        case when asked_region_count > 0 then concat(' in ', array_to_string(asked_regions, ', ')) else '' end
      )
      else ''
    end,
    case when asked > 0 and refused > 0 then ' and' else '' end,
    case
      when refused > 0 then concat(
        ' was refused ', refused, ' deployments for want of quota',
        case when refused_region_count > 0 then concat(' in ', array_to_string(refused_regions, ', ')) else '' end
      )
      else ''
    end,
    ' within an hour.',
    case when is_new then ' This caller was not seen on the subscription in the 28 days before.' else '' end
  ) as description,
  caller_id,
  caller,
  caller_origin,
  caller_addresses,
  operations,
  asked as quota_requests,
  asked_regions as quota_request_regions,
  refused as quota_failures,
  refused_regions as quota_failure_regions,
  3 as quota_request_regions_threshold,
  5 as quota_failures_threshold
from judged
where refused_widely
  or asks_widely
  or (is_new and asked > 0)
