-- Changes of Azure resources in a session that does not look like the user's, one row for each subscription, user and
-- hour of the changes.
--
-- For each hour in which a user changed something, the user's successful sign-ins of the 24 hours before it and of the
-- hour itself are recent, those of the 28 days before are history. Three signs must come together: recent sign-ins from
-- the network of the change come from countries that are in the history neither of the user nor of two colleagues; none of
-- them shows a device, while most of the history does; the address itself is not in the history. The history must be a
-- week long, or newness says nothing.
--
-- DataFusion runs a part of `with` once for each place that names it, so each is named once.
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
beside as (
  select
    changes.*,
    sign_ins.user_id,
    sign_ins.customer_tenant_id as sign_in_tenant_id,
    sign_ins.user_principal_name,
    sign_ins.event_at,
    sign_ins.ip,
    sign_ins.country,
    sign_ins.city,
    sign_ins.device_id,
    sign_ins.operating_system,
    sign_ins.event_at < changes.hour - interval '24 hours' as is_past,
    sign_ins.event_at >= changes.hour - interval '24 hours' and sign_ins.network = changes.network as is_session
  from changes
  join sign_ins
    on sign_ins.user_key = changes.caller_key
    and sign_ins.event_at >= changes.hour - interval '29 days'
    and sign_ins.event_at <= changes.last_at
),
sessions as (
  select
    subscription_id,
    address,
    hour,
    user_id,
    sign_in_tenant_id,
    max(customer_tenant_id) as customer_tenant_id,
    max(user_principal_name) as user_principal_name,
    max(last_at) as last_at,
    max(operations) as operations,
    max(resources) as resources,
    min(case when is_session then event_at end) as signed_in_at,
    array_agg(distinct country order by country) filter (where is_session) as countries,
    array_agg(distinct country order by country) filter (where is_past) as usual_countries,
    max(case when is_session then concat_ws(', ', ip, city, country) end) as new_place,
    max(case when is_session then operating_system end) as operating_system
  from beside
  group by subscription_id, caller_key, address, hour, user_id, sign_in_tenant_id
  having bool_or(is_session)
    and min(event_at) <= hour - interval '7 days'
    and count(case when is_session and device_id is not null then 1 end) = 0
    and count(case when is_past and device_id is not null then 1 end) * 2 > count(case when is_past then 1 end)
    and count(case when is_past and ip = address then 1 end) = 0
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
where not array_has_any(sessions.countries, sessions.usual_countries)
group by sessions.subscription_id, sessions.user_id, sessions.hour
having count(distinct colleague.user_id) < 2
