-- Subscriptions and destinations whose traffic of the last hours could be mining, whatever was known of them before: one
-- record of a listed address, two samples on a port of pools, four on any other. Of a subscription all is needed, for
-- what it knew; of a destination what others had to do with it.
with samples as (
  select
    outbound.subscription_id,
    outbound.dst_ip,
    count(*) as samples,
    bool_or(pool_ports.port is not null) as pool_port
  from outbound
  left join pool_ports on pool_ports.port = outbound.dst_port
  where outbound.is_sample
    and outbound.event_at + interval '7 hours' >= $since
  group by outbound.subscription_id, outbound.dst_ip, outbound.dst_port
)
select
  subscription_id as "flow.subscription_id",
  dst_ip as "flow.dst_ip"
from samples
where samples >= case when pool_port then 2 else 4 end
union all
select
  outbound.subscription_id as "flow.subscription_id",
  cast(null as varchar) as "flow.dst_ip"
from outbound
left semi join pool_addresses on pool_addresses.address = outbound.dst_ip
where outbound.event_at + interval '1 hour' >= $since
