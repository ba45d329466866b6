-- Sign-ins with a device code that do not fit the user, one row for each user and hour, and one more for
-- each subscription and hour in which the user then changes something from the same network.
--
-- Held against the 28 days before the hour, without the last 24 hours. A device code is odd if the user
-- never used one and comes from a new place, or if it is given to the Microsoft Authentication Broker:
-- its token can register a device and so becomes a key to everything. Without a week of history,
-- newness says nothing, and only the broker is told of.
--
-- DataFusion runs a part of `with` once for each place that names it, so each is named once.
with codes as (
  select
    customer_tenant_id,
    user_id,
    date_trunc('hour', event_at) as hour,
    ip,
    autonomous_system,
    country,
    max(user_principal_name) as user_principal_name,
    min(event_at) as first_at,
    max(event_at) as last_at,
    bool_or(app_id = '29d9ed98-a469-4536-ade2-f981bc1d605e') as broker,
    array_agg(distinct app_name order by app_name) filter (where app_name is not null) as applications,
    array_agg(distinct target_name order by target_name) filter (where target_name is not null) as targets,
    max(operating_system) as operating_system
  from sign_in
  where authentication_protocol = 'devicecode'
    and error_code = 0
    and user_id is not null
    and customer_tenant_id is not null
    and event_at >= $since - interval '28 hours'
  group by customer_tenant_id, user_id, date_trunc('hour', event_at), ip, autonomous_system, country
),
compared as (
  select
    codes.customer_tenant_id,
    codes.user_id,
    codes.hour,
    codes.ip,
    codes.autonomous_system,
    codes.country,
    max(codes.user_principal_name) as user_principal_name,
    max(codes.first_at) as first_at,
    max(codes.last_at) as last_at,
    bool_or(codes.broker) as broker,
    max(codes.applications) as applications,
    max(codes.targets) as targets,
    max(codes.operating_system) as operating_system,
    count(distinct past.day) as history_days,
    coalesce(bool_or(past.authentication_protocol = 'devicecode'), false) as code_known,
    coalesce(
      bool_or(past.authentication_protocol = 'devicecode' and past.app_id = '29d9ed98-a469-4536-ade2-f981bc1d605e'),
      false
    ) as broker_known,
    coalesce(bool_or(past.ip = codes.ip), false) as address_known,
    coalesce(
      bool_or(case when codes.autonomous_system is null then past.country = codes.country else past.autonomous_system = codes.autonomous_system end),
      false
    ) as place_known,
    array_agg(distinct past.country order by past.country) filter (where past.country is not null) as usual_countries
  from codes
  left join sign_in as past
    on past.user_id = codes.user_id
    and past.error_code = 0
    and past.event_at >= codes.hour - interval '29 days'
    and past.event_at < codes.hour - interval '24 hours'
  group by codes.customer_tenant_id, codes.user_id, codes.hour, codes.ip, codes.autonomous_system, codes.country
),
odd as (
  select
    *,
    history_days >= 7 and not address_known and not place_known as from_new_place
  from compared
  where (broker and not broker_known)
    or (history_days >= 7 and not code_known and not address_known and not place_known)
),
changes as (
  -- Acceptance and success of one request are one change. A caller is known by object id, by name or both.
  select
    subscription_id,
    unnest(array_distinct(make_array(caller_id, caller))) as caller_key,
    resource_id,
    operation,
    max(caller_ip) as address,
    min(event_at) as first_at,
    max(event_at) as last_at
  from activity
  where event_at >= $since - interval '2 hours'
    and (operation like '%/write' or operation like '%/delete' or operation like '%/action')
    and operation not like '%/list%/action'
    and coalesce(category, '') <> 'policy'
    and coalesce(status, 'succeeded') in ('accepted', 'succeeded')
    and subscription_id is not null
  group by subscription_id, caller_id, caller, resource_id, operation, correlation_id
),
stories (kind) as (
  values ('sign-in'), ('change by id'), ('change by name')
)
select
  coalesce(changes.subscription_id, '00000000-0000-0000-0000-000000000000') as subscription_id,
  odd.customer_tenant_id,
  min(odd.first_at) as first_observed_at,
  greatest(max(odd.last_at), max(changes.last_at)) as last_observed_at,
  array_slice(array_agg(distinct changes.resource_id order by changes.resource_id) filter (where changes.resource_id is not null), 1, 25)
    as resources,
  case when changes.subscription_id is not null then 'high' else 'medium' end as severity,
  case
    when changes.subscription_id is not null and bool_or(odd.broker) then 'high'
    when changes.subscription_id is not null or bool_or(odd.from_new_place) then 'medium'
    else 'low'
  end as confidence,
  concat(
    max(odd.user_principal_name), ' signed in with a device code for ', coalesce(max(array_to_string(odd.applications, ', ')), 'an application'),
    ' from ', max(concat_ws(', ', odd.ip, odd.country)), '.',
    case when bool_or(not odd.code_known and odd.history_days >= 7) then ' This user used no device code in the 28 days before.' else '' end,
    case when bool_or(odd.from_new_place) then ' The place is new for the user, too.' else '' end,
    case when bool_or(odd.broker) then ' The Microsoft Authentication Broker can register a device with such a code.' else '' end,
    case when changes.subscription_id is not null
      then concat(' Azure resources were then changed from the same network: ', count(distinct changes.resource_id), '.') else '' end
  ) as description,
  odd.customer_tenant_id as tenant,
  odd.user_id,
  max(odd.user_principal_name) as user_principal_name,
  array_agg(distinct odd.ip order by odd.ip) filter (where odd.ip is not null) as addresses,
  array_agg(distinct odd.country order by odd.country) filter (where odd.country is not null) as countries,
  max(odd.usual_countries) as usual_countries,
  max(odd.applications) as applications,
  max(odd.targets) as targets,
  max(odd.operating_system) as operating_system,
  max(odd.history_days) as history_days,
  array_agg(distinct changes.operation order by changes.operation) filter (where changes.operation is not null) as operations
from odd
cross join stories
left join changes
  on changes.caller_key = case stories.kind
    when 'change by id' then odd.user_id
    when 'change by name' then odd.user_principal_name
  end
  and changes.first_at >= odd.first_at
  and changes.first_at <= odd.first_at + interval '24 hours'
  -- The same 24 bits of IPv4, the same 64 of IPv6. From a familiar place, changes may well be the user's own.
  and regexp_replace(changes.address, '^(([0-9a-f]*:){4}|([0-9]+\.){3}).*$', '\1')
    = regexp_replace(odd.ip, '^(([0-9a-f]*:){4}|([0-9]+\.){3}).*$', '\1')
  and odd.from_new_place
where stories.kind = 'sign-in'
  or changes.subscription_id is not null
group by odd.customer_tenant_id, odd.user_id, changes.subscription_id, coalesce(date_trunc('hour', changes.first_at), odd.hour)
