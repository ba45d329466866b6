//! HTTP: routes, and what surrounds every request.
//!
//! Handlers extract, authorise, call one function of [`crate::app`] and shape the reply. [`routes`]
//! are the Graph API; [`protect`] and [`surround`] serve the routes of others as well, so that the
//! whole server authenticates and answers in one way. [`open_routes`] describe the API, to anybody.

mod alerts;
mod authenticate;
mod body;
mod entity;
mod envelope;
mod metadata;
mod negotiate;
mod origin;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use axum::http::{Method, Uri};
use axum::routing::any;
use axum::{Router, middleware};
use store::Store;
use tower_http::compression::CompressionLayer;

use crate::auth::verifier::Verifier;
use crate::error::ApiError;

pub use body::json_object;
pub use envelope::RequestIds;
pub use metadata::open_routes;
pub use origin::{Link, Origins};

/// What the handlers share.
pub struct Graph {
    /// The alerts.
    pub store: Arc<dyn Store>,
    /// Believes tokens.
    pub verifier: Verifier,
    /// Where clients find this server.
    pub origins: Origins,
}

/// The routes of the Graph API, relative to no prefix: `/beta/...`. They want a caller; see [`protect`].
pub fn routes(graph: Arc<Graph>) -> Router {
    Router::new().merge(alerts::routes()).route("/beta/{*path}", any(no_such_path)).with_state(graph)
}

/// Lets nobody pass to these routes without a token, and tells the handlers who calls.
pub fn protect(routes: Router, graph: Arc<Graph>) -> Router {
    routes.route_layer(middleware::from_fn_with_state(graph, authenticate::authenticate))
}

/// What surrounds every request: its id, where the client found us, Graph's errors, compression.
pub fn surround(routes: Router, graph: Arc<Graph>) -> Router {
    routes
        .fallback(no_such_path)
        .layer(middleware::from_fn_with_state(graph, origin::note_origin))
        .layer(middleware::from_fn(envelope::wrap))
        .layer(CompressionLayer::new())
}

/// The reply to a path that leads nowhere.
pub async fn no_such_path(uri: Uri) -> ApiError {
    ApiError::no_such_path(uri.path())
}

/// The reply to a method that a resource which can only be read does not have.
pub async fn only_get(_: Method) -> ApiError {
    ApiError::method_not_allowed("GET, HEAD")
}
