//! `/subscriptions`: make, list, look at, renew, reauthorize and delete notification subscriptions.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Router};
use chrono::Utc;
use odata::QueryOptions;
use serde_json::{Map, Value};
use store::NotificationSubscription;
use uuid::Uuid;

use super::{Graph, Link, json_object};
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
    Extension(caller): Extension<Caller>,
    Extension(link): Extension<Link>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    caller.permissions.may_read()?;
    no_options(query)?;
    let properties = json_object(&headers, body, BODY_BYTES_MAX).await?;
    let made = desk(&graph).create(&caller, &properties, &Uuid::new_v4, Utc::now()).await?;
    let location = format!("{}/subscriptions/{}", link.beta(), made.id);
    let mut reply = single(&link, StatusCode::CREATED, &made, Secrets::Shown);
    if let Ok(location) = HeaderValue::from_str(&location) {
        reply.headers_mut().insert(header::LOCATION, location);
    }
    Ok(reply)
}

/// `GET /subscriptions`
async fn list(
    State(graph): State<Arc<Graph>>,
    Extension(caller): Extension<Caller>,
    Extension(link): Extension<Link>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    caller.permissions.may_read()?;
    no_options(query)?;
    let found = desk(&graph).list(&caller, Utc::now()).await?;
    let value = found.iter().map(|one| Value::Object(representation(one, Secrets::Hidden))).collect();
    let mut body = Map::new();
    body.insert("@odata.context".to_owned(), context(&link, "").into());
    body.insert("value".to_owned(), Value::Array(value));
    Ok(respond(StatusCode::OK, &body))
}

/// `GET /subscriptions/{id}`
async fn show(
    State(graph): State<Arc<Graph>>,
    Extension(caller): Extension<Caller>,
    Extension(link): Extension<Link>,
    id: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    caller.permissions.may_read()?;
    no_options(query)?;
    let found = desk(&graph).show(&caller, &readable(id), Utc::now()).await?;
    Ok(single(&link, StatusCode::OK, &found, Secrets::Hidden))
}

/// `PATCH /subscriptions/{id}`
async fn update(
    State(graph): State<Arc<Graph>>,
    Extension(caller): Extension<Caller>,
    Extension(link): Extension<Link>,
    id: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    caller.permissions.may_read()?;
    no_options(query)?;
    let properties = json_object(&headers, body, BODY_BYTES_MAX).await?;
    let changed = desk(&graph).update(&caller, &readable(id), &properties, Utc::now()).await?;
    Ok(single(&link, StatusCode::OK, &changed, Secrets::Shown))
}

/// `DELETE /subscriptions/{id}`
async fn remove(
    State(graph): State<Arc<Graph>>,
    Extension(caller): Extension<Caller>,
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
    Extension(caller): Extension<Caller>,
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

fn context(link: &Link, suffix: &str) -> String {
    format!("{}/$metadata#subscriptions{suffix}", link.beta())
}

fn single(
    link: &Link,
    status: StatusCode,
    subscription: &NotificationSubscription,
    secrets: Secrets,
) -> Response {
    let mut body = Map::new();
    body.insert("@odata.context".to_owned(), context(link, "/$entity").into());
    body.extend(representation(subscription, secrets));
    respond(status, &body)
}

fn respond(status: StatusCode, body: &Map<String, Value>) -> Response {
    let media_type = HeaderValue::from_static(
        "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8",
    );
    let version = (HeaderName::from_static("odata-version"), HeaderValue::from_static("4.0"));
    let text = Value::Object(body.clone()).to_string();
    (status, [(header::CONTENT_TYPE, media_type), version], text).into_response()
}
