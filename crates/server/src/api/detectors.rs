//! The detectors: what each one means and what to do when it fires.

use std::sync::Arc;

use alerts::AlertId;
use axum::extract::{Path, State};
use axum::{Extension, Json};
use detect::Manifest;
use graph::ApiError;
use graph::auth::Caller;
use serde_json::{Value, json};

use super::Api;
use crate::app::explanation::{self, ExplainError};

/// `GET /tenantwatch/v1/detectors`
pub(crate) async fn list(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Arc<Caller>>,
) -> Result<Json<Value>, ApiError> {
    caller.permissions.may_read()?;
    let detectors: Vec<Value> =
        api.instance.detectors.iter().map(|detector| describe(&detector.manifest)).collect();
    Ok(Json(json!({ "value": detectors })))
}

/// `GET /tenantwatch/v1/alerts/{id}/explanation`: why an alert fired.
pub(crate) async fn explain(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Arc<Caller>>,
    Path(id): Path<String>,
) -> Result<Json<Value>, ApiError> {
    caller.permissions.may_read()?;
    let none = || ApiError::not_found(format!("There is no alert '{id}'."));
    let parsed: AlertId = id.parse().map_err(|_| none())?;
    match explanation::explain(&api.instance, &caller.scope, &parsed).await {
        Ok(explanation) => Ok(Json(explanation.to_json())),
        Err(ExplainError::NotFound(_)) => Err(none()),
        Err(error @ ExplainError::NotOurs(_)) => Err(ApiError::not_found(format!("{error}."))),
        Err(error) => Err(ApiError::internal(error)),
    }
}

fn describe(manifest: &Manifest) -> Value {
    let inputs: Vec<&str> = manifest.inputs.iter().map(|kind| kind.name()).collect();
    json!({
        "id": manifest.id,
        "version": manifest.version,
        "alertType": manifest.alert_type,
        "title": manifest.title,
        "severity": manifest.severity,
        "confidence": manifest.confidence,
        "inputs": inputs,
        "lookbackSeconds": manifest.lookback.num_seconds(),
        "scheduleSeconds": manifest.schedule.num_seconds(),
        "meaning": manifest.meaning,
        "response": manifest.response,
        "mitre": manifest.mitre,
        "source": manifest.source,
        "settings": manifest.settings,
    })
}
