//! What callers get over HTTP, errors included.

mod batch;
mod delta;
mod descriptions;
mod links;
mod partner_center;
mod representation;
mod score;
mod subscriptions;
mod throttle;

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use serde_json::json;

use super::testing::{Fixture, LIST, OTHER_PARTNER, PARTNER};
use crate::auth::{READ, READ_WRITE};

/// Every protected route, with a method that it has.
const PROTECTED: &[(&str, &str)] = &[
    ("GET", "/beta/security/partner/securityAlerts"),
    ("GET", "/beta/security/partner/securityAlerts/$count"),
    ("GET", "/beta/security/partner/securityAlerts/alert-1"),
    ("PATCH", "/beta/security/partner/securityAlerts/alert-1"),
    ("GET", "/beta/security/partner"),
    ("GET", "/beta/security/partner/securityScore"),
    ("GET", "/beta/security/partner/securityScore/requirements"),
    ("GET", "/beta/security/partner/securityScore/requirements/$count"),
    ("GET", "/beta/security/partner/securityScore/requirements/securityContactProvided"),
    ("GET", "/beta/security/partner/securityScore/history"),
    ("GET", "/beta/security/partner/securityScore/history/$count"),
    ("GET", "/beta/security/partner/securityScore/history/2031-02-03"),
    ("GET", "/beta/security/partner/securityScore/customerInsights"),
    ("GET", "/beta/security/partner/securityScore/customerInsights/$count"),
    ("GET", "/beta/security/partner/securityScore/customerInsights/customer-1"),
    ("GET", "/beta/subscriptions"),
    ("POST", "/beta/subscriptions"),
    ("GET", "/beta/subscriptions/x"),
    ("PATCH", "/beta/subscriptions/x"),
    ("DELETE", "/beta/subscriptions/x"),
    ("POST", "/beta/subscriptions/x/reauthorize"),
];

#[tokio::test]
async fn nobody_gets_in_without_a_good_token() {
    let server = Fixture::new().await;
    let unknown = [("GET", "/beta/users"), ("POST", "/beta/$batch")];
    for (method, path) in PROTECTED.iter().chain(&unknown) {
        for token in [None, Some("nonsense"), Some("")] {
            let reply =
                server.call(method.parse().unwrap(), path, token, Some("{\"status\":\"active\"}")).await;
            assert_eq!(reply.status, StatusCode::UNAUTHORIZED, "{method} {path} {token:?}");
            let challenge = reply.headers["www-authenticate"].to_str().unwrap();
            assert!(challenge.starts_with("Bearer realm=\"\", authorization_uri=\""), "{challenge}");
            assert_eq!(reply.json()["error"]["code"], "InvalidAuthenticationToken");
        }
    }
}

#[tokio::test]
async fn a_token_without_the_scope_is_refused() {
    let server = Fixture::new().await;
    for (method, path) in PROTECTED {
        // Who may read may be told of changes: a subscription is changed by its reader.
        let changes_an_alert = *method == "PATCH" && path.starts_with(LIST);
        let token = server.token(PARTNER, if changes_an_alert { READ } else { "User.Read" });
        let reply =
            server.call(method.parse().unwrap(), path, Some(&token), Some("{\"status\":\"active\"}")).await;
        assert_eq!(reply.status, StatusCode::FORBIDDEN, "{method} {path}");
        assert!(reply.message().starts_with("Missing scopes."), "{}", reply.message());
    }
}

#[tokio::test]
async fn another_partner_sees_and_changes_nothing() {
    let server = Fixture::new().await;
    let token = server.token(OTHER_PARTNER, READ_WRITE);
    let call = |method: Method, path: String, body: Option<&'static str>| {
        let (server, token) = (&server, &token);
        async move { server.call(method, &path, Some(token), body).await }
    };
    assert_eq!(call(Method::GET, LIST.into(), None).await.json()["value"], json!([]));
    assert_eq!(call(Method::GET, format!("{LIST}/$count"), None).await.text, "0");
    assert_eq!(call(Method::GET, format!("{LIST}/alert-1"), None).await.status, StatusCode::NOT_FOUND);
    let patch = call(Method::PATCH, format!("{LIST}/alert-1"), Some("{\"status\":\"resolved\"}")).await;
    assert_eq!(patch.status, StatusCode::NOT_FOUND);
    assert_eq!(server.get(&format!("{LIST}/alert-1")).await.json()["status"], "active");
}

#[tokio::test]
async fn replies_have_graphs_shape() {
    let server = Fixture::new().await;
    let list =
        server.get(&format!("{LIST}?$top=2&$count=true&$filter=severity%20eq%20'low'&$orderby=id")).await;
    assert_eq!(list.headers["odata-version"], "4.0");
    assert_eq!(
        list.headers["content-type"],
        "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8"
    );
    let mut shape = list.json();
    let link = shape["@odata.nextLink"].as_str().unwrap().to_owned();
    let (kept, token) = link.split_once("$skiptoken=").unwrap();
    assert!(token.len() > 20 && !token.contains('&'));
    shape["@odata.nextLink"] = format!("{kept}$skiptoken=[token]").into();
    insta::assert_json_snapshot!("list", shape);
    insta::assert_json_snapshot!("single", server.get(&format!("{LIST}/alert-1")).await.json());
    let selected = server.get(&format!("{LIST}?$select=id,additionalDetails/VmCount&$top=1")).await.json();
    assert_eq!(
        selected["@odata.context"],
        "http://tenantwatch.test:8080/beta/$metadata#security/partner/securityAlerts(id,additionalDetails/VmCount)"
    );
    assert_eq!(
        selected["value"],
        json!([{"@odata.etag": "W/\"1\"", "id": "alert-5", "additionalDetails": {"VmCount": "5"}}])
    );
    let one = server.get(&format!("{LIST}/alert-1?$select=id,status")).await.json();
    assert_eq!(
        one["@odata.context"],
        "http://tenantwatch.test:8080/beta/$metadata#security/partner/securityAlerts(id,status)/$entity"
    );
}

#[tokio::test]
async fn following_the_links_gives_each_alert_once() {
    let server = Fixture::new().await;
    let mut path = format!("{LIST}?$top=2&$skip=1&$orderby=severity,detectedDateTime%20desc");
    let mut ids = Vec::new();
    loop {
        let page = server.get(&path).await;
        ids.extend(page.ids());
        match page.json()["@odata.nextLink"].as_str() {
            Some(link) => path = link.strip_prefix("http://tenantwatch.test:8080").unwrap().to_owned(),
            None => break,
        }
    }
    assert_eq!(ids, ["alert-4", "alert-3", "alert-2", "alert-1"]);
}

#[tokio::test]
async fn filters_reach_nested_values() {
    let server = Fixture::new().await;
    let check = |filter: &'static str, expected: &'static [&'static str]| {
        let server = &server;
        async move {
            let encoded = percent_encoding::utf8_percent_encode(filter, percent_encoding::NON_ALPHANUMERIC);
            let reply = server.get(&format!("{LIST}?$orderby=id&$filter={encoded}")).await;
            assert_eq!(reply.status, StatusCode::OK, "{}", reply.text);
            assert_eq!(reply.ids(), expected, "{filter}");
        }
    };
    check("additionalDetails/VmCount eq '3'", &["alert-3"]).await;
    check("additionalDetails/Missing eq null and severity eq 'high'", &["alert-1", "alert-2"]).await;
    check("not (alertType eq 'CryptoMining') and detectedDateTime ge 2031-02-03", &["alert-3", "alert-5"])
        .await;
    check("id in ('alert-1','alert-4','none')", &["alert-1", "alert-4"]).await;
    check(
        "startswith(alertType,'VM') and endswith(displayName,'5') or contains(id,'-2')",
        &["alert-2", "alert-5"],
    )
    .await;
    check("severity gt 'low' and resolvedBy ne 'ann'", &["alert-1", "alert-2"]).await;
}

#[tokio::test]
async fn what_is_wrong_is_said_with_its_place() {
    let server = Fixture::new().await;
    let check = |query: &'static str, status: u16, expected: &'static str| {
        let server = &server;
        async move {
            let reply = server.get(&format!("{LIST}{query}")).await;
            assert_eq!(reply.status.as_u16(), status, "{query}: {}", reply.text);
            assert_eq!(reply.message(), expected, "{query}");
            assert_eq!(
                reply.json()["error"]["innerError"]["request-id"],
                reply.headers["request-id"].to_str().unwrap()
            );
            assert!(
                !reply.text.to_lowercase().contains("sqlite") && !reply.text.contains("select "),
                "{}",
                reply.text
            );
        }
    };
    check(
        "?$filter=severty%20eq%20'high'",
        400,
        "$filter: unknown property 'severty' at 0; did you mean 'severity'?",
    )
    .await;
    check("/none", 404, "Alert 'none' does not exist.").await;
    check("/%ff", 404, "Alert '(unreadable)' does not exist.").await;
    check(
        "/%24count?$top=1",
        400,
        "$top: cannot be used with this resource; supported here: $filter, $search",
    )
    .await;
    assert_eq!(server.get(&format!("{LIST}/%24count?$filter=severity%20eq%20'high'")).await.text, "2");
    let unsupported = server.get(&format!("{LIST}?$expand=x")).await;
    assert_eq!(unsupported.status, StatusCode::BAD_REQUEST);
    assert!(unsupported.message().starts_with("$expand"), "{}", unsupported.message());
}

#[tokio::test]
async fn an_update_is_logged_and_a_wrong_one_changes_nothing() {
    let server = Fixture::new().await;
    let check = |body: &'static str, status: u16, words: &'static str| {
        let server = &server;
        async move {
            let reply = server.patch("alert-1", body).await;
            assert_eq!(reply.status.as_u16(), status, "{body}: {}", reply.text);
            assert!(reply.message().contains(words), "{body}: {}", reply.message());
        }
    };
    check("{", 400, "not valid JSON").await;
    check("[]", 400, "must be a JSON object").await;
    check("{}", 400, "'status' is required").await;
    check("{\"status\":\"done\"}", 400, "'done' is not a member").await;
    check("{\"status\":\"unknownFutureValue\"}", 400, "not a member").await;
    check("{\"status\":\"active\",\"resolvedReason\":\"fraud\"}", 400, "goes only with status 'resolved'")
        .await;
    check("{\"status\":\"active\",\"severity\":\"low\"}", 400, "'severity' cannot be changed").await;
    check("{\"status\":\"active\",\"colour\":\"red\"}", 400, "'colour' does not exist").await;
    let untouched = server.get(&format!("{LIST}/alert-1")).await.json();
    assert_eq!(untouched["activityLogs"], json!([]));

    let huge = format!("{{\"status\":\"{}\"}}", "x".repeat(2_000_000));
    assert_eq!(server.patch("alert-1", &huge).await.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(server.patch("none", "{\"status\":\"active\"}").await.status, StatusCode::NOT_FOUND);

    let reply = server.patch("alert-1", "{\"@odata.type\":\"#x\",\"status\":\"resolved\",\"resolvedReason\":\"fraud\",\"severity\":\"high\"}").await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text);
    let mut shape = reply.json();
    shape["resolvedOnDateTime"] = "[now]".into();
    shape["activityLogs"][0]["updatedDateTime"] = "[now]".into();
    insta::assert_json_snapshot!("updated", shape);
}

#[tokio::test]
async fn other_methods_and_media_types_are_refused_by_name() {
    let server = Fixture::new().await;
    let token = server.token(PARTNER, READ_WRITE);
    let delete = server.call(Method::DELETE, &format!("{LIST}/alert-1"), Some(&token), None).await;
    assert_eq!(delete.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(delete.headers["allow"], "GET, HEAD, PATCH");
    let post = server.call(Method::POST, LIST, Some(&token), Some("{}")).await;
    assert_eq!(post.status, StatusCode::METHOD_NOT_ALLOWED);

    let text = Request::builder()
        .method(Method::PATCH)
        .uri(format!("{LIST}/alert-1"))
        .header("host", "tenantwatch.test")
        .header("authorization", format!("Bearer {token}"))
        .header("content-type", "text/plain")
        .body(Body::from("status=active"))
        .unwrap();
    assert_eq!(server.send(text).await.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
}

#[tokio::test]
async fn the_clients_request_id_comes_back_unless_it_is_odd() {
    let server = Fixture::new().await;
    let ask = |id: &'static str| {
        Request::builder()
            .uri("/x")
            .header("host", "a")
            .header("client-request-id", id)
            .body(Body::empty())
            .unwrap()
    };
    let reply = server.send(ask("0f0e0d0c-1111-4000-8000-00000000000a")).await;
    assert_eq!(reply.headers["client-request-id"], "0f0e0d0c-1111-4000-8000-00000000000a");
    let reply = server.send(ask("<script>")).await;
    assert_eq!(reply.headers["client-request-id"], reply.headers["request-id"]);
}
