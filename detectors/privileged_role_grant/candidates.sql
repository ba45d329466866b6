-- Subscriptions where a role was granted; above them, tenants.
select distinct
  subscription_id as "activity.subscription_id",
  case when subscription_id is null then customer_tenant_id end as "activity.customer_tenant_id"
from activity
where operation = 'microsoft.authorization/roleassignments/write'
  and event_at >= $since
