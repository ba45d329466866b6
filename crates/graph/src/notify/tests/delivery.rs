//! What receivers get when all goes well.

use std::time::Duration;

use alerts::Scope;
use axum::http::{Method, StatusCode};
use chrono::{TimeDelta, Utc};
use serde_json::{Value, json};
use store::AlertStore as _;

use super::super::{Courier, start};
use super::Post;
use crate::http::testing::{PARTNER, alert};

#[tokio::test]
async fn a_change_is_told_in_graphs_words() {
    let post = Post::new().await;
    let url = format!("{}?code=42", post.receiver.url("changes"));
    let subscription = post.subscribe(&post.token(), json!({"notificationUrl": url})).await;
    assert_eq!(post.receiver.asked(), ["changes", "life"]);
    let mut courier = Courier::new(post.office());
    post.send(&mut courier).await;
    assert!(post.receiver.taken().is_empty(), "nothing has changed since");

    post.change("alert-1", "investigating").await;
    let six = Scope::Partner(PARTNER.parse().unwrap());
    post.server.store.import_alerts(&six, &[alert(6)], Utc::now()).await.unwrap();
    post.send(&mut courier).await;
    let taken = post.receiver.taken();
    assert_eq!(taken.len(), 1);
    assert_eq!((taken[0].path.as_str(), taken[0].query["code"].as_str()), ("changes", "42"));
    assert_eq!(taken[0].media_type, "application/json; charset=utf-8");
    let mut body = taken[0].body.clone();
    for item in body["value"].as_array_mut().unwrap() {
        assert_eq!(item["subscriptionId"], subscription["id"]);
        assert_eq!(item["subscriptionExpirationDateTime"], subscription["expirationDateTime"]);
        item["id"] = "[id]".into();
        item["subscriptionId"] = "[subscription]".into();
        item["subscriptionExpirationDateTime"] = "[time]".into();
    }
    insta::assert_json_snapshot!("change", body);
    post.send(&mut courier).await;
    assert!(post.receiver.taken().is_empty(), "once is enough");
}

#[tokio::test]
async fn a_change_over_http_is_sent_by_the_runner() {
    let post = Post::new().await;
    post.subscribe(&post.token(), json!({})).await;
    let running = start(post.office(), post.server.wake.clone());
    post.change("alert-1", "investigating").await;
    let heard = tokio::time::timeout(Duration::from_secs(60), async {
        loop {
            let heard = post.receiver.heard();
            if !heard.is_empty() {
                return heard;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    assert_eq!(heard.await.unwrap(), ["updated alert-1 W/\"2\""]);
    drop(running);
}

#[tokio::test]
async fn a_scope_hears_only_of_its_own() {
    let post = Post::new().await;
    let mut own = alert(6);
    own.body.value_added_reseller_tenant_id = Some("reseller-1".parse().unwrap());
    own.body.customer_tenant_id = "customer-2".parse().unwrap();
    let names: [(&str, Option<&str>, Option<&str>); 3] = [
        ("reseller", Some("reseller-1"), None),
        ("customer", None, Some("customer-1")),
        ("nobody", None, Some("customer-9")),
    ];
    for (name, reseller, customer) in names {
        let url = post.receiver.url(name);
        post.subscribe(&post.narrow_token(reseller, customer), json!({"notificationUrl": url})).await;
    }
    let partner = Scope::Partner(PARTNER.parse().unwrap());
    post.server.store.import_alerts(&partner, &[own], Utc::now()).await.unwrap();
    post.change("alert-1", "investigating").await;
    post.change("alert-6", "investigating").await;
    post.send(&mut Courier::new(post.office())).await;
    let taken = post.receiver.taken();
    let heard = |name: &str| -> Vec<Value> {
        let bodies = taken.iter().filter(|taken| taken.path == name);
        bodies
            .flat_map(|taken| taken.body["value"].as_array().unwrap().clone())
            .map(|item| item["resourceData"]["id"].clone())
            .collect()
    };
    assert_eq!(heard("reseller"), ["alert-6", "alert-6"]);
    assert_eq!(heard("customer"), ["alert-1"]);
    assert_eq!(heard("nobody"), [] as [Value; 0]);
}

#[tokio::test]
async fn the_end_is_told_before_and_when_it_comes() {
    let post = Post::new().await;
    let subscription = post.subscribe(&post.token(), json!({})).await;
    let mut courier = Courier::new(post.office());
    post.pass(TimeDelta::days(9) - TimeDelta::minutes(1));
    post.send(&mut courier).await;
    assert_eq!(post.receiver.heard(), [] as [String; 0]);
    post.pass(TimeDelta::minutes(2));
    post.send(&mut courier).await;
    let taken = post.receiver.taken();
    assert_eq!((taken.len(), taken[0].path.as_str()), (1, "life"));
    let mut body = taken[0].body.clone();
    assert_eq!(body["value"][0]["subscriptionId"], subscription["id"]);
    for name in ["id", "subscriptionId", "subscriptionExpirationDateTime"] {
        body["value"][0][name] = "[...]".into();
    }
    insta::assert_json_snapshot!("lifecycle", body);

    // A renewal ends the matter until the next end.
    let path = format!("/beta/subscriptions/{}", subscription["id"].as_str().unwrap());
    let renewed = (Utc::now() + TimeDelta::days(20)).to_rfc3339();
    let body = json!({"expirationDateTime": renewed}).to_string();
    let reply = post.server.call(Method::PATCH, &path, Some(&post.token()), Some(&body)).await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text);
    post.pass(TimeDelta::days(5));
    post.send(&mut courier).await;
    assert_eq!(post.receiver.heard(), [] as [String; 0]);
    post.pass(TimeDelta::days(6));
    post.change("alert-1", "investigating").await;
    post.send(&mut courier).await;
    assert_eq!(post.receiver.heard(), ["subscriptionRemoved"]);
    post.change("alert-1", "active").await;
    post.send(&mut courier).await;
    assert_eq!(post.receiver.heard(), [] as [String; 0]);
}

#[tokio::test]
async fn servers_that_share_a_store_tell_all_in_order() {
    let post = Post::new().await;
    post.subscribe(&post.token(), json!({})).await;
    let (mut first, mut second) = (Courier::new(post.office()), Courier::new(post.office()));
    for round in 0..6 {
        for number in 1..=5 {
            let status = if round % 2 == 0 { "investigating" } else { "active" };
            post.change(&format!("alert-{number}"), status).await;
        }
        tokio::join!(post.send(&mut first), post.send(&mut second));
    }
    // What the one held when the other looked is due again.
    post.send(&mut first).await;
    let heard = post.receiver.heard();
    for number in 1..=5 {
        let prefix = format!("updated alert-{number} ");
        let versions: Vec<_> = heard.iter().filter_map(|words| words.strip_prefix(&prefix)).collect();
        assert_eq!(versions, ["W/\"2\"", "W/\"3\"", "W/\"4\"", "W/\"5\"", "W/\"6\"", "W/\"7\""]);
    }
}
