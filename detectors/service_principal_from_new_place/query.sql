-- Service principals that sign in from a new place and then change Azure resources, one row for each
-- subscription, service principal and hour of the changes.
--
-- For each hour in which a service principal changed something, its successful sign-ins of the 24 hours
-- before it and of the hour itself are recent, those of the 28 days before are history. A place is a
-- country and, where the record has it, an autonomous system. Only service principals with a steady
-- history are judged: at least 14 days long, and of three places at most. Build agents that are lent out
-- by the hour come from everywhere and say nothing. A program that only does what it did before, to the
-- resources that it did it to, is likelier to have moved than to be stolen: that is a weak sign.
--
-- DataFusion runs a part of `with` once for each place that names it; `changes` is named twice, so that the join that
-- carries much is one of few.
with requests as (
  -- Acceptance and success of one request are one change.
  select
    subscription_id,
    caller_id,
    max(caller) as caller,
    resource_id,
    operation,
    max(caller_ip) as address,
    max(customer_tenant_id) as customer_tenant_id,
    min(event_at) as first_at,
    max(event_at) as last_at
  from activity
  where event_at >= $since - interval '2 hours'
    and (operation like '%/write' or operation like '%/delete' or operation like '%/action')
    and operation not like '%/list%/action'
    and coalesce(category, '') <> 'policy'
    and coalesce(status, 'succeeded') in ('accepted', 'succeeded')
    and coalesce(caller_type, 'application') <> 'user'
    and subscription_id is not null
    and caller_id is not null
    and caller_ip is not null
  group by subscription_id, caller_id, resource_id, operation, correlation_id
),
changes as (
  select
    subscription_id,
    caller_id,
    address,
    date_trunc('hour', first_at) as hour,
    max(customer_tenant_id) as customer_tenant_id,
    max(last_at) as last_at,
    array_agg(distinct operation order by operation) as operations,
    array_agg(distinct resource_id order by resource_id) filter (where resource_id is not null) as resources,
    -- Each deployment has a name of its own; what it deploys is told beside it.
    array_agg(distinct case when operation like 'microsoft.resources/deployments/%' then operation else concat_ws(' ', operation, resource_id) end)
      as deeds
  from requests
  group by subscription_id, caller_id, address, date_trunc('hour', first_at)
),
movers as (
  -- Nearly all sign in from where they always do; only what the others did is put beside their sign-ins.
  select distinct caller_id, hour, last_at
  from (
    select principals.caller_id, principals.hour, principals.last_at
    from (
      select caller_id, hour, max(last_at) as last_at
      from changes
      group by caller_id, hour
    ) as principals
    join sign_in
      on sign_in.service_principal_id = principals.caller_id
      and sign_in.event_at >= principals.hour - interval '29 days'
      and sign_in.event_at <= principals.last_at
    where sign_in.sign_in_type = 'service_principal'
      and sign_in.error_code = 0
      and sign_in.country is not null
    group by
      principals.caller_id,
      principals.hour,
      principals.last_at,
      sign_in.country,
      sign_in.autonomous_system
    having min(sign_in.event_at) >= principals.hour - interval '24 hours'
  )
),
visits as (
  select
    changes.subscription_id,
    changes.caller_id,
    changes.address,
    changes.hour,
    sign_in.country,
    sign_in.autonomous_system,
    sign_in.event_at >= changes.hour - interval '24 hours' as recent,
    max(changes.customer_tenant_id) as subscription_tenant_id,
    max(changes.last_at) as last_at,
    max(changes.operations) as operations,
    max(changes.resources) as resources,
    max(changes.deeds) as deeds,
    max(sign_in.customer_tenant_id) as sign_in_tenant_id,
    max(sign_in.app_id) as app_id,
    max(sign_in.app_name) as app_name,
    min(sign_in.event_at) as from_at,
    count(*) as sign_ins,
    array_agg(distinct sign_in.ip order by sign_in.ip) filter (where sign_in.ip is not null) as ips,
    -- The same 24 bits of IPv4, the same 64 of IPv6.
    coalesce(bool_or(
      regexp_replace(sign_in.ip, '^(([0-9a-f]*:){4}|([0-9]+\.){3}).*$', '\1')
        = regexp_replace(changes.address, '^(([0-9a-f]*:){4}|([0-9]+\.){3}).*$', '\1')
    ), false) as same_network
  from changes
  left semi join movers
    on movers.caller_id = changes.caller_id
    and movers.hour = changes.hour
  join sign_in
    on sign_in.service_principal_id = changes.caller_id
    and sign_in.event_at >= changes.hour - interval '29 days'
    and sign_in.event_at <= changes.last_at
  where sign_in.sign_in_type = 'service_principal'
    and sign_in.error_code = 0
    and sign_in.country is not null
  group by 1, 2, 3, 4, 5, 6, 7
),
places as (
  select
    *,
    bool_or(not recent) over (partition by subscription_id, caller_id, address, hour, country) as country_known,
    bool_or(not recent) over (partition by subscription_id, caller_id, address, hour, autonomous_system) as system_known,
    bool_or(not recent and autonomous_system is not null) over change as systems_told,
    min(case when not recent then from_at end) over change as history_since,
    count(case when not recent then 1 end) over change as places_before
  from visits
  window change as (partition by subscription_id, caller_id, address, hour)
),
marked as (
  select
    *,
    -- Within Microsoft's own system (8075) a workload may move to another region.
    (not country_known and not (system_known and coalesce(autonomous_system, 0) = 8075))
      or (systems_told and autonomous_system is not null and not system_known) as is_new
  from places
),
judged as (
  select
    *,
    bool_or(same_network and not is_new) over (partition by subscription_id, caller_id, address, hour) as address_is_usual
  from marked
),
flagged as (
  select
    subscription_id,
    caller_id,
    hour,
    coalesce(max(subscription_tenant_id), max(sign_in_tenant_id)) as customer_tenant_id,
    min(from_at) filter (where is_new) as first_observed_at,
    max(last_at) as last_observed_at,
    array_sort(array_distinct(flatten(array_agg(resources)))) as resources,
    array_distinct(flatten(array_agg(deeds))) as deeds,
    bool_or(is_new and not country_known and same_network) and max(places_before) = 1 as is_grave,
    bool_or(is_new and not country_known and not (systems_told and system_known) and same_network) as is_sure,
    max(app_id) as app_id,
    max(app_name) as app_name,
    array_agg(distinct address order by address) as caller_addresses,
    array_sort(array_distinct(flatten(array_agg(ips) filter (where is_new)))) as new_addresses,
    array_agg(distinct country order by country) filter (where is_new) as new_countries,
    array_agg(distinct autonomous_system order by autonomous_system) filter (where is_new and autonomous_system is not null)
      as new_autonomous_systems,
    array_agg(distinct country order by country) filter (where country_known) as usual_countries,
    max(places_before) as places_before,
    array_sort(array_distinct(flatten(array_agg(operations)))) as operations
  from judged
  where (address_is_usual = false or (is_new and same_network))
    and history_since <= hour - interval '14 days'
    and places_before <= 3
  group by subscription_id, caller_id, hour
  having bool_or(is_new)
),
compared as (
  -- The key decides about a row; `max` only carries the rest along.
  select
    flagged.subscription_id,
    flagged.caller_id,
    flagged.hour,
    max(flagged.customer_tenant_id) as customer_tenant_id,
    max(flagged.first_observed_at) as first_observed_at,
    max(flagged.last_observed_at) as last_observed_at,
    max(flagged.resources) as resources,
    bool_or(flagged.is_grave) as is_grave,
    bool_or(flagged.is_sure) as is_sure,
    max(flagged.app_id) as app_id,
    max(flagged.app_name) as app_name,
    max(flagged.caller_addresses) as caller_addresses,
    max(flagged.new_addresses) as new_addresses,
    max(flagged.new_countries) as new_countries,
    max(flagged.new_autonomous_systems) as new_autonomous_systems,
    max(flagged.usual_countries) as usual_countries,
    max(flagged.places_before) as places_before,
    max(flagged.operations) as operations,
    count(distinct past.deed) = array_length(max(flagged.deeds)) as only_usual_deeds
  from flagged
  left join (
    select
      subscription_id,
      caller_id,
      event_at,
      case when operation like 'microsoft.resources/deployments/%' then operation else concat_ws(' ', operation, resource_id) end as deed
    from activity
    where coalesce(status, 'succeeded') in ('accepted', 'succeeded')
  ) as past
    on past.subscription_id = flagged.subscription_id
    and past.caller_id = flagged.caller_id
    and past.event_at >= flagged.hour - interval '28 days'
    and past.event_at < flagged.hour - interval '24 hours'
    and array_has(flagged.deeds, past.deed)
  group by flagged.subscription_id, flagged.caller_id, flagged.hour
)
select
  subscription_id,
  customer_tenant_id,
  first_observed_at,
  last_observed_at,
  array_slice(resources, 1, 25) as resources,
  case when only_usual_deeds then 'low' when is_grave then 'high' else 'medium' end as severity,
  case when only_usual_deeds then 'low' when is_sure then 'high' else 'medium' end as confidence,
  concat(
    'The service principal ', coalesce(app_name, caller_id), ' signed in from ', array_to_string(new_addresses, ', '), ' in ',
    array_to_string(new_countries, ', '), ', a place it did not use in the 28 days before, and then changed resources. ',
    'All its places before that were in ', array_to_string(usual_countries, ', '), '. Resources changed: ',
    array_length(resources), '.',
    case when only_usual_deeds then ' It did all of that to the same resources in the 28 days before.' else '' end
  ) as description,
  caller_id,
  app_id,
  app_name,
  caller_addresses,
  new_addresses,
  new_countries,
  new_autonomous_systems,
  usual_countries,
  places_before,
  operations
from compared
