//! What can be asked of each resource, in the terms of `Org.OData.Capabilities.V1` and
//! `Org.OData.Core.V1`.
//!
//! What can be filtered, sorted and searched is found out by asking the checker that queries go
//! through, so that the description cannot promise what a query is refused for.

use ::edm::{Annotation, Expression, Record, Targeted};
use odata::ast::Function;
use odata::model::{Property, Type};

use super::alert::{WRITABLE, read_only_properties};
use crate::auth::{READ, READ_WRITE};

/// Of the service as a whole.
pub(super) fn of_the_service() -> Vec<Annotation> {
    vec![
        Annotation::new("Core.ODataVersions", "4.0"),
        Annotation::new("Capabilities.SupportedFormats", Expression::texts(["application/json"])),
        Annotation::new(
            "Capabilities.SupportedMetadataFormats",
            Expression::texts(["application/xml", "application/json"]),
        ),
        Annotation::new("Capabilities.KeyAsSegmentSupported", true),
        Annotation::new("Capabilities.QuerySegmentSupported", false),
        Annotation::new("Capabilities.CrossJoinSupported", false),
        Annotation::new("Capabilities.AsynchronousRequestsSupported", false),
        Annotation::new(
            "Capabilities.BatchSupport",
            vec![
                ("Supported", true.into()),
                ("ContinueOnErrorSupported", true.into()),
                ("ReferencesInRequestBodiesSupported", false.into()),
                ("ReferencesAcrossChangeSetsSupported", false.into()),
                ("EtagReferencesSupported", false.into()),
                ("RequestDependencyConditionsSupported", false.into()),
                ("SupportedFormats", Expression::texts(["application/json"])),
            ],
        ),
    ]
}

/// Of the collections and entities in it.
pub(super) fn of_its_parts() -> Vec<Targeted> {
    let mut parts = vec![
        Targeted {
            target: "microsoft.graph.GraphService/security",
            annotations: vec![
                updatable(false),
                Annotation::new("Capabilities.DeleteRestrictions", not("Deletable")),
                Annotation::new("Capabilities.NavigationRestrictions", concurrency()),
            ],
        },
        Targeted {
            target: "microsoft.graph.GraphService/security/partner/securityAlerts",
            annotations: of_alerts(),
        },
        Targeted { target: "microsoft.graph.GraphService/subscriptions", annotations: of_subscriptions() },
    ];
    for target in [
        "microsoft.graph.GraphService/security/partner/securityScore/customerInsights",
        "microsoft.graph.GraphService/security/partner/securityScore/history",
        "microsoft.graph.GraphService/security/partner/securityScore/requirements",
    ] {
        parts.push(Targeted { target, annotations: of_score_parts() });
    }
    parts
}

fn of_alerts() -> Vec<Annotation> {
    let functions = Function::ALL.iter().map(|function| function.name());
    let not_filterable = alert_properties_that_refuse(|property| match property.ty {
        Type::Collection(_) => format!("$filter={}/any()", property.name),
        Type::Complex(_) => format!("$filter={}/Any eq 'x'", property.name),
        _ => format!("$filter={} ne null", property.name),
    });
    let not_sortable = alert_properties_that_refuse(|property| format!("$orderby={}", property.name));
    vec![
        Annotation::new("Capabilities.ReadRestrictions", readable()),
        Annotation::new("Capabilities.CountRestrictions", vec![("Countable", true.into())]),
        Annotation::new("Capabilities.SelectSupport", vec![("Supported", true.into())]),
        Annotation::new("Capabilities.TopSupported", true),
        Annotation::new("Capabilities.SkipSupported", true),
        Annotation::new("Capabilities.IndexableByKey", true),
        Annotation::new("Capabilities.ComputeSupported", false),
        Annotation::new("Capabilities.FilterFunctions", Expression::texts(functions)),
        Annotation::new(
            "Capabilities.FilterRestrictions",
            vec![
                ("Filterable", true.into()),
                ("NonFilterableProperties", Expression::properties(not_filterable)),
            ],
        ),
        Annotation::new(
            "Capabilities.SortRestrictions",
            vec![("Sortable", true.into()), ("NonSortableProperties", Expression::properties(not_sortable))],
        ),
        Annotation::new(
            "Capabilities.SearchRestrictions",
            vec![("Searchable", is_admitted("$search=word").into())],
        ),
        Annotation::new("Capabilities.ExpandRestrictions", not("Expandable")),
        Annotation::new("Capabilities.ChangeTracking", vec![("Supported", true.into())]),
        Annotation::new("Capabilities.InsertRestrictions", not("Insertable")),
        Annotation::new(
            "Capabilities.UpdateRestrictions",
            vec![
                ("Updatable", true.into()),
                ("UpdateMethod", Expression::Member("Capabilities.HttpMethod", "PATCH")),
                ("Permissions", permissions(&[READ_WRITE])),
                ("NonUpdatableProperties", Expression::properties(read_only_properties())),
                ("RequiredProperties", Expression::properties(WRITABLE.iter().copied().take(1))),
            ],
        ),
        Annotation::new("Capabilities.DeleteRestrictions", not("Deletable")),
    ]
}

fn of_subscriptions() -> Vec<Annotation> {
    vec![
        Annotation::new("Capabilities.ReadRestrictions", readable()),
        Annotation::new(
            "Capabilities.InsertRestrictions",
            vec![
                ("Insertable", true.into()),
                ("NonInsertableProperties", Expression::properties(["id", "applicationId", "creatorId"])),
                (
                    "RequiredProperties",
                    Expression::properties([
                        "changeType",
                        "expirationDateTime",
                        "notificationUrl",
                        "resource",
                    ]),
                ),
                ("Permissions", permissions(&[READ, READ_WRITE])),
            ],
        ),
        Annotation::new(
            "Capabilities.UpdateRestrictions",
            vec![
                ("Updatable", true.into()),
                ("UpdateMethod", Expression::Member("Capabilities.HttpMethod", "PATCH")),
                ("Permissions", permissions(&[READ, READ_WRITE])),
                ("RequiredProperties", Expression::properties(["expirationDateTime"])),
            ],
        ),
        Annotation::new("Capabilities.DeleteRestrictions", vec![("Deletable", true.into())]),
        Annotation::new("Capabilities.ExpandRestrictions", not("Expandable")),
    ]
}

/// Of what a score is made of: it is computed, so callers only read it.
fn of_score_parts() -> Vec<Annotation> {
    vec![
        Annotation::new("Capabilities.ReadRestrictions", readable()),
        Annotation::new("Capabilities.CountRestrictions", vec![("Countable", true.into())]),
        Annotation::new("Capabilities.IndexableByKey", true),
        Annotation::new("Capabilities.ExpandRestrictions", not("Expandable")),
        Annotation::new("Capabilities.InsertRestrictions", not("Insertable")),
        updatable(false),
        Annotation::new("Capabilities.DeleteRestrictions", not("Deletable")),
    ]
}

fn not(ability: &'static str) -> Record {
    vec![(ability, false.into())]
}

fn updatable(updatable: bool) -> Annotation {
    Annotation::new("Capabilities.UpdateRestrictions", vec![("Updatable", updatable.into())])
}

fn readable() -> Record {
    vec![("Readable", true.into()), ("Permissions", permissions(&[READ, READ_WRITE]))]
}

/// Alerts have ETags, and `If-Match` is heeded. The term for entity sets does not apply to contained
/// entities, which are described at what contains them.
fn concurrency() -> Record {
    let alerts = vec![
        ("NavigationProperty", Expression::Navigation("partner/securityAlerts")),
        ("OptimisticConcurrencyControl", true.into()),
    ];
    vec![("RestrictedProperties", Expression::Many(vec![Expression::Record(alerts)]))]
}

/// Any one of these scopes suffices, of a user with a work account and of an application alike. The
/// schemes' names are those of Microsoft Graph's own annotations.
fn permissions(scopes: &[&'static str]) -> Expression {
    let scopes = scopes.iter().map(|scope| Expression::Record(vec![("Scope", (*scope).into())]));
    let scopes = Expression::Many(scopes.collect());
    let scheme = |name: &'static str| {
        Expression::Record(vec![("SchemeName", name.into()), ("Scopes", scopes.clone())])
    };
    Expression::Many(vec![scheme("DelegatedWork"), scheme("Application")])
}

/// The alert's properties for which the checker refuses such a query.
fn alert_properties_that_refuse(query: impl Fn(&Property) -> String) -> Vec<&'static str> {
    let refused = |property: &&Property| !is_admitted(&query(property));
    store::alert_model().properties.iter().filter(refused).map(|property| property.name).collect()
}

/// Whether the checker lets a query pass.
fn is_admitted(query: &str) -> bool {
    crate::app::alerts::is_admitted(query)
}
