//! The security score over HTTP.

use alerts::score::ResponseTimeTarget;
use alerts::{ResolvedReason, Scope, Status, StatusChange};
use axum::http::StatusCode;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use store::{AlertStore as _, ExpectedVersion};

use super::super::testing::{Fixture, OTHER_PARTNER, PARTNER, alert};
use crate::app::score::import::import;
use crate::app::score::take_snapshot;
use crate::auth::READ;

const SCORE: &str = "/beta/security/partner/securityScore";

fn partner() -> Scope {
    Scope::Partner(PARTNER.parse().unwrap())
}

/// A partner who resolved one alert of now within six hours, with all other alerts out of the way.
async fn prompt_partner() -> Fixture {
    let server = Fixture::new().await;
    let now = Utc::now();
    let resolve = StatusChange { to: Status::Resolved, reason: Some(ResolvedReason::Ignore) };
    for number in 1..=5 {
        let id = format!("alert-{number}").parse().unwrap();
        // Longer ago than the average looks back.
        let at = now - TimeDelta::days(60);
        server.store.change_status(&partner(), &id, resolve, &ExpectedVersion::Any, "ann", at).await.unwrap();
    }
    let mut fresh = alert(6);
    fresh.body.detected_date_time = now - TimeDelta::hours(8);
    server.store.import_alerts(&partner(), &[fresh], now).await.unwrap();
    let id = "alert-6".parse().unwrap();
    let at = now - TimeDelta::hours(2);
    server.store.change_status(&partner(), &id, resolve, &ExpectedVersion::Any, "ann", at).await.unwrap();
    server
}

async fn import_facts(server: &Fixture) {
    let facts = json!({
        "requirements": [
            {
                "requirementType": "securityContactProvided", "complianceStatus": "noncomplaint",
                "score": 0, "maxScore": 20, "updatedDateTime": "2031-01-01T00:00:00Z"
            },
            {
                "requirementType": "spendingBudgetSetForCustomerAzureSubscriptions",
                "complianceStatus": "noncomplaint", "score": 5, "maxScore": 10,
                "updatedDateTime": "2031-01-01T00:00:00Z",
                "customersWithSpendBudgetCount": 1, "totalCustomersCount": 2
            }
        ],
        "customerInsights": [
            {"tenantId": "customer-2"},
            {"tenantId": "customer-1", "mfa": {
                "compliantAdminsCount": 1, "compliantNonAdminsCount": 2, "totalUsersCount": 4,
                "legacyPerUserMfaStatus": "disabled", "mfaConditionalAccessPolicyStatus": "enabled",
                "securityDefaultsStatus": "disabled"
            }}
        ]
    });
    import(&*server.store, &partner(), &facts.to_string(), Utc::now()).await.unwrap();
}

/// The reply with what is of this moment taken out.
fn timeless(mut value: Value) -> Value {
    match &mut value {
        Value::Object(members) => {
            for (name, member) in members.iter_mut() {
                let is_time = name.ends_with("DateTime") && *member != "2031-01-01T00:00:00Z";
                *member = if is_time { "[time]".into() } else { timeless(member.take()) };
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| *item = timeless(item.take())),
        _ => {}
    }
    value
}

#[tokio::test]
async fn replies_have_graphs_shape() {
    let server = prompt_partner().await;
    import_facts(&server).await;
    insta::assert_json_snapshot!("partner", server.get("/beta/security/partner").await.json());
    insta::assert_json_snapshot!("score", timeless(server.get(SCORE).await.json()));
    let requirements = server.get(&format!("{SCORE}/requirements?$count=true")).await;
    assert_eq!(requirements.headers["odata-version"], "4.0");
    insta::assert_json_snapshot!("requirements", timeless(requirements.json()));
    let one = server.get(&format!("{SCORE}/requirements/securityContactProvided")).await;
    insta::assert_json_snapshot!("requirement", timeless(one.json()));
    let insights = server.get(&format!("{SCORE}/customerInsights")).await;
    insta::assert_json_snapshot!("customer_insights", insights.json());
}

#[tokio::test]
async fn without_a_known_requirement_there_is_no_score() {
    let server = Fixture::new().await;
    let reply = server.get(SCORE).await;
    assert_eq!(reply.status, StatusCode::NOT_FOUND);
    assert!(reply.message().contains("tenantwatch score import"), "{}", reply.message());
    assert_eq!(server.get(&format!("{SCORE}/requirements")).await.json()["value"], json!([]));
    assert_eq!(server.get(&format!("{SCORE}/requirements/$count")).await.text, "0");
}

#[tokio::test]
async fn another_partner_sees_nothing() {
    let server = prompt_partner().await;
    import_facts(&server).await;
    let token = server.token(OTHER_PARTNER, READ);
    let get = |path: String| {
        let (server, token) = (&server, &token);
        async move { server.call(axum::http::Method::GET, &path, Some(token), None).await }
    };
    assert_eq!(get(SCORE.to_owned()).await.status, StatusCode::NOT_FOUND);
    for set in ["requirements", "history", "customerInsights"] {
        assert_eq!(get(format!("{SCORE}/{set}")).await.json()["value"], json!([]), "{set}");
    }
    assert_eq!(get(format!("{SCORE}/customerInsights/customer-1")).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn lists_are_paged_selected_and_counted() {
    let server = prompt_partner().await;
    import_facts(&server).await;
    let list = format!("{SCORE}/requirements?$select=id,totalCustomersCount&$top=1&$count=true");
    let first = server.get(&list).await.json();
    assert_eq!(
        first["@odata.context"],
        "http://tenantwatch.test:8080/beta/$metadata#security/partner/securityScore/requirements(id,totalCustomersCount)"
    );
    assert_eq!(first["@odata.count"], 3);
    let mut link = first["@odata.nextLink"].as_str().map(str::to_owned);
    let mut seen = first["value"].as_array().unwrap().clone();
    while let Some(next) = link {
        let page = server.get(next.strip_prefix("http://tenantwatch.test:8080").unwrap()).await.json();
        seen.extend(page["value"].as_array().unwrap().clone());
        link = page["@odata.nextLink"].as_str().map(str::to_owned);
    }
    assert_eq!(
        Value::from(seen),
        json!([
            {"@odata.type": "#microsoft.graph.partner.security.responseTimeSecurityRequirement", "id": "securityAlertsPromptlyResolved"},
            {"@odata.type": "#microsoft.graph.partner.security.securityRequirement", "id": "securityContactProvided"},
            {"@odata.type": "#microsoft.graph.partner.security.customersSpendingBudgetSecurityRequirement", "id": "spendingBudgetSetForCustomerAzureSubscriptions", "totalCustomersCount": 2}
        ])
    );
    let skipped = server.get(&format!("{SCORE}/customerInsights?$skip=1&$select=tenantId")).await.json();
    assert_eq!(skipped["value"], json!([{"tenantId": "customer-2"}]));
    assert_eq!(server.get(&format!("{SCORE}/customerInsights/%24count")).await.text, "2");
}

#[tokio::test]
async fn what_is_not_supported_is_refused_by_name() {
    let server = prompt_partner().await;
    let check = |path: &'static str, status: u16, expected: &'static str| {
        let server = &server;
        async move {
            let reply = server.get(&format!("{SCORE}{path}")).await;
            assert_eq!(reply.status.as_u16(), status, "{path}: {}", reply.text);
            assert!(reply.message().starts_with(expected), "{path}: {}", reply.message());
        }
    };
    check("?$expand=requirements", 400, "$expand: is not supported here").await;
    check("?$top=1", 400, "$top: cannot be used with this resource").await;
    check("/requirements?$filter=score%20eq%201", 400, "$filter: cannot be used with this resource").await;
    check("/requirements?$orderby=score", 400, "$orderby: cannot be used with this resource").await;
    check("/requirements?$select=points", 400, "$select: unknown property 'points' at 0").await;
    check("/requirements/none", 404, "securityScore/requirements has no 'none'.").await;
    check("/history/2031-02-03", 404, "securityScore/history has no '2031-02-03'.").await;
    check("/customerInsights/%20", 404, "securityScore/customerInsights has no ' '.").await;
}

#[tokio::test]
async fn snapshots_make_the_history() {
    let server = prompt_partner().await;
    let target = ResponseTimeTarget::default();
    let now = Utc::now();
    let taken = take_snapshot(&*server.store, &partner(), &target, now).await.unwrap().unwrap();
    assert!((taken.score.current - 100.0).abs() < f64::EPSILON);
    assert_eq!(take_snapshot(&*server.store, &partner(), &target, now).await.unwrap(), None);
    import_facts(&server).await;
    let tomorrow = now + TimeDelta::days(1);
    assert!(take_snapshot(&*server.store, &partner(), &target, tomorrow).await.unwrap().is_some());

    let history = server.get(&format!("{SCORE}/history")).await.json();
    let shown: Vec<(f64, i64, i64)> = history["value"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| {
            let count = |name: &str| entry[name].as_i64().unwrap();
            (
                entry["score"].as_f64().unwrap(),
                count("compliantRequirementsCount"),
                count("totalRequirementsCount"),
            )
        })
        .collect();
    assert_eq!(shown, [(100.0, 1, 1), (50.0, 1, 3)]);
    let id = history["value"][0]["id"].as_str().unwrap();
    assert_eq!(server.get(&format!("{SCORE}/history/{id}")).await.json()["id"], id);

    // The score changed when the snapshot was taken, not when it is read.
    let shown = server.get(SCORE).await.json();
    let changed_at: DateTime<Utc> = shown["updatedDateTime"].as_str().unwrap().parse().unwrap();
    assert_eq!(changed_at.timestamp(), tomorrow.timestamp());
}
