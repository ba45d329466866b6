//! Following changes.

use axum::http::{Method, StatusCode};
use serde_json::Value;

use crate::auth::READ;
use crate::http::testing::{Fixture, LIST, OTHER_PARTNER};

const HOST: &str = "http://tenantwatch.test:8080";

fn path(reply: &Value, name: &str) -> Option<String> {
    reply[name].as_str().map(|link| link.strip_prefix(HOST).unwrap().to_owned())
}

/// Follows a round to its end: the entries in order, and the link that the next round starts with.
async fn round(server: &Fixture, start: &str) -> (Vec<Value>, String) {
    let (mut entries, mut next) = (Vec::new(), start.to_owned());
    loop {
        let reply = server.get(&next).await;
        assert_eq!(reply.status, StatusCode::OK, "{next}: {}", reply.text);
        let page = reply.json();
        entries.extend(page["value"].as_array().unwrap().iter().cloned());
        match (path(&page, "@odata.nextLink"), path(&page, "@odata.deltaLink")) {
            (Some(link), None) => next = link,
            (None, Some(link)) => return (entries, link),
            both => panic!("a page has one link: {both:?}"),
        }
    }
}

fn ids(entries: &[Value]) -> Vec<&str> {
    entries.iter().map(|entry| entry["id"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn rounds_tell_what_changed_since() {
    let server = Fixture::new().await;
    let (all, link) = round(&server, &format!("{LIST}/delta()?$top=2&$select=id,status")).await;
    assert_eq!(ids(&all), ["alert-5", "alert-4", "alert-3", "alert-2", "alert-1"]);
    let (nothing, link) = round(&server, &link).await;
    assert_eq!(nothing.len(), 0);

    for id in ["alert-2", "alert-4", "alert-3"] {
        assert_eq!(server.patch(id, r#"{"status":"investigating"}"#).await.status, StatusCode::OK);
    }
    let (changed, after) = round(&server, &link).await;
    let mut changed_ids = ids(&changed);
    changed_ids.sort_unstable();
    assert_eq!(changed_ids, ["alert-2", "alert-3", "alert-4"]);
    assert_eq!(changed[0]["status"], "investigating");
    assert!(changed[0]["severity"].is_null(), "the selection of the first request holds");
    // The same link gives the same changes again, so that a round that broke off loses nothing.
    assert_eq!(round(&server, &link).await.0.len(), 3);
    assert_eq!(round(&server, &after).await.0.len(), 0);
}

#[tokio::test]
async fn what_changes_during_the_first_round_is_told_in_the_next() {
    let server = Fixture::new().await;
    let first = server.get(&format!("{LIST}/delta?$top=2")).await.json();
    server.patch("alert-5", r#"{"status":"resolved"}"#).await;
    let (_, link) = round(&server, &path(&first, "@odata.nextLink").unwrap()).await;
    let (changed, _) = round(&server, &link).await;
    assert_eq!(ids(&changed), ["alert-5"]);
}

#[tokio::test]
async fn what_the_filter_no_longer_leaves_is_removed() {
    let server = Fixture::new().await;
    let (all, link) =
        round(&server, &format!("{LIST}/microsoft.graph.delta()?$filter=status%20eq%20'active'")).await;
    assert_eq!(all.len(), 5);
    server.patch("alert-1", r#"{"status":"resolved"}"#).await;
    let (changed, _) = round(&server, &link).await;
    assert_eq!(changed, [serde_json::json!({"id": "alert-1", "@removed": {"reason": "changed"}})]);
}

#[tokio::test]
async fn one_may_start_from_now() {
    let server = Fixture::new().await;
    let (nothing, link) = round(&server, &format!("{LIST}/delta()?$deltatoken=latest")).await;
    assert_eq!(nothing.len(), 0);
    server.patch("alert-1", r#"{"status":"resolved"}"#).await;
    assert_eq!(ids(&round(&server, &link).await.0), ["alert-1"]);
}

#[tokio::test]
async fn what_makes_no_round_is_refused() {
    let server = Fixture::new().await;
    let check = |query: String, words: &'static str| {
        let server = &server;
        async move {
            let reply = server.get(&format!("{LIST}/delta(){query}")).await;
            assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{query}: {}", reply.text);
            assert!(reply.message().contains(words), "{query}: {}", reply.message());
        }
    };
    check("?$orderby=id".to_owned(), "$orderby: cannot be used with this resource").await;
    check("?$deltatoken=nonsense".to_owned(), "$deltatoken: ").await;
    let (_, link) = round(&server, &format!("{LIST}/delta()")).await;
    let query = link.split_once('?').unwrap().1;
    check(format!("?{query}&$filter=id%20eq%20'x'"), "$filter: cannot be used").await;
    let other = server.call(Method::GET, &link, Some(&server.token(OTHER_PARTNER, READ)), None).await;
    assert_eq!(other.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_change_names_its_alert_whatever_is_selected() {
    let server = Fixture::new().await;
    let (all, link) = round(&server, &format!("{LIST}/delta()?$select=status")).await;
    assert_eq!(ids(&all), ["alert-5", "alert-4", "alert-3", "alert-2", "alert-1"]);
    server.patch("alert-1", r#"{"status":"resolved"}"#).await;
    let (changed, _) = round(&server, &link).await;
    assert_eq!((ids(&changed), &changed[0]["status"]), (vec!["alert-1"], &Value::from("resolved")));
}
