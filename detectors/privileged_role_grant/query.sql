-- Powerful roles that were granted in an unusual way, one row for each subscription, caller and hour.
--
-- A grant alone is daily work. It counts if the caller did not grant here before, and is new here, or
-- grants to itself, or grants to somebody from outside. The days from 28 to 2 days before are the
-- history, so that an attack does not become its own. Where nothing was seen a week ago or earlier,
-- everything is new and nothing is said.
--
-- A grant over a management group or the root belongs to no subscription; its place is the tenant.
with grants as (
  -- The body stands in the first record of a request, the outcome in a later one.
  select
    coalesce(subscription_id, customer_tenant_id) as place,
    subscription_id,
    max(customer_tenant_id) as customer_tenant_id,
    coalesce(caller_id, caller, 'unknown') as caller_id,
    max(coalesce(caller, caller_id, 'unknown')) as caller,
    max(caller_origin) as caller_origin,
    max(caller_ip) as address,
    resource_id,
    min(event_at) as first_at,
    max(event_at) as last_at,
    max((regexp_match(body, 'roledefinitions/([0-9a-f-]{36})'))[1]) as role_id,
    max((regexp_match(body, '"principalid":\s*"([^"]+)"'))[1]) as principal_id,
    max((regexp_match(body, '"principaltype":\s*"([a-z]+)"'))[1]) as principal_type,
    case
      when regexp_like(resource_id, '^/subscriptions/[^/]+/providers/microsoft.authorization/') then 'subscription'
      when regexp_like(resource_id, '^/subscriptions/[^/]+/resourcegroups/[^/]+/providers/microsoft.authorization/')
        then 'resource group'
      when regexp_like(resource_id, '^/providers/microsoft.management/managementgroups/[^/]+/providers/microsoft.authorization/')
        then 'management group'
      when regexp_like(resource_id, '^/providers/microsoft.authorization/') then 'root'
    end as scope
  from (
    -- Bodies are JSON text in a string, with keys in either case, and may be cut off.
    select *, replace(lower(properties), '\', '') as body
    from activity
    where operation = 'microsoft.authorization/roleassignments/write'
      and event_at >= date_trunc('hour', $since) - interval '2 hours'
      -- MS-PIM gives for hours what was granted before by the rules of Privileged Identity Management.
      and coalesce(caller_app_id, '') <> '01fc33a7-78ba-4d2f-a4b7-768e336e890e'
  )
  group by
    subscription_id,
    coalesce(subscription_id, customer_tenant_id),
    coalesce(caller_id, caller, 'unknown'),
    coalesce(correlation_id, cast(date_trunc('hour', event_at) as varchar)),
    resource_id
  -- Sparse records have no status; they count as done.
  having bool_or(coalesce(status, 'succeeded') in ('accepted', 'succeeded'))
),
roles (role_id, role, gives_access) as (
  values
    ('8e3af657-a8ff-443c-a75c-2fe8c4bcb635', 'Owner', true),
    ('18d7d88d-d35e-4fb5-a5c3-7773c20a72d9', 'User Access Administrator', true),
    ('f58310d9-a9f6-439a-9e8d-f62e7b41a168', 'Role Based Access Control Administrator', true),
    ('b24988ac-6180-42a0-ab88-20f7382dd24c', 'Contributor', false)
),
familiar as (
  select
    place,
    caller_id,
    day,
    count(*) over (
      partition by place
      order by day
      range between interval '28 days' preceding and interval '7 days' preceding
    ) > 0 as place_known,
    count(*) over lately > 0 as caller_known,
    max(granted) over lately as grantor_known
  from (
    select
      place,
      coalesce(caller_id, caller, 'unknown') as caller_id,
      day,
      max(case when operation = 'microsoft.authorization/roleassignments/write' and coalesce(status, '') <> 'failed' then 1 else 0 end) as granted
    from (
      select subscription_id as place, caller_id, caller, day, operation, status
      from activity
      where subscription_id in (select subscription_id from grants)
      union all
      select customer_tenant_id as place, caller_id, caller, day, operation, status
      from activity
      where customer_tenant_id in (select place from grants where subscription_id is null)
    )
    group by place, coalesce(caller_id, caller, 'unknown'), day
  )
  window lately as (
    partition by place, caller_id
    order by day
    range between interval '28 days' preceding and interval '2 days' preceding
  )
),
invited as (
  select target_id as principal_id, min(event_at) as invited_at
  from audit
  where operation = 'invite external user'
    and target_id is not null
    and event_at >= $since - interval '8 days'
  group by target_id
),
judged as (
  select
    grants.subscription_id,
    grants.place,
    grants.caller_id,
    max(customer_tenant_id) as customer_tenant_id,
    max(caller) as caller,
    max(caller_origin) as caller_origin,
    min(first_at) as first_at,
    max(last_at) as last_at,
    bool_or(gives_access) as gives_access,
    bool_or(scope <> 'resource group') as is_wide,
    bool_or(not caller_known) as caller_new,
    bool_or(grants.principal_id = grants.caller_id) as to_itself,
    bool_or(principal_type = 'foreigngroup') as to_foreign_group,
    bool_or(invited_at is not null) as to_new_guest,
    array_agg(distinct role order by role) as roles,
    array_agg(distinct scope order by scope) as scopes,
    array_agg(distinct grants.principal_id order by grants.principal_id)
      filter (where grants.principal_id is not null) as principals,
    array_agg(distinct address order by address) filter (where address is not null) as caller_addresses,
    array_slice(array_agg(distinct resource_id order by resource_id), 1, 25) as resources,
    count(distinct resource_id) as grants
  from grants
  join roles on roles.role_id = grants.role_id
  join familiar
    on familiar.place = grants.place
    and familiar.caller_id = grants.caller_id
    and familiar.day = cast(grants.first_at as date)
    and familiar.place_known
    and coalesce(familiar.grantor_known, 0) = 0
  left join invited
    on invited.principal_id = grants.principal_id
    and invited.invited_at between grants.first_at - interval '7 days' and grants.first_at
  where scope is not null
    -- Each grant needs a sign of its own.
    and (
      not caller_known
      or grants.principal_id = grants.caller_id
      or principal_type = 'foreigngroup'
      or invited_at is not null
    )
  group by grants.subscription_id, grants.place, grants.caller_id, date_trunc('hour', first_at)
),
weighed as (
  select
    *,
    gives_access and is_wide as is_grave,
    cast(caller_new as int) + cast(coalesce(to_itself, false) as int)
      + cast(coalesce(to_foreign_group, false) or to_new_guest as int) as signs
  from judged
)
select
  coalesce(subscription_id, '00000000-0000-0000-0000-000000000000') as subscription_id,
  customer_tenant_id,
  case when subscription_id is null then customer_tenant_id end as tenant,
  first_at as first_observed_at,
  last_at as last_observed_at,
  resources,
  case
    when signs >= 2 and is_grave then 'high'
    -- New colleagues of the partner are many, and known to whoever reads this.
    when signs >= 2 or (is_grave and coalesce(caller_origin, '') <> 'partner') then 'medium'
    else 'low'
  end as severity,
  case
    when signs >= 2 and is_grave then 'high'
    when signs >= 2 or (is_grave and coalesce(caller_origin, '') <> 'partner') then 'medium'
    else 'low'
  end as confidence,
  concat(
    caller, ' granted ', array_to_string(roles, ', '), ' at the scope of ', array_to_string(scopes, ', '),
    ' (', grants, case when grants = 1 then ' assignment).' else ' assignments).' end,
    ' It granted no role here in the four weeks before.',
    case when caller_new then ' It was not seen here at all in that time.' else '' end,
    case when to_itself then ' It granted the role to itself.' else '' end,
    case when to_foreign_group then ' The role went to a group of another tenant.' else '' end,
    case when to_new_guest then ' The role went to a guest who was invited less than a week before.' else '' end
  ) as description,
  caller_id,
  caller,
  caller_origin,
  caller_addresses,
  grants,
  roles,
  scopes,
  principals,
  signs
from weighed
