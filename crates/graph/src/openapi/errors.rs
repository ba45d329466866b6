//! The replies with errors, in the form of either API.

use axum::http::StatusCode;
use chrono::{TimeZone as _, Utc};
use serde_json::{Map, Value, json};

use super::parts::{header, reply_headers};
use crate::error::{ApiError, Kind};
use crate::http::is_partner_center;

const REQUEST_ID: &str = "5b0c7a3e-1111-4000-8000-000000000001";

/// Whose headers and errors an operation has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Manners {
    Graph,
    PartnerCenter,
}

impl Manners {
    /// Those of the operations at a path.
    pub(super) fn of(path: &str) -> Self {
        if is_partner_center(path) { Self::PartnerCenter } else { Self::Graph }
    }
}

/// The errors that every operation has which wants a token.
pub(super) fn errors_of_protected() -> [Kind; 3] {
    use crate::auth::verifier::TokenError;
    [Kind::Unauthenticated(TokenError::Empty), Kind::Forbidden, Kind::Throttled { retry_after_s: 1 }]
}

/// Every error that an operation can name, with a message as an example.
fn errors(manners: Manners) -> Vec<(Kind, &'static str, &'static str)> {
    match manners {
        Manners::Graph => of_graph(),
        Manners::PartnerCenter => of_partner_center(),
    }
}

/// Few differ from Graph's in more than their form; some never happen.
fn of_partner_center() -> Vec<(Kind, &'static str, &'static str)> {
    let mut errors = of_graph();
    errors.retain(|(kind, _, _)| {
        !matches!(
            kind,
            Kind::NotAcceptable | Kind::Gone { .. } | Kind::PreconditionFailed | Kind::Unavailable { .. }
        )
    });
    for (kind, _, message) in &mut errors {
        match kind {
            Kind::BadRequest => *message = "PageSize and PageNumber go together; give both or none.",
            Kind::NotFound => {
                *message = "There is no registration yet; make one with POST /webhooks/v1/registration.";
            }
            _ => {}
        }
    }
    let message = "There is a registration already; change it with PUT /webhooks/v1/registration.";
    errors.push((Kind::Conflict, "It is there already.", message));
    errors
}

fn of_graph() -> Vec<(Kind, &'static str, &'static str)> {
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
            Kind::Unavailable { retry_after_s: 1 },
            "It cannot be done now, and can later.",
            "The events could not be stored: the server is stopping. Send them again; what got through is recognised.",
        ),
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

/// The replies with errors, by their names.
pub(super) fn error_responses() -> Value {
    let mut responses = Map::new();
    for (status, description) in TOO_LONG {
        responses.insert(named(*status), json!({"description": description}));
    }
    for manners in [Manners::Graph, Manners::PartnerCenter] {
        for (kind, description, message) in errors(manners) {
            let name = component(&kind, manners);
            responses.insert(name, reply(kind, description, message, manners));
        }
    }
    responses.into()
}

fn reply(kind: Kind, description: &str, message: &str, manners: Manners) -> Value {
    let mut headers = reply_headers(manners);
    match kind {
        Kind::Throttled { .. } | Kind::Unavailable { .. } => headers["Retry-After"] = header("Retry-After"),
        Kind::Unauthenticated(_) => headers["WWW-Authenticate"] = header("WWW-Authenticate"),
        Kind::Gone { .. } => headers["Location"] = header("Location"),
        _ => {}
    }
    let error = ApiError::new(kind, message);
    let at = Utc.timestamp_opt(1_900_000_000, 0).single().unwrap_or_default();
    let (schema, example) = match manners {
        Manners::Graph => ("error", error.body(REQUEST_ID, REQUEST_ID, at)),
        Manners::PartnerCenter => ("partnerCenterError", error.partner_center_body()),
    };
    let content = json!({"application/json": {
        "schema": {"$ref": format!("#/components/schemas/{schema}")},
        "examples": {"example": {"value": example}},
    }});
    json!({"description": description, "headers": headers, "content": content})
}

/// The status of an error, and a reference to its reply.
pub(super) fn error_response(kind: &Kind, manners: Manners) -> (String, Value) {
    let status = ApiError::new(kind.clone(), "").status();
    let reference = json!({"$ref": format!("#/components/responses/{}", component(kind, manners))});
    (status.as_str().to_owned(), reference)
}

/// The name of an error's reply: that of its status, without spaces.
fn component(kind: &Kind, manners: Manners) -> String {
    let name = named(ApiError::new(kind.clone(), "").status());
    match manners {
        Manners::Graph => name,
        Manners::PartnerCenter => format!("PartnerCenter{name}"),
    }
}

fn named(status: StatusCode) -> String {
    status.canonical_reason().unwrap_or_default().replace(' ', "")
}
