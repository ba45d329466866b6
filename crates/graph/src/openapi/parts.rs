//! What operations share: parameters, headers, errors.

use odata::{Limits, QueryOption};
use serde_json::{Value, json};

use super::errors::Manners;

/// A parameter of the query string whose value is a text.
fn query(name: &str, description: &str, schema: Value, example: Value) -> Value {
    json!({"name": name, "in": "query", "description": description, "schema": schema, "example": example})
}

/// The text of an option. `format` names its grammar, which JSON Schema has no words for.
fn text(format: &str, limits: &Limits) -> Value {
    json!({"type": "string", "format": format, "minLength": 1, "maxLength": limits.option_bytes})
}

fn path(name: &str, description: &str, example: &str) -> Value {
    json!({
        "name": name, "in": "path", "required": true, "description": description,
        "schema": {"type": "string", "minLength": 1}, "example": example,
    })
}

/// An id as callers write it: of at most so many characters, none of them a space or a control character.
pub(super) fn id(most: usize) -> Value {
    json!({"type": "string", "minLength": 1, "maxLength": most, "pattern": r"^[^\s\x00-\x1f\x7f-\x9f]+$"})
}

fn request_header(name: &str, description: &str, schema: Value, example: Value) -> Value {
    json!({"name": name, "in": "header", "description": description, "schema": schema, "example": example})
}

/// `$select` of a type with these properties.
pub(super) fn select(properties: &[&str]) -> Value {
    let name = format!("({}|[*])", properties.join("|"));
    let schema = json!({"type": "string", "pattern": format!("^{name}(,{name})*$")});
    let example = properties.iter().take(2).copied().collect::<Vec<_>>().join(",");
    query("$select", "Which properties to show; all if nothing is said.", schema, json!(example))
}

/// The options of a query for a list of alerts, as far as the checker knows them. Page tokens are not
/// among them: they come in links that are followed whole.
pub(super) fn list_options() -> Vec<&'static str> {
    let all = ["filter", "search", "orderby", "select", "count", "top", "skip", "format"];
    all.into_iter().filter(|name| QueryOption::from_name(name).is_some()).collect()
}

/// Those of the list's options that make sense for a count.
pub(super) fn count_options() -> Vec<&'static str> {
    list_options().into_iter().filter(|name| ["filter", "search"].contains(name)).collect()
}

pub(super) fn parameters() -> Value {
    let limits = Limits::default();
    let mut parameters = json!({
        "filter": query("$filter", "Which alerts: an OData 4.01 filter. $metadata says what can be filtered.", text("odata-filter", &limits), json!("severity eq 'high' and status eq 'active'")),
        "orderby": query("$orderby", "In which order; detectedDateTime desc if nothing is said.", text("odata-orderby", &limits), json!("severity desc,detectedDateTime desc")),
        "select": query("$select", "Which properties to show; all if nothing is said.", text("odata-select", &limits), json!("id,severity,status")),
        "search": query("$search", "Words to look for in title, description and resources.", text("odata-search", &limits), json!("mining")),
        "count": query("$count", "Whether to say how many entities there are.", json!({"type": "boolean", "default": false}), json!(true)),
        "top": query("$top", "How many entities a page holds at most.", json!({"type": "integer", "minimum": 0, "maximum": limits.top}), json!(50)),
        "skip": query("$skip", "How many entities to pass over. Following @odata.nextLink is faster and loses nothing.", json!({"type": "integer", "minimum": 0, "maximum": limits.skip}), json!(0)),
        "deltatoken": query("$deltatoken", "The state to start from, as @odata.deltaLink has it; `latest` for a link without alerts, and nothing for all alerts.", json!({"type": "string", "format": "odata-delta-token", "maxLength": limits.token_bytes}), json!("latest")),
        "format": query("$format", "The form of the reply; goes before the Accept header.", json!({"type": "string", "enum": ["json", "application/json"]}), json!("json")),
        "metadataFormat": query("$format", "The form of the document; goes before the Accept header.", json!({"type": "string", "enum": ["xml", "json", "application/xml", "application/json"]}), json!("json")),
        "alertId": path("id", "The alert's id.", "5a3b1e00-0001-4000-8000-000000000007"),
        "ifMatch": request_header("If-Match", "Change the alert only if it is still in the version with this ETag; * for any.", json!({"type": "string", "format": "etag"}), json!("W/\"3\"")),
        "preferList": request_header("Prefer", "odata.maxpagesize=N for smaller pages; include-unknown-enum-members. What is not known is passed over.", json!({"type": "string"}), json!("odata.maxpagesize=50")),
        "preferReturn": request_header("Prefer", "return=minimal for a reply without a body. What is not known is passed over.", json!({"type": "string"}), json!("return=minimal")),
        "subscriptionId": path("id", "The subscription's id.", "5a3b1e00-0004-4000-8000-000000000001"),
        "requirementId": path("id", "The requirement's id.", "mfaEnforcedForAdmins"),
        "historyId": path("id", "The entry's id.", "5a3b1e00-0005-4000-8000-000000000001"),
        "tenantId": path("tenantId", "The customer's tenant.", "5a3b1e00-0003-4000-8000-000000000002"),
        "azureSubscriptionId": {"name": "subscriptionId", "in": "path", "required": true, "description": "The customer's Azure subscription.", "schema": id(128), "example": "5a3b1e00-0002-4000-8000-000000000002"},
        "correlationId": path("correlationId", "What the test event was answered with.", "5a3b1e00-0006-4000-8000-000000000001"),
        "newEventsModel": request_header("X-NewEventsModel", "true for the newer model of events.", json!({"type": "boolean", "default": false}), json!(true)),
    });
    if let Some(parameters) = parameters.as_object_mut()
        && !list_options().contains(&"search")
    {
        parameters.remove("search");
    }
    parameters
}

pub(super) fn headers() -> Value {
    let guid = json!({"type": "string", "minLength": 1, "maxLength": 64});
    json!({
        "request-id": {"description": "The request's id, under which the server's log has the rest.", "required": true, "schema": guid},
        "client-request-id": {"description": "The client's own id for the request if it sent one, else the request-id.", "required": true, "schema": guid},
        "MS-CorrelationId": {"description": "The client's own id for what the request is a part of, else a new one.", "required": true, "schema": guid},
        "MS-RequestId": {"description": "The client's own id for the request if it sent one, else a new one.", "required": true, "schema": guid},
        "OData-Version": {"description": "The version of OData that the reply is in.", "schema": {"type": "string", "enum": ["4.0", "4.01"]}},
        "ETag": {"description": "The version of the entity, for If-Match.", "schema": {"type": "string"}},
        "Preference-Applied": {"description": "Which preferences were heeded.", "schema": {"type": "string"}},
        "Location": {"description": "Where to go on.", "schema": {"type": "string", "format": "uri-reference"}},
        "Retry-After": {"description": "After how many seconds to try again.", "required": true, "schema": {"type": "integer", "minimum": 1}},
        "WWW-Authenticate": {"description": "What kind of token is wanted.", "required": true, "schema": {"type": "string"}},
    })
}

pub(super) fn header(name: &str) -> Value {
    json!({"$ref": format!("#/components/headers/{name}")})
}

/// The headers of every reply.
pub(super) fn reply_headers(manners: Manners) -> Value {
    let names: &[&str] = match manners {
        Manners::Graph => &["request-id", "client-request-id"],
        Manners::PartnerCenter => &["request-id", "client-request-id", "MS-CorrelationId", "MS-RequestId"],
    };
    names.iter().map(|name| ((*name).to_owned(), header(name))).collect()
}
