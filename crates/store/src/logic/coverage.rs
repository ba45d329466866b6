//! What came in, for whom.

use ::alerts::Scope;
use chrono::{DateTime, Utc};
use sea_query::{Cond, Expr, ExprTrait, Order, Query};

use super::{out_of_scope, whole_partner};
use crate::session::{Row, Session};
use crate::sql::scalar::microseconds;
use crate::sql::scope::within;
use crate::{Arrival, Coverage, CoverageKey, CoverageQuery, KindTotals, StoreError};

const MICROSECONDS_A_DAY: i64 = 86_400_000_000;

/// What came again, or could not be read, is counted and is no sign of life.
const ADD: &str = "
insert into coverage
    (partner_tenant_id, kind, customer_tenant_id, subscription_id, first_event_at, last_event_at,
    first_arrived_at, last_arrived_at, arrivals, stored, duplicates, rejected, day, on_day, on_day_before)
values ($1, $2, $3, $4, $5, $6, $7, $7, $8, $9, $10, $11, $12, $9, 0)
on conflict (partner_tenant_id, kind, customer_tenant_id, subscription_id) do update set
    first_event_at = case
        when coverage.first_event_at is null or excluded.first_event_at < coverage.first_event_at
        then excluded.first_event_at else coverage.first_event_at end,
    last_event_at = case
        when coverage.last_event_at is null or excluded.last_event_at > coverage.last_event_at
        then excluded.last_event_at else coverage.last_event_at end,
    last_arrived_at = case when excluded.arrivals > 0 and excluded.last_arrived_at > coverage.last_arrived_at
        then excluded.last_arrived_at else coverage.last_arrived_at end,
    arrivals = coverage.arrivals + excluded.arrivals,
    stored = coverage.stored + excluded.stored,
    duplicates = coverage.duplicates + excluded.duplicates,
    rejected = coverage.rejected + excluded.rejected,
    day = case when excluded.day > coverage.day then excluded.day else coverage.day end,
    on_day = case when excluded.day > coverage.day then excluded.on_day
        else coverage.on_day + excluded.on_day end,
    on_day_before = case when excluded.day = coverage.day + 1 then coverage.on_day
        when excluded.day > coverage.day then 0 else coverage.on_day_before end";

const COLUMNS: [&str; 14] = [
    "kind",
    "customer_tenant_id",
    "subscription_id",
    "first_event_at",
    "last_event_at",
    "first_arrived_at",
    "last_arrived_at",
    "arrivals",
    "stored",
    "duplicates",
    "rejected",
    "day",
    "on_day",
    "on_day_before",
];

const TOTALS: &str = "
select kind, cast(sum(stored) as bigint), cast(sum(duplicates) as bigint), cast(sum(rejected) as bigint),
    max(last_event_at), max(last_arrived_at)
from coverage
where partner_tenant_id = $1
group by kind
order by kind";

pub(crate) async fn add(
    session: &mut impl Session,
    scope: &Scope,
    arrivals: &[Arrival],
    arrived_at: DateTime<Utc>,
) -> Result<(), StoreError> {
    let partner = whole_partner(scope).ok_or_else(|| out_of_scope(scope.partner()))?;
    let amount = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    let arrived = microseconds(arrived_at);
    for arrival in arrivals {
        let customer = arrival.customer_tenant_id.as_ref().map_or("", |id| id.as_str());
        let subscription = arrival.subscription_id.as_ref().map_or("", |id| id.as_str());
        let values = vec![
            partner.as_str().into(),
            arrival.kind.as_str().into(),
            customer.into(),
            subscription.into(),
            arrival.first_event_at.map(microseconds).into(),
            arrival.last_event_at.map(microseconds).into(),
            arrived.into(),
            i64::from(arrival.stored > 0).into(),
            amount(arrival.stored).into(),
            amount(arrival.duplicates).into(),
            amount(arrival.rejected).into(),
            arrived.div_euclid(MICROSECONDS_A_DAY).into(),
        ];
        session.put(session.dialect().text(ADD, values)).await?;
    }
    Ok(())
}

pub(crate) async fn list(
    session: &mut impl Session,
    scope: &Scope,
    query: &CoverageQuery,
) -> Result<Vec<Coverage>, StoreError> {
    let mut select = Query::select();
    select.columns(COLUMNS).from("coverage");
    select.and_where(Expr::col("partner_tenant_id").eq(scope.partner().as_str()));
    match scope {
        Scope::Partner(_) => {}
        Scope::Customer(_, customer) => {
            select.and_where(Expr::col("customer_tenant_id").eq(customer.as_str()));
        }
        Scope::Reseller(..) => {
            let customers = Query::select()
                .column("customer_tenant_id")
                .from("subscription")
                .cond_where(within(scope))
                .and_where(Expr::col("customer_tenant_id").is_not_null())
                .take();
            select.and_where(Expr::col("customer_tenant_id").in_subquery(customers));
        }
    }
    if let Some(kind) = &query.kind {
        select.and_where(Expr::col("kind").eq(kind.as_str()));
    }
    if let Some(customer) = &query.customer_tenant_id {
        select.and_where(Expr::col("customer_tenant_id").eq(customer.as_str()));
    }
    if let Some(after) = &query.after {
        select.cond_where(follows(after));
    }
    for column in ["kind", "customer_tenant_id", "subscription_id"] {
        select.order_by(column, Order::Asc);
    }
    if let Some(limit) = query.limit {
        select.limit(limit);
    }
    let rows = session.rows(session.dialect().statement(select.take().into())).await?;
    rows.into_iter().map(read).collect()
}

/// That an entry comes after another.
fn follows(key: &CoverageKey) -> Cond {
    let kind = || Expr::col("kind");
    let customer = || Expr::col("customer_tenant_id");
    let same_kind = Cond::all().add(kind().eq(key.kind.as_str()));
    let same_customer = same_kind.clone().add(customer().eq(key.customer.as_str()));
    Cond::any()
        .add(kind().gt(key.kind.as_str()))
        .add(same_kind.add(customer().gt(key.customer.as_str())))
        .add(same_customer.add(Expr::col("subscription_id").gt(key.subscription.as_str())))
}

fn read(mut row: Row) -> Result<Coverage, StoreError> {
    Ok(Coverage {
        kind: row.text(0)?,
        customer_tenant_id: id(&mut row, 1)?,
        subscription_id: id(&mut row, 2)?,
        first_event_at: row.opt_time(3)?,
        last_event_at: row.opt_time(4)?,
        first_arrived_at: row.time(5)?,
        last_arrived_at: row.time(6)?,
        arrivals: row.amount(7)?,
        stored: row.amount(8)?,
        duplicates: row.amount(9)?,
        rejected: row.amount(10)?,
        day: row.int(11)?,
        on_day: row.amount(12)?,
        on_day_before: row.amount(13)?,
    })
}

/// An identity, which is an empty text where there is none.
fn id<T: std::str::FromStr>(row: &mut Row, column: usize) -> Result<Option<T>, StoreError> {
    let text = row.text(column)?;
    if text.is_empty() {
        return Ok(None);
    }
    let damaged = || StoreError::Damaged { what: format!("coverage: '{text}' is no identity") };
    text.parse().map(Some).map_err(|_| damaged())
}

pub(crate) async fn totals(session: &mut impl Session, scope: &Scope) -> Result<Vec<KindTotals>, StoreError> {
    let Some(partner) = whole_partner(scope) else { return Ok(Vec::new()) };
    let rows = session.rows(session.dialect().text(TOTALS, vec![partner.as_str().into()])).await?;
    rows.into_iter()
        .map(|mut row| {
            Ok(KindTotals {
                kind: row.text(0)?,
                stored: row.amount(1)?,
                duplicates: row.amount(2)?,
                rejected: row.amount(3)?,
                last_event_at: row.opt_time(4)?,
                last_arrived_at: row.time(5)?,
            })
        })
        .collect()
}
