-- Callers who do sensitive things of several kinds that are not their work, one row for each
-- subscription, caller and hour.
--
-- An hour is judged with the five hours before it. A caller that was not seen here from 28 to 2 days
-- before needs four kinds. Of any other, what it did from 28 days to 24 hours before is known: it needs
-- five new operations of three kinds, and a set that shares little with the known one, as the Jaccard
-- distance has it. Building something new is many kinds as well; so at least one must be of those that
-- building does not need. A new caller at an address that others used here a week ago and earlier is likelier a
-- new colleague, whose first days are many kinds as well: four of them are a sign. Where nothing was seen two weeks ago and earlier, nothing is said.
with acts as (
  select
    subscription_id,
    coalesce(caller_id, caller, 'unknown') as caller_id,
    coalesce(caller, caller_id, 'unknown') as caller,
    caller_origin,
    customer_tenant_id,
    caller_ip,
    operation,
    resource_id,
    event_at,
    case
      when operation = 'microsoft.resources/subscriptions/resourcegroups/write' then 'container'
      when operation like 'microsoft.insights/%/delete'
        or operation like 'microsoft.authorization/%/delete'
        or operation like 'microsoft.security/%'
        or operation like 'microsoft.network/%watchers%/delete'
        or operation like 'microsoft.network/%firewall%/delete' then 'protection off'
      when operation like '%/delete' or operation like '%/purge/action' then 'deletion'
      when operation like '%runcommand%' or operation like 'microsoft.serialconsole/%' then 'commands'
      when operation like 'microsoft.authorization/%'
        or operation like 'microsoft.managedservices/%'
        or operation like '%/federatedidentitycredentials/write'
        or operation like '%/accesspolicies/write' then 'access'
      when operation like 'microsoft.automation/%' then 'automation'
      when operation like 'microsoft.network/%' or operation like '%/firewallrules/write' then 'network'
      when operation like '%/write' then 'computing'
      else 'keys'
    end as kind
  from activity
  where operation in (
      'microsoft.authorization/locks/delete',
      'microsoft.authorization/policyassignments/delete',
      'microsoft.authorization/roleassignments/write',
      'microsoft.authorization/roledefinitions/write',
      'microsoft.automation/automationaccounts/runbooks/publish/action',
      'microsoft.automation/automationaccounts/runbooks/write',
      'microsoft.automation/automationaccounts/webhooks/write',
      'microsoft.automation/automationaccounts/write',
      'microsoft.batch/batchaccounts/listkeys/action',
      'microsoft.batch/batchaccounts/pools/write',
      'microsoft.cognitiveservices/accounts/listkeys/action',
      'microsoft.compute/disks/begingetaccess/action',
      'microsoft.compute/disks/delete',
      'microsoft.compute/restorepointcollections/delete',
      'microsoft.compute/snapshots/begingetaccess/action',
      'microsoft.compute/snapshots/delete',
      'microsoft.compute/virtualmachines/delete',
      'microsoft.compute/virtualmachines/runcommand/action',
      'microsoft.compute/virtualmachines/runcommands/write',
      'microsoft.compute/virtualmachines/write',
      'microsoft.compute/virtualmachinescalesets/virtualmachines/runcommand/action',
      'microsoft.compute/virtualmachinescalesets/write',
      'microsoft.containerinstance/containergroups/write',
      'microsoft.containerregistry/registries/listcredentials/action',
      'microsoft.containerservice/managedclusters/listclusteradmincredential/action',
      'microsoft.containerservice/managedclusters/runcommand/action',
      'microsoft.documentdb/databaseaccounts/listkeys/action',
      'microsoft.eventhub/namespaces/authorizationrules/listkeys/action',
      'microsoft.eventhub/namespaces/eventhubs/delete',
      'microsoft.insights/activitylogalerts/delete',
      'microsoft.insights/alertrules/delete',
      'microsoft.insights/diagnosticsettings/delete',
      'microsoft.insights/metricalerts/delete',
      'microsoft.keyvault/locations/deletedvaults/purge/action',
      'microsoft.keyvault/vaults/accesspolicies/write',
      'microsoft.keyvault/vaults/delete',
      'microsoft.keyvault/vaults/keys/purge/action',
      'microsoft.keyvault/vaults/secrets/getsecret/action',
      'microsoft.machinelearningservices/workspaces/computes/write',
      'microsoft.managedidentity/userassignedidentities/federatedidentitycredentials/write',
      'microsoft.managedservices/registrationassignments/write',
      'microsoft.network/azurefirewalls/delete',
      'microsoft.network/bastionhosts/createshareablelinks/action',
      'microsoft.network/firewallpolicies/delete',
      'microsoft.network/networksecuritygroups/delete',
      'microsoft.network/networksecuritygroups/securityrules/write',
      'microsoft.network/networksecuritygroups/write',
      'microsoft.network/networkwatchers/delete',
      'microsoft.network/virtualnetworks/virtualnetworkpeerings/write',
      'microsoft.recoveryservices/vaults/backupfabrics/protectioncontainers/delete',
      'microsoft.recoveryservices/vaults/backupfabrics/protectioncontainers/protecteditems/delete',
      'microsoft.recoveryservices/vaults/delete',
      'microsoft.resources/subscriptions/resourcegroups/delete',
      'microsoft.resources/subscriptions/resourcegroups/write',
      'microsoft.security/alertssuppressionrules/write',
      'microsoft.serialconsole/serialports/connect/action',
      'microsoft.servicebus/namespaces/authorizationrules/listkeys/action',
      'microsoft.sql/servers/delete',
      'microsoft.sql/servers/firewallrules/write',
      'microsoft.storage/storageaccounts/delete',
      'microsoft.storage/storageaccounts/listaccountsas/action',
      'microsoft.storage/storageaccounts/listkeys/action',
      'microsoft.web/sites/config/list/action',
      'microsoft.web/sites/host/listkeys/action',
      'microsoft.web/sites/publishxml/action'
    )
    and subscription_id is not null
    -- Sparse records have no status; they count as done.
    and coalesce(status, 'succeeded') in ('accepted', 'succeeded')
),
operations as (
  -- The distinct operations of each six hours.
  select
    subscription_id,
    caller_id,
    date_trunc('hour', event_at) + back.gap as hour,
    operation,
    kind,
    min(event_at) as first_at,
    max(event_at) as last_at,
    bool_or(back.gap = interval '0 hours') as is_own
  from (
    select
      *,
      -- Who throws away what it made a day ago was trying something out.
      kind = 'deletion' and count(case when operation like '%/write' then 1 end) over (
        partition by subscription_id, caller_id, resource_id
        order by event_at
        range between interval '24 hours' preceding and current row
      ) > 0 as is_own_waste
    from acts
    -- Only who did something now can have a burst that ends now.
    left semi join (
      select distinct subscription_id, caller_id
      from acts
      where event_at >= $since
    ) as now
      on now.subscription_id = acts.subscription_id
      and now.caller_id = acts.caller_id
    where event_at >= date_trunc('hour', $since) - interval '30 hours'
  )
  cross join (
    values (interval '0 hours'), (interval '1 hour'), (interval '2 hours'), (interval '3 hours'), (interval '4 hours'), (interval '5 hours')
  ) as back (gap)
  where kind <> 'container'
    and not is_own_waste
  group by subscription_id, caller_id, date_trunc('hour', event_at) + back.gap, operation, kind
),
busy as (
  -- Few callers do four sensitive things in six hours; only theirs is compared.
  select subscription_id, caller_id, hour, operation, kind, burst_first_at, burst_last_at
  from (
    select
      *,
      count(*) over six_hours as operation_count,
      min(first_at) over six_hours as burst_first_at,
      max(last_at) over six_hours as burst_last_at,
      bool_or(is_own) over six_hours as has_own
    from operations
    window six_hours as (partition by subscription_id, caller_id, hour)
  )
  where operation_count >= 4
    and has_own
    and burst_last_at >= $since
),
compared as (
  select
    busy.subscription_id,
    busy.caller_id,
    busy.hour,
    burst_first_at,
    burst_last_at,
    busy.operation,
    busy.kind,
    coalesce(bool_or(past.operation = busy.operation), false) as is_known,
    count(distinct past.operation) as known_operations
  from busy
  left join (
    select distinct subscription_id, caller_id, operation, date_trunc('hour', event_at) as hour
    from acts
    where kind <> 'container'
  ) as past
    on past.subscription_id = busy.subscription_id
    and past.caller_id = busy.caller_id
    and past.hour >= busy.hour - interval '28 days'
    and past.hour <= busy.hour - interval '24 hours'
  group by busy.subscription_id, busy.caller_id, busy.hour, burst_first_at, burst_last_at, busy.operation, busy.kind
),
familiar as (
  select
    subscription_id,
    caller_id,
    day,
    count(*) over (
      partition by subscription_id
      order by day
      range between interval '28 days' preceding and interval '14 days' preceding
    ) > 0 as subscription_known,
    count(*) over (
      partition by subscription_id, caller_id
      order by day
      range between interval '28 days' preceding and interval '2 days' preceding
    ) > 0 as caller_known
  from (
    select distinct subscription_id, coalesce(caller_id, caller, 'unknown') as caller_id, day
    from activity
    where subscription_id in (select subscription_id from acts where event_at >= $since)
  )
),
judged as (
  select
    compared.subscription_id,
    compared.caller_id,
    hour,
    burst_first_at as first_at,
    burst_last_at as last_at,
    caller_known,
    count(*) as operation_count,
    count(case when not is_known then 1 end) as new_operation_count,
    max(known_operations) as known_operation_count,
    -- 1 minus what both sets share, divided by what either has.
    1 - cast(count(case when is_known then 1 end) as double)
      / (count(case when not is_known then 1 end) + max(known_operations)) as distance,
    count(distinct case when not is_known then kind end) as new_kind_count,
    count(distinct case when not is_known and kind in ('commands', 'deletion', 'protection off') then kind end) as harmful_kinds,
    array_agg(distinct kind order by kind) filter (where not is_known) as new_kinds,
    array_agg(operation order by operation) as operations,
    array_agg(operation order by operation) filter (where not is_known) as new_operations
  from compared
  join familiar
    on familiar.subscription_id = compared.subscription_id
    and familiar.caller_id = compared.caller_id
    and familiar.day = cast(burst_first_at as date)
    and subscription_known
  group by compared.subscription_id, compared.caller_id, hour, burst_first_at, burst_last_at, caller_known
),
suspicious as (
  select *
  from judged
  where harmful_kinds >= 1
    and (
      (not caller_known and new_kind_count >= 4)
      or (new_operation_count >= 5 and new_kind_count >= 3 and distance >= 0.8)
    )
),
touched as (
  select
    suspicious.subscription_id,
    suspicious.caller_id,
    hour,
    max(caller) as caller,
    max(caller_origin) as caller_origin,
    max(customer_tenant_id) as customer_tenant_id,
    array_agg(distinct caller_ip order by caller_ip) filter (where caller_ip is not null) as caller_addresses,
    array_slice(array_agg(distinct resource_id order by resource_id), 1, 25) as resources
  from suspicious
  join acts
    on acts.subscription_id = suspicious.subscription_id
    and acts.caller_id = suspicious.caller_id
    and acts.event_at between suspicious.first_at and suspicious.last_at
    and array_has(suspicious.operations, acts.operation)
  where acts.event_at >= date_trunc('hour', $since) - interval '6 hours'
  group by suspicious.subscription_id, suspicious.caller_id, hour
),
offices as (
  select distinct touched.subscription_id, touched.caller_id, touched.hour
  from touched
  join activity as past
    on past.subscription_id = touched.subscription_id
    and coalesce(past.caller_id, past.caller, 'unknown') <> touched.caller_id
    and array_has(touched.caller_addresses, past.caller_ip)
    and past.event_at >= touched.hour - interval '28 days'
    and past.event_at < touched.hour - interval '7 days'
)
select
  suspicious.subscription_id,
  customer_tenant_id,
  first_at as first_observed_at,
  last_at as last_observed_at,
  resources,
  case
    when not caller_known and new_kind_count <= 4 and offices.hour is not null then 'low'
    when not caller_known and new_kind_count >= 5 and harmful_kinds >= 2 then 'high'
    else 'medium'
  end as severity,
  case
    when caller_origin = 'partner' or (not caller_known and new_kind_count <= 4 and offices.hour is not null) then 'low'
    else 'medium'
  end as confidence,
  concat(
    'Within six hours ', caller, ' did ', operation_count, ' different sensitive operations, ', new_operation_count,
    ' of them new for it, of ', new_kind_count, ' kinds: ', array_to_string(new_kinds, ', '), '.',
    case
      when caller_known then concat(' It did ', known_operation_count, ' such operations in the 28 days before.')
      else ' This caller was not seen on the subscription in the four weeks before.'
    end
  ) as description,
  suspicious.caller_id,
  caller,
  caller_origin,
  caller_addresses,
  operation_count,
  new_operation_count,
  known_operation_count,
  distance,
  new_kinds,
  operations,
  new_operations
from suspicious
join touched
  on touched.subscription_id = suspicious.subscription_id
  and touched.caller_id = suspicious.caller_id
  and touched.hour = suspicious.hour
left join offices
  on offices.subscription_id = suspicious.subscription_id
  and offices.caller_id = suspicious.caller_id
  and offices.hour = suspicious.hour
