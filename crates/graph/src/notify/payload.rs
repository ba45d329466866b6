//! The bodies that receivers get, as Graph writes them.
//! Source: resource types changeNotificationCollection and changeNotification.

use chrono::{DateTime, SecondsFormat, Utc};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use store::{Notification, NotificationSubscription};
use uuid::Uuid;

use super::encryption::EncryptedContent;

/// What stands for itself in a segment of a path.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// A body with these notifications, and the tokens that show who sent them.
pub(super) fn collection(items: &[Value], validation_token: Option<&str>) -> String {
    let mut body = json!({"value": items});
    if let Some(token) = validation_token {
        body["validationTokens"] = json!([token]);
    }
    body.to_string()
}

/// Tells of a change of an alert in that version.
pub(super) fn change(
    subscription: &NotificationSubscription,
    notification: &Notification,
    alert_id: &str,
    version: u64,
    encrypted: Option<&EncryptedContent>,
) -> Value {
    let resource = format!("security/partner/securityAlerts/{}", utf8_percent_encode(alert_id, SEGMENT));
    let mut item = json!({
        "id": id(subscription, notification),
        "subscriptionId": subscription.id,
        "subscriptionExpirationDateTime": time(subscription.expires_at),
        "clientState": subscription.client_state,
        "changeType": notification.event.name(),
        "resource": resource,
        "tenantId": subscription.scope.partner(),
        "resourceData": {
            "@odata.type": "#microsoft.graph.partner.security.partnerSecurityAlert",
            "@odata.id": resource,
            "@odata.etag": format!("W/\"{version}\""),
            "id": alert_id,
        },
    });
    if let Some(encrypted) = encrypted {
        item["encryptedContent"] = json!(encrypted);
    }
    item
}

/// Tells of the subscription itself.
pub(super) fn lifecycle(subscription: &NotificationSubscription, notification: &Notification) -> Value {
    json!({
        "id": id(subscription, notification),
        "subscriptionId": subscription.id,
        "subscriptionExpirationDateTime": time(subscription.expires_at),
        "tenantId": subscription.scope.partner(),
        "clientState": subscription.client_state,
        "lifecycleEvent": notification.event.name(),
    })
}

/// The same in every attempt, so that a receiver can tell a repeated notification from a new one.
fn id(subscription: &NotificationSubscription, notification: &Notification) -> Uuid {
    Uuid::new_v5(&subscription.id, &notification.number.to_be_bytes())
}

fn time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}
