-- Impossible travel that ends in a change of Azure resources, one row for each subscription, user and
-- hour of the changes.
--
-- For each hour in which a user changed something, the successful sign-ins of that user are put in
-- order: those of the 24 hours before it and of the hour itself are recent, those of the 28 days before
-- are history. A place is a country and an autonomous system. Two recent visits, one after the other,
-- must be too far apart for the time between them, the first in a place of the history, the second in
-- one without, and the change must come from the network or the place without history. The
-- history must be a week long, or newness says nothing.
--
-- DataFusion runs a part of `with` once for each place that names it; `changes` and `sign_ins` are named twice, so that
-- the long join is one of few.
with requests as (
  -- Acceptance and success of one request are one change. Keys that the portal fetches to show a page
  -- are no change.
  select
    subscription_id,
    caller_id,
    caller,
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
    and subscription_id is not null
    and caller_ip is not null
  group by subscription_id, caller_id, caller, resource_id, operation, correlation_id
),
changes as (
  -- The caller is the user if the object id or the name is the same, so look for both.
  select
    subscription_id,
    unnest(array_distinct(make_array(caller_id, caller))) as caller_key,
    address,
    date_trunc('hour', first_at) as hour,
    max(customer_tenant_id) as customer_tenant_id,
    max(last_at) as last_at,
    array_agg(distinct operation order by operation) as operations,
    array_agg(distinct resource_id order by resource_id) filter (where resource_id is not null) as resources
  from requests
  group by subscription_id, caller_id, caller, address, date_trunc('hour', first_at)
),
sign_ins as (
  select
    *,
    unnest(array_distinct(make_array(user_id, user_principal_name))) as user_key
  from sign_in
  where error_code = 0
    and user_id is not null
    and country is not null
    and event_at >= $since - interval '30 days'
),
movers as (
  -- Nearly all who change something were in one place that day; only the past of the others is looked at. Places of
  -- 500 km between them differ by more than four degrees in sum.
  select
    changes.caller_key,
    changes.hour,
    max(changes.last_at) as last_at
  from changes
  join sign_ins
    on sign_ins.user_key = changes.caller_key
    and sign_ins.event_at >= changes.hour - interval '24 hours'
    and sign_ins.event_at <= changes.last_at
  where sign_ins.event_at >= $since - interval '28 hours'
  group by changes.caller_key, changes.hour
  having count(distinct concat_ws(' ', sign_ins.country, cast(sign_ins.autonomous_system as varchar))) >= 2
    and max(sign_ins.latitude) - min(sign_ins.latitude) + max(sign_ins.longitude) - min(sign_ins.longitude) > 4
),
visits as (
  -- Recent sign-ins by place and hour, and one row for each place of the history.
  select
    changes.subscription_id,
    changes.caller_key,
    changes.address,
    changes.hour,
    sign_ins.user_id,
    sign_ins.country,
    sign_ins.autonomous_system,
    case when sign_ins.event_at >= changes.hour - interval '24 hours' then date_trunc('hour', sign_ins.event_at) end as seen_hour,
    max(changes.customer_tenant_id) as subscription_tenant_id,
    max(changes.last_at) as last_at,
    max(changes.operations) as operations,
    max(changes.resources) as resources,
    max(sign_ins.customer_tenant_id) as sign_in_tenant_id,
    max(sign_ins.user_principal_name) as user_principal_name,
    min(sign_ins.event_at) as from_at,
    max(sign_ins.event_at) as to_at,
    first_value(sign_ins.latitude order by sign_ins.event_at, sign_ins.ip) as latitude,
    first_value(sign_ins.longitude order by sign_ins.event_at, sign_ins.ip) as longitude,
    first_value(sign_ins.city order by sign_ins.event_at, sign_ins.ip) as city,
    first_value(sign_ins.ip order by sign_ins.event_at, sign_ins.ip) as ip,
    max(sign_ins.device_id) as device_id,
    max(sign_ins.operating_system) as operating_system,
    -- The same 24 bits of IPv4, the same 64 of IPv6.
    bool_or(
      regexp_replace(sign_ins.ip, '^(([0-9a-f]*:){4}|([0-9]+\.){3}).*$', '\1')
        = regexp_replace(changes.address, '^(([0-9a-f]*:){4}|([0-9]+\.){3}).*$', '\1')
    ) as same_network,
    bool_or(sign_ins.ip = changes.address) as same_address
  from changes
  left semi join movers
    on movers.caller_key = changes.caller_key
    and movers.hour = changes.hour
  join sign_ins
    on sign_ins.user_key = changes.caller_key
    and sign_ins.event_at >= changes.hour - interval '29 days'
    and sign_ins.event_at <= changes.last_at
  group by 1, 2, 3, 4, 5, 6, 7, 8
),
places as (
  select
    *,
    bool_or(seen_hour is null) over (partition by subscription_id, caller_key, address, hour, country) as country_known,
    bool_or(seen_hour is null) over (partition by subscription_id, caller_key, address, hour, autonomous_system)
      as system_known,
    bool_or(seen_hour is null) over place as place_known,
    bool_or(seen_hour is not null and same_network) over place as change_from_place,
    -- Networks are shared: an office may lie beside a rented machine.
    bool_or(seen_hour is null and same_address) over (partition by subscription_id, caller_key, address, hour) as change_from_home,
    min(case when seen_hour is null then from_at end) over (partition by subscription_id, caller_key, address, hour) as history_since
  from visits
  window place as (partition by subscription_id, caller_key, address, hour, country, autonomous_system)
),
steps as (
  -- Each recent visit beside the one before it.
  select
    *,
    lag(named_struct(
      'known', place_known, 'country', country, 'system', autonomous_system, 'city', city, 'ip', ip, 'at', to_at,
      'latitude', latitude, 'longitude', longitude, 'device', device_id, 'os', operating_system
    )) over (
      partition by subscription_id, caller_key, address, hour
      order by from_at, country, autonomous_system
    ) as before
  from places
  where seen_hour is not null
    and latitude is not null
    and longitude is not null
    and ip_is_private(ip) = false
),
journeys as (
  select
    *,
    -- Great-circle distance on a sphere with the Earth's mean radius.
    2 * 6371 * asin(sqrt(least(
      power(sin(radians(latitude - before['latitude']) / 2), 2)
        + cos(radians(latitude)) * cos(radians(before['latitude'])) * power(sin(radians(longitude - before['longitude']) / 2), 2),
      1
    ))) as distance_km,
    -- Visits may overlap: then there was no time to travel at all.
    greatest(extract(epoch from from_at - before['at']), 0) / 3600 as travel_hours
  from steps
  where before['known']
    and history_since <= hour - interval '7 days'
    and not place_known
    and not (country_known and system_known)
    and change_from_place
    and not coalesce(change_from_home, false)
    -- A device that is in both places has a proxy or a private network switched on.
    and (device_id is null or before['device'] is null or device_id <> before['device'])
)
select
  journeys.subscription_id,
  coalesce(max(subscription_tenant_id), max(sign_in_tenant_id)) as customer_tenant_id,
  min(before['at']) as first_observed_at,
  max(last_at) as last_observed_at,
  array_slice(array_sort(array_distinct(flatten(array_agg(resources)))), 1, 25) as resources,
  case when bool_or(not country_known and journeys.country <> before['country']) then 'high' else 'medium' end as severity,
  case when bool_or(journeys.operating_system <> before['os']) then 'high' else 'medium' end as confidence,
  concat(
    max(journeys.user_principal_name), ' signed in from ', max(concat_ws(', ', before['city'], before['country'])), ' and ',
    cast(round(min(travel_hours * 60)) as bigint), ' minutes later from ', max(concat_ws(', ', journeys.city, journeys.country)), ', ',
    cast(round(max(distance_km)) as bigint), ' km away, a place this user did not sign in from in the 28 days before. Resources changed from there: ',
    array_length(array_distinct(flatten(array_agg(resources)))), '.'
  ) as description,
  journeys.user_id,
  max(journeys.user_principal_name) as user_principal_name,
  array_agg(distinct address order by address) as caller_addresses,
  array_sort(array_distinct(flatten(array_agg(operations)))) as operations,
  max(concat_ws(', ', before['ip'], before['city'], before['country'], cast(before['system'] as varchar))) as usual_place,
  max(concat_ws(', ', journeys.ip, journeys.city, journeys.country, cast(journeys.autonomous_system as varchar))) as new_place,
  max(journeys.operating_system) as operating_system,
  max(before['os']) as usual_operating_system,
  round(max(distance_km)) as distance_km,
  round(min(travel_hours * 60)) as minutes_between,
  count(distinct colleague.user_id) as colleagues_in_place
from journeys
-- A place that two colleagues used in the four weeks before is the company's, not a thief's.
left join sign_in as colleague
  on colleague.customer_tenant_id = journeys.sign_in_tenant_id
  and colleague.country = journeys.country
  and colleague.autonomous_system = journeys.autonomous_system
  and colleague.user_id <> journeys.user_id
  and colleague.error_code = 0
  and colleague.event_at >= journeys.hour - interval '29 days'
  and colleague.event_at < journeys.hour - interval '24 hours'
where distance_km >= 500
  and distance_km > 900 * travel_hours
group by journeys.subscription_id, journeys.user_id, journeys.hour
having count(distinct colleague.user_id) < 2
