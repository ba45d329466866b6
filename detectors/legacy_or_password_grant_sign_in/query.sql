-- Sign-ins with nothing but a password, by a user who never did so, one row for each user and hour.
--
-- Legacy protocols and the password grant (ROPC) cannot ask for a second factor, so thieves try stolen
-- passwords there. Held against the 28 days before the hour, without the last 24 hours: the user must
-- have used neither, and the address and its system, or else country, must be new for the user. Without a
-- week of history newness says nothing; then only a script with the password grant is told of, once, for
-- the list.
with passwords as (
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
    count(*) as sign_ins,
    bool_or(authentication_protocol = 'ropc') as password_grant,
    bool_or(regexp_like(lower(user_agent), 'python|curl/|go-http-client|axios|aiohttp|httpx|bav2ropc')) as by_script,
    array_agg(distinct client_app order by client_app) filter (where client_app is not null) as client_apps,
    array_agg(distinct app_name order by app_name) filter (where app_name is not null) as applications,
    array_agg(distinct target_name order by target_name) filter (where target_name is not null) as targets,
    array_agg(distinct user_agent order by user_agent) filter (where user_agent is not null) as user_agents
  from sign_in
  where error_code = 0
    and coalesce(authentication_requirement, 'singlefactorauthentication') = 'singlefactorauthentication'
    and (
      authentication_protocol = 'ropc'
      or client_app in (
        'authenticated smtp', 'smtp', 'autodiscover', 'exchange activesync', 'exchange online powershell', 'exchange web services',
        'imap4', 'imap', 'mapi over http', 'mapi', 'offline address book', 'outlook anywhere (rpc over http)', 'pop3', 'pop',
        'reporting web services', 'universal outlook', 'other clients'
      )
    )
    and user_id is not null
    and customer_tenant_id is not null
    and event_at >= $since - interval '1 hour'
  group by customer_tenant_id, user_id, date_trunc('hour', event_at), ip, autonomous_system, country
),
compared as (
  select
    passwords.customer_tenant_id,
    passwords.user_id,
    passwords.hour,
    passwords.ip,
    passwords.autonomous_system,
    passwords.country,
    max(passwords.user_principal_name) as user_principal_name,
    max(passwords.first_at) as first_at,
    max(passwords.last_at) as last_at,
    max(passwords.sign_ins) as sign_ins,
    bool_or(passwords.password_grant) as password_grant,
    coalesce(bool_or(passwords.by_script), false) as by_script,
    max(passwords.client_apps) as client_apps,
    max(passwords.applications) as applications,
    max(passwords.targets) as targets,
    max(passwords.user_agents) as user_agents,
    count(distinct past.day) as history_days,
    coalesce(bool_or(past.ip = passwords.ip), false) as address_known,
    coalesce(bool_or(past.country = passwords.country), false) as country_known,
    coalesce(bool_or(past.autonomous_system = passwords.autonomous_system), false) as system_known,
    array_agg(distinct past.country order by past.country) filter (where past.country is not null) as usual_countries
  from passwords
  left join sign_in as past
    on past.user_id = passwords.user_id
    and past.error_code = 0
    and past.event_at >= passwords.hour - interval '29 days'
    and past.event_at < passwords.hour - interval '24 hours'
  group by passwords.customer_tenant_id, passwords.user_id, passwords.hour, passwords.ip, passwords.autonomous_system, passwords.country
  having not coalesce(
    bool_or(
      past.authentication_protocol = 'ropc'
      or past.client_app in (
        'authenticated smtp', 'smtp', 'autodiscover', 'exchange activesync', 'exchange online powershell', 'exchange web services',
        'imap4', 'imap', 'mapi over http', 'mapi', 'offline address book', 'outlook anywhere (rpc over http)', 'pop3', 'pop',
        'reporting web services', 'universal outlook', 'other clients'
      )
    ),
    false
  )
),
judged as (
  select
    *,
    history_days >= 7
      and not address_known
      and not (case when autonomous_system is null then country_known else system_known end) as is_strange
  from compared
)
select
  '00000000-0000-0000-0000-000000000000' as subscription_id,
  customer_tenant_id,
  min(first_at) as first_observed_at,
  max(last_at) as last_observed_at,
  case
    when bool_or(is_strange and (password_grant or not country_known)) then 'medium'
    when bool_or(is_strange) then 'low'
    else 'informational'
  end as severity,
  case when bool_or(is_strange and not country_known) then 'medium' else 'low' end as confidence,
  concat(
    max(user_principal_name), ' signed in with a password alone (',
    case when bool_or(password_grant) then 'password grant' else max(array_to_string(client_apps, ', ')) end,
    ') from ', max(concat_ws(', ', ip, country)), '. ',
    case
      when bool_or(is_strange) then 'This user did not do so in the 28 days before, and did not use that network.'
      else 'There is no history to compare it with, but a script did it.'
    end
  ) as description,
  customer_tenant_id as tenant,
  user_id,
  max(user_principal_name) as user_principal_name,
  array_agg(distinct ip order by ip) filter (where ip is not null) as addresses,
  array_agg(distinct country order by country) filter (where country is not null) as countries,
  max(usual_countries) as usual_countries,
  sum(sign_ins) as sign_ins,
  max(client_apps) as client_apps,
  max(applications) as applications,
  max(targets) as targets,
  max(user_agents) as user_agents,
  max(history_days) as history_days
from judged
where is_strange
  or (history_days < 7 and password_grant and by_script)
group by customer_tenant_id, user_id, hour
