-- The tenants where a trust was changed.
select distinct tenant as "audit.customer_tenant_id"
from trusts
