-- Multi-factor authentication made weaker, and what came of it within a day: one row for each tenant,
-- actor, subscription and hour.
--
-- By itself a weakening is told with low weight. It becomes grave when the person it serves gets a role,
-- or changes a subscription that it did not use, or not from there, in 28 days. That person is the actor
-- for policies and locations, the user concerned for that user's own methods. A method that somebody
-- else deletes or changes is help-desk work, so it is only told with what follows. The last 24 hours
-- are not history.
with changes as (
  -- What was changed is JSON inside JSON; without letter case and backslashes all shapes read alike.
  select
    *,
    regexp_match(
      text,
      '"displayname":"[^"]*","(old|new)value":(.*?),"(?:old|new)value":(.*?)(?:\},\{"displayname":"[^"]*","(?:old|new)value"|$)'
    ) as change
  from (
    select
      customer_tenant_id as tenant,
      coalesce(actor_id, actor_app_id, actor) as actor_id,
      coalesce(actor, actor_id, actor_app_id) as actor,
      actor_ip,
      operation,
      event_at as weakened_at,
      date_trunc('hour', event_at) as hour,
      coalesce(target, target_id) as target,
      target_id,
      replace(lower(properties), '\', '') as text
    from audit
    where operation in (
        'delete conditional access policy',
        'update conditional access policy',
        'delete policy',
        'update security defaults',
        'add named location',
        'update named location',
        'disable strong authentication',
        'admin deleted security info',
        'admin updated security info'
      )
      and event_at >= $since - interval '25 hours'
      and coalesce(result, 'success') in ('success', 'succeeded')
      and customer_tenant_id is not null
  )
),
weakenings as (
  select
    *,
    case
      when operation in ('disable strong authentication', 'admin deleted security info', 'admin updated security info')
        then target_id
      else actor_id
    end as person_id
  from (
    select
      *,
      case when change[1] = 'old' then change[2] else change[3] end as before,
      case when change[1] = 'old' then change[3] else change[2] end as after
    from changes
  )
  where case operation
      -- A policy that was off or only reported protected nobody.
      when 'delete conditional access policy' then coalesce(regexp_match(before, '"state":"([a-z]*)"')[1], 'enabled') = 'enabled'
      when 'update conditional access policy' then before like '%"state":"enabled"%' and after not like '%"state":"enabled"%'
      -- The directory's own record of a policy, of whatever kind: its name must tell.
      when 'delete policy' then regexp_like(lower(target), 'multi-?factor|\bmfa\b|conditional access|strong auth')
      when 'update security defaults' then after like '%"isenabled":false%'
      when 'disable strong authentication' then true
      when 'admin deleted security info' then target_id <> actor_id
      when 'admin updated security info' then target_id <> actor_id
      else after like '%"istrusted":true%' and after <> before
    end
),
judged as (
  select
    weakenings.tenant, weakenings.actor_id, weakenings.actor, weakenings.actor_ip, weakenings.operation,
    weakenings.weakened_at, weakenings.hour, weakenings.target, weakenings.person_id,
    bool_or(past.weakens and past.who = weakenings.actor_id) as actor_known,
    -- The actor has usual addresses, and this is none of them. Who comes from many has none.
    count(distinct case when past.who = weakenings.actor_id then past.actor_ip end) between 1 and 5
      and not bool_or(past.who = weakenings.actor_id and past.actor_ip = coalesce(weakenings.actor_ip, past.actor_ip))
      as actor_moved
  from weakenings
  left join (
    select
      customer_tenant_id,
      event_at,
      coalesce(actor_id, actor_app_id, actor) as who,
      actor_ip,
      operation in (
        'delete conditional access policy', 'update conditional access policy', 'update security defaults',
        'add named location', 'update named location', 'disable strong authentication'
      ) as weakens
    from audit
  ) as past
    on past.customer_tenant_id = weakenings.tenant
    and past.event_at >= weakenings.hour - interval '28 days'
    and past.event_at < weakenings.hour - interval '24 hours'
  group by
    weakenings.tenant, weakenings.actor_id, weakenings.actor, weakenings.actor_ip, weakenings.operation,
    weakenings.weakened_at, weakenings.hour, weakenings.target, weakenings.person_id
),
writes as (
  -- What the persons changed since, where or from where they were not seen. What they did on the day of
  -- the weakening and the day before it is no history.
  select
    written.tenant, written.person_id, written.subscription_id, written.resource_id, written.event_at
  from (
    select distinct
      weakenings.tenant, weakenings.person_id,
      activity.subscription_id, activity.resource_id, activity.event_at, activity.caller_ip,
      date_trunc('hour', activity.event_at) as hour
    from weakenings
    join activity
      on activity.customer_tenant_id = weakenings.tenant
      and activity.caller_id = weakenings.person_id
      and activity.event_at between weakenings.weakened_at and weakenings.weakened_at + interval '24 hours'
    where activity.event_at >= $since - interval '1 hour'
      and (
        activity.operation like '%/write' or activity.operation like '%/delete' or activity.operation like '%/action'
      )
      and coalesce(activity.status, 'succeeded') in ('accepted', 'succeeded')
      and activity.subscription_id is not null
  ) as written
  join activity as past
    on past.subscription_id = written.subscription_id
    and past.event_at >= written.hour - interval '28 days'
    and past.event_at < written.hour - interval '48 hours'
  group by written.tenant, written.person_id, written.subscription_id, written.resource_id, written.event_at, written.caller_ip
  -- Only a subscription that was seen for two weeks tells who is new there.
  having bool_or(past.event_at < written.event_at - interval '14 days')
    and (
      not bool_or(past.caller_id = written.person_id)
      or (
        count(distinct case when past.caller_id = written.person_id then past.caller_ip end) between 1 and 5
        and not bool_or(past.caller_id = written.person_id and past.caller_ip = coalesce(written.caller_ip, past.caller_ip))
      )
    )
),
gains as (
  select
    tenant,
    subscription_id,
    event_at as first_at,
    event_at as last_at,
    'changed a subscription where, or from where, it was not seen before' as what,
    resource_id,
    person_id as principals
  from writes
  union all
  select
    customer_tenant_id,
    '00000000-0000-0000-0000-000000000000',
    event_at,
    event_at as last_at,
    concat('got the role ', coalesce(role, target)),
    cast(null as varchar),
    lower(coalesce(json_get_json(properties, 'targetResources'), properties, target_id))
  from audit
  where operation in (
      'add member to role',
      'add member to role outside of pim (permanent)',
      'add member to role in pim completed (permanent)',
      'add eligible member to role in pim completed (permanent)'
    )
    and event_at >= $since - interval '1 hour'
    and coalesce(result, 'success') in ('success', 'succeeded')
    -- Roles that Privileged Identity Management switches on for a while are daily work.
    and coalesce(actor, '') not in ('MS-PIM', 'MS-PIM-Fairfax')
  union all
  -- The principal stands in the record of the start, the success in another of the same request.
  select
    customer_tenant_id,
    subscription_id,
    min(event_at),
    max(event_at),
    'got a role on a subscription',
    resource_id,
    max(case when lower(properties) like '%principalid%' then lower(properties) end)
  from activity
  where operation = 'microsoft.authorization/roleassignments/write'
    and event_at >= $since - interval '1 hour'
    and subscription_id is not null
  group by customer_tenant_id, subscription_id, resource_id, coalesce(correlation_id, cast(event_at as varchar))
  having bool_or(status in ('accepted', 'succeeded'))
),
signs as (
  select
    judged.*,
    '00000000-0000-0000-0000-000000000000' as subscription_id,
    hour as bucket,
    weakened_at as last_at,
    cast(null as varchar) as followed_by,
    cast(null as varchar) as resource_id
  from judged
  where operation not in ('admin deleted security info', 'admin updated security info')
  union all
  select
    judged.*,
    gains.subscription_id,
    date_trunc('hour', gains.first_at),
    gains.last_at,
    gains.what,
    gains.resource_id
  from judged
  join gains
    on gains.tenant = judged.tenant
    and strpos(gains.principals, judged.person_id) > 0
    and gains.first_at between judged.weakened_at and judged.weakened_at + interval '24 hours'
)
select
  subscription_id,
  tenant as customer_tenant_id,
  tenant,
  min(weakened_at) as first_observed_at,
  max(last_at) as last_observed_at,
  array_slice(array_agg(distinct resource_id order by resource_id) filter (where resource_id is not null), 1, 25) as resources,
  case
    when count(followed_by) > 0 then 'high'
    when bool_or(actor_moved) then 'medium'
    when bool_or(actor_known) then 'informational'
    when count(distinct target) >= 2 then 'medium'
    else 'low'
  end as severity,
  case
    when count(followed_by) = 0 then 'low'
    when bool_or(actor_moved) then 'high'
    else 'medium'
  end as confidence,
  concat(
    max(actor), ' made multi-factor authentication weaker: ', array_to_string(array_agg(distinct operation order by operation), ', '),
    case
      when count(target) > 0 then concat(
        ' (', array_to_string(array_agg(distinct target order by target) filter (where target is not null), ', '), ')'
      )
      else ''
    end, '.',
    case when bool_or(actor_moved) then concat(' The actor came from ', max(actor_ip), ', not seen with it in 28 days.') else '' end,
    case
      when count(followed_by) > 0 then concat(
        ' Within a day the person it serves ', array_to_string(array_agg(distinct followed_by order by followed_by), ' and '), '.'
      )
      else ''
    end
  ) as description,
  actor_id,
  max(actor) as actor,
  array_agg(distinct actor_ip order by actor_ip) filter (where actor_ip is not null) as actor_addresses,
  array_agg(distinct operation order by operation) as operations,
  array_agg(distinct target order by target) filter (where target is not null) as targets,
  array_agg(distinct followed_by order by followed_by) filter (where followed_by is not null) as followed_by
from signs
group by tenant, actor_id, subscription_id, bucket
having max(last_at) >= $since
