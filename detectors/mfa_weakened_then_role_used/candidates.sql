-- The tenants where sign-in was made weaker within a day, and their subscriptions: older records there may not
-- bear the tenant.
select distinct
  tenant as "audit.customer_tenant_id",
  tenant as "activity.customer_tenant_id",
  cast(null as varchar) as "activity.subscription_id"
from weakenings
union all
select distinct
  cast(null as varchar) as "audit.customer_tenant_id",
  cast(null as varchar) as "activity.customer_tenant_id",
  activity.subscription_id as "activity.subscription_id"
from activity
left semi join weakenings on weakenings.tenant = activity.customer_tenant_id
where activity.event_at >= $since - interval '1 hour'
