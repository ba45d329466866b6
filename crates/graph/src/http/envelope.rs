//! What surrounds every request: its id, the headers of every reply, the body of every error.

use std::sync::Arc;

use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;
use chrono::Utc;
use uuid::Uuid;

use super::partner_center;
use crate::error::ApiError;

const REQUEST_ID: HeaderName = HeaderName::from_static("request-id");
const CLIENT_REQUEST_ID: HeaderName = HeaderName::from_static("client-request-id");

/// Longest `client-request-id` that is sent back; clients send GUIDs.
const CLIENT_REQUEST_ID_BYTES_MAX: usize = 64;

/// The ids of a request, for whoever writes an error into the middle of a reply.
#[derive(Debug, Clone)]
pub struct RequestIds {
    /// Ours.
    pub request_id: String,
    /// The client's; ours again if it sent none.
    pub client_request_id: String,
}

/// Gives the request an id, turns an error into Graph's body, and adds the headers that Graph sends.
pub(super) async fn wrap(mut request: Request, next: Next) -> Response {
    let request_id = Uuid::new_v4().to_string();
    let client_request_id = client_request_id(&request).unwrap_or_else(|| request_id.clone());

    request
        .extensions_mut()
        .insert(RequestIds { request_id: request_id.clone(), client_request_id: client_request_id.clone() });
    let partner_center =
        partner_center::has(request.uri().path()).then(|| partner_center::Ids::of(request.headers()));
    let mut response = next.run(request).await;
    if let Some(error) = response.extensions_mut().remove::<Arc<ApiError>>() {
        response = match partner_center {
            None => error.reply(&request_id, &client_request_id, Utc::now()),
            Some(_) => error.partner_center_reply(&request_id),
        };
    }
    if let Some(ids) = partner_center {
        ids.put(response.headers_mut());
    }

    let headers = response.headers_mut();
    headers.insert(REQUEST_ID, value(&request_id));
    headers.insert(CLIENT_REQUEST_ID, value(&client_request_id));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

fn client_request_id(request: &Request) -> Option<String> {
    let text = request.headers().get(CLIENT_REQUEST_ID)?.to_str().ok()?;
    let harmless = |c: char| c.is_ascii_alphanumeric() || "-_.{}".contains(c);
    let fits = !text.is_empty() && text.len() <= CLIENT_REQUEST_ID_BYTES_MAX && text.chars().all(harmless);
    fits.then(|| text.to_owned())
}

fn value(id: &str) -> HeaderValue {
    HeaderValue::from_str(id).expect("an id holds only printable ASCII")
}
