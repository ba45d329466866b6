//! `/subscriptions`: make, list, look at, renew, reauthorize and delete notification subscriptions.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Extension, Router};
use chrono::Utc;
use odata::{MetadataLevel, QueryOptions};
use serde_json::{Map, Value};
use store::NotificationSubscription;
use uuid::Uuid;

use super::accept::metadata_level;
use super::{Graph, Link, entity, json_object};
use crate::app::subscriptions::{Desk, Secrets, representation};
use crate::auth::Caller;
use crate::error::ApiError;

/// Largest body, in bytes: two URLs, a certificate and a little more.
const BODY_BYTES_MAX: usize = 64 * 1024;

pub(super) fn routes() -> Router<Arc<Graph>> {
    Router::new()
        .route("/beta/subscriptions", get(list).post(create).fallback(only_get_and_post))
        .route("/beta/subscriptions/{id}", get(show).patch(update).delete(remove).fallback(only_on_one))
        .route("/beta/subscriptions/{id}/reauthorize", post(reauthorize).fallback(only_post))
}

async fn only_get_and_post(_: Method) -> ApiError {
    ApiError::method_not_allowed("GET, HEAD, POST")
}

async fn only_on_one(_: Method) -> ApiError {
    ApiError::method_not_allowed("GET, HEAD, PATCH, DELETE")
}

async fn only_post(_: Method) -> ApiError {
    ApiError::method_not_allowed("POST")
}

/// `POST /subscriptions`
async fn create(
    State(graph): State<Arc<Graph>>,
    Extension(caller): Extension<Arc<Caller>>,
    Extension(link): Extension<Link>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    caller.permissions.may_read()?;
    no_options(query)?;
    let level = metadata_level(&headers, None)?;
    let properties = json_object(&headers, body, BODY_BYTES_MAX).await?;
    let made = desk(&graph).create(&caller, &properties, &Uuid::new_v4, Utc::now()).await?;
    let location = format!("{}/subscriptions/{}", link.beta(), made.id);
    let mut reply = single(&link, level, &made, Secrets::Shown);
    *reply.status_mut() = StatusCode::CREATED;
    if let Ok(location) = HeaderValue::from_str(&location) {
        reply.headers_mut().insert(header::LOCATION, location);
    }
    Ok(reply)
}

/// `GET /subscriptions`
async fn list(
    State(graph): State<Arc<Graph>>,
    Extension(caller): Extension<Arc<Caller>>,
    Extension(link): Extension<Link>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    caller.permissions.may_read()?;
    no_options(query)?;
    let level = metadata_level(&headers, None)?;
    let found = desk(&graph).list(&caller, Utc::now()).await?;
    let value = found.iter().map(|one| Value::Object(representation(one, Secrets::Hidden))).collect();
    let mut body = envelope(&link, level, "");
    body.insert("value".to_owned(), Value::Array(value));
    Ok(entity::respond(level, Value::Object(body).to_string()))
}

/// `GET /subscriptions/{id}`
async fn show(
    State(graph): State<Arc<Graph>>,
    Extension(caller): Extension<Arc<Caller>>,
    Extension(link): Extension<Link>,
    id: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    caller.permissions.may_read()?;
    no_options(query)?;
    let level = metadata_level(&headers, None)?;
    let found = desk(&graph).show(&caller, &readable(id), Utc::now()).await?;
    Ok(single(&link, level, &found, Secrets::Hidden))
}

/// `PATCH /subscriptions/{id}`
async fn update(
    State(graph): State<Arc<Graph>>,
    Extension(caller): Extension<Arc<Caller>>,
    Extension(link): Extension<Link>,
    id: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    caller.permissions.may_read()?;
    no_options(query)?;
    let level = metadata_level(&headers, None)?;
    let properties = json_object(&headers, body, BODY_BYTES_MAX).await?;
    let changed = desk(&graph).update(&caller, &readable(id), &properties, Utc::now()).await?;
    Ok(single(&link, level, &changed, Secrets::Shown))
}

/// `DELETE /subscriptions/{id}`
async fn remove(
    State(graph): State<Arc<Graph>>,
    Extension(caller): Extension<Arc<Caller>>,
    id: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
) -> Result<StatusCode, ApiError> {
    caller.permissions.may_read()?;
    no_options(query)?;
    desk(&graph).delete(&caller, &readable(id), Utc::now()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /subscriptions/{id}/reauthorize`
async fn reauthorize(
    State(graph): State<Arc<Graph>>,
    Extension(caller): Extension<Arc<Caller>>,
    id: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
) -> Result<StatusCode, ApiError> {
    caller.permissions.may_read()?;
    no_options(query)?;
    desk(&graph).reauthorize(&caller, &readable(id), Utc::now()).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn desk(graph: &Graph) -> Desk<'_> {
    Desk {
        store: &*graph.store,
        receivers: &graph.notifications.receivers,
        per_application_max: graph.notifications.subscriptions_per_application_max,
    }
}

/// Graph takes no query options here.
fn no_options(query: Option<String>) -> Result<(), ApiError> {
    QueryOptions::parse(&query.unwrap_or_default())
        .and_then(|options| options.allow_only(&[]))
        .map_err(|error| ApiError::bad_request(error.to_string()))
}

/// The id in a path; an unreadable one is that of no subscription.
fn readable(id: Result<Path<String>, PathRejection>) -> String {
    id.map_or_else(|_| "(unreadable)".to_owned(), |Path(id)| id)
}

fn single(
    link: &Link,
    level: MetadataLevel,
    subscription: &NotificationSubscription,
    secrets: Secrets,
) -> Response {
    let mut body = envelope(link, level, "/$entity");
    body.extend(representation(subscription, secrets));
    entity::respond(level, Value::Object(body).to_string())
}

/// The control information that comes first.
fn envelope(link: &Link, level: MetadataLevel, suffix: &str) -> Map<String, Value> {
    let mut body = Map::new();
    if level != MetadataLevel::None {
        let context = format!("{}/$metadata#subscriptions{suffix}", link.beta());
        body.insert("@odata.context".to_owned(), context.into());
    }
    body
}
