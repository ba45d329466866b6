//! What a detector would have raised, with today's numbers and with others: `POST /tenantwatch/v1/detectors/{id}/replay`.
//!
//! Nothing is raised or written. If the client goes, the work ends: the server drops the handler, and with it the queries.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use alerts::{Alert, AlertId, CustomerTenantId, SubscriptionId};
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::{Extension, Json};
use chrono::{DateTime, Days, NaiveDate, Utc};
use graph::ApiError;
use graph::auth::Caller;
use graph::error::Kind;
use graph::http::json_object;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Api, detectors, settings};
use crate::app::rehearsal::asked::{Asked, AskedError, Change};
use crate::app::rehearsal::{Comparison, Rehearsal};

/// How large a request may be.
const REQUEST_BYTES_MAX: usize = 64 * 1024;

/// How many alerts each list of a reply names; how many there are in all is always told.
const ALERTS_MAX: usize = 500;

/// After how many seconds to ask again while others run; most take less.
const BUSY_RETRY_AFTER_S: u64 = 10;

/// A request as a caller writes it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Written {
    since_date_time: DateTime<Utc>,
    until_date_time: Option<DateTime<Utc>>,
    #[serde(default)]
    settings: Vec<WrittenChange>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct WrittenChange {
    name: String,
    customer_tenant_id: Option<CustomerTenantId>,
    subscription_id: Option<SubscriptionId>,
    /// `null` takes back what was chosen.
    value: Option<f64>,
}

/// `POST /tenantwatch/v1/detectors/{id}/replay`
pub(crate) async fn post(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Arc<Caller>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Value>, ApiError> {
    caller.permissions.may_read()?;
    let body = json_object(&headers, body, REQUEST_BYTES_MAX).await?;
    let written: Written = serde_json::from_value(Value::Object(body))
        .map_err(|error| ApiError::bad_request(format!("The request cannot be read: {error}.")))?;
    let now = Utc::now();
    let change = |change: WrittenChange| Change {
        name: change.name,
        customer_tenant_id: change.customer_tenant_id,
        subscription_id: change.subscription_id,
        value: change.value,
    };
    let asked = Asked {
        detector_id: id,
        since: written.since_date_time,
        until: written.until_date_time.unwrap_or(now).min(now),
        changes: written.settings.into_iter().map(change).collect(),
    };
    let compared = api.rehearsals.run(&api.instance, &caller.scope, &asked, now).await.map_err(refused)?;
    Ok(Json(as_json(&asked, &compared)))
}

fn refused(error: AskedError) -> ApiError {
    let message = format!("{error}.");
    match error {
        AskedError::NoDetector(id) => detectors::none(&id),
        AskedError::Unsound(unsound) => settings::refused(unsound),
        AskedError::Time(_) | AskedError::TwoPlaces(_) | AskedError::TooMany(_) | AskedError::TooLong(_) => {
            ApiError::bad_request(message)
        }
        AskedError::Busy(_) => ApiError::new(Kind::Throttled { retry_after_s: BUSY_RETRY_AFTER_S }, message),
        AskedError::Store(error) => ApiError::internal(error),
        AskedError::Run(error) => ApiError::internal(*error),
    }
}

fn as_json(asked: &Asked, compared: &Comparison) -> Value {
    let Comparison { now, changed } = compared;
    let (added, gone) = (changed.missing_in(now), now.missing_in(changed));
    let gone_ids: HashSet<&AlertId> = gone.iter().map(|alert| &alert.body.id).collect();
    let kept: Vec<&Alert> = now.alerts.iter().filter(|alert| !gone_ids.contains(&alert.body.id)).collect();
    let named = |alerts: &[&Alert]| -> Vec<Value> {
        alerts.iter().take(ALERTS_MAX).map(|alert| json!(alert.body)).collect()
    };
    json!({
        "detectorId": asked.detector_id,
        "sinceDateTime": asked.since,
        "untilDateTime": asked.until,
        "now": now.figures(),
        "changed": changed.figures(),
        "days": days(asked, now, changed),
        "keptCount": kept.len(),
        "addedCount": added.len(),
        "goneCount": gone.len(),
        "kept": named(&kept),
        "added": named(&added),
        "gone": named(&gone),
    })
}

/// How many alerts each day of the time would have had, days without any included.
fn days(asked: &Asked, now: &Rehearsal, changed: &Rehearsal) -> Vec<Value> {
    let count = |rehearsal: &Rehearsal| {
        let mut days: BTreeMap<NaiveDate, u64> = BTreeMap::new();
        for alert in &rehearsal.alerts {
            *days.entry(alert.body.detected_date_time.date_naive()).or_default() += 1;
        }
        days
    };
    let (now, changed) = (count(now), count(changed));
    let of = |days: &BTreeMap<NaiveDate, u64>, day: NaiveDate| days.get(&day).copied().unwrap_or_default();
    let first = asked.since.date_naive();
    let last = asked.until.date_naive();
    let all = std::iter::successors(Some(first), |day| day.checked_add_days(Days::new(1)));
    let all = all.take_while(|day| *day <= last);
    all.map(|day| json!({"day": day, "now": of(&now, day), "changed": of(&changed, day)})).collect()
}
