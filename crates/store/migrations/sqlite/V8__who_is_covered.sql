-- Which customers never sent anything, and whose subscriptions the partner itself named.

-- When the customer was first imported; null for those of earlier builds.
alter table customer add column imported_at integer;

-- 1 if an import named the subscription's customer: no record says otherwise then.
alter table subscription add column is_imported integer not null default 0;

-- By which customers without any record are found, and a customer's own coverage.
create index coverage_by_customer on coverage (partner_tenant_id, customer_tenant_id);
