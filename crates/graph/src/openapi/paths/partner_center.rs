//! The older API of Partner Center: fraud events, and webhook registrations.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use super::super::operation::Operation;
use super::super::parts::id;
use super::super::schemas::reference;
use crate::app::fraud_events::EVENTS_MAX;
use crate::auth::{READ, READ_WRITE};
use crate::error::Kind;

const TAG: &str = "partner center";
const REGISTRATION: &str = "/webhooks/v1/registration";

pub(in super::super) fn operations() -> Vec<Operation> {
    vec![
        fraud_events(),
        set_status(),
        supported_events(),
        registration(Method::GET, &[READ, READ_WRITE], "getRegistration", "Get the registration")
            .fails(&[Kind::NotFound]),
        change_registration(Method::POST, "createRegistration", "Register a receiver")
            .fails(&[Kind::Conflict]),
        change_registration(Method::PUT, "replaceRegistration", "Replace the registration")
            .fails(&[Kind::NotFound]),
        send_test_event(),
        test_event_result(),
        certificate(),
    ]
}

fn query(name: &str, description: &str, schema: Value) -> Value {
    json!({"name": name, "in": "query", "description": description, "schema": schema})
}

fn events_example() -> Value {
    json!([{
        "eventId": "5a3b1e00-0001-4000-8000-000000000007",
        "eventTime": "2031-02-03T04:05:06Z",
        "eventStatus": "Active",
        "subscriptionId": "5a3b1e00-0002-4000-8000-000000000002",
        "customerTenantId": "5a3b1e00-0003-4000-8000-000000000002",
        "resolvedReason": "None",
        "resolvedOn": "9999-12-31T23:59:59.997",
    }])
}

fn events() -> Value {
    json!({"type": "array", "items": reference("fraudEvent")})
}

fn fraud_events() -> Operation {
    Operation::get("/v1/fraudEvents", "listFraudEvents", TAG, "List fraud events")
        .describe("The alerts in the older form. EventType, PageSize and PageNumber are only for the newer model; the last two go together.")
        .needs(&[READ, READ_WRITE])
        .takes(&["newEventsModel"])
        .parameter(query("EventStatus", "Only events in this state.", json!({"type": "string", "enum": ["Active", "Resolved", "Investigating"]})))
        .parameter(query("SubscriptionId", "Only events of this Azure subscription.", id(128)))
        .parameter(query("EventType", "Only events of this type.", json!({"type": "string", "minLength": 1})))
        .parameter(query("PageSize", "How many events a page holds.", json!({"type": "integer", "minimum": 1, "maximum": EVENTS_MAX})))
        .parameter(query("PageNumber", "Which page, from 1.", json!({"type": "integer", "minimum": 1, "maximum": u32::MAX})))
        .gives_json(StatusCode::OK, "The events.", events(), events_example())
}

fn set_status() -> Operation {
    Operation::new(
        Method::POST,
        "/v1/fraudEvents/subscription/{subscriptionId}/status",
        "setFraudEventStatus",
        TAG,
        "Change the state of fraud events",
    )
    .describe("Changes the record only; it does not stop the fraud.")
    .needs(&[READ_WRITE])
    .takes(&["azureSubscriptionId", "newEventsModel"])
    .body(
        reference("fraudEventStatus"),
        json!({"eventIds": ["5a3b1e00-0001-4000-8000-000000000007"], "eventStatus": "Resolved", "resolvedReason": "Fraud"}),
    )
    .gives_json(StatusCode::OK, "The events as they are now.", events(), events_example())
    .fails(&[Kind::NotFound])
}

fn supported_events() -> Operation {
    Operation::get("/webhooks/v1/registration/events", "listWebhookEvents", TAG, "List the events there are")
        .describe("The names of the events that a receiver can be registered for.")
        .needs(&[READ, READ_WRITE])
        .gives_json(
            StatusCode::OK,
            "The names.",
            json!({"type": "array", "items": {"type": "string"}}),
            json!(["azure-fraud-event-detected", "test-created"]),
        )
}

fn registration_example() -> Value {
    json!({
        "SubscriberId": "5a3b1e00-0007-4000-8000-000000000001",
        "WebhookUrl": "https://receiver.partner.example/webhook",
        "WebhookEvents": ["azure-fraud-event-detected", "test-created"],
    })
}

fn registration(method: Method, permissions: &[&str], id: &'static str, summary: &'static str) -> Operation {
    Operation::new(method, REGISTRATION, id, TAG, summary).needs(permissions).gives_json(
        StatusCode::OK,
        "The registration.",
        reference("webhookRegistration"),
        registration_example(),
    )
}

fn change_registration(method: Method, id: &'static str, summary: &'static str) -> Operation {
    let body =
        json!({"WebhookUrl": "https://receiver.partner.example/webhook", "WebhookEvents": ["test-created"]});
    registration(method, &[READ_WRITE], id, summary).body(reference("webhookRegistrationUpdate"), body)
}

fn certificate() -> Operation {
    Operation::get(
        "/webhooks/v1/certificate",
        "getWebhookCertificate",
        TAG,
        "Get the certificate that deliveries are signed with",
    )
    .describe("An X.509 certificate in DER form. Receivers have no token, so it needs none.")
    .open_to_all()
    .gives(
        StatusCode::OK,
        "The certificate.",
        "application/pkix-cert",
        json!({"type": "string", "format": "binary"}),
        json!("(bytes)"),
    )
}

fn send_test_event() -> Operation {
    Operation::new(
        Method::POST,
        "/webhooks/v1/registration/validationEvents",
        "sendTestEvent",
        TAG,
        "Send a test event",
    )
    .describe("The receiver must be registered for test-created. Twice a minute at most.")
    .needs(&[READ_WRITE])
    .gives_json(
        StatusCode::OK,
        "Under which id to ask for the result.",
        json!({"type": "object", "required": ["correlationId"], "properties": {"correlationId": {"type": "string"}}}),
        json!({"correlationId": "5a3b1e00-0006-4000-8000-000000000001"}),
    )
    .fails(&[Kind::NotFound])
}

fn test_event_result() -> Operation {
    let schema = json!({
        "type": "object",
        "required": ["correlationId", "status"],
        "properties": {
            "correlationId": {"type": "string"},
            "partnerId": {"type": "string"},
            "status": {"type": "string"},
            "callbackUrl": {"type": "string"},
            "results": {"type": "array", "items": {"type": "object"}},
        },
    });
    let example = json!({
        "correlationId": "5a3b1e00-0006-4000-8000-000000000001",
        "partnerId": "5a3b1e00-0008-4000-8000-000000000001",
        "status": "completed",
        "callbackUrl": "https://receiver.partner.example/webhook",
        "results": [{"responseCode": "OK", "responseMessage": "", "systemError": false, "dateTimeUtc": "2031-02-03T04:05:06"}],
    });
    Operation::get(
        "/webhooks/v1/registration/validationEvents/{correlationId}",
        "getTestEventResult",
        TAG,
        "Get what became of a test event",
    )
    .describe("What the receiver answered.")
    .needs(&[READ, READ_WRITE])
    .takes(&["correlationId"])
    .gives_json(StatusCode::OK, "The result.", schema, example)
    .fails(&[Kind::NotFound])
}
