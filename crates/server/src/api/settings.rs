//! The numbers of detectors that the operator chose: for all, for a customer, for a subscription.

use std::sync::Arc;

use alerts::{CustomerTenantId, DetectorSetting, SubscriptionId};
use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::{Extension, Json};
use chrono::Utc;
use graph::ApiError;
use graph::auth::Caller;
use graph::http::json_object;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Api;
use super::tuning::whole_partner_may_write;
use crate::app::tuning::{UnsoundRule, new_setting, setting_as_json};

/// How large a choice may be: a number and a reason.
const CHOICE_BYTES_MAX: usize = 16 * 1024;

/// The reply to a method that a setting does not have.
pub(crate) async fn put_or_delete(_: Method) -> ApiError {
    ApiError::method_not_allowed("DELETE, PUT")
}

/// The options of `GET /tenantwatch/v1/detectorSettings`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListOptions {
    detector: Option<String>,
}

/// `GET /tenantwatch/v1/detectorSettings`: what was chosen, by detector and name; nothing for a token that sees only some
/// of the partner's customers.
pub(crate) async fn list(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Arc<Caller>>,
    options: Result<Query<ListOptions>, QueryRejection>,
) -> Result<Json<Value>, ApiError> {
    caller.permissions.may_read()?;
    let options = super::options(options, "The option is detector, an id.")?;
    let settings = api.instance.store.detector_settings(&caller.scope).await.map_err(ApiError::internal)?;
    let is_asked_for = |setting: &&DetectorSetting| {
        options.detector.as_ref().is_none_or(|detector| *detector == setting.detector_id)
    };
    let settings: Vec<Value> = settings.iter().filter(is_asked_for).map(setting_as_json).collect();
    Ok(Json(json!({ "value": settings })))
}

/// For whom a number is chosen: for all if nothing is said.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Place {
    customer: Option<CustomerTenantId>,
    subscription: Option<SubscriptionId>,
}

impl Place {
    fn read(place: Result<Query<Self>, QueryRejection>) -> Result<Self, ApiError> {
        let place = super::options(place, "The options are customer and subscription.")?;
        if place.customer.is_some() && place.subscription.is_some() {
            return Err(ApiError::bad_request(
                "A number is chosen for a customer or for a subscription; name one of them, or none for all.",
            ));
        }
        Ok(place)
    }

    fn setting(self, detector_id: String, name: String, choice: Choice, author: &str) -> DetectorSetting {
        DetectorSetting {
            detector_id,
            name,
            customer_tenant_id: self.customer,
            subscription_id: self.subscription,
            value: choice.value,
            reason: choice.reason,
            author: author.to_owned(),
            changed_at: Utc::now(),
        }
    }
}

/// A choice as a caller writes it.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Choice {
    value: f64,
    reason: String,
}

/// `PUT /tenantwatch/v1/detectors/{id}/settings/{name}`: chooses a number, in place of the one that was chosen for the
/// same before. It holds from the next run of the detector on.
pub(crate) async fn set(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Arc<Caller>>,
    Path((detector, name)): Path<(String, String)>,
    place: Result<Query<Place>, QueryRejection>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Value>, ApiError> {
    whole_partner_may_write(&caller)?;
    let place = Place::read(place)?;
    let body = json_object(&headers, body, CHOICE_BYTES_MAX).await?;
    let choice: Choice = serde_json::from_value(Value::Object(body))
        .map_err(|error| ApiError::bad_request(format!("The choice cannot be read: {error}.")))?;
    let chosen = place.setting(detector, name, choice, &caller.name);
    let setting = new_setting(&api.instance, chosen).map_err(refused)?;
    let store = &api.instance.store;
    store.set_detector_setting(&caller.scope, &setting).await.map_err(ApiError::internal)?;
    tracing::info!(detector.id = %setting.detector_id, setting.name = %setting.name, caller = %caller.name,
        "Setting {} of {} is {} now", setting.name, setting.detector_id, setting.value);
    Ok(Json(setting_as_json(&setting)))
}

/// `DELETE /tenantwatch/v1/detectors/{id}/settings/{name}`: takes a choice back, so that the wider one or the detector's
/// own number holds.
pub(crate) async fn unset(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Arc<Caller>>,
    Path((detector, name)): Path<(String, String)>,
    place: Result<Query<Place>, QueryRejection>,
) -> Result<StatusCode, ApiError> {
    whole_partner_may_write(&caller)?;
    let key = Place::read(place)?.setting(detector, name, Choice::default(), &caller.name);
    let store = &api.instance.store;
    if !store.unset_detector_setting(&caller.scope, &key).await.map_err(ApiError::internal)? {
        return Err(ApiError::not_found(format!(
            "'{}' of {} was not chosen for that; GET /tenantwatch/v1/detectorSettings lists what was.",
            key.name, key.detector_id
        )));
    }
    tracing::info!(detector.id = %key.detector_id, setting.name = %key.name, caller = %caller.name,
        "Setting {} of {} was taken back", key.name, key.detector_id);
    Ok(StatusCode::NO_CONTENT)
}

/// What the path names and is not there is not found; what the body says is wrong is wrong.
pub(super) fn refused(unsound: UnsoundRule) -> ApiError {
    let message = format!("{unsound}.");
    match unsound {
        UnsoundRule::Detector { .. } | UnsoundRule::Setting { .. } => ApiError::not_found(message),
        UnsoundRule::Everything
        | UnsoundRule::Reason
        | UnsoundRule::Number { .. }
        | UnsoundRule::Times
        | UnsoundRule::Evidence { .. } => ApiError::bad_request(message),
    }
}
