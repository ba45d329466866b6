-- Changes of Azure resources in a session that does not look like the user's, one row for each subscription, user and
-- hour of the changes.
--
-- For each hour in which a user changed something, the user's successful sign-ins of the 24 hours before it and of the
-- hour itself are recent, those of the 28 days before are history. Three signs must come together: recent sign-ins from
-- the network of the change come from countries that are in the history neither of the user nor of two colleagues; none of
-- them shows a device, while most of the history does; the address itself is not in the history. The history must be of
-- several days, or newness says nothing.
--
-- DataFusion runs a part of `with` once for each place that names it. Those that are named twice are small.
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
    -- The same 24 bits of IPv4, the same 64 of IPv6.
    regexp_replace(address, '^(([0-9a-f]*:){4}|([0-9]+\.){3}).*$', '\1') as network,
    date_trunc('hour', first_at) as hour,
    max(customer_tenant_id) as customer_tenant_id,
    max(last_at) as last_at,
    array_agg(distinct operation order by operation) as operations,
    array_agg(distinct resource_id order by resource_id) filter (where resource_id is not null) as resources
  from requests
  where ip_is_private(address) = false
  group by subscription_id, caller_id, caller, address, date_trunc('hour', first_at)
),
sign_ins as (
  select
    *,
    regexp_replace(ip, '^(([0-9a-f]*:){4}|([0-9]+\.){3}).*$', '\1') as network,
    unnest(array_distinct(make_array(user_id, user_principal_name))) as user_key
  from sign_in
  where error_code = 0
    and user_id is not null
    and country is not null
    and event_at >= $since - interval '30 days'
),
suspects as (
  -- Changes with all sign-ins of the day before from their network, if none of these shows a device.
  select
    changes.subscription_id,
    changes.caller_key,
    changes.address,
    changes.hour,
    sign_ins.user_id,
    sign_ins.customer_tenant_id as sign_in_tenant_id,
    max(changes.customer_tenant_id) as customer_tenant_id,
    max(changes.last_at) as last_at,
    max(changes.operations) as operations,
    max(changes.resources) as resources,
    max(sign_ins.user_principal_name) as user_principal_name,
    min(sign_ins.event_at) as signed_in_at,
    array_agg(distinct sign_ins.country order by sign_ins.country) as countries,
    max(concat_ws(', ', sign_ins.ip, sign_ins.city, sign_ins.country)) as new_place,
    max(sign_ins.operating_system) as operating_system
  from changes
  join sign_ins
    on sign_ins.user_key = changes.caller_key
    and sign_ins.network = changes.network
    and sign_ins.event_at >= changes.hour - interval '24 hours'
    and sign_ins.event_at <= changes.last_at
  where sign_ins.event_at >= $since - interval '28 hours'
  group by
    changes.subscription_id,
    changes.caller_key,
    changes.address,
    changes.hour,
    sign_ins.user_id,
    sign_ins.customer_tenant_id
  having count(sign_ins.device_id) = 0
),
pasts as (
  -- What is known of their users. A user has hundreds of sign-ins, so that nothing long goes along.
  select
    suspects.caller_key,
    suspects.hour,
    past.user_id,
    past.customer_tenant_id as sign_in_tenant_id,
    array_agg(distinct past.country order by past.country) as usual_countries,
    array_agg(distinct past.ip) as addresses
  from (
    select distinct caller_key, hour, user_id, sign_in_tenant_id
    from suspects
  ) as suspects
  join sign_ins as past
    on past.user_key = suspects.caller_key
    and past.user_id = suspects.user_id
    and past.event_at >= suspects.hour - interval '29 days'
    and past.event_at < suspects.hour - interval '24 hours'
  where coalesce(past.customer_tenant_id, '') = coalesce(suspects.sign_in_tenant_id, '')
  group by suspects.caller_key, suspects.hour, past.user_id, past.customer_tenant_id
  having min(past.event_at) <= suspects.hour - interval '3 days'
    and count(distinct past.day) >= 2
    and 2 * count(past.device_id) > count(*)
),
sessions as (
  select
    suspects.*,
    pasts.usual_countries
  from suspects
  join pasts
    on pasts.caller_key = suspects.caller_key
    and pasts.hour = suspects.hour
    and pasts.user_id = suspects.user_id
    and coalesce(pasts.sign_in_tenant_id, '') = coalesce(suspects.sign_in_tenant_id, '')
  where not array_has(pasts.addresses, suspects.address)
    and not array_has_any(suspects.countries, pasts.usual_countries)
)
select
  sessions.subscription_id,
  coalesce(max(sessions.customer_tenant_id), max(sessions.sign_in_tenant_id)) as customer_tenant_id,
  min(sessions.signed_in_at) as first_observed_at,
  max(sessions.last_at) as last_observed_at,
  array_slice(array_sort(array_distinct(flatten(array_agg(sessions.resources)))), 1, 25) as resources,
  concat(
    max(sessions.user_principal_name), ' signed in from ', max(sessions.new_place),
    ' on a device that is not registered, while most of this user''s sign-ins of the 28 days before show one and none came from that country. ',
    'Resources changed from there: ', array_length(array_distinct(flatten(array_agg(sessions.resources)))), '.'
  ) as description,
  sessions.user_id,
  max(sessions.user_principal_name) as user_principal_name,
  array_agg(distinct sessions.address order by sessions.address) as caller_addresses,
  array_sort(array_distinct(flatten(array_agg(sessions.operations)))) as operations,
  max(sessions.new_place) as new_place,
  max(sessions.usual_countries) as usual_countries,
  max(sessions.operating_system) as operating_system
from sessions
-- A country in which two colleagues were in the four weeks before is the company's, not a thief's.
left join sign_in as colleague
  on colleague.customer_tenant_id = sessions.sign_in_tenant_id
  and array_has(sessions.countries, colleague.country)
  and colleague.user_id <> sessions.user_id
  and colleague.error_code = 0
  and colleague.event_at >= sessions.hour - interval '29 days'
  and colleague.event_at < sessions.hour - interval '24 hours'
group by sessions.subscription_id, sessions.user_id, sessions.hour
having count(distinct colleague.user_id) < 2
