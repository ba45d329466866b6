//! Links to further pages.

use axum::http::{Method, StatusCode};

use crate::auth::READ;
use crate::http::testing::{Fixture, LIST, OTHER_PARTNER};

const HOST: &str = "http://tenantwatch.test:8080";

#[tokio::test]
async fn a_link_is_good_for_its_own_query_and_caller_alone() {
    let server = Fixture::new().await;
    let page = server.get(&format!("{LIST}?$top=2")).await.json();
    let link = page["@odata.nextLink"].as_str().unwrap().strip_prefix(HOST).unwrap().to_owned();
    assert_eq!(server.get(&link).await.status, StatusCode::OK);

    let other = server.token(OTHER_PARTNER, READ);
    let stolen = server.call(Method::GET, &link, Some(&other), None).await;
    assert_eq!(stolen.status, StatusCode::BAD_REQUEST);
    assert!(stolen.message().starts_with("$skiptoken: "), "{}", stolen.message());

    let other_query = server.get(&format!("{link}&$filter=severity%20eq%20'high'")).await;
    assert_eq!(other_query.status, StatusCode::BAD_REQUEST);
    assert!(other_query.message().contains("of another $filter"), "{}", other_query.message());

    let mut changed = link.clone();
    let last = changed.pop().unwrap();
    changed.push(if last == 'A' { 'B' } else { 'A' });
    assert_eq!(server.get(&changed).await.status, StatusCode::BAD_REQUEST);
}
