//! `/v1/fraudEvents`: list events, and change their status.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, RawQuery, State};
use axum::http::HeaderMap;
use axum::routing::{get, post};
use axum::{Extension, Json, Router};
use serde_json::Value;

use super::super::{Graph, json_object, only_get};
use super::only_post;
use crate::app::fraud_events::{self, EventUpdate, EventsModel};
use crate::auth::Caller;
use crate::error::ApiError;

/// Largest body of an update, in bytes: room for the ids of as many events as an update may name.
const UPDATE_BYTES_MAX: usize = 1024 * 1024;

const NEW_EVENTS_MODEL: &str = "x-neweventsmodel";

pub(super) fn routes() -> Router<Arc<Graph>> {
    Router::new()
        .route("/v1/fraudEvents", get(list).fallback(only_get))
        .route("/v1/fraudEvents/subscription/{subscriptionId}/status", post(update).fallback(only_post))
}

/// `GET /v1/fraudEvents`
async fn list(
    State(graph): State<Arc<Graph>>,
    Extension(caller): Extension<Arc<Caller>>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Json<Vec<Value>>, ApiError> {
    caller.permissions.may_read()?;
    let model = events_model(&headers)?;
    let query = query.unwrap_or_default();
    Ok(Json(fraud_events::list(&*graph.store, &caller.scope, &query, model).await?))
}

/// `POST /v1/fraudEvents/subscription/{subscriptionId}/status`
async fn update(
    State(graph): State<Arc<Graph>>,
    Extension(caller): Extension<Arc<Caller>>,
    subscription_id: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Vec<Value>>, ApiError> {
    caller.permissions.may_write()?;
    let Path(subscription_id) = subscription_id
        .map_err(|_| ApiError::bad_request("SubscriptionId: must be percent-encoded UTF-8."))?;
    let model = events_model(&headers)?;
    let body = json_object(&headers, body, UPDATE_BYTES_MAX).await?;
    let update = EventUpdate {
        subscription_id: &subscription_id,
        body: &body,
        by: &caller.name,
        at: chrono::Utc::now(),
        model,
    };
    Ok(Json(fraud_events::update(&*graph.store, &caller.scope, &update).await?))
}

fn events_model(headers: &HeaderMap) -> Result<EventsModel, ApiError> {
    let Some(value) = headers.get(NEW_EVENTS_MODEL) else { return Ok(EventsModel::Old) };
    match value.to_str().map(str::trim) {
        Ok(text) if text.eq_ignore_ascii_case("true") => Ok(EventsModel::New),
        Ok(text) if text.eq_ignore_ascii_case("false") => Ok(EventsModel::Old),
        _ => Err(ApiError::bad_request("The header X-NewEventsModel must be true or false.")),
    }
}
