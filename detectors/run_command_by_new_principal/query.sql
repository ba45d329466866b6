-- Commands that run on machines through Azure, one row for each subscription, caller and hour.
--
-- An hour is judged with the hour before it, so that a run over the full hour stays together. It counts
-- if the caller was not seen here from 28 to 2 days before, if it was seen, but never ran a command and never
-- came from this address, if it reached at least ten machines and three times as many as ever, or if what it ran
-- tells on itself. Where nothing was seen two weeks ago and earlier, everything is new and nothing
-- is said. The operations are rare, so that four weeks of them are read for what is usual.
--
-- People work from hotels and kitchens, and have their suppliers in. So a known caller on one or two machines is
-- only a sign, unless Entra finds the sign-in from that address risky or it is in a country that is new for the
-- caller; on a device that the caller has had for days, the address says nothing at all. And a stranger to whom
-- somebody known gave a role from a usual address within a week is a sign on up to four machines; so is an
-- application to which nobody gave a role in that time: what keeps machines in order does so once a month.
with commands as (
  select
    subscription_id,
    coalesce(caller_id, caller, 'unknown') as caller_id,
    coalesce(caller, caller_id, 'unknown') as caller,
    caller_origin,
    caller_type,
    customer_tenant_id,
    caller_ip,
    -- What the command ran on: the machine, or the instance of a scale set.
    split_part(split_part(split_part(resource_id, '/extensions/', 1), '/runcommands/', 1), '/providers/microsoft.serialconsole/', 1)
      as machine,
    case
      when operation = 'microsoft.serialconsole/serialports/connect/action' then 'serial console'
      when operation like '%/extensions/write' then concat('extension ', split_part(resource_id, '/extensions/', 2))
      else 'run command'
    end as way,
    event_at,
    -- Scripts that are fetched from a bare address, and names and tricks of miners and shells.
    regexp_like(
      body,
      'xmrig|minerd|nicehash|kinsing|stratum\+|/dev/tcp/|base64 (-d|--decode)|frombase64string|-enc(odedcommand)? '
    )
      or ip_is_private(
        regexp_match(body, '(?:https?|ftp)://([0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3})[:/]')[1]
      ) = false as tells
  from (
    select *, replace(lower(properties), '\', '') as body
    from activity
  )
  where operation in (
      'microsoft.compute/virtualmachines/runcommand/action',
      'microsoft.compute/virtualmachines/runcommands/write',
      'microsoft.compute/virtualmachines/extensions/write',
      'microsoft.compute/virtualmachinescalesets/extensions/write',
      'microsoft.compute/virtualmachinescalesets/virtualmachines/runcommand/action',
      'microsoft.compute/virtualmachinescalesets/virtualmachines/runcommands/write',
      'microsoft.containerservice/managedclusters/runcommand/action',
      'microsoft.hybridcompute/machines/extensions/write',
      'microsoft.hybridcompute/machines/runcommands/write',
      'microsoft.serialconsole/serialports/connect/action'
    )
    and subscription_id is not null
    and resource_id is not null
    -- What was refused did not run. Sparse records have no status; they count as done.
    and coalesce(status, 'succeeded') in ('accepted', 'succeeded')
    -- Extensions for monitoring and backup come by the hundred; these run what the caller wants, or
    -- reset a password. Names are free, so the type in the body counts as well.
    and (
      operation not like '%/extensions/write'
      or regexp_like(split_part(resource_id, '/extensions/', 2), 'customscript|vmaccess|runcommand|^dsc$')
      or regexp_like(body, '"type":\s*"(customscript|vmaccess|runcommand|dsc")')
    )
),
own_machines as (
  -- Who makes a machine also sets it up. Changes of machines that were there are no creation.
  select
    subscription_id,
    coalesce(caller_id, caller, 'unknown') as caller_id,
    resource_id as machine,
    event_at as made_at
  from activity
  where operation in ('microsoft.compute/virtualmachines/write', 'microsoft.compute/virtualmachinescalesets/write')
    and sub_status = 'created'
),
on_others as (
  select *
  from commands
  left anti join own_machines
    on own_machines.subscription_id = commands.subscription_id
    and own_machines.caller_id = commands.caller_id
    -- An instance of a scale set belongs to who made the set.
    and own_machines.machine = case
      when commands.machine like '%/virtualmachinescalesets/%' then split_part(commands.machine, '/virtualmachines/', 1)
      else commands.machine
    end
    and own_machines.made_at between commands.event_at - interval '24 hours' and commands.event_at
),
bursts as (
  -- Machines are counted, not records: accepted and succeeded is one command.
  select
    subscription_id,
    caller_id,
    date_trunc('hour', event_at) + back.gap as hour,
    min(event_at) as first_at,
    max(event_at) as last_at,
    last_value(coalesce(caller_ip, '') order by event_at, coalesce(caller_ip, '')) as address,
    count(distinct machine) as machines,
    max(caller_type) as caller_type,
    coalesce(bool_or(tells), false) as tells
  from on_others
  cross join (values (interval '0 hours'), (interval '1 hour')) as back (gap)
  group by subscription_id, caller_id, date_trunc('hour', event_at) + back.gap
  -- An hour in which nothing happened says only what the hour before has said.
  having bool_or(back.gap = interval '0 hours')
),
compared as (
  select
    *,
    coalesce(max(machines) over (
      partition by subscription_id, caller_id
      order by hour
      range between interval '28 days' preceding and interval '24 hours' preceding
    ), 0) as usual_machines
  from bursts
),
familiar as (
  select
    subscription_id,
    caller_id,
    address,
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
    ) > 0 as caller_known,
    -- A record without an address tells nothing of places.
    address = '' or count(*) over (
      partition by subscription_id, caller_id, address
      order by day
      range between interval '28 days' preceding and interval '2 days' preceding
    ) > 0 as address_known,
    -- The same for who let somebody in a week ago: fewer days, so that the lookback holds them.
    count(*) over (
      partition by subscription_id, caller_id, address
      order by day
      range between interval '16 days' preceding and interval '2 days' preceding
    ) > 0 as is_usual
  from (
    select distinct
      subscription_id,
      coalesce(caller_id, caller, 'unknown') as caller_id,
      coalesce(caller_ip, '') as address,
      day
    from activity
    where subscription_id in (select subscription_id from commands where event_at >= $since)
  )
),
introduced as (
  -- Who got a role here, and whether from somebody known. A thief lets accomplices in, too, but not from where the
  -- victim is.
  select distinct
    grants.subscription_id,
    grants.principal_id,
    grants.event_at as granted_at,
    familiar.address is not null as by_known
  from (
    select
      subscription_id,
      coalesce(caller_id, caller, 'unknown') as caller_id,
      coalesce(caller_ip, '') as address,
      day,
      event_at,
      (regexp_match(replace(lower(properties), '\', ''), '"principalid":\s*"([^"]+)"'))[1] as principal_id
    from activity
    where operation = 'microsoft.authorization/roleassignments/write'
      and coalesce(status, 'succeeded') <> 'failed'
      and event_at >= $since - interval '9 days'
  ) as grants
  left join familiar
    on familiar.subscription_id = grants.subscription_id
    and familiar.caller_id = grants.caller_id
    and familiar.address = grants.address
    and familiar.day = grants.day
    and familiar.is_usual
    and familiar.address <> ''
  where grants.principal_id is not null
),
candidates as (
  select
    compared.*,
    caller_known,
    address_known or usual_machines > 0 as is_usual_place
  from compared
  join familiar
    on familiar.subscription_id = compared.subscription_id
    and familiar.caller_id = compared.caller_id
    and familiar.address = compared.address
    and familiar.day = cast(compared.last_at as date)
    and subscription_known
  where last_at >= $since
),
placed as (
  -- What the caller's sign-ins tell of the address: those of the day, and those from 28 to 2 days before.
  select
    candidates.subscription_id,
    candidates.caller_id,
    candidates.hour,
    coalesce(bool_or(
      sign_in.event_at >= candidates.last_at - interval '24 hours'
      and sign_in.ip = candidates.address
      and (sign_in.risk_level in ('medium', 'high') or sign_in.risk_state = 'confirmedcompromised')
      and coalesce(sign_in.risk_state, '') not in ('dismissed', 'remediated', 'confirmedsafe')
    ), false) as is_risky,
    array_agg(distinct sign_in.device_id) filter (
      where sign_in.device_id is not null and sign_in.ip = candidates.address
        and sign_in.event_at >= candidates.last_at - interval '24 hours'
    ) as devices,
    array_agg(distinct sign_in.device_id) filter (
      where sign_in.device_id is not null and sign_in.event_at < candidates.hour - interval '48 hours'
    ) as usual_devices,
    array_agg(distinct sign_in.country) filter (
      where sign_in.country is not null and sign_in.ip = candidates.address
        and sign_in.event_at >= candidates.last_at - interval '24 hours'
    ) as countries,
    array_agg(distinct sign_in.country) filter (
      where sign_in.country is not null and sign_in.event_at < candidates.hour - interval '48 hours'
    ) as usual_countries
  from candidates
  join sign_in
    on sign_in.user_id = candidates.caller_id
    and sign_in.event_at >= candidates.hour - interval '28 days'
    and sign_in.event_at <= candidates.last_at
  where sign_in.error_code = 0
    and candidates.caller_known
    and not candidates.is_usual_place
  group by candidates.subscription_id, candidates.caller_id, candidates.hour
),
weighed as (
  select
    candidates.subscription_id,
    candidates.caller_id,
    candidates.hour,
    max(candidates.first_at) as first_at,
    max(candidates.last_at) as last_at,
    max(candidates.machines) as machines,
    max(candidates.caller_type) as caller_type,
    max(candidates.usual_machines) as usual_machines,
    bool_or(candidates.tells) as tells,
    bool_or(candidates.caller_known) as caller_known,
    bool_or(candidates.is_usual_place) or coalesce(bool_or(array_has_any(placed.devices, placed.usual_devices)), false)
      as is_at_home,
    coalesce(bool_or(
      placed.is_risky
      or array_length(placed.usual_countries) > 0 and array_length(array_except(placed.countries, placed.usual_countries)) > 0
    ), false) as is_strange,
    bool_or(introduced.by_known)
      or (max(candidates.caller_type) in ('application', 'managed_identity') and bool_and(introduced.principal_id is null))
      as is_introduced
  from candidates
  left join placed
    on placed.subscription_id = candidates.subscription_id
    and placed.caller_id = candidates.caller_id
    and placed.hour = candidates.hour
  left join introduced
    on introduced.subscription_id = candidates.subscription_id
    and introduced.principal_id = candidates.caller_id
    and introduced.granted_at between candidates.hour - interval '7 days' and candidates.last_at
    and not candidates.caller_known
  group by candidates.subscription_id, candidates.caller_id, candidates.hour
),
judged as (
  select
    *,
    case when caller_known and is_at_home then greatest(10, 3 * usual_machines) else 1 end as threshold
  from weighed
  where tells
    or machines >= case when caller_known and is_at_home then greatest(10, 3 * usual_machines) else 1 end
),
described as (
  select
    judged.subscription_id,
    judged.caller_id,
    first_at,
    last_at,
    machines,
    usual_machines,
    threshold,
    judged.tells,
    caller_known,
    caller_known and not is_at_home as is_elsewhere,
    is_strange,
    is_introduced,
    max(caller) as caller,
    max(caller_origin) as caller_origin,
    max(customer_tenant_id) as customer_tenant_id,
    array_agg(distinct way order by way) as ways,
    array_agg(distinct caller_ip order by caller_ip) filter (where caller_ip is not null) as caller_addresses,
    array_slice(array_agg(distinct machine order by machine), 1, 25) as resources
  from judged
  join on_others
    on on_others.subscription_id = judged.subscription_id
    and on_others.caller_id = judged.caller_id
    and on_others.event_at between judged.first_at and judged.last_at
  where on_others.event_at >= date_trunc('hour', $since) - interval '1 hour'
  group by
    judged.subscription_id,
    judged.caller_id,
    hour,
    first_at,
    last_at,
    machines,
    usual_machines,
    threshold,
    judged.tells,
    caller_known,
    is_at_home,
    is_strange,
    is_introduced
)
select
  subscription_id,
  customer_tenant_id,
  first_at as first_observed_at,
  last_at as last_observed_at,
  resources,
  case
    when tells then 'high'
    when is_elsewhere and machines < 3 and not is_strange then 'low'
    when caller_known then 'medium'
    when machines >= 5 then 'high'
    when is_introduced then 'low'
    -- Support is often new to a subscription, the partner's above all; a machine or two is what it looks after.
    when machines < 3 or caller_origin = 'partner' then 'low'
    else 'medium'
  end as severity,
  case
    when tells then 'high'
    when is_elsewhere and (machines >= 3 or is_strange) then 'medium'
    when caller_known then 'low'
    when machines < 3 or (machines < 5 and (caller_origin = 'partner' or is_introduced)) then 'low'
    else 'medium'
  end as confidence,
  concat(
    caller, ' ran commands on ', machines, case when machines = 1 then ' machine' else ' machines' end,
    ' within two hours, by ', array_to_string(ways, ', '), '.',
    case
      when is_elsewhere then concat(
        ' This caller is known here, but ran no command in the 28 days before and did not come from this address.',
        case when is_strange then ' The sign-in from there was risky, or from a country that is new for it.' else '' end
      )
      when caller_known then concat(' The most in two hours of the 28 days before was ', usual_machines, '.')
      else ' This caller was not seen on the subscription in the four weeks before.'
    end,
    case when tells then ' What was run comes from a bare address or has marks of a miner or a shell.' else '' end
  ) as description,
  caller_id,
  caller,
  caller_origin,
  caller_addresses,
  machines,
  ways,
  usual_machines,
  threshold
from described
