//! Partner Center's API over HTTP.

use alerts::{CustomerTenantId, Scope};
use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use serde_json::{Value, json};
use store::{DirectoryStore as _, Subscription};

use super::super::testing::{Fixture, OTHER_PARTNER, PARTNER, Reply};
use crate::auth::{READ, READ_WRITE};

const EVENTS: &str = "/v1/fraudEvents";
const STATUS: &str = "/v1/fraudEvents/subscription/sub-1/status";

async fn call(
    server: &Fixture,
    method: Method,
    path: &str,
    body: Option<&Value>,
    headers: &[(&str, &str)],
) -> Reply {
    let token = server.token(PARTNER, READ_WRITE);
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header("host", "tenantwatch.test:8080")
        .header("authorization", format!("Bearer {token}"))
        .header("content-type", "application/json");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let body = body.map(ToString::to_string).unwrap_or_default();
    server.send(request.body(Body::from(body)).unwrap()).await
}

fn ids(reply: &Reply) -> Vec<String> {
    let events = reply.json();
    events.as_array().unwrap().iter().map(|event| event["eventId"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn both_models_are_bare_arrays() {
    let server = Fixture::new().await;
    let known = Subscription {
        subscription_id: "sub-1".parse().unwrap(),
        name: Some("Production".to_owned()),
        customer_tenant_id: Some("customer-1".parse::<CustomerTenantId>().unwrap()),
        customer_name: Some("Contoso".to_owned()),
        reseller_tenant_id: None,
    };
    server.store.learn_subscriptions(&Scope::Partner(PARTNER.parse().unwrap()), &[known]).await.unwrap();
    let old = call(&server, Method::GET, EVENTS, None, &[]).await;
    assert_eq!((old.status, ids(&old).len()), (StatusCode::OK, 5));
    insta::assert_json_snapshot!("old_model", old.json()[0]);
    let new = call(&server, Method::GET, EVENTS, None, &[("X-NewEventsModel", "true")]).await;
    insta::assert_json_snapshot!("new_model", new.json()[0]);
}

#[tokio::test]
async fn events_are_chosen_by_what_they_are() {
    let server = Fixture::new().await;
    let check = |query: &'static str, expected: &'static [&'static str]| {
        let server = &server;
        async move {
            let path = format!("{EVENTS}{query}");
            let reply = call(server, Method::GET, &path, None, &[("x-neweventsmodel", "True")]).await;
            assert_eq!(reply.status, StatusCode::OK, "{}", reply.text);
            assert_eq!(ids(&reply), expected, "{query}");
        }
    };
    check(
        "?EventStatus=Active&SubscriptionId=SUB-1",
        &["alert-5", "alert-4", "alert-3", "alert-2", "alert-1"],
    )
    .await;
    check("?EventStatus=Resolved", &[]).await;
    check("?SubscriptionId=sub-2", &[]).await;
    check("?eventtype=networkconnectionstocryptominingpools", &["alert-4", "alert-2"]).await;
    check("?EventType=VM_AnomalousDeployment&PageSize=2&PageNumber=1", &["alert-5", "alert-3"]).await;
    check("?EventType=VM_AnomalousDeployment&PageSize=2&PageNumber=2", &["alert-1"]).await;
    check("?PageSize=2&PageNumber=9", &[]).await;
}

#[tokio::test]
async fn a_change_of_named_events_is_one_of_the_alerts() {
    let server = Fixture::new().await;
    let body =
        json!({"EventIds": ["alert-1", "alert-2"], "EventStatus": "Resolved", "ResolvedReason": "Fraud"});
    let reply = call(&server, Method::POST, STATUS, Some(&body), &[("X-NewEventsModel", "true")]).await;
    assert_eq!((reply.status, ids(&reply)), (StatusCode::OK, vec!["alert-1".into(), "alert-2".into()]));
    let event = &reply.json()[0];
    assert_eq!((&event["eventStatus"], &event["resolvedReason"]), (&json!("Resolved"), &json!("Fraud")));
    assert_eq!(event["resolvedBy"], "ann@partner.example");
    let logs: Value = serde_json::from_str(event["activityLogs"].as_str().unwrap()).unwrap();
    assert_eq!(logs[0]["statusTo"], "Resolved");

    let alert = server.get("/beta/security/partner/securityAlerts/alert-1").await.json();
    assert_eq!((&alert["status"], &alert["resolvedReason"]), (&json!("resolved"), &json!("fraud")));

    // All others of the subscription; those that are resolved keep their reason.
    let body = json!({"EventIds": [], "EventStatus": "Resolve", "ResolvedReason": "Ignore"});
    let reply = call(&server, Method::POST, STATUS, Some(&body), &[]).await;
    let reasons: Vec<_> =
        reply.json().as_array().unwrap().iter().map(|event| event["resolvedReason"].clone()).collect();
    assert_eq!(Value::from(reasons), json!(["Ignore", "Ignore", "Ignore", "Fraud", "Fraud"]));
}

#[tokio::test]
async fn what_is_wrong_is_said_in_partner_centers_form() {
    let server = Fixture::new().await;
    let resolve = |ids: Value| json!({"EventIds": ids, "EventStatus": "Resolved", "ResolvedReason": "Fraud"});
    let cases = [
        (Method::GET, "/v1/fraudEvents?EventStatus=Done", None, 400, "800002", "'EventStatus' must be"),
        (
            Method::GET,
            "/v1/fraudEvents?PageSize=1",
            None,
            400,
            "800002",
            "Parameter 'PageSize' is available only",
        ),
        (
            Method::POST,
            STATUS,
            Some(resolve(json!(["alert-1", "none"]))),
            404,
            "1000",
            "Subscription 'sub-1' has no event 'none'.",
        ),
        (
            Method::POST,
            "/v1/fraudEvents/subscription/sub-2/status",
            Some(resolve(json!(["alert-1"]))),
            404,
            "1000",
            "Subscription 'sub-2' has no event 'alert-1'.",
        ),
        (Method::POST, STATUS, Some(json!({})), 400, "800002", "Property 'EventStatus' is required"),
        (Method::DELETE, EVENTS, None, 405, "405", "This resource takes only GET, HEAD."),
        (Method::GET, "/v1/customers", None, 404, "1000", "Resource not found"),
    ];
    for (method, path, body, status, code, description) in cases {
        let reply = call(&server, method, path, body.as_ref(), &[]).await;
        let error = reply.json();
        assert_eq!(
            (reply.status.as_u16(), error["code"].as_str().unwrap()),
            (status, code),
            "{path} {error}"
        );
        assert!(error["description"].as_str().unwrap().starts_with(description), "{path} {error}");
        assert_eq!((&error["data"], &error["source"]), (&json!([]), &json!("Tenantwatch")));
    }
    // The update that named one event too many changed nothing.
    let alert = server.get("/beta/security/partner/securityAlerts/alert-1").await.json();
    assert_eq!(alert["status"], "active");
}

#[tokio::test]
async fn callers_and_scopes_are_those_of_graph() {
    let server = Fixture::new().await;
    let body = json!({"EventStatus": "Active"}).to_string();
    for (method, path) in [(Method::GET, EVENTS), (Method::POST, STATUS), (Method::GET, "/v1/none")] {
        for token in [None, Some("nonsense")] {
            let reply = server.call(method.clone(), path, token, Some(&body)).await;
            assert_eq!(reply.status, StatusCode::UNAUTHORIZED, "{method} {path}");
            assert!(reply.headers.contains_key("www-authenticate"));
            let code = if token.is_none() { "800001" } else { "400" };
            assert_eq!(reply.json()["code"], code, "{method} {path}");
        }
    }
    let reader = server.token(PARTNER, READ);
    let refused = server.call(Method::POST, STATUS, Some(&reader), Some(&body)).await;
    assert_eq!((refused.status, &refused.json()["code"]), (StatusCode::FORBIDDEN, &json!("2032")));
    let stranger = server.token(OTHER_PARTNER, READ_WRITE);
    assert_eq!(server.call(Method::GET, EVENTS, Some(&stranger), None).await.json(), json!([]));
    assert_eq!(server.call(Method::POST, STATUS, Some(&stranger), Some(&body)).await.json(), json!([]));
}

#[tokio::test]
async fn ids_are_sent_back_or_made() {
    let server = Fixture::new().await;
    let sent = [("MS-CorrelationId", "c-1"), ("MS-RequestId", "r-1")];
    let reply = call(&server, Method::GET, EVENTS, None, &sent).await;
    assert_eq!(
        (&reply.headers["ms-correlationid"], &reply.headers["ms-requestid"]),
        (&"c-1".parse().unwrap(), &"r-1".parse().unwrap())
    );
    let reply = call(&server, Method::GET, "/v1/none", None, &[("MS-CorrelationId", "a b")]).await;
    assert_eq!(reply.headers["ms-correlationid"].len(), 36);
    assert_eq!(reply.headers["ms-requestid"].len(), 36);
    assert!(!server.get("/beta/none").await.headers.contains_key("ms-requestid"));
}
