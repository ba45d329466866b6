-- The tenants where a credential was added; applications act within a day after it.
select distinct
  tenant as "audit.customer_tenant_id",
  tenant as "sign_in.customer_tenant_id",
  tenant as "activity.customer_tenant_id"
from additions
