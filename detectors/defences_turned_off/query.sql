-- Logging and protection that were removed, one row for each subscription, caller and hour.
--
-- What was removed has a weight (see `named`). The weight rises for a caller that the subscription has not
-- seen in four weeks, for several kinds at once and for many removals, and falls for a known caller. What
-- the caller also removed in the four weeks before, or what goes with its resource group, does not count.
--
-- Logging that moves elsewhere is removed and written anew in one sitting: if the caller writes another
-- export of the activity log up to three hours before or two hours after, the end of the old one weighs
-- no more than that of a single resource's logs. A known caller at a known address has those two hours to
-- do so before anything is told.
with records as (
  select *
  from activity
  where operation in (
      'microsoft.authorization/locks/delete',
      'microsoft.authorization/policyassignments/delete',
      'microsoft.authorization/policyexemptions/write',
      'microsoft.eventhub/namespaces/delete',
      'microsoft.eventhub/namespaces/eventhubs/delete',
      'microsoft.insights/actiongroups/delete',
      'microsoft.insights/activitylogalerts/delete',
      'microsoft.insights/alertrules/delete',
      'microsoft.insights/diagnosticsettings/delete',
      'microsoft.insights/diagnosticsettings/write',
      'microsoft.insights/metricalerts/delete',
      'microsoft.insights/scheduledqueryrules/delete',
      'microsoft.network/azurefirewalls/delete',
      'microsoft.network/firewallpolicies/delete',
      'microsoft.network/networksecuritygroups/delete',
      'microsoft.network/networkwatchers/delete',
      'microsoft.network/networkwatchers/flowlogs/delete',
      'microsoft.operationalinsights/workspaces/delete',
      'microsoft.resources/subscriptions/resourcegroups/delete',
      'microsoft.security/alertssuppressionrules/write',
      'microsoft.security/pricings/write'
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
    -- Sparse records have no status; a removal without one is taken as done.
    bool_or(coalesce(status, 'succeeded') in ('accepted', 'succeeded')) as done,
    -- The body stands in the first record of a request, the outcome in the last.
    bool_or(
      case
        when operation = 'microsoft.security/pricings/write'
          then coalesce(regexp_like(lower(properties), 'pricingtier[\\": ]+free'), false)
        else true
      end
    ) as harmful
  from records
  -- Only of subscriptions where such a thing happened just now; their past is needed to judge it.
  where subscription_id in (select subscription_id from records where event_at >= $since - interval '2 hours')
  group by
    subscription_id,
    coalesce(caller_id, caller, 'unknown'),
    coalesce(correlation_id, cast(date_trunc('hour', event_at) as varchar)),
    operation,
    resource_id
),
named as (
  select
    *,
    split_part(resource_id, '/', 5) as resource_group,
    case
      when operation = 'microsoft.insights/diagnosticsettings/write' then null
      when operation = 'microsoft.insights/diagnosticsettings/delete' then
        case
          -- Of the subscription itself: no resource group, no resource before the setting.
          when split_part(resource_id, '/', 5) = 'microsoft.insights' then 'export of the activity log'
          else 'diagnostic settings of a resource'
        end
      when operation = 'microsoft.security/pricings/write' then 'Defender plan set to free'
      when operation = 'microsoft.security/alertssuppressionrules/write' then 'Defender alerts suppressed'
      when operation = 'microsoft.network/networkwatchers/flowlogs/delete' then 'flow log'
      when operation = 'microsoft.network/networkwatchers/delete' then 'network watcher'
      when operation = 'microsoft.operationalinsights/workspaces/delete' then 'log workspace'
      when operation like 'microsoft.eventhub/%' then 'event hub for logs'
      when operation in ('microsoft.network/firewallpolicies/delete', 'microsoft.network/azurefirewalls/delete')
        then 'firewall or its policy'
      when operation = 'microsoft.network/networksecuritygroups/delete' then 'network security group'
      when operation = 'microsoft.insights/actiongroups/delete' then 'action group'
      when operation like 'microsoft.insights/%' then 'alert rule'
      when operation = 'microsoft.authorization/locks/delete' then 'resource lock'
      when operation = 'microsoft.authorization/policyassignments/delete' then 'policy assignment'
      when operation = 'microsoft.authorization/policyexemptions/write' then 'policy exemption'
    end as kind
  from requests
  where done
    and harmful
    -- Of event hubs only those whose name says that they receive logs, such as `insights-activity-logs`.
    and (
      operation not like 'microsoft.eventhub/%'
      or regexp_like(
        split_part(resource_id, '/namespaces/', 2),
        'insights-|(^|[^a-z])(logs?|logging|audit|siem|security|sentinel|splunk|diagnostics?)([^a-z]|$)'
      )
    )
),
moved as (
  select
    *,
    -- Of the subscription itself: no resource group, no resource before the setting.
    kind = 'export of the activity log'
      and count(case when operation = 'microsoft.insights/diagnosticsettings/write' and resource_group = 'microsoft.insights' then 1 end)
        over (
          partition by subscription_id, caller_id
          order by first_at
          range between interval '3 hours' preceding and interval '2 hours' following
        ) > 0 as is_moved
  from named
),
removals as (
  select
    *,
    date_trunc('hour', first_at) as hour,
    case
      when kind = 'export of the activity log' and not is_moved then 5
      when kind = 'Defender plan set to free' then 3
      when kind in ('network security group', 'action group', 'resource lock', 'policy assignment', 'policy exemption')
        then 0
      else 2
    end as weight,
    count(*) over (
      partition by subscription_id, caller_id, kind
      order by first_at
      range between interval '28 days' preceding and interval '24 hours' preceding
    ) > 0 as is_habit,
    -- What is in a group that is being deleted goes with it. Where logs are kept, it counts all the same.
    max(case when operation = 'microsoft.resources/subscriptions/resourcegroups/delete' then first_at end) over (
      partition by subscription_id, resource_group
      order by first_at
      range between interval '3 hours' preceding and current row
    ) is not null
      and kind not in ('export of the activity log', 'log workspace', 'event hub for logs') as goes_with_group
  from moved
),
hours as (
  select
    subscription_id,
    caller_id,
    hour,
    max(caller) as caller,
    max(caller_origin) as caller_origin,
    max(customer_tenant_id) as customer_tenant_id,
    min(first_at) as first_at,
    max(last_at) as last_at,
    max(address) as address,
    max(first_at) + interval '2 hours' as settled_at,
    max(weight) as weight,
    count(*) as removals,
    count(distinct kind) as kinds,
    array_agg(distinct kind order by kind) as removed,
    array_agg(distinct operation order by operation) as operations,
    array_agg(distinct address order by address) filter (where address is not null) as caller_addresses,
    array_slice(array_agg(distinct resource_id order by resource_id), 1, 25) as resources
  from removals
  where kind is not null
    and not is_habit
    and not goes_with_group
    -- No request takes longer than a day.
    and hour >= $since - interval '1 day'
  group by subscription_id, caller_id, hour
  having greatest(max(last_at), max(first_at) + interval '2 hours') >= $since
),
known as (
  select
    hours.subscription_id,
    hours.caller_id,
    hours.hour,
    -- Two weeks at least, as far as Microsoft's own rules for rare operations look back: before, whoever comes
    -- once a month is new.
    min(past.event_at) <= hours.hour - interval '14 days' as has_history,
    bool_or(coalesce(past.caller_id, past.caller) = hours.caller_id) as knows_caller,
    bool_or(coalesce(past.caller_id, past.caller) = hours.caller_id and past.caller_ip = hours.address) as knows_address,
    count(distinct case when coalesce(past.caller_id, past.caller) = hours.caller_id then past.caller_ip end)
      as usual_addresses
  from hours
  join activity as past
    on past.subscription_id = hours.subscription_id
    and past.event_at >= hours.hour - interval '28 days'
    and past.event_at < hours.hour - interval '24 hours'
  where past.event_at < $until
  group by hours.subscription_id, hours.caller_id, hours.hour
),
judged as (
  select
    hours.*,
    case
      -- Who comes from everywhere has no usual address.
      when known.knows_caller and not known.knows_address and known.usual_addresses between 1 and 3
        and hours.address is not null then 'known, but not from this address'
      when known.knows_caller then 'known'
      when known.has_history and hours.caller_id <> 'unknown' then 'not seen in the 28 days before'
      else 'no history to compare with'
    end as caller_history
  from hours
  left join known
    on known.subscription_id = hours.subscription_id
    and known.caller_id = hours.caller_id
    and known.hour = hours.hour
),
weighed as (
  select
    *,
    case when caller_history = 'known' then greatest(last_at, settled_at) else last_at end as told_at,
    weight
      + case caller_history when 'not seen in the 28 days before' then 3 when 'known' then -1 else 0 end
      + case when kinds >= 3 then 2 when kinds = 2 then 1 else 0 end
      -- On a new subscription many at once are no sign: much is made and thrown away.
      + case when removals >= 5 and caller_history <> 'no history to compare with' then 1 else 0 end as points
  from judged
)
select
  subscription_id,
  customer_tenant_id,
  first_at as first_observed_at,
  told_at as last_observed_at,
  resources,
  case when points >= 7 then 'high' when points >= 4 then 'medium' else 'low' end as severity,
  case
    when points >= 7 then 'high'
    -- A single alert rule is changed by people at home, too.
    when points >= 4 and caller_history in ('not seen in the 28 days before', 'known, but not from this address')
      then 'medium'
    else 'low'
  end as confidence,
  concat(
    case when caller = 'unknown' then 'A caller that the records do not name' else caller end,
    ' removed ', removals, case when removals = 1 then ' safeguard' else ' safeguards' end,
    ' within an hour: ', array_to_string(removed, ', '), '. The caller is ',
    case caller_history
      when 'no history to compare with' then 'not to be judged, since the subscription has no history yet'
      when 'not seen in the 28 days before' then 'new: it did nothing here in the 28 days before'
      else concat(caller_history, ', and removed nothing of the kind in the 28 days before')
    end,
    '.'
  ) as description,
  caller_id,
  caller,
  caller_origin,
  caller_addresses,
  caller_history,
  removed,
  removals,
  operations,
  points
from weighed
where points >= 2
  and told_at >= $since
  and told_at < $until
