//! HTTP: routes, and what surrounds every request.
//!
//! Handlers extract, authorise, call one function of [`crate::app`] and shape the reply. No endpoint
//! but health, the page's static files and (in demo mode) the page's token answers without a token.

mod alerts;
mod demo;
mod detectors;
mod entity;
mod envelope;
mod page;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{Method, Uri, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use tower_http::compression::CompressionLayer;

use crate::app::Instance;
use crate::auth::issuer::Issuer;
use crate::auth::verifier::{TokenError, Verifier};
use crate::error::ApiError;

/// What the handlers share.
pub(crate) struct Api {
    /// The data and the detectors.
    pub(crate) instance: Arc<Instance>,
    /// Believes tokens.
    pub(crate) verifier: Verifier,
    /// Gives the page its token; only in demo mode on loopback.
    pub(crate) demo_issuer: Option<Issuer>,
}

/// All routes of the server.
pub(crate) fn router(api: Arc<Api>) -> Router {
    let protected = Router::new()
        .route("/beta/security/partner/securityAlerts", get(alerts::list).fallback(only_get))
        .route("/beta/security/partner/securityAlerts/$count", get(alerts::count).fallback(only_get))
        .route(
            "/beta/security/partner/securityAlerts/{id}",
            get(alerts::show).patch(alerts::update).fallback(only_get_and_patch),
        )
        .route("/tenantwatch/v1/detectors", get(detectors::list).fallback(only_get))
        .route("/beta", any(no_such_path))
        .route("/beta/{*path}", any(no_such_path))
        .route("/tenantwatch/{*path}", any(no_such_path))
        .route_layer(middleware::from_fn_with_state(api.clone(), authenticate));
    let open = Router::new()
        .route("/health", get(health).fallback(only_get))
        .route("/demo/token", get(demo::token).fallback(only_get))
        .route("/", get(page::index).fallback(only_get))
        .route("/assets/{*path}", get(page::asset).fallback(only_get));
    protected
        .merge(open)
        .fallback(no_such_path)
        .layer(middleware::from_fn(envelope::wrap))
        .layer(CompressionLayer::new())
        .with_state(api)
}

async fn health() -> &'static str {
    "ok\n"
}

async fn no_such_path(uri: Uri) -> ApiError {
    ApiError::NoSuchPath { path: uri.path().to_owned() }
}

async fn only_get(_: Method) -> ApiError {
    ApiError::MethodNotAllowed { allow: "GET, HEAD" }
}

async fn only_get_and_patch(_: Method) -> ApiError {
    ApiError::MethodNotAllowed { allow: "GET, HEAD, PATCH" }
}

/// Lets nobody pass without a token, and tells the handlers who calls.
async fn authenticate(State(api): State<Arc<Api>>, mut request: Request, next: Next) -> Response {
    match bearer(&request).and_then(|token| api.verifier.verify(token)) {
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        Err(error) => ApiError::Unauthenticated(error).into_response(),
    }
}

fn bearer(request: &Request) -> Result<&str, TokenError> {
    let header = request.headers().get(header::AUTHORIZATION).ok_or(TokenError::Empty)?;
    let text = header.to_str().map_err(|_| TokenError::Malformed)?;
    let (kind, token) = text.split_once(' ').ok_or(TokenError::Empty)?;
    if kind.eq_ignore_ascii_case("bearer") { Ok(token.trim()) } else { Err(TokenError::Empty) }
}
