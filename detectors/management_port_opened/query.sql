-- Rules of network security groups that let any address reach SSH, Remote Desktop or WinRM, one row for
-- each subscription, caller and hour.
--
-- Only a rule whose text says all of it counts: inbound, allowed, from anywhere, to such a port. What the
-- group let in before by a rule of the last four weeks is not opened anew, and a caller who opened
-- such ports in the weeks before is not reported again and again.
with records as (
  select *
  from activity
  where operation in (
      'microsoft.network/networksecuritygroups/securityrules/write',
      'microsoft.network/networksecuritygroups/write'
    )
    and subscription_id is not null
    and resource_id is not null
),
requests as (
  -- Start, acceptance and end of one request share correlation and resource: count them once.
  select
    subscription_id,
    coalesce(caller_id, caller, 'unknown') as caller_id,
    max(coalesce(caller, caller_id, 'unknown')) as caller,
    operation,
    resource_id,
    max(caller_origin) as caller_origin,
    max(customer_tenant_id) as customer_tenant_id,
    min(event_at) as first_at,
    max(event_at) as last_at,
    max(caller_ip) as address,
    -- Sparse records have no status; a request without one is taken as done.
    bool_or(coalesce(status, 'succeeded') in ('accepted', 'succeeded')) as done,
    -- The body stands in the first record of a request, the outcome in the last.
    max(split_part(split_part(lower(properties), '"requestbody"', 2), '"responsebody"', 1)) as asked,
    max(split_part(split_part(lower(properties), '"responsebody"', 2), '"requestbody"', 1)) as replied
  from records
  -- Only of subscriptions where such a thing happened just now; their past is needed to judge it.
  where subscription_id in (select subscription_id from records where event_at >= $since)
  group by
    subscription_id,
    coalesce(caller_id, caller, 'unknown'),
    coalesce(correlation_id, cast(date_trunc('hour', event_at) as varchar)),
    operation,
    resource_id
),
rules as (
  -- The properties of each rule, as plain JSON, without blanks, ends of lines and what quotes the bodies.
  select
    *,
    unnest(string_to_array(
      replace(replace(replace(replace(
        -- The reply to a change of a group lists its old rules too; for one rule it says what was asked.
        case when operation like '%/securityrules/write' then coalesce(nullif(asked, ''), replied) else asked end,
        '\r', ''), '\n', ''), '\', ''), ' ', ''),
      '"properties":{'
    )) as rule
  from requests
  where done
),
ranges as (
  select
    *,
    unnest(string_to_array(
      replace(
        concat_ws(
          ',',
          regexp_match(rule, '"destinationportrange":"([^"]*)"')[1],
          regexp_match(rule, '"destinationportranges":\[([^\]]*)\]')[1]
        ),
        '"', ''
      ),
      ','
    )) as ports
  from rules
  where rule like '%"access":"allow"%'
    and rule like '%"direction":"inbound"%'
    -- TCP or all protocols.
    and rule not like '%"protocol":"udp"%'
    and rule not like '%"protocol":"icmp"%'
    and regexp_like(rule, '"sourceaddressprefix(es)?":\[?("[^"]*",)*"(\*|0\.0\.0\.0/0|::/0|internet|any)"')
),
spans as (
  select
    *,
    case when ports = '*' then 0 else try_cast(split_part(ports, '-', 1) as int) end as lowest,
    case
      when ports = '*' then 65535
      when ports like '%-%' then try_cast(split_part(ports, '-', 2) as int)
      else try_cast(ports as int)
    end as highest
  from ranges
  where ports <> ''
),
openings as (
  select
    spans.subscription_id,
    spans.caller_id,
    split_part(spans.resource_id, '/securityrules/', 1) as security_group,
    spans.resource_id,
    services.service,
    spans.first_at,
    max(spans.last_at) as last_at,
    max(spans.caller) as caller,
    max(spans.caller_origin) as caller_origin,
    max(spans.customer_tenant_id) as customer_tenant_id,
    max(spans.address) as address,
    bool_or(spans.lowest <= 1 and spans.highest = 65535) as all_ports
  from spans
  join (
    values (22, 'SSH (22)'), (3389, 'Remote Desktop (3389)'), (5985, 'WinRM (5985)'), (5986, 'WinRM (5986)')
  ) as services (port, service)
    on services.port between spans.lowest and spans.highest
  group by
    spans.subscription_id,
    spans.caller_id,
    spans.resource_id,
    services.service,
    spans.first_at
),
marked as (
  select
    *,
    count(*) over (
      partition by subscription_id, security_group, service
      order by first_at
      range between interval '28 days' preceding and interval '1 microsecond' preceding
    ) > 0 as was_open,
    count(*) over (
      partition by subscription_id, caller_id
      order by first_at
      range between interval '28 days' preceding and interval '24 hours' preceding
    ) > 0 as is_habit
  from openings
),
hours as (
  select
    subscription_id,
    caller_id,
    date_trunc('hour', first_at) as hour,
    max(caller) as caller,
    max(caller_origin) as caller_origin,
    max(customer_tenant_id) as customer_tenant_id,
    min(first_at) as first_at,
    max(last_at) as last_at,
    max(address) as address,
    bool_or(all_ports) as all_ports,
    count(distinct security_group) as security_groups,
    array_agg(distinct service order by service) as opened,
    array_agg(distinct address order by address) filter (where address is not null) as caller_addresses,
    array_slice(array_agg(distinct resource_id order by resource_id), 1, 25) as resources
  from marked
  where not was_open
    and not is_habit
    -- No request takes longer than a day.
    and first_at >= $since - interval '1 day'
  group by subscription_id, caller_id, date_trunc('hour', first_at)
  having max(last_at) >= $since
),
known as (
  select
    hours.subscription_id,
    hours.caller_id,
    hours.hour,
    -- A week at least: a customer that came yesterday has only new callers.
    min(past.event_at) <= hours.hour - interval '7 days' as has_history,
    bool_or(coalesce(past.caller_id, past.caller) = hours.caller_id) as knows_caller,
    bool_or(coalesce(past.caller_id, past.caller) = hours.caller_id and past.caller_ip = hours.address) as knows_address,
    count(distinct case when coalesce(past.caller_id, past.caller) = hours.caller_id then past.caller_ip end)
      as usual_addresses
  from hours
  join activity as past
    on past.subscription_id = hours.subscription_id
    and past.event_at >= hours.hour - interval '28 days'
    and past.event_at < hours.hour - interval '24 hours'
  where past.event_at < $until
  group by hours.subscription_id, hours.caller_id, hours.hour
),
judged as (
  select
    hours.*,
    case
      -- Who comes from everywhere has no usual address.
      when known.knows_caller and not known.knows_address and known.usual_addresses between 1 and 3
        and hours.address is not null then 'known, but not from this address'
      when known.knows_caller then 'known'
      when known.has_history and hours.caller_id <> 'unknown' then 'not seen in the 28 days before'
      else 'no history to compare with'
    end as caller_history
  from hours
  left join known
    on known.subscription_id = hours.subscription_id
    and known.caller_id = hours.caller_id
    and known.hour = hours.hour
),
weighed as (
  -- Developers open such ports; that is a weakness to list, not a call at night.
  select
    *,
    2
      + case caller_history
          when 'not seen in the 28 days before' then 2
          when 'known, but not from this address' then 1
          else 0
        end
      + case when all_ports then 1 else 0 end
      -- A new subscription is built in one go.
      + case when security_groups >= 3 and caller_history <> 'no history to compare with' then 1 else 0 end as points
  from judged
)
select
  subscription_id,
  customer_tenant_id,
  first_at as first_observed_at,
  last_at as last_observed_at,
  resources,
  case when points >= 6 then 'high' when points >= 4 then 'medium' else 'low' end as severity,
  case
    when points >= 6 then 'high'
    when caller_history in ('not seen in the 28 days before', 'known, but not from this address') then 'medium'
    else 'low'
  end as confidence,
  concat(
    case when caller = 'unknown' then 'A caller that the records do not name' else caller end,
    ' let any address reach ', array_to_string(opened, ', '), ' through ', security_groups,
    case when security_groups = 1 then ' network security group' else ' network security groups' end, ' within an hour',
    case when all_ports then ', and with them all other ports' else '' end, '.',
    case caller_history
      when 'not seen in the 28 days before' then ' This caller did nothing here in the 28 days before.'
      when 'known' then ' This caller is known here, but opened no such port in the 28 days before.'
      when 'known, but not from this address'
        then ' This caller is known here, but not from this address, and opened no such port in the 28 days before.'
      else ' The subscription has no history yet to judge the caller by.'
    end
  ) as description,
  caller_id,
  caller,
  caller_origin,
  caller_addresses,
  caller_history,
  opened,
  security_groups,
  case when all_ports then 'all' else 'some' end as ports_opened,
  points
from weighed
