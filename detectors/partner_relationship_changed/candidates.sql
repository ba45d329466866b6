-- The tenants that let somebody in within a week: strangers come later.
select distinct
  tenant as "audit.customer_tenant_id",
  tenant as "activity.customer_tenant_id"
from openings
