//! The partner's customers.

use ::alerts::{CustomerTenantId, Scope, SubscriptionId};
use sea_query::{Expr, ExprTrait, Order, Query};

use super::{out_of_scope, whole_partner};
use crate::session::{Row, Session};
use crate::sql::scope::within;
use crate::{Customer, CustomersImported, StoreError};

const KEEP: &str = "
insert into customer
    (partner_tenant_id, customer_tenant_id, name, domain, reseller_tenant_id, reseller_mpn_id, country)
values ($1, $2, $3, $4, $5, $6, $7)
on conflict (partner_tenant_id, customer_tenant_id) do update set
    name = excluded.name,
    domain = excluded.domain,
    reseller_tenant_id = excluded.reseller_tenant_id,
    reseller_mpn_id = excluded.reseller_mpn_id,
    country = excluded.country";

/// Subscriptions that records told of before their customer was imported.
const TELL_SUBSCRIPTIONS: &str = "
update subscription set
    customer_name = coalesce($3, customer_name),
    reseller_tenant_id = coalesce($4, reseller_tenant_id)
where partner_tenant_id = $1
    and customer_tenant_id = $2
    and (coalesce($3, customer_name) is distinct from customer_name
        or coalesce($4, reseller_tenant_id) is distinct from reseller_tenant_id)";

const OWNERS: &str = "
select subscription_id, customer_tenant_id
from subscription
where partner_tenant_id = $1 and customer_tenant_id is not null";

const COLUMNS: [&str; 6] =
    ["customer_tenant_id", "name", "domain", "reseller_tenant_id", "reseller_mpn_id", "country"];

pub(crate) async fn import(
    session: &mut impl Session,
    scope: &Scope,
    customers: &[Customer],
) -> Result<CustomersImported, StoreError> {
    let partner = whole_partner(scope).ok_or_else(|| out_of_scope(scope.partner()))?;
    let mut imported = CustomersImported::default();
    for told in customers {
        let known = one(session, scope, &told.customer_tenant_id).await?;
        let customer = known.as_ref().map_or_else(|| told.clone(), |known| completed(told, known));
        match &known {
            None => imported.new += 1,
            Some(known) if *known == customer => imported.unchanged += 1,
            Some(_) => imported.changed += 1,
        }
        let reseller = customer.reseller_tenant_id.as_ref().map(|id| id.as_str().to_owned());
        let values = vec![
            partner.as_str().into(),
            customer.customer_tenant_id.as_str().into(),
            customer.name.clone().into(),
            customer.domain.into(),
            reseller.clone().into(),
            customer.reseller_mpn_id.into(),
            customer.country.into(),
        ];
        session.put(session.dialect().text(KEEP, values)).await?;
        let values = vec![
            partner.as_str().into(),
            customer.customer_tenant_id.as_str().into(),
            customer.name.into(),
            reseller.into(),
        ];
        session.put(session.dialect().text(TELL_SUBSCRIPTIONS, values)).await?;
    }
    Ok(imported)
}

/// What is told, and what was known where it says nothing.
fn completed(told: &Customer, known: &Customer) -> Customer {
    let text = |told: &Option<String>, known: &Option<String>| told.clone().or_else(|| known.clone());
    Customer {
        customer_tenant_id: told.customer_tenant_id.clone(),
        name: text(&told.name, &known.name),
        domain: text(&told.domain, &known.domain),
        reseller_tenant_id: told.reseller_tenant_id.clone().or_else(|| known.reseller_tenant_id.clone()),
        reseller_mpn_id: text(&told.reseller_mpn_id, &known.reseller_mpn_id),
        country: text(&told.country, &known.country),
    }
}

async fn one(
    session: &mut impl Session,
    scope: &Scope,
    id: &CustomerTenantId,
) -> Result<Option<Customer>, StoreError> {
    let select = Query::select()
        .columns(COLUMNS)
        .from("customer")
        .cond_where(within(scope))
        .and_where(Expr::col("customer_tenant_id").eq(id.as_str()))
        .take();
    let row = session.optional(session.dialect().statement(select.into())).await?;
    row.map(read).transpose()
}

pub(crate) async fn list(
    session: &mut impl Session,
    scope: &Scope,
    after: Option<&CustomerTenantId>,
    limit: u64,
) -> Result<Vec<Customer>, StoreError> {
    let mut select = Query::select();
    select.columns(COLUMNS).from("customer").cond_where(within(scope));
    if let Some(after) = after {
        select.and_where(Expr::col("customer_tenant_id").gt(after.as_str()));
    }
    select.order_by("customer_tenant_id", Order::Asc).limit(limit);
    let rows = session.rows(session.dialect().statement(select.take().into())).await?;
    rows.into_iter().map(read).collect()
}

fn read(mut row: Row) -> Result<Customer, StoreError> {
    let damaged = || StoreError::Damaged { what: "a customer without a tenant".to_owned() };
    Ok(Customer {
        customer_tenant_id: row.opt_id(0)?.ok_or_else(damaged)?,
        name: row.opt_text(1)?,
        domain: row.opt_text(2)?,
        reseller_tenant_id: row.opt_id(3)?,
        reseller_mpn_id: row.opt_text(4)?,
        country: row.opt_text(5)?,
    })
}

pub(crate) async fn owners(
    session: &mut impl Session,
    scope: &Scope,
) -> Result<Vec<(SubscriptionId, CustomerTenantId)>, StoreError> {
    let Some(partner) = whole_partner(scope) else { return Ok(Vec::new()) };
    let damaged = || StoreError::Damaged { what: "a subscription without an owner".to_owned() };
    let rows = session.rows(session.dialect().text(OWNERS, vec![partner.as_str().into()])).await?;
    rows.into_iter()
        .map(|mut row| Ok((row.opt_id(0)?.ok_or_else(damaged)?, row.opt_id(1)?.ok_or_else(damaged)?)))
        .collect()
}
