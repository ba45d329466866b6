//! What operations share: parameters, headers, errors.

use axum::http::StatusCode;
use chrono::{TimeZone as _, Utc};
use odata::{Limits, QueryOption};
use serde_json::{Map, Value, json};

use crate::error::{ApiError, Kind};

const REQUEST_ID: &str = "5b0c7a3e-1111-4000-8000-000000000001";

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

fn request_header(name: &str, description: &str, schema: Value, example: &str) -> Value {
    json!({"name": name, "in": "header", "description": description, "schema": schema, "example": example})
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
        "count": query("$count", "Whether to say how many alerts there are.", json!({"type": "boolean", "default": false}), json!(true)),
        "top": query("$top", "How many alerts a page holds at most.", json!({"type": "integer", "minimum": 0, "maximum": limits.top}), json!(50)),
        "skip": query("$skip", "How many alerts to pass over. Following @odata.nextLink is faster and loses nothing.", json!({"type": "integer", "minimum": 0, "maximum": limits.skip}), json!(0)),
        "deltatoken": query("$deltatoken", "The state to start from, as @odata.deltaLink has it; `latest` for a link without alerts.", json!({"type": "string", "format": "odata-delta-token", "minLength": 1, "maxLength": limits.token_bytes}), json!("latest")),
        "format": query("$format", "The form of the reply; goes before the Accept header.", json!({"type": "string", "enum": ["json", "application/json"]}), json!("json")),
        "metadataFormat": query("$format", "The form of the document; goes before the Accept header.", json!({"type": "string", "enum": ["xml", "json", "application/xml", "application/json"]}), json!("json")),
        "alertId": path("id", "The alert's id.", "5a3b1e00-0001-4000-8000-000000000007"),
        "ifMatch": request_header("If-Match", "Change the alert only if it is still in the version with this ETag; * for any.", json!({"type": "string", "format": "etag"}), "W/\"3\""),
        "preferList": request_header("Prefer", "odata.maxpagesize=N for smaller pages; include-unknown-enum-members. What is not known is passed over.", json!({"type": "string"}), "odata.maxpagesize=50"),
        "preferReturn": request_header("Prefer", "return=minimal for a reply without a body. What is not known is passed over.", json!({"type": "string"}), "return=minimal"),
        "subscriptionId": path("id", "The subscription's id.", "5a3b1e00-0004-4000-8000-000000000001"),
        "requirementId": path("id", "The requirement's id.", "mfaEnforcedForAdmins"),
        "historyId": path("id", "The entry's id.", "5a3b1e00-0005-4000-8000-000000000001"),
        "tenantId": path("tenantId", "The customer's tenant.", "5a3b1e00-0003-4000-8000-000000000002"),
        "azureSubscriptionId": path("subscriptionId", "The customer's Azure subscription.", "5a3b1e00-0002-4000-8000-000000000002"),
        "correlationId": path("correlationId", "What the test event was answered with.", "5a3b1e00-0006-4000-8000-000000000001"),
        "newEventsModel": request_header("X-NewEventsModel", "true for the newer model of events.", json!({"type": "string"}), "true"),
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
pub(super) fn reply_headers() -> Value {
    json!({"request-id": header("request-id"), "client-request-id": header("client-request-id")})
}

/// The errors that every operation has which wants a token.
pub(super) fn errors_of_protected() -> [Kind; 3] {
    use crate::auth::verifier::TokenError;
    [Kind::Unauthenticated(TokenError::Empty), Kind::Forbidden, Kind::Throttled { retry_after_s: 1 }]
}

/// Every error that an operation can name, with a message as an example.
fn errors() -> Vec<(Kind, &'static str, &'static str)> {
    let [unauthenticated, forbidden, throttled] = errors_of_protected();
    vec![
        (
            Kind::BadRequest,
            "The request is wrong; the message says what, where, and how to mend it.",
            "$filter: unknown property 'severty' at 0; did you mean 'severity'?",
        ),
        (unauthenticated, "The token is missing, expired or not for this server.", "Access token is empty."),
        (
            forbidden,
            "The token does not permit this.",
            "Missing scopes. API required scopes: PartnerSecurity.ReadWrite.All, scopes of the token: PartnerSecurity.Read.All.",
        ),
        (
            Kind::NotFound,
            "There is no such thing, or it is not the caller's to see.",
            "Alert '5a3b1e00-0001-4000-8000-000000000009' does not exist.",
        ),
        (
            Kind::NotAcceptable,
            "The form that is asked for is not there.",
            "This resource is there only as application/json.",
        ),
        (Kind::Conflict, "It is there already.", "There is a registration already; PUT replaces it."),
        (
            Kind::Gone { restart: String::new() },
            "The state that the token stands for is no longer kept; Location has the link that starts afresh.",
            "The delta token is no longer valid; start again without one.",
        ),
        (
            Kind::PreconditionFailed,
            "The entity is in another version than If-Match names.",
            "The alert has changed since it was read; read it again.",
        ),
        (Kind::TooLarge, "The body is too large.", "The body may have at most 262144 bytes."),
        (
            Kind::UnsupportedMediaType,
            "The body is in a form that is not taken.",
            "The body must be sent as application/json; the Content-Type header says 'text/plain'.",
        ),
        (throttled, "The caller sends more than its share.", "Too many requests; try again in 1 s."),
        (
            Kind::Internal,
            "Something failed that is not the caller's doing.",
            "Internal error. The server's log has the cause under this request id.",
        ),
    ]
}

/// What the HTTP library answers before a request gets to any handler, without a body or our headers.
const TOO_LONG: &[(StatusCode, &str)] = &[
    (StatusCode::URI_TOO_LONG, "The URL has more than 65,534 bytes."),
    (StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "There are too many headers, or they are too long."),
];

/// The replies of [`TOO_LONG`], which any operation can have.
pub(super) fn too_long() -> impl Iterator<Item = (String, Value)> {
    TOO_LONG.iter().map(|(status, _)| {
        let reference = json!({"$ref": format!("#/components/responses/{}", named(*status))});
        (status.as_str().to_owned(), reference)
    })
}

/// The replies with errors, by the names of their statuses.
pub(super) fn error_responses() -> Value {
    let at = Utc.timestamp_opt(1_900_000_000, 0).single().unwrap_or_default();
    let mut responses = Map::new();
    for (status, description) in TOO_LONG {
        responses.insert(named(*status), json!({"description": description}));
    }
    for (kind, description, message) in errors() {
        let mut headers = reply_headers();
        match kind {
            Kind::Throttled { .. } => headers["Retry-After"] = header("Retry-After"),
            Kind::Unauthenticated(_) => headers["WWW-Authenticate"] = header("WWW-Authenticate"),
            Kind::Gone { .. } => headers["Location"] = header("Location"),
            _ => {}
        }
        let name = component(&kind);
        let example = ApiError::new(kind, message).body(REQUEST_ID, REQUEST_ID, at);
        let content = json!({"application/json": {
            "schema": {"$ref": "#/components/schemas/error"},
            "examples": {"example": {"value": example}},
        }});
        responses.insert(name, json!({"description": description, "headers": headers, "content": content}));
    }
    responses.into()
}

/// The status of an error, and a reference to its reply.
pub(super) fn error_response(kind: &Kind) -> (String, Value) {
    let status = ApiError::new(kind.clone(), "").status();
    let reference = json!({"$ref": format!("#/components/responses/{}", component(kind))});
    (status.as_str().to_owned(), reference)
}

/// The name of an error's status, without spaces.
fn component(kind: &Kind) -> String {
    named(ApiError::new(kind.clone(), "").status())
}

fn named(status: StatusCode) -> String {
    status.canonical_reason().unwrap_or_default().replace(' ', "")
}
