//! `partnerSecurityAlert` and what it is made of, from the model that queries are checked against.

use std::collections::HashSet;

use ::edm::{Annotation, Kind, Operation, OperationKind, Parameter, Property, Structured, Type, TypeRef};
use odata::model;

use super::{enumeration, graph, local, read_only, structured};

/// What a caller may change.
pub(super) const WRITABLE: &[&str] = &["status", "resolvedReason"];

/// The properties that Microsoft Graph does not have.
const OURS: &[&str] = &["lastModifiedDateTime"];

/// What each property means, for alerts and the complex types in them.
const DESCRIPTIONS: &[(&str, &str)] = &[
    ("alertType", "What kind of abuse was found. The set is open: new types appear without notice."),
    ("displayName", "A short title."),
    ("description", "What happened."),
    ("severity", "How bad it is; ordered by meaning, not by the members' numbers."),
    ("confidenceLevel", "How sure the detection is; ordered by meaning."),
    ("status", "How far the work on the alert is."),
    ("detectedDateTime", "When the alert was raised."),
    ("firstObservedDateTime", "When the activity was first seen."),
    ("lastObservedDateTime", "When the activity was last seen."),
    ("customerTenantId", "The customer's tenant."),
    ("subscriptionId", "The customer's Azure subscription."),
    ("valueAddedResellerTenantId", "The indirect reseller's tenant, if there is one."),
    ("catalogOfferId", "The offer category of the subscription."),
    ("resolvedBy", "Who resolved the alert; null while it is not resolved."),
    ("resolvedOnDateTime", "When it was resolved; null while it is not."),
    ("resolvedReason", "Why it was resolved; null while it is not."),
    ("isTest", "Whether it is a test."),
    ("affectedResources", "The resources that are hit; empty for some types of alert."),
    ("additionalDetails", "Named values that depend on the type of alert."),
    ("activityLogs", "What partners did about the alert, oldest first."),
    (
        "lastModifiedDateTime",
        "When the alert last changed. An extension of this server that Microsoft Graph does not have; it is sent only if $select names it.",
    ),
    ("resourceId", "The path of the resource."),
    ("resourceType", "The kind of the resource, such as AzureResource."),
    ("statusFrom", "The status before."),
    ("statusTo", "The status after."),
    ("updatedBy", "Who changed it. Set by the server."),
    ("updatedDateTime", "When it was changed. Set by the server."),
];

/// The alert, then the complex types and enumerations that it names.
pub(super) fn types() -> Vec<Type> {
    let alert = store::alert_model();
    let mut parts = Parts::default();
    parts.collect(alert);
    let mut types = vec![Type::Structured(Structured {
        base: Some(graph::ENTITY),
        properties: alert.properties.iter().filter(|property| property.name != "id").map(own).collect(),
        description: "A sign that a customer's Azure subscription is being abused.",
        ..structured(Kind::Entity, local(alert.name))
    })];
    types.extend(parts.complex.into_iter().map(|complex| {
        Type::Structured(Structured {
            base: complex.open.then_some(graph::DICTIONARY),
            is_open: complex.open,
            properties: complex.properties.iter().map(member).collect(),
            ..structured(Kind::Complex, local(complex.name))
        })
    }));
    types.extend(parts.enumerations.into_iter().map(|found| enumeration(local(found.name), found.members)));
    types
}

/// The function that tells what changed.
pub(super) fn delta() -> Operation {
    let alerts = TypeRef::many(store::alert_model().name);
    Operation {
        kind: OperationKind::Function,
        name: "delta",
        parameters: vec![Parameter { name: "bindingParameter", ty: alerts }],
        returns: Some(alerts),
        description: "The alerts that are new or changed since the state that a token stands for.",
    }
}

/// The properties of an alert that callers cannot change.
pub(super) fn read_only_properties() -> impl Iterator<Item = &'static str> {
    let all = store::alert_model().properties.iter().map(|property| property.name);
    all.filter(|name| !WRITABLE.contains(name))
}

/// A property of the alert itself, which says whether callers can change it.
fn own(property: &model::Property) -> Property {
    let mut annotations = Vec::new();
    if !WRITABLE.contains(&property.name) {
        annotations.push(read_only());
    }
    if OURS.contains(&property.name) {
        annotations.push(Annotation::new("Core.Computed", true));
    }
    Property { annotations, ..member(property) }
}

fn member(property: &model::Property) -> Property {
    Property {
        name: property.name,
        ty: type_of(property.ty),
        nullable: property.nullable,
        description: description(property.name).unwrap_or_default(),
        annotations: Vec::new(),
    }
}

pub(super) fn description(property: &str) -> Option<&'static str> {
    DESCRIPTIONS.iter().find(|(name, _)| *name == property).map(|(_, text)| *text)
}

fn type_of(ty: model::Type) -> TypeRef {
    match ty {
        model::Type::String => TypeRef::one("Edm.String"),
        model::Type::Boolean => TypeRef::one("Edm.Boolean"),
        model::Type::Int64 => TypeRef::one("Edm.Int64"),
        model::Type::Double => TypeRef::one("Edm.Double"),
        model::Type::DateTimeOffset => TypeRef::one("Edm.DateTimeOffset"),
        model::Type::Date => TypeRef::one("Edm.Date"),
        model::Type::TimeOfDay => TypeRef::one("Edm.TimeOfDay"),
        model::Type::Duration => TypeRef::one("Edm.Duration"),
        model::Type::Enum(enumeration) => TypeRef::one(enumeration.name),
        model::Type::Complex(complex) => TypeRef::one(complex.name),
        model::Type::Collection(complex) => TypeRef::many(complex.name),
    }
}

/// The types that properties name, each once, in the order in which they are met.
#[derive(Default)]
struct Parts {
    complex: Vec<&'static model::StructuredType>,
    enumerations: Vec<&'static model::EnumType>,
    met: HashSet<&'static str>,
}

impl Parts {
    fn collect(&mut self, from: &'static model::StructuredType) {
        for property in from.properties {
            match property.ty {
                model::Type::Enum(enumeration) if self.met.insert(enumeration.name) => {
                    self.enumerations.push(enumeration);
                }
                model::Type::Complex(complex) | model::Type::Collection(complex)
                    if self.met.insert(complex.name) =>
                {
                    self.complex.push(complex);
                    self.collect(complex);
                }
                _ => {}
            }
        }
    }
}
