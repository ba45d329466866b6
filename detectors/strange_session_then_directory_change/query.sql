-- Changes of the directory in a session that does not look like the user's, one row for each tenant, user and hour of the
-- changes.
--
-- The user's successful sign-ins of the 24 hours before the hour and of the hour itself are recent, those of the 28 days
-- before are history. Three signs must come together: recent sign-ins from the network of the change come from countries
-- that are in the history neither of the user nor of two colleagues; none of them shows a device, while most of the history
-- does; the address itself is not in the history. The history must be of several days, or newness says nothing.
--
-- Told are changes by which intruders stay or go further. Whoever runs a directory makes them, too, but seldom abroad on
-- somebody else's computer.
--
-- DataFusion runs a part of `with` once for each place that names it. Those that are named twice are small.
with telling (operation, lasts) as (
  values
    ('add service principal credentials', true),
    ('update application – certificates and secrets management', true),
    ('update application - certificates and secrets management', true),
    ('add owner to application', true),
    ('add owner to service principal', true),
    ('consent to application', true),
    ('add delegated permission grant', true),
    ('add app role assignment to service principal', true),
    ('add member to role', true),
    ('add eligible member to role', true),
    ('add member to role outside of pim (permanent)', true),
    ('add member to role in pim completed (permanent)', true),
    ('add eligible member to role in pim completed (permanent)', true),
    ('add conditional access policy', true),
    ('update conditional access policy', true),
    ('delete conditional access policy', true),
    ('update security defaults', true),
    ('add named location', true),
    ('update named location', true),
    ('update authorization policy', true),
    ('set domain authentication', true),
    ('set federation settings on domain', true),
    ('add unverified domain', true),
    ('verify domain', true),
    ('add partner to company', true),
    ('add user', true),
    ('invite external user', true),
    ('reset user password', true),
    ('disable strong authentication', true),
    ('admin deleted security info', true),
    ('admin registered security info', true),
    ('admin updated security info', true),
    ('add member to role completed (pim activation)', false),
    ('user registered security info', false),
    ('user registered all required security info', false),
    ('register device', false),
    ('add registered owner to device', false)
),
changes as (
  select
    audit.customer_tenant_id as tenant,
    audit.actor_id as user_id,
    audit.actor_ip as address,
    -- The same 24 bits of IPv4, the same 64 of IPv6.
    regexp_replace(audit.actor_ip, '^(([0-9a-f]*:){4}|([0-9]+\.){3}).*$', '\1') as network,
    date_trunc('hour', audit.event_at) as hour,
    max(audit.actor) as actor,
    max(audit.event_at) as last_at,
    bool_or(telling.lasts) as lasts,
    array_agg(distinct audit.operation order by audit.operation) as operations,
    array_agg(distinct coalesce(audit.target, audit.target_id) order by coalesce(audit.target, audit.target_id))
      filter (where coalesce(audit.target, audit.target_id) is not null) as targets
  from audit
  join telling
    on telling.operation = audit.operation
  where audit.event_at >= $since - interval '2 hours'
    and coalesce(audit.result, 'success') in ('success', 'succeeded')
    and audit.customer_tenant_id is not null
    and audit.actor_id is not null
    and audit.actor_ip is not null
    and ip_is_private(audit.actor_ip) = false
  group by audit.customer_tenant_id, audit.actor_id, audit.actor_ip, date_trunc('hour', audit.event_at)
),
sign_ins as (
  select
    *,
    regexp_replace(ip, '^(([0-9a-f]*:){4}|([0-9]+\.){3}).*$', '\1') as network
  from sign_in
  where error_code = 0
    and user_id is not null
    and country is not null
    and event_at >= $since - interval '30 days'
),
suspects as (
  -- Changes with all sign-ins of the day before from their network, if none of these shows a device.
  select
    changes.tenant,
    changes.user_id,
    changes.address,
    changes.hour,
    max(changes.actor) as actor,
    max(changes.last_at) as last_at,
    bool_or(changes.lasts) as lasts,
    max(changes.operations) as operations,
    max(changes.targets) as targets,
    max(sign_ins.user_principal_name) as user_principal_name,
    min(sign_ins.event_at) as signed_in_at,
    array_agg(distinct sign_ins.country order by sign_ins.country) as countries,
    max(concat_ws(', ', sign_ins.ip, sign_ins.city, sign_ins.country)) as new_place,
    max(sign_ins.operating_system) as operating_system
  from changes
  join sign_ins
    on sign_ins.user_id = changes.user_id
    and sign_ins.network = changes.network
    and sign_ins.event_at >= changes.hour - interval '24 hours'
    and sign_ins.event_at <= changes.last_at
  where sign_ins.event_at >= $since - interval '28 hours'
  group by changes.tenant, changes.user_id, changes.address, changes.hour
  having count(sign_ins.device_id) = 0
),
sessions as (
  -- What is known of their users.
  select
    suspects.tenant,
    suspects.user_id,
    suspects.address,
    suspects.hour,
    max(suspects.actor) as actor,
    max(suspects.last_at) as last_at,
    bool_or(suspects.lasts) as lasts,
    max(suspects.operations) as operations,
    max(suspects.targets) as targets,
    max(suspects.user_principal_name) as user_principal_name,
    max(suspects.signed_in_at) as signed_in_at,
    suspects.countries,
    max(suspects.new_place) as new_place,
    max(suspects.operating_system) as operating_system,
    array_agg(distinct past.country order by past.country) as usual_countries
  from suspects
  join sign_ins as past
    on past.user_id = suspects.user_id
    and past.event_at >= suspects.hour - interval '29 days'
    and past.event_at < suspects.hour - interval '24 hours'
  group by suspects.tenant, suspects.user_id, suspects.address, suspects.hour, suspects.countries
  having min(past.event_at) <= suspects.hour - interval '3 days'
    and count(distinct past.day) >= 2
    and 2 * count(past.device_id) > count(*)
    and not bool_or(past.ip = suspects.address)
    and not bool_or(array_has(suspects.countries, past.country))
)
select
  '00000000-0000-0000-0000-000000000000' as subscription_id,
  sessions.tenant as customer_tenant_id,
  min(sessions.signed_in_at) as first_observed_at,
  max(sessions.last_at) as last_observed_at,
  case when bool_or(sessions.lasts) then 'high' else 'medium' end as severity,
  concat(
    max(coalesce(sessions.user_principal_name, sessions.actor)), ' signed in from ', max(sessions.new_place),
    ' on a device that is not registered, while most of this user''s sign-ins of the 28 days before show one and none came from that country. ',
    'Changed in the directory from there: ', array_to_string(array_sort(array_distinct(flatten(array_agg(sessions.operations)))), ', '), '.'
  ) as description,
  sessions.tenant,
  sessions.user_id,
  max(sessions.user_principal_name) as user_principal_name,
  array_agg(distinct sessions.address order by sessions.address) as actor_addresses,
  array_sort(array_distinct(flatten(array_agg(sessions.operations)))) as operations,
  array_slice(
    array_sort(array_distinct(flatten(array_agg(sessions.targets) filter (where sessions.targets is not null)))), 1, 25
  ) as targets,
  max(sessions.new_place) as new_place,
  max(sessions.usual_countries) as usual_countries,
  max(sessions.operating_system) as operating_system
from sessions
-- A country in which two colleagues were in the four weeks before is the company's, not a thief's.
left join sign_in as colleague
  on colleague.customer_tenant_id = sessions.tenant
  and array_has(sessions.countries, colleague.country)
  and colleague.user_id <> sessions.user_id
  and colleague.error_code = 0
  and colleague.event_at >= sessions.hour - interval '29 days'
  and colleague.event_at < sessions.hour - interval '24 hours'
group by sessions.tenant, sessions.user_id, sessions.hour
having count(distinct colleague.user_id) < 2
