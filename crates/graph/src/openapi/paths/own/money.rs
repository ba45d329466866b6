//! What alerts cost.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::super::super::operation::Operation;
use super::*;
use crate::auth::{READ, READ_WRITE};
use crate::error::Kind;

const TAG: &str = "money";

pub(super) fn operations() -> Vec<Operation> {
    vec![list(), one()]
}

fn list() -> Operation {
    let currency =
        object(json!({"currency": text(), "soFar": number(), "perHour": number(), "alerts": count()}));
    let totals = object(json!({
        "currencies": list_of(currency), "unpricedAlerts": count(), "asOfDateTime": maybe(time()),
    }));
    let entry = object(json!({
        "alertId": text(), "displayName": text(), "alertType": text(), "severity": text(), "status": text(),
        "detectedDateTime": time(), "customerTenantId": text(), "subscriptionId": text(), "currency": text(),
        "soFar": number(), "billedSoFar": number(), "perHour": number(), "asOfDateTime": maybe(time()),
        "unpricedResources": count(), "inWords": text(),
    }));
    let mut page = page_of(entry);
    page["properties"]["totals"] = totals;
    let example = json!({
        "totals": {"currencies": [{"currency": "EUR", "soFar": 1234.56, "perHour": 22.5, "alerts": 1}], "unpricedAlerts": 0, "asOfDateTime": TIME},
        "value": [],
    });
    let currencies = json!({"type": "string", "pattern": "^[A-Za-z]{3}$"});
    let order: Value = json!({"type": "string", "enum": ["perHour", "soFar"]});
    Operation::get("/tenantwatch/v1/moneyAtRisk", "listMoneyAtRisk", TAG, "List the money at risk")
        .describe("The sums over open alerts for each currency, and these alerts, the dearest first.")
        .needs(&[READ, READ_WRITE])
        .parameter(query("currency", "Only this currency, ISO 4217.", currencies, json!("EUR")))
        .parameter(query("orderBy", "By what; perHour if nothing is said.", order, json!("soFar")))
        .parameter(top())
        .gives_json(StatusCode::OK, "The money.", page, example)
}

fn one() -> Operation {
    let amount =
        object(json!({"currency": text(), "soFar": number(), "billedSoFar": number(), "perHour": number()}));
    let schema = object(json!({
        "alertId": text(), "asOfDateTime": maybe(time()), "amounts": list_of(amount), "unpricedResources": count(),
        "inWords": text(), "resources": list_of(json!({"type": "object"})), "moreResources": count(),
    }));
    let example = json!({
        "alertId": "5a3b1e00-0001-4000-8000-000000000007", "asOfDateTime": null, "amounts": [], "unpricedResources": 0,
        "inWords": "Not reckoned yet.", "resources": [], "moreResources": 0,
    });
    Operation::get(
        "/tenantwatch/v1/alerts/{id}/moneyAtRisk",
        "getMoneyAtRisk",
        TAG,
        "Say what an alert costs",
    )
    .describe("What of the costs is this alert's: so far, billed and by the hour, with the resources.")
    .needs(&[READ, READ_WRITE])
    .takes(&["alertId"])
    .gives_json(StatusCode::OK, "What it costs.", schema, example)
    .fails(&[Kind::NotFound])
}
