//! The detectors: what each one means and what to do when it fires.

use std::sync::Arc;

use axum::extract::State;
use axum::{Extension, Json};
use detect::Manifest;
use graph::ApiError;
use graph::auth::Caller;
use serde_json::{Value, json};

use super::Api;

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
    })
}
