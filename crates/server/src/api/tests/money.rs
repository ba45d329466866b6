//! What alerts cost, as callers see it.

use alerts::money::{Amount, Basis, MoneyAtRisk, Part, State, Total};
use alerts::{Alert, Origin, PartnerSecurityAlert};
use chrono::{DateTime, Utc};
use graph::auth::READ;
use serde_json::{Value, json};
use store::MoneyNote;

use super::*;

const LIST: &str = "/tenantwatch/v1/moneyAtRisk";
const NOON: &str = "2031-02-03T12:00:00Z";
const IN_WORDS: &str = "EUR 1234.56 so far (none of it billed yet), 22.50 an hour now. What is not billed yet is priced as \
                        you were billed for the same size in the same region. Of one resource no price is known; it is \
                        not counted.";

fn noon() -> DateTime<Utc> {
    NOON.parse().unwrap()
}

fn alert(id: &str, customer: &str) -> Alert {
    let body: PartnerSecurityAlert = serde_json::from_value(json!({
        "id": id, "alertType": "VM_AnomalousDeployment", "displayName": format!("Machines of {id}"),
        "severity": "high", "confidenceLevel": "low", "status": "active", "detectedDateTime": NOON,
        "customerTenantId": customer, "subscriptionId": "s",
    }))
    .unwrap();
    Alert { partner_tenant_id: DEFAULT_PARTNER_TENANT.parse().unwrap(), origin: Origin::Imported, body }
}

fn money(currency: &str, so_far: i64, per_hour: i64) -> MoneyAtRisk {
    let micros = |cents: i64| Amount::of_micros(cents * 10_000);
    let total = Total {
        currency: currency.parse().unwrap(),
        so_far: micros(so_far),
        billed: Amount::ZERO,
        per_hour: micros(per_hour),
        counted_so_far: micros(so_far),
        counted_per_hour: micros(per_hour),
    };
    let part = Part {
        resource: "/subscriptions/s/resourcegroups/g/providers/microsoft.compute/virtualmachines/vm1"
            .to_owned(),
        machines: "3 × standard_d4s_v5".to_owned(),
        state: State::Running,
        from: noon(),
        until: None,
        currency: Some(total.currency.clone()),
        so_far: total.so_far,
        billed: Amount::ZERO,
        per_hour: total.per_hour,
        basis: vec![Basis::Observed],
    };
    let unpriced = Part {
        machines: "1 × container group".to_owned(),
        currency: None,
        so_far: Amount::ZERO,
        per_hour: Amount::ZERO,
        basis: Vec::new(),
        ..part.clone()
    };
    MoneyAtRisk { as_of: noon(), totals: vec![total], parts: vec![unpriced, part], more_parts: 0 }
}

/// Alerts of two customers, one of them not reckoned.
async fn server() -> Fixture {
    let server = Fixture::new(false).await;
    let (store, scope) = (&server.instance.store, server.instance.scope());
    let alerts = [alert("a1", "c1"), alert("a2", "c2"), alert("a3", "c2")];
    store.import_alerts(&scope, &alerts, noon()).await.unwrap();
    let notes = [("a1", money("EUR", 123_456, 2_250)), ("a2", money("NOK", 5_000, 1_000))];
    let notes = notes.map(|(id, money)| MoneyNote {
        alert_id: id.parse().unwrap(),
        alert_version: 1,
        is_open: true,
        reckoned_at: noon(),
        money,
    });
    store.note_money(&scope, &notes).await.unwrap();
    server
}

#[tokio::test]
async fn one_alert_tells_its_money_to_whom_it_is_of() {
    let server = server().await;
    let get = async |id: &str, token: &str| {
        server.get(HOST, &format!("/tenantwatch/v1/alerts/{id}/moneyAtRisk"), Some(token)).await
    };
    let reader = server.token(READ);
    let vm = "/subscriptions/s/resourcegroups/g/providers/microsoft.compute/virtualmachines/vm1";
    let resource = |machines: &str, currency: Value, so_far: f64, per_hour: f64, basis: Value| {
        json!({
            "resourceId": vm, "machines": machines, "state": "running", "fromDateTime": NOON, "untilDateTime": null,
            "currency": currency, "soFar": so_far, "billedSoFar": 0.0, "perHour": per_hour, "basis": basis,
        })
    };
    let expected = json!({
        "alertId": "a1",
        "asOfDateTime": NOON,
        "amounts": [{"currency": "EUR", "soFar": 1234.56, "billedSoFar": 0.0, "perHour": 22.5}],
        "unpricedResources": 1,
        "inWords": IN_WORDS,
        "resources": [
            resource("1 × container group", Value::Null, 0.0, 0.0, json!([])),
            resource("3 × standard_d4s_v5", json!("EUR"), 1234.56, 22.5, json!(["observed"])),
        ],
        "moreResources": 0,
    });
    assert_eq!(get("a1", &reader).await.json(), expected);
    let not_yet = get("a3", &reader).await.json();
    assert_eq!((&not_yet["asOfDateTime"], &not_yet["inWords"]), (&Value::Null, &json!("Not reckoned yet.")));
    assert_eq!(get("a1", &server.token_of(READ, Some("c1"))).await.status, StatusCode::OK);
    for (id, token) in [("a1", server.token_of(READ, Some("c2"))), ("none", reader.clone())] {
        assert_eq!(get(id, &token).await.status, StatusCode::NOT_FOUND, "{id}");
    }
    assert_eq!(get("a1", &server.token("User.Read")).await.status, StatusCode::FORBIDDEN);
    assert_eq!(
        server.get(HOST, "/tenantwatch/v1/alerts/a1/moneyAtRisk", None).await.status,
        StatusCode::UNAUTHORIZED
    );

    // The alert itself says nothing of it.
    let graph = server.get(HOST, "/beta/security/partner/securityAlerts/a1", Some(&reader)).await;
    assert!(!graph.text.contains("oney"), "{}", graph.text);
}

#[tokio::test]
async fn open_alerts_are_listed_by_their_money() {
    let server = server().await;
    let reader = server.token(READ);
    let get =
        async |options: &str, token: &str| server.get(HOST, &format!("{LIST}{options}"), Some(token)).await;
    let all = get("", &reader).await.json();
    let total = |currency: &str, so_far: f64, per_hour: f64| json!({"currency": currency, "soFar": so_far, "perHour": per_hour, "alerts": 1});
    let currencies = [total("EUR", 1234.56, 22.5), total("NOK", 50.0, 10.0)];
    assert_eq!(all["totals"], json!({"currencies": currencies, "unpricedAlerts": 2, "asOfDateTime": NOON}));
    let first = json!({
        "alertId": "a1", "displayName": "Machines of a1", "alertType": "VM_AnomalousDeployment", "severity": "high",
        "status": "active", "detectedDateTime": NOON, "customerTenantId": "c1", "subscriptionId": "s",
        "currency": "EUR", "soFar": 1234.56, "billedSoFar": 0.0, "perHour": 22.5, "asOfDateTime": NOON,
        "unpricedResources": 1, "inWords": IN_WORDS,
    });
    assert_eq!(all["value"][0], first);
    assert_eq!(all["nextLink"], Value::Null);
    let ids = |reply: &Value| {
        let ids = reply["value"]
            .as_array()
            .unwrap()
            .iter()
            .map(|entry| entry["alertId"].as_str().unwrap().to_owned());
        ids.collect::<Vec<_>>().join(" ")
    };
    assert_eq!(ids(&get("?orderBy=soFar", &reader).await.json()), "a1 a2");
    assert_eq!(ids(&get("?currency=nok", &reader).await.json()), "a2");
    let narrow = get("", &server.token_of(READ, Some("c2"))).await.json();
    assert_eq!(ids(&narrow), "a2");
    assert_eq!(narrow["totals"]["currencies"].as_array().unwrap().len(), 1);
    assert_eq!(ids(&get("", &server.token_of(READ, Some("c3"))).await.json()), "");

    let first = get("?top=1&orderBy=soFar", &reader).await.json();
    let next = first["nextLink"].as_str().unwrap().strip_prefix(LIST).unwrap().to_owned();
    let second = get(&next, &reader).await.json();
    assert_eq!((ids(&first), ids(&second)), ("a1".to_owned(), "a2".to_owned()));

    for wrong in ["?orderBy=worth", "?colour=1", "?currency=EURO", "?after=x", "?after=MQo"] {
        let reply = get(wrong, &reader).await;
        assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{wrong}: {}", reply.text);
    }
    assert_eq!(get("", &server.token("User.Read")).await.status, StatusCode::FORBIDDEN);
    let metrics = server.get(HOST, "/metrics", Some(&reader)).await.text;
    assert!(metrics.contains("tenantwatch_money_at_risk_per_hour{currency=\"EUR\"} 22.5"), "{metrics}");
}
