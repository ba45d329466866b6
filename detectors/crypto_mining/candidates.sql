-- Subscriptions that talk to a listed address, or to a destination that they did not know, for a quarter of an hour on a
-- port of pools or for forty minutes on any other. Of such a subscription all is needed, for what it knew; of its
-- destinations what others had to do with them.
with talking as (
  select distinct subscription_id, dst_ip, dst_port, day
  from outbound
  where event_at >= $since
),
strangers as (
  -- Nearly all destinations are known, so this comes first.
  select talking.*
  from talking
  left anti join (
    select distinct subscription_id, dst_ip, day
    from outbound
    where event_at < $until - interval '1 day'
  ) as past
    on past.subscription_id = talking.subscription_id
    and past.dst_ip = talking.dst_ip
    and past.day >= talking.day - 7
    and past.day <= talking.day - 2
),
watched as (
  select
    outbound.subscription_id,
    outbound.dst_port,
    count(case when outbound.is_sample then 1 end) as samples,
    max(outbound.event_at) - min(outbound.event_at) as lasts
  from outbound
  left semi join strangers
    on strangers.subscription_id = outbound.subscription_id
    and strangers.dst_ip = outbound.dst_ip
    and strangers.dst_port = outbound.dst_port
  where outbound.event_at >= $since - interval '7 hours'
  group by outbound.subscription_id, outbound.dst_ip, outbound.dst_port
),
suspected as (
  select watched.subscription_id
  from watched
  left join pool_ports on pool_ports.port = watched.dst_port
  where watched.samples >= case when pool_ports.port is not null then 2 else 4 end
    and watched.lasts >= case when pool_ports.port is not null then interval '15 minutes' else interval '40 minutes' end
  union
  select talking.subscription_id
  from talking
  left semi join pool_addresses on pool_addresses.address = talking.dst_ip
)
select
  subscription_id as "flow.subscription_id",
  cast(null as varchar) as "flow.dst_ip"
from suspected
union all
select distinct
  cast(null as varchar) as "flow.subscription_id",
  outbound.dst_ip as "flow.dst_ip"
from outbound
left semi join suspected on suspected.subscription_id = outbound.subscription_id
where outbound.event_at >= $since - interval '7 hours'
