//! Of the namespace `microsoft.graph`: what alerts derive from, what leads to them, and subscriptions.

use ::edm::{
    Annotation, Container, EntitySet, Kind, Operation, OperationKind, Parameter, Property, Schema, Singleton,
    Structured, Type, TypeRef,
};

use super::{capabilities, contained, optional, read_only, required, structured};

/// The namespace.
const NAMESPACE: &str = "microsoft.graph";
/// What nearly every entity derives from.
pub(super) const ENTITY: &str = "microsoft.graph.entity";
/// The open type that dictionaries derive from.
pub(super) const DICTIONARY: &str = "microsoft.graph.Dictionary";
/// A caller's request to be told of changes.
const SUBSCRIPTION: &str = "microsoft.graph.subscription";

pub(super) fn schema() -> Schema {
    let entity = Structured {
        is_abstract: true,
        key: vec!["id"],
        properties: vec![Property {
            annotations: vec![Annotation::new("Core.Computed", true)],
            ..required("id", "Edm.String", "The identifier; opaque, though many are GUIDs.")
        }],
        ..structured(Kind::Entity, "entity")
    };
    let dictionary = Structured { is_open: true, ..structured(Kind::Complex, "Dictionary") };
    let security = Structured {
        navigation: vec![contained(
            "partner",
            TypeRef::one("microsoft.graph.partner.security.partnerSecurity"),
            "The security of a partner's customers.",
        )],
        description: "The entry point of Microsoft Graph's security resources.",
        ..structured(Kind::Entity, "security")
    };
    Schema {
        namespace: NAMESPACE,
        types: [entity, dictionary, security, subscription()].map(Type::Structured).into(),
        operations: vec![reauthorize()],
        container: Some(Container {
            name: "GraphService",
            sets: vec![EntitySet { name: "subscriptions", ty: SUBSCRIPTION }],
            singletons: vec![Singleton { name: "security", ty: "microsoft.graph.security" }],
            annotations: capabilities::of_the_service(),
        }),
        targeted: capabilities::of_its_parts(),
    }
}

/// `microsoft.graph.subscription`, without what only other resources of Graph use.
fn subscription() -> Structured {
    let computed = |property: Property| Property { annotations: vec![read_only()], ..property };
    Structured {
        base: Some(ENTITY),
        properties: vec![
            computed(optional("applicationId", "Edm.String", "The application that asked.")),
            required(
                "changeType",
                "Edm.String",
                "Which changes to tell of: created, updated, or both with a comma between.",
            ),
            optional(
                "clientState",
                "Edm.String",
                "A secret that each notification carries, so that the receiver knows it is genuine.",
            ),
            computed(optional("creatorId", "Edm.String", "The user or service principal that asked.")),
            optional(
                "encryptionCertificate",
                "Edm.String",
                "The certificate whose public key encrypts resource data; base64 of its DER form. Never sent back.",
            ),
            optional("encryptionCertificateId", "Edm.String", "The receiver's own name for the certificate."),
            required(
                "expirationDateTime",
                "Edm.DateTimeOffset",
                "When the subscription ends, unless it is renewed.",
            ),
            optional(
                "includeResourceData",
                "Edm.Boolean",
                "Whether notifications carry the alert itself, encrypted.",
            ),
            optional(
                "latestSupportedTlsVersion",
                "Edm.String",
                "The newest TLS version that the receiver takes.",
            ),
            optional(
                "lifecycleNotificationUrl",
                "Edm.String",
                "Where to tell of the subscription's own fate.",
            ),
            required("notificationUrl", "Edm.String", "Where to send notifications."),
            required("resource", "Edm.String", "What to watch, such as security/partner/securityAlerts."),
        ],
        description: "A caller's request to be told of changes.",
        ..structured(Kind::Entity, "subscription")
    }
}

fn reauthorize() -> Operation {
    Operation {
        kind: OperationKind::Action,
        name: "reauthorize",
        parameters: vec![Parameter { name: "bindingParameter", ty: TypeRef::one(SUBSCRIPTION) }],
        returns: None,
        description: "Confirms that the caller may still see what the subscription tells of.",
    }
}
