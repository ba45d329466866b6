//! What machines cost by the hour. All of it is the whole partner's.

use ::alerts::Scope;
use ::alerts::money::{Amount, MachinePrice, PriceSource, Priority};
use chrono::{DateTime, Utc};
use sea_query::{Expr, ExprTrait, Order, Query};

use super::money::currency;
use super::{out_of_scope, whole_partner};
use crate::session::{Row, Session};
use crate::sql::scalar::microseconds;
use crate::{ObservedPrices, PriceQuery, StoreError};

const PUT: &str = "
insert into machine_price
    (partner_tenant_id, source, size, priority, region, currency, per_hour, lines, known_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
on conflict (partner_tenant_id, source, size, priority, region, currency) do update set
    per_hour = excluded.per_hour,
    lines = excluded.lines,
    known_at = excluded.known_at";

const FORGET: &str = "
delete from machine_price
where partner_tenant_id = $1 and source = $2";

const FORGET_WORTH: &str = "
delete from currency_worth
where partner_tenant_id = $1";

const PUT_WORTH: &str = "
insert into currency_worth (partner_tenant_id, currency, worth)
values ($1, $2, $3)";

const OBSERVE: &str = "
insert into price_observation (partner_tenant_id, observed_at)
values ($1, $2)
on conflict (partner_tenant_id) do update set observed_at = excluded.observed_at";

const OBSERVED_AT: &str = "
select observed_at
from price_observation
where partner_tenant_id = $1";

pub(crate) async fn observe(
    session: &mut impl Session,
    scope: &Scope,
    observed: &ObservedPrices,
    at: DateTime<Utc>,
) -> Result<(), StoreError> {
    let partner = whole_partner(scope).ok_or_else(|| out_of_scope(scope.partner()))?;
    forget(session, scope, PriceSource::Observed).await?;
    import(session, scope, &observed.prices, at).await?;
    session.put(session.dialect().text(FORGET_WORTH, vec![partner.as_str().into()])).await?;
    for (currency, worth) in &observed.worth {
        let values = vec![partner.as_str().into(), currency.as_str().into(), worth.micros().into()];
        session.put(session.dialect().text(PUT_WORTH, values)).await?;
    }
    let values = vec![partner.as_str().into(), microseconds(at).into()];
    session.put(session.dialect().text(OBSERVE, values)).await
}

pub(crate) async fn observed_at(
    session: &mut impl Session,
    scope: &Scope,
) -> Result<Option<DateTime<Utc>>, StoreError> {
    let Some(partner) = whole_partner(scope) else { return Ok(None) };
    let row = session.optional(session.dialect().text(OBSERVED_AT, vec![partner.as_str().into()])).await?;
    row.map(|mut row| row.time(0)).transpose()
}

pub(crate) async fn import(
    session: &mut impl Session,
    scope: &Scope,
    prices: &[MachinePrice],
    at: DateTime<Utc>,
) -> Result<(), StoreError> {
    let partner = whole_partner(scope).ok_or_else(|| out_of_scope(scope.partner()))?;
    for price in prices {
        let values = vec![
            partner.as_str().into(),
            price.source.as_str().into(),
            price.size.as_str().into(),
            price.priority.as_str().into(),
            price.region.as_str().into(),
            price.currency.as_str().into(),
            price.per_hour.micros().into(),
            i64::try_from(price.lines).unwrap_or(i64::MAX).into(),
            microseconds(at).into(),
        ];
        session.put(session.dialect().text(PUT, values)).await?;
    }
    Ok(())
}

pub(crate) async fn forget(
    session: &mut impl Session,
    scope: &Scope,
    source: PriceSource,
) -> Result<u64, StoreError> {
    let partner = whole_partner(scope).ok_or_else(|| out_of_scope(scope.partner()))?;
    let values = vec![partner.as_str().into(), source.as_str().into()];
    session.execute(session.dialect().text(FORGET, values)).await
}

pub(crate) async fn list(
    session: &mut impl Session,
    scope: &Scope,
    query: &PriceQuery,
) -> Result<Vec<MachinePrice>, StoreError> {
    let Some(partner) = whole_partner(scope) else { return Ok(Vec::new()) };
    const COLUMNS: [&str; 7] = ["source", "size", "priority", "region", "currency", "per_hour", "lines"];
    let mut select = Query::select().columns(COLUMNS).from("machine_price").take();
    select.and_where(Expr::col("partner_tenant_id").eq(partner.as_str()));
    if let Some(source) = query.source {
        select.and_where(Expr::col("source").eq(source.as_str()));
    }
    if let Some(sizes) = &query.sizes {
        if sizes.is_empty() {
            return Ok(Vec::new());
        }
        select.and_where(Expr::col("size").is_in(sizes.iter().map(String::as_str)));
    }
    for column in &COLUMNS[..5] {
        select.order_by(*column, Order::Asc);
    }
    if let Some(limit) = query.limit {
        select.limit(limit);
    }
    let rows = session.rows(session.dialect().statement(select.into())).await?;
    rows.into_iter().map(read).collect()
}

fn read(mut row: Row) -> Result<MachinePrice, StoreError> {
    let (source, size, priority) = (row.text(0)?, row.text(1)?, row.text(2)?);
    let damaged = |what: &str| StoreError::Damaged { what: format!("a price of {size}: {what}") };
    let sources = [PriceSource::Observed, PriceSource::RateCard];
    let priorities = [Priority::Regular, Priority::Spot];
    let source = sources.into_iter().find(|known| known.as_str() == source);
    let priority = priorities.into_iter().find(|known| known.as_str() == priority);
    Ok(MachinePrice {
        source: source.ok_or_else(|| damaged("its source is not known"))?,
        priority: priority.ok_or_else(|| damaged("its priority is not known"))?,
        region: row.text(3)?,
        currency: currency(&mut row, 4)?,
        per_hour: Amount::of_micros(row.int(5)?),
        lines: row.amount(6)?,
        size,
    })
}
