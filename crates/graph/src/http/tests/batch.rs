//! Several requests in one.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use serde_json::{Value, json};

use crate::auth::READ_WRITE;
use crate::http::testing::{Fixture, LIST, PARTNER, Reply};

const BATCH: &str = "/beta/$batch";
const ALERTS: &str = "/security/partner/securityAlerts";

async fn run(server: &Fixture, requests: Value) -> Vec<Value> {
    let reply = server.post(BATCH, &json!({"requests": requests})).await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text);
    reply.json()["responses"].as_array().unwrap().clone()
}

#[tokio::test]
async fn the_address_may_be_written_with_an_encoded_dollar_sign() {
    let server = Fixture::new().await;
    let requests = json!({"requests": [{"id": "1", "method": "GET", "url": format!("{ALERTS}/$count")}]});
    let reply = server.post("/beta/%24batch", &requests).await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text);
    assert_eq!(reply.json()["responses"][0]["status"], 200);
}

#[tokio::test]
async fn requests_run_as_if_they_came_alone() {
    let server = Fixture::new().await;
    let responses = run(
        &server,
        json!([
            {"id": "list", "method": "GET", "url": format!("{ALERTS}?$filter=severity eq 'high'&$orderby=id&$select=id")},
            {"id": "count", "method": "get", "url": "security/partner/securityAlerts/$count"},
            {"id": "one", "method": "GET", "url": format!("http://tenantwatch.test:8080/beta{ALERTS}/alert-1?%24select=id")},
            {"id": "version", "method": "GET", "url": format!("/beta{ALERTS}/alert-1")},
            {"id": "none", "method": "GET", "url": format!("{ALERTS}/none")},
            {"id": "post", "method": "POST", "url": ALERTS, "headers": {"Content-Type": "application/json"}, "body": {}},
        ]),
    )
    .await;
    let by_id = |id: &str| responses.iter().find(|response| response["id"] == id).unwrap();
    let list = by_id("list");
    assert_eq!(list["status"], 200);
    assert_eq!(list["headers"]["OData-Version"], "4.0");
    assert_eq!(list["body"]["value"][1]["id"], "alert-2");
    assert_eq!(
        list["body"]["@odata.context"],
        "http://tenantwatch.test:8080/beta/$metadata#security/partner/securityAlerts(id)"
    );
    assert_eq!(by_id("count")["body"], "5");
    assert_eq!(by_id("one")["body"]["id"], "alert-1");
    assert_eq!(by_id("version")["body"]["id"], "alert-1");
    assert_eq!(by_id("none")["status"], 404);
    assert_eq!(by_id("none")["body"]["error"]["message"], "Alert 'none' does not exist.");
    assert_eq!(by_id("post")["status"], 405);
    assert_eq!(by_id("post")["headers"]["Allow"], "GET, HEAD");
}

#[tokio::test]
async fn what_depends_on_a_failure_is_not_run() {
    let server = Fixture::new().await;
    let patch = |id: &str, alert: &str, status: &str, depends_on: Value| {
        json!({"id": id, "method": "PATCH", "url": format!("{ALERTS}/{alert}"), "dependsOn": depends_on,
               "headers": {"content-type": "application/json"}, "body": {"status": status}})
    };
    let responses = run(
        &server,
        json!([
            patch("last", "alert-3", "resolved", json!(["broken"])),
            patch("first", "alert-1", "investigating", json!([])),
            patch("second", "alert-1", "resolved", json!(["first"])),
            patch("broken", "alert-2", "done", json!(["second"])),
        ]),
    )
    .await;
    let status = |id: &str| responses.iter().find(|response| response["id"] == id).unwrap()["status"].clone();
    assert_eq!([status("first"), status("second"), status("broken"), status("last")], [200, 200, 400, 424]);
    let first = server.get(&format!("{LIST}/alert-1")).await.json();
    let log = first["activityLogs"].as_array().unwrap();
    assert_eq!(
        (log[0]["statusTo"].as_str(), log[1]["statusTo"].as_str()),
        (Some("investigating"), Some("resolved"))
    );
    assert_eq!(server.get(&format!("{LIST}/alert-3")).await.json()["status"], "active");
}

#[tokio::test]
async fn a_request_that_cannot_be_made_fails_alone() {
    let server = Fixture::new().await;
    let responses = run(
        &server,
        json!([
            {"id": "1", "method": "GET", "url": "https://graph.microsoft.com/beta/security/partner/securityAlerts"},
            {"id": "2", "method": "POST", "url": "/$batch", "headers": {"Content-Type": "application/json"}, "body": {"requests": []}},
            {"id": "3", "method": "POST", "url": "/%24batch", "headers": {"Content-Type": "application/json"}, "body": {"requests": []}},
            {"id": "4", "method": "G T", "url": ALERTS},
            {"id": "5", "method": "GET", "url": ALERTS, "headers": {"bad header": "x"}},
            {"id": "6", "method": "GET", "url": "/../../health"},
        ]),
    )
    .await;
    let messages: Vec<String> = responses
        .iter()
        .map(|response| {
            format!("{} {}", response["status"], response["body"]["error"]["message"].as_str().unwrap())
        })
        .collect();
    insta::assert_snapshot!(messages.join("\n"));
}

#[tokio::test]
async fn a_batch_needs_a_token_and_a_good_form() {
    let server = Fixture::new().await;
    let check = |reply: Reply, status: StatusCode, words: &str| {
        assert_eq!(reply.status, status, "{}", reply.text);
        assert!(reply.message().contains(words), "{}", reply.message());
    };
    check(
        server.call("POST".parse().unwrap(), BATCH, None, Some("{}")).await,
        StatusCode::UNAUTHORIZED,
        "empty",
    );
    check(server.post(BATCH, &json!({"requests": []})).await, StatusCode::BAD_REQUEST, "1 to 20 requests");
    check(server.get(BATCH).await, StatusCode::METHOD_NOT_ALLOWED, "only POST");
    let conditional = Request::builder()
        .method("POST")
        .uri(BATCH)
        .header("host", "a")
        .header("authorization", format!("Bearer {}", server.token(PARTNER, READ_WRITE)))
        .header("content-type", "application/json")
        .header("if-match", "*")
        .body(Body::from("{}"))
        .unwrap();
    check(server.send(conditional).await, StatusCode::BAD_REQUEST, "'if-match' belongs on a request");
}

#[tokio::test]
async fn bodies_may_come_compressed() {
    use std::io::Write as _;
    let server = Fixture::new().await;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(br#"{"status":"investigating"}"#).unwrap();
    let send = |encoding: &'static str, body: Vec<u8>| {
        let request = Request::builder()
            .method("PATCH")
            .uri(format!("{LIST}/alert-1"))
            .header("host", "a")
            .header("authorization", format!("Bearer {}", server.token(PARTNER, READ_WRITE)))
            .header("content-type", "application/json")
            .header("content-encoding", encoding);
        server.send(request.body(Body::from(body)).unwrap())
    };
    let patched = send("gzip", encoder.finish().unwrap()).await;
    assert_eq!((patched.status, &patched.json()["status"]), (StatusCode::OK, &json!("investigating")));
    let broken = send("gzip", b"not gzip".to_vec()).await;
    assert_eq!(
        (broken.status, broken.message().as_str()),
        (StatusCode::BAD_REQUEST, "The body broke off before its end.")
    );
    let unknown = send("zstd", b"x".to_vec()).await;
    assert_eq!(unknown.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    assert_eq!(unknown.message(), "The body's Content-Encoding 'zstd' is not supported; send gzip or none.");
}
