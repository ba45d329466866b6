//! Subscriptions to notifications of changes.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use super::super::operation::Operation;
use super::super::schemas::{collection, reference, single};
use crate::auth::{READ, READ_WRITE};
use crate::error::Kind;

const SUBSCRIPTION: &str = "microsoft.graph.subscription";
const CONTEXT: &str = "https://alerts.partner.example/beta/$metadata#subscriptions";
const SET: &str = "/beta/subscriptions";
const ONE: &str = "/beta/subscriptions/{id}";

pub(in super::super) fn operations() -> Vec<Operation> {
    vec![list(), create(), show(), renew(), delete(), reauthorize()]
}

fn example() -> Value {
    json!({
        "id": "5a3b1e00-0004-4000-8000-000000000001",
        "changeType": "created,updated",
        "notificationUrl": "https://receiver.partner.example/notifications",
        "resource": "security/partner/securityAlerts",
        "expirationDateTime": "2031-02-04T04:05:06Z",
        "clientState": "made-up-secret",
    })
}

fn with_context(mut entity: Value, suffix: &str) -> Value {
    entity["@odata.context"] = format!("{CONTEXT}{suffix}").into();
    entity
}

fn list() -> Operation {
    Operation::get(SET, "listSubscriptions", "subscriptions", "List subscriptions")
        .describe("The caller's subscriptions.")
        .needs(&[READ, READ_WRITE])
        .gives_json(
            StatusCode::OK,
            "The subscriptions.",
            collection(SUBSCRIPTION),
            with_context(json!({"value": [example()]}), ""),
        )
        .with_header("OData-Version")
}

fn create() -> Operation {
    let mut body = example();
    if let Some(properties) = body.as_object_mut() {
        properties.remove("id");
    }
    Operation::new(Method::POST, SET, "createSubscription", "subscriptions", "Ask to be told of changes")
        .describe(
            "The receiver is asked first to send a token back; if it does not, there is no subscription.",
        )
        .needs(&[READ, READ_WRITE])
        .body(reference("newSubscription"), body)
        .gives_json(
            StatusCode::CREATED,
            "The new subscription.",
            single(SUBSCRIPTION),
            with_context(example(), "/$entity"),
        )
        .with_header("OData-Version")
        .fails(&[Kind::NotFound])
}

fn show() -> Operation {
    Operation::get(ONE, "getSubscription", "subscriptions", "Get a subscription")
        .describe("One subscription of the caller's.")
        .needs(&[READ, READ_WRITE])
        .takes(&["subscriptionId"])
        .gives_json(
            StatusCode::OK,
            "The subscription.",
            single(SUBSCRIPTION),
            with_context(example(), "/$entity"),
        )
        .with_header("OData-Version")
        .fails(&[Kind::NotFound])
}

fn renew() -> Operation {
    Operation::new(Method::PATCH, ONE, "renewSubscription", "subscriptions", "Renew a subscription")
        .describe("Sets a new end.")
        .needs(&[READ, READ_WRITE])
        .takes(&["subscriptionId"])
        .body(reference("subscriptionUpdate"), json!({"expirationDateTime": "2031-02-05T04:05:06Z"}))
        .gives_json(
            StatusCode::OK,
            "The subscription as it is now.",
            single(SUBSCRIPTION),
            with_context(example(), "/$entity"),
        )
        .with_header("OData-Version")
        .fails(&[Kind::NotFound])
}

fn delete() -> Operation {
    Operation::new(Method::DELETE, ONE, "deleteSubscription", "subscriptions", "End a subscription")
        .describe("No notification is sent after that.")
        .needs(&[READ, READ_WRITE])
        .takes(&["subscriptionId"])
        .gives_nothing(StatusCode::NO_CONTENT, "It is gone.")
        .fails(&[Kind::NotFound])
}

fn reauthorize() -> Operation {
    Operation::new(
        Method::POST,
        "/beta/subscriptions/{id}/reauthorize",
        "reauthorizeSubscription",
        "subscriptions",
        "Reauthorize a subscription",
    )
    .describe("Confirms with the caller's token that notifications may go on; the end stays as it is.")
    .needs(&[READ, READ_WRITE])
    .takes(&["subscriptionId"])
    .gives_nothing(StatusCode::NO_CONTENT, "Confirmed.")
    .fails(&[Kind::NotFound])
}
