-- Changes that let another identity provider vouch for users of the tenant, one row for each tenant,
-- actor and hour.
--
-- One such change is enough: whoever controls the trust can sign in as anybody. It weighs more if the
-- domain was verified within seven days, or if the actor came from an address that it did not use in
-- 28 days, and less if the actor has changed such settings in that time. The last 24 hours are not
-- history.
with changes as (
  -- What was changed is JSON inside JSON; without letter case and backslashes all shapes read alike.
  select
    *,
    regexp_match(
      text,
      case
        when operation = 'set domain authentication' then '"displayname":"livetype"'
        else '"displayname":"[^"]*"'
      end || ',"(old|new)value":(.*?),"(?:old|new)value":(.*?)(?:\},\{"displayname":"[^"]*","(?:old|new)value"|$)'
    ) as change
  from (
    select
      customer_tenant_id as tenant,
      coalesce(actor_id, actor_app_id, actor) as actor_id,
      coalesce(actor, actor_id, actor_app_id) as actor,
      actor_ip,
      operation,
      event_at,
      date_trunc('hour', event_at) as hour,
      coalesce(target, target_id) as target,
      replace(lower(properties), '\', '') as text
    from audit
    where operation in (
        'set federation settings on domain',
        'set domain authentication',
        'authentication methods policy update',
        'update authentication methods policy'
      )
      and event_at >= $since - interval '1 hour'
      and coalesce(result, 'success') in ('success', 'succeeded')
      and customer_tenant_id is not null
  )
),
trusts as (
  select
    *,
    case
      when operation = 'set federation settings on domain' then 'federation settings of a domain'
      when operation = 'set domain authentication' then 'a domain became federated'
      else 'discovery address of an identity provider'
    end as kind
  from (
    select
      *,
      -- All discovery addresses of either side; what is put at the end makes the pattern eat the rest.
      regexp_replace(concat(before, '"discoveryurl":""'), '(?s).*?"discoveryurl":"([^"]*)"', '\1 ', 'g') as old_addresses,
      regexp_replace(concat(after, '"discoveryurl":""'), '(?s).*?"discoveryurl":"([^"]*)"', '\1 ', 'g') as new_addresses
    from (
      select
        *,
        case when change[1] = 'old' then change[2] else change[3] end as before,
        case when change[1] = 'old' then change[3] else change[2] end as after
      from changes
    )
  )
  where case
      when operation = 'set federation settings on domain' then true
      -- Back to sign-in at Entra is no new trust; other properties are none at all.
      when operation = 'set domain authentication' then text like '%"displayname":"livetype"%' and after like '%federated%'
      else trim(new_addresses) not in ('', trim(old_addresses))
    end
),
judged as (
  select
    trusts.tenant,
    trusts.actor_id,
    trusts.hour,
    trusts.event_at,
    trusts.operation,
    max(trusts.actor) as actor,
    max(trusts.actor_ip) as actor_ip,
    max(trusts.target) as target,
    max(trusts.kind) as kind,
    max(trim(trusts.new_addresses)) as identity_providers,
    bool_or(past.event_at < trusts.hour - interval '24 hours' and past.who = trusts.actor_id and past.trusts) as actor_known,
    -- The actor has usual addresses, and this is none of them. Who comes from many has none.
    count(distinct case
      when past.event_at < trusts.hour - interval '24 hours' and past.who = trusts.actor_id then past.actor_ip
    end) between 1 and 5
      and not bool_or(
        past.event_at < trusts.hour - interval '24 hours'
        and past.who = trusts.actor_id
        and past.actor_ip = coalesce(trusts.actor_ip, past.actor_ip)
      ) as actor_moved,
    min(case
      when past.verifies and past.target = trusts.target and past.event_at >= trusts.event_at - interval '7 days'
        then past.event_at
    end) as verified_at
  from trusts
  left join (
    select
      customer_tenant_id,
      event_at,
      coalesce(actor_id, actor_app_id, actor) as who,
      actor_ip,
      coalesce(target, target_id) as target,
      operation in ('set federation settings on domain', 'set domain authentication') as trusts,
      operation in ('add verified domain', 'verify domain') as verifies
    from audit
    where coalesce(result, 'success') in ('success', 'succeeded')
  ) as past
    on past.customer_tenant_id = trusts.tenant
    and past.event_at >= trusts.hour - interval '28 days'
    and past.event_at <= trusts.event_at
  group by trusts.tenant, trusts.actor_id, trusts.hour, trusts.event_at, trusts.operation
)
select
  '00000000-0000-0000-0000-000000000000' as subscription_id,
  tenant as customer_tenant_id,
  tenant,
  coalesce(min(verified_at), min(event_at)) as first_observed_at,
  max(event_at) as last_observed_at,
  case
    when count(verified_at) > 0 or bool_or(actor_moved) then 'high'
    when bool_or(actor_known) then 'low'
    else 'medium'
  end as severity,
  case
    when bool_or(actor_moved) and bool_or(actor_known) is not true then 'high'
    when bool_or(actor_known) then 'low'
    else 'medium'
  end as confidence,
  concat(
    max(actor), ' changed whom the tenant trusts to sign users in: ',
    array_to_string(array_agg(distinct kind order by kind), ', '), '.',
    case when count(verified_at) > 0 then ' The domain was verified within the seven days before.' else '' end,
    case when bool_or(actor_moved) then concat(' The actor came from ', max(actor_ip), ', not seen with it in 28 days.') else '' end,
    case when bool_or(actor_known) then ' The actor has changed such settings in the 28 days before.' else '' end
  ) as description,
  actor_id,
  max(actor) as actor,
  array_agg(distinct actor_ip order by actor_ip) filter (where actor_ip is not null) as actor_addresses,
  array_agg(distinct operation order by operation) as operations,
  array_agg(distinct target order by target) filter (where target is not null) as targets,
  array_agg(distinct identity_providers order by identity_providers) filter (where identity_providers <> '') as identity_providers,
  max(verified_at) as domain_verified_at
from judged
group by tenant, actor_id, hour
having max(event_at) >= $since
