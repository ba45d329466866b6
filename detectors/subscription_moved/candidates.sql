-- Subscriptions that were moved. Some records name them in the path of the resource alone.
select distinct
  subscription_id as "activity.subscription_id",
  case when subscription_id is null then resource_id end as "activity.resource_id"
from activity
where operation like 'microsoft.subscription/%'
  and event_at >= date_trunc('hour', $since) - interval '2 hours'
union all
select
  subscription_id as "activity.subscription_id",
  null as "activity.resource_id"
from acts
