//! JSON Schemas: of the entities, from their description in [`crate::edm`]; of all else, by hand.

use ::edm::{Property, Structured, Type, TypeRef};
use serde_json::{Map, Value, json};

use crate::edm;

/// What callers send as a sentinel; the server never takes it.
const SENTINEL: &str = "unknownFutureValue";

pub(super) fn all() -> Value {
    let mut schemas = Map::new();
    for schema in &edm::document().schemas {
        for ty in schema.types.iter().filter(|ty| is_sent(ty)) {
            schemas.insert(format!("{}.{}", schema.namespace, ty.name()), of_type(ty));
        }
    }
    schemas.insert("error".into(), error());
    schemas.insert("alertUpdate".into(), alert_update());
    schemas.insert("subscriptionUpdate".into(), subscription_update());
    schemas.insert("batchRequest".into(), batch_request());
    schemas.insert("batchResponse".into(), batch_response());
    schemas.insert("fraudEvent".into(), fraud_event());
    schemas.insert("fraudEventStatus".into(), fraud_event_status());
    schemas.insert("webhookRegistration".into(), webhook_registration());
    schemas.into()
}

/// A reference to the schema of that name.
pub(super) fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

/// Whether values of the type are sent: an entity that only leads to others is none but a path.
fn is_sent(ty: &Type) -> bool {
    match ty {
        Type::Enumeration(_) => true,
        Type::Structured(structured) => {
            structured.base.is_some() || structured.is_open || !structured.properties.is_empty()
        }
    }
}

/// An entity of the type or of one that derives from it.
fn entity(ty: &str) -> Value {
    let derived = edm::document().schemas.iter().flat_map(|schema| {
        let derived = schema.types.iter().filter(|found| match found {
            Type::Structured(structured) => structured.base == Some(ty),
            Type::Enumeration(_) => false,
        });
        derived.map(|found| reference(&format!("{}.{}", schema.namespace, found.name())))
    });
    let mut kinds: Vec<Value> = derived.collect();
    if kinds.is_empty() {
        return reference(ty);
    }
    kinds.push(reference(ty));
    json!({"anyOf": kinds})
}

/// A page of entities of the type.
pub(super) fn collection(ty: &str) -> Value {
    json!({
        "type": "object",
        "required": ["@odata.context", "value"],
        "properties": {
            "@odata.context": {"type": "string"},
            "@odata.count": {"type": "integer", "minimum": 0},
            "@odata.nextLink": {"type": "string", "format": "uri"},
            "@odata.deltaLink": {"type": "string", "format": "uri"},
            "value": {"type": "array", "items": entity(ty)},
        },
    })
}

/// One entity with its context.
pub(super) fn single(ty: &str) -> Value {
    json!({"allOf": [
        entity(ty),
        {"type": "object", "required": ["@odata.context"], "properties": {
            "@odata.context": {"type": "string"},
            "@odata.etag": {"type": "string"},
        }},
    ]})
}

fn of_type(ty: &Type) -> Value {
    match ty {
        Type::Enumeration(enumeration) => {
            let members: Vec<&str> = enumeration.members.iter().map(|(name, _)| *name).collect();
            json!({"type": "string", "enum": members})
        }
        Type::Structured(structured) => of_structured(structured),
    }
}

/// No property is required, because `$select` leaves some out.
fn of_structured(structured: &Structured) -> Value {
    let properties =
        structured.properties.iter().map(|property| (property.name.to_owned(), of_property(property)));
    let mut own = json!({"type": "object"});
    if !structured.description.is_empty() {
        own["description"] = structured.description.into();
    }
    if !structured.properties.is_empty() {
        own["properties"] = Value::Object(properties.collect());
    }
    if structured.is_open {
        own["additionalProperties"] = true.into();
    }
    match structured.base {
        None => own,
        Some(base) => json!({"allOf": [reference(base), own]}),
    }
}

fn of_property(property: &Property) -> Value {
    let value = of_value(property.ty.name);
    let mut schema = match property.ty {
        TypeRef { is_collection: true, .. } => json!({"type": "array", "items": value}),
        _ if property.nullable => or_null(value),
        _ => value,
    };
    if !property.description.is_empty() {
        schema["description"] = property.description.into();
    }
    schema
}

fn or_null(mut schema: Value) -> Value {
    if let Some(ty) = schema.get("type").cloned() {
        schema["type"] = json!([ty, "null"]);
        return schema;
    }
    json!({"anyOf": [schema, {"type": "null"}]})
}

fn of_value(name: &str) -> Value {
    match name {
        "Edm.String" => json!({"type": "string"}),
        "Edm.Boolean" => json!({"type": "boolean"}),
        "Edm.Int64" => json!({"type": "integer", "format": "int64"}),
        "Edm.Single" => json!({"type": "number", "format": "float"}),
        "Edm.Double" => json!({"type": "number", "format": "double"}),
        "Edm.DateTimeOffset" => json!({"type": "string", "format": "date-time"}),
        other => reference(other),
    }
}

fn error() -> Value {
    let text = json!({"type": "string"});
    json!({
        "type": "object",
        "description": "What went wrong, as Microsoft Graph says it. Branch on the code, never on the message.",
        "required": ["error"],
        "properties": {"error": {
            "type": "object",
            "required": ["code", "message", "innerError"],
            "properties": {
                "code": text,
                "message": text,
                "target": text,
                "innerError": {
                    "type": "object",
                    "required": ["date", "request-id", "client-request-id"],
                    "properties": {"date": {"type": "string", "format": "date-time"}, "request-id": text, "client-request-id": text},
                },
            },
        }},
    })
}

/// The members of an enumeration that callers may send.
fn members(name: &str) -> Vec<&'static str> {
    match edm::document().find_type(&format!("{}.{name}", edm::PARTNER_SECURITY)) {
        Some(Type::Enumeration(found)) => {
            found.members.iter().map(|(name, _)| *name).filter(|name| *name != SENTINEL).collect()
        }
        _ => Vec::new(),
    }
}

fn alert_update() -> Value {
    let reasons = members("securityAlertResolvedReason");
    let open: Vec<_> =
        members("securityAlertStatus").into_iter().filter(|status| *status != "resolved").collect();
    let change = |status: Value, reason: Value| {
        json!({
            "type": "object",
            "required": ["status"],
            "properties": {"status": status, "resolvedReason": reason},
            "patternProperties": {"@": {}},
            "additionalProperties": false,
        })
    };
    json!({
        "description": "A new status, and a reason if it is resolved. Control information (@odata...) is passed over. Clients may send the whole alert back: other properties are let pass if they have the value that the alert has.",
        "anyOf": [
            change(json!({"const": "resolved"}), json!({"anyOf": [{"enum": reasons}, {"type": "null"}]})),
            change(json!({"enum": open}), json!({"type": "null"})),
        ],
    })
}

fn subscription_update() -> Value {
    json!({
        "type": "object",
        "description": "A new end.",
        "required": ["expirationDateTime"],
        "properties": {"expirationDateTime": {"type": "string", "format": "date-time"}},
    })
}

fn batch_request() -> Value {
    json!({
        "type": "object",
        "required": ["requests"],
        "properties": {"requests": {
            "type": "array",
            "maxItems": 20,
            "items": {
                "type": "object",
                "required": ["id", "method", "url"],
                "properties": {
                    "id": {"type": "string", "minLength": 1, "description": "The client's name for the request; no two of a batch have the same, in whatever case."},
                    "method": {"type": "string", "enum": ["GET", "POST", "PATCH", "PUT", "DELETE", "get", "post", "patch", "put", "delete"]},
                    "url": {"type": "string", "minLength": 1, "description": "Relative to /beta, or absolute."},
                    "headers": {"type": "object", "additionalProperties": {"type": "string"}},
                    "body": {"description": "The JSON body, or base64url of other bodies."},
                    "dependsOn": {"type": "array", "items": {"type": "string"}, "description": "Which requests must succeed first. depends_on, as the Python SDK sends, is read too."},
                },
            },
        }},
    })
}

fn batch_response() -> Value {
    json!({
        "type": "object",
        "required": ["responses"],
        "properties": {"responses": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["id", "status"],
                "properties": {
                    "id": {"type": "string"},
                    "status": {"type": "integer", "minimum": 100, "maximum": 599},
                    "headers": {"type": "object"},
                    "body": {},
                },
            },
        }},
    })
}

/// Of the older API: many properties, none of them always there, and more in the newer model.
fn fraud_event() -> Value {
    let text = json!({"type": ["string", "null"]});
    let texts = [
        "eventTime",
        "eventId",
        "partnerTenantId",
        "partnerFriendlyName",
        "customerTenantId",
        "customerFriendlyName",
        "subscriptionId",
        "subscriptionType",
        "entityId",
        "entityName",
        "entityUrl",
        "hitCount",
        "catalogOfferId",
        "eventStatus",
        "serviceName",
        "resourceName",
        "resourceGroupName",
        "firstOccurrence",
        "lastOccurrence",
        "resolvedReason",
        "resolvedOn",
        "resolvedBy",
        "firstObserved",
        "lastObserved",
        "eventType",
        "severity",
        "confidenceLevel",
        "displayName",
        "description",
        "country",
        "valueAddedResellerTenantId",
        "valueAddedResellerFriendlyName",
        "subscriptionName",
    ];
    let mut properties: Map<String, Value> =
        texts.iter().map(|name| ((*name).to_owned(), text.clone())).collect();
    properties
        .insert("affectedResources".into(), json!({"type": ["array", "null"], "items": {"type": "object"}}));
    properties.insert("additionalDetails".into(), json!({"type": ["object", "null"]}));
    properties.insert("activityLogs".into(), json!({}));
    properties.insert("isTest".into(), json!({"type": ["string", "boolean", "null"]}));
    json!({
        "type": "object",
        "description": "An alert as the older Partner Center API shows it. Dates that are not set are 9999-12-31T23:59:59.997.",
        "properties": properties,
    })
}

fn fraud_event_status() -> Value {
    json!({
        "type": "object",
        "description": "Names are read in any case.",
        "required": ["eventStatus"],
        "properties": {
            "eventIds": {"type": "array", "items": {"type": "string"}, "description": "Which events; none means all of the subscription."},
            "eventStatus": {"type": "string", "enum": ["Active", "Investigating", "Resolved"]},
            "resolvedReason": {"type": "string", "enum": ["Fraud", "Ignore", "Legitimate", "None"]},
        },
    })
}

fn webhook_registration() -> Value {
    json!({
        "type": "object",
        "required": ["WebhookUrl", "WebhookEvents"],
        "properties": {
            "WebhookUrl": {"type": "string", "format": "uri"},
            "WebhookEvents": {"type": "array", "items": {"type": "string"}, "minItems": 1},
            "SubscriberId": {"type": "string", "readOnly": true},
        },
    })
}
