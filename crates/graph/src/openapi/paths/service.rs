//! What describes the API, whether the server is up, its figures, and the token of a demo.

use axum::http::StatusCode;
use serde_json::json;

use super::super::operation::Operation;
use crate::auth::{READ, READ_WRITE};
use crate::error::Kind;

pub(in super::super) fn operations() -> Vec<Operation> {
    vec![service_document(), metadata(), openapi(), health(), metrics(), demo_token()]
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

fn metrics() -> Operation {
    Operation::get("/metrics", "getMetrics", "service", "Give figures to a monitor")
        .describe("Figures by kind of record, source and currency, in OpenMetrics text.")
        .needs(&[READ, READ_WRITE])
        .gives(
            StatusCode::OK,
            "The figures.",
            "application/openmetrics-text",
            json!({"type": "string"}),
            json!("tenantwatch_alerts_unpriced 0\n# EOF\n"),
        )
}

fn demo_token() -> Operation {
    let schema = json!({
        "type": "object",
        "required": ["accessToken", "expiresOn"],
        "properties": {"accessToken": {"type": "string"}, "expiresOn": {"type": "string", "format": "date-time"}},
    });
    Operation::get("/demo/token", "getDemoToken", "service", "Get a token in a demo")
        .describe(
            "The page's own short-lived token. Only of `tenantwatch demo`, and only by a loopback name.",
        )
        .open_to_all()
        .gives_json(
            StatusCode::OK,
            "The token.",
            schema,
            json!({"accessToken": "eyJ…", "expiresOn": "2031-02-03T04:05:06Z"}),
        )
        .fails(&[Kind::NotFound])
}
