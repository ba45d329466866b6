-- Powerful directory roles granted outside of Privileged Identity Management, or permanently in it: one
-- row for each tenant, granter and hour.
--
-- Told are grants by an actor who granted no role in 28 days, and grants to an account that was made
-- within seven days or is of another organisation. Both together are grave. The last 24 hours are not
-- history. In a tenant whose audit log does not reach back two weeks nobody is new, so there the grant
-- alone is told, and low.
with grants as (
  select
    customer_tenant_id as tenant,
    coalesce(actor_id, actor_app_id, actor) as granter_id,
    coalesce(actor, actor_id, actor_app_id) as granter,
    actor_ip,
    operation,
    event_at,
    date_trunc('hour', event_at) as hour,
    -- Privileged Identity Management names the role as what was changed, and the member further on.
    coalesce(role, case when operation <> 'add member to role' and target_type = 'role' then target end) as role,
    case when target_type = 'role' then null else coalesce(target, target_id) end as member,
    concat(
      target_id, ' ', lower(target), ' ',
      lower(json_get_json(properties, 'targetResources')), lower(json_as_text(properties, 'TargetResources'))
    ) as members
  from audit
  where operation in (
      'add member to role',
      'add member to role outside of pim (permanent)',
      'add member to role in pim completed (permanent)',
      'add eligible member to role in pim completed (permanent)'
    )
    and event_at >= $since - interval '1 hour'
    and coalesce(result, 'success') in ('success', 'succeeded')
    and customer_tenant_id is not null
    -- A role that was switched on for a while, and one that a partner's relationship brings: the latter
    -- is for partner_relationship_changed.
    and lower(coalesce(actor, '')) not in (
      'ms-pim', 'ms-pim-fairfax',
      'partner customer delegated administration', 'partner customer delegated admin offline processor'
    )
),
powerful as (
  select
    tenant, granter_id, granter, actor_ip, operation, event_at, hour, role, members,
    coalesce(
      member,
      regexp_match(
        regexp_match(replace(members, '\', ''), '\{[^{}]*"type":"(?:user|group|serviceprincipal)"[^{}]*\}')[1],
        '"(?:userprincipalname|displayname)":"([^"]+)"'
      )[1]
    ) as member,
    lower(role) in (
      'global administrator', 'company administrator', 'privileged role administrator',
      'privileged authentication administrator'
    ) as is_top
  from grants
  where lower(role) in (
      'global administrator', 'company administrator', 'privileged role administrator',
      'privileged authentication administrator', 'application administrator', 'cloud application administrator',
      'security administrator', 'user administrator', 'exchange administrator', 'sharepoint administrator',
      'intune administrator', 'hybrid identity administrator', 'conditional access administrator',
      'authentication administrator', 'authentication policy administrator', 'domain name administrator',
      'external identity provider administrator', 'helpdesk administrator', 'directory synchronization accounts'
    )
),
judged as (
  select
    powerful.tenant, powerful.granter_id, powerful.granter, powerful.actor_ip, powerful.operation, powerful.event_at,
    powerful.hour, powerful.role, powerful.member, powerful.members, powerful.is_top,
    bool_or(past.grants is not null and past.event_at < powerful.hour - interval '14 days') as tenant_known,
    bool_or(past.grants and past.who = powerful.granter_id and past.event_at < powerful.hour - interval '24 hours') as granter_known,
    -- The granter has usual addresses, and this is none of them, nor one of its sign-ins. Who comes from many has none.
    count(distinct case
      when past.grants is not null and past.who = powerful.granter_id and past.event_at < powerful.hour - interval '24 hours'
        then past.actor_ip
    end) between 1 and 5
      and not bool_or(
        past.who = powerful.granter_id
        and past.event_at < powerful.hour - interval '24 hours'
        and past.actor_ip = coalesce(powerful.actor_ip, past.actor_ip)
      ) as granter_moved,
    min(case
      when past.makes and past.event_at >= powerful.event_at - interval '7 days' and strpos(powerful.members, past.target_id) > 0
        then past.event_at
    end) as member_made_at
  from powerful
  left join (
    select
      customer_tenant_id,
      event_at,
      coalesce(actor_id, actor_app_id, actor) as who,
      actor_ip,
      target_id,
      operation like 'add %member to role%' as grants,
      operation in ('add user', 'invite external user', 'add service principal') as makes
    from audit
    union all
    -- Who changes the directory seldom signs in far more often, from home and from the office.
    select customer_tenant_id, event_at, user_id, ip, cast(null as varchar), cast(null as boolean), cast(null as boolean)
    from sign_in
    where error_code = 0
      and user_id is not null
      and ip is not null
  ) as past
    on past.customer_tenant_id = powerful.tenant
    and past.event_at >= powerful.hour - interval '28 days'
    and past.event_at <= powerful.event_at
  group by
    powerful.tenant, powerful.granter_id, powerful.granter, powerful.actor_ip, powerful.operation, powerful.event_at,
    powerful.hour, powerful.role, powerful.member, powerful.members, powerful.is_top
),
weighed as (
  select
    *,
    tenant_known and granter_known is not true as new_granter,
    member_made_at is not null or members like '%#ext#%' as odd_member
  from judged
)
select
  '00000000-0000-0000-0000-000000000000' as subscription_id,
  tenant as customer_tenant_id,
  tenant,
  least(min(event_at), min(member_made_at)) as first_observed_at,
  max(event_at) as last_observed_at,
  case
    when bool_or(is_top and odd_member and (new_granter or granter_moved)) then 'high'
    when bool_or(granter_moved or (is_top and odd_member)) then 'medium'
    when bool_or(is_top and new_granter) then 'medium'
    else 'low'
  end as severity,
  case
    when bool_or(is_top and odd_member and granter_moved) then 'high'
    when bool_or(granter_moved or odd_member) then 'medium'
    else 'low'
  end as confidence,
  concat(
    max(granter), ' granted ', array_to_string(array_agg(distinct role order by role), ', '),
    case
      when count(member) > 0 then concat(
        ' to ', array_to_string(array_agg(distinct member order by member) filter (where member is not null), ', ')
      )
      else ''
    end, '.',
    case when bool_or(new_granter) then ' This actor had granted no role in the 28 days before.' else '' end,
    case when bool_or(granter_moved) then concat(' It came from ', max(actor_ip), ', not seen with it in that time.') else '' end,
    case when count(member_made_at) > 0 then ' The account that got it was made within the seven days before.' else '' end,
    case when bool_or(members like '%#ext#%') then ' It is an account of another organisation.' else '' end
  ) as description,
  granter_id as actor_id,
  max(granter) as actor,
  array_agg(distinct actor_ip order by actor_ip) filter (where actor_ip is not null) as actor_addresses,
  array_agg(distinct role order by role) as roles,
  array_agg(distinct member order by member) filter (where member is not null) as members,
  array_agg(distinct operation order by operation) as operations,
  min(member_made_at) as member_made_at
from weighed
where new_granter
  or granter_moved
  or odd_member
  or tenant_known is not true
group by tenant, granter_id, hour
having max(event_at) >= $since
