//! What an alert is about, as far as that can cost money.

use std::collections::BTreeSet;
use std::sync::Arc;

use alerts::PartnerSecurityAlert;
use alerts::money::Concern;
use chrono::{DateTime, Utc};
use detect::Detector;
use ingest::schema::Kind;
use serde_json::Value;

use super::AGE_MAX;

/// The entries of an alert's details that name who did it.
const CALLERS: [&str; 10] = [
    "Caller",
    "CallerId",
    "CallerKey",
    "Callers",
    "Actor",
    "ActorId",
    "Principal",
    "PrincipalId",
    "PrincipalName",
    "Principals",
];

/// The entry of an alert's details that names its detector.
const DETECTOR_ID: &str = "DetectorId";

/// Reads an alert: what it names, and whom.
///
/// What is found in bills, flow logs or DNS has no caller, so that it is about all that the subscription spends. So is
/// an alert from elsewhere that names no resource.
pub(super) fn concern(
    alert: &PartnerSecurityAlert,
    detectors: &[Arc<Detector>],
    now: DateTime<Utc>,
) -> Concern {
    let details = alert.additional_details.as_ref();
    let detail = |name: &str| details.and_then(|details| details.get(name)?.as_str());
    let detector =
        detail(DETECTOR_ID).and_then(|id| detectors.iter().find(|detector| detector.manifest.id == id));
    let is_whole_subscription = match detector {
        Some(detector) => {
            detector.manifest.inputs.iter().any(|kind| matches!(kind, Kind::Cost | Kind::Flow | Kind::Dns))
        }
        None => alert.affected_resources.is_empty(),
    };
    let first = alert.first_observed_date_time.unwrap_or(alert.detected_date_time);
    Concern {
        since: first.max(now - AGE_MAX).min(now),
        until: alert.resolved_on_date_time.unwrap_or(now).min(now),
        paths: alert.affected_resources.iter().map(|resource| resource.resource_id.to_lowercase()).collect(),
        callers: CALLERS.iter().filter_map(|name| detail(name)).flat_map(names).collect(),
        is_whole_subscription,
        is_open: alert.is_open(),
    }
}

/// The names in a detail: one, or a list as JSON.
fn names(text: &str) -> BTreeSet<String> {
    let list: Option<Vec<Value>> = text.starts_with('[').then(|| serde_json::from_str(text).ok()).flatten();
    let names: Vec<String> = match list {
        Some(list) => list.iter().filter_map(Value::as_str).map(str::to_lowercase).collect(),
        None => vec![text.to_lowercase()],
    };
    names.into_iter().filter(|name| !name.is_empty() && name != "unknown").collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_alert_is_about_what_and_whom_it_names() {
        let now: DateTime<Utc> = "2031-03-10T12:00:00Z".parse().unwrap();
        let alert = |details: Value, resources: &[&str]| -> PartnerSecurityAlert {
            let resource = |id: &&str| json!({"resourceId": id, "resourceType": "AzureResource"});
            serde_json::from_value(json!({
                "id": "a", "alertType": "T", "displayName": "d", "severity": "high", "confidenceLevel": "low",
                "status": "active", "detectedDateTime": "2031-03-10T08:00:00Z",
                "firstObservedDateTime": "2031-03-10T07:00:00Z", "customerTenantId": "c", "subscriptionId": "s",
                "affectedResources": resources.iter().map(resource).collect::<Vec<_>>(),
                "additionalDetails": details,
            }))
            .unwrap()
        };
        let catalogue = crate::config::Settings::default().catalogue().unwrap();
        let detectors: Vec<Arc<Detector>> = catalogue.detectors().iter().cloned().map(Arc::new).collect();
        let check = |details: Value, resources: &[&str], callers: &[&str], is_whole: bool| {
            let concern = concern(&alert(details, resources), &detectors, now);
            assert_eq!(concern.callers.iter().map(String::as_str).collect::<Vec<_>>(), callers);
            assert_eq!(concern.is_whole_subscription, is_whole);
            assert_eq!((concern.since, concern.until), ("2031-03-10T07:00:00Z".parse().unwrap(), now));
        };
        let by = |detector: &str, callers: Value| {
            let mut details = callers;
            details["DetectorId"] = detector.into();
            details
        };
        check(
            by(
                "vm_anomalous_deployment",
                json!({"CallerId": "U-1", "Caller": "Eve@x.example", "Count": "3"}),
            ),
            &["/Subscriptions/S/VM"],
            &["eve@x.example", "u-1"],
            false,
        );
        check(
            by("attack_chain", json!({"Callers": "[\"B\", \"a\"]", "Actor": "unknown"})),
            &[],
            &["a", "b"],
            false,
        );
        check(by("crypto_mining", json!({})), &["/subscriptions/s/nsg"], &[], true);
        check(by("arm_anomalous_resource_consumption", json!({})), &[], &[], true);
        check(json!({}), &[], &[], true);
        check(json!({}), &["/subscriptions/s/vm"], &[], false);
        let lower = concern(&alert(json!({}), &["/Subscriptions/S/VM"]), &detectors, now);
        assert!(lower.paths.contains("/subscriptions/s/vm"));
    }

    #[test]
    fn an_old_alert_is_reckoned_of_its_last_months() {
        let now: DateTime<Utc> = "2031-09-10T12:00:00Z".parse().unwrap();
        let alert: PartnerSecurityAlert = serde_json::from_value(json!({
            "id": "a", "alertType": "T", "displayName": "d", "severity": "high", "confidenceLevel": "low",
            "status": "active", "detectedDateTime": "2031-03-10T08:00:00Z", "customerTenantId": "c",
            "subscriptionId": "s",
        }))
        .unwrap();
        assert_eq!(concern(&alert, &[], now).since, now - AGE_MAX);
    }
}
