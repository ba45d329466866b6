-- Machines that talk to mining pools, one row for each subscription and hour.
--
-- Three ways to know a pool: its address is on the operator's list; or its port is one that pools
-- like, and the traffic behaves like mining; or the traffic alone does, towards one new destination on
-- whatever port. Mining behaves so: little data at a steady rate, on and on, over a connection that stands.
--
-- How long it has to be watched depends on what else is there. A listed address is enough by itself. On a
-- pool's port a quarter of an hour is, if nobody of the whole estate knows the destination. On any other port
-- several machines are watched for the better part of an hour, and one for the better part of six; then it must be
-- the only such destination of the subscription, since services whose addresses move come in numbers.
--
-- Each hour is judged by the six hours up to its end. What was seen two to seven days before is
-- known; the days between are left out, so that mining does not become its own history.
--
-- DataFusion runs a part of `with` once for each place that names it, so none is named where a window
-- function can tell the same.
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
    coalesce(bytes_sent, 0) + coalesce(bytes_received, 0) > 0 and coalesce(state, '') <> 'end' as is_sample,
    coalesce(state, '') = 'begin' as is_begin
  from flow
  where direction = 'outbound'
    and decision = 'allowed'
    and protocol = 6
    and subscription_id is not null
    and ip_is_private(dst_ip) = false
),
acquaintances as (
  -- Who talked to whom on which day, and what was known by then. One pass over the lookback.
  select
    subscription_id,
    nic,
    dst_ip,
    day,
    count(*) over (partition by subscription_id order by day range between interval '7 days' preceding and interval '2 days' preceding) > 0
      as subscription_known,
    count(*) over (partition by subscription_id, nic order by day range between interval '7 days' preceding and interval '2 days' preceding) > 0
      as nic_known,
    count(*) over (partition by subscription_id, dst_ip order by day range between interval '7 days' preceding and interval '2 days' preceding)
      as acquaintances_here,
    count(*) over (partition by dst_ip order by day range between interval '7 days' preceding and interval '2 days' preceding)
      as acquaintances_anywhere
  from (
    select distinct subscription_id, nic, dst_ip, day
    from outbound
  )
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
    count(case when is_begin then 1 end) as begins,
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
    date_trunc('hour', event_at) as hour
  from outbound
  where event_at >= $since
  group by 1, 2
),
conversations as (
  select
    hours.hour as judged_hour,
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
    sum(talks.begins) as begins,
    sum(talks.samples) as samples,
    sum(talks.sample_sum) as sample_sum,
    sum(talks.sample_squares) as sample_squares
  from hours
  join talks
    on talks.subscription_id = hours.subscription_id
    and talks.hour > hours.hour - interval '6 hours'
    and talks.hour <= hours.hour
  group by
    hours.hour,
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
    samples >= 4 and samples * sample_squares <= 1.25 * sample_sum * sample_sum as steady,
    -- Standing: hardly ever made anew.
    4 * begins <= samples + 3 as standing
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
acquainted as (
  select
    likely.*,
    coalesce(acquaintances.subscription_known, false) as subscription_known,
    coalesce(acquaintances.nic_known, false) as nic_known,
    coalesce(acquaintances.acquaintances_here, 0) > 0 as known_here,
    coalesce(acquaintances.acquaintances_anywhere > acquaintances.acquaintances_here, false) as known_elsewhere
  from likely
  left join acquaintances
    on acquaintances.subscription_id = likely.subscription_id
    and acquaintances.nic = likely.nic
    and acquaintances.dst_ip = likely.dst_ip
    and acquaintances.day = cast(likely.last_at as date)
),
towards as (
  -- Beside each conversation, all of the subscription with the same destination in the same hours.
  -- A fleet is judged together, so that it need not be watched for as long as one machine.
  select
    *,
    bool_or(known_here) over together as any_known_here,
    bool_or(known_elsewhere) over together as any_known_elsewhere,
    max(last_at) over together >= judged_hour as goes_on,
    max(case when quiet then last_at end) over together - min(case when quiet then first_at end) over together
      as lasts,
    sum(case when quiet then 1 else 0 end) over together as quiet_sources,
    sum(case when quiet and not nic_known then 1 else 0 end) over together as new_quiet_sources,
    sum(case when quiet and standing then 1 else 0 end) over together as standing_sources,
    row_number() over (partition by subscription_id, judged_hour, dst_ip, dst_port order by nic, src_ip) as place,
    sum(case when quiet then samples end) over together as fleet_samples,
    sum(case when quiet then sample_sum end) over together / sum(case when quiet then samples end) over together
      as fleet_mean,
    sum(case when quiet then sample_squares end) over together / sum(case when quiet then samples end) over together
      as fleet_mean_square,
    sum(case when quiet and steady then 1 else 0 end) over together as steady_sources,
    sum(case when quiet and steady and not nic_known then 1 else 0 end) over together as new_steady_sources
  from acquainted
  window together as (partition by subscription_id, judged_hour, dst_ip, dst_port)
),
counted as (
  select
    *,
    coalesce(fleet_mean_square - fleet_mean * fleet_mean <= 0.25 * fleet_mean * fleet_mean, false) as calm,
    subscription_known and not any_known_here and not any_known_elsewhere as new_to_all
  from towards
  where goes_on
),
beside as (
  select
    *,
    calm and fleet_samples >= 6 as steady_together,
    sum(
      case when place = 1 and new_to_all and standing_sources >= 1 and lasts >= interval '40 minutes' then 1 else 0 end
    ) over (partition by subscription_id, judged_hour) as lasting_destinations
  from counted
),
pools as (
  select
    *,
    case
      when listed then 'address of a mining pool'
      when pool_port
        and not any_known_here
        and (
          (miners >= 1 and lasts >= interval '55 minutes')
          or (miners >= 3 and lasts >= interval '25 minutes')
          or (
            new_to_all
            and calm
            and standing_sources >= 1
            and fleet_samples >= 2
            and lasts >= interval '15 minutes'
          )
        )
        then 'port of mining pools, steady small traffic'
      when new_to_all
        and new_miners >= 3
        and 2 * new_miners >= miners
        and lasts >= interval '110 minutes'
        then 'new machines with steady small traffic to one new destination'
      when new_to_all
        and calm
        and lasting_destinations = 1
        and (
          (standing_sources >= 3 and fleet_samples >= 4 and lasts >= interval '40 minutes')
          or (standing_sources >= 2 and fleet_samples >= 6 and lasts >= interval '55 minutes')
          or (standing_sources >= 1 and fleet_samples >= 8 and lasts >= interval '270 minutes')
        )
        then 'standing connections with steady small traffic to the only new destination'
    end as reason
  from (
    select
      *,
      case when steady_together then quiet_sources else steady_sources end as miners,
      case when steady_together then new_quiet_sources else new_steady_sources end as new_miners
    from beside
  )
),
found as (
  select
    subscription_id,
    judged_hour,
    max(customer_tenant_id) as customer_tenant_id,
    min(first_at) as first_at,
    max(last_at) as last_at,
    bool_or(listed) as listed,
    bool_or(pool_port) as pool_port,
    max(pool_name) as pool_name,
    sum(records) as records,
    sum(bytes) as bytes,
    count(distinct src_ip) as machines,
    array_agg(distinct src_ip order by src_ip) as sources,
    array_agg(distinct dst_ip order by dst_ip) as destinations,
    array_agg(distinct dst_port order by dst_port) as ports,
    array_agg(distinct reason order by reason) as reasons,
    array_agg(distinct resource_id order by resource_id) filter (where resource_id is not null) as resources
  from pools
  where reason is not null
  group by subscription_id, judged_hour
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
