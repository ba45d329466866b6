-- Global administrators who elevate to User Access Administrator at the root scope. One row for each
-- tenant, administrator and hour, and one for each subscription and hour in which the administrator
-- then gave out roles.
--
-- The act alone is enough: it is rare and grave. Who did it before, 28 days to one day ago, is known
-- for it. It stands in Entra's audit log and in the directory's activity log; both are read.
with elevations as (
  select
    tenant,
    coalesce(actor_id, actor, 'unknown') as actor_id,
    date_trunc('hour', event_at) as hour,
    max(coalesce(actor, actor_id, 'unknown')) as actor,
    min(event_at) as first_at,
    max(event_at) as last_at,
    array_agg(distinct address order by address) filter (where address is not null) as addresses
  from (
    select customer_tenant_id as tenant, actor_id, actor, actor_ip as address, event_at
    from audit
    where operation = 'user has elevated their access to user access administrator for their azure resources'
      -- The result is not always there.
      and coalesce(result, 'success') = 'success'
    union all
    select customer_tenant_id as tenant, caller_id as actor_id, caller as actor, caller_ip as address, event_at
    from activity
    where operation = 'microsoft.authorization/elevateaccess/action'
      and coalesce(status, 'succeeded') in ('accepted', 'succeeded')
  )
  where tenant is not null
  group by tenant, coalesce(actor_id, actor, 'unknown'), date_trunc('hour', event_at)
),
known as (
  select
    *,
    count(*) over (
      partition by tenant, actor_id
      order by hour
      range between interval '28 days' preceding and interval '24 hours' preceding
    ) as earlier_elevations
  from elevations
),
grants as (
  -- What the administrator gave out, on which subscription. Few do that in any hour.
  select
    subscription_id,
    coalesce(caller_id, caller, 'unknown') as actor_id,
    date_trunc('hour', event_at) as hour,
    min(event_at) as first_at,
    max(event_at) as last_at,
    count(distinct resource_id) as assignments,
    array_slice(array_agg(distinct resource_id order by resource_id), 1, 25) as resources
  from activity
  where operation = 'microsoft.authorization/roleassignments/write'
    and coalesce(status, 'succeeded') in ('accepted', 'succeeded')
    and subscription_id is not null
    and event_at >= date_trunc('hour', $since)
  group by subscription_id, coalesce(caller_id, caller, 'unknown'), date_trunc('hour', event_at)
),
stories as (
  select
    null as subscription_id,
    tenant,
    actor_id,
    actor,
    first_at,
    last_at,
    addresses,
    earlier_elevations,
    null as assignments,
    null as resources
  from known
  union all
  select
    grants.subscription_id,
    tenant,
    grants.actor_id,
    max(actor) as actor,
    min(known.first_at) as first_at,
    max(grants.last_at) as last_at,
    first_value(addresses order by known.hour) as addresses,
    min(earlier_elevations) as earlier_elevations,
    max(assignments) as assignments,
    first_value(resources order by known.hour) as resources
  from grants
  join known
    on known.actor_id = grants.actor_id
    and grants.last_at >= known.first_at
    and grants.first_at < known.first_at + interval '24 hours'
  where grants.actor_id <> 'unknown'
  group by grants.subscription_id, tenant, grants.actor_id, grants.hour
)
select
  -- The act belongs to the tenant, and to no subscription yet.
  coalesce(subscription_id, '00000000-0000-0000-0000-000000000000') as subscription_id,
  tenant as customer_tenant_id,
  tenant,
  first_at as first_observed_at,
  last_at as last_observed_at,
  resources,
  case
    when earlier_elevations > 0 then 'low'
    when assignments is not null then 'high'
    else 'medium'
  end as severity,
  case when earlier_elevations > 0 then 'low' else 'medium' end as confidence,
  concat(
    actor, ' took User Access Administrator at the root scope, which rules over every subscription of the tenant',
    case
      when assignments is null then '.'
      else concat(', and within a day made ', assignments, case when assignments = 1 then ' role assignment' else ' role assignments' end, ' on this subscription.')
    end,
    case
      when earlier_elevations > 0 then concat(' The same account did so in ', earlier_elevations, ' other hours of the 28 days before.')
      else ' It had not done so in the 28 days before.'
    end
  ) as description,
  actor_id,
  actor,
  addresses as actor_addresses,
  assignments,
  earlier_elevations
from stories
