//! `/security/partner/securityAlerts`: list, count, get, update.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, Method, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Router};

use super::entity;
use super::{Graph, Link, json_object, only_get};
use crate::app::alerts::{self, AlertError};
use crate::auth::Caller;
use crate::error::ApiError;

/// Largest body of an update, in bytes. Clients may send the whole alert back; ours stay below half.
const UPDATE_BYTES_MAX: usize = 256 * 1024;

pub(super) fn routes() -> Router<Arc<Graph>> {
    Router::new()
        .route("/beta/security/partner/securityAlerts", get(list).fallback(only_get))
        .route("/beta/security/partner/securityAlerts/$count", get(count).fallback(only_get))
        .route(
            "/beta/security/partner/securityAlerts/{id}",
            get(show).patch(update).fallback(only_get_and_patch),
        )
}

async fn only_get_and_patch(_: Method) -> ApiError {
    ApiError::method_not_allowed("GET, HEAD, PATCH")
}

/// `GET /security/partner/securityAlerts`
async fn list(
    State(graph): State<Arc<Graph>>,
    Extension(caller): Extension<Caller>,
    Extension(link): Extension<Link>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    caller.permissions.may_read()?;
    let list = alerts::list(&*graph.store, &caller.scope, &query.unwrap_or_default()).await?;
    Ok(entity::collection(&link, &list))
}

/// `GET /security/partner/securityAlerts/$count`: a bare number.
async fn count(
    State(graph): State<Arc<Graph>>,
    Extension(caller): Extension<Caller>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    caller.permissions.may_read()?;
    let count = alerts::count(&*graph.store, &caller.scope, &query.unwrap_or_default()).await?;
    let plain = HeaderValue::from_static("text/plain");
    Ok(([(header::CONTENT_TYPE, plain)], count.to_string()).into_response())
}

/// `GET /security/partner/securityAlerts/{id}`
async fn show(
    State(graph): State<Arc<Graph>>,
    Extension(caller): Extension<Caller>,
    Extension(link): Extension<Link>,
    id: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let id = readable(id)?;
    // Some clients write the `$` of the segment as `%24`, which the router takes for an id.
    if id == "$count" {
        return count(State(graph), Extension(caller), RawQuery(query)).await;
    }
    caller.permissions.may_read()?;
    let found = alerts::show(&*graph.store, &caller.scope, &id, &query.unwrap_or_default()).await?;
    Ok(entity::single(&link, &found))
}

/// `PATCH /security/partner/securityAlerts/{id}`
async fn update(
    State(graph): State<Arc<Graph>>,
    Extension(caller): Extension<Caller>,
    Extension(link): Extension<Link>,
    id: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
    body: Body,
) -> Result<Response, ApiError> {
    caller.permissions.may_write()?;
    let id = readable(id)?;
    let properties = json_object(&headers, body, UPDATE_BYTES_MAX).await?;
    let now = chrono::Utc::now();
    let query = query.unwrap_or_default();
    let changed =
        alerts::update(&*graph.store, &caller.scope, &id, &query, &properties, &caller.name, now).await?;
    Ok(entity::single(&link, &changed))
}

/// The id in the path. Bytes that are no text are an id that no alert has.
fn readable(id: Result<Path<String>, PathRejection>) -> Result<String, ApiError> {
    match id {
        Ok(Path(id)) => Ok(id),
        Err(_) => Err(AlertError::NotFound("(unreadable)".to_owned()).into()),
    }
}
