-- The tenants where somebody took access within the day before the window: grants follow within a day. What the
-- administrator then does on subscriptions may bear no tenant.
select
  tenant as "audit.customer_tenant_id",
  tenant as "activity.customer_tenant_id",
  nullif(actor_id, 'unknown') as "activity.caller_id",
  nullif(actor_id, 'unknown') as "activity.caller"
from elevations
where last_at >= $since - interval '26 hours'
