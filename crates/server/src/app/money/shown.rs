//! Money as the API and `--json` show it.

use alerts::PartnerSecurityAlert;
use alerts::money::{Amount, MachinePrice, MoneyAtRisk, Part, Total};
use serde_json::{Map, Value, json};
use store::{MoneyEntry, MoneyTotals};

/// An amount as a number, to the hundredth.
fn amount(amount: Amount) -> f64 {
    (amount.units() * 100.0).round() / 100.0
}

/// An amount by the hour as a number: a small machine costs less than a hundredth.
fn per_hour(amount: Amount) -> f64 {
    (amount.units() * 10_000.0).round() / 10_000.0
}

/// What one alert costs. `None` if it was not reckoned yet.
#[must_use]
pub fn money_as_json(alert_id: &str, money: Option<&MoneyAtRisk>) -> Value {
    let Some(money) = money else {
        return json!({
            "alertId": alert_id,
            "asOfDateTime": null,
            "amounts": [],
            "unpricedResources": 0,
            "inWords": "Not reckoned yet.",
            "resources": [],
            "moreResources": 0,
        });
    };
    json!({
        "alertId": alert_id,
        "asOfDateTime": money.as_of,
        "amounts": money.totals.iter().map(|total| Value::Object(figures(total))).collect::<Vec<_>>(),
        "unpricedResources": money.unpriced(),
        "inWords": money.in_words(),
        "resources": money.parts.iter().map(resource).collect::<Vec<_>>(),
        "moreResources": money.more_parts,
    })
}

/// The figures in one currency.
#[must_use]
pub fn figures(total: &Total) -> Map<String, Value> {
    Map::from_iter([
        ("currency".to_owned(), json!(total.currency)),
        ("soFar".to_owned(), json!(amount(total.so_far))),
        ("billedSoFar".to_owned(), json!(amount(total.billed))),
        ("perHour".to_owned(), json!(per_hour(total.per_hour))),
    ])
}

fn resource(part: &Part) -> Value {
    json!({
        "resourceId": part.resource,
        "machines": part.machines,
        "state": part.state,
        "fromDateTime": part.from,
        "untilDateTime": part.until,
        "currency": part.currency,
        "soFar": amount(part.so_far),
        "billedSoFar": amount(part.billed),
        "perHour": per_hour(part.per_hour),
        "basis": part.basis,
    })
}

/// An entry of the list: the alert in short, and its money in one currency.
///
/// # Errors
///
/// If what is kept of the alert cannot be read.
pub fn entry_as_json(entry: &MoneyEntry) -> Result<Value, serde_json::Error> {
    let alert: PartnerSecurityAlert = serde_json::from_str(&entry.body.json)?;
    let mut shown = Map::from_iter([
        ("alertId".to_owned(), json!(alert.id)),
        ("displayName".to_owned(), json!(alert.display_name)),
        ("alertType".to_owned(), json!(alert.alert_type)),
        ("severity".to_owned(), json!(alert.severity)),
        ("status".to_owned(), json!(alert.status)),
        ("detectedDateTime".to_owned(), json!(alert.detected_date_time)),
        ("customerTenantId".to_owned(), json!(alert.customer_tenant_id)),
        ("subscriptionId".to_owned(), json!(alert.subscription_id)),
    ]);
    if let Some(total) = entry.money.totals.iter().find(|total| total.currency == entry.currency) {
        shown.extend(figures(total));
    }
    shown.insert("asOfDateTime".to_owned(), json!(entry.money.as_of));
    shown.insert("unpricedResources".to_owned(), json!(entry.money.unpriced()));
    shown.insert("inWords".to_owned(), json!(entry.money.in_words()));
    Ok(Value::Object(shown))
}

/// What open alerts cost together.
#[must_use]
pub fn totals_as_json(totals: &MoneyTotals) -> Value {
    let currency = |total: &store::CurrencyTotal| {
        json!({
            "currency": total.currency,
            "soFar": amount(total.so_far),
            "perHour": per_hour(total.per_hour),
            "alerts": total.alerts,
        })
    };
    json!({
        "currencies": totals.currencies.iter().map(currency).collect::<Vec<_>>(),
        "unpricedAlerts": totals.unpriced_alerts,
        "asOfDateTime": totals.oldest_reckoned_at,
    })
}

/// A price.
#[must_use]
pub fn price_as_json(price: &MachinePrice) -> Value {
    json!({
        "source": price.source.as_str(),
        "size": price.size,
        "region": price.region,
        "priority": price.priority.as_str(),
        "currency": price.currency,
        "perHour": price.per_hour.units(),
        "lines": price.lines,
    })
}
