//! The server's own routes, which lie outside this crate: `server/src/api` serves them, and a test there holds this list
//! against its router.

mod detectors;
mod money;
mod records;
mod tuning;

use serde_json::{Value, json};

use super::super::operation::Operation;

pub(in super::super) fn operations() -> Vec<Operation> {
    [detectors::operations(), tuning::operations(), money::operations(), records::operations()].concat()
}

const TIME: &str = "2031-02-03T04:05:06Z";
const DETECTOR: &str = "vm_anomalous_deployment";
const CUSTOMER: &str = "5a3b1e00-0003-4000-8000-000000000002";
const SUBSCRIPTION: &str = "5a3b1e00-0002-4000-8000-000000000002";

fn text() -> Value {
    json!({"type": "string"})
}

fn number() -> Value {
    json!({"type": "number"})
}

fn count() -> Value {
    json!({"type": "integer", "minimum": 0})
}

fn time() -> Value {
    json!({"type": "string", "format": "date-time"})
}

fn flag() -> Value {
    json!({"type": "boolean"})
}

/// The value, or null.
fn maybe(mut schema: Value) -> Value {
    let ty = schema["type"].clone();
    schema["type"] = json!([ty, "null"]);
    schema
}

fn list_of(items: Value) -> Value {
    json!({"type": "array", "items": items})
}

/// An object all of whose properties are always there.
fn object(properties: Value) -> Value {
    let names: Vec<&String> = properties.as_object().into_iter().flat_map(|members| members.keys()).collect();
    json!({"type": "object", "required": names, "properties": properties})
}

/// A list in its envelope.
fn value_of(items: Value) -> Value {
    object(json!({"value": list_of(items)}))
}

/// A page of a list in its envelope, with the link to the next if there is one.
fn page_of(items: Value) -> Value {
    let mut page = value_of(items);
    page["properties"]["nextLink"] = json!({"type": "string", "format": "uri-reference"});
    page
}

fn query(name: &str, description: &str, schema: Value, example: Value) -> Value {
    json!({"name": name, "in": "query", "description": description, "schema": schema, "example": example})
}

fn path(name: &str, description: &str, example: &str) -> Value {
    json!({
        "name": name, "in": "path", "required": true, "description": description,
        "schema": {"type": "string", "minLength": 1}, "example": example,
    })
}

/// How many entries a page has; what is more than 1000 counts as that, up to what the server can read as a number.
fn top() -> Value {
    let schema = json!({"type": "integer", "minimum": 0, "maximum": u64::MAX});
    query("top", "How many entries at most, up to 1000.", schema, json!(100))
}

fn no_content() -> axum::http::StatusCode {
    axum::http::StatusCode::NO_CONTENT
}
