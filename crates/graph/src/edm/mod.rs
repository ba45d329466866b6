//! What this API looks like to a program: the one description from which `$metadata` and the schemas
//! of the OpenAPI document are written.
//!
//! Types, names, numbers and nullability are those of the published CSDL (`schemas/beta-Prod.csdl` of
//! microsoftgraph/msgraph-metadata); of the namespace `microsoft.graph` only what is needed here. The
//! alert comes from [`store::alert_model`], against which queries are checked, so that the two never
//! differ. The published CSDL has no capability annotations for these types; ours are in
//! `capabilities`.

mod alert;
mod capabilities;
mod graph;
mod score;
#[cfg(test)]
mod tests;

use std::sync::LazyLock;

use ::edm::{
    Annotation, Document, Enumeration, Expression, Kind, NavigationProperty, Property, Schema, Structured,
    Type, TypeRef, Vocabulary,
};

/// The namespace of the alert and the score.
pub const PARTNER_SECURITY: &str = "microsoft.graph.partner.security";

/// The whole description.
#[must_use]
pub fn document() -> &'static Document {
    static DOCUMENT: LazyLock<Document> = LazyLock::new(|| Document {
        vocabularies: vec![
            vocabulary(
                "Org.OData.Core.V1",
                "Core",
                "https://oasis-tcs.github.io/odata-vocabularies/vocabularies/Org.OData.Core.V1",
            ),
            vocabulary(
                "Org.OData.Capabilities.V1",
                "Capabilities",
                "https://oasis-tcs.github.io/odata-vocabularies/vocabularies/Org.OData.Capabilities.V1",
            ),
        ],
        schemas: vec![graph::schema(), partner_security()],
    });
    &DOCUMENT
}

fn vocabulary(namespace: &'static str, alias: &'static str, uri: &'static str) -> Vocabulary {
    Vocabulary { namespace, alias, uri }
}

fn partner_security() -> Schema {
    let partner = Structured {
        base: Some(graph::ENTITY),
        navigation: vec![
            contained(
                "securityAlerts",
                TypeRef::many(store::alert_model().name),
                "The security alerts of the partner's customers.",
            ),
            NavigationProperty {
                nullable: true,
                ..contained(
                    "securityScore",
                    TypeRef::one("microsoft.graph.partner.security.partnerSecurityScore"),
                    "How well the partner meets the security requirements.",
                )
            },
        ],
        description: "What a partner knows of its customers' security.",
        ..structured(Kind::Entity, "partnerSecurity")
    };
    let mut types = vec![Type::Structured(partner)];
    types.extend(alert::types());
    types.extend(score::types());
    Schema {
        namespace: PARTNER_SECURITY,
        types,
        operations: vec![alert::delta()],
        container: None,
        targeted: Vec::new(),
    }
}

/// A structured type without members.
fn structured(kind: Kind, name: &'static str) -> Structured {
    Structured {
        kind,
        name,
        base: None,
        is_abstract: false,
        is_open: false,
        key: Vec::new(),
        properties: Vec::new(),
        navigation: Vec::new(),
        description: "",
    }
}

/// A property that is always there.
fn required(name: &'static str, ty: &'static str, description: &'static str) -> Property {
    Property { name, ty: TypeRef::one(ty), nullable: false, description, annotations: Vec::new() }
}

/// A property that may be null.
fn optional(name: &'static str, ty: &'static str, description: &'static str) -> Property {
    Property { nullable: true, ..required(name, ty, description) }
}

fn contained(name: &'static str, ty: TypeRef, description: &'static str) -> NavigationProperty {
    NavigationProperty { name, ty, nullable: false, contained: true, description }
}

/// An enumeration whose members are numbered from 0 in their order, as all of ours are.
fn enumeration(name: &'static str, members: &[&'static str]) -> Type {
    Type::Enumeration(Enumeration { name, members: members.iter().copied().zip(0..).collect() })
}

/// Says that callers cannot change a property.
fn read_only() -> Annotation {
    Annotation::new("Core.Permissions", Expression::Member("Core.Permission", "Read"))
}

/// The name without its namespace.
fn local(qualified: &'static str) -> &'static str {
    qualified.rsplit('.').next().unwrap_or(qualified)
}
