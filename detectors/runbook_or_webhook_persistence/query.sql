-- Automation that may be a backdoor, one row for each subscription, caller and hour.
--
-- An hour is judged with the hour before it. Acts count only if the caller did nothing with the same
-- service (automation, logic apps, functions) here from 28 to 2 days before. A webhook, a hybrid worker
-- or a function's key opens a door and is told even alone; all else needs a second sign. All of it is weak if a
-- known caller does it from a known address: a platform team, at its desk. Where nothing was seen two weeks ago
-- and earlier, that the caller is new says nothing.
with acts as (
  select
    subscription_id,
    coalesce(caller_id, caller, 'unknown') as caller_id,
    coalesce(caller, caller_id, 'unknown') as caller,
    caller_origin,
    customer_tenant_id,
    caller_ip,
    correlation_id,
    resource_id,
    operation,
    status,
    properties,
    day,
    event_at,
    case
      when operation like 'microsoft.automation/%' then 'automation'
      when operation like 'microsoft.logic/%' then 'logic app'
      when operation like 'microsoft.web/%' then 'function'
      else 'role'
    end as service
  from activity
  where operation in (
      'microsoft.automation/automationaccounts/write',
      'microsoft.automation/automationaccounts/webhooks/write',
      'microsoft.automation/automationaccounts/webhooks/action',
      'microsoft.automation/automationaccounts/hybridrunbookworkergroups/write',
      'microsoft.automation/automationaccounts/hybridrunbookworkergroups/hybridrunbookworkers/write',
      'microsoft.automation/automationaccounts/runbooks/write',
      'microsoft.automation/automationaccounts/runbooks/draft/write',
      'microsoft.automation/automationaccounts/runbooks/draft/content/write',
      'microsoft.automation/automationaccounts/runbooks/publish/action',
      'microsoft.automation/automationaccounts/schedules/write',
      'microsoft.automation/automationaccounts/jobschedules/write',
      'microsoft.automation/automationaccounts/jobs/write',
      'microsoft.logic/workflows/write',
      'microsoft.logic/workflows/triggers/listcallbackurl/action',
      'microsoft.web/sites/functions/write',
      'microsoft.web/sites/functions/keys/write',
      'microsoft.web/sites/host/functionkeys/write',
      'microsoft.web/sites/host/systemkeys/write',
      'microsoft.web/sites/hostruntime/host/action',
      'microsoft.authorization/roleassignments/write'
    )
    and subscription_id is not null
),
practised as (
  -- Who worked with which service on which day, and whether that was nothing new.
  select
    *,
    count(*) over (
      partition by subscription_id, caller_id, service
      order by day
      range between interval '28 days' preceding and interval '2 days' preceding
    ) > 0 as is_practised
  from (
    select distinct subscription_id, caller_id, service, day
    from acts
    where service <> 'role'
      and coalesce(status, 'succeeded') <> 'failed'
  )
),
requests as (
  -- Bodies stand in the first record of a request, the outcome in a later one.
  select
    subscription_id,
    caller_id,
    max(caller) as caller,
    max(caller_origin) as caller_origin,
    max(customer_tenant_id) as customer_tenant_id,
    max(caller_ip) as address,
    service,
    resource_id,
    min(event_at) as first_at,
    max(event_at) as last_at,
    case
      when service = 'role' then 'role for its identity'
      when operation = 'microsoft.automation/automationaccounts/write' then 'automation account'
      when operation like 'microsoft.automation/automationaccounts/webhooks/%' then 'webhook'
      when operation like 'microsoft.automation/automationaccounts/hybridrunbookworkergroups/%' then 'hybrid worker'
      when operation like 'microsoft.automation/automationaccounts/runbooks/%' then 'runbook'
      when operation like '%schedules/write' then 'schedule'
      when operation = 'microsoft.automation/automationaccounts/jobs/write' then 'job'
      when operation like '%keys/write' then 'function key'
      else service
    end as kind,
    -- Whom the account acts as, and who got a role.
    max((regexp_match(body, '"principalid":\s*"([^"]+)"'))[1]) as principal_id,
    max((regexp_match(body, '"principaltype":\s*"([a-z]+)"'))[1]) as principal_type
  from (
    select
      *,
      -- Bodies are JSON text in a string, with keys in either case, and may be cut off.
      case
        when service = 'role' or operation = 'microsoft.automation/automationaccounts/write'
          then replace(lower(properties), '\', '')
      end as body
    from acts
    where event_at >= date_trunc('hour', $since) - interval '27 hours'
  )
  group by
    subscription_id,
    caller_id,
    coalesce(correlation_id, cast(date_trunc('hour', event_at) as varchar)),
    service,
    operation,
    resource_id
  -- Sparse records have no status; they count as done.
  having bool_or(coalesce(status, 'succeeded') in ('accepted', 'succeeded'))
),
with_account as (
  select
    *,
    max(case when kind = 'automation account' then first_at end) over last_day as account_at,
    last_value(case when kind = 'automation account' then principal_id end) ignore nulls over last_day as account_identity
  from requests
  window last_day as (
    partition by subscription_id, caller_id
    order by first_at
    range between interval '24 hours' preceding and current row
  )
),
fresh as (
  -- A role counts only if it goes to the identity of an account that the caller made within a day.
  -- Where the account's record does not tell its identity, a role for any service principal does.
  select with_account.*
  from with_account
  join practised
    on practised.subscription_id = with_account.subscription_id
    and practised.caller_id = with_account.caller_id
    and practised.service = case when with_account.service = 'role' then 'automation' else with_account.service end
    and practised.day = cast(case when with_account.service = 'role' then account_at else first_at end as date)
    and not is_practised
  where with_account.service <> 'role'
    or principal_id = account_identity
    or (account_identity is null and principal_type = 'serviceprincipal')
),
bursts as (
  select
    subscription_id,
    caller_id,
    date_trunc('hour', first_at) + back.gap as hour,
    max(caller) as caller,
    max(caller_origin) as caller_origin,
    max(customer_tenant_id) as customer_tenant_id,
    min(first_at) as first_at,
    max(last_at) as last_at,
    bool_or(kind in ('webhook', 'hybrid worker', 'function key')) as opens_door,
    bool_or(service = 'role') as gets_role,
    -- An account that got a role is a second kind, whenever it was made.
    count(distinct kind) + max(case when service = 'role' then 1 else 0 end) as kinds,
    array_agg(distinct kind order by kind) as made,
    array_agg(distinct address order by address) filter (where address is not null) as caller_addresses,
    array_slice(array_agg(distinct resource_id order by resource_id), 1, 25) as resources
  from fresh
  cross join (values (interval '0 hours'), (interval '1 hour')) as back (gap)
  group by subscription_id, caller_id, date_trunc('hour', first_at) + back.gap
  -- An hour in which nothing happened says only what the hour before has said.
  having bool_or(back.gap = interval '0 hours') and max(last_at) >= $since
),
familiar as (
  select
    subscription_id,
    caller_id,
    day,
    count(*) over (
      partition by subscription_id
      order by day
      range between interval '28 days' preceding and interval '14 days' preceding
    ) > 0 as subscription_known,
    count(*) over (
      partition by subscription_id, caller_id
      order by day
      range between interval '28 days' preceding and interval '2 days' preceding
    ) > 0 as caller_known
  from (
    select distinct subscription_id, coalesce(caller_id, caller, 'unknown') as caller_id, day
    from activity
    where subscription_id in (select subscription_id from acts where event_at >= $since)
  )
),
places as (
  -- From where each caller worked on which day, and whether that was nothing new.
  select
    subscription_id,
    caller_id,
    address,
    day,
    count(*) over (
      partition by subscription_id, caller_id, address
      order by day
      range between interval '28 days' preceding and interval '2 days' preceding
    ) > 0 as address_known
  from (
    select distinct subscription_id, coalesce(caller_id, caller, 'unknown') as caller_id, caller_ip as address, day
    from activity
    where subscription_id in (select subscription_id from acts where event_at >= $since)
      and caller_ip is not null
  )
),
weighed as (
  select
    bursts.*,
    subscription_known,
    -- A platform team sets automation up from its own desk.
    caller_known and coalesce(address_known, false) as is_at_home,
    subscription_known and not caller_known as caller_new,
    case when subscription_known and not caller_known then 2 else 0 end
      + case when opens_door then 1 else 0 end
      + case when gets_role then 1 else 0 end
      + case when kinds >= 2 then 1 else 0 end as points
  from bursts
  join familiar
    on familiar.subscription_id = bursts.subscription_id
    and familiar.caller_id = bursts.caller_id
    and familiar.day = cast(bursts.first_at as date)
  left join places
    on places.subscription_id = bursts.subscription_id
    and places.caller_id = bursts.caller_id
    and places.address = bursts.caller_addresses[1]
    and places.day = cast(bursts.first_at as date)
)
select
  subscription_id,
  customer_tenant_id,
  first_at as first_observed_at,
  last_at as last_observed_at,
  resources,
  case when is_at_home then 'low' when points >= 4 then 'high' when points >= 3 or (points = 2 and kinds >= 2) then 'medium' else 'low' end as severity,
  case
    when is_at_home then 'low'
    when points >= 3 or (points = 2 and kinds >= 2) then 'medium'
    else 'low'
  end as confidence,
  concat(
    caller, ' set up automation: ', array_to_string(made, ', '), '.',
    ' It did nothing of the kind here in the four weeks before.',
    case when caller_new then ' It was not seen here at all in that time.' else '' end,
    case when opens_door then ' What was made can be run from outside without signing in, or on machines of the caller''s choice.' else '' end,
    case when gets_role then ' The identity of the automation got a role within a day.' else '' end
  ) as description,
  caller_id,
  caller,
  caller_origin,
  caller_addresses,
  made,
  kinds,
  points
from weighed
where opens_door
  or (subscription_known and (caller_new or kinds >= 2))
