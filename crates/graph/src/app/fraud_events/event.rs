//! An alert as Partner Center's fraud event, and the words of one in the other.
//!
//! Source: Partner Center's developer pages "Get fraud events" and "Update fraud event status". Dates have
//! no zone there and mean UTC. What is not known is the empty text, as these tools expect every field;
//! `docs/partner-center.md` lists which.

use alerts::{
    ActivityLog, Confidence, PartnerSecurityAlert, PartnerTenantId, ResolvedReason, Severity, Status,
};
use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Map, Value, json};
use store::Subscription;

/// Which of the two shapes a caller wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventsModel {
    /// The first one.
    Old,
    /// The one of May 2023, asked for with the header `X-NewEventsModel: true`.
    New,
}

/// The date that stands for none.
const NO_DATE: &str = "9999-12-31T23:59:59.9970000";

/// The reason of an event that is not resolved, or was without one.
pub(super) const NO_REASON: &str = "None";

/// Partner Center's event types, each with Graph's alert types that mean it. Microsoft publishes no such
/// table; the lower-case names are seen in Graph's samples, the others are matched by what they mean.
const EVENT_TYPES: &[(&str, &[&str])] = &[
    ("NetworkConnectionsToCryptoMiningPools", &["CryptoMining", "networkConnectionsToCryptoMiningPools"]),
    ("UsageAnomalyDetection", &["ARM_AnomalousResourceConsumption", "usageAnomalyDetection"]),
    ("VirtualMachineDeploymentAnomaly", &["VM_AnomalousDeployment", "virtualMachineDeploymentAnomaly"]),
    (
        "MultiRegionVirtualMachineScaleSetDeploymentAnomaly",
        &["multiRegionVirtualMachineScaleSetDeploymentAnomaly"],
    ),
    (
        "MultiRegionMachineLearningUsageAnomaly",
        &["AzureMachineLearning_AnomalousDeployment", "multiRegionMachineLearningUsageAnomaly"],
    ),
    ("ServiceHealthSecurityAdvisory", &["serviceHealthSecurityAdvisory"]),
];

/// The event type of an alert; Graph's own name if Partner Center has none.
pub(super) fn event_type(alert_type: &str) -> &str {
    EVENT_TYPES
        .iter()
        .find(|(_, alert_types)| alert_types.contains(&alert_type))
        .map_or(alert_type, |(event_type, _)| event_type)
}

/// The alert types that a caller means by an event type, which may be written in any case.
pub(super) fn alert_types(event_type: &str) -> Vec<&str> {
    match EVENT_TYPES.iter().find(|(known, _)| known.eq_ignore_ascii_case(event_type)) {
        Some((known, alert_types)) => alert_types.iter().copied().chain([*known]).collect(),
        None => vec![event_type],
    }
}

/// Writes an alert as an event.
pub(super) fn event(
    alert: &PartnerSecurityAlert,
    partner: &PartnerTenantId,
    directory: Option<&Subscription>,
    model: EventsModel,
) -> Value {
    let mut event = old_model(alert, partner, directory);
    if model == EventsModel::New {
        event.extend(new_model(alert, directory));
    }
    Value::Object(event)
}

fn old_model(
    alert: &PartnerSecurityAlert,
    partner: &PartnerTenantId,
    directory: Option<&Subscription>,
) -> Map<String, Value> {
    let resource = alert.affected_resources.first().map(|affected| Resource::read(&affected.resource_id));
    let resource = resource.unwrap_or_default();
    let (first, last) = (date(alert.first_observed_date_time), date(alert.last_observed_date_time));
    object(json!({
        "eventTime": date(Some(alert.detected_date_time)),
        "eventId": alert.id,
        "partnerTenantId": partner,
        "partnerFriendlyName": "",
        "customerTenantId": alert.customer_tenant_id,
        "customerFriendlyName": known(directory.and_then(|known| known.customer_name.as_deref())),
        "subscriptionId": alert.subscription_id,
        "subscriptionType": "",
        "entityId": alert.id,
        "entityName": resource.name,
        "entityUrl": resource.path,
        "hitCount": hit_count(alert),
        "catalogOfferId": known(alert.catalog_offer_id.as_deref()),
        "eventStatus": status(alert.status),
        "serviceName": resource.service,
        "resourceName": resource.name,
        "resourceGroupName": resource.group,
        "firstOccurrence": first,
        "lastOccurrence": last,
        "resolvedReason": alert.resolved_reason.map_or(NO_REASON, reason),
        "resolvedOn": date(alert.resolved_on_date_time),
        "resolvedBy": known(alert.resolved_by.as_deref()),
        "firstObserved": first,
        "lastObserved": last,
    }))
}

fn new_model(alert: &PartnerSecurityAlert, directory: Option<&Subscription>) -> Map<String, Value> {
    let resources: Vec<Value> = alert
        .affected_resources
        .iter()
        .map(|affected| json!({"azureResourceId": affected.resource_id, "type": affected.resource_type}))
        .collect();
    object(json!({
        "eventType": event_type(&alert.alert_type),
        "severity": severity(alert.severity),
        "confidenceLevel": confidence(alert.confidence_level),
        "displayName": alert.display_name,
        "description": known(alert.description.as_deref()),
        "country": "",
        "valueAddedResellerTenantId":
            known(alert.value_added_reseller_tenant_id.as_ref().map(|reseller| reseller.as_str())),
        "valueAddedResellerFriendlyName": "",
        "subscriptionName": known(directory.and_then(|known| known.name.as_deref())),
        "affectedResources": resources,
        "additionalDetails": alert.additional_details.clone().unwrap_or_default(),
        "isTest": if alert.is_test == Some(true) { "true" } else { "false" },
        "activityLogs": activity_logs(&alert.activity_logs),
    }))
}

/// The changes of status as the text of a JSON array: the field is of type string.
fn activity_logs(logs: &[ActivityLog]) -> String {
    let logs: Vec<Value> = logs
        .iter()
        .map(|log| {
            json!({
                "statusFrom": status(log.status_from),
                "statusTo": status(log.status_to),
                "updatedBy": log.updated_by,
                "dateTime": log.updated_date_time.to_rfc3339_opts(SecondsFormat::Millis, false),
            })
        })
        .collect();
    Value::from(logs).to_string()
}

/// The number of connections seen, which detectors of mining tell.
fn hit_count(alert: &PartnerSecurityAlert) -> String {
    let details = alert.additional_details.iter().flatten();
    let count =
        details.filter(|(name, _)| name.eq_ignore_ascii_case("ConnectionCount")).map(|(_, value)| value);
    match count.last() {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        _ => String::new(),
    }
}

/// What the path of a resource tells.
#[derive(Default)]
struct Resource<'a> {
    path: &'a str,
    name: &'a str,
    group: &'a str,
    service: &'a str,
}

impl<'a> Resource<'a> {
    fn read(path: &'a str) -> Self {
        let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
        let after = |name: &str| {
            let found = segments.windows(2).find(|pair| pair[0].eq_ignore_ascii_case(name));
            found.map_or("", |pair| pair[1])
        };
        Self {
            path,
            name: segments.last().copied().unwrap_or_default(),
            group: after("resourceGroups"),
            service: after("providers"),
        }
    }
}

fn date(at: Option<DateTime<Utc>>) -> String {
    at.map_or_else(|| NO_DATE.to_owned(), |at| at.format("%Y-%m-%dT%H:%M:%S%.3f").to_string())
}

fn known(text: Option<&str>) -> &str {
    text.unwrap_or_default()
}

/// A status in Partner Center's word.
pub(crate) fn status(status: Status) -> &'static str {
    match status {
        Status::Active => "Active",
        Status::Investigating => "Investigating",
        Status::Resolved => "Resolved",
        Status::UnknownFutureValue => "Unknown",
    }
}

pub(super) fn reason(reason: ResolvedReason) -> &'static str {
    match reason {
        ResolvedReason::Fraud => "Fraud",
        ResolvedReason::Ignore => "Ignore",
        ResolvedReason::Legitimate => "Legitimate",
        ResolvedReason::UnknownFutureValue => "Unknown",
    }
}

/// Partner Center has three levels; the fourth of Graph is below them all.
fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::High => "High",
        Severity::Medium => "Medium",
        Severity::Low | Severity::Informational => "Low",
        Severity::UnknownFutureValue => "Unknown",
    }
}

fn confidence(confidence: Confidence) -> &'static str {
    match confidence {
        Confidence::High => "High",
        Confidence::Medium => "Medium",
        Confidence::Low => "Low",
        Confidence::UnknownFutureValue => "Unknown",
    }
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(object) => object,
        _ => Map::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alert(change: Value) -> PartnerSecurityAlert {
        let mut wire = json!({
            "id": "a-1", "alertType": "CryptoMining", "displayName": "Mining", "severity": "high",
            "confidenceLevel": "medium", "status": "active", "detectedDateTime": "2031-02-03T04:05:06.789Z",
            "customerTenantId": "customer-1", "subscriptionId": "sub-1"
        });
        wire.as_object_mut().unwrap().extend(object(change));
        serde_json::from_value(wire).unwrap()
    }

    fn shown(change: Value) -> Value {
        event(&alert(change), &"partner-1".parse().unwrap(), None, EventsModel::New)
    }

    #[test]
    fn an_alert_of_which_all_is_known() {
        let known = alert(json!({
            "description": "Two machines", "status": "resolved", "resolvedReason": "fraud",
            "resolvedBy": "ann@partner.example", "resolvedOnDateTime": "2031-02-03T05:00:00Z",
            "firstObservedDateTime": "2031-02-03T03:00:00Z", "lastObservedDateTime": "2031-02-03T04:00:00Z",
            "valueAddedResellerTenantId": "reseller-1", "catalogOfferId": "MS-AZR-0017G", "isTest": true,
            "affectedResources": [{
                "resourceId": "/subscriptions/sub-1/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/vm1",
                "resourceType": "AzureResource"
            }],
            "additionalDetails": {"connectionCount": "31", "VM_IP": "[\"203.0.113.7\"]"},
            "activityLogs": [{
                "statusFrom": "active", "statusTo": "resolved", "updatedBy": "ann@partner.example",
                "updatedDateTime": "2031-02-03T05:00:00Z"
            }]
        }));
        let directory = Subscription {
            subscription_id: "sub-1".parse().unwrap(),
            name: Some("Production".to_owned()),
            customer_tenant_id: None,
            customer_name: Some("Contoso".to_owned()),
            reseller_tenant_id: None,
        };
        let event = event(&known, &"partner-1".parse().unwrap(), Some(&directory), EventsModel::New);
        insta::assert_json_snapshot!(event);
    }

    #[test]
    fn what_is_not_known_is_empty_or_the_sentinel() {
        let bare = alert(json!({}));
        insta::assert_json_snapshot!(event(&bare, &"partner-1".parse().unwrap(), None, EventsModel::Old));
    }

    #[test]
    fn graphs_words_become_partner_centers() {
        let check = |property: &str, value: &str, shown_as: &str, expected: &str| {
            assert_eq!(shown(json!({property: value}))[shown_as], expected, "{property} {value}");
        };
        check("status", "active", "eventStatus", "Active");
        check("status", "investigating", "eventStatus", "Investigating");
        check("status", "resolved", "eventStatus", "Resolved");
        check("status", "escalated", "eventStatus", "Unknown");
        check("resolvedReason", "fraud", "resolvedReason", "Fraud");
        check("resolvedReason", "ignore", "resolvedReason", "Ignore");
        check("resolvedReason", "legitimate", "resolvedReason", "Legitimate");
        check("severity", "high", "severity", "High");
        check("severity", "medium", "severity", "Medium");
        check("severity", "low", "severity", "Low");
        check("severity", "informational", "severity", "Low");
        check("confidenceLevel", "high", "confidenceLevel", "High");
        check("confidenceLevel", "medium", "confidenceLevel", "Medium");
        check("confidenceLevel", "low", "confidenceLevel", "Low");
        check("alertType", "CryptoMining", "eventType", "NetworkConnectionsToCryptoMiningPools");
        check("alertType", "usageAnomalyDetection", "eventType", "UsageAnomalyDetection");
        check("alertType", "VM_AnomalousDeployment", "eventType", "VirtualMachineDeploymentAnomaly");
        check("alertType", "ARM_SuspiciousOperations", "eventType", "ARM_SuspiciousOperations");
    }

    #[test]
    fn an_event_type_means_the_alert_types_that_are_shown_as_it() {
        for (event_type_name, _) in EVENT_TYPES {
            for alert_type in alert_types(&event_type_name.to_uppercase()) {
                assert_eq!(event_type(alert_type), *event_type_name);
            }
        }
        assert_eq!(alert_types("ARM_SuspiciousOperations"), ["ARM_SuspiciousOperations"]);
    }
}
