-- Guests who got a role within seven days after they were invited, one row for each tenant, guest,
-- subscription and hour of the grant. Roles that only read are left out.
--
-- It weighs more the more the role can do, if the guest has a private mail address, if whoever invited or
-- granted did it from an address that they did not use before, and if whoever granted it granted nothing in
-- 28 days. That it came within a day counts only for roles that can give themselves everything: whoever
-- brings in a supplier invites and grants in one sitting, and from the usual desk. The last 24 hours are
-- not history; in a tenant whose audit log does not reach back two weeks nobody is new.
with assignments as (
  -- The principal stands in the record of the start, the success in another of the same request.
  select
    customer_tenant_id as tenant,
    subscription_id,
    max(caller_id) as granter_id,
    max(coalesce(caller, caller_id)) as granter,
    max(caller_ip) as granter_ip,
    min(event_at) as granted_at,
    max(event_at) as done_at,
    resource_id,
    max(case when lower(properties) like '%principalid%' then lower(properties) end) as text
  from activity
  where operation = 'microsoft.authorization/roleassignments/write'
    and event_at >= $since - interval '1 hour'
    and customer_tenant_id is not null
    and subscription_id is not null
    and resource_id is not null
  group by customer_tenant_id, subscription_id, resource_id, coalesce(correlation_id, cast(event_at as varchar))
  having bool_or(status in ('accepted', 'succeeded'))
),
grants as (
  select
    customer_tenant_id as tenant,
    '00000000-0000-0000-0000-000000000000' as subscription_id,
    coalesce(actor_id, actor_app_id, actor) as granter_id,
    coalesce(actor, actor_id, actor_app_id) as granter,
    actor_ip as granter_ip,
    event_at as granted_at,
    event_at as done_at,
    cast(null as varchar) as resource_id,
    target,
    lower(properties) as text,
    -- Privileged Identity Management names the role as what was changed.
    coalesce(role, case when target_type = 'role' then target end) as role
  from audit
  where operation in (
      'add member to role',
      'add scoped member to role',
      'add member to role outside of pim (permanent)',
      'add member to role in pim completed (permanent)',
      'add member to role in pim completed (timebound)',
      'add eligible member to role in pim completed (permanent)',
      'add eligible member to role in pim completed (timebound)'
    )
    and event_at >= $since - interval '1 hour'
    and coalesce(result, 'success') in ('success', 'succeeded')
    and customer_tenant_id is not null
  union all
  select
    tenant,
    subscription_id,
    granter_id,
    granter,
    granter_ip,
    granted_at,
    done_at,
    resource_id,
    cast(null as varchar),
    text,
    case
      when text like '%8e3af657-a8ff-443c-a75c-2fe8c4bcb635%' then 'Owner'
      when text like '%18d7d88d-d35e-4fb5-a5c3-7773c20a72d9%' then 'User Access Administrator'
      when text like '%f58310d9-a9f6-439a-9e8d-f62e7b41a168%' then 'Role Based Access Control Administrator'
      when text like '%b24988ac-6180-42a0-ab88-20f7382dd24c%' then 'Contributor'
      when text like '%acdd72a7-3385-48ef-bd42-f606fba81ae7%' then 'Reader'
      else 'another Azure role'
    end
  from assignments
),
invitations as (
  select
    customer_tenant_id as tenant,
    coalesce(actor_id, actor_app_id, actor) as inviter_id,
    coalesce(actor, actor_id, actor_app_id) as inviter,
    actor_ip as inviter_ip,
    event_at as invited_at,
    coalesce(target_id, target) as guest_id,
    target,
    regexp_match(replace(lower(properties), '\', ''), '"key":"inviteduseremailaddress","value":"([^"]*)"')[1] as mail
  from audit
  where operation in ('invite external user', 'invite external user with reset invitation status')
    and event_at >= $since - interval '8 days'
    and coalesce(result, 'success') in ('success', 'succeeded')
),
stories as (
  select
    grants.*,
    date_trunc('hour', grants.granted_at) as hour,
    invitations.guest_id,
    coalesce(invitations.mail, invitations.target, invitations.guest_id) as guest,
    invitations.inviter_id,
    invitations.inviter,
    invitations.invited_at,
    -- Of IPv6 the first 64 bits: machines change the rest by themselves.
    regexp_replace(grants.granter_ip, '^(([0-9a-f]*:){4}).*$', '\1') as granter_from,
    regexp_replace(invitations.inviter_ip, '^(([0-9a-f]*:){4}).*$', '\1') as inviter_from,
    split_part(invitations.mail, '@', 2) in (
      'gmail.com', 'googlemail.com', 'outlook.com', 'hotmail.com', 'live.com', 'yahoo.com', 'icloud.com',
      'proton.me', 'protonmail.com', 'gmx.com', 'gmx.de', 'gmx.net', 'mail.com', 'mail.ru', 'yandex.com'
    ) as private_mail,
    case
      when lower(grants.role) in (
        'global administrator', 'company administrator', 'privileged role administrator',
        'privileged authentication administrator',
        'owner', 'user access administrator', 'role based access control administrator'
      ) then 3
      when lower(grants.role) in (
        'application administrator', 'cloud application administrator', 'security administrator', 'user administrator',
        'exchange administrator', 'hybrid identity administrator', 'conditional access administrator',
        'authentication administrator', 'helpdesk administrator', 'intune administrator', 'contributor'
      ) then 2
      else 1
    end as power
  from grants
  join invitations
    on invitations.tenant = grants.tenant
    and invitations.invited_at between grants.granted_at - interval '7 days' and grants.granted_at
    and (strpos(grants.text, invitations.guest_id) > 0 or grants.target = invitations.target)
    and invitations.guest_id <> coalesce(grants.granter_id, '')
    -- A second account of the own company is no guest.
    and coalesce(split_part(invitations.mail, '@', 2) <> split_part(invitations.inviter, '@', 2), true)
  where lower(grants.role) not like '%reader%'
    and lower(grants.role) not in ('guest inviter', 'guest user')
),
judged as (
  select
    stories.tenant, stories.subscription_id, stories.guest_id, stories.guest, stories.hour, stories.granted_at, stories.done_at,
    stories.granter_id, stories.granter, stories.role, stories.power, stories.resource_id,
    stories.inviter, stories.invited_at, stories.private_mail,
    bool_or(past.grants is not null and past.event_at < stories.hour - interval '14 days') as tenant_known,
    bool_or(past.grants and past.who = stories.granter_id) as granter_known,
    bool_or(past.invites and past.who = stories.inviter_id) as inviter_known,
    stories.granter_from is null
      or bool_or(past.who = stories.granter_id and past.came_from = stories.granter_from) as granter_place_known,
    stories.inviter_from is null
      or bool_or(past.who = stories.inviter_id and past.came_from = stories.inviter_from) as inviter_place_known
  from stories
  left join (
    select
      customer_tenant_id,
      event_at,
      coalesce(actor_id, actor_app_id, actor) as who,
      operation like 'add %member to role%' as grants,
      operation = 'invite external user' as invites,
      regexp_replace(actor_ip, '^(([0-9a-f]*:){4}).*$', '\1') as came_from
    from audit
    union all
    select
      customer_tenant_id,
      event_at,
      caller_id,
      case when operation = 'microsoft.authorization/roleassignments/write' then true end,
      false,
      regexp_replace(caller_ip, '^(([0-9a-f]*:){4}).*$', '\1')
    from activity
    where caller_id is not null
  ) as past
    on past.customer_tenant_id = stories.tenant
    and past.event_at >= stories.hour - interval '28 days'
    and past.event_at < stories.hour - interval '24 hours'
  group by
    stories.tenant, stories.subscription_id, stories.guest_id, stories.guest, stories.hour, stories.granted_at, stories.done_at,
    stories.granter_id, stories.granter, stories.role, stories.power, stories.resource_id,
    stories.inviter, stories.invited_at, stories.private_mail, stories.granter_from, stories.inviter_from
),
signed as (
  select
    *,
    coalesce(private_mail, false) as from_private_mailbox,
    coalesce(tenant_known and not (coalesce(granter_place_known, false) and coalesce(inviter_place_known, false)), false)
      as strange_place,
    coalesce(tenant_known and not coalesce(granter_known, false), false) as new_granter,
    granted_at <= invited_at + interval '24 hours' as soon
  from judged
),
weighed as (
  select
    *,
    cast(from_private_mailbox as int) + cast(strange_place as int) + cast(new_granter as int) + cast(soon as int)
      as signs,
    -- A guest seldom needs a role in the directory; a supplier who works on a subscription is made Contributor.
    power = 3
      or (power = 2 and (from_private_mailbox or strange_place))
      or (power = 2 and resource_id is null and (soon or new_granter)) as is_grave
  from signed
)
select
  subscription_id,
  tenant as customer_tenant_id,
  tenant,
  min(invited_at) as first_observed_at,
  max(done_at) as last_observed_at,
  array_slice(array_agg(distinct resource_id order by resource_id) filter (where resource_id is not null), 1, 25) as resources,
  case
    when max(power) = 3 and max(signs) >= 2 then 'high'
    when bool_or(is_grave) then 'medium'
    else 'low'
  end as severity,
  case
    when max(power) = 3 and max(signs) >= 3 then 'high'
    when not bool_or(is_grave) then 'low'
    when bool_or(granter_known) and bool_or(inviter_known) and not bool_or(from_private_mailbox or strange_place) then 'low'
    else 'medium'
  end as confidence,
  concat(
    max(guest), ' was invited by ', max(inviter), ' and after ',
    cast(floor(date_part('epoch', max(granted_at) - min(invited_at)) / 3600) as bigint), ' hours got ',
    array_to_string(array_agg(distinct role order by role), ', '), ' from ',
    array_to_string(array_agg(distinct granter order by granter), ', '), '.',
    case when bool_or(from_private_mailbox) then ' The address is one of a private mailbox.' else '' end,
    case
      when bool_or(strange_place) then ' The invitation or the grant came from an address that its author did not use in the 28 days before.'
      else ''
    end,
    case
      when bool_or(new_granter) then ' Whoever granted it granted no role in the 28 days before.'
      else ''
    end
  ) as description,
  guest_id,
  max(guest) as guest,
  max(inviter) as inviter,
  min(invited_at) as invited_at,
  array_agg(distinct granter order by granter) as granters,
  array_agg(distinct role order by role) as roles
from weighed
group by tenant, guest_id, subscription_id, hour
having max(done_at) >= $since
