//! The entity that callers query, and where each of its properties is stored.
//!
//! Both come from one table, so a property cannot be declared without saying how it is stored.
//! Names, types and nullability are those of the published CSDL (`schemas/beta-Prod.csdl` of
//! microsoftgraph/msgraph-metadata, schema `microsoft.graph.partner.security`), but for the last, which
//! is ours: `lastModifiedDateTime` has Graph's usual name, and stands beside the stored JSON.

use alerts::{Confidence, ResolvedReason, Severity, Status};
use odata::checked::{Direction, Operand, PropertyPath, Root, SortKey};
use odata::model::{EnumType, Property, StructuredType, Type};

/// `microsoft.graph.partner.security.partnerSecurityAlert`.
#[must_use]
pub fn alert_model() -> &'static StructuredType {
    &ALERT
}

/// The order of a list whose caller asks for none: the newest detection first.
#[must_use]
pub fn default_order() -> Vec<SortKey> {
    let path = PropertyPath {
        root: Root::Entity,
        segments: vec!["detectedDateTime".to_owned()],
        ty: Type::DateTimeOffset,
        nullable: false,
    };
    vec![SortKey { by: Operand::Property(path), direction: Direction::Descending }]
}

/// How a property of the alert is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stored {
    /// In a column of its own, which can be filtered and sorted by.
    Column(&'static str),
    /// Only inside the alert's JSON; its members can be reached by path.
    OpenMembers,
    /// Only inside the alert's JSON, out of reach of filters.
    BodyOnly,
}

/// How the declared property of that name is stored.
pub(crate) fn stored(property: &str) -> Option<Stored> {
    STORED.iter().find(|(name, _)| *name == property).map(|(_, stored)| *stored)
}

/// The detector that an alert's details name: the one open member by which alerts are filtered all day. It has no
/// column, but a database may have it in an index.
pub(crate) const NAMED_DETECTOR: &str = "additionalDetails/DetectorId";

/// Whether a path leads to [`NAMED_DETECTOR`].
pub(crate) fn names_detector(property: &str, member: &str) -> bool {
    NAMED_DETECTOR.split_once('/') == Some((property, member))
}

/// The rank by meaning of an enumeration's member, for those that have one.
///
/// Severity and confidence are stored and compared by rank. The numbers of the CSDL are in no useful
/// order, and neither is the alphabet. The other enumerations are compared by their text.
pub(crate) fn rank(enumeration: &EnumType, member: &str) -> Option<i64> {
    if *enumeration == SEVERITY {
        Some(Severity::from_wire(member).rank().into())
    } else if *enumeration == CONFIDENCE {
        Some(Confidence::from_wire(member).rank().into())
    } else {
        None
    }
}

/// Whether the members of an enumeration have a rank.
pub(crate) fn is_ranked(enumeration: &EnumType) -> bool {
    *enumeration == SEVERITY || *enumeration == CONFIDENCE
}

/// The member that [`rank`] gives this rank.
pub(crate) fn ranked_member(enumeration: &'static EnumType, wanted: i64) -> Option<usize> {
    enumeration.members.iter().position(|member| rank(enumeration, member) == Some(wanted))
}

static SEVERITY: EnumType = EnumType {
    name: Severity::WIRE_NAME,
    members: &["informational", "high", "medium", "low", "unknownFutureValue"],
};

static CONFIDENCE: EnumType =
    EnumType { name: Confidence::WIRE_NAME, members: &["low", "medium", "high", "unknownFutureValue"] };

static STATUS: EnumType = EnumType {
    name: Status::WIRE_NAME,
    members: &["active", "resolved", "investigating", "unknownFutureValue"],
};

static RESOLVED_REASON: EnumType = EnumType {
    name: ResolvedReason::WIRE_NAME,
    members: &["legitimate", "ignore", "fraud", "unknownFutureValue"],
};

static AFFECTED_RESOURCE: StructuredType = StructuredType {
    name: "microsoft.graph.partner.security.affectedResource",
    properties: &[
        Property { name: "resourceId", ty: Type::String, nullable: false },
        Property { name: "resourceType", ty: Type::String, nullable: false },
    ],
    open: false,
};

static ACTIVITY_LOG: StructuredType = StructuredType {
    name: "microsoft.graph.partner.security.activityLog",
    properties: &[
        Property { name: "statusFrom", ty: Type::Enum(&STATUS), nullable: false },
        Property { name: "statusTo", ty: Type::Enum(&STATUS), nullable: false },
        Property { name: "updatedBy", ty: Type::String, nullable: false },
        Property { name: "updatedDateTime", ty: Type::DateTimeOffset, nullable: false },
    ],
    open: false,
};

static ADDITIONAL_DATA: StructuredType = StructuredType {
    name: "microsoft.graph.partner.security.additionalDataDictionary",
    properties: &[],
    open: true,
};

macro_rules! alert_properties {
    ($($name:literal: $ty:expr, nullable $nullable:literal, $stored:expr;)+) => {
        static ALERT: StructuredType = StructuredType {
            name: "microsoft.graph.partner.security.partnerSecurityAlert",
            properties: &[$(Property { name: $name, ty: $ty, nullable: $nullable }),+],
            open: false,
        };

        static STORED: &[(&str, Stored)] = &[$(($name, $stored)),+];
    };
}

alert_properties! {
    "id": Type::String, nullable false, Stored::Column("id");
    "alertType": Type::String, nullable false, Stored::Column("alert_type");
    "displayName": Type::String, nullable false, Stored::Column("display_name");
    "description": Type::String, nullable true, Stored::Column("description");
    "severity": Type::Enum(&SEVERITY), nullable false, Stored::Column("severity_rank");
    "confidenceLevel": Type::Enum(&CONFIDENCE), nullable false, Stored::Column("confidence_rank");
    "status": Type::Enum(&STATUS), nullable false, Stored::Column("status");
    "detectedDateTime": Type::DateTimeOffset, nullable false, Stored::Column("detected_at");
    "firstObservedDateTime": Type::DateTimeOffset, nullable true, Stored::Column("first_observed_at");
    "lastObservedDateTime": Type::DateTimeOffset, nullable true, Stored::Column("last_observed_at");
    "customerTenantId": Type::String, nullable false, Stored::Column("customer_tenant_id");
    "subscriptionId": Type::String, nullable false, Stored::Column("subscription_id");
    "valueAddedResellerTenantId": Type::String, nullable true, Stored::Column("reseller_tenant_id");
    "catalogOfferId": Type::String, nullable true, Stored::Column("catalog_offer_id");
    "resolvedBy": Type::String, nullable true, Stored::Column("resolved_by");
    "resolvedOnDateTime": Type::DateTimeOffset, nullable true, Stored::Column("resolved_at");
    "resolvedReason": Type::Enum(&RESOLVED_REASON), nullable true, Stored::Column("resolved_reason");
    "isTest": Type::Boolean, nullable true, Stored::Column("is_test");
    "affectedResources": Type::Collection(&AFFECTED_RESOURCE), nullable false, Stored::BodyOnly;
    "additionalDetails": Type::Complex(&ADDITIONAL_DATA), nullable true, Stored::OpenMembers;
    "activityLogs": Type::Collection(&ACTIVITY_LOG), nullable false, Stored::BodyOnly;
    "lastModifiedDateTime": Type::DateTimeOffset, nullable false, Stored::Column("modified_at");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::AlertBuilder;

    #[test]
    fn the_model_declares_what_the_wire_shows() {
        let wire = serde_json::to_value(AlertBuilder::new("p", "a").build().body).unwrap();
        let shown: Vec<&str> = wire.as_object().unwrap().keys().map(String::as_str).collect();
        let declared: Vec<&str> = alert_model().properties.iter().map(|property| property.name).collect();
        let (ours, published) = declared.split_last().unwrap();
        assert_eq!(published, shown);
        assert_eq!(*ours, "lastModifiedDateTime", "not in the stored JSON");
    }

    #[test]
    fn every_single_value_has_a_column() {
        for property in alert_model().properties {
            let stored = stored(property.name).unwrap();
            let expected_column = !matches!(property.ty, Type::Complex(_) | Type::Collection(_));
            assert_eq!(matches!(stored, Stored::Column(_)), expected_column, "{}", property.name);
        }
    }

    #[test]
    fn the_enumerations_are_those_of_the_domain() {
        fn check<T: Copy>(declared: &EnumType, all: &[T], text: impl Fn(T) -> &'static str) {
            let members: Vec<&str> = all.iter().map(|member| text(*member)).collect();
            assert_eq!(declared.members, members, "{}", declared.name);
        }
        check(&SEVERITY, Severity::ALL, Severity::as_str);
        check(&CONFIDENCE, Confidence::ALL, Confidence::as_str);
        check(&STATUS, Status::ALL, Status::as_str);
        check(&RESOLVED_REASON, ResolvedReason::ALL, ResolvedReason::as_str);
    }

    #[test]
    fn a_rank_names_one_member() {
        for enumeration in [&SEVERITY, &CONFIDENCE] {
            for (index, member) in enumeration.members.iter().enumerate() {
                let rank = rank(enumeration, member).unwrap();
                assert_eq!(ranked_member(enumeration, rank), Some(index), "{member}");
            }
        }
        assert_eq!(rank(&STATUS, "active"), None);
    }
}
