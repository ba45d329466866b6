//! Who sends too much is told when to come back.

use axum::http::{Method, StatusCode};
use serde_json::json;

use crate::auth::READ;
use crate::http::testing::{Fixture, LIST, OTHER_PARTNER, PARTNER};

#[tokio::test]
async fn over_the_limit_is_429_with_the_time_to_wait() {
    let server = Fixture::throttled(Some(2)).await;
    assert_eq!(server.get(LIST).await.status, StatusCode::OK);
    assert_eq!(server.get(LIST).await.status, StatusCode::OK);
    let refused = server.get(LIST).await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
    let wait: u64 = refused.headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=6).contains(&wait), "{wait}");
    assert_eq!(refused.json()["error"]["code"], "TooManyRequests");
    assert_eq!(refused.message(), format!("Too many requests of this application; try again in {wait} s."));
}

#[tokio::test]
async fn tenants_do_not_share_a_limit() {
    let server = Fixture::throttled(Some(1)).await;
    for partner in [PARTNER, OTHER_PARTNER] {
        let token = server.token(partner, READ);
        let status = |reply: crate::http::testing::Reply| reply.status;
        assert_eq!(status(server.call(Method::GET, LIST, Some(&token), None).await), StatusCode::OK);
        let again = server.call(Method::GET, LIST, Some(&token), None).await;
        assert_eq!(status(again), StatusCode::TOO_MANY_REQUESTS, "{partner}");
    }
}

#[tokio::test]
async fn requests_of_a_batch_count_one_by_one() {
    let server = Fixture::throttled(Some(2)).await;
    let item =
        |id: &str| json!({"id": id, "method": "GET", "url": "/security/partner/securityAlerts?$top=1"});
    let reply = server.post("/beta/$batch", &json!({"requests": [item("1"), item("2"), item("3")]})).await;
    assert_eq!(reply.status, StatusCode::OK);
    let responses = reply.json()["responses"].clone();
    let statuses: Vec<_> = (0..3).map(|n| responses[n]["status"].as_u64().unwrap()).collect();
    assert_eq!(statuses, [200, 200, 429]);
    assert!(responses[2]["headers"]["Retry-After"].is_string(), "{responses}");
    assert_eq!(responses[2]["body"]["error"]["code"], "TooManyRequests");
}
