-- Machines that talk to mining pools, one row for each subscription and hour.
--
-- Three ways to know a pool: its address is on the operator's list; or its port is one that pools
-- like, and the traffic behaves like mining; or a fleet of new machines behaves like mining towards
-- one new destination on whatever port. Mining behaves so: little data at a steady rate, on and on.
--
-- Each hour is judged by the six hours up to its end. What was seen two to seven days before is
-- known; the days between are left out, so that mining does not become its own history.
with outbound as (
  select
    subscription_id,
    customer_tenant_id,
    resource_id,
    coalesce(mac, src_ip) as nic,
    src_ip,
    dst_ip,
    dst_port,
    day,
    event_at,
    date_trunc('hour', event_at) as hour,
    coalesce(bytes_sent, 0) + coalesce(bytes_received, 0) as bytes,
    -- The record that ends a flow covers only part of an interval.
    coalesce(bytes_sent, 0) + coalesce(bytes_received, 0) > 0 and coalesce(state, '') <> 'end' as is_sample
  from flow
  where direction = 'outbound'
    and decision = 'allowed'
    and protocol = 6
    and subscription_id is not null
    and ip_is_private(dst_ip) = false
),
talks as (
  select
    subscription_id,
    nic,
    src_ip,
    dst_ip,
    dst_port,
    hour,
    max(customer_tenant_id) as customer_tenant_id,
    max(resource_id) as resource_id,
    min(event_at) as first_at,
    max(event_at) as last_at,
    count(*) as records,
    sum(bytes) as bytes,
    count(case when is_sample then 1 end) as samples,
    sum(case when is_sample then cast(bytes as double) else 0 end) as sample_sum,
    sum(case when is_sample then cast(bytes as double) * cast(bytes as double) else 0 end) as sample_squares
  from outbound
  where event_at + interval '7 hours' >= $since
  group by subscription_id, nic, src_ip, dst_ip, dst_port, hour
),
hours as (
  select
    subscription_id,
    hour,
    cast(hour as date) as day
  from talks
  group by subscription_id, hour
  having max(last_at) >= $since
),
conversations as (
  select
    hours.hour as judged_hour,
    hours.day as judged_day,
    talks.subscription_id,
    talks.nic,
    talks.src_ip,
    talks.dst_ip,
    talks.dst_port,
    max(talks.customer_tenant_id) as customer_tenant_id,
    max(talks.resource_id) as resource_id,
    min(talks.first_at) as first_at,
    max(talks.last_at) as last_at,
    sum(talks.records) as records,
    count(*) as active_hours,
    sum(talks.bytes) as bytes,
    sum(talks.samples) as samples,
    sum(talks.sample_sum) / nullif(sum(talks.samples), 0) as sample_mean,
    sum(talks.sample_squares) / nullif(sum(talks.samples), 0) as sample_mean_square
  from hours
  join talks
    on talks.subscription_id = hours.subscription_id
    and talks.hour > hours.hour - interval '6 hours'
    and talks.hour <= hours.hour
  group by
    hours.hour,
    hours.day,
    talks.subscription_id,
    talks.nic,
    talks.src_ip,
    talks.dst_ip,
    talks.dst_port
),
pool_addresses as (
  select
    address,
    port,
    max(name) as name
  from mining_pools
  where address is not null
  group by address, port
),
pool_ports as (
  select port
  from mining_pools
  where address is null
    and port is not null
  group by port
),
suspects as (
  select
    conversations.*,
    pool_addresses.address is not null as listed,
    pool_addresses.name as pool_name,
    pool_ports.port is not null as pool_port,
    -- Little: at most 20 MB an hour; a share of work is some hundred bytes.
    samples >= 1 and bytes / active_hours between 500 and 20000000 as quiet,
    -- Steady: samples differ from their mean by less than half of it, as a rule.
    samples >= 4
      and sample_mean_square - sample_mean * sample_mean <= 0.25 * sample_mean * sample_mean as steady
  from conversations
  left join pool_addresses
    on pool_addresses.address = conversations.dst_ip
    and (pool_addresses.port is null or pool_addresses.port = conversations.dst_port)
  left join pool_ports
    on pool_ports.port = conversations.dst_port
),
likely as (
  select *
  from suspects
  where listed
    or quiet
),
-- The past, in days. Joined to the few conversations that are left.
destination_days as (
  select subscription_id, dst_ip, day
  from outbound
  group by subscription_id, dst_ip, day
),
nic_days as (
  select subscription_id, nic, day
  from outbound
  group by subscription_id, nic, day
),
destinations as (
  select
    likely.subscription_id,
    likely.judged_day,
    likely.dst_ip,
    bool_or(destination_days.subscription_id = likely.subscription_id) as known_here,
    bool_or(destination_days.subscription_id <> likely.subscription_id) as known_elsewhere
  from (select distinct subscription_id, judged_day, dst_ip from likely) as likely
  join destination_days
    on destination_days.dst_ip = likely.dst_ip
    and destination_days.day <= likely.judged_day - 2
    and destination_days.day >= likely.judged_day - 7
  group by likely.subscription_id, likely.judged_day, likely.dst_ip
),
known_nics as (
  select
    likely.subscription_id,
    likely.judged_day,
    likely.nic
  from (select distinct subscription_id, judged_day, nic from likely) as likely
  join nic_days
    on nic_days.subscription_id = likely.subscription_id
    and nic_days.nic = likely.nic
    and nic_days.day <= likely.judged_day - 2
    and nic_days.day >= likely.judged_day - 7
  group by likely.subscription_id, likely.judged_day, likely.nic
),
known_subscriptions as (
  select
    likely.subscription_id,
    likely.judged_day
  from (select distinct subscription_id, judged_day from likely) as likely
  join nic_days
    on nic_days.subscription_id = likely.subscription_id
    and nic_days.day <= likely.judged_day - 2
    and nic_days.day >= likely.judged_day - 7
  group by likely.subscription_id, likely.judged_day
),
towards as (
  -- How many machines of the subscription behave so towards one destination.
  select
    likely.subscription_id,
    likely.judged_hour,
    likely.judged_day,
    likely.dst_ip,
    likely.dst_port,
    bool_or(listed) as listed,
    bool_or(pool_port) as pool_port,
    coalesce(bool_or(destinations.known_here), false) as known_here,
    coalesce(bool_or(destinations.known_elsewhere), false) as known_elsewhere,
    coalesce(bool_or(known_subscriptions.subscription_id is not null), false) as subscription_known,
    max(last_at) >= likely.judged_hour as goes_on,
    max(case when quiet then last_at end) - min(case when quiet then first_at end) as lasts,
    -- A fleet is judged together, so that it need not be watched for as long as one machine.
    count(distinct case when quiet then likely.nic end) as quiet_sources,
    count(distinct case when quiet and known_nics.nic is null then likely.nic end) as new_quiet_sources,
    sum(case when quiet then samples end) as fleet_samples,
    sum(case when quiet then samples * sample_mean end) / sum(case when quiet then samples end) as fleet_mean,
    sum(case when quiet then samples * sample_mean_square end) / sum(case when quiet then samples end)
      as fleet_mean_square,
    count(distinct case when quiet and steady then likely.nic end) as steady_sources,
    count(distinct case when quiet and steady and known_nics.nic is null then likely.nic end) as new_steady_sources
  from likely
  left join destinations
    on destinations.subscription_id = likely.subscription_id
    and destinations.judged_day = likely.judged_day
    and destinations.dst_ip = likely.dst_ip
  left join known_nics
    on known_nics.subscription_id = likely.subscription_id
    and known_nics.judged_day = likely.judged_day
    and known_nics.nic = likely.nic
  left join known_subscriptions
    on known_subscriptions.subscription_id = likely.subscription_id
    and known_subscriptions.judged_day = likely.judged_day
  group by
    likely.subscription_id,
    likely.judged_hour,
    likely.judged_day,
    likely.dst_ip,
    likely.dst_port
),
counted as (
  select
    *,
    coalesce(
      fleet_samples >= 6 and fleet_mean_square - fleet_mean * fleet_mean <= 0.25 * fleet_mean * fleet_mean,
      false
    ) as steady_together
  from towards
  where goes_on
),
pools as (
  select
    *,
    case
      when listed then 'address of a mining pool'
      when pool_port
        and not known_here
        and (
          (miners >= 1 and lasts >= interval '55 minutes')
          or (miners >= 3 and lasts >= interval '25 minutes')
        )
        then 'port of mining pools, steady small traffic'
      when subscription_known
        and not known_here
        and not known_elsewhere
        and new_miners >= 3
        and 2 * new_miners >= miners
        and lasts >= interval '110 minutes'
        then 'new machines with steady small traffic to one new destination'
    end as reason
  from (
    select
      *,
      case when steady_together then quiet_sources else steady_sources end as miners,
      case when steady_together then new_quiet_sources else new_steady_sources end as new_miners
    from counted
  )
),
found as (
  select
    likely.subscription_id,
    likely.judged_hour,
    max(likely.customer_tenant_id) as customer_tenant_id,
    min(likely.first_at) as first_at,
    max(likely.last_at) as last_at,
    bool_or(pools.listed) as listed,
    bool_or(pools.pool_port) as pool_port,
    max(likely.pool_name) as pool_name,
    sum(likely.records) as records,
    sum(likely.bytes) as bytes,
    count(distinct likely.src_ip) as machines,
    array_agg(distinct likely.src_ip order by likely.src_ip) as sources,
    array_agg(distinct likely.dst_ip order by likely.dst_ip) as destinations,
    array_agg(distinct likely.dst_port order by likely.dst_port) as ports,
    array_agg(distinct pools.reason order by pools.reason) as reasons,
    array_agg(distinct likely.resource_id order by likely.resource_id)
      filter (where likely.resource_id is not null) as resources
  from likely
  join pools
    on pools.subscription_id = likely.subscription_id
    and pools.judged_hour = likely.judged_hour
    and pools.dst_ip = likely.dst_ip
    and pools.dst_port = likely.dst_port
    and pools.reason is not null
  group by likely.subscription_id, likely.judged_hour
)
select
  subscription_id,
  customer_tenant_id,
  first_at as first_observed_at,
  last_at as last_observed_at,
  resources,
  case when listed or pool_port or machines >= 5 then 'high' else 'medium' end as severity,
  case when listed or (pool_port and machines >= 3) then 'high' else 'medium' end as confidence,
  concat(
    machines, case when machines = 1 then ' machine' else ' machines' end, ' (', array_to_string(sources, ', '),
    ') talked to ', array_to_string(destinations, ', '), ' on port ', array_to_string(ports, ', '),
    ', ', bytes / 1000, ' kB within six hours: ', array_to_string(reasons, '; '), '.'
  ) as description,
  sources as "VM_IP",
  destinations as "MiningPool_IP",
  records as "ConnectionCount",
  pool_name as "CryptoCurrencyMiningPoolDomainName",
  ports,
  bytes,
  reasons
from found
