-- Several stages of an attack by one caller, one row for each subscription, caller and hour in which the
-- caller did something that belongs to a stage.
--
-- Looked at are the 24 hours up to the end of that hour; the 28 days before them tell what is new. A caller
-- who is new here, but was that day at an address that others used here a week ago and earlier, is likelier a
-- new colleague: two or three stages, or more that are not grave, are then a weak sign. So is one to whom somebody
-- known gave a role here within a week, from an address of every day.
--
-- Most acts of a stage are also somebody's daily work: a reader's role, one key, an old snapshot. Three of those in
-- a day are a busy day. So a stage is grave if it was done in a way that daily work seldom is (see `requests`) or to
-- several things, and a story of known callers needs such stages: two, or one and an address where the caller never
-- was. All else is a weak sign.
with stages (operation, stage) as (
  values
    ('microsoft.authorization/elevateaccess/action', 'rights'),
    ('microsoft.authorization/roleassignments/write', 'rights'),
    ('microsoft.authorization/roledefinitions/write', 'rights'),
    ('microsoft.managedidentity/userassignedidentities/federatedidentitycredentials/write', 'rights'),
    ('microsoft.storage/storageaccounts/listkeys/action', 'keys'),
    ('microsoft.documentdb/databaseaccounts/listkeys/action', 'keys'),
    ('microsoft.containerregistry/registries/listcredentials/action', 'keys'),
    ('microsoft.containerservice/managedclusters/listclusteradmincredential/action', 'keys'),
    ('microsoft.compute/disks/begingetaccess/action', 'keys'),
    ('microsoft.compute/snapshots/begingetaccess/action', 'keys'),
    ('microsoft.insights/diagnosticsettings/delete', 'defences'),
    ('microsoft.network/networkwatchers/flowlogs/delete', 'defences'),
    ('microsoft.network/networkwatchers/delete', 'defences'),
    ('microsoft.security/pricings/write', 'defences'),
    ('microsoft.security/alertssuppressionrules/write', 'defences'),
    ('microsoft.authorization/locks/delete', 'defences'),
    ('microsoft.authorization/policyassignments/delete', 'defences'),
    ('microsoft.authorization/policyexemptions/write', 'defences'),
    ('microsoft.consumption/budgets/delete', 'defences'),
    ('microsoft.compute/virtualmachines/runcommand/action', 'commands'),
    ('microsoft.compute/virtualmachines/extensions/write', 'commands'),
    ('microsoft.compute/virtualmachinescalesets/extensions/write', 'commands'),
    ('microsoft.automation/automationaccounts/runbooks/write', 'commands'),
    ('microsoft.automation/automationaccounts/webhooks/write', 'commands'),
    ('microsoft.quota/quotas/write', 'quota'),
    ('microsoft.capacity/resourceproviders/locations/servicelimits/write', 'quota'),
    ('microsoft.compute/virtualmachines/write', 'compute'),
    ('microsoft.compute/virtualmachinescalesets/write', 'compute'),
    ('microsoft.batch/batchaccounts/pools/write', 'compute'),
    ('microsoft.containerinstance/containergroups/write', 'compute'),
    ('microsoft.containerservice/managedclusters/write', 'compute'),
    ('microsoft.machinelearningservices/workspaces/computes/write', 'compute'),
    ('microsoft.compute/snapshots/delete', 'destruction'),
    ('microsoft.compute/restorepointcollections/delete', 'destruction'),
    ('microsoft.recoveryservices/vaults/delete', 'destruction'),
    ('microsoft.recoveryservices/vaults/backupfabrics/protectioncontainers/delete', 'destruction'),
    ('microsoft.recoveryservices/vaults/backupfabrics/protectioncontainers/protecteditems/delete', 'destruction'),
    ('microsoft.keyvault/locations/deletedvaults/purge/action', 'destruction'),
    ('microsoft.storage/storageaccounts/delete', 'destruction'),
    ('microsoft.sql/servers/delete', 'destruction'),
    ('microsoft.resources/subscriptions/resourcegroups/delete', 'destruction')
),
acts as (
  select
    activity.*,
    stage,
    -- Bodies are JSON text in a string, with keys in either case, and may be cut off.
    replace(lower(properties), '\', '') as body
  from activity
  join stages
    on stages.operation = activity.operation
  where subscription_id is not null
),
requests as (
  -- Start, acceptance and end of one request share correlation and resource: count them once.
  select
    subscription_id,
    coalesce(caller_id, caller, 'unknown') as caller_id,
    stage,
    operation,
    max(coalesce(caller, caller_id, 'unknown')) as caller,
    max(customer_tenant_id) as customer_tenant_id,
    max(caller_ip) as address,
    -- Of IPv6 the first 64 bits: machines change the rest by themselves.
    max(regexp_replace(caller_ip, '^(([0-9a-f]*:){4}).*$', '\1')) as came_from,
    resource_id,
    min(event_at) as first_at,
    max(event_at) as last_at,
    coalesce(bool_or(case
      when operation = 'microsoft.authorization/roleassignments/write' then
        -- Owner, User Access Administrator, Role Based Access Control Administrator, Contributor; of all there is.
        resource_id not like '%/resourcegroups/%' and regexp_like(
          body,
          'roledefinitions/(8e3af657-a8ff-443c-a75c-2fe8c4bcb635|18d7d88d-d35e-4fb5-a5c3-7773c20a72d9|f58310d9-a9f6-439a-9e8d-f62e7b41a168|b24988ac-6180-42a0-ab88-20f7382dd24c)'
        )
      -- The export of the activity log stands on the subscription itself.
      when operation = 'microsoft.insights/diagnosticsettings/delete' then resource_id not like '%/resourcegroups/%'
      when stage = 'compute' then vm_accelerator is not null or vm_cpus >= 32
      else operation in (
        'microsoft.authorization/elevateaccess/action',
        'microsoft.authorization/roledefinitions/write',
        'microsoft.managedidentity/userassignedidentities/federatedidentitycredentials/write',
        'microsoft.containerservice/managedclusters/listclusteradmincredential/action',
        'microsoft.network/networkwatchers/flowlogs/delete',
        'microsoft.network/networkwatchers/delete',
        'microsoft.security/pricings/write',
        'microsoft.security/alertssuppressionrules/write',
        'microsoft.compute/virtualmachines/runcommand/action',
        'microsoft.compute/virtualmachines/extensions/write',
        'microsoft.compute/virtualmachinescalesets/extensions/write',
        'microsoft.automation/automationaccounts/webhooks/write',
        'microsoft.recoveryservices/vaults/delete',
        'microsoft.recoveryservices/vaults/backupfabrics/protectioncontainers/delete',
        'microsoft.recoveryservices/vaults/backupfabrics/protectioncontainers/protecteditems/delete',
        'microsoft.keyvault/locations/deletedvaults/purge/action',
        'microsoft.sql/servers/delete'
      )
    end), false) as is_grave
  from acts
  group by
    subscription_id,
    coalesce(caller_id, caller, 'unknown'),
    stage,
    operation,
    coalesce(correlation_id, cast(date_trunc('hour', event_at) as varchar)),
    resource_id
  -- What was refused did no harm, and is told by other detectors.
  having bool_or(status in ('accepted', 'succeeded'))
    -- Monitoring and patches come by extensions, too; only those that run a script of the caller's or set a password
    -- count.
    and (
      operation not like '%/extensions/write'
      or bool_or(regexp_like(split_part(resource_id, '/extensions/', 2), 'customscript|vmaccess|runcommand|^dsc$'))
      or bool_or(regexp_like(body, '"type":\s*"(customscript|vmaccess|runcommand|dsc")'))
    )
    -- A plan of Defender that is bought is no defence less.
    and (
      operation <> 'microsoft.security/pricings/write'
      or coalesce(bool_or(regexp_like(body, 'pricingtier[": ]+free')), true)
    )
),
hours as (
  select subscription_id, caller_id, date_trunc('hour', first_at) as hour
  from requests
  group by subscription_id, caller_id, date_trunc('hour', first_at)
  having max(last_at) >= $since
),
day_before as (
  -- All acts of these callers, each told whether it lies in the day or before it.
  select
    hours.hour,
    requests.*,
    requests.first_at >= hours.hour - interval '23 hours' as recent
  from hours
  join requests
    on requests.subscription_id = hours.subscription_id
    and requests.caller_id = hours.caller_id
    and requests.first_at >= hours.hour - interval '28 days'
    and requests.first_at < hours.hour + interval '1 hour'
),
told as (
  select
    subscription_id,
    caller_id,
    hour,
    stage,
    max(caller) as caller,
    max(customer_tenant_id) as customer_tenant_id,
    min(first_at) filter (where recent) as first_at,
    max(last_at) filter (where recent) as last_at,
    count(*) filter (where recent) as acts,
    -- What is done to several things is no slip of the hand. Machines come in fives with any new project.
    bool_or(is_grave) or count(distinct resource_id) >= case stage when 'compute' then 10 when 'rights' then 10 else 4 end
      as is_grave,
    array_agg(distinct operation order by operation) filter (where recent) as operations,
    array_agg(distinct address order by address) filter (where recent and address is not null) as addresses,
    array_agg(distinct came_from) filter (where recent and came_from is not null) as places,
    array_agg(distinct resource_id order by resource_id) filter (where recent and resource_id is not null) as resources
  from day_before
  group by subscription_id, caller_id, hour, stage
  -- A stage that the caller went through before is its daily work.
  having bool_and(recent)
),
stories as (
  select
    subscription_id,
    caller_id,
    hour,
    max(caller) as caller,
    max(customer_tenant_id) as customer_tenant_id,
    min(first_at) as first_at,
    max(last_at) as last_at,
    count(*) as stages,
    count(case when is_grave then 1 end) as grave_stages,
    bool_or(stage in ('compute', 'destruction')) as harms,
    -- What seldom belongs to anybody's first day.
    bool_or(stage in ('compute', 'destruction', 'defences', 'commands')) as telling,
    array_agg(stage order by first_at, stage) as stage_order,
    array_agg(
      concat(to_char(first_at, '%Y-%m-%d %H:%M'), ' ', stage, ': ', acts, ' × ', array_to_string(operations, ', '))
      order by first_at, stage
    ) as story,
    array_sort(array_distinct(flatten(array_agg(addresses) filter (where addresses is not null)))) as caller_addresses,
    array_distinct(flatten(array_agg(places) filter (where places is not null))) as places,
    array_sort(array_distinct(flatten(array_agg(resources) filter (where resources is not null)))) as resources
  from told
  group by subscription_id, caller_id, hour
  having count(*) >= 2
),
known as (
  -- What the subscription and the caller did before that day, of whatever kind.
  select
    stories.subscription_id,
    stories.caller_id,
    stories.hour,
    count(case when coalesce(past.caller_id, past.caller, 'unknown') = stories.caller_id then 1 end) as by_caller,
    -- How many of the caller's addresses anybody used here a week ago and earlier.
    count(distinct case
      when past.event_at < stories.hour - interval '7 days'
        and array_has(stories.places, regexp_replace(past.caller_ip, '^(([0-9a-f]*:){4}).*$', '\1'))
        then regexp_replace(past.caller_ip, '^(([0-9a-f]*:){4}).*$', '\1')
    end) as known_places,
    -- Who comes from everywhere has no usual address.
    count(distinct case when coalesce(past.caller_id, past.caller, 'unknown') = stories.caller_id then past.caller_ip end)
      between 1 and 3
      and count(distinct case
        when coalesce(past.caller_id, past.caller, 'unknown') = stories.caller_id and array_has(stories.caller_addresses, past.caller_ip)
          then past.caller_ip
      end) < array_length(stories.caller_addresses) as is_elsewhere,
    min(past.event_at) <= stories.hour - interval '14 days' as has_history
  from stories
  join activity as past
    on past.subscription_id = stories.subscription_id
    and past.event_at >= stories.hour - interval '28 days'
    and past.event_at < stories.hour - interval '23 hours'
  group by stories.subscription_id, stories.caller_id, stories.hour, stories.caller_addresses
),
introduced as (
  -- A thief lets accomplices in, too, but not from where the victim is.
  select distinct stories.subscription_id, stories.caller_id, stories.hour
  from stories
  join (
    select
      subscription_id,
      coalesce(caller_id, caller, 'unknown') as caller_id,
      caller_ip,
      event_at as granted_at,
      (regexp_match(body, '"principalid":\s*"([^"]+)"'))[1] as principal_id
    from acts
    where operation = 'microsoft.authorization/roleassignments/write'
      and coalesce(status, 'succeeded') <> 'failed'
      and event_at >= $since - interval '10 days'
  ) as grants
    on grants.subscription_id = stories.subscription_id
    and grants.principal_id = stories.caller_id
    and grants.granted_at between stories.hour - interval '8 days' and stories.hour + interval '1 hour'
  join activity as past
    on past.subscription_id = grants.subscription_id
    and coalesce(past.caller_id, past.caller, 'unknown') = grants.caller_id
    and past.caller_ip = grants.caller_ip
    and past.event_at >= grants.granted_at - interval '16 days'
    and past.event_at < grants.granted_at - interval '2 days'
),
judged as (
  select
    stories.*,
    known.by_caller,
    coalesce(known.is_elsewhere, false) as is_elsewhere,
    known.by_caller > 0 and grave_stages < case when coalesce(known.is_elsewhere, false) then 1 else 2 end as is_busy_day,
    coalesce(known.by_caller = 0 and (known.known_places > 0 or introduced.caller_id is not null), false) as is_colleague
  from stories
  join known
    on known.subscription_id = stories.subscription_id
    and known.caller_id = stories.caller_id
    and known.hour = stories.hour
  left join introduced
    on introduced.subscription_id = stories.subscription_id
    and introduced.caller_id = stories.caller_id
    and introduced.hour = stories.hour
  -- With less than two weeks of history everything is new: whoever sets a subscription up goes through many stages.
  -- To a known caller something new happens now and then; three new things in a day do not.
  where known.has_history
    and (stories.stages >= 3 or (by_caller = 0 and stories.telling))
)
select
  subscription_id,
  customer_tenant_id,
  first_at as first_observed_at,
  last_at as last_observed_at,
  array_slice(resources, 1, 25) as resources,
  case
    when is_busy_day or (is_colleague and (stages <= 3 or grave_stages < 2)) then 'low'
    when stages >= 3 and harms and not is_colleague then 'high'
    else 'medium'
  end as severity,
  case
    when is_busy_day or is_colleague then 'low'
    when by_caller = 0 and stages >= 3 and harms then 'high'
    when harms or stages >= 3 then 'medium'
    else 'low'
  end as confidence,
  concat(
    caller, ' went through ', stages, ' stages within 24 hours (',
    array_to_string(stage_order, ', then '), '), none of which it had done on this subscription in the four weeks before.',
    case
      when is_colleague then ' It had not been seen there at all, but others came from the same address, or somebody known let it in.'
      when by_caller = 0 then ' It had not been seen there at all.'
      when is_elsewhere then ' It is known there, but not from this address.'
      else ''
    end
  ) as description,
  caller_id,
  caller,
  caller_addresses,
  stages,
  grave_stages,
  story
from judged
