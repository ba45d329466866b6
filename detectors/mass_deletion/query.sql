-- Many resources or resource groups deleted within an hour by one caller, one row for each subscription,
-- caller and hour.
--
-- Only kinds of resource whose loss hurts are counted, not what machines, pipelines and services make and
-- drop all day. The hour is held against the worst hour of any caller of the subscription in the 28 days
-- before, without the last 24 hours, so that an attack does not become its own history.
with records as (
  select *
  from activity
  where operation in (
      'microsoft.resources/subscriptions/resourcegroups/delete',
      'microsoft.app/containerapps/delete',
      'microsoft.automation/automationaccounts/delete',
      'microsoft.cache/redis/delete',
      'microsoft.cognitiveservices/accounts/delete',
      'microsoft.compute/disks/delete',
      'microsoft.compute/virtualmachines/delete',
      'microsoft.compute/virtualmachinescalesets/delete',
      'microsoft.containerregistry/registries/delete',
      'microsoft.containerservice/managedclusters/delete',
      'microsoft.datafactory/factories/delete',
      'microsoft.dbformysql/flexibleservers/delete',
      'microsoft.dbforpostgresql/flexibleservers/delete',
      'microsoft.documentdb/databaseaccounts/delete',
      'microsoft.eventhub/namespaces/delete',
      'microsoft.keyvault/vaults/delete',
      'microsoft.logic/workflows/delete',
      'microsoft.machinelearningservices/workspaces/delete',
      'microsoft.network/applicationgateways/delete',
      'microsoft.network/dnszones/delete',
      'microsoft.network/virtualnetworkgateways/delete',
      'microsoft.network/virtualnetworks/delete',
      'microsoft.operationalinsights/workspaces/delete',
      'microsoft.recoveryservices/vaults/delete',
      'microsoft.search/searchservices/delete',
      'microsoft.servicebus/namespaces/delete',
      'microsoft.sql/managedinstances/delete',
      'microsoft.sql/servers/databases/delete',
      'microsoft.sql/servers/delete',
      'microsoft.storage/storageaccounts/delete',
      'microsoft.synapse/workspaces/delete',
      'microsoft.web/serverfarms/delete',
      'microsoft.web/sites/delete'
    )
    and subscription_id is not null
    and resource_id is not null
),
deletions as (
  -- One resource is deleted once, however many records tell of it.
  select
    subscription_id,
    coalesce(caller_id, caller, 'unknown') as caller_id,
    resource_id,
    max(operation) as operation,
    max(coalesce(caller, caller_id, 'unknown')) as caller,
    max(caller_origin) as caller_origin,
    max(customer_tenant_id) as customer_tenant_id,
    min(event_at) as first_at,
    max(event_at) as last_at,
    max(caller_ip) as address,
    -- Sparse records have no status; a deletion without one is taken as done.
    bool_or(coalesce(status, 'succeeded') in ('accepted', 'succeeded')) as done
  from records
  -- Only of subscriptions where several such records came just now; their past is needed to judge them.
  where subscription_id in (
      select subscription_id
      from records
      where event_at >= $since - interval '1 day'
      group by subscription_id
      having count(*) >= 3
    )
  group by
    subscription_id,
    coalesce(caller_id, caller, 'unknown'),
    coalesce(correlation_id, cast(date_trunc('hour', event_at) as varchar)),
    resource_id
),
requests_in_hour as (
  -- A resource counts once in an hour, however often its deletion is asked for.
  select
    subscription_id,
    caller_id,
    date_trunc('hour', first_at) as hour,
    resource_id,
    max(operation) as operation,
    max(caller) as caller,
    max(caller_origin) as caller_origin,
    max(customer_tenant_id) as customer_tenant_id,
    min(first_at) as first_at,
    max(last_at) as last_at,
    max(address) as address,
    bool_or(done) as done
  from deletions
  group by subscription_id, caller_id, date_trunc('hour', first_at), resource_id
),
compared as (
  select
    *,
    coalesce(max(deleted) over past, 0) as usual_deleted,
    coalesce(max(deleted_groups) over past, 0) as usual_deleted_groups
  from (
    select
      *,
      sum(case when done then 1 else 0 end) over together as deleted,
      sum(case when done and operation like '%/resourcegroups/delete' then 1 else 0 end) over together as deleted_groups
    from requests_in_hour
    window together as (partition by subscription_id, caller_id, hour)
  )
  window past as (
    partition by subscription_id
    order by hour
    range between interval '28 days' preceding and interval '24 hours' preceding
  )
),
bursts as (
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
    max(deleted) as deleted,
    max(deleted_groups) as deleted_groups,
    max(usual_deleted) as usual_deleted,
    max(usual_deleted_groups) as usual_deleted_groups,
    greatest(10, 3 * max(usual_deleted)) as threshold,
    greatest(3, 3 * max(usual_deleted_groups)) as threshold_groups,
    -- Of the path, which a deleted group and what was in it have in common.
    count(distinct case when done then split_part(resource_id, '/', 5) end) as groups_touched,
    sum(case when done then 0 else 1 end) as not_done,
    array_agg(distinct operation order by operation) filter (where done) as operations,
    array_agg(distinct address order by address) filter (where address is not null) as caller_addresses,
    array_slice(array_agg(resource_id order by resource_id) filter (where done), 1, 25) as resources
  from compared
  where deleted >= greatest(10, 3 * usual_deleted)
    or deleted_groups >= greatest(3, 3 * usual_deleted_groups)
  group by subscription_id, caller_id, hour
  having max(last_at) >= $since
),
known as (
  select
    bursts.subscription_id,
    bursts.caller_id,
    bursts.hour,
    -- Two weeks at least, as far as Microsoft's own rules for rare operations look back: before, whoever comes
    -- once a month is new.
    min(past.event_at) <= bursts.hour - interval '14 days' as has_history,
    bool_or(coalesce(past.caller_id, past.caller) = bursts.caller_id) as knows_caller,
    bool_or(coalesce(past.caller_id, past.caller) = bursts.caller_id and past.caller_ip = bursts.address) as knows_address,
    count(distinct case when coalesce(past.caller_id, past.caller) = bursts.caller_id then past.caller_ip end)
      as usual_addresses
  from bursts
  join activity as past
    on past.subscription_id = bursts.subscription_id
    and past.event_at >= bursts.hour - interval '28 days'
    and past.event_at < bursts.hour - interval '24 hours'
  where past.event_at < $until
  group by bursts.subscription_id, bursts.caller_id, bursts.hour
),
judged as (
  select
    bursts.*,
    case
      -- Who comes from everywhere has no usual address.
      when known.knows_caller and not known.knows_address and known.usual_addresses between 1 and 3
        and bursts.address is not null then 'known, but not from this address'
      when known.knows_caller then 'known'
      when known.has_history and bursts.caller_id <> 'unknown' then 'not seen in the 28 days before'
      else 'no history to compare with'
    end as caller_history
  from bursts
  left join known
    on known.subscription_id = bursts.subscription_id
    and known.caller_id = bursts.caller_id
    and known.hour = bursts.hour
),
weighed as (
  select
    *,
    case caller_history
      -- Nobody's first act should be to delete.
      when 'not seen in the 28 days before' then case when deleted >= 20 or groups_touched >= 3 then 3 else 2 end
      when 'known, but not from this address' then
        case when groups_touched < 3 then 0 when deleted >= 30 then 3 else 2 end
      -- One environment that is torn down is daily work, however much was in it; several at once are not.
      when 'known' then case when groups_touched < 3 then 0 when deleted >= 30 then 2 else 1 end
      -- Without a past there is nothing to say what is usual: only a great many are worth a line.
      else case when deleted >= 30 and groups_touched >= 3 then 1 else 0 end
    end as rank
  from judged
)
select
  subscription_id,
  customer_tenant_id,
  first_at as first_observed_at,
  last_at as last_observed_at,
  resources,
  case rank when 3 then 'high' when 2 then 'medium' else 'low' end as severity,
  case
    when rank = 3 then 'high'
    when caller_history in ('not seen in the 28 days before', 'known, but not from this address') then 'medium'
    else 'low'
  end as confidence,
  concat(
    case when caller = 'unknown' then 'A caller that the records do not name' else caller end,
    ' deleted ', deleted, ' resources in ', groups_touched, ' resource groups within an hour',
    case when deleted_groups > 0 then concat(', ', deleted_groups, ' of them whole groups') else '' end,
    '. The most that one caller deleted here in an hour of the 28 days before was ', usual_deleted, '.',
    case caller_history
      when 'not seen in the 28 days before' then ' This caller did nothing here in the 28 days before.'
      when 'no history to compare with' then ' The subscription has no history yet.'
      else concat(' This caller is ', caller_history, '.')
    end
  ) as description,
  caller_id,
  caller,
  caller_origin,
  caller_addresses,
  caller_history,
  deleted,
  deleted_groups,
  groups_touched,
  operations,
  nullif(not_done, 0) as not_done,
  usual_deleted,
  usual_deleted_groups,
  threshold,
  threshold_groups
from weighed
where rank >= 1
