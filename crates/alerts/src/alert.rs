//! The alert: Graph's `partnerSecurityAlert`, and what we keep beside it.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    AlertId, Confidence, CustomerTenantId, PartnerTenantId, ResellerTenantId, ResolvedReason, ResourceId,
    Severity, Status, SubscriptionId,
};

/// An alert as the store keeps it: Graph's entity, and what Graph does not show.
#[derive(Debug, Clone, PartialEq)]
pub struct Alert {
    /// Whose customer was hit; the first part of every key.
    pub partner_tenant_id: PartnerTenantId,
    /// Where the alert came from.
    pub origin: Origin,
    /// The entity as callers see it.
    pub body: PartnerSecurityAlert,
}

/// Where an alert came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Raised from a finding.
    Detector {
        /// The detector's id, as in its manifest.
        detector_id: String,
        /// What findings of one incident share, beside detector and subscription.
        grouping_key: String,
    },
    /// Brought in as an alert, from a file or from Microsoft Graph.
    Imported,
}

/// `microsoft.graph.partner.security.partnerSecurityAlert`, every property of the published CSDL.
///
/// Nulls are written out and collections are never null, as Graph does. Times are UTC.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PartnerSecurityAlert {
    /// The alert's id; not always a GUID.
    pub id: AlertId,
    /// What kind of pattern was seen, such as `VM_AnomalousDeployment`; an open set.
    pub alert_type: String,
    /// A short title.
    pub display_name: String,
    /// What was seen, in plain words.
    #[serde(default)]
    pub description: Option<String>,
    /// How much harm it may stand for.
    pub severity: Severity,
    /// How sure the detector is.
    pub confidence_level: Confidence,
    /// Where it stands.
    pub status: Status,
    /// When the alert was made; the 24-hour clock starts here.
    pub detected_date_time: DateTime<Utc>,
    /// When the activity was first seen.
    #[serde(default)]
    pub first_observed_date_time: Option<DateTime<Utc>>,
    /// When the activity was last seen.
    #[serde(default)]
    pub last_observed_date_time: Option<DateTime<Utc>>,
    /// The customer that was hit.
    pub customer_tenant_id: CustomerTenantId,
    /// The subscription that was hit.
    pub subscription_id: SubscriptionId,
    /// The indirect reseller of the customer, if there is one.
    #[serde(default)]
    pub value_added_reseller_tenant_id: Option<ResellerTenantId>,
    /// The modern offer category of the subscription, such as `MS-AZR-0017G`.
    #[serde(default)]
    pub catalog_offer_id: Option<String>,
    /// Who resolved it: a UPN, or an application's id.
    #[serde(default)]
    pub resolved_by: Option<String>,
    /// When it was resolved.
    #[serde(default)]
    pub resolved_on_date_time: Option<DateTime<Utc>>,
    /// Why it was resolved.
    #[serde(default)]
    pub resolved_reason: Option<ResolvedReason>,
    /// Whether this is only a test.
    #[serde(default)]
    pub is_test: Option<bool>,
    /// The resources that were hit; may be empty.
    #[serde(default)]
    pub affected_resources: Vec<AffectedResource>,
    /// Names and values that the detector adds; an open type, passed through untouched.
    #[serde(default)]
    pub additional_details: Option<Map<String, Value>>,
    /// Every change of status, oldest first.
    #[serde(default)]
    pub activity_logs: Vec<ActivityLog>,
}

/// `microsoft.graph.partner.security.affectedResource`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AffectedResource {
    /// The path of the resource, as its source wrote it; Azure compares paths without case.
    pub resource_id: String,
    /// The kind of resource; Microsoft's only published value is `AzureResource`.
    pub resource_type: String,
}

impl AffectedResource {
    /// An Azure resource.
    #[must_use]
    pub fn azure(resource_id: ResourceId) -> Self {
        let resource_id = resource_id.as_str().to_owned();
        Self { resource_id, resource_type: "AzureResource".to_owned() }
    }
}

/// `microsoft.graph.partner.security.activityLog`: one change of status.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ActivityLog {
    /// The status before.
    pub status_from: Status,
    /// The status after.
    pub status_to: Status,
    /// Who changed it: a UPN, or an application's id.
    pub updated_by: String,
    /// When it changed.
    pub updated_date_time: DateTime<Utc>,
}

#[cfg(test)]
pub(crate) fn sample() -> Alert {
    let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
    Alert {
        partner_tenant_id: "partner-1".parse().unwrap(),
        origin: Origin::Detector {
            detector_id: "vm_anomalous_deployment".into(),
            grouping_key: "caller=u-1".into(),
        },
        body: PartnerSecurityAlert {
            id: "7c1f0a52-0b1e-4a39-9a55-2f6f1d0c9e11".parse().unwrap(),
            alert_type: "VM_AnomalousDeployment".into(),
            display_name: "Unusual virtual machines deployed".into(),
            description: Some("12 machines in two regions".into()),
            severity: Severity::High,
            confidence_level: Confidence::Medium,
            status: Status::Active,
            detected_date_time: at("2031-02-03T04:10:00Z"),
            first_observed_date_time: Some(at("2031-02-03T04:05:06.789Z")),
            last_observed_date_time: Some(at("2031-02-03T04:09:00Z")),
            customer_tenant_id: "customer-a".parse().unwrap(),
            subscription_id: "sub-1".parse().unwrap(),
            value_added_reseller_tenant_id: None,
            catalog_offer_id: None,
            resolved_by: None,
            resolved_on_date_time: None,
            resolved_reason: None,
            is_test: Some(false),
            affected_resources: vec![AffectedResource::azure(
                "/subscriptions/sub-1/resourcegroups/rg/providers/microsoft.compute/virtualmachines/vm1"
                    .parse()
                    .unwrap(),
            )],
            additional_details: Some(Map::from_iter([("VmCount".to_owned(), Value::from("12"))])),
            activity_logs: Vec::new(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wire_form_is_graphs() {
        insta::assert_json_snapshot!(sample().body);
    }

    #[test]
    fn the_wire_form_reads_back() {
        let body = sample().body;
        let text = serde_json::to_string(&body).unwrap();
        assert_eq!(serde_json::from_str::<PartnerSecurityAlert>(&text).unwrap(), body);
    }

    #[test]
    fn times_of_any_precision_and_zone_are_read_and_written_in_utc() {
        let check = |text: &str, expected: &str| {
            let mut wire = serde_json::to_value(sample().body).unwrap();
            wire["detectedDateTime"] = text.into();
            let body: PartnerSecurityAlert = serde_json::from_value(wire).unwrap();
            assert_eq!(serde_json::to_value(body).unwrap()["detectedDateTime"], expected);
        };
        check("2031-02-03T04:05:06Z", "2031-02-03T04:05:06Z");
        check("2031-02-03T04:05:06.7890123Z", "2031-02-03T04:05:06.789012300Z");
        check("2031-02-03T04:05:06+02:00", "2031-02-03T02:05:06Z");
    }

    #[test]
    fn an_absent_property_that_may_be_null_is_null() {
        let wire = serde_json::json!({
            "id": "a", "alertType": "CryptoMining", "displayName": "d", "severity": "extreme",
            "confidenceLevel": "low", "status": "active", "detectedDateTime": "2031-01-01T00:00:00Z",
            "customerTenantId": "c", "subscriptionId": "s"
        });
        let body: PartnerSecurityAlert = serde_json::from_value(wire).unwrap();
        assert_eq!(body.severity, Severity::UnknownFutureValue);
        assert_eq!(body.is_test, None);
        assert!(body.affected_resources.is_empty());
    }
}
