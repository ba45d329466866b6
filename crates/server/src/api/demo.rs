//! The page's own short-lived token, only in demo mode on loopback.

use std::net::IpAddr;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, Uri, header};
use axum::response::{IntoResponse, Response};
use chrono::{TimeDelta, Utc};
use graph::ApiError;
use graph::auth::READ_WRITE;
use graph::auth::issuer::TokenRequest;
use serde_json::json;

use super::Api;

/// How long the page's token holds; the page asks for another before that.
const PAGE_TOKEN_LIFE: TimeDelta = TimeDelta::minutes(10);

/// The user in whose name the demo's page acts.
const PAGE_USER: &str = "admin.agent@partner.example";

/// `GET /demo/token`: 404 unless the server runs as a demo.
///
/// A page of another site could let a name of its own resolve to this machine and so read the reply; it
/// cannot make the browser name a loopback host.
pub(crate) async fn token(State(api): State<Arc<Api>>, headers: HeaderMap, uri: Uri) -> Response {
    let issuer = api.demo_issuer.as_ref().filter(|_| names_loopback(&headers));
    let Some(issuer) = issuer else {
        return ApiError::no_such_path(uri.path()).into_response();
    };
    let issued_at = Utc::now();
    let request = TokenRequest {
        partner_tenant_id: api.instance.partner.clone(),
        permissions: vec![READ_WRITE.to_owned()],
        user: Some(PAGE_USER.to_owned()),
        reseller_tenant_id: None,
        customer_tenant_id: None,
        issued_at,
        life: PAGE_TOKEN_LIFE,
    };
    match issuer.sign(&request) {
        Ok(token) => {
            Json(json!({"accessToken": token, "expiresOn": issued_at + PAGE_TOKEN_LIFE})).into_response()
        }
        Err(error) => {
            ApiError::internal(anyhow::Error::new(error).context("signing the page's token")).into_response()
        }
    }
}

fn names_loopback(headers: &HeaderMap) -> bool {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let Some(authority) = host.and_then(|host| host.parse::<Authority>().ok()) else { return false };
    let name = authority.host().trim_start_matches('[').trim_end_matches(']');
    name.eq_ignore_ascii_case("localhost")
        || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}
