//! What describes the API, whether it is up, and the detectors.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::super::operation::Operation;
use crate::auth::{READ, READ_WRITE};
use crate::error::Kind;

pub(in super::super) fn operations() -> Vec<Operation> {
    vec![service_document(), metadata(), openapi(), health(), detectors()]
}

fn service_document() -> Operation {
    let schema = json!({
        "type": "object",
        "required": ["@odata.context", "value"],
        "properties": {
            "@odata.context": {"type": "string", "format": "uri"},
            "value": {"type": "array", "items": {
                "type": "object",
                "required": ["name", "url"],
                "properties": {"name": {"type": "string"}, "kind": {"type": "string"}, "url": {"type": "string"}},
            }},
        },
    });
    let example = json!({
        "@odata.context": "https://alerts.partner.example/beta/$metadata",
        "value": [{"name": "security", "kind": "Singleton", "url": "security"}],
    });
    Operation::get("/beta", "getServiceDocument", "service", "List what there is at the root")
        .describe("OData's service document.")
        .open_to_all()
        .takes(&["format"])
        .gives_json(StatusCode::OK, "The service document.", schema, example)
        .with_header("OData-Version")
        .fails(&[Kind::NotAcceptable])
}

fn metadata() -> Operation {
    Operation::get("/beta/$metadata", "getMetadata", "service", "Describe the API in OData's terms")
        .describe("Types and capabilities as CSDL, in XML or JSON.")
        .open_to_all()
        .takes(&["metadataFormat"])
        .gives_json(
            StatusCode::OK,
            "The description.",
            json!({"type": "object", "required": ["$Version"], "properties": {"$Version": {"type": "string"}}}),
            json!({"$Version": "4.01", "$EntityContainer": "microsoft.graph.GraphService"}),
        )
        .with_header("OData-Version")
        .also_as(StatusCode::OK, "application/xml", json!({"type": "string"}))
        .fails(&[Kind::NotAcceptable])
}

fn openapi() -> Operation {
    Operation::get("/beta/openapi.json", "getOpenApi", "service", "Describe the API in OpenAPI's terms")
        .describe("This document.")
        .open_to_all()
        .gives_json(
            StatusCode::OK,
            "The description.",
            json!({"type": "object", "required": ["openapi"], "properties": {"openapi": {"type": "string"}}}),
            json!({"openapi": "3.1.0"}),
        )
}

fn health() -> Operation {
    Operation::get("/health", "getHealth", "service", "Say whether the server is up")
        .describe("For load balancers and supervisors.")
        .open_to_all()
        .gives(
            StatusCode::OK,
            "It is.",
            "text/plain",
            json!({"type": "string", "const": "ok\n"}),
            json!("ok\n"),
        )
}

fn detectors() -> Operation {
    let text = json!({"type": "string"});
    let maybe: Value = json!({});
    let schema = json!({
        "type": "object",
        "required": ["value"],
        "properties": {"value": {"type": "array", "items": {
            "type": "object",
            "required": ["id", "version", "alertType", "title"],
            "properties": {
                "id": text, "version": maybe, "alertType": text, "title": text, "severity": text,
                "confidence": text, "inputs": {"type": "array", "items": text},
                "lookbackSeconds": {"type": "integer"}, "scheduleSeconds": {"type": "integer"},
                "meaning": text, "response": maybe, "mitre": maybe, "source": maybe,
            },
        }}},
    });
    let example = json!({"value": [{
        "id": "crypto-mining", "version": "1", "alertType": "CryptoMining", "title": "Mining",
        "severity": "high", "confidence": "high", "lookbackSeconds": 86400, "scheduleSeconds": 900,
    }]});
    Operation::get("/tenantwatch/v1/detectors", "listDetectors", "service", "List the detectors")
        .describe("What each detector means, and what to do when it fires.")
        .needs(&[READ, READ_WRITE])
        .gives_json(StatusCode::OK, "The detectors.", schema, example)
}
