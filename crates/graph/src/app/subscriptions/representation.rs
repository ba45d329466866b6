//! A subscription as Graph shows it.

use chrono::SecondsFormat;
use serde_json::{Map, Value, json};
use store::NotificationSubscription;

/// Whether to show what only the one who made it should know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Secrets {
    /// In the reply to whoever sent them in the same request.
    Shown,
    /// Else. Graph shows null then.
    Hidden,
}

/// The properties, in Graph's order. The certificate is never shown: nobody needs it back.
#[must_use]
pub fn representation(subscription: &NotificationSubscription, secrets: Secrets) -> Map<String, Value> {
    let client_state = match secrets {
        Secrets::Shown => subscription.client_state.as_deref(),
        Secrets::Hidden => None,
    };
    let shown = json!({
        "id": subscription.id,
        "resource": subscription.resource,
        "applicationId": subscription.application_id,
        "changeType": subscription.change_types.to_string(),
        "clientState": client_state,
        "notificationUrl": subscription.notification_url,
        "lifecycleNotificationUrl": subscription.lifecycle_notification_url,
        "expirationDateTime": subscription.expires_at.to_rfc3339_opts(SecondsFormat::AutoSi, true),
        "creatorId": subscription.creator_id,
        "includeResourceData": subscription.encryption.is_some(),
        "latestSupportedTlsVersion": subscription.latest_supported_tls_version.as_deref().unwrap_or("v1_2"),
        "encryptionCertificate": null,
        "encryptionCertificateId": subscription.encryption.as_ref().map(|encryption| &encryption.id),
        "notificationContentType": "application/json",
        "notificationQueryOptions": null,
        "notificationUrlAppId": null,
    });
    match shown {
        Value::Object(properties) => properties,
        _ => unreachable!("the macro was given an object"),
    }
}
