//! JSON Schemas of what callers send. They say what is taken, so far as JSON Schema has words for it.

use ::edm::Type;
use serde_json::{Value, json};

use super::parts::id;
use crate::app::batch::REQUESTS_MAX;
use crate::app::fraud_events::EVENTS_MAX;
use crate::app::subscriptions::LIFE_MAX;
use crate::edm;
use crate::webhooks::EVENTS;

/// What callers send as a sentinel; the server never takes it.
const SENTINEL: &str = "unknownFutureValue";

/// Receivers speak TLS, but for those on the server's own machine that its operator may allow.
const RECEIVER: &str = "^https?://";

const RECEIVER_IS: &str =
    "The receiver: https, at an address of the public internet, unless the operator allows others.";

/// The members of an enumeration that callers may send.
fn members(name: &str) -> Vec<&'static str> {
    match edm::document().find_type(&format!("{}.{name}", edm::PARTNER_SECURITY)) {
        Some(Type::Enumeration(found)) => {
            found.members.iter().map(|(name, _)| *name).filter(|name| *name != SENTINEL).collect()
        }
        _ => Vec::new(),
    }
}

pub(super) fn alert_update() -> Value {
    let reasons = members("securityAlertResolvedReason");
    let open: Vec<_> =
        members("securityAlertStatus").into_iter().filter(|status| *status != "resolved").collect();
    let change = |status: Value, reason: Value| {
        json!({
            "type": "object",
            "required": ["status"],
            "properties": {"status": status, "resolvedReason": reason},
            "patternProperties": {"@": {}},
            "additionalProperties": false,
        })
    };
    json!({
        "description": "A new status, and a reason if it is resolved. Control information (@odata...) is passed over. Clients may send the whole alert back: other properties are let pass if they have the value that the alert has.",
        "anyOf": [
            change(json!({"const": "resolved"}), json!({"anyOf": [{"enum": reasons}, {"type": "null"}]})),
            change(json!({"enum": open}), json!({"type": "null"})),
        ],
    })
}

fn time_ahead() -> Value {
    json!({
        "type": "string",
        "format": "date-time",
        "description": format!("The end; it lies ahead, by {} minutes at most.", LIFE_MAX.num_minutes()),
    })
}

fn certificate() -> Value {
    json!({"type": "string", "format": "x509-certificate", "description": "The certificate that resource data is encrypted for: RSA, in DER form and base64."})
}

fn certificate_id() -> Value {
    json!({"type": "string", "minLength": 1, "maxLength": 128})
}

pub(super) fn new_subscription() -> Value {
    let nothing = json!({"type": "null"});
    let none = json!({"enum": ["", null]});
    json!({
        "type": "object",
        "description": "What to watch, and whom to tell. Control information (@odata...) is passed over.",
        "required": ["changeType", "notificationUrl", "resource", "expirationDateTime"],
        "properties": {
            "changeType": {"type": "string", "pattern": "^(created|updated|deleted)(,(created|updated|deleted))*$"},
            "notificationUrl": {"type": "string", "pattern": RECEIVER, "description": RECEIVER_IS},
            "lifecycleNotificationUrl": {"type": ["string", "null"], "pattern": "^(https?://|$)"},
            "resource": {
                "type": "string",
                "pattern": "^/?security/partner/securityAlerts(/[A-Za-z0-9._~-]+|\\('[A-Za-z0-9._~-]+'\\))?$",
                "description": "All alerts, or one.",
            },
            "expirationDateTime": time_ahead(),
            "clientState": {"type": ["string", "null"], "maxLength": 128},
            "includeResourceData": {"type": ["boolean", "null"]},
            "encryptionCertificate": {"type": ["string", "null"], "format": "x509-certificate"},
            "encryptionCertificateId": {"type": ["string", "null"]},
            "latestSupportedTlsVersion": {"enum": ["v1_2", "v1_3", null]},
            "notificationContentType": {"enum": ["application/json", null]},
            "notificationQueryOptions": nothing,
            "notificationUrlAppId": nothing,
        },
        "patternProperties": {"@": {}},
        "additionalProperties": false,
        "anyOf": [
            {"properties": {
                "includeResourceData": {"enum": [false, null]},
                "encryptionCertificate": none,
                "encryptionCertificateId": none,
            }},
            {
                "required": ["includeResourceData", "encryptionCertificate", "encryptionCertificateId"],
                "properties": {
                    "includeResourceData": {"const": true},
                    "encryptionCertificate": certificate(),
                    "encryptionCertificateId": certificate_id(),
                },
            },
        ],
    })
}

pub(super) fn subscription_update() -> Value {
    let none = json!({"enum": ["", null]});
    json!({
        "type": "object",
        "description": "A new end; with includeResourceData also or only a new certificate. Control information (@odata...) is passed over. Clients may send the whole subscription back: other properties are let pass if they have the value that the subscription has.",
        "properties": {
            "expirationDateTime": {"type": ["string", "null"]},
            "encryptionCertificate": {"type": ["string", "null"], "format": "x509-certificate"},
            "encryptionCertificateId": {"type": ["string", "null"]},
        },
        "patternProperties": {"@": {}},
        "additionalProperties": false,
        "anyOf": [
            {
                "required": ["expirationDateTime"],
                "properties": {
                    "expirationDateTime": time_ahead(),
                    "encryptionCertificate": none,
                    "encryptionCertificateId": none,
                },
            },
            {
                "required": ["encryptionCertificate", "encryptionCertificateId"],
                "properties": {
                    "expirationDateTime": {"anyOf": [time_ahead(), {"type": "null"}]},
                    "encryptionCertificate": certificate(),
                    "encryptionCertificateId": certificate_id(),
                },
            },
        ],
    })
}

pub(super) fn batch_request() -> Value {
    let ids = json!({"type": ["array", "null"], "items": {"type": "string"}, "description": "Which requests must succeed first. depends_on, as the Python SDK sends, is read too."});
    json!({
        "type": "object",
        "required": ["requests"],
        "properties": {"requests": {
            "type": "array",
            "minItems": 1,
            "maxItems": REQUESTS_MAX,
            "items": {
                "type": "object",
                "required": ["id", "method", "url"],
                "properties": {
                    "id": {"type": "string", "minLength": 1, "description": "The client's name for the request; no two of a batch have the same, in whatever case."},
                    "method": {"type": "string", "minLength": 1, "description": "A method of HTTP, in any case. One that is wrong is answered in its place."},
                    "url": {"type": "string", "minLength": 1, "description": "Relative to /beta, or absolute."},
                    "headers": {"type": ["object", "null"], "additionalProperties": {"type": "string"}, "description": "A request with a body needs Content-Type."},
                    "body": {"description": "The JSON body, or base64url of other bodies."},
                    "dependsOn": ids,
                    "depends_on": ids,
                },
                "patternProperties": {"@": {}},
                "additionalProperties": false,
            },
        }},
        "patternProperties": {"@": {}},
        "additionalProperties": false,
    })
}

pub(super) fn fraud_event_status() -> Value {
    json!({
        "type": "object",
        "description": "Names are read in any case.",
        "required": ["eventStatus"],
        "properties": {
            "eventIds": {"type": ["array", "null"], "maxItems": EVENTS_MAX, "items": id(200), "description": "Which events; none means all of the subscription."},
            "eventStatus": {"type": "string", "enum": ["Active", "Investigating", "Resolved", "Resolve"]},
            "resolvedReason": {"enum": ["Fraud", "Ignore", "Legitimate", "None", "", null]},
        },
        "additionalProperties": false,
    })
}

pub(super) fn webhook_registration_update() -> Value {
    json!({
        "type": "object",
        "description": "The receiver, and what it is told. Names are read in any case.",
        "required": ["WebhookUrl", "WebhookEvents"],
        "properties": {
            "WebhookUrl": {"type": "string", "format": "uri", "pattern": RECEIVER, "description": RECEIVER_IS},
            "WebhookEvents": {"type": "array", "items": {"type": "string", "enum": EVENTS}, "minItems": 1},
            "SubscriberId": {"description": "Passed over; clients send back what they got."},
        },
        "additionalProperties": false,
    })
}
