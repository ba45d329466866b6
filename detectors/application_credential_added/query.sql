-- Secrets, certificates and federated credentials added to applications, one row for each tenant,
-- actor, subscription and hour.
--
-- It tells two things: the addition itself, by an actor who did nothing of the kind in 28 days, and
-- what the application did within a day after it from an address that it never came from before. The
-- last 24 hours are not history. A tenant whose audit log does not reach back two weeks has no
-- strangers: there, only what is rarer than a new secret is told, as information: a credential on the
-- service principal itself, or a federated one.
with changes as (
  -- What was changed is JSON inside JSON; without letter case and backslashes all shapes read alike.
  select
    *,
    date_trunc('hour', added_at) as hour,
    concat(
      regexp_match(text, '"targetid\.serviceprincipalnames".*?"newvalue":"+([^"]*)')[1], ';',
      regexp_match(text, '"key":"appid","value":"([^"]*)')[1]
    ) as app_ids,
    regexp_match(
      text,
      '"displayname":"(?:keydescription|federatedidentitycredentials)","(old|new)value":(.*?),"(?:old|new)value":(.*?)(?:"displayname"|$)'
    ) as change
  from (
    select
      customer_tenant_id as tenant,
      coalesce(actor_id, actor_app_id, actor) as actor_id,
      coalesce(actor, actor_id, actor_app_id) as actor,
      actor_ip,
      operation,
      event_at as added_at,
      coalesce(target, target_id) as application,
      target_id,
      replace(lower(properties), '\', '') as text
    from audit
    where operation in (
        'add service principal credentials',
        'update application – certificates and secrets management',
        'update application - certificates and secrets management',
        'update application'
      )
      and event_at >= $since - interval '25 hours'
      and coalesce(result, 'success') in ('success', 'succeeded')
      and customer_tenant_id is not null
      and target_id is not null
  )
),
additions as (
  select *
  from (
    select
      *,
      case when change[1] = 'old' then change[2] else change[3] end as before,
      case when change[1] = 'old' then change[3] else change[2] end as after
    from changes
  )
  where case
      -- A certificate that signs for single sign-on is renewed by routine and brings keys of its own.
      when regexp_count(after, 'keyusage=sign') > regexp_count(before, 'keyusage=sign') then false
      when operation = 'add service principal credentials' then true
      -- The same record tells of removals, and an application is made with an empty list.
      else after <> before
        and regexp_count(after, 'keyusage=verify|"issuer":') >= 1
        and regexp_count(after, 'keyusage=verify|"issuer":') >= regexp_count(before, 'keyusage=verify|"issuer":')
        and (operation <> 'update application' or after like '%"issuer":%')
    end
),
judged as (
  select
    additions.tenant,
    additions.actor_id,
    additions.target_id,
    additions.added_at,
    max(additions.hour) as hour,
    max(additions.actor) as actor,
    max(additions.actor_ip) as actor_ip,
    max(additions.operation) as operation,
    max(additions.application) as application,
    max(additions.app_ids) as app_ids,
    bool_or(past.adds is not null and past.event_at < hour - interval '14 days') as tenant_known,
    bool_or(past.adds and past.who = additions.actor_id and past.event_at < hour - interval '24 hours') as actor_known,
    -- The actor has usual addresses, and this is none of them, nor one of its sign-ins. Who comes from many has none.
    count(distinct case when past.adds is not null and past.who = additions.actor_id and past.event_at < hour - interval '24 hours' then past.actor_ip end)
      between 1 and 5
      and not bool_or(
        past.who = additions.actor_id
        and past.event_at < hour - interval '24 hours'
        and past.actor_ip = coalesce(additions.actor_ip, past.actor_ip)
      ) as actor_moved,
    -- Whoever makes an application gives it a secret.
    bool_or(
      past.makes
      and past.target_id = additions.target_id
      and past.event_at >= additions.added_at - interval '24 hours'
    ) as just_made
  from additions
  left join (
    select
      customer_tenant_id,
      event_at,
      coalesce(actor_id, actor_app_id, actor) as who,
      actor_ip,
      target_id,
      operation in (
        'add service principal credentials',
        'update application – certificates and secrets management',
        'update application - certificates and secrets management'
      ) as adds,
      operation in ('add application', 'add service principal') as makes
    from audit
    union all
    -- Who changes the directory seldom signs in far more often, from home and from the office.
    select customer_tenant_id, event_at, user_id, ip, cast(null as varchar), cast(null as boolean), cast(null as boolean)
    from sign_in
    where error_code = 0
      and user_id is not null
      and ip is not null
  ) as past
    on past.customer_tenant_id = additions.tenant
    and past.event_at >= additions.hour - interval '28 days'
    and past.event_at <= additions.added_at
  group by additions.tenant, additions.actor_id, additions.target_id, additions.added_at
),
uses as (
  select
    customer_tenant_id as tenant,
    service_principal_id as principal_id,
    app_id,
    event_at,
    ip,
    '00000000-0000-0000-0000-000000000000' as subscription_id,
    cast(null as varchar) as resource_id
  from sign_in
  where sign_in_type = 'service_principal'
    and error_code = 0
    and ip is not null
  union all
  select customer_tenant_id, caller_id, caller_app_id, event_at, caller_ip, subscription_id, resource_id
  from activity
  where caller_type = 'application'
    and (operation like '%/write' or operation like '%/action' or operation like '%/delete')
    and coalesce(status, 'succeeded') in ('accepted', 'succeeded')
    and caller_ip is not null
    and subscription_id is not null
),
used as (
  select
    *,
    bool_or(before) over (partition by tenant, target_id, added_at, ip) as address_known,
    count(distinct case when before then ip end) over (partition by tenant, target_id, added_at) as usual_addresses
  from (
    select
      judged.*,
      uses.subscription_id,
      uses.ip,
      uses.event_at as used_at,
      uses.resource_id,
      uses.event_at < judged.hour - interval '24 hours' as before
    from judged
    join uses
      on uses.tenant = judged.tenant
      and (uses.principal_id = judged.target_id or strpos(judged.app_ids, uses.app_id) > 0)
      and uses.event_at >= judged.hour - interval '28 days'
      and uses.event_at <= judged.added_at + interval '24 hours'
  )
),
signs as (
  select
    tenant, actor_id, actor, actor_ip, actor_moved, actor_known, tenant_known, application, target_id, operation,
    '00000000-0000-0000-0000-000000000000' as subscription_id,
    hour,
    added_at,
    added_at as last_at,
    cast(null as varchar) as new_address,
    cast(null as bigint) as usual_addresses,
    cast(null as varchar) as resource_id
  from judged
  where just_made is not true
    and actor_known is not true
    and (tenant_known or operation in ('add service principal credentials', 'update application'))
  union all
  select
    tenant, actor_id, actor, actor_ip, actor_moved, actor_known, tenant_known, application, target_id, operation,
    subscription_id,
    date_trunc('hour', used_at),
    added_at,
    used_at,
    ip,
    usual_addresses,
    resource_id
  from used
  where used_at > added_at
    and address_known is not true
    -- What comes from everywhere, such as hosted build agents, has no usual address; what was never
    -- seen before has none either.
    and usual_addresses between 1 and 5
)
select
  subscription_id,
  tenant as customer_tenant_id,
  tenant,
  min(added_at) as first_observed_at,
  max(last_at) as last_observed_at,
  array_slice(array_agg(distinct resource_id order by resource_id) filter (where resource_id is not null), 1, 25) as resources,
  case
    when count(new_address) > 0 then 'high'
    when bool_or(tenant_known) is not true then 'informational'
    when bool_or(actor_moved) or count(distinct target_id) >= 3 then 'medium'
    else 'low'
  end as severity,
  -- A secret for a new server looks alike; that the actor came from a new address too does not.
  case
    when count(new_address) = 0 then 'low'
    when bool_or(actor_moved and actor_known is not true) then 'high'
    else 'medium'
  end as confidence,
  concat(
    max(actor), ' added a credential to ', array_to_string(array_agg(distinct application order by application), ', '), '.',
    case when bool_or(tenant_known and actor_known is not true) then ' This actor had not done so in the 28 days before.' else '' end,
    case when bool_or(actor_moved) then concat(' It came from ', max(actor_ip), ', not seen with it in that time.') else '' end,
    case
      when count(new_address) > 0 then concat(
        ' Within a day the application was used from ', array_to_string(array_agg(distinct new_address order by new_address), ', '),
        ', where it never came from in the 28 days before (usual addresses: ', max(usual_addresses), ').'
      )
      when bool_or(tenant_known) is not true then ' The audit log does not reach back far enough to tell whether that is usual.'
      else ''
    end
  ) as description,
  actor_id,
  max(actor) as actor,
  array_agg(distinct actor_ip order by actor_ip) filter (where actor_ip is not null) as actor_addresses,
  array_agg(distinct application order by application) as applications,
  array_agg(distinct target_id order by target_id) as application_ids,
  array_agg(distinct operation order by operation) as operations,
  array_agg(distinct new_address order by new_address) filter (where new_address is not null) as new_addresses,
  max(usual_addresses) as usual_addresses
from signs
group by tenant, actor_id, subscription_id, hour
having max(last_at) >= $since
