-- Budgets that were deleted, silenced or raised far, and cost alerts that were deleted, one row for each
-- subscription, caller and hour.
--
-- A budget that goes is always worth a line in a list. It becomes more if the caller is new to the
-- subscription, and a page if that caller also made machines or asked for more quota.
with records as (
  select *
  from activity
  where operation in (
      'microsoft.consumption/budgets/delete',
      'microsoft.consumption/budgets/write',
      'microsoft.costmanagement/scheduledactions/delete'
    )
    and subscription_id is not null
    and resource_id is not null
),
requests as (
  -- Start, acceptance and end of one request share correlation and resource: count them once.
  select
    subscription_id,
    coalesce(caller_id, caller, 'unknown') as caller_id,
    max(coalesce(caller, caller_id, 'unknown')) as caller,
    operation,
    resource_id,
    max(caller_origin) as caller_origin,
    max(customer_tenant_id) as customer_tenant_id,
    min(event_at) as first_at,
    max(event_at) as last_at,
    max(caller_ip) as address,
    -- Sparse records have no status; a request without one is taken as done.
    bool_or(coalesce(status, 'succeeded') in ('accepted', 'succeeded')) as done,
    -- The body stands in the first record of a request, the outcome in the last.
    max(
      case when operation = 'microsoft.consumption/budgets/write' then
        -- What was asked for, as plain JSON; the reply also holds amounts that were spent.
        replace(replace(replace(replace(
          split_part(split_part(lower(properties), '"requestbody"', 2), '"responsebody"', 1),
          '\r', ''), '\n', ''), '\', ''), ' ', '')
      end
    ) as body
  from records
  -- Only of subscriptions where such a thing happened just now; their past is needed to judge it.
  where subscription_id in (select subscription_id from records where event_at >= $since)
  group by
    subscription_id,
    coalesce(caller_id, caller, 'unknown'),
    coalesce(correlation_id, cast(date_trunc('hour', event_at) as varchar)),
    operation,
    resource_id
),
amounts as (
  select
    *,
    max(amount) over (
      partition by subscription_id, resource_id
      order by first_at
      range between interval '28 days' preceding and interval '24 hours' preceding
    ) as amount_before
  from (
    select
      *,
      try_cast(regexp_match(body, '"amount":"?([0-9]+\.?[0-9]*)')[1] as double) as amount
    from requests
    where done
  )
),
named as (
  select
    *,
    case
      when operation = 'microsoft.consumption/budgets/delete' then 'budget deleted'
      when operation = 'microsoft.costmanagement/scheduledactions/delete' then 'cost alert or mailed report deleted'
      when amount >= 5 * amount_before then 'budget raised'
      when body like '%"enabled":false%' and body not like '%"enabled":true%' then 'notifications of a budget disabled'
    end as kind
  from amounts
),
acts as (
  select
    *,
    count(*) over (
      partition by subscription_id, caller_id, kind
      order by first_at
      range between interval '28 days' preceding and interval '24 hours' preceding
    ) > 0 as is_habit
  from named
),
hours as (
  select
    subscription_id,
    caller_id,
    date_trunc('hour', first_at) as hour,
    max(caller) as caller,
    max(caller_origin) as caller_origin,
    max(customer_tenant_id) as customer_tenant_id,
    min(first_at) as first_at,
    max(last_at) as last_at,
    max(address) as address,
    -- A mailed report that is deleted looks the same as a cost alert; alone it is nothing.
    max(case when kind = 'cost alert or mailed report deleted' then 0 else 3 end) as weight,
    count(*) as acts,
    array_agg(distinct kind order by kind) as what,
    array_agg(distinct operation order by operation) as operations,
    max(case when kind = 'budget raised' then amount end) as amount,
    max(case when kind = 'budget raised' then amount_before end) as amount_before,
    array_agg(distinct address order by address) filter (where address is not null) as caller_addresses,
    array_slice(array_agg(distinct resource_id order by resource_id), 1, 25) as resources
  from acts
  where kind is not null
    and not is_habit
    -- No request takes longer than a day.
    and first_at >= $since - interval '1 day'
  group by subscription_id, caller_id, date_trunc('hour', first_at)
  having max(last_at) >= $since
),
known as (
  select
    subscription_id,
    caller_id,
    hour,
    -- A week at least: a customer that came yesterday has only new callers.
    min(case when is_past then event_at end) <= hour - interval '7 days' as has_history,
    bool_or(is_past and is_caller) as knows_caller,
    count(distinct case when is_caller and not is_past and makes_cost then resource_id end) as costly_writes
  from (
    select
      hours.subscription_id,
      hours.caller_id,
      hours.hour,
      seen.event_at,
      seen.resource_id,
      seen.event_at < hours.hour - interval '24 hours' as is_past,
      coalesce(seen.caller_id, seen.caller, 'unknown') = hours.caller_id as is_caller,
      coalesce(seen.status, 'succeeded') in ('accepted', 'succeeded') and seen.operation in (
        'microsoft.batch/batchaccounts/pools/write',
        'microsoft.compute/virtualmachines/write',
        'microsoft.compute/virtualmachinescalesets/write',
        'microsoft.containerservice/managedclusters/agentpools/write',
        'microsoft.machinelearningservices/workspaces/computes/write',
        'microsoft.quota/quotas/write'
      ) as makes_cost
    from hours
    join activity as seen
      on seen.subscription_id = hours.subscription_id
      and seen.event_at >= hours.hour - interval '28 days'
      and seen.event_at < hours.hour + interval '1 hour'
  )
  group by subscription_id, caller_id, hour
),
weighed as (
  select
    hours.*,
    known.costly_writes,
    case
      when known.knows_caller then 'known'
      when known.has_history and hours.caller_id <> 'unknown' then 'not seen in the 28 days before'
      else 'no history to compare with'
    end as caller_history,
    hours.weight
      + case
          when known.knows_caller then -1
          -- A known pipeline makes machines every day; a new caller who does so beside this is after the money.
          when known.has_history and hours.caller_id <> 'unknown' then 3 + case when known.costly_writes > 0 then 2 else 0 end
          else 0
        end
      + case when hours.acts >= 3 then 1 else 0 end as points
  from hours
  left join known
    on known.subscription_id = hours.subscription_id
    and known.caller_id = hours.caller_id
    and known.hour = hours.hour
)
select
  subscription_id,
  customer_tenant_id,
  first_at as first_observed_at,
  last_at as last_observed_at,
  resources,
  case when points >= 8 then 'high' when points >= 4 then 'medium' else 'low' end as severity,
  case
    when points >= 8 then 'high'
    when caller_history = 'not seen in the 28 days before' then 'medium'
    else 'low'
  end as confidence,
  concat(
    case when caller = 'unknown' then 'A caller that the records do not name' else caller end,
    ' removed or weakened ', acts, case when acts = 1 then ' budget or cost alert' else ' budgets or cost alerts' end,
    ' within an hour: ', array_to_string(what, ', '), '.',
    case
      when amount is not null then concat(' The amount went from ', cast(round(amount_before) as bigint), ' to ', cast(round(amount) as bigint), '.')
      else ''
    end,
    case caller_history
      when 'not seen in the 28 days before' then ' This caller did nothing here in the 28 days before.'
      when 'known' then ' This caller is known here.'
      else ' The subscription has no history yet to judge the caller by.'
    end,
    case
      when costly_writes > 0 then concat(' Within a day the caller also made or changed ', costly_writes, ' machines, pools or quotas.')
      else ''
    end
  ) as description,
  caller_id,
  caller,
  caller_origin,
  caller_addresses,
  caller_history,
  what,
  acts,
  operations,
  amount_before,
  amount,
  nullif(costly_writes, 0) as costly_writes,
  points
from weighed
where points >= 2
