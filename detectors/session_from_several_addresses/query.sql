-- One session used from two places within an hour, one row for each user and hour of the second use.
--
-- A session lives in one browser or on one device. If it turns up in another network and on another
-- kind of machine, or in a country that is new for the user, somebody has copied it. Each use for
-- Microsoft Graph or Azure is held against the use before it in the same session. Telephones change
-- networks all day, so a new network alone is never enough. Addresses of Microsoft (AS 8075) are left
-- out, since its services act for users from there.
--
-- History are the 28 days before the hour, without the last 24 hours; without a week of it newness
-- says nothing.
with uses as (
  select
    *,
    lag(named_struct(
      'at', event_at, 'ip', ip, 'country', country, 'system', autonomous_system, 'device', device_id, 'os', operating_system,
      'agent', user_agent, 'app', app_name
    )) over (
      partition by customer_tenant_id, user_id, session_id
      order by event_at, ip, correlation_id
    ) as before
  from sign_in
  where session_id is not null
    and user_id is not null
    and customer_tenant_id is not null
    and ip is not null
    and (error_code = 0 or (error_code is null and conditional_access = 'success'))
    and coalesce(autonomous_system, 0) <> 8075
    and event_at >= $since - interval '3 hours'
),
moves as (
  select
    *,
    date_trunc('hour', event_at) as hour,
    -- Only the name of the system counts: its version is written in many ways.
    coalesce(regexp_replace(lower(operating_system), '[^a-z]', '', 'g') <> regexp_replace(lower(before['os']), '[^a-z]', '', 'g'), false)
      or coalesce(device_id <> before['device'], false)
      or coalesce(
        regexp_like(lower(user_agent), 'python|curl/|go-http-client|axios|aiohttp|httpx')
          and not regexp_like(lower(before['agent']), 'python|curl/|go-http-client|axios|aiohttp|httpx'),
        false
      ) as other_client
  from uses
  where event_at >= $since - interval '1 hour'
    and (
      lower(target_name) in ('microsoft graph', 'windows azure service management api', 'microsoft azure management', 'azure resource manager')
      or target_id in ('00000003-0000-0000-c000-000000000000', '797f4846-ba00-4fd7-ba43-dac1f8f63013')
    )
    and before['at'] >= event_at - interval '1 hour'
    and before['ip'] <> ip
    and (
      country <> before['country']
      or autonomous_system <> before['system']
      -- Where nothing but the address is known: other 24 bits of IPv4, other 64 of IPv6.
      or (
        coalesce(country, before['country']) is null
        and coalesce(autonomous_system, before['system']) is null
        and regexp_replace(ip, '^(([0-9a-f]*:){4}|([0-9]+\.){3}).*$', '\1')
          <> regexp_replace(before['ip'], '^(([0-9a-f]*:){4}|([0-9]+\.){3}).*$', '\1')
      )
    )
),
compared as (
  select
    moves.customer_tenant_id,
    moves.user_id,
    moves.hour,
    moves.session_id,
    moves.ip,
    moves.country,
    moves.autonomous_system,
    moves.before,
    moves.event_at,
    max(moves.user_principal_name) as user_principal_name,
    max(moves.app_name) as app_name,
    max(moves.target_name) as target_name,
    max(moves.operating_system) as operating_system,
    max(moves.user_agent) as user_agent,
    max(moves.device_id) as device_id,
    bool_or(moves.other_client) as other_client,
    count(distinct past.day) as history_days,
    coalesce(bool_or(past.ip = moves.ip), false) as address_known,
    coalesce(bool_or(past.country = moves.country), false) as country_known,
    coalesce(bool_or(past.autonomous_system = moves.autonomous_system), false) as system_known
  from moves
  left join sign_in as past
    on past.user_id = moves.user_id
    and past.error_code = 0
    and past.event_at >= moves.hour - interval '29 days'
    and past.event_at < moves.hour - interval '24 hours'
  group by
    moves.customer_tenant_id,
    moves.user_id,
    moves.hour,
    moves.session_id,
    moves.ip,
    moves.country,
    moves.autonomous_system,
    moves.before,
    moves.event_at
),
judged as (
  select
    *,
    history_days >= 7
      and not address_known
      and not (case when autonomous_system is null then country_known else system_known end) as is_strange,
    -- A telephone abroad has its home country on the carrier's network and the new one on that of a hotel.
    -- A device that is in both places has a private network switched on.
    country <> before['country']
      and not country_known
      and coalesce(device_id <> before['device'], true)
      and not regexp_like(lower(coalesce(operating_system, '')), 'ios|android') as is_abroad
  from compared
)
select
  '00000000-0000-0000-0000-000000000000' as subscription_id,
  customer_tenant_id,
  min(before['at']) as first_observed_at,
  max(event_at) as last_observed_at,
  case
    when bool_or(is_strange and other_client and is_abroad) then 'high'
    when bool_or(is_strange and other_client) then 'medium'
    else 'low'
  end as severity,
  case
    when bool_or(is_strange and other_client and is_abroad) then 'high'
    when bool_or(is_strange and other_client) then 'medium'
    else 'low'
  end as confidence,
  concat(
    'A session of ', max(user_principal_name), ' was used from ', max(concat_ws(', ', before['ip'], before['country'])), ' and within ',
    max(cast(ceil(extract(epoch from event_at - before['at']) / 60) as bigint)), ' minutes from ', max(concat_ws(', ', ip, country)),
    ' for ', max(target_name), '.',
    case when bool_or(is_strange) then ' The user did not use that network in the 28 days before.' else '' end,
    case when bool_or(other_client) then ' It was also another kind of client.' else '' end
  ) as description,
  customer_tenant_id as tenant,
  user_id,
  max(user_principal_name) as user_principal_name,
  array_agg(distinct session_id order by session_id) as sessions,
  array_agg(distinct concat_ws(', ', before['ip'], before['country'], cast(before['system'] as varchar), before['os'], before['agent'])
    order by concat_ws(', ', before['ip'], before['country'], cast(before['system'] as varchar), before['os'], before['agent']))
    as used_before_from,
  array_agg(distinct concat_ws(', ', ip, country, cast(autonomous_system as varchar), operating_system, user_agent)
    order by concat_ws(', ', ip, country, cast(autonomous_system as varchar), operating_system, user_agent)) as used_then_from,
  array_agg(distinct app_name order by app_name) filter (where app_name is not null) as applications,
  max(target_name) as target_name,
  max(history_days) as history_days
from judged
where (is_strange and (other_client or is_abroad))
  or (history_days < 7 and other_client)
group by customer_tenant_id, user_id, hour
