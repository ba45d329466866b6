//! Alerts: list, count, look at one, change, follow; and batches.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use super::super::operation::Operation;
use super::super::parts::{count_options, list_options};
use super::super::schemas::{collection, reference, single};
use crate::auth::{READ, READ_WRITE};
use crate::error::Kind;

const ALERT: &str = "microsoft.graph.partner.security.partnerSecurityAlert";
const CONTEXT: &str = "https://alerts.partner.example/beta/$metadata#security/partner/securityAlerts";

pub(in super::super) fn operations() -> Vec<Operation> {
    vec![list(), count(), delta(), show(), update(), batch()]
}

fn example(status: &str) -> Value {
    let resolved = status == "resolved";
    json!({
        "id": "5a3b1e00-0001-4000-8000-000000000007",
        "alertType": "CryptoMining",
        "displayName": "Virtual machine talks to a mining pool",
        "description": null,
        "severity": "high",
        "confidenceLevel": "medium",
        "status": status,
        "detectedDateTime": "2031-02-03T04:05:06Z",
        "firstObservedDateTime": "2031-02-03T03:30:00Z",
        "lastObservedDateTime": "2031-02-03T04:00:00Z",
        "customerTenantId": "5a3b1e00-0003-4000-8000-000000000002",
        "subscriptionId": "5a3b1e00-0002-4000-8000-000000000002",
        "valueAddedResellerTenantId": null,
        "catalogOfferId": "MS-AZR-0017G",
        "resolvedBy": if resolved { Some("ann@partner.example") } else { None },
        "resolvedOnDateTime": if resolved { Some("2031-02-03T05:00:00Z") } else { None },
        "resolvedReason": if resolved { Some("fraud") } else { None },
        "isTest": false,
        "affectedResources": [{"resourceId": "/subscriptions/5a3b1e00-0002-4000-8000-000000000002/resourcegroups/rg/providers/microsoft.compute/virtualmachines/vm-7", "resourceType": "AzureResource"}],
        "additionalDetails": {"ConnectionCount": "12"},
        "activityLogs": [],
    })
}

fn with_context(mut entity: Value, suffix: &str) -> Value {
    entity["@odata.context"] = format!("{CONTEXT}{suffix}").into();
    entity
}

fn list() -> Operation {
    Operation::get("/beta/security/partner/securityAlerts", "listAlerts", "alerts", "List security alerts")
        .describe(
            "A page of the alerts that the caller may see, with a link to the next page if there is one. The link is followed whole; its $skiptoken is the server's own.",
        )
        .needs(&[READ, READ_WRITE])
        .takes(&list_options())
        .takes(&["preferList"])
        .gives_json(
            StatusCode::OK,
            "A page of alerts.",
            collection(ALERT),
            with_context(json!({"@odata.count": 1, "value": [example("active")]}), ""),
        )
        .with_header("OData-Version")
        .with_header("Preference-Applied")
        .fails(&[Kind::NotAcceptable])
}

fn count() -> Operation {
    Operation::get(
        "/beta/security/partner/securityAlerts/$count",
        "countAlerts",
        "alerts",
        "Count security alerts",
    )
    .describe("How many alerts there are, as a bare number.")
    .needs(&[READ, READ_WRITE])
    .takes(&count_options())
    .gives(
        StatusCode::OK,
        "The number.",
        "text/plain",
        json!({"type": "string", "pattern": "^[0-9]+$"}),
        json!("42"),
    )
}

fn delta() -> Operation {
    Operation::get(
        "/beta/security/partner/securityAlerts/delta()",
        "listChangedAlerts",
        "alerts",
        "List new and changed alerts",
    )
    .describe("Without a token all alerts, page by page; the last page has a deltaLink, which later gives what is new or changed since. An alert may come twice.")
    .needs(&[READ, READ_WRITE])
    .takes(&["filter", "select", "top", "format", "deltatoken", "preferList"])
    .gives_json(
        StatusCode::OK,
        "A page of alerts, with a nextLink or a deltaLink.",
        collection(ALERT),
        with_context(
            json!({
                "@odata.deltaLink": "https://alerts.partner.example/beta/security/partner/securityAlerts/delta()?$deltatoken=AQ",
                "value": [example("active")],
            }),
            "",
        ),
    )
    .with_header("OData-Version")
    .fails(&[Kind::NotAcceptable, Kind::Gone { restart: String::new() }])
}

fn show() -> Operation {
    Operation::get("/beta/security/partner/securityAlerts/{id}", "getAlert", "alerts", "Get a security alert")
        .describe("One alert.")
        .needs(&[READ, READ_WRITE])
        .takes(&["alertId", "select", "format"])
        .gives_json(StatusCode::OK, "The alert.", single(ALERT), with_context(example("active"), "/$entity"))
        .with_header("OData-Version")
        .with_header("ETag")
        .fails(&[Kind::NotFound, Kind::NotAcceptable])
}

fn update() -> Operation {
    Operation::new(
        Method::PATCH,
        "/beta/security/partner/securityAlerts/{id}",
        "updateAlert",
        "alerts",
        "Change the status of a security alert",
    )
    .describe("Sets status and resolvedReason, and writes the change to the activity log. Saying again what is so already changes nothing.")
    .needs(&[READ_WRITE])
    .takes(&["alertId", "select", "ifMatch", "preferReturn"])
    .body(reference("alertUpdate"), json!({"status": "resolved", "resolvedReason": "fraud"}))
    .gives_json(
        StatusCode::OK,
        "The alert as it is now.",
        single(ALERT),
        with_context(example("resolved"), "/$entity"),
    )
    .gives_nothing(StatusCode::NO_CONTENT, "Changed; the client preferred no body.")
    .with_header("OData-Version")
    .with_header("ETag")
    .with_header("Preference-Applied")
    .fails(&[Kind::NotFound, Kind::NotAcceptable, Kind::PreconditionFailed])
}

fn batch() -> Operation {
    Operation::new(Method::POST, "/beta/$batch", "batch", "batch", "Send several requests in one")
        .describe("Up to 20 requests, each answered on its own; one that depends on a failed one is not sent. Each needs what it would need alone.")
        .needs(&[READ, READ_WRITE])
        .body(
            reference("batchRequest"),
            json!({"requests": [
                {"id": "1", "method": "GET", "url": "/security/partner/securityAlerts?$top=1"},
                {"id": "2", "method": "GET", "url": "/security/partner/securityAlerts/$count", "dependsOn": ["1"]},
            ]}),
        )
        .gives_json(
            StatusCode::OK,
            "The answers, in any order.",
            reference("batchResponse"),
            json!({"responses": [
                {"id": "1", "status": 200, "headers": {"Content-Type": "application/json"}, "body": {"value": []}},
                {"id": "2", "status": 200, "headers": {"Content-Type": "text/plain"}, "body": "0"},
            ]}),
        )
}
