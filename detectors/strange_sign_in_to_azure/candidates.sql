-- Users who signed in to Azure without a device, and their tenants, for colleagues.
select distinct
  user_id as "sign_in.user_id",
  customer_tenant_id as "sign_in.customer_tenant_id"
from strangers
