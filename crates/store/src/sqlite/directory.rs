//! The directory of subscriptions.

use ::alerts::{Scope, SubscriptionId};
use rusqlite::{Connection, Row, params, types::Type};
use sea_query::{Expr, ExprTrait, Query};

use super::bind::prepare;
use super::out_of_scope;
use crate::sql::scope::within;
use crate::{StoreError, Subscription};

/// Keeps what is known where a record is silent, and writes nothing where it tells nothing new: the
/// same subscriptions come with every file.
const LEARN: &str = "
insert into subscription
    (partner_tenant_id, subscription_id, name, customer_tenant_id, customer_name, reseller_tenant_id)
values (?1, ?2, ?3, ?4, ?5, ?6)
on conflict (partner_tenant_id, subscription_id) do update set
    name = coalesce(excluded.name, name),
    customer_tenant_id = coalesce(excluded.customer_tenant_id, customer_tenant_id),
    customer_name = coalesce(excluded.customer_name, customer_name),
    reseller_tenant_id = coalesce(excluded.reseller_tenant_id, reseller_tenant_id)
where coalesce(excluded.name, name) is distinct from name
    or coalesce(excluded.customer_tenant_id, customer_tenant_id) is distinct from customer_tenant_id
    or coalesce(excluded.customer_name, customer_name) is distinct from customer_name
    or coalesce(excluded.reseller_tenant_id, reseller_tenant_id) is distinct from reseller_tenant_id";

pub(super) fn learn(
    connection: &Connection,
    scope: &Scope,
    known: &[Subscription],
) -> Result<(), StoreError> {
    let mut statement = connection.prepare_cached(LEARN)?;
    for subscription in known {
        check_owner(connection, scope, subscription)?;
        statement.execute(params![
            scope.partner().as_str(),
            subscription.subscription_id.as_str(),
            subscription.name,
            subscription.customer_tenant_id.as_ref().map(|id| id.as_str()),
            subscription.customer_name,
            subscription.reseller_tenant_id.as_ref().map(|id| id.as_str()),
        ])?;
    }
    Ok(())
}

/// A partner may say whose its subscriptions are; others only of their own, and take none over.
fn check_owner(connection: &Connection, scope: &Scope, told: &Subscription) -> Result<(), StoreError> {
    if matches!(scope, Scope::Partner(_)) {
        return Ok(());
    }
    let whole = Scope::Partner(scope.partner().clone());
    let known = subscription(connection, &whole, &told.subscription_id)?;
    if covers(scope, told) && known.is_none_or(|known| covers(scope, &known)) {
        Ok(())
    } else {
        Err(out_of_scope(scope.partner()))
    }
}

fn covers(scope: &Scope, subscription: &Subscription) -> bool {
    match scope {
        Scope::Partner(_) => true,
        Scope::Reseller(_, reseller) => subscription.reseller_tenant_id.as_ref() == Some(reseller),
        Scope::Customer(_, customer) => subscription.customer_tenant_id.as_ref() == Some(customer),
    }
}

pub(super) fn subscription(
    connection: &Connection,
    scope: &Scope,
    id: &SubscriptionId,
) -> Result<Option<Subscription>, StoreError> {
    let select = Query::select()
        .columns(["subscription_id", "name", "customer_tenant_id", "customer_name", "reseller_tenant_id"])
        .from("subscription")
        .cond_where(within(scope))
        .and_where(Expr::col("subscription_id").eq(id.as_str()))
        .take();
    prepare(connection, &select)?.optional(|row| {
        Ok(Subscription {
            subscription_id: id.clone(),
            name: row.get(1)?,
            customer_tenant_id: identity(row, 2)?,
            customer_name: row.get(3)?,
            reseller_tenant_id: identity(row, 4)?,
        })
    })
}

/// The identity in a column; `None` for null.
fn identity<T>(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<T>>
where
    T: std::str::FromStr<Err: std::error::Error + Send + Sync + 'static>,
{
    let text: Option<String> = row.get(column)?;
    text.map(|text| text.parse())
        .transpose()
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(error)))
}
