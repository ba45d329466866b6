//! JSON Schemas: of the entities, from their description in [`crate::edm`]; of all else, by hand.

use ::edm::{Property, Structured, Type, TypeRef};
use serde_json::{Map, Value, json};

use super::bodies;
use crate::edm;

pub(super) fn all() -> Value {
    let mut schemas = Map::new();
    for schema in &edm::document().schemas {
        for ty in schema.types.iter().filter(|ty| is_sent(ty)) {
            schemas.insert(format!("{}.{}", schema.namespace, ty.name()), of_type(ty));
        }
    }
    schemas.insert("error".into(), error());
    schemas.insert("partnerCenterError".into(), partner_center_error());
    schemas.insert("alertUpdate".into(), bodies::alert_update());
    schemas.insert("newSubscription".into(), bodies::new_subscription());
    schemas.insert("subscriptionUpdate".into(), bodies::subscription_update());
    schemas.insert("batchRequest".into(), bodies::batch_request());
    schemas.insert("batchResponse".into(), batch_response());
    schemas.insert("fraudEvent".into(), fraud_event());
    schemas.insert("fraudEventStatus".into(), bodies::fraud_event_status());
    schemas.insert("webhookRegistration".into(), webhook_registration());
    schemas.insert("webhookRegistrationUpdate".into(), bodies::webhook_registration_update());
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

/// What `$select` can name of a type: its properties, its base's and those of the types that derive from it.
pub(super) fn selectable(ty: &str) -> Vec<&'static str> {
    let document = edm::document();
    let types = document.schemas.iter().flat_map(|schema| {
        schema.types.iter().map(|found| (format!("{}.{}", schema.namespace, found.name()), found))
    });
    let structured: Vec<(String, &Structured)> = types
        .filter_map(|(name, found)| match found {
            Type::Structured(structured) => Some((name, structured)),
            Type::Enumeration(_) => None,
        })
        .collect();
    let base = structured.iter().find(|(name, _)| name == ty).and_then(|(_, found)| found.base);
    let concerned = structured
        .iter()
        .filter(|(name, found)| Some(name.as_str()) == base || name == ty || found.base == Some(ty));
    concerned.flat_map(|(_, found)| found.properties.iter().map(|property| property.name)).collect()
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

fn partner_center_error() -> Value {
    let text = json!({"type": "string"});
    json!({
        "type": "object",
        "description": "What went wrong, as Partner Center says it.",
        "required": ["code", "description", "data", "source"],
        "properties": {"code": text, "description": text, "data": {"type": "array", "items": text}, "source": text},
        "additionalProperties": false,
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

fn webhook_registration() -> Value {
    json!({
        "type": "object",
        "required": ["WebhookUrl", "WebhookEvents"],
        "properties": {
            "WebhookUrl": {"type": "string", "format": "uri"},
            "WebhookEvents": {"type": "array", "items": {"type": "string"}},
            "SubscriberId": {"type": "string"},
        },
    })
}
