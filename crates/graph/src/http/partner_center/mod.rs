//! Partner Center's own API, for tools that have not moved to Graph: `/v1` and `/webhooks/v1`.
//!
//! It has manners of its own: plain JSON without OData, `MS-CorrelationId` and `MS-RequestId` instead of
//! Graph's headers, and errors of another form. Callers, scopes and permissions are those of Graph's API.

mod fraud_events;
mod webhooks;

use std::sync::Arc;

use axum::Router;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method};
use axum::routing::any;
use uuid::Uuid;

use super::{Graph, no_such_path};
use crate::error::ApiError;

const CORRELATION_ID: HeaderName = HeaderName::from_static("ms-correlationid");
const REQUEST_ID: HeaderName = HeaderName::from_static("ms-requestid");

/// Longest id of a caller's that is sent back; tools send GUIDs.
const ID_BYTES_MAX: usize = 64;

pub(super) fn routes() -> Router<Arc<Graph>> {
    Router::new()
        .merge(fraud_events::routes())
        .merge(webhooks::routes())
        .route("/v1/{*path}", any(no_such_path))
        .route("/webhooks/{*path}", any(no_such_path))
}

/// What receivers read without a token.
pub(super) fn certificate_routes() -> Router<Arc<Graph>> {
    webhooks::certificate_routes()
}

async fn only_post(_: Method) -> ApiError {
    ApiError::method_not_allowed("POST")
}

/// Whether a path is one of this API, and is answered in its manners.
pub(crate) fn has(path: &str) -> bool {
    path.starts_with("/v1/") || path.starts_with("/webhooks/")
}

/// The ids of a request, as its reply names them.
pub(super) struct Ids {
    correlation_id: HeaderValue,
    request_id: HeaderValue,
}

impl Ids {
    /// The caller's, or new ones in their place.
    pub(super) fn of(request: &HeaderMap) -> Self {
        Self { correlation_id: id(request, &CORRELATION_ID), request_id: id(request, &REQUEST_ID) }
    }

    /// Puts them on the reply.
    pub(super) fn put(self, reply: &mut HeaderMap) {
        reply.insert(CORRELATION_ID, self.correlation_id);
        reply.insert(REQUEST_ID, self.request_id);
    }
}

fn id(request: &HeaderMap, name: &HeaderName) -> HeaderValue {
    let is_harmless = |value: &&HeaderValue| {
        let bytes = value.as_bytes();
        let fits = !bytes.is_empty() && bytes.len() <= ID_BYTES_MAX;
        fits && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_.{}".contains(byte))
    };
    match request.get(name).filter(is_harmless) {
        Some(value) => value.clone(),
        None => HeaderValue::from_str(&Uuid::new_v4().to_string()).expect("a GUID is printable ASCII"),
    }
}
