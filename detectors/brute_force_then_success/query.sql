-- Passwords guessed for one user until one is right, one row for each user and hour of the success, and
-- one more for each subscription and hour in which the user then changes something from that network.
--
-- At least twenty wrong passwords or locks within the six hours before the success, from the same network,
-- which nobody in the tenant used in the 28 days before the hour (without the last 24 hours) and whose
-- system, or else country, is new for the user. A telephone with an old password fails as often, but from
-- places the user is known in. Without a week of history of the tenant nothing is told.
--
-- DataFusion runs a part of `with` once for each place that names it, so each is named once.
with failures as (
  -- 50126 and 50064: wrong name or password; 50056: no or invalid password; 50053: locked after too many,
  -- or an address known to be malicious.
  select
    user_id,
    event_id,
    event_at,
    -- The same 24 bits of IPv4, the same 64 of IPv6.
    regexp_replace(ip, '^(([0-9a-f]*:){4}|([0-9]+\.){3}).*$', '\1') as network,
    count(*) over (partition by user_id) as failures_of_user
  from sign_in
  where error_code in (50126, 50053, 50056, 50064)
    and user_id is not null
    and ip is not null
    and event_at >= $since - interval '34 hours'
),
successes as (
  select
    sign_in.customer_tenant_id,
    sign_in.user_id,
    failures.network,
    sign_in.event_at,
    sign_in.ip,
    sign_in.autonomous_system,
    sign_in.country,
    max(sign_in.user_principal_name) as user_principal_name,
    max(sign_in.target_name) as target_name,
    min(failures.event_at) as first_failure_at,
    count(distinct failures.event_id) as failures
  from failures
  join sign_in
    on sign_in.user_id = failures.user_id
    and sign_in.event_at > failures.event_at
    and sign_in.event_at <= failures.event_at + interval '6 hours'
    and regexp_replace(sign_in.ip, '^(([0-9a-f]*:){4}|([0-9]+\.){3}).*$', '\1') = failures.network
  where failures.failures_of_user >= 20
    and sign_in.error_code = 0
    and sign_in.customer_tenant_id is not null
    and sign_in.event_at >= $since - interval '28 hours'
  group by 1, 2, 3, 4, 5, 6, 7
  having count(distinct failures.event_id) >= 20
),
guesses as (
  -- Few rows, since each is held against all sign-ins of its tenant.
  select
    customer_tenant_id,
    user_id,
    network,
    date_trunc('hour', event_at) as hour,
    ip,
    autonomous_system,
    country,
    max(user_principal_name) as user_principal_name,
    max(target_name) as target_name,
    min(first_failure_at) as first_failure_at,
    min(event_at) as first_at,
    max(event_at) as last_at,
    max(failures) as failures
  from successes
  group by customer_tenant_id, user_id, network, date_trunc('hour', event_at), ip, autonomous_system, country
),
compared as (
  select
    guesses.customer_tenant_id,
    guesses.user_id,
    guesses.network,
    guesses.hour,
    guesses.ip,
    guesses.country,
    max(guesses.user_principal_name) as user_principal_name,
    max(guesses.target_name) as target_name,
    max(guesses.first_failure_at) as first_failure_at,
    max(guesses.first_at) as first_at,
    max(guesses.last_at) as last_at,
    max(guesses.failures) as failures,
    array_agg(distinct past.country order by past.country) filter (where past.user_id = guesses.user_id and past.country is not null)
      as usual_countries
  from guesses
  left join sign_in as past
    on past.customer_tenant_id = guesses.customer_tenant_id
    and past.error_code = 0
    and past.event_at >= guesses.hour - interval '29 days'
    and past.event_at < guesses.hour - interval '24 hours'
  group by
    guesses.customer_tenant_id,
    guesses.user_id,
    guesses.network,
    guesses.hour,
    guesses.ip,
    guesses.autonomous_system,
    guesses.country
  having count(distinct past.day) >= 7
    and not coalesce(bool_or(past.ip = guesses.ip), false)
    and not coalesce(
      bool_or(case
        when past.user_id <> guesses.user_id then false
        when guesses.autonomous_system is null then past.country = guesses.country
        else past.autonomous_system = guesses.autonomous_system
      end),
      false
    )
),
changes as (
  -- Acceptance and success of one request are one change. A caller is known by object id, by name or both.
  select
    subscription_id,
    unnest(array_distinct(make_array(caller_id, caller))) as caller_key,
    resource_id,
    operation,
    regexp_replace(max(caller_ip), '^(([0-9a-f]*:){4}|([0-9]+\.){3}).*$', '\1') as network,
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
  compared.customer_tenant_id,
  min(compared.first_failure_at) as first_observed_at,
  greatest(max(compared.last_at), max(changes.last_at)) as last_observed_at,
  array_slice(array_agg(distinct changes.resource_id order by changes.resource_id) filter (where changes.resource_id is not null), 1, 25)
    as resources,
  case when changes.subscription_id is not null then 'high' else 'medium' end as severity,
  case when changes.subscription_id is not null then 'high' else 'medium' end as confidence,
  concat(
    'After ', max(compared.failures), ' failures within six hours, ', max(compared.user_principal_name), ' signed in from the same network, ',
    max(concat_ws(', ', compared.ip, compared.country)), '. Nobody in the tenant used that address in the 28 days before.',
    case when changes.subscription_id is not null
      then concat(' Azure resources were then changed from there: ', count(distinct changes.resource_id), '.') else '' end
  ) as description,
  compared.customer_tenant_id as tenant,
  compared.user_id,
  max(compared.user_principal_name) as user_principal_name,
  array_agg(distinct compared.ip order by compared.ip) as addresses,
  array_agg(distinct compared.country order by compared.country) filter (where compared.country is not null) as countries,
  max(compared.usual_countries) as usual_countries,
  max(compared.failures) as failures,
  20 as failures_needed,
  max(compared.target_name) as target_name,
  array_agg(distinct changes.operation order by changes.operation) filter (where changes.operation is not null) as operations
from compared
cross join stories
left join changes
  on changes.caller_key = case stories.kind
    when 'change by id' then compared.user_id
    when 'change by name' then compared.user_principal_name
  end
  and changes.network = compared.network
  and changes.first_at >= compared.first_at
  and changes.first_at <= compared.first_at + interval '24 hours'
where stories.kind = 'sign-in'
  or changes.subscription_id is not null
group by
  compared.customer_tenant_id,
  compared.user_id,
  changes.subscription_id,
  coalesce(date_trunc('hour', changes.first_at), compared.hour)
