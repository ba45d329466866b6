//! Alerts, findings and filters in few words. Everything here panics on text that makes no sense.

use alerts::{Alert, Confidence, Finding, Origin, PartnerSecurityAlert, Severity, Status};
use chrono::{DateTime, Utc};
use odata::check::check_filter;
use odata::checked::{
    CollectionPath, Comparison, Direction, Filter, Literal, Operand, PropertyPath, Root, SortKey, TextTest,
};
use odata::model::Type;
use odata::parser::parse_filter;
use odata::{Limits, Model};
use serde_json::{Map, Value};

use crate::alert_model;

/// An alert with something in every property that must have it.
#[derive(Debug, Clone)]
pub struct AlertBuilder(Alert);

impl AlertBuilder {
    /// An imported, active alert of customer `c` and subscription `s`, detected at 2031-02-03T04:00Z.
    #[must_use]
    pub fn new(partner: &str, id: &str) -> Self {
        Self(Alert {
            partner_tenant_id: partner.parse().expect("a partner tenant id"),
            origin: Origin::Imported,
            body: PartnerSecurityAlert {
                id: id.parse().expect("an alert id"),
                alert_type: "VM_AnomalousDeployment".to_owned(),
                display_name: "Unusual virtual machines".to_owned(),
                description: None,
                severity: Severity::Medium,
                confidence_level: Confidence::Medium,
                status: Status::Active,
                detected_date_time: time("2031-02-03T04:00:00Z"),
                first_observed_date_time: None,
                last_observed_date_time: None,
                customer_tenant_id: "c".parse().expect("a customer tenant id"),
                subscription_id: "s".parse().expect("a subscription id"),
                value_added_reseller_tenant_id: None,
                catalog_offer_id: None,
                resolved_by: None,
                resolved_on_date_time: None,
                resolved_reason: None,
                is_test: Some(false),
                affected_resources: Vec::new(),
                additional_details: None,
                activity_logs: Vec::new(),
            },
        })
    }

    /// Whose it is: the customer, and the reseller if there is one.
    #[must_use]
    pub fn of(self, customer: &str, reseller: Option<&str>) -> Self {
        self.with(|body| {
            body.customer_tenant_id = customer.parse().expect("a customer tenant id");
            body.value_added_reseller_tenant_id =
                reseller.map(|id| id.parse().expect("a reseller tenant id"));
        })
    }

    /// The alert changed in any way.
    #[must_use]
    pub fn with(mut self, change: impl FnOnce(&mut PartnerSecurityAlert)) -> Self {
        change(&mut self.0.body);
        self
    }

    /// A name and value of `additionalDetails`.
    #[must_use]
    pub fn detail(self, name: &str, value: impl Into<Value>) -> Self {
        self.with(|body| {
            body.additional_details.get_or_insert_default().insert(name.to_owned(), value.into());
        })
    }

    /// The alert.
    #[must_use]
    pub fn build(self) -> Alert {
        self.0
    }
}

/// A finding of detector `d` in subscription `s`, without customer or reseller, observed for an hour
/// until `last`.
#[must_use]
pub fn finding(partner: &str, grouping_key: &str, last: &str) -> Finding {
    let last = time(last);
    Finding {
        detector_id: "d".to_owned(),
        alert_type: "CryptoMining".to_owned(),
        title: "Mining".to_owned(),
        description: format!("seen until {last}"),
        severity: Severity::High,
        confidence: Confidence::High,
        partner_tenant_id: partner.parse().expect("a partner tenant id"),
        customer_tenant_id: None,
        reseller_tenant_id: None,
        subscription_id: "s".parse().expect("a subscription id"),
        grouping_key: grouping_key.to_owned(),
        first_observed_at: last - chrono::Duration::hours(1),
        last_observed_at: last,
        resources: Vec::new(),
        details: Map::new(),
    }
}

/// A time from its ISO 8601 text.
#[must_use]
pub fn time(text: &str) -> DateTime<Utc> {
    text.parse().expect("a time")
}

/// The path to a property of the alert, or to a member of `additionalDetails`.
#[must_use]
pub fn path(path: &str) -> PropertyPath {
    let segments: Vec<String> = path.split('/').map(str::to_owned).collect();
    let property = alert_model().property(&segments[0]).expect("a declared property");
    if segments.len() == 1 {
        PropertyPath { root: Root::Entity, segments, ty: property.ty, nullable: property.nullable }
    } else {
        PropertyPath { root: Root::Entity, segments, ty: Type::String, nullable: true }
    }
}

/// The path to a collection of the alert.
#[must_use]
pub fn collection(property: &str) -> CollectionPath {
    let Some(Type::Collection(item)) = alert_model().property(property).map(|property| property.ty) else {
        panic!("{property} is no collection")
    };
    CollectionPath { root: Root::Entity, segments: vec![property.to_owned()], item }
}

/// A property of an item, so many collections further out.
#[must_use]
pub fn of_item(collection: &CollectionPath, outwards: usize, property: &str) -> Operand {
    let found = collection.item.property(property).expect("a declared property");
    Operand::Property(PropertyPath {
        root: Root::Item(outwards),
        segments: vec![property.to_owned()],
        ty: found.ty,
        nullable: found.nullable,
    })
}

/// A property as an operand.
#[must_use]
pub fn operand(property: &str) -> Operand {
    Operand::Property(path(property))
}

/// A literal as an operand.
#[must_use]
pub fn value(literal: Literal) -> Operand {
    Operand::Literal(literal)
}

/// The literal of a property's type that is written so; `null` is null.
#[must_use]
pub fn literal(property: &str, text: &str) -> Literal {
    if text == "null" {
        return Literal::Null;
    }
    match path(property).ty {
        Type::String => Literal::String(text.to_owned()),
        Type::Boolean => Literal::Boolean(text.parse().expect("true or false")),
        Type::Int64 => Literal::Int(text.parse().expect("a whole number")),
        Type::Double => Literal::Double(text.parse().expect("a number")),
        Type::DateTimeOffset => Literal::DateTime(time(text)),
        Type::Enum(enumeration) => {
            let index = enumeration.members.iter().position(|member| *member == text);
            Literal::Enum(enumeration, index.expect("a member of the enumeration"))
        }
        Type::Date | Type::TimeOfDay | Type::Duration | Type::Complex(_) | Type::Collection(_) => {
            panic!("no property has such a type, or it has no literals: {property}")
        }
    }
}

/// A filter from its text, at 2031-02-04T00:00:00Z.
#[must_use]
pub fn checked(text: &str) -> Filter {
    let model = Model { entity: alert_model(), default_orderby: "", namespace_aliases: &[], searchable: &[] };
    let tree = parse_filter(text, &Limits::default()).unwrap_or_else(|error| panic!("{text}: {error}"));
    check_filter(&tree, text, &model, time("2031-02-04T00:00:00Z"))
        .unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// A property compared with a literal.
#[must_use]
pub fn compare(property: &str, comparison: Comparison, text: &str) -> Filter {
    Filter::Compare(operand(property), comparison, value(literal(property, text)))
}

/// A string function of a property and a text.
#[must_use]
pub fn text(test: TextTest, property: &str, part: &str) -> Filter {
    Filter::Text(test, operand(property), value(Literal::String(part.to_owned())))
}

/// A property as a sort key.
#[must_use]
pub fn sort_key(property: &str, direction: Direction) -> SortKey {
    SortKey { by: operand(property), direction }
}
