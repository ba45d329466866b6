//! `/security/partner/securityAlerts`: list, count, changes, get, update.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get};
use axum::{Extension, Router};
use chrono::Utc;

use super::accept::metadata_level;
use super::entity::{self, Form, SET};
use super::etag::{self, expected_version};
use super::prefer::{PREFERENCE_APPLIED, Preferences, Returned};
use super::{Graph, Link, json_object, only_get};
use crate::app::alerts::{self, AlertError, AlertReply, Desk};
use crate::auth::Caller;
use crate::error::ApiError;

/// Largest body of an update, in bytes. Clients may send the whole alert back; ours stay below half.
const UPDATE_BYTES_MAX: usize = 256 * 1024;

pub(super) fn routes() -> Router<Arc<Graph>> {
    let under = |rest: &str| format!("/beta/{SET}{rest}");
    let changes = || -> MethodRouter<Arc<Graph>> { get(delta).fallback(only_get) };
    Router::new()
        .route(&under(""), get(list).fallback(only_get))
        .route(&under("/$count"), get(count).fallback(only_get))
        // With and without its namespace and its empty parentheses, as clients write functions.
        .route(&under("/delta"), changes())
        .route(&under("/delta()"), changes())
        .route(&under("/microsoft.graph.delta"), changes())
        .route(&under("/microsoft.graph.delta()"), changes())
        .route(&under("/{id}"), get(show).patch(update).fallback(only_get_and_patch))
        .route(
            "/beta/security/partner/{keyed}",
            get(show_keyed).patch(update_keyed).fallback(only_get_and_patch),
        )
}

async fn only_get_and_patch(_: Method) -> ApiError {
    ApiError::method_not_allowed("GET, HEAD, PATCH")
}

fn desk<'a>(graph: &'a Graph, caller: &'a Caller) -> Desk<'a> {
    Desk { store: &*graph.store, scope: &caller.scope, tokens: &graph.tokens, now: Utc::now() }
}

/// `GET /security/partner/securityAlerts`
async fn list(
    State(graph): State<Arc<Graph>>,
    Extension(caller): Extension<Arc<Caller>>,
    Extension(link): Extension<Link>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    caller.permissions.may_read()?;
    let preferences = Preferences::of(&headers);
    let list =
        alerts::list(&desk(&graph, &caller), &query.unwrap_or_default(), preferences.page_size).await?;
    let level = metadata_level(&headers, list.metadata)?;
    let form = Form { link: &link, level, selection: list.selection.as_ref(), always_id: false };
    let applied = preferences.applied_to_read(list.preferred_page_size);
    Ok(with_applied(entity::collection(&form, &list), applied))
}

/// `GET /security/partner/securityAlerts/$count`: a bare number.
async fn count(
    State(graph): State<Arc<Graph>>,
    Extension(caller): Extension<Arc<Caller>>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    caller.permissions.may_read()?;
    let count = alerts::count(&desk(&graph, &caller), &query.unwrap_or_default()).await?;
    let plain = HeaderValue::from_static("text/plain");
    Ok(([(header::CONTENT_TYPE, plain)], count.to_string()).into_response())
}

/// `GET /security/partner/securityAlerts/delta()`
async fn delta(
    State(graph): State<Arc<Graph>>,
    Extension(caller): Extension<Arc<Caller>>,
    Extension(link): Extension<Link>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    caller.permissions.may_read()?;
    let preferences = Preferences::of(&headers);
    let changes =
        alerts::changes(&desk(&graph, &caller), &query.unwrap_or_default(), preferences.page_size).await;
    let changes = match changes {
        Err(AlertError::ChangesGone { restart }) => {
            let start = format!("{}/{SET}/delta()?{restart}", link.beta());
            return Err(ApiError::gone(AlertError::ChangesGone { restart }.to_string(), start));
        }
        other => other?,
    };
    let level = metadata_level(&headers, changes.metadata)?;
    let form = Form { link: &link, level, selection: changes.selection.as_ref(), always_id: true };
    let applied = preferences.applied_to_read(changes.preferred_page_size);
    Ok(with_applied(entity::delta(&form, &changes), applied))
}

/// `GET /security/partner/securityAlerts/{id}`
async fn show(
    State(graph): State<Arc<Graph>>,
    Extension(caller): Extension<Arc<Caller>>,
    Extension(link): Extension<Link>,
    id: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let id = readable(id)?;
    // Some clients write the `$` of the segment as `%24`, which the router takes for an id.
    if id == "$count" {
        return count(State(graph), Extension(caller), RawQuery(query)).await;
    }
    caller.permissions.may_read()?;
    let found = alerts::show(&desk(&graph, &caller), &id, &query.unwrap_or_default()).await?;
    if etag::is_known(&headers, found.body.version)? {
        let tag = [(header::ETAG, etag::etag(found.body.version))];
        return Ok((StatusCode::NOT_MODIFIED, tag).into_response());
    }
    let applied = Preferences::of(&headers).applied_to_read(None);
    Ok(with_applied(shown(&link, &headers, &found)?, applied))
}

/// `GET /security/partner/securityAlerts('{id}')`
async fn show_keyed(
    graph: State<Arc<Graph>>,
    caller: Extension<Arc<Caller>>,
    link: Extension<Link>,
    keyed: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
    query: RawQuery,
) -> Result<Response, ApiError> {
    show(graph, caller, link, Ok(Path(key(keyed)?)), headers, query).await
}

/// `PATCH /security/partner/securityAlerts/{id}`
async fn update(
    State(graph): State<Arc<Graph>>,
    Extension(caller): Extension<Arc<Caller>>,
    Extension(link): Extension<Link>,
    id: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
    body: Body,
) -> Result<Response, ApiError> {
    caller.permissions.may_write()?;
    let id = readable(id)?;
    let expected = expected_version(&headers)?;
    let properties = json_object(&headers, body, UPDATE_BYTES_MAX).await?;
    let query = query.unwrap_or_default();
    let desk = desk(&graph, &caller);
    let changed = alerts::update(&desk, &id, &query, &properties, &expected, &caller.name).await?;
    graph.notifications.wake.notify_one();
    let mut preferences = Preferences::of(&headers);
    // Who selects properties wants to see them.
    if changed.selection.is_some() && preferences.returned == Some(Returned::Minimal) {
        preferences.returned = None;
    }
    let response = match preferences.returned {
        Some(Returned::Minimal) => {
            (StatusCode::NO_CONTENT, [(header::ETAG, etag::etag(changed.body.version))]).into_response()
        }
        Some(Returned::Representation) | None => shown(&link, &headers, &changed)?,
    };
    Ok(with_applied(response, preferences.applied_to_change()))
}

/// `PATCH /security/partner/securityAlerts('{id}')`
async fn update_keyed(
    graph: State<Arc<Graph>>,
    caller: Extension<Arc<Caller>>,
    link: Extension<Link>,
    keyed: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
    query: RawQuery,
    body: Body,
) -> Result<Response, ApiError> {
    update(graph, caller, link, Ok(Path(key(keyed)?)), headers, query, body).await
}

fn shown(link: &Link, headers: &HeaderMap, reply: &AlertReply) -> Result<Response, ApiError> {
    let level = metadata_level(headers, reply.metadata)?;
    Ok(entity::single(
        &Form { link, level, selection: reply.selection.as_ref(), always_id: false },
        &reply.body,
    ))
}

fn with_applied(mut response: Response, applied: Option<HeaderValue>) -> Response {
    if let Some(applied) = applied {
        let headers = response.headers_mut();
        headers.insert(PREFERENCE_APPLIED, applied);
        headers.append(header::VARY, HeaderValue::from_static("Prefer"));
    }
    response
}

/// The id in the path. Bytes that are no text are an id that no alert has.
fn readable(id: Result<Path<String>, PathRejection>) -> Result<String, ApiError> {
    match id {
        Ok(Path(id)) => Ok(id),
        Err(_) => Err(AlertError::NotFound("(unreadable)".to_owned()).into()),
    }
}

/// The key in `securityAlerts('...')`, where a quote is written twice.
fn key(keyed: Result<Path<String>, PathRejection>) -> Result<String, ApiError> {
    let segment = readable(keyed)?;
    let quoted = segment.strip_prefix("securityAlerts('").and_then(|rest| rest.strip_suffix("')"));
    match quoted {
        Some(key) if !key.replace("''", "").contains('\'') => Ok(key.replace("''", "'")),
        _ => Err(ApiError::no_such_path(&format!("/beta/security/partner/{segment}"))),
    }
}
