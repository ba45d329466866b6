//! Keys that let a customer's systems push its records.

use ::alerts::Scope;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use sea_query::{Expr, ExprTrait, Order, Query, SelectStatement};

use super::out_of_scope;
use crate::session::{Row, Session};
use crate::sql::scalar::microseconds;
use crate::{IngestKey, StoreError};

const ADD: &str = "
insert into ingest_key
    (hash, partner_tenant_id, id, customer_tenant_id, name, kinds, created_at, expires_at)
values ($1, $2, $3, $4, $5, $6, $7, $8)";

const COLUMNS: [&str; 9] = [
    "id",
    "partner_tenant_id",
    "customer_tenant_id",
    "name",
    "kinds",
    "created_at",
    "expires_at",
    "revoked_at",
    "last_used_at",
];

pub(crate) async fn add(
    session: &mut impl Session,
    scope: &Scope,
    key: &IngestKey,
    hash: &[u8],
) -> Result<(), StoreError> {
    let is_own = match scope {
        Scope::Partner(partner) => *partner == key.partner_tenant_id,
        Scope::Customer(partner, customer) => {
            *partner == key.partner_tenant_id && *customer == key.customer_tenant_id
        }
        Scope::Reseller(..) => false,
    };
    if !is_own {
        return Err(out_of_scope(scope.partner()));
    }
    let kinds = (!key.kinds.is_empty()).then(|| key.kinds.join(","));
    let values = vec![
        STANDARD.encode(hash).into(),
        key.partner_tenant_id.as_str().into(),
        key.id.as_str().into(),
        key.customer_tenant_id.as_str().into(),
        key.name.clone().into(),
        kinds.into(),
        microseconds(key.created_at).into(),
        key.expires_at.map(microseconds).into(),
    ];
    session.put(session.dialect().text(ADD, values)).await
}

fn select() -> SelectStatement {
    Query::select().columns(COLUMNS).from("ingest_key").take()
}

/// Keys name no reseller, and a reseller sees none.
fn own(mut select: SelectStatement, scope: &Scope) -> Option<SelectStatement> {
    select.and_where(Expr::col("partner_tenant_id").eq(scope.partner().as_str()));
    match scope {
        Scope::Partner(_) => {}
        Scope::Customer(_, customer) => {
            select.and_where(Expr::col("customer_tenant_id").eq(customer.as_str()));
        }
        Scope::Reseller(..) => return None,
    }
    Some(select)
}

pub(crate) async fn list(session: &mut impl Session, scope: &Scope) -> Result<Vec<IngestKey>, StoreError> {
    let Some(mut select) = own(select(), scope) else { return Ok(Vec::new()) };
    select.order_by("created_at", Order::Asc).order_by("id", Order::Asc);
    let rows = session.rows(session.dialect().statement(select.into())).await?;
    rows.into_iter().map(read).collect()
}

pub(crate) async fn by_hash(
    session: &mut impl Session,
    hash: &[u8],
) -> Result<Option<IngestKey>, StoreError> {
    let mut select = select();
    select.and_where(Expr::col("hash").eq(STANDARD.encode(hash)));
    let row = session.optional(session.dialect().statement(select.into())).await?;
    row.map(read).transpose()
}

pub(crate) async fn revoke(
    session: &mut impl Session,
    scope: &Scope,
    id: &str,
    at: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let known = list(session, scope).await?;
    if !known.iter().any(|key| key.id == id) {
        return Ok(false);
    }
    let update = "
update ingest_key set revoked_at = coalesce(revoked_at, $3)
where partner_tenant_id = $1 and id = $2";
    let values = vec![scope.partner().as_str().into(), id.into(), microseconds(at).into()];
    session.put(session.dialect().text(update, values)).await?;
    Ok(true)
}

pub(crate) async fn note_use(
    session: &mut impl Session,
    scope: &Scope,
    id: &str,
    at: DateTime<Utc>,
) -> Result<(), StoreError> {
    let update = "
update ingest_key set last_used_at = $3
where partner_tenant_id = $1 and id = $2";
    let values = vec![scope.partner().as_str().into(), id.into(), microseconds(at).into()];
    session.put(session.dialect().text(update, values)).await
}

fn read(mut row: Row) -> Result<IngestKey, StoreError> {
    let damaged = || StoreError::Damaged { what: "an ingest key without its owner".to_owned() };
    Ok(IngestKey {
        id: row.text(0)?,
        partner_tenant_id: row.opt_id(1)?.ok_or_else(damaged)?,
        customer_tenant_id: row.opt_id(2)?.ok_or_else(damaged)?,
        name: row.opt_text(3)?,
        kinds: row
            .opt_text(4)?
            .map(|kinds| kinds.split(',').map(str::to_owned).collect())
            .unwrap_or_default(),
        created_at: row.time(5)?,
        expires_at: row.opt_time(6)?,
        revoked_at: row.opt_time(7)?,
        last_used_at: row.opt_time(8)?,
    })
}
