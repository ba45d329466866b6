//! The partner's customers.

use ::alerts::{CustomerTenantId, ResellerTenantId, Scope};
use chrono::{DateTime, Utc};
use sea_query::{Expr, ExprTrait, Order, Query, SelectStatement};

use super::{out_of_scope, whole_partner};
use crate::session::{Row, Session};
use crate::sql::scalar::microseconds;
use crate::sql::scope::within;
use crate::{
    Customer, CustomerQuery, CustomerSubscription, CustomersImported, KnownCustomer, Owner, StoreError,
};

const KEEP: &str = "
insert into customer
    (partner_tenant_id, customer_tenant_id, name, domain, reseller_tenant_id, reseller_mpn_id, country,
    imported_at)
values ($1, $2, $3, $4, $5, $6, $7, $8)
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

/// What the partner says of a subscription of a known customer; nothing is written where it is known.
const KEEP_SUBSCRIPTION: &str = "
insert into subscription
    (partner_tenant_id, subscription_id, name, customer_tenant_id, customer_name, reseller_tenant_id, is_imported)
select $1, $2, $3, customer_tenant_id, name, reseller_tenant_id, 1
from customer
where partner_tenant_id = $1 and customer_tenant_id = $4
on conflict (partner_tenant_id, subscription_id) do update set
    name = coalesce(excluded.name, subscription.name),
    customer_tenant_id = excluded.customer_tenant_id,
    customer_name = case when excluded.customer_tenant_id = subscription.customer_tenant_id
        then coalesce(excluded.customer_name, subscription.customer_name) else excluded.customer_name end,
    reseller_tenant_id = excluded.reseller_tenant_id,
    is_imported = 1
where coalesce(excluded.name, subscription.name) is distinct from subscription.name
    or excluded.customer_tenant_id is distinct from subscription.customer_tenant_id
    or excluded.reseller_tenant_id is distinct from subscription.reseller_tenant_id
    or subscription.is_imported = 0";

const OWNERS: &str = "
select subscription_id, customer_tenant_id, is_imported
from subscription
where partner_tenant_id = $1 and customer_tenant_id is not null";

const RESELLERS: &str = "
select customer_tenant_id, reseller_tenant_id
from customer
where partner_tenant_id = $1 and reseller_tenant_id is not null
order by customer_tenant_id";

const COLUMNS: [&str; 6] =
    ["customer_tenant_id", "name", "domain", "reseller_tenant_id", "reseller_mpn_id", "country"];

pub(crate) async fn import(
    session: &mut impl Session,
    scope: &Scope,
    customers: &[Customer],
    subscriptions: &[CustomerSubscription],
    at: DateTime<Utc>,
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
            microseconds(at).into(),
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
    for told in subscriptions {
        let values = vec![
            partner.as_str().into(),
            told.subscription_id.as_str().into(),
            told.name.clone().into(),
            told.customer_tenant_id.as_str().into(),
        ];
        imported.subscriptions += session.execute(session.dialect().text(KEEP_SUBSCRIPTION, values)).await?;
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
    query: &CustomerQuery,
) -> Result<Vec<KnownCustomer>, StoreError> {
    let records = || Expr::exists(records(query.kind.as_deref()));
    let mut select = Query::select();
    select.columns(COLUMNS).column("imported_at").expr(subscriptions());
    select.expr(
        Expr::case(records(), Expr::cust("cast(1 as bigint)")).finally(Expr::cust("cast(0 as bigint)")),
    );
    select.from("customer").cond_where(within(scope));
    if let Some(has_records) = query.has_records {
        select.and_where(if has_records { records() } else { records().not() });
    }
    if let Some(after) = &query.after {
        select.and_where(Expr::col("customer_tenant_id").gt(after.as_str()));
    }
    select.order_by("customer_tenant_id", Order::Asc);
    if let Some(limit) = query.limit {
        select.limit(limit);
    }
    let rows = session.rows(session.dialect().statement(select.take().into())).await?;
    let known = |mut row: Row| {
        let (imported_at, subscriptions, has_records) = (row.opt_time(6)?, row.amount(7)?, row.int(8)? == 1);
        Ok(KnownCustomer { customer: read(row)?, imported_at, subscriptions, has_records })
    };
    rows.into_iter().map(known).collect()
}

/// The records that were stored of the customer of the row outside.
fn records(kind: Option<&str>) -> SelectStatement {
    let mut select = Query::select();
    select.expr(Expr::cust("1")).from("coverage").and_where(is_of_the_customer("coverage"));
    select.and_where(Expr::col(("coverage", "stored")).gt(Expr::cust("0")));
    if let Some(kind) = kind {
        select.and_where(Expr::col(("coverage", "kind")).eq(kind));
    }
    select
}

/// How many subscriptions the customer of the row outside has.
fn subscriptions() -> SelectStatement {
    let mut select = Query::select();
    select.expr(Expr::cust("count(*)")).from("subscription").and_where(is_of_the_customer("subscription"));
    select
}

fn is_of_the_customer(table: &'static str) -> Expr {
    let same = |column: &'static str| Expr::col((table, column)).eq(Expr::col(("customer", column)));
    same("partner_tenant_id").and(same("customer_tenant_id"))
}

fn read(mut row: Row) -> Result<Customer, StoreError> {
    Ok(Customer {
        customer_tenant_id: row.opt_id(0)?.ok_or_else(without_a_tenant)?,
        name: row.opt_text(1)?,
        domain: row.opt_text(2)?,
        reseller_tenant_id: row.opt_id(3)?,
        reseller_mpn_id: row.opt_text(4)?,
        country: row.opt_text(5)?,
    })
}

fn without_a_tenant() -> StoreError {
    StoreError::Damaged { what: "a customer or subscription without an owner".to_owned() }
}

pub(crate) async fn owners(session: &mut impl Session, scope: &Scope) -> Result<Vec<Owner>, StoreError> {
    let Some(partner) = whole_partner(scope) else { return Ok(Vec::new()) };
    let rows = session.rows(session.dialect().text(OWNERS, vec![partner.as_str().into()])).await?;
    let owner = |mut row: Row| {
        Ok(Owner {
            subscription_id: row.opt_id(0)?.ok_or_else(without_a_tenant)?,
            customer_tenant_id: row.opt_id(1)?.ok_or_else(without_a_tenant)?,
            is_imported: row.int(2)? == 1,
        })
    };
    rows.into_iter().map(owner).collect()
}

pub(crate) async fn resellers(
    session: &mut impl Session,
    scope: &Scope,
) -> Result<Vec<(CustomerTenantId, ResellerTenantId)>, StoreError> {
    let Some(partner) = whole_partner(scope) else { return Ok(Vec::new()) };
    let rows = session.rows(session.dialect().text(RESELLERS, vec![partner.as_str().into()])).await?;
    let pair = |mut row: Row| {
        Ok((row.opt_id(0)?.ok_or_else(without_a_tenant)?, row.opt_id(1)?.ok_or_else(without_a_tenant)?))
    };
    rows.into_iter().map(pair).collect()
}
