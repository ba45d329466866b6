-- The tenants where a credential was added, or one that was added within a day was used.
with affected as (
  select tenant
  from additions
  where added_at >= $since
  union all
  select additions.tenant
  from additions
  join uses
    on uses.tenant = additions.tenant
    and (uses.principal_id = additions.target_id or strpos(additions.app_ids, uses.app_id) > 0)
  where uses.event_at >= $since
)
select distinct
  tenant as "audit.customer_tenant_id",
  tenant as "sign_in.customer_tenant_id",
  tenant as "activity.customer_tenant_id"
from affected
