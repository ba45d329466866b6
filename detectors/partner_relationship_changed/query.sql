-- Relationships that let another tenant in: partners, delegated administration, cross-tenant access and
-- identity synchronisation. One row for each tenant, actor, subscription and hour.
--
-- It becomes grave when within seven days somebody of a tenant that was not seen on the customer's
-- subscriptions in 28 days changes one of them, or when the actor came from an unusual address. What
-- names the partner that runs this instance, or the tenant of Microsoft's support, is left out. The last
-- 24 hours are not history.
with changes as (
  -- What was changed is JSON inside JSON; without letter case and backslashes all shapes read alike.
  select
    *,
    regexp_match(text, '"displayname":"tenantid".*?"newvalue":"+([^"]+)')[1] as other_tenant,
    regexp_match(
      text,
      '"displayname":"b2b(?:collaboration|directconnect)inbound","(old|new)value":(.*?),"(?:old|new)value":(.*?)(?:\},\{"displayname"|$)'
    ) as inbound
  from (
    select
      partner_tenant_id,
      customer_tenant_id as tenant,
      coalesce(actor_id, actor_app_id, actor) as actor_id,
      coalesce(actor, actor_id, actor_app_id) as actor,
      actor_ip,
      -- The service principal that acts for partners with delegated administration.
      lower(coalesce(actor, '')) like 'partner customer delegated admin%'
        or coalesce(actor_app_id, '') in ('2832473f-ec63-45fb-976f-5d45a7d4bb91', 'a3475900-ccec-4a69-98f5-a65cd5dc5306')
        as is_delegation,
      operation,
      event_at,
      date_trunc('hour', event_at) as hour,
      role,
      coalesce(replace(lower(properties), '\', ''), '') as text
    from audit
    where operation in (
        'add partner to company',
        'add a partner to cross-tenant access setting',
        'update a partner cross-tenant access setting',
        'update the company default cross-tenant access setting',
        'create a partner cross-tenant identity sync setting',
        'update a partner cross-tenant identity sync setting',
        'add member to role'
      )
      and event_at >= $since - interval '7 days 1 hour'
      and coalesce(result, 'success') in ('success', 'succeeded')
      and customer_tenant_id is not null
  )
),
openings as (
  select *
  from (
    select
      *,
      case
        when operation = 'add member to role' then case
          when is_delegation and lower(role) in (
            'global administrator', 'company administrator', 'privileged role administrator',
            'privileged authentication administrator'
          ) then concat('a partner got the role ', role)
        end
        when operation = 'add partner to company' then 'a partner was added to the company'
        -- Of our own relationships the log does not always name the partner.
        when is_delegation then case when other_tenant is not null then 'another partner got delegated administration' end
        when operation = 'create a partner cross-tenant identity sync setting' then 'identity synchronisation was set up'
        when operation = 'update a partner cross-tenant identity sync setting'
          then case when text like '%true%' then 'identity synchronisation was changed' end
        when operation = 'add a partner to cross-tenant access setting' then null
        -- Access type 1 allows, 2 blocks.
        when inbound[2] <> inbound[3]
          and case when inbound[1] = 'old' then inbound[3] else inbound[2] end like '%"accesstype":1%'
          then case
            when operation = 'update a partner cross-tenant access setting' then 'inbound access was opened'
            else 'inbound access was opened to every tenant'
          end
      end as kind
    from changes
    where strpos(text, partner_tenant_id) = 0
      and strpos(text, 'b4c546a4-7dac-46a6-a7dd-ed822a11efd3') = 0
  )
  where kind is not null
),
judged as (
  select
    openings.tenant, openings.actor_id, openings.actor, openings.actor_ip, openings.operation, openings.event_at,
    openings.hour, openings.kind, openings.other_tenant,
    bool_or(past.opens and past.who = openings.actor_id) as actor_known,
    -- The actor has usual addresses, and this is none of them. Who comes from many has none.
    count(distinct case when past.who = openings.actor_id then past.actor_ip end) between 1 and 5
      and not bool_or(past.who = openings.actor_id and past.actor_ip = coalesce(openings.actor_ip, past.actor_ip))
      as actor_moved
  from openings
  left join (
    select
      customer_tenant_id,
      event_at,
      coalesce(actor_id, actor_app_id, actor) as who,
      actor_ip,
      operation in (
        'add partner to company', 'add a partner to cross-tenant access setting',
        'update a partner cross-tenant access setting', 'update the company default cross-tenant access setting',
        'create a partner cross-tenant identity sync setting', 'update a partner cross-tenant identity sync setting'
      ) as opens
    from audit
  ) as past
    on past.customer_tenant_id = openings.tenant
    and past.event_at >= openings.hour - interval '28 days'
    and past.event_at < openings.hour - interval '24 hours'
  group by
    openings.tenant, openings.actor_id, openings.actor, openings.actor_ip, openings.operation, openings.event_at,
    openings.hour, openings.kind, openings.other_tenant
),
strangers as (
  -- Changes by people of a tenant that is neither the customer's, the partner's nor the reseller's, and
  -- that was not seen there before, though the customer's activity was.
  select
    writes.tenant, writes.subscription_id, writes.caller_tenant_id, writes.hour, writes.last_at, writes.caller, writes.resources
  from (
    select
      customer_tenant_id as tenant,
      subscription_id,
      caller_tenant_id,
      date_trunc('hour', event_at) as hour,
      max(event_at) as last_at,
      max(coalesce(caller, caller_id)) as caller,
      array_slice(array_agg(distinct resource_id order by resource_id) filter (where resource_id is not null), 1, 25) as resources
    from activity
    where event_at >= $since - interval '1 hour'
      and caller_origin = 'foreign'
      and customer_tenant_id in (select tenant from openings)
      and (operation like '%/write' or operation like '%/delete' or operation like '%/action')
      and coalesce(status, 'succeeded') in ('accepted', 'succeeded')
      and subscription_id is not null
    group by customer_tenant_id, subscription_id, caller_tenant_id, date_trunc('hour', event_at)
  ) as writes
  join activity as past
    on past.customer_tenant_id = writes.tenant
    and past.event_at >= writes.hour - interval '28 days'
    and past.event_at < writes.hour - interval '24 hours'
  group by
    writes.tenant, writes.subscription_id, writes.caller_tenant_id, writes.hour, writes.last_at, writes.caller, writes.resources
  having bool_or(past.event_at < writes.hour - interval '14 days')
    and not coalesce(bool_or(past.caller_tenant_id = writes.caller_tenant_id), false)
),
signs as (
  select
    judged.*,
    '00000000-0000-0000-0000-000000000000' as subscription_id,
    hour as bucket,
    event_at as last_at,
    cast(null as varchar) as caller,
    cast(null as varchar) as caller_tenant_id,
    cast(null as varchar[]) as resources
  from judged
  -- Who keeps the list of organisations opens one to one of them every now and then.
  where kind <> 'inbound access was opened'
    or actor_known is not true
    or actor_moved
  union all
  select
    judged.*,
    strangers.subscription_id,
    strangers.hour,
    strangers.last_at,
    strangers.caller,
    strangers.caller_tenant_id,
    strangers.resources
  from judged
  join strangers
    on strangers.tenant = judged.tenant
    and strangers.last_at between judged.event_at and judged.event_at + interval '7 days'
)
select
  subscription_id,
  tenant as customer_tenant_id,
  tenant,
  min(event_at) as first_observed_at,
  max(last_at) as last_observed_at,
  max(resources) as resources,
  case
    when count(caller) > 0 or bool_or(actor_moved and kind <> 'inbound access was opened') then 'high'
    when bool_or(actor_moved) then 'medium'
    when bool_or(actor_known) or not bool_or(kind <> 'inbound access was opened') then 'low'
    else 'medium'
  end as severity,
  case
    when bool_or(caller_tenant_id = other_tenant) then 'high'
    when count(caller) > 0 or bool_or(actor_moved) then 'medium'
    else 'low'
  end as confidence,
  concat(
    max(actor), ' let another tenant in: ', array_to_string(array_agg(distinct kind order by kind), ', '), '.',
    case when bool_or(actor_moved) then concat(' The actor came from ', max(actor_ip), ', not seen with it in 28 days.') else '' end,
    case
      when count(caller) > 0 then concat(
        ' Within seven days ', max(caller), ' of tenant ', max(caller_tenant_id),
        ', which was not seen on this customer''s subscriptions in the 28 days before, changed resources.'
      )
      else ''
    end
  ) as description,
  actor_id,
  max(actor) as actor,
  array_agg(distinct actor_ip order by actor_ip) filter (where actor_ip is not null) as actor_addresses,
  array_agg(distinct kind order by kind) as what_was_opened,
  array_agg(distinct operation order by operation) as operations,
  array_agg(distinct other_tenant order by other_tenant) filter (where other_tenant is not null) as tenants_let_in,
  array_agg(distinct caller order by caller) filter (where caller is not null) as foreign_callers,
  array_agg(distinct caller_tenant_id order by caller_tenant_id) filter (where caller_tenant_id is not null) as foreign_tenants
from signs
group by tenant, actor_id, subscription_id, bucket
having max(last_at) >= $since
