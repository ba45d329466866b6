//! Detectors: what they mean, how they fare, the numbers that are chosen for them, and what they would have raised.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use super::super::super::operation::Operation;
use super::super::super::parts::id;
use super::super::super::schemas::reference;
use super::*;
use crate::auth::{READ, READ_WRITE};
use crate::error::Kind;

const TAG: &str = "detectors";
const ALERT: &str = "microsoft.graph.partner.security.partnerSecurityAlert";

pub(super) fn operations() -> Vec<Operation> {
    vec![list(), one(), health(), settings(), set(), unset(), replay(), explain()]
}

fn setting() -> Value {
    object(json!({
        "name": text(), "default": number(), "min": maybe(number()), "max": maybe(number()), "meaning": text(),
    }))
}

fn detector() -> Value {
    object(json!({
        "id": text(), "version": count(), "alertType": text(), "title": text(), "severity": text(),
        "confidence": text(), "inputs": list_of(text()), "indicators": list_of(text()), "grouping": list_of(text()),
        "lookbackSeconds": count(), "scheduleSeconds": count(), "overlapSeconds": count(), "meaning": text(),
        "response": list_of(text()), "mitre": list_of(text()), "source": text(), "origin": text(),
        "settings": list_of(setting()), "simulated": {"anyOf": [simulated(), {"type": "null"}]},
    }))
}

/// Figures of the evaluation that was published with this version.
fn simulated() -> Value {
    let figures = json!({
        "estates": count(), "attacksInAll": count(), "cleanSubscriptionDays": number(), "alerts": count(),
        "falseAlerts": count(), "precision": maybe(number()), "attacksTold": count(), "attacksToldFirst": count(),
        "attacksToldAlone": count(), "medianSecondsToDetect": maybe(number()),
    });
    let mut schema = object(figures);
    schema["description"] = "How the detector did on simulated estates that nothing was tuned on; nothing of it is about this partner's alerts. Null for a detector that is not built in.".into();
    schema
}

fn detector_example() -> Value {
    json!({
        "id": DETECTOR, "version": 1, "alertType": "VM_AnomalousDeployment",
        "title": "Unusual deployment of virtual machines", "severity": "medium", "confidence": "medium",
        "inputs": ["activity"], "indicators": [], "grouping": ["caller_id"], "lookbackSeconds": 2_505_600,
        "scheduleSeconds": 300, "overlapSeconds": 3600, "meaning": "Somebody added many machines.",
        "response": ["Ask the customer whether the caller planned these machines."], "mitre": ["T1578.002"],
        "source": "Our own.", "origin": "built in", "settings": [{
            "name": "points_min", "default": 4.0, "min": 1.0, "max": 11.0,
            "meaning": "How many points the signs must earn together.",
        }],
        "simulated": {
            "estates": 20, "attacksInAll": 120, "cleanSubscriptionDays": 21_877, "alerts": 40, "falseAlerts": 2,
            "precision": 0.95, "attacksTold": 38, "attacksToldFirst": 30, "attacksToldAlone": 3,
            "medianSecondsToDetect": 900.5,
        },
    })
}

fn detector_id() -> Value {
    path("id", "The detector's id.", DETECTOR)
}

fn list() -> Operation {
    Operation::get("/tenantwatch/v1/detectors", "listDetectors", TAG, "List the detectors")
        .describe(
            "What each detector means, what to do when it fires, the numbers that can be chosen for it, and how it did on simulated estates.",
        )
        .needs(&[READ, READ_WRITE])
        .gives_json(
            StatusCode::OK,
            "The detectors.",
            value_of(detector()),
            json!({"value": [detector_example()]}),
        )
}

fn one() -> Operation {
    let case = object(json!({"name": text(), "fires": flag(), "description": text()}));
    let more = object(json!({
        "query": text(), "cases": list_of(case), "chosen": list_of(chosen()),
        "health": {"anyOf": [health_schema(), {"type": "null"}]},
    }));
    let mut example = detector_example();
    example["query"] = "select … from activity".into();
    example["cases"] = json!([{"name": "burst", "fires": true, "description": "Many machines at once."}]);
    example["chosen"] = json!([chosen_example()]);
    example["health"] = health_example();
    Operation::get("/tenantwatch/v1/detectors/{id}", "getDetector", TAG, "Get a detector")
        .describe("All of one detector: its query, its cases, the numbers that were chosen for it, how its runs fare.")
        .needs(&[READ, READ_WRITE])
        .parameter(detector_id())
        .gives_json(StatusCode::OK, "The detector.", json!({"allOf": [detector(), more]}), example)
        .fails(&[Kind::NotFound])
}

fn health_schema() -> Value {
    object(json!({
        "detectorId": text(), "title": text(), "state": {"type": "string", "enum": ["ok", "failed", "late", "waiting"]},
        "scheduleSeconds": count(), "lastRunDateTime": maybe(time()), "lastSuccessDateTime": maybe(time()),
        "lastDurationMs": maybe(count()), "lastFindings": maybe(count()), "lastError": maybe(text()),
        "lastErrorDateTime": maybe(time()), "nextDueDateTime": maybe(time()), "watermarkDateTime": maybe(time()),
    }))
}

fn health_example() -> Value {
    json!({
        "detectorId": DETECTOR, "title": "Unusual deployment of virtual machines", "state": "ok",
        "scheduleSeconds": 300, "lastRunDateTime": TIME, "lastSuccessDateTime": TIME, "lastDurationMs": 210,
        "lastFindings": 0, "lastError": null, "lastErrorDateTime": null, "nextDueDateTime": "2031-02-03T04:10:06Z",
        "watermarkDateTime": TIME,
    })
}

fn health() -> Operation {
    Operation::get("/tenantwatch/v1/detectorHealth", "listDetectorHealth", TAG, "Say how the detectors fare")
        .describe("The last run, success and failure of each detector, and when it is due next: ok, failed, late, or waiting for records. Empty for a token that sees only some customers.")
        .needs(&[READ, READ_WRITE])
        .gives_json(StatusCode::OK, "How they fare.", value_of(health_schema()), json!({"value": [health_example()]}))
}

fn chosen() -> Value {
    object(json!({
        "detectorId": text(), "name": text(), "customerTenantId": maybe(text()), "subscriptionId": maybe(text()),
        "value": number(), "reason": text(), "author": text(), "changedDateTime": time(),
    }))
}

fn chosen_example() -> Value {
    json!({
        "detectorId": DETECTOR, "name": "points_min", "customerTenantId": CUSTOMER, "subscriptionId": null,
        "value": 5.0, "reason": "a render farm that grows and shrinks", "author": "ann@partner.example",
        "changedDateTime": TIME,
    })
}

fn settings() -> Operation {
    Operation::get("/tenantwatch/v1/detectorSettings", "listDetectorSettings", TAG, "List the numbers that were chosen")
        .describe("Numbers that the operator chose in place of the detectors' own. Empty for a token that sees only some customers.")
        .needs(&[READ, READ_WRITE])
        .parameter(query("detector", "Only those of this detector.", text(), json!(DETECTOR)))
        .gives_json(StatusCode::OK, "The numbers.", value_of(chosen()), json!({"value": [chosen_example()]}))
}

fn of_setting(operation: Operation) -> Operation {
    operation
        .needs(&[READ_WRITE])
        .parameter(detector_id())
        .parameter(path("name", "The setting's name.", "points_min"))
        .parameter(query("customer", "For this customer alone.", id(128), json!(CUSTOMER)))
        .parameter(query(
            "subscription",
            "For this subscription alone; not together with a customer.",
            id(128),
            json!(SUBSCRIPTION),
        ))
        .fails(&[Kind::NotFound])
}

fn set() -> Operation {
    let body = json!({
        "type": "object",
        "required": ["value", "reason"],
        "properties": {
            "value": {"type": "number", "description": "Within the setting's bounds."},
            "reason": {"type": "string", "pattern": r"\S", "maxLength": 1000, "description": "Why, for those who come after."},
        },
        "additionalProperties": false,
    });
    let path = "/tenantwatch/v1/detectors/{id}/settings/{name}";
    let operation = Operation::new(Method::PUT, path, "setDetectorSetting", TAG, "Choose a number of a detector")
        .describe("For all, a customer or a subscription; the narrowest holds, from the next run on. The token is one for the whole partner.");
    of_setting(operation)
        .body(body, json!({"value": 5, "reason": "a render farm that grows and shrinks"}))
        .gives_json(StatusCode::OK, "The choice.", chosen(), chosen_example())
}

fn unset() -> Operation {
    let path = "/tenantwatch/v1/detectors/{id}/settings/{name}";
    let operation = Operation::new(Method::DELETE, path, "unsetDetectorSetting", TAG, "Take a chosen number back")
        .describe("The wider choice, or the detector's own number, holds again. The token is one for the whole partner.");
    of_setting(operation).gives_nothing(no_content(), "It no longer holds.")
}

fn figures() -> Value {
    object(json!({
        "alerts": count(), "silenced": count(), "subscriptionDays": count(),
        "alertsPer1000SubscriptionDays": maybe(number()),
    }))
}

fn replay() -> Operation {
    let change = json!({
        "type": "object",
        "required": ["name"],
        "properties": {
            "name": text(),
            "value": {"type": ["number", "null"], "description": "Null, or none, takes back what was chosen for the same."},
            "customerTenantId": maybe(id(128)),
            "subscriptionId": maybe(id(128)),
        },
        "additionalProperties": false,
    });
    let body = json!({
        "type": "object",
        "required": ["sinceDateTime"],
        "properties": {
            "sinceDateTime": time(),
            "untilDateTime": {"type": ["string", "null"], "format": "date-time", "description": "Now if nothing is said; at most 92 days after the beginning."},
            "settings": {"type": "array", "maxItems": 50, "items": change},
        },
        "additionalProperties": false,
    });
    let alerts = || list_of(reference(ALERT));
    let reply = object(json!({
        "detectorId": text(), "sinceDateTime": time(), "untilDateTime": time(), "now": figures(), "changed": figures(),
        "days": list_of(object(json!({"day": {"type": "string", "format": "date"}, "now": count(), "changed": count()}))),
        "keptCount": count(), "addedCount": count(), "goneCount": count(),
        "kept": alerts(), "added": alerts(), "gone": alerts(),
    }));
    let figures =
        json!({"alerts": 0, "silenced": 0, "subscriptionDays": 620, "alertsPer1000SubscriptionDays": 0.0});
    let example = json!({
        "detectorId": DETECTOR, "sinceDateTime": "2025-10-01T00:00:00Z", "untilDateTime": "2025-11-01T00:00:00Z",
        "now": figures, "changed": figures, "days": [{"day": "2025-10-01", "now": 0, "changed": 0}],
        "keptCount": 0, "addedCount": 0, "goneCount": 0, "kept": [], "added": [], "gone": [],
    });
    let path = "/tenantwatch/v1/detectors/{id}/replay";
    Operation::new(Method::POST, path, "replayDetector", TAG, "Say what a detector would have raised")
        .describe("Runs a detector over the past, with the numbers of today and with others, and raises nothing. Few run at once; whoever asks for one more is told to wait. Of the alerts, each list names up to 500.")
        .needs(&[READ, READ_WRITE])
        .parameter(detector_id())
        .body(body, json!({
            "sinceDateTime": "2025-10-01T00:00:00Z", "untilDateTime": "2025-11-01T00:00:00Z",
            "settings": [{"name": "points_min", "value": 5}],
        }))
        .gives_json(StatusCode::OK, "What would have come.", reply, example)
        .fails(&[Kind::NotFound])
}

fn explain() -> Operation {
    let threshold =
        object(json!({"name": text(), "value": number(), "meaning": text(), "chosenBecause": maybe(text())}));
    let events = object(json!({"kind": text(), "rows": list_of(json!({"type": "object"})), "more": flag()}));
    let schema = object(json!({
        "alert": reference(ALERT), "detector": {"type": "object"}, "thresholds": list_of(threshold),
        "series": {"type": ["object", "null"]}, "moneyAtRisk": {"type": ["object", "null"]}, "events": list_of(events),
    }));
    let example = json!({
        "alert": {"id": "5a3b1e00-0001-4000-8000-000000000007"}, "detector": {"id": DETECTOR, "version": 1},
        "thresholds": [{"name": "points_min", "value": 4.0, "meaning": "How many points.", "chosenBecause": null}],
        "series": null, "moneyAtRisk": null, "events": [],
    });
    Operation::get("/tenantwatch/v1/alerts/{id}/explanation", "explainAlert", TAG, "Say why an alert fired")
        .describe("The detector, the evidence beside the numbers it was compared with, the events, and the weeks before. Only for alerts that were raised here.")
        .needs(&[READ, READ_WRITE])
        .takes(&["alertId"])
        .gives_json(StatusCode::OK, "Why.", schema, example)
        .fails(&[Kind::NotFound])
}
