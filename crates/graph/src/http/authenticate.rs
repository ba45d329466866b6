//! Lets nobody pass without a token.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::Graph;
use crate::auth::verifier::TokenError;
use crate::error::ApiError;

/// Checks the bearer token and adds the [`Caller`](crate::auth::Caller) to the request.
pub(super) async fn authenticate(
    State(graph): State<Arc<Graph>>,
    mut request: Request,
    next: Next,
) -> Response {
    match bearer(request.headers()).and_then(|token| graph.verifier.verify(token, chrono::Utc::now())) {
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        Err(error) => ApiError::from(error).into_response(),
    }
}

/// The bearer token of a request.
///
/// # Errors
///
/// [`TokenError`] if there is none.
pub fn bearer(headers: &HeaderMap) -> Result<&str, TokenError> {
    let header = headers.get(header::AUTHORIZATION).ok_or(TokenError::Empty)?;
    let text = header.to_str().map_err(|_| TokenError::Malformed)?;
    let (kind, token) = text.split_once(' ').ok_or(TokenError::Empty)?;
    if kind.eq_ignore_ascii_case("bearer") { Ok(token.trim()) } else { Err(TokenError::Empty) }
}
