//! What the operator says of findings, and what it silenced.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use super::super::super::operation::Operation;
use super::super::super::parts::id;
use super::*;
use crate::auth::{READ, READ_WRITE};
use crate::error::Kind;

const TAG: &str = "tuning";
const RULES: &str = "/tenantwatch/v1/tuningRules";
const RULE: &str = "5a3b1e00-0007-4000-8000-000000000001";

pub(super) fn operations() -> Vec<Operation> {
    vec![list(), add(), end(), silenced()]
}

fn evidence() -> Value {
    json!({"type": "object", "additionalProperties": {"type": "array", "items": text(), "minItems": 1, "maxItems": 1000}})
}

fn effect() -> Value {
    json!({"type": "string", "enum": ["silence", "informational", "low", "medium", "high"]})
}

/// That a property is there and says something.
fn named(name: &str, schema: Value) -> Value {
    json!({"required": [name], "properties": {name: schema}})
}

fn rule() -> Value {
    object(json!({
        "id": text(), "detectorId": maybe(text()), "customerTenantId": maybe(text()), "subscriptionId": maybe(text()),
        "groupingKey": maybe(text()), "evidence": evidence(), "fromDateTime": maybe(time()),
        "untilDateTime": maybe(time()), "effect": effect(), "reason": text(), "author": text(),
        "createdDateTime": time(), "endedDateTime": maybe(time()),
    }))
}

fn rule_example() -> Value {
    json!({
        "id": RULE, "detectorId": "crypto_mining", "customerTenantId": CUSTOMER, "subscriptionId": null,
        "groupingKey": null, "evidence": {}, "fromDateTime": null, "untilDateTime": "2031-03-01T00:00:00Z",
        "effect": "silence", "reason": "a research pool", "author": "ann@partner.example", "createdDateTime": TIME,
        "endedDateTime": null,
    })
}

fn list() -> Operation {
    Operation::get(RULES, "listTuningRules", TAG, "List the tuning rules")
        .describe("The rules that hold, oldest first. A customer's token sees those that name it.")
        .needs(&[READ, READ_WRITE])
        .parameter(query("ended", "Also those that were taken back.", flag(), json!(false)))
        .gives_json(StatusCode::OK, "The rules.", value_of(rule()), json!({"value": [rule_example()]}))
}

fn add() -> Operation {
    let body = json!({
        "type": "object",
        "description": "At least one of what findings are about must be named: a detector, a customer, a subscription, an incident, evidence.",
        "required": ["effect", "reason"],
        "properties": {
            "detectorId": maybe(text()),
            "customerTenantId": maybe(id(128)),
            "subscriptionId": maybe(id(128)),
            "groupingKey": maybe(text()),
            "evidence": evidence(),
            "fromDateTime": maybe(time()),
            "untilDateTime": maybe(time()),
            "effect": effect(),
            "reason": {"type": "string", "pattern": r"\S", "maxLength": 1000},
        },
        "additionalProperties": false,
        "anyOf": [
            named("detectorId", text()),
            named("customerTenantId", id(128)),
            named("subscriptionId", id(128)),
            named("groupingKey", text()),
            named("evidence", json!({"type": "object", "minProperties": 1})),
        ],
    });
    let example = json!({
        "detectorId": "crypto_mining", "customerTenantId": CUSTOMER, "untilDateTime": "2031-03-01T00:00:00Z",
        "effect": "silence", "reason": "a research pool",
    });
    Operation::new(Method::POST, RULES, "addTuningRule", TAG, "Make a tuning rule")
        .describe("It holds from the next run of the detectors on. The token is one for the whole partner.")
        .needs(&[READ_WRITE])
        .body(body, example)
        .gives_json(StatusCode::CREATED, "The rule.", rule(), rule_example())
}

fn end() -> Operation {
    Operation::new(
        Method::DELETE,
        "/tenantwatch/v1/tuningRules/{id}",
        "endTuningRule",
        TAG,
        "Take a tuning rule back",
    )
    .describe("It stays listed among those that ended. The token is one for the whole partner.")
    .needs(&[READ_WRITE])
    .parameter(path("id", "The rule's id.", RULE))
    .gives_nothing(no_content(), "It no longer holds.")
    .fails(&[Kind::NotFound])
}

fn silenced() -> Operation {
    let entry = object(json!({
        "detectorId": text(), "alertType": text(), "displayName": text(), "description": text(), "severity": text(),
        "confidenceLevel": text(), "customerTenantId": maybe(text()), "subscriptionId": text(), "groupingKey": text(),
        "firstObservedDateTime": time(), "lastObservedDateTime": time(), "additionalDetails": {"type": "object"},
        "ruleId": text(), "suppressedBecause": text(), "firstSilencedDateTime": time(), "lastSilencedDateTime": time(),
    }));
    let example = json!({
        "detectorId": "crypto_mining", "alertType": "CryptoMining", "displayName": "Machines mine cryptocurrency",
        "description": "Two machines talk to a pool.", "severity": "high", "confidenceLevel": "high",
        "customerTenantId": CUSTOMER, "subscriptionId": SUBSCRIPTION, "groupingKey": "", "firstObservedDateTime": TIME,
        "lastObservedDateTime": TIME, "additionalDetails": {}, "ruleId": RULE, "suppressedBecause": "a research pool",
        "firstSilencedDateTime": TIME, "lastSilencedDateTime": TIME,
    });
    Operation::get("/tenantwatch/v1/silenced", "listSilenced", TAG, "List what was silenced")
        .describe(
            "Findings that rules silenced, and because of what; the latest first, once for each incident.",
        )
        .needs(&[READ, READ_WRITE])
        .parameter(query("detector", "Only those of this detector.", text(), json!("crypto_mining")))
        .parameter(query("subscription", "Only those on this subscription.", id(128), json!(SUBSCRIPTION)))
        .parameter(query("rule", "Only those of this rule.", text(), json!(RULE)))
        .parameter(top())
        .gives_json(StatusCode::OK, "What was silenced.", value_of(entry), json!({"value": [example]}))
}
