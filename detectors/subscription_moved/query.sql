-- Subscriptions that change hands, one row for each subscription, caller and hour.
--
-- Moves, requests to move and billing taken over are rare and grave: one is enough. That the caller was
-- not seen here from 28 to 2 days before makes it surer. Cancelled and reactivated subscriptions are
-- told as well, renamed ones only if the caller is new, since names change for many good reasons.
with acts as (
  select
    subscription_id,
    caller_id,
    max(caller) as caller,
    max(customer_tenant_id) as customer_tenant_id,
    max(caller_origin) as caller_origin,
    date_trunc('hour', min(first_at)) as hour,
    min(first_at) as first_at,
    max(last_at) as last_at,
    max(rank) as rank,
    array_agg(distinct act order by act) as acts,
    array_agg(distinct address order by address) filter (where address is not null) as caller_addresses,
    max(destination) as destination_tenant
  from (
    select
      -- Accepting happens at the tenant; the subscription is then a name within the path.
      coalesce(subscription_id, nullif(split_part(split_part(resource_id, '/subscriptions/', 2), '/', 1), '')) as subscription_id,
      coalesce(caller_id, caller, 'unknown') as caller_id,
      max(coalesce(caller, caller_id, 'unknown')) as caller,
      max(customer_tenant_id) as customer_tenant_id,
      max(caller_origin) as caller_origin,
      max(caller_ip) as address,
      min(event_at) as first_at,
      max(event_at) as last_at,
      case operation
        when 'microsoft.subscription/updatetenant/action' then 'moved to another directory'
        when 'microsoft.subscription/subscriptions/acceptchangetenant/action' then 'move to another directory accepted'
        when 'microsoft.subscription/subscriptions/acceptownership/action' then 'billing ownership taken over'
        when 'microsoft.subscription/changetenantrequest/write' then 'move to another directory asked for'
        when 'microsoft.subscription/cancel/action' then 'cancelled'
        when 'microsoft.subscription/enable/action' then 'reactivated'
        when 'microsoft.subscription/rename/action' then 'renamed'
      end as act,
      case operation
        when 'microsoft.subscription/rename/action' then 0
        when 'microsoft.subscription/enable/action' then 1
        when 'microsoft.subscription/cancel/action' then 1
        when 'microsoft.subscription/changetenantrequest/write' then 2
        else 3
      end as rank,
      max((regexp_match(lower(properties), 'moved from tenant [0-9a-f-]{36} to tenant ([0-9a-f-]{36})'))[1]) as destination
    from activity
    where operation in (
        'microsoft.subscription/updatetenant/action',
        'microsoft.subscription/subscriptions/acceptchangetenant/action',
        'microsoft.subscription/subscriptions/acceptownership/action',
        'microsoft.subscription/changetenantrequest/write',
        'microsoft.subscription/cancel/action',
        'microsoft.subscription/enable/action',
        'microsoft.subscription/rename/action'
      )
      and event_at >= date_trunc('hour', $since) - interval '2 hours'
    group by
      coalesce(subscription_id, nullif(split_part(split_part(resource_id, '/subscriptions/', 2), '/', 1), '')),
      coalesce(caller_id, caller, 'unknown'),
      coalesce(correlation_id, cast(date_trunc('hour', event_at) as varchar)),
      operation
    -- Records of the category Security may have a status of their own; what began or failed does not count.
    having bool_or(coalesce(status, 'succeeded') not in ('started', 'failed'))
  )
  where subscription_id is not null
  group by subscription_id, caller_id, date_trunc('hour', first_at)
),
familiar as (
  select
    subscription_id,
    caller_id,
    day,
    count(*) over (
      partition by subscription_id
      order by day
      range between interval '28 days' preceding and interval '7 days' preceding
    ) > 0 as subscription_known,
    count(*) over (
      partition by subscription_id, caller_id
      order by day
      range between interval '28 days' preceding and interval '2 days' preceding
    ) > 0 as caller_known
  from (
    select distinct subscription_id, coalesce(caller_id, caller, 'unknown') as caller_id, day
    from activity
    where subscription_id in (select subscription_id from acts)
  )
),
judged as (
  select
    acts.*,
    -- An act at the tenant leaves no record on the subscription: then nothing is known of the caller.
    coalesce(subscription_known and not caller_known, false) as caller_new,
    coalesce(caller_known, false) as caller_known
  from acts
  left join familiar
    on familiar.subscription_id = acts.subscription_id
    and familiar.caller_id = acts.caller_id
    and familiar.day = cast(acts.first_at as date)
)
select
  subscription_id,
  customer_tenant_id,
  first_at as first_observed_at,
  last_at as last_observed_at,
  case
    when rank = 3 or (rank = 2 and caller_new) then 'high'
    when rank = 2 or (rank = 1 and caller_new) then 'medium'
    else 'low'
  end as severity,
  case
    when rank = 3 and caller_new then 'high'
    when rank >= 2 then 'medium'
    else 'low'
  end as confidence,
  concat(
    'The subscription was changed by ', caller, ': ', array_to_string(acts, ', '),
    case when destination_tenant is not null then concat(' (', destination_tenant, ')') else '' end, '.',
    case
      when caller_new then ' The caller was not seen here in the four weeks before.'
      when caller_known then ' The caller is known here.'
      else ''
    end
  ) as description,
  caller_id,
  caller,
  caller_origin,
  caller_addresses,
  acts,
  destination_tenant
from judged
where rank >= 1 or caller_new
