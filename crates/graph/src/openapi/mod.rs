//! The OpenAPI 3.1 description of the whole HTTP surface.
//!
//! Schemas of entities are written from [`crate::edm`], statuses and error codes from
//! [`crate::error`], limits from [`odata::Limits`]; what remains, the list of operations, is held
//! against the router by a test. It describes the server's routes outside this crate as well (`paths/own`), so
//! that one file tells all.

mod bodies;
mod errors;
mod operation;
mod parts;
mod paths;
mod schemas;
#[cfg(test)]
mod tests;

use serde_json::{Map, Value, json};

use crate::auth::{READ, READ_WRITE};
use operation::Operation;

/// The description of a server whose clients find it at `server_url`: scheme and host, without a
/// slash at the end.
#[must_use]
pub fn document(server_url: &str) -> Value {
    let mut paths: Map<String, Value> = Map::new();
    for operation in operations() {
        let item = paths.entry(operation.path).or_insert_with(|| json!({}));
        item[operation.method.as_str().to_ascii_lowercase()] = operation.to_json();
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Tenantwatch",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": "Security alerts of a partner's customers, as Microsoft Graph serves them.",
            "description": "What is under /beta answers as Microsoft Graph's partner security API does; $metadata there says the same in OData's terms. What is under /v1 and /webhooks answers as the older Partner Center API does. What is under /tenantwatch is this server's own.",
            "license": {"name": "Apache 2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
        },
        "servers": [{"url": server_url, "description": "This server."}],
        "tags": [
            {"name": "alerts", "description": "Security alerts: list, look, change, follow."},
            {"name": "batch", "description": "Several requests in one."},
            {"name": "detectors", "description": "What finds: what it means, how it fares, what it would have raised with other numbers."},
            {"name": "money", "description": "What open alerts cost."},
            {"name": "partner center", "description": "The older API of Partner Center, for tools that were not moved yet."},
            {"name": "records", "description": "Taking records in, where they come from, and how fresh they are."},
            {"name": "score", "description": "How well the partner meets the security requirements."},
            {"name": "service", "description": "What describes the API, and whether it is up."},
            {"name": "subscriptions", "description": "Notifications of changes."},
            {"name": "tuning", "description": "Rules about findings that are not worth an alert, and what they silenced."},
        ],
        "security": [{"bearer": []}],
        "paths": paths,
        "components": {
            "schemas": schemas::all(),
            "parameters": parts::parameters(),
            "headers": parts::headers(),
            "responses": errors::error_responses(),
            "securitySchemes": {"bearer": {
                "type": "http",
                "scheme": "bearer",
                "bearerFormat": "JWT",
                "description": format!(
                    "An access token of Microsoft Entra, or of `tenantwatch token`. {READ} reads; {READ_WRITE} reads and changes. A user's token has them as scopes (scp), an application's own as roles."
                ),
            }},
        },
    })
}

/// Every operation, in the order of the document.
fn operations() -> Vec<Operation> {
    [
        paths::alerts::operations(),
        paths::score::operations(),
        paths::subscriptions::operations(),
        paths::own::operations(),
        paths::service::operations(),
        paths::partner_center::operations(),
    ]
    .concat()
}
