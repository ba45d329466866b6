-- Subscriptions that talk to a listed address, or to a destination that they did not talk to in the week before; nearly
-- all destinations are known.
with talking as (
  select distinct subscription_id, dst_ip, dst_port, day
  from outbound
  where event_at >= $since
),
strangers as (
  select talking.*
  from talking
  left anti join (
    select distinct subscription_id, dst_ip, day
    from outbound
    where event_at >= $since - interval '8 days'
      and event_at < $until - interval '1 day'
  ) as past
    on past.subscription_id = talking.subscription_id
    and past.dst_ip = talking.dst_ip
    and past.day >= talking.day - 7
    and past.day <= talking.day - 2
),
listed as (
  select talking.subscription_id
  from talking
  left semi join pool_addresses on pool_addresses.address = talking.dst_ip
)
select subscription_id as "flow.subscription_id"
from strangers
union
select subscription_id as "flow.subscription_id"
from listed;

-- Of these, those where it goes on for a quarter of an hour on a port of pools, for forty minutes on any other.
select watched.subscription_id as "flow.subscription_id"
from (
  select
    outbound.subscription_id,
    outbound.dst_port,
    count(case when outbound.is_sample then 1 end) as samples,
    max(outbound.event_at) - min(outbound.event_at) as lasts
  from (
    select distinct subscription_id, dst_ip, dst_port
    from strangers
  ) as strangers
  join outbound
    on outbound.subscription_id = strangers.subscription_id
    and outbound.dst_ip = strangers.dst_ip
    and outbound.dst_port = strangers.dst_port
  where outbound.event_at >= $since - interval '7 hours'
  group by outbound.subscription_id, outbound.dst_ip, outbound.dst_port
) as watched
left join pool_ports on pool_ports.port = watched.dst_port
where watched.samples >= case when pool_ports.port is not null then 2 else 4 end
  and watched.lasts >= case when pool_ports.port is not null then interval '15 minutes' else interval '40 minutes' end
union
select subscription_id as "flow.subscription_id"
from listed;

-- What others had to do with the destinations that are new to them is needed as well.
select
  subscription_id as "flow.subscription_id",
  case when not any_known_here then dst_ip end as "flow.dst_ip"
from counted
