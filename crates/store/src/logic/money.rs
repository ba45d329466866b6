//! Money at risk.
//!
//! Whose an alert is, the alert itself says: all that callers read is joined to it, so that an alert that moves to
//! another customer, or is resolved, is so here at once.

use ::alerts::money::{Amount, Currency, MoneyAtRisk};
use ::alerts::{AlertId, PartnerTenantId, Scope, SubscriptionId};
use chrono::{DateTime, TimeDelta, Utc};
use sea_query::Value;

use super::{out_of_scope, whole_partner};
use crate::session::{Row, Session};
use crate::sql::scalar::microseconds;
use crate::sql::scope::within_text;
use crate::{
    AlertBody, CurrencyTotal, DueAlert, MoneyDue, MoneyEntry, MoneyNote, MoneyOrder, MoneyPosition,
    MoneyQuery, MoneyTotals, StoreError,
};

/// Subscriptions with work, those with the latest evidence first. An age is a pair: evidence since then, reckoned before.
const DUE: &str = "
select subscription_id
from (
    select alert.subscription_id, coalesce(alert.first_observed_at, alert.detected_at) as seen_at
    from alert
    left join money_at_risk as money
        on money.partner_tenant_id = alert.partner_tenant_id
        and money.alert_id = alert.id
    where alert.partner_tenant_id = $1
        and alert.status in ('active', 'investigating', 'unknownFutureValue')
        and alert.subscription_id <> $2
        and (money.alert_id is null
            or money.alert_version <> alert.version
            or money.reckoned_at < $3
            or (coalesce(alert.last_observed_at, alert.detected_at) >= $4 and money.reckoned_at < $5)
            or (coalesce(alert.last_observed_at, alert.detected_at) >= $6 and money.reckoned_at < $7))
    union all
    select alert.subscription_id, coalesce(alert.first_observed_at, alert.detected_at) as seen_at
    from money_at_risk as money
    join alert
        on alert.partner_tenant_id = money.partner_tenant_id
        and alert.id = money.alert_id
    where money.partner_tenant_id = $1
        and money.is_open = 1
        and alert.status = 'resolved'
) as due
group by subscription_id
order by max(seen_at) desc, subscription_id
limit $8";

const ALERTS_OF: &str = "
select alert.subscription_id, alert.body, alert.version, alert.modified_at
from alert
left join money_at_risk as money
    on money.partner_tenant_id = alert.partner_tenant_id
    and money.alert_id = alert.id
where alert.partner_tenant_id = $1
    and alert.subscription_id in ({subscriptions})
    and (alert.status <> 'resolved' or money.is_open = 1)
order by alert.subscription_id, alert.detected_at, alert.id";

const NOTE: &str = "
insert into money_at_risk
    (partner_tenant_id, alert_id, alert_version, is_open, reckoned_at, has_unpriced, body)
values ($1, $2, $3, $4, $5, $6, $7)
on conflict (partner_tenant_id, alert_id) do update set
    alert_version = excluded.alert_version,
    is_open = excluded.is_open,
    reckoned_at = excluded.reckoned_at,
    has_unpriced = excluded.has_unpriced,
    body = excluded.body";

const FORGET_TOTALS: &str = "
delete from money_total
where partner_tenant_id = $1 and alert_id = $2";

const NOTE_TOTAL: &str = "
insert into money_total
    (partner_tenant_id, alert_id, currency, is_open, so_far, per_hour, counted_so_far, counted_per_hour, worth_so_far,
    worth_per_hour)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";

const WORTH: &str = "
select currency, worth
from currency_worth
where partner_tenant_id = $1";

const ONE: &str = "
select money.body
from alert
join money_at_risk as money
    on money.partner_tenant_id = alert.partner_tenant_id
    and money.alert_id = alert.id
where {scope} and alert.id = {id}";

/// SQLite keeps the order of a cross join, so that it reads along the index of the order and stops at the limit.
const LIST: &str = "
select alert.body, alert.version, alert.modified_at, money.body, total.currency, total.{first}, total.{second},
    total.alert_id
from money_total as total
cross join alert
cross join money_at_risk as money
where {scope}
    and alert.partner_tenant_id = total.partner_tenant_id
    and alert.id = total.alert_id
    and money.partner_tenant_id = total.partner_tenant_id
    and money.alert_id = total.alert_id
    and total.partner_tenant_id = $1
    and total.is_open = 1
    and alert.status <> 'resolved'{currency}{after}
order by total.{first} desc, total.{second} desc, total.alert_id desc, total.currency desc{limit}";

const TOTALS: &str = "
select total.currency, cast(sum(total.counted_so_far) as bigint), cast(sum(total.counted_per_hour) as bigint), count(*)
from money_total as total
cross join alert
where {scope}
    and alert.partner_tenant_id = total.partner_tenant_id
    and alert.id = total.alert_id
    and total.partner_tenant_id = $1
    and total.is_open = 1
    and alert.status <> 'resolved'
group by total.currency
order by total.currency";

const RECKONED: &str = "
select cast(coalesce(sum(money.has_unpriced), 0) as bigint), min(money.reckoned_at)
from money_at_risk as money
cross join alert
where {scope}
    and alert.partner_tenant_id = money.partner_tenant_id
    and alert.id = money.alert_id
    and money.partner_tenant_id = $1
    and money.is_open = 1
    and alert.status <> 'resolved'";

pub(crate) async fn due(
    session: &mut impl Session,
    scope: &Scope,
    due: &MoneyDue,
) -> Result<Vec<DueAlert>, StoreError> {
    let Some(partner) = whole_partner(scope) else { return Ok(Vec::new()) };
    let before = |time: TimeDelta| Value::from(microseconds(due.now - time));
    let [(young, young_every), (older, older_every)] = due.ages;
    let values = vec![
        partner.as_str().into(),
        // What is about a tenant names nothing that costs by the hour.
        SubscriptionId::NONE.into(),
        before(due.oldest_every),
        before(young),
        before(young_every),
        before(older),
        before(older_every),
        i64::from(due.subscriptions).into(),
    ];
    let rows = session.rows(session.dialect().text(DUE, values)).await?;
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let mut values = vec![Value::from(partner.as_str())];
    for mut row in rows {
        values.push(row.text(0)?.into());
    }
    let places: Vec<String> = (2..=values.len()).map(|place| format!("${place}")).collect();
    let alerts = ALERTS_OF.replace("{subscriptions}", &places.join(", "));
    let rows = session.rows(session.dialect().text(&alerts, values)).await?;
    rows.into_iter()
        .map(|mut row| {
            let subscription = row.opt_id(0)?;
            let subscription_id = subscription
                .ok_or_else(|| StoreError::Damaged { what: "an alert without a subscription".to_owned() })?;
            let (json, version, modified_at) = (row.text(1)?, row.amount(2)?, row.time(3)?);
            Ok(DueAlert { subscription_id, body: AlertBody { json, version, modified_at } })
        })
        .collect()
}

pub(crate) async fn note(
    session: &mut impl Session,
    scope: &Scope,
    notes: &[MoneyNote],
) -> Result<(), StoreError> {
    let partner = whole_partner(scope).ok_or_else(|| out_of_scope(scope.partner()))?;
    let worth = worth(session, partner).await?;
    for note in notes {
        let body = serde_json::to_string(&note.money).map_err(|error| StoreError::Database(error.into()))?;
        let (id, is_open) = (note.alert_id.as_str(), i64::from(note.is_open));
        let values = vec![
            partner.as_str().into(),
            id.into(),
            i64::try_from(note.alert_version).unwrap_or(i64::MAX).into(),
            is_open.into(),
            microseconds(note.reckoned_at).into(),
            i64::from(note.money.unpriced() > 0).into(),
            body.into(),
        ];
        session.put(session.dialect().text(NOTE, values)).await?;
        session.put(session.dialect().text(FORGET_TOTALS, vec![partner.as_str().into(), id.into()])).await?;
        for total in &note.money.totals {
            let rate = worth.iter().find(|(currency, _)| *currency == total.currency).map(|(_, rate)| *rate);
            let in_dollars = |amount: Amount| in_dollars(amount, rate).micros();
            let values = vec![
                partner.as_str().into(),
                id.into(),
                total.currency.as_str().into(),
                is_open.into(),
                total.so_far.micros().into(),
                total.per_hour.micros().into(),
                total.counted_so_far.micros().into(),
                total.counted_per_hour.micros().into(),
                in_dollars(total.so_far).into(),
                in_dollars(total.per_hour).into(),
            ];
            session.put(session.dialect().text(NOTE_TOTAL, values)).await?;
        }
    }
    Ok(())
}

/// What an amount is worth, to sort by; as many dollars as units where nothing tells.
fn in_dollars(amount: Amount, rate: Option<Amount>) -> Amount {
    let Some(rate) = rate else { return amount };
    let worth = i128::from(amount.micros()) * i128::from(rate.micros()) / 1_000_000;
    Amount::of_micros(i64::try_from(worth).unwrap_or(i64::MAX))
}

async fn worth(
    session: &mut impl Session,
    partner: &PartnerTenantId,
) -> Result<Vec<(Currency, Amount)>, StoreError> {
    let rows = session.rows(session.dialect().text(WORTH, vec![partner.as_str().into()])).await?;
    rows.into_iter().map(|mut row| Ok((currency(&mut row, 0)?, Amount::of_micros(row.int(1)?)))).collect()
}

pub(crate) async fn one(
    session: &mut impl Session,
    scope: &Scope,
    id: &AlertId,
) -> Result<Option<MoneyAtRisk>, StoreError> {
    let mut values = Vec::new();
    let select = ONE.replace("{scope}", &within_text(scope, "alert", &mut values));
    values.push(id.as_str().into());
    let select = select.replace("{id}", &format!("${}", values.len()));
    let row = session.optional(session.dialect().text(&select, values)).await?;
    row.map(|mut row| read(&mut row, 0)).transpose()
}

pub(crate) async fn list(
    session: &mut impl Session,
    scope: &Scope,
    query: &MoneyQuery,
) -> Result<Vec<MoneyEntry>, StoreError> {
    let (select, values) = list_statement(scope, query);
    let rows = session.rows(session.dialect().text(&select, values)).await?;
    rows.into_iter()
        .map(|mut row| {
            let body = row.alert_body()?;
            let money = read(&mut row, 3)?;
            let currency = currency(&mut row, 4)?;
            let position = MoneyPosition {
                first: row.int(5)?,
                second: row.int(6)?,
                alert_id: row.text(7)?,
                currency: currency.as_str().to_owned(),
            };
            Ok(MoneyEntry { body, currency, money, position })
        })
        .collect()
}

/// The text of a list and its values; the partner is the first.
pub(crate) fn list_statement(scope: &Scope, query: &MoneyQuery) -> (String, Vec<Value>) {
    let (first, second) = match query.order {
        MoneyOrder::PerHour => ("worth_per_hour", "worth_so_far"),
        MoneyOrder::SoFar => ("worth_so_far", "worth_per_hour"),
    };
    let mut values = Vec::new();
    let scope = within_text(scope, "alert", &mut values);
    let mut place = |value: Value| {
        values.push(value);
        format!("${}", values.len())
    };
    let mut currency = String::new();
    if let Some(code) = &query.currency {
        currency = format!("\n    and total.currency = {}", place(code.as_str().into()));
    }
    let mut after = String::new();
    if let Some(at) = &query.after {
        let places =
            [at.first.into(), at.second.into(), at.alert_id.as_str().into(), at.currency.as_str().into()];
        let places = places.map(&mut place).join(", ");
        after =
            format!("\n    and (total.{first}, total.{second}, total.alert_id, total.currency) < ({places})");
    }
    let mut limit = String::new();
    if let Some(most) = query.limit {
        limit = format!("\nlimit {}", place(i64::try_from(most).unwrap_or(i64::MAX).into()));
    }
    let text = LIST.replace("{scope}", &scope).replace("{first}", first).replace("{second}", second);
    (text.replace("{currency}", &currency).replace("{after}", &after).replace("{limit}", &limit), values)
}

/// The texts of the sums and of what is known of them, and their values.
pub(crate) fn totals_statements(scope: &Scope) -> [(String, Vec<Value>); 2] {
    let mut values = Vec::new();
    let within = within_text(scope, "alert", &mut values);
    [TOTALS, RECKONED].map(|text| (text.replace("{scope}", &within), values.clone()))
}

pub(crate) async fn totals(session: &mut impl Session, scope: &Scope) -> Result<MoneyTotals, StoreError> {
    let [(totals, values), (reckoned, same_values)] = totals_statements(scope);
    let mut currencies = Vec::new();
    for mut row in session.rows(session.dialect().text(&totals, values)).await? {
        currencies.push(CurrencyTotal {
            currency: currency(&mut row, 0)?,
            so_far: Amount::of_micros(row.int(1)?),
            per_hour: Amount::of_micros(row.int(2)?),
            alerts: row.amount(3)?,
        });
    }
    let select = session.dialect().text(&reckoned, same_values);
    let (unpriced_alerts, oldest_reckoned_at) = match session.optional(select).await? {
        Some(mut row) => (row.amount(0)?, row.opt_time(1)?),
        None => (0, None::<DateTime<Utc>>),
    };
    Ok(MoneyTotals { currencies, unpriced_alerts, oldest_reckoned_at })
}

pub(super) fn currency(row: &mut Row, column: usize) -> Result<Currency, StoreError> {
    let text = row.text(column)?;
    text.parse().map_err(|_| StoreError::Damaged { what: format!("'{text}' is no currency") })
}

fn read(row: &mut Row, column: usize) -> Result<MoneyAtRisk, StoreError> {
    let text = row.text(column)?;
    serde_json::from_str(&text).map_err(|_| StoreError::Damaged { what: "the money of an alert".to_owned() })
}
