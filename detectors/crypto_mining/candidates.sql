-- Subscriptions that talk to a listed address, or to a destination that they did not talk to in the week before; nearly
-- all destinations are known.
with talking as (
  select distinct subscription_id, dst_ip, day
  from outbound
  where event_at >= $since
)
select talking.subscription_id as "flow.subscription_id"
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
union
select talking.subscription_id as "flow.subscription_id"
from talking
left semi join pool_addresses on pool_addresses.address = talking.dst_ip;

-- Of these, those where it goes on for a quarter of an hour on a port of pools, for forty minutes on any other. What
-- others had to do with their destinations is needed as well.
with suspected as (
  select subscription_id
  from counted
  where listed
    or (
      not any_known_here
      and fleet_samples >= case when pool_port then 2 else 4 end
      and lasts >= case when pool_port then interval '15 minutes' else interval '40 minutes' end
    )
)
select
  subscription_id as "flow.subscription_id",
  cast(null as varchar) as "flow.dst_ip"
from suspected
union all
select
  cast(null as varchar) as "flow.subscription_id",
  counted.dst_ip as "flow.dst_ip"
from counted
left semi join suspected on suspected.subscription_id = counted.subscription_id
