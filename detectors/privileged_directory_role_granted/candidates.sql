-- The tenants where a powerful role was granted.
select distinct
  tenant as "audit.customer_tenant_id",
  tenant as "sign_in.customer_tenant_id"
from powerful
