//! `/webhooks/v1`: the partner's registration, test events, and the certificate of deliveries.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, Method, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Json, Router};
use chrono::Utc;
use serde_json::Value;
use uuid::Uuid;

use super::super::{Graph, json_object, only_get};
use super::only_post;
use crate::app::webhooks::{self, WebhookError};
use crate::auth::Caller;
use crate::error::ApiError;
use crate::webhooks::{EVENTS, Webhooks};

/// Largest body of a registration, in bytes.
const REGISTRATION_BYTES_MAX: usize = 64 * 1024;

pub(super) fn routes() -> Router<Arc<Graph>> {
    Router::new()
        .route("/webhooks/v1/registration", get(show).post(register).put(change).fallback(only_these))
        .route("/webhooks/v1/registration/events", get(events).fallback(only_get))
        .route("/webhooks/v1/registration/validationEvents", post(test).fallback(only_post))
        .route(
            "/webhooks/v1/registration/validationEvents/{correlationId}",
            get(test_result).fallback(only_get),
        )
}

/// What receivers read without a token.
pub(super) fn certificate_routes() -> Router<Arc<Graph>> {
    Router::new().route("/webhooks/v1/certificate", get(certificate).fallback(only_get))
}

async fn only_these(_: Method) -> ApiError {
    ApiError::method_not_allowed("GET, HEAD, POST, PUT")
}

fn on(graph: &Graph) -> Result<&Arc<Webhooks>, WebhookError> {
    graph.webhooks.as_ref().ok_or(WebhookError::Off)
}

/// `GET /webhooks/v1/registration/events`
async fn events(
    Extension(caller): Extension<Arc<Caller>>,
) -> Result<Json<&'static [&'static str]>, ApiError> {
    caller.permissions.may_read()?;
    Ok(Json(EVENTS))
}

/// `GET /webhooks/v1/registration`
async fn show(
    State(graph): State<Arc<Graph>>,
    Extension(caller): Extension<Arc<Caller>>,
) -> Result<Json<Value>, ApiError> {
    caller.permissions.may_read()?;
    Ok(Json(webhooks::show(&*graph.store, &caller.scope).await?))
}

/// `POST /webhooks/v1/registration`
async fn register(
    State(graph): State<Arc<Graph>>,
    Extension(caller): Extension<Arc<Caller>>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Value>, ApiError> {
    caller.permissions.may_write()?;
    on(&graph)?;
    let body = json_object(&headers, body, REGISTRATION_BYTES_MAX).await?;
    let receivers = &graph.notifications.receivers;
    Ok(Json(webhooks::register(&*graph.store, &caller.scope, receivers, &body, Uuid::new_v4()).await?))
}

/// `PUT /webhooks/v1/registration`
async fn change(
    State(graph): State<Arc<Graph>>,
    Extension(caller): Extension<Arc<Caller>>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Value>, ApiError> {
    caller.permissions.may_write()?;
    on(&graph)?;
    let body = json_object(&headers, body, REGISTRATION_BYTES_MAX).await?;
    Ok(Json(webhooks::change(&*graph.store, &caller.scope, &graph.notifications.receivers, &body).await?))
}

/// `POST /webhooks/v1/registration/validationEvents`
async fn test(
    State(graph): State<Arc<Graph>>,
    Extension(caller): Extension<Arc<Caller>>,
) -> Result<Json<Value>, ApiError> {
    caller.permissions.may_write()?;
    let id = Uuid::new_v4();
    Ok(Json(webhooks::test(&*graph.store, &caller.scope, on(&graph)?, id, Utc::now()).await?))
}

/// `GET /webhooks/v1/registration/validationEvents/{correlationId}`
async fn test_result(
    State(graph): State<Arc<Graph>>,
    Extension(caller): Extension<Arc<Caller>>,
    id: Result<Path<String>, PathRejection>,
) -> Result<Json<Value>, ApiError> {
    caller.permissions.may_read()?;
    let Path(id) = id.map_err(|_| WebhookError::NoSuchTest("(unreadable)".to_owned()))?;
    Ok(Json(webhooks::test_result(&*graph.store, &caller.scope, &id).await?))
}

/// `GET /webhooks/v1/certificate`: in DER form, as Partner Center serves its own.
async fn certificate(State(graph): State<Arc<Graph>>) -> Result<Response, ApiError> {
    let identity = on(&graph)?.identity(&*graph.store, Utc::now()).await.map_err(ApiError::internal)?;
    let kind = HeaderValue::from_static("application/pkix-cert");
    Ok(([(header::CONTENT_TYPE, kind)], identity.certificate().to_vec()).into_response())
}
