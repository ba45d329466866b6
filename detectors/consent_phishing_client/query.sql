-- Microsoft's own clients used for Microsoft Graph by a user who never did so, one row for each user,
-- client and hour.
--
-- Thieves ask for tokens in the name of clients that need no consent: Visual Studio Code with a link whose
-- answer the user is to send back, or the command lines. Held against the 28 days before the hour,
-- without the last 24 hours: the user must not have used that client (Visual Studio Code: for Graph), and the
-- address and its system, or else country, must be new; for the command lines the country, too. Developers
-- do all this at their desk every day. Without a week of history newness says nothing; then only
-- Visual Studio Code is told of, for the list.
with clients as (
  select
    customer_tenant_id,
    user_id,
    app_id,
    date_trunc('hour', event_at) as hour,
    ip,
    autonomous_system,
    country,
    case app_id
      when 'aebc6443-996d-45c2-90f0-388ff96faa56' then 'Visual Studio Code'
      when '04b07795-8ddb-461a-bbee-02f9e1bf7b46' then 'Azure CLI'
      else 'Azure PowerShell'
    end as client,
    max(user_principal_name) as user_principal_name,
    min(event_at) as first_at,
    max(event_at) as last_at,
    count(*) as sign_ins,
    max(user_agent) as user_agent
  from sign_in
  where app_id in (
      'aebc6443-996d-45c2-90f0-388ff96faa56',
      '04b07795-8ddb-461a-bbee-02f9e1bf7b46',
      '1950a258-227b-4e31-a9cf-717495945fc2'
    )
    and (target_id = '00000003-0000-0000-c000-000000000000' or target_name = 'Microsoft Graph')
    and error_code = 0
    and user_id is not null
    and customer_tenant_id is not null
    and event_at >= $since - interval '1 hour'
  group by customer_tenant_id, user_id, app_id, date_trunc('hour', event_at), ip, autonomous_system, country
),
compared as (
  select
    clients.customer_tenant_id,
    clients.user_id,
    clients.app_id,
    clients.client,
    clients.hour,
    clients.ip,
    clients.autonomous_system,
    clients.country,
    max(clients.user_principal_name) as user_principal_name,
    max(clients.first_at) as first_at,
    max(clients.last_at) as last_at,
    max(clients.sign_ins) as sign_ins,
    max(clients.user_agent) as user_agent,
    count(distinct past.day) as history_days,
    coalesce(bool_or(past.ip = clients.ip), false) as address_known,
    coalesce(bool_or(past.country = clients.country), false) as country_known,
    coalesce(bool_or(past.autonomous_system = clients.autonomous_system), false) as system_known,
    array_agg(distinct past.country order by past.country) filter (where past.country is not null) as usual_countries
  from clients
  left join sign_in as past
    on past.user_id = clients.user_id
    and past.error_code = 0
    and past.event_at >= clients.hour - interval '29 days'
    and past.event_at < clients.hour - interval '24 hours'
  group by
    clients.customer_tenant_id,
    clients.user_id,
    clients.app_id,
    clients.client,
    clients.hour,
    clients.ip,
    clients.autonomous_system,
    clients.country
  having not coalesce(
    bool_or(
      past.app_id = clients.app_id
        and (clients.client <> 'Visual Studio Code' or past.target_name = 'Microsoft Graph'
          or past.target_id = '00000003-0000-0000-c000-000000000000')
    ),
    false
  )
),
judged as (
  select
    *,
    history_days >= 7
      and not address_known
      and not (case when autonomous_system is null then country_known else system_known end)
      and (client = 'Visual Studio Code' or (country is not null and not country_known)) as is_strange
  from compared
)
select
  '00000000-0000-0000-0000-000000000000' as subscription_id,
  customer_tenant_id,
  min(first_at) as first_observed_at,
  max(last_at) as last_observed_at,
  case when bool_or(is_strange) then 'medium' else 'informational' end as severity,
  case when bool_or(is_strange and country is not null and not country_known) then 'medium' else 'low' end as confidence,
  concat(
    max(user_principal_name), ' signed in to Microsoft Graph with the client of ', client, ' from ', max(concat_ws(', ', ip, country)), '. ',
    case
      when bool_or(is_strange) then 'In the 28 days before, the user did not use that client so, nor that network.'
      else 'There is no history to compare it with.'
    end
  ) as description,
  customer_tenant_id as tenant,
  user_id,
  client,
  app_id,
  max(user_principal_name) as user_principal_name,
  array_agg(distinct ip order by ip) filter (where ip is not null) as addresses,
  array_agg(distinct country order by country) filter (where country is not null) as countries,
  max(usual_countries) as usual_countries,
  sum(sign_ins) as sign_ins,
  max(user_agent) as user_agent,
  max(history_days) as history_days
from judged
where is_strange
  or (history_days < 7 and client = 'Visual Studio Code')
group by customer_tenant_id, user_id, client, app_id, hour
