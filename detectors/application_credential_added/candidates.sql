-- The tenants where a credential was added, or one that was added within a day was used.
with lately as (
  select tenant, target_id, app_ids, added_at
  from additions
),
affected as (
  select tenant
  from lately
  where added_at >= $since
  union all
  select lately.tenant
  from lately
  join uses
    on uses.tenant = lately.tenant
    and (uses.principal_id = lately.target_id or strpos(lately.app_ids, uses.app_id) > 0)
  where uses.event_at >= $since
)
select distinct
  tenant as "audit.customer_tenant_id",
  tenant as "sign_in.customer_tenant_id",
  tenant as "activity.customer_tenant_id"
from affected
