//! What receivers are sent: that something happened, and where to ask.
//!
//! Source: Partner Center's developer page "Partner Center webhook events".

use alerts::{PartnerSecurityAlert, SubscriptionId};
use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};
use store::{DeliveryState, WebhookDelivery};
use url::form_urlencoded;
use uuid::Uuid;

use super::Webhooks;

/// Raised when an alert came into being.
pub const AZURE_FRAUD_EVENT_DETECTED: &str = "azure-fraud-event-detected";
/// Raised on request, to try a registration.
pub const TEST_CREATED: &str = "test-created";

/// The events that happen here, as the API lists them.
pub const EVENTS: &[&str] = &[AZURE_FRAUD_EVENT_DETECTED, TEST_CREATED];

/// The delivery of a test event, due now.
#[must_use]
pub fn test_created(webhooks: &Webhooks, id: Uuid, url: &str, now: DateTime<Utc>) -> WebhookDelivery {
    let body = json!({
        "EventName": TEST_CREATED,
        "ResourceUri": webhooks.link(&format!("/webhooks/v1/registration/validationEvents/{id}")),
        "ResourceName": "test",
        "AuditUri": null,
        "ResourceChangeUtcDate": utc(now),
    });
    delivery(TEST_CREATED, &body, id, url, now)
}

/// The delivery that tells of alerts of a subscription, due now.
///
/// Microsoft's sample has no `ResourceName` in this event, unlike in all others.
pub(super) fn fraud_event_detected(
    webhooks: &Webhooks,
    id: Uuid,
    url: &str,
    alert: &PartnerSecurityAlert,
    now: DateTime<Utc>,
) -> WebhookDelivery {
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("SubscriptionId", SubscriptionId::as_str(&alert.subscription_id))
        .append_pair("EventStatus", crate::app::fraud_events::status_name(alert.status))
        .finish();
    let body = json!({
        "EventName": AZURE_FRAUD_EVENT_DETECTED,
        "ResourceUri": webhooks.link(&format!("/v1/fraudEvents?{query}")),
        "AuditUri": null,
        "ResourceChangeUtcDate": utc(alert.detected_date_time),
    });
    delivery(AZURE_FRAUD_EVENT_DETECTED, &body, id, url, now)
}

fn delivery(event: &str, body: &Value, id: Uuid, url: &str, now: DateTime<Utc>) -> WebhookDelivery {
    WebhookDelivery {
        id,
        event: event.to_owned(),
        body: body.to_string(),
        url: url.to_owned(),
        created_at: now,
        state: DeliveryState::Waiting(now),
    }
}

/// A time as Partner Center's samples have it, with an offset.
fn utc(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Micros, false)
}
