//! Findings, and what they do to alerts.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::{
    AffectedResource, Alert, AlertId, Confidence, CustomerTenantId, Origin, PartnerSecurityAlert,
    PartnerTenantId, ResellerTenantId, ResourceId, Severity, Status, SubscriptionId,
};

/// How many resources an alert lists at most; a mass deployment can touch tens of thousands, and
/// the alert's body is read whole.
const AFFECTED_RESOURCES_MAX: usize = 500;

/// The name space of alert ids, so that the same finding always raises the same id.
const ALERT_ID_SPACE: Uuid = Uuid::from_u128(0x7465_6e61_6e74_8000_8000_7761_7463_6831);

/// One result of one detector run: the machine's opinion.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// The detector's id, as in its manifest.
    pub detector_id: String,
    /// Graph's `alertType`.
    pub alert_type: String,
    /// A short title.
    pub title: String,
    /// Why the detector fired, in plain words with the values.
    pub description: String,
    /// How much harm it may stand for.
    pub severity: Severity,
    /// How sure the detector is.
    pub confidence: Confidence,
    /// Whose customer was hit.
    pub partner_tenant_id: PartnerTenantId,
    /// The customer, if a record named it.
    pub customer_tenant_id: Option<CustomerTenantId>,
    /// The reseller, if a record named it.
    pub reseller_tenant_id: Option<ResellerTenantId>,
    /// The subscription that was hit.
    pub subscription_id: SubscriptionId,
    /// What findings of one incident share, beside detector and subscription.
    pub grouping_key: String,
    /// When the activity was first seen.
    pub first_observed_at: DateTime<Utc>,
    /// When the activity was last seen.
    pub last_observed_at: DateTime<Utc>,
    /// The resources that were hit.
    pub resources: Vec<ResourceId>,
    /// Evidence: names and values for `additionalDetails`.
    pub details: Map<String, Value>,
}

/// What a finding does to the latest alert of its incident.
#[derive(Debug, Clone, PartialEq)]
pub enum Decision {
    /// It raises a new alert.
    Raise(Alert),
    /// It continues an open alert, which now reads so.
    Continue(Alert),
    /// It says nothing new.
    Nothing,
}

/// Decides what a finding does, given the latest alert of the same partner, detector, subscription
/// and grouping key, if there is one.
///
/// A resolved alert has settled everything up to its resolution; only activity after that raises a
/// new one. Running a detector again over the same events therefore changes nothing.
#[must_use]
pub fn decide(latest: Option<&Alert>, finding: &Finding, now: DateTime<Utc>) -> Decision {
    let Some(latest) = latest else {
        return Decision::Raise(raise(finding, None, now));
    };
    if latest.body.is_open() {
        let continued = merge(latest, finding);
        return if continued == *latest { Decision::Nothing } else { Decision::Continue(continued) };
    }
    let settled_until = latest.body.resolved_on_date_time.unwrap_or(latest.body.detected_date_time);
    if finding.last_observed_at > settled_until {
        Decision::Raise(raise(finding, Some(latest), now))
    } else {
        Decision::Nothing
    }
}

fn raise(finding: &Finding, predecessor: Option<&Alert>, now: DateTime<Utc>) -> Alert {
    Alert {
        partner_tenant_id: finding.partner_tenant_id.clone(),
        origin: Origin::Detector {
            detector_id: finding.detector_id.clone(),
            grouping_key: finding.grouping_key.clone(),
        },
        body: PartnerSecurityAlert {
            id: alert_id(finding, predecessor),
            alert_type: finding.alert_type.clone(),
            display_name: finding.title.clone(),
            description: Some(finding.description.clone()),
            severity: finding.severity,
            confidence_level: finding.confidence,
            status: Status::Active,
            detected_date_time: now,
            first_observed_date_time: Some(finding.first_observed_at),
            last_observed_date_time: Some(finding.last_observed_at),
            customer_tenant_id: finding.customer_tenant_id.clone().unwrap_or_else(CustomerTenantId::unknown),
            subscription_id: finding.subscription_id.clone(),
            value_added_reseller_tenant_id: finding.reseller_tenant_id.clone(),
            catalog_offer_id: None,
            resolved_by: None,
            resolved_on_date_time: None,
            resolved_reason: None,
            is_test: Some(false),
            affected_resources: union(&[], &finding.resources),
            additional_details: Some(finding.details.clone()),
            activity_logs: Vec::new(),
        },
    }
}

/// The same finding after the same predecessor gives the same id, so a run that is repeated after a
/// crash cannot raise an alert twice.
fn alert_id(finding: &Finding, predecessor: Option<&Alert>) -> AlertId {
    let name = [
        finding.partner_tenant_id.as_str(),
        &finding.detector_id,
        finding.subscription_id.as_str(),
        &finding.grouping_key,
        predecessor.map_or("", |alert| alert.body.id.as_str()),
    ]
    .join("\n");
    Uuid::new_v5(&ALERT_ID_SPACE, name.as_bytes()).to_string().parse().expect("a GUID is an alert id")
}

fn merge(alert: &Alert, finding: &Finding) -> Alert {
    let mut merged = alert.clone();
    let body = &mut merged.body;
    let newest = body.last_observed_date_time.is_none_or(|last| finding.last_observed_at >= last);

    body.first_observed_date_time = earliest(body.first_observed_date_time, finding.first_observed_at);
    body.last_observed_date_time = body.last_observed_date_time.max(Some(finding.last_observed_at));
    if finding.severity.rank() > body.severity.rank() {
        body.severity = finding.severity;
    }
    if finding.confidence.rank() > body.confidence_level.rank() {
        body.confidence_level = finding.confidence;
    }
    body.affected_resources = union(&body.affected_resources, &finding.resources);

    let details = body.additional_details.get_or_insert_default();
    for (name, value) in &finding.details {
        if newest || !details.contains_key(name) {
            details.insert(name.clone(), value.clone());
        }
    }
    if newest {
        body.description = Some(finding.description.clone());
    }
    if let (true, Some(customer)) = (body.customer_tenant_id.is_unknown(), &finding.customer_tenant_id) {
        body.customer_tenant_id = customer.clone();
    }
    if body.value_added_reseller_tenant_id.is_none() {
        body.value_added_reseller_tenant_id.clone_from(&finding.reseller_tenant_id);
    }
    merged
}

fn earliest(known: Option<DateTime<Utc>>, seen: DateTime<Utc>) -> Option<DateTime<Utc>> {
    Some(known.map_or(seen, |known| known.min(seen)))
}

fn union(known: &[AffectedResource], seen: &[ResourceId]) -> Vec<AffectedResource> {
    let mut all = known.to_vec();
    for id in seen {
        if all.len() >= AFFECTED_RESOURCES_MAX {
            break;
        }
        if !all.iter().any(|resource| resource.resource_id.eq_ignore_ascii_case(id.as_str())) {
            all.push(AffectedResource::azure(id.clone()));
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ResolvedReason, StatusChange};

    fn at(text: &str) -> DateTime<Utc> {
        format!("2031-02-03T{text}:00Z").parse().unwrap()
    }

    fn finding(first: &str, last: &str, vm_count: &str) -> Finding {
        Finding {
            detector_id: "vm_anomalous_deployment".into(),
            alert_type: "VM_AnomalousDeployment".into(),
            title: "Unusual virtual machines deployed".into(),
            description: format!("{vm_count} machines"),
            severity: Severity::Medium,
            confidence: Confidence::Medium,
            partner_tenant_id: "p".parse().unwrap(),
            customer_tenant_id: None,
            reseller_tenant_id: None,
            subscription_id: "s".parse().unwrap(),
            grouping_key: "caller=u".into(),
            first_observed_at: at(first),
            last_observed_at: at(last),
            resources: vec![format!("/subscriptions/s/vm{vm_count}").parse().unwrap()],
            details: Map::from_iter([("VmCount".to_owned(), Value::from(vm_count))]),
        }
    }

    fn raised(finding: &Finding) -> Alert {
        match decide(None, finding, at("06:00")) {
            Decision::Raise(alert) => alert,
            other => panic!("expected a new alert, got {other:?}"),
        }
    }

    #[test]
    fn the_first_finding_raises_an_active_alert() {
        let alert = raised(&finding("04:00", "05:00", "3"));
        assert_eq!(alert.body.status, Status::Active);
        assert_eq!(alert.body.detected_date_time, at("06:00"));
        assert!(alert.body.customer_tenant_id.is_unknown());
    }

    #[test]
    fn the_same_finding_again_says_nothing_new() {
        let finding = finding("04:00", "05:00", "3");
        let alert = raised(&finding);
        assert_eq!(decide(Some(&alert), &finding, at("07:00")), Decision::Nothing);
    }

    #[test]
    fn a_later_finding_continues_the_open_alert() {
        let alert = raised(&finding("04:00", "05:00", "3"));
        let mut later = finding("04:30", "07:00", "9");
        later.severity = Severity::High;
        later.customer_tenant_id = Some("c".parse().unwrap());
        let Decision::Continue(continued) = decide(Some(&alert), &later, at("08:00")) else {
            panic!("expected the alert to go on");
        };
        let body = continued.body;
        assert_eq!(body.id, alert.body.id);
        assert_eq!(body.detected_date_time, at("06:00"), "the 24-hour clock does not start again");
        assert_eq!(body.first_observed_date_time, Some(at("04:00")));
        assert_eq!(body.last_observed_date_time, Some(at("07:00")));
        assert_eq!(body.severity, Severity::High);
        assert_eq!(body.customer_tenant_id.as_str(), "c");
        assert_eq!(body.affected_resources.len(), 2);
        assert_eq!(body.additional_details.unwrap()["VmCount"], "9");
        assert_eq!(body.description.as_deref(), Some("9 machines"));
    }

    #[test]
    fn an_older_finding_does_not_overwrite_newer_evidence() {
        let alert = raised(&finding("06:00", "07:00", "9"));
        let Decision::Continue(continued) =
            decide(Some(&alert), &finding("04:00", "05:00", "3"), at("08:00"))
        else {
            panic!("expected the alert to go on");
        };
        assert_eq!(continued.body.first_observed_date_time, Some(at("04:00")));
        assert_eq!(continued.body.last_observed_date_time, Some(at("07:00")));
        assert_eq!(continued.body.description.as_deref(), Some("9 machines"));
        assert_eq!(continued.body.additional_details.unwrap()["VmCount"], "9");
    }

    #[test]
    fn a_resolved_alert_settles_what_came_before_and_nothing_after() {
        let mut alert = raised(&finding("04:00", "05:00", "3"));
        let change = StatusChange { to: Status::Resolved, reason: Some(ResolvedReason::Fraud) };
        alert.body.change_status(change, "ann", at("09:00")).unwrap();

        assert_eq!(decide(Some(&alert), &finding("04:00", "05:00", "3"), at("10:00")), Decision::Nothing);
        assert_eq!(decide(Some(&alert), &finding("04:00", "08:00", "5"), at("10:00")), Decision::Nothing);
        let Decision::Raise(second) = decide(Some(&alert), &finding("09:10", "09:20", "5"), at("10:00"))
        else {
            panic!("expected a second alert");
        };
        assert_ne!(second.body.id, alert.body.id);
    }

    #[test]
    fn the_list_of_resources_is_bounded() {
        let mut wide = finding("04:00", "05:00", "3");
        wide.resources = (0..2_000).map(|n| format!("/subscriptions/s/vm{n}").parse().unwrap()).collect();
        assert_eq!(raised(&wide).body.affected_resources.len(), AFFECTED_RESOURCES_MAX);
    }
}
