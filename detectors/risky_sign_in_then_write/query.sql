-- Sign-ins that Entra calls risky, one row for each account and hour, and one more for each subscription
-- and hour in which the account then changes something.
--
-- The risk comes from Entra ID Protection, which only tenants with a P2 licence have; elsewhere it is
-- `hidden` and nothing is found. What was dismissed, remedied or confirmed safe no longer counts. A
-- medium risk counts only with a change from the same network. A sign-in that failed did no harm; of
-- those only the ones of service principals are told of, since no person mistypes their secrets.
--
-- A change from that network is worth an alert with one more sign: a country that the account did not sign in from in
-- the 28 days before, a detection of Entra's that is about the sign-in and not about what is unusual for the user, or,
-- with high risk, a change that intruders are after (see `changes`) and that the account did not make in that time. With
-- a medium risk it takes the country or the detection, and such a change or new computing. A new network around the
-- corner from which somebody restarts a machine is none of it.
--
-- DataFusion runs a part of `with` once for each place that names it, so each is named once.
with risky as (
  select
    customer_tenant_id,
    coalesce(user_id, service_principal_id, user_principal_name) as actor_id,
    date_trunc('hour', event_at) as hour,
    ip,
    error_code = 0 as succeeded,
    max(coalesce(user_principal_name, app_name)) as actor,
    min(event_at) as first_at,
    max(event_at) as last_at,
    count(*) as sign_ins,
    max(case when risk_level = 'high' or risk_state = 'confirmedcompromised' then 2 else 1 end) as risk,
    max(country) as country,
    max(target_name) as target_name,
    max(risk_state) as risk_state,
    max(coalesce(json_get_json(properties, 'riskEventTypes_v2'), json_get_json(properties, 'riskEventTypes'))) as risk_event_types
  from sign_in
  where (risk_level = 'high' or risk_state = 'confirmedcompromised' or (risk_level = 'medium' and risk_state = 'atrisk'))
    and coalesce(risk_state, '') not in ('dismissed', 'remediated', 'confirmedsafe')
    and (error_code = 0 or (sign_in_type = 'service_principal' and error_code is not null))
    and customer_tenant_id is not null
    and event_at >= $since - interval '28 hours'
  group by
    customer_tenant_id,
    coalesce(user_id, service_principal_id, user_principal_name),
    date_trunc('hour', event_at),
    ip,
    error_code = 0
),
changes as (
  -- Acceptance and success of one request are one change. A caller is known by object id, by name or both.
  select
    subscription_id,
    unnest(array_distinct(make_array(caller_id, caller))) as caller_key,
    resource_id,
    operation,
    -- Rights, keys, scripts, doors, automation, and the end of protection.
    regexp_like(
      operation,
      '^microsoft\.(authorization/role|authorization/elevate|authorization/locks/delete|managedservices|managedidentity|automation|quota|security)|(extensions|runcommands)/write$|/(runcommand|begingetaccess|purge|regeneratekey)/action$|securityrules/write$|accesspolicies|firewallrules|diagnosticsettings/delete$|(keys|webhooks)/write$|(vaults|protecteditems|snapshots|resourcegroups)/delete$'
    ) as is_grave,
    -- Computing is made every day, too.
    regexp_like(
      operation,
      '^microsoft\.(batch|containerservice|containerinstance|machinelearningservices)/.*write$|(virtualmachines|virtualmachinescalesets)/write$|storageaccounts/write$|blobservices/'
    ) as is_computing,
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
placed as (
  -- The key decides about a row; `max` only carries the rest along.
  select
    risky.customer_tenant_id,
    risky.actor_id,
    risky.hour,
    risky.ip,
    risky.succeeded,
    max(risky.actor) as actor,
    max(risky.first_at) as first_at,
    max(risky.last_at) as last_at,
    max(risky.sign_ins) as sign_ins,
    max(risky.risk) as risk,
    max(risky.country) as country,
    max(risky.target_name) as target_name,
    max(risky.risk_state) as risk_state,
    max(risky.risk_event_types) as risk_event_types,
    -- Without a few days of history no country is new.
    coalesce(bool_or(past.country = risky.country) or min(past.event_at) > risky.hour - interval '3 days', true) as country_known,
    array_agg(distinct past.ip) filter (where past.ip is not null and past.ip <> risky.ip) as usual_ips,
    coalesce(bool_or(regexp_like(
      lower(risky.risk_event_types),
      'anonymizedip|maliciousip|nationstateip|leakedcredentials|passwordspray|anomaloustoken|tokenissuer|attackerinthemiddle|threatactor|suspiciousbrowser|userreported'
    )), false) as is_told_of
  from risky
  left join sign_in as past
    on past.customer_tenant_id = risky.customer_tenant_id
    and coalesce(past.user_id, past.service_principal_id, past.user_principal_name) = risky.actor_id
    and past.error_code = 0
    and past.event_at >= risky.hour - interval '28 days'
    and past.event_at < risky.hour - interval '24 hours'
  group by risky.customer_tenant_id, risky.actor_id, risky.hour, risky.ip, risky.succeeded
),
habits as (
  -- Whose daily work it is to make machines or rules.
  select distinct unnest(make_array(caller_id, caller)) as caller_key, operation, day
  from activity
  where (operation like '%/write' or operation like '%/delete' or operation like '%/action')
    and coalesce(status, 'succeeded') in ('accepted', 'succeeded')
),
stories (kind) as (
  values ('sign-in'), ('change by id'), ('change by name')
),
matched as (
  select
    risky.*,
    changes.subscription_id,
    changes.resource_id,
    changes.operation,
    coalesce(changes.is_grave, false) and habits.operation is null as is_grave,
    coalesce(changes.is_grave or changes.is_computing, false) and habits.operation is null as is_sensitive,
    changes.address,
    changes.last_at as changed_at,
    coalesce(date_trunc('hour', changes.first_at), risky.hour) as story_hour,
    -- The same 24 bits of IPv4, the same 64 of IPv6; but an office may lie beside a rented machine.
    not coalesce(array_has(risky.usual_ips, changes.address), false) and coalesce(
      regexp_replace(changes.address, '^(([0-9a-f]*:){4}|([0-9]+\.){3}).*$', '\1')
        = regexp_replace(risky.ip, '^(([0-9a-f]*:){4}|([0-9]+\.){3}).*$', '\1'),
      false
    ) as same_network
  from placed as risky
  cross join stories
  left join changes
    on changes.caller_key = case stories.kind
      when 'change by id' then risky.actor_id
      when 'change by name' then risky.actor
    end
    and changes.first_at >= risky.first_at
    and changes.first_at <= risky.first_at + interval '24 hours'
    and risky.succeeded
  left join habits
    on habits.caller_key = changes.caller_key
    and habits.operation = changes.operation
    and habits.day >= cast(changes.first_at as date) - interval '28 days'
    and habits.day <= cast(changes.first_at as date) - interval '2 days'
  where stories.kind = 'sign-in'
    or changes.subscription_id is not null
)
select
  coalesce(subscription_id, '00000000-0000-0000-0000-000000000000') as subscription_id,
  customer_tenant_id,
  min(first_at) as first_observed_at,
  greatest(max(last_at), max(changed_at)) as last_observed_at,
  array_slice(array_agg(distinct resource_id order by resource_id) filter (where resource_id is not null), 1, 25) as resources,
  case
    when subscription_id is not null and bool_or(risk = 2 and same_network and (not country_known or is_told_of or is_grave))
      then 'high'
    when subscription_id is not null and bool_or(same_network and is_sensitive and (not country_known or is_told_of)) then 'medium'
    -- Entra calls many honest journeys a risk, and whoever administers Azure changes something every day, from
    -- the usual place too.
    when bool_or(succeeded) then 'low'
    else 'informational'
  end as severity,
  case
    when subscription_id is not null and bool_or(risk = 2 and same_network and (not country_known or is_told_of) and is_sensitive)
      then 'high'
    when subscription_id is not null and bool_or(
        same_network
          and (risk = 2 and (not country_known or is_told_of or is_grave) or is_sensitive and (not country_known or is_told_of))
      ) then 'medium'
    else 'low'
  end as confidence,
  concat(
    max(coalesce(actor, actor_id)), case when bool_or(succeeded) then ' signed in from ' else ' tried to sign in from ' end,
    max(concat_ws(', ', ip, country)), ', and Entra rates the risk of that sign-in ',
    case when max(risk) = 2 then 'high' else 'medium' end, '.',
    case
      when subscription_id is null then ''
      when bool_or(same_network and not country_known) then concat(
        ' The account did not sign in from that country in the 28 days before. Azure resources were then changed from the same network: ',
        count(distinct resource_id), '.'
      )
      when bool_or(same_network) then concat(' Azure resources were then changed from the same network: ', count(distinct resource_id), '.')
      else concat(' In the 24 hours after it, the account changed Azure resources from another network: ', count(distinct resource_id), '.')
    end
  ) as description,
  customer_tenant_id as tenant,
  actor_id,
  max(actor) as actor,
  array_agg(distinct ip order by ip) filter (where ip is not null) as addresses,
  array_agg(distinct country order by country) filter (where country is not null) as countries,
  case when max(risk) = 2 then 'high' else 'medium' end as risk_level,
  max(risk_state) as risk_state,
  max(risk_event_types) as risk_event_types,
  max(target_name) as target_name,
  array_agg(distinct address order by address) filter (where address is not null) as caller_addresses,
  array_agg(distinct operation order by operation) filter (where operation is not null) as operations
from matched
where risk = 2
  or same_network
group by customer_tenant_id, actor_id, subscription_id, story_hour
