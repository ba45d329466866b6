-- Users and applications that slept for a month, signed in and changed resources within a day: one row
-- for each tenant, principal, subscription and hour of the changes.
--
-- Asleep means no sign-in, no write and no directory change anywhere for 31 days, up to 24 hours before
-- the hour; a job that runs on the first of each month does not sleep that long. Who was never seen in
-- the 30 days before that is new, not asleep. Where sign-ins of that kind were not taken in meanwhile,
-- everybody would seem asleep: then nothing is told.
with changes as (
  select
    customer_tenant_id as tenant,
    subscription_id,
    caller_id as principal_id,
    max(coalesce(caller, caller_id)) as principal,
    date_trunc('hour', event_at) as hour,
    min(event_at) as first_at,
    max(event_at) as last_at,
    count(distinct concat(correlation_id, resource_id)) as changes,
    count(distinct case
      when operation in (
        'microsoft.authorization/roleassignments/write',
        'microsoft.compute/virtualmachines/write',
        'microsoft.compute/virtualmachinescalesets/write',
        'microsoft.batch/batchaccounts/pools/write',
        'microsoft.containerinstance/containergroups/write',
        'microsoft.machinelearningservices/workspaces/computes/write'
      ) then concat(correlation_id, resource_id)
    end) as grave_changes,
    array_slice(array_agg(distinct operation order by operation), 1, 25) as operations,
    array_agg(distinct caller_ip order by caller_ip) filter (where caller_ip is not null) as addresses,
    array_slice(array_agg(distinct resource_id order by resource_id) filter (where resource_id is not null), 1, 25) as resources
  from activity
  where event_at >= $since - interval '1 hour'
    and (operation like '%/write' or operation like '%/delete')
    and coalesce(status, 'succeeded') in ('accepted', 'succeeded')
    and coalesce(caller_type, 'user') <> 'managed_identity'
    and customer_tenant_id is not null
    and subscription_id is not null
    and caller_id is not null
  group by customer_tenant_id, subscription_id, caller_id, date_trunc('hour', event_at)
),
quiet as (
  -- Nearly all who change something did so last week too; this drops them before two months are read.
  select changes.*
  from changes
  left anti join (
    select distinct caller_id, day
    from activity
    where event_at >= $since - interval '9 days'
  ) as recent
    on recent.caller_id = changes.principal_id
    and recent.day >= cast(changes.hour as date) - 7
    and recent.day <= cast(changes.hour as date) - 2
),
life as (
  -- A partner's technician is awake whichever customer it works for, so the tenant does not matter.
  select
    case when sign_in_type = 'service_principal' then service_principal_id else user_id end as principal_id,
    event_at,
    sign_in_type,
    country
  from sign_in
  where error_code = 0
    and sign_in_type <> 'managed_identity'
  union all
  select caller_id, event_at, cast(null as varchar), cast(null as varchar)
  from activity
  union all
  select actor_id, event_at, cast(null as varchar), cast(null as varchar)
  from audit
),
woken as (
  select
    quiet.tenant,
    quiet.subscription_id,
    quiet.principal_id,
    quiet.hour,
    max(case when life.event_at < quiet.hour - interval '32 days' then life.event_at end) as last_seen_at,
    min(case when life.event_at >= quiet.hour - interval '24 hours' then life.event_at end) as woke_at,
    bool_or(life.sign_in_type = 'service_principal') as is_application,
    array_agg(distinct life.country order by life.country)
      filter (where life.country is not null and life.event_at < quiet.hour - interval '32 days') as usual_countries,
    array_agg(distinct life.country order by life.country)
      filter (where life.country is not null and life.event_at >= quiet.hour - interval '24 hours') as countries
  from quiet
  join life
    on life.principal_id = quiet.principal_id
    and life.event_at >= quiet.hour - interval '62 days'
    and life.event_at <= quiet.last_at
  group by quiet.tenant, quiet.subscription_id, quiet.principal_id, quiet.hour
  having count(case
      when life.event_at >= quiet.hour - interval '32 days' and life.event_at < quiet.hour - interval '24 hours' then 1
    end) = 0
    and max(case when life.event_at < quiet.hour - interval '32 days' then 1 end) = 1
    and bool_or(life.sign_in_type is not null and life.event_at >= quiet.hour - interval '24 hours')
),
trusted as (
  -- In at least ten of the 31 days somebody else signed in the same way, so the log was there.
  select
    woken.tenant,
    woken.subscription_id,
    woken.principal_id,
    woken.hour,
    max(woken.last_seen_at) as last_seen_at,
    max(woken.woke_at) as woke_at,
    max(woken.usual_countries) as usual_countries,
    max(woken.countries) as countries
  from woken
  join sign_in as others
    on others.customer_tenant_id = woken.tenant
    and (others.sign_in_type = 'service_principal') = woken.is_application
    and others.event_at >= woken.hour - interval '32 days'
    and others.event_at < woken.hour - interval '24 hours'
  group by woken.tenant, woken.subscription_id, woken.principal_id, woken.hour
  having count(distinct others.day) >= 10
),
weighed as (
  select
    quiet.*,
    trusted.last_seen_at,
    trusted.woke_at,
    trusted.countries,
    trusted.usual_countries,
    array_except(trusted.countries, trusted.usual_countries) as new_countries
  from quiet
  join trusted
    on trusted.tenant = quiet.tenant
    and trusted.subscription_id = quiet.subscription_id
    and trusted.principal_id = quiet.principal_id
    and trusted.hour = quiet.hour
)
select
  subscription_id,
  tenant as customer_tenant_id,
  tenant,
  woke_at as first_observed_at,
  last_at as last_observed_at,
  resources,
  case
    when coalesce(array_length(new_countries), 0) > 0 and grave_changes > 0 then 'high'
    when coalesce(array_length(new_countries), 0) > 0 or grave_changes > 0 then 'medium'
    else 'low'
  end as severity,
  case
    when coalesce(array_length(new_countries), 0) > 0 and grave_changes > 0 then 'high'
    when coalesce(array_length(new_countries), 0) > 0 or grave_changes > 0 then 'medium'
    else 'low'
  end as confidence,
  concat(
    principal, ' had not been seen for ', cast(floor(date_part('epoch', woke_at - last_seen_at) / 86400) as bigint),
    ' days, signed in and within a day made ', changes, ' changes on the subscription',
    case when grave_changes > 0 then concat(', ', grave_changes, ' of them to machines or roles') else '' end, '.',
    case
      when coalesce(array_length(new_countries), 0) > 0 then concat(
        ' It came from ', array_to_string(new_countries, ', '), '; before, from ', array_to_string(usual_countries, ', '), '.'
      )
      else ''
    end
  ) as description,
  principal_id,
  principal,
  last_seen_at,
  woke_at,
  addresses as caller_addresses,
  countries,
  usual_countries,
  changes,
  grave_changes,
  operations
from weighed
where last_at >= $since
