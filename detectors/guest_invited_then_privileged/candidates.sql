-- The tenants where a guest of a week got a role.
select distinct
  tenant as "audit.customer_tenant_id",
  tenant as "activity.customer_tenant_id"
from stories
