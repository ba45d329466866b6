-- Keys and secrets of many resources read in a short time, one row for each subscription, caller and hour.
--
-- An hour is judged with the hour before it, so that a burst over the full hour stays together, and held
-- against the most that the caller read in two hours from 28 days to 24 hours before. A caller that was
-- not seen here from 28 to 2 days before needs fewer. Keys that a known caller makes anew in the same two
-- hours do not count: it reads them to hand the new ones on. An unknown application that makes all anew is a sign: a
-- program for it may come once a quarter, and a thief would be noticed by all that stops. Where nothing was seen two weeks ago and earlier,
-- neither can be judged and nothing is said.
with reads as (
  select
    subscription_id,
    coalesce(caller_id, caller, 'unknown') as caller_id,
    coalesce(caller, caller_id, 'unknown') as caller,
    caller_origin,
    caller_type,
    customer_tenant_id,
    caller_ip,
    operation,
    operation like '%/regenerate%' as renews,
    resource_id,
    event_at
  from activity
  where (operation in (
      'microsoft.apimanagement/service/subscriptions/listsecrets/action',
      'microsoft.app/containerapps/listsecrets/action',
      'microsoft.appconfiguration/configurationstores/listkeys/action',
      'microsoft.automation/automationaccounts/listkeys/action',
      'microsoft.batch/batchaccounts/listkeys/action',
      'microsoft.cache/redis/listkeys/action',
      'microsoft.cognitiveservices/accounts/listkeys/action',
      'microsoft.compute/disks/begingetaccess/action',
      'microsoft.compute/restorepointcollections/restorepoints/retrievesasuris/action',
      'microsoft.compute/snapshots/begingetaccess/action',
      'microsoft.containerregistry/registries/listcredentials/action',
      'microsoft.containerservice/managedclusters/accessprofiles/listcredential/action',
      'microsoft.containerservice/managedclusters/listclusteradmincredential/action',
      'microsoft.containerservice/managedclusters/listclusterusercredential/action',
      'microsoft.datafactory/factories/integrationruntimes/listauthkeys/action',
      'microsoft.devices/iothubs/listkeys/action',
      'microsoft.documentdb/databaseaccounts/listconnectionstrings/action',
      'microsoft.documentdb/databaseaccounts/listkeys/action',
      'microsoft.documentdb/databaseaccounts/readonlykeys/action',
      'microsoft.eventgrid/topics/listkeys/action',
      'microsoft.eventhub/namespaces/authorizationrules/listkeys/action',
      'microsoft.keyvault/vaults/secrets/getsecret/action',
      'microsoft.kubernetes/connectedclusters/listclusterusercredential/action',
      'microsoft.logic/workflows/triggers/listcallbackurl/action',
      'microsoft.machinelearningservices/workspaces/listkeys/action',
      'microsoft.maps/accounts/listkeys/action',
      'microsoft.operationalinsights/workspaces/sharedkeys/action',
      'microsoft.search/searchservices/listadminkeys/action',
      'microsoft.servicebus/namespaces/authorizationrules/listkeys/action',
      'microsoft.signalrservice/signalr/listkeys/action',
      'microsoft.storage/storageaccounts/listaccountsas/action',
      'microsoft.storage/storageaccounts/listkeys/action',
      'microsoft.storage/storageaccounts/listservicesas/action',
      'microsoft.web/sites/config/list/action',
      'microsoft.web/sites/functions/listkeys/action',
      'microsoft.web/sites/host/listkeys/action',
      'microsoft.web/sites/publishxml/action'
    ) or operation like '%/regenerate%/action')
    and subscription_id is not null
    and resource_id is not null
    -- What was refused gave no key. Sparse records have no status; they count as done.
    and coalesce(status, 'succeeded') in ('accepted', 'succeeded')
),
candidates as (
  -- Only who reads keys now is held against its past.
  select distinct subscription_id, caller_id
  from reads
  where event_at >= $since
    and not renews
),
bursts as (
  -- Resources are counted, not records: what a request leaves behind beside its success does not matter.
  select
    subscription_id,
    caller_id,
    hour,
    min(first_at) as first_at,
    max(last_at) as last_at,
    count(*) as resource_count,
    count(case when not renewed then 1 end) as kept_count
  from (
    select
      reads.subscription_id,
      reads.caller_id,
      resource_id,
      date_trunc('hour', event_at) + back.gap as hour,
      min(case when not renews then event_at end) as first_at,
      max(case when not renews then event_at end) as last_at,
      bool_or(renews) as renewed,
      bool_or(back.gap = interval '0 hours' and not renews) as is_own
    from reads
    left semi join candidates
      on candidates.subscription_id = reads.subscription_id
      and candidates.caller_id = reads.caller_id
    cross join (values (interval '0 hours'), (interval '1 hour')) as back (gap)
    group by reads.subscription_id, reads.caller_id, resource_id, date_trunc('hour', event_at) + back.gap
    having bool_or(not renews)
  )
  group by subscription_id, caller_id, hour
  -- An hour in which nothing happened says only what the hour before has said.
  having bool_or(is_own)
),
compared as (
  select
    *,
    coalesce(max(resource_count) over (
      partition by subscription_id, caller_id
      order by hour
      range between interval '28 days' preceding and interval '24 hours' preceding
    ), 0) as usual_resources
  from bursts
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
    where subscription_id in (select subscription_id from candidates)
  )
),
judged as (
  select
    compared.*,
    caller_known,
    greatest(case when caller_known then 10 else 5 end, 4 * usual_resources) as threshold
  from compared
  join familiar
    on familiar.subscription_id = compared.subscription_id
    and familiar.caller_id = compared.caller_id
    and familiar.day = cast(compared.first_at as date)
    and subscription_known
  where last_at >= $since
    and case when caller_known then kept_count else resource_count end
      >= greatest(case when caller_known then 10 else 5 end, 4 * usual_resources)
),
described as (
  select
    judged.subscription_id,
    judged.caller_id,
    first_at,
    last_at,
    resource_count,
    kept_count,
    usual_resources,
    threshold,
    caller_known,
    kept_count = 0 and max(caller_type) in ('application', 'managed_identity') as is_rotation,
    max(caller) as caller,
    max(caller_origin) as caller_origin,
    max(customer_tenant_id) as customer_tenant_id,
    array_agg(distinct split_part(operation, '/', 1) order by split_part(operation, '/', 1)) as providers,
    array_agg(distinct operation order by operation) as operations,
    array_agg(distinct caller_ip order by caller_ip) filter (where caller_ip is not null) as caller_addresses,
    array_slice(array_agg(distinct resource_id order by resource_id), 1, 25) as resources
  from judged
  join reads
    on reads.subscription_id = judged.subscription_id
    and reads.caller_id = judged.caller_id
    and reads.event_at between judged.first_at and judged.last_at
  where reads.event_at >= date_trunc('hour', $since) - interval '1 hour'
    and not reads.renews
  group by
    judged.subscription_id,
    judged.caller_id,
    hour,
    first_at,
    last_at,
    resource_count,
    kept_count,
    usual_resources,
    threshold,
    caller_known
)
select
  subscription_id,
  customer_tenant_id,
  first_at as first_observed_at,
  last_at as last_observed_at,
  resources,
  -- Keys of one service are what a tool for it reads; keys of several are what a thief takes.
  case
    when is_rotation then 'low'
    when not caller_known and array_length(providers) >= 3 and resource_count >= 10 then 'high'
    else 'medium'
  end as severity,
  case when is_rotation or (not caller_known and caller_origin = 'partner') then 'low' else 'medium' end as confidence,
  concat(
    caller, ' had the keys or secrets of ', resource_count, ' resources shown within two hours (',
    array_to_string(providers, ', '), '). ',
    case
      when caller_known then concat('The most in two hours of the 28 days before was ', usual_resources, '.')
      else 'This caller was not seen on the subscription in the four weeks before.'
    end
  ) as description,
  caller_id,
  caller,
  caller_origin,
  caller_addresses,
  resource_count,
  providers,
  operations,
  usual_resources,
  threshold
from described
