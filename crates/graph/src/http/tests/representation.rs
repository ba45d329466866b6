//! How alerts are written, and what clients can say about it in headers.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use serde_json::json;

use crate::auth::READ_WRITE;
use crate::http::testing::{Fixture, LIST, PARTNER, Reply};

async fn send(server: &Fixture, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Reply {
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header("host", "tenantwatch.test:8080")
        .header("authorization", format!("Bearer {}", server.token(PARTNER, READ_WRITE)))
        .header("content-type", "application/json");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    server.send(request.body(Body::from(body.to_owned())).unwrap()).await
}

async fn get(server: &Fixture, path: &str, headers: &[(&str, &str)]) -> Reply {
    send(server, "GET", path, headers, "").await
}

async fn patch(server: &Fixture, headers: &[(&str, &str)], body: &str) -> Reply {
    send(server, "PATCH", &format!("{LIST}/alert-1"), headers, body).await
}

const INVESTIGATING: &str = r#"{"status":"investigating"}"#;

#[tokio::test]
async fn a_change_for_another_version_is_refused_and_changes_nothing() {
    let server = Fixture::new().await;
    let first = get(&server, &format!("{LIST}/alert-1"), &[]).await;
    let tag = first.headers["etag"].to_str().unwrap().to_owned();
    assert_eq!(first.json()["@odata.etag"], tag.as_str());

    let refused = patch(&server, &[("if-match", "W/\"77\"")], INVESTIGATING).await;
    assert_eq!(refused.status, StatusCode::PRECONDITION_FAILED);
    assert_eq!(refused.json()["error"]["code"], "resourceModified");
    assert_eq!(get(&server, &format!("{LIST}/alert-1"), &[]).await.json()["status"], "active");

    let changed = patch(&server, &[("if-match", tag.as_str())], INVESTIGATING).await;
    assert_eq!(changed.status, StatusCode::OK, "{}", changed.text);
    let new_tag = changed.headers["etag"].to_str().unwrap().to_owned();
    assert_ne!(new_tag, tag);
    assert_eq!(
        patch(&server, &[("if-match", tag.as_str())], INVESTIGATING).await.status,
        StatusCode::PRECONDITION_FAILED
    );
    // The same change again says nothing new, so that a retry is safe.
    let again = patch(&server, &[("if-match", "*")], INVESTIGATING).await;
    assert_eq!((again.status, again.headers["etag"].to_str().unwrap()), (StatusCode::OK, new_tag.as_str()));
    assert_eq!(again.json()["activityLogs"].as_array().unwrap().len(), 1);

    let malformed = patch(&server, &[("if-match", "3")], INVESTIGATING).await;
    assert_eq!(malformed.status, StatusCode::BAD_REQUEST);
    assert_eq!(malformed.message(), "if-match: '3' is not an ETag such as W/\"3\", or *.");
    assert_eq!(
        patch(&server, &[("if-none-match", "*")], INVESTIGATING).await.status,
        StatusCode::BAD_REQUEST
    );
}

#[tokio::test]
async fn who_has_the_version_gets_no_copy() {
    let server = Fixture::new().await;
    let path = format!("{LIST}/alert-1");
    let tag = get(&server, &path, &[]).await.headers["etag"].to_str().unwrap().to_owned();
    let known = get(&server, &path, &[("if-none-match", tag.as_str())]).await;
    assert_eq!((known.status, known.text.as_str()), (StatusCode::NOT_MODIFIED, ""));
    assert_eq!(known.headers["etag"], tag);
    assert_eq!(get(&server, &path, &[("if-none-match", "W/\"99\"")]).await.status, StatusCode::OK);
}

#[tokio::test]
async fn preferences_are_kept_and_told() {
    let server = Fixture::new().await;
    let minimal = patch(&server, &[("prefer", "return=minimal")], INVESTIGATING).await;
    assert_eq!((minimal.status, minimal.text.as_str()), (StatusCode::NO_CONTENT, ""));
    assert_eq!(minimal.headers["preference-applied"], "return=minimal");
    assert!(minimal.headers.contains_key("etag"));

    let whole = patch(&server, &[("prefer", "return=representation")], r#"{"status":"active"}"#).await;
    assert_eq!((whole.status, &whole.json()["status"]), (StatusCode::OK, &json!("active")));
    assert_eq!(whole.headers["preference-applied"], "return=representation");

    let path = format!("{LIST}/alert-1?$select=id");
    let selected = send(&server, "PATCH", &path, &[("prefer", "return=minimal")], INVESTIGATING).await;
    assert_eq!(selected.json()["id"], "alert-1");
    assert!(!selected.headers.contains_key("preference-applied"));

    let page = get(&server, LIST, &[("prefer", "odata.maxpagesize=2, include-unknown-enum-members")]).await;
    assert_eq!(page.ids().len(), 2);
    assert_eq!(page.headers["preference-applied"], "odata.maxpagesize=2, include-unknown-enum-members");
    assert!(page.json()["@odata.nextLink"].is_string());
    let smaller = get(&server, &format!("{LIST}?$top=1"), &[("prefer", "maxpagesize=3")]).await;
    assert_eq!(smaller.ids().len(), 1);
}

#[tokio::test]
async fn control_information_comes_in_three_levels() {
    let server = Fixture::new().await;
    let none = get(
        &server,
        &format!("{LIST}?$top=1&$count=true"),
        &[("accept", "application/json;odata.metadata=none")],
    )
    .await;
    let names: Vec<String> = none.json().as_object().unwrap().keys().cloned().collect();
    assert_eq!(names, ["@odata.count", "@odata.nextLink", "value"]);
    assert!(none.json()["value"][0]["@odata.etag"].is_null());
    assert!(none.headers["content-type"].to_str().unwrap().contains("odata.metadata=none"));

    let full =
        get(&server, &format!("{LIST}/alert-1?$format=application/json;odata.metadata=full"), &[]).await;
    insta::assert_json_snapshot!("full", full.json());
    let minimal =
        get(&server, &format!("{LIST}/alert-1?$format=json"), &[("accept", "application/xml")]).await;
    assert_eq!(minimal.status, StatusCode::OK);

    let refused = get(&server, LIST, &[("accept", "application/atom+xml")]).await;
    assert_eq!(refused.status, StatusCode::NOT_ACCEPTABLE);
    assert!(refused.message().contains("accept application/json"), "{}", refused.message());
}

#[tokio::test]
async fn when_an_alert_changed_is_shown_to_those_who_select_it() {
    let server = Fixture::new().await;
    assert!(get(&server, &format!("{LIST}/alert-1"), &[]).await.json()["lastModifiedDateTime"].is_null());
    let before = get(&server, &format!("{LIST}/alert-1?$select=id,lastModifiedDateTime"), &[]).await.json();
    let at = before["lastModifiedDateTime"].as_str().unwrap().to_owned();
    patch(&server, &[], INVESTIGATING).await;
    let since = get(
        &server,
        &format!("{LIST}?$filter=lastModifiedDateTime%20gt%20{at}&$orderby=lastModifiedDateTime"),
        &[],
    )
    .await;
    assert_eq!(since.status, StatusCode::OK, "{}", since.text);
    assert_eq!(since.ids(), ["alert-1"]);
}

#[tokio::test]
async fn an_alert_can_be_named_in_parentheses() {
    let server = Fixture::new().await;
    assert_eq!(get(&server, &format!("{LIST}('alert-1')"), &[]).await.json()["id"], "alert-1");
    let changed = send(&server, "PATCH", &format!("{LIST}('alert-1')"), &[], INVESTIGATING).await;
    assert_eq!(changed.json()["status"], "investigating");
    for missing in ["('none')", "('a'b')", "(alert-1)", "x"] {
        let reply = get(&server, &format!("{LIST}{missing}"), &[]).await;
        assert_eq!(reply.status, StatusCode::NOT_FOUND, "{missing}");
    }
    let encoded = format!("{LIST}(%27alert-1%27)");
    assert_eq!(get(&server, &encoded, &[]).await.status, StatusCode::OK);
}
