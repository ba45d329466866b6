//! The detectors: what each one means, what to do when it fires, and how its runs fare.

use std::sync::Arc;

use alerts::AlertId;
use axum::extract::{Path, State};
use axum::{Extension, Json};
use chrono::Utc;
use detect::Detector;
use detect::cases::Case;
use graph::ApiError;
use graph::auth::Caller;
use serde_json::{Value, json};

use super::Api;
use crate::app::explanation::{self, ExplainError};
use crate::app::figures;
use crate::app::health::health;
use crate::app::tuning::setting_as_json;

/// `GET /tenantwatch/v1/detectors`
pub(crate) async fn list(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Arc<Caller>>,
) -> Result<Json<Value>, ApiError> {
    caller.permissions.may_read()?;
    let detectors: Vec<Value> = api.instance.detectors.iter().map(|detector| describe(detector)).collect();
    Ok(Json(json!({ "value": detectors })))
}

/// `GET /tenantwatch/v1/detectors/{id}`: all of one, with its query, its cases, the numbers that were chosen, and how its
/// runs fare; of the last two what the caller may see.
pub(crate) async fn one(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Arc<Caller>>,
    Path(id): Path<String>,
) -> Result<Json<Value>, ApiError> {
    caller.permissions.may_read()?;
    let instance = &api.instance;
    let detector = instance.detectors.iter().find(|detector| detector.manifest.id == id);
    let detector = detector.ok_or_else(|| none(&id))?;
    let mut shown = describe(detector);
    let cases = Case::of(detector).map_err(ApiError::internal)?;
    let cases: Vec<Value> = cases
        .iter()
        .map(|case| json!({"name": case.name, "fires": case.fires, "description": case.description}))
        .collect();
    let chosen = instance.store.detector_settings(&caller.scope).await.map_err(ApiError::internal)?;
    let chosen = chosen.iter().filter(|setting| setting.detector_id == id);
    let healths = health(instance, &caller.scope).await.map_err(ApiError::internal)?;
    let own = healths.iter().find(|health| health.detector.manifest.id == id);
    let now = Utc::now();
    shown["cases"] = cases.into();
    shown["query"] = detector.sql.as_str().into();
    shown["chosen"] = chosen.map(setting_as_json).collect();
    shown["health"] = own.map_or(Value::Null, |health| health.to_json(now));
    Ok(Json(shown))
}

/// `GET /tenantwatch/v1/detectorHealth`: how the runs of all detectors fare; nothing for a token that sees only some of
/// the partner's customers, since runs are over all of them.
pub(crate) async fn runs(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Arc<Caller>>,
) -> Result<Json<Value>, ApiError> {
    caller.permissions.may_read()?;
    let healths = health(&api.instance, &caller.scope).await.map_err(ApiError::internal)?;
    let now = Utc::now();
    let healths: Vec<Value> = healths.iter().map(|health| health.to_json(now)).collect();
    Ok(Json(json!({ "value": healths })))
}

/// The reply to a detector that there is not.
pub(super) fn none(id: &str) -> ApiError {
    ApiError::not_found(format!("There is no detector '{id}'; GET /tenantwatch/v1/detectors lists all."))
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

fn describe(detector: &Detector) -> Value {
    let manifest = &detector.manifest;
    let inputs: Vec<&str> = manifest.inputs.iter().map(|kind| kind.name()).collect();
    json!({
        "id": manifest.id,
        "version": manifest.version,
        "alertType": manifest.alert_type,
        "title": manifest.title,
        "severity": manifest.severity,
        "confidence": manifest.confidence,
        "inputs": inputs,
        "indicators": manifest.indicators,
        "grouping": manifest.grouping,
        "lookbackSeconds": manifest.lookback.num_seconds(),
        "scheduleSeconds": manifest.schedule.num_seconds(),
        "overlapSeconds": manifest.overlap.num_seconds(),
        "meaning": manifest.meaning,
        "response": manifest.response,
        "mitre": manifest.mitre,
        "source": manifest.source,
        "origin": detector.origin,
        "settings": manifest.settings,
        "simulated": figures::simulated(detector),
    })
}
