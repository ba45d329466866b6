//! What surrounds every request: its id, where the client found us, the headers of every reply, the body
//! of every error.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use chrono::Utc;
use uuid::Uuid;

use super::body::check_encoding;
use super::origin::note_origin;
use super::{Graph, partner_center};
use crate::error::ApiError;

const REQUEST_ID: HeaderName = HeaderName::from_static("request-id");
const CLIENT_REQUEST_ID: HeaderName = HeaderName::from_static("client-request-id");

/// Longest `client-request-id` that is sent back; clients send GUIDs.
const CLIENT_REQUEST_ID_BYTES_MAX: usize = 64;

/// The ids of a request, for whoever writes an error into the middle of a reply.
#[derive(Debug, Clone)]
pub struct RequestIds {
    request_id: HeaderValue,
    client_request_id: HeaderValue,
}

impl RequestIds {
    fn of(request: &Request) -> Self {
        let mut text = Uuid::encode_buffer();
        let text = Uuid::new_v4().hyphenated().encode_lower(&mut text);
        let request_id = HeaderValue::from_str(text).expect("a GUID is printable ASCII");
        let client_request_id = client_request_id(request).unwrap_or_else(|| request_id.clone());
        Self { request_id, client_request_id }
    }

    /// Ours.
    #[must_use]
    pub fn request_id(&self) -> &str {
        shown(&self.request_id)
    }

    /// The client's; ours again if it sent none.
    #[must_use]
    pub fn client_request_id(&self) -> &str {
        shown(&self.client_request_id)
    }
}

fn shown(id: &HeaderValue) -> &str {
    id.to_str().expect("an id holds only printable ASCII")
}

/// Records may also be pushed as Zstandard.
fn encoding_undone_by_handler(path: &str) -> &'static str {
    if path.starts_with("/ingest/") { "zstd" } else { "gzip" }
}

/// Gives the request its ids and its [`Link`](super::Link), turns an error into Graph's body, and adds the
/// headers that Graph sends.
pub(super) async fn wrap(State(graph): State<Arc<Graph>>, mut request: Request, next: Next) -> Response {
    let ids = RequestIds::of(&request);
    request.extensions_mut().insert(ids.clone());
    let partner_center =
        partner_center::has(request.uri().path()).then(|| partner_center::Ids::of(request.headers()));
    let admitted = note_origin(&graph.origins, &mut request)
        .and_then(|()| check_encoding(request.headers(), encoding_undone_by_handler(request.uri().path())));
    let mut response = match admitted {
        Ok(()) => next.run(request).await,
        Err(error) => error.into_response(),
    };
    if let Some(error) = response.extensions_mut().remove::<Arc<ApiError>>() {
        response = match partner_center {
            None => error.reply(ids.request_id(), ids.client_request_id(), Utc::now()),
            Some(_) => error.partner_center_reply(ids.request_id()),
        };
    }
    if let Some(ids) = partner_center {
        ids.put(response.headers_mut());
    }

    let headers = response.headers_mut();
    headers.insert(REQUEST_ID, ids.request_id);
    headers.insert(CLIENT_REQUEST_ID, ids.client_request_id);
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

fn client_request_id(request: &Request) -> Option<HeaderValue> {
    let sent = request.headers().get(CLIENT_REQUEST_ID)?;
    let harmless = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.{}".contains(byte);
    let fits =
        !sent.is_empty() && sent.len() <= CLIENT_REQUEST_ID_BYTES_MAX && sent.as_bytes().iter().all(harmless);
    fits.then(|| sent.clone())
}
