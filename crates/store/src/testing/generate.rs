//! Alerts, filters and orders at random, from small pools so that they meet.

use alerts::{Alert, Confidence, ResolvedReason, Severity, Status};
use chrono::{DateTime, Utc};
use odata::checked::{Comparison, Direction, Filter, Literal, Operand, PropertyPath, SortKey, TextTest};
use odata::model::Type;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};

use super::{AlertBuilder, path, time};
use crate::alert_model;

/// Texts that look alike to a careless comparison: case, accents, wildcards, nothing at all.
const TEXTS: &[&str] =
    &["", "a", "A", "ab", "a_b", "a%", "%", "né", "NÉ", "€ 12", "12", "9", "it's \"so\"", "low", "active"];

/// Times that are close, and finer than a database keeps them.
const TIMES: &[&str] = &[
    "1969-12-31T23:59:59.5Z",
    "2031-02-03T04:05:06Z",
    "2031-02-03T04:05:06.000001Z",
    "2031-02-03T04:05:06.0000017Z",
    "2031-02-03T04:05:07Z",
];

/// Paths into the open type; the last is in no alert.
const MEMBERS: &[&str] = &["additionalDetails/One", "additionalDetails/Two", "additionalDetails/None"];

/// Up to `max` alerts of one partner, with ids of their own that do not follow the order of arrival.
pub fn alerts(partner: String, max: usize) -> impl Strategy<Value = Vec<Alert>> {
    vec(alert(), 0..=max).prop_map(move |mut alerts| {
        for (n, alert) in alerts.iter_mut().enumerate() {
            alert.partner_tenant_id = partner.parse().expect("a partner tenant id");
            alert.body.id = format!("{}-{n}", n % 3).parse().expect("an alert id");
        }
        alerts
    })
}

/// A filter of a few comparisons and functions.
pub fn filter() -> impl Strategy<Value = Filter> {
    let leaf = prop_oneof![6 => comparison(), 2 => text_test(), 2 => membership(), 1 => boolean()];
    leaf.prop_recursive(4, 12, 2, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| Filter::And(Box::new(a), Box::new(b))),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| Filter::Or(Box::new(a), Box::new(b))),
            inner.prop_map(|a| Filter::Not(Box::new(a))),
        ]
    })
}

/// Up to three sort keys.
pub fn order() -> impl Strategy<Value = Vec<SortKey>> {
    let direction = select(vec![Direction::Ascending, Direction::Descending]);
    vec(
        (single_value(), direction)
            .prop_map(|(path, direction)| SortKey { by: Operand::Property(path), direction }),
        0..=3,
    )
}

fn alert() -> impl Strategy<Value = Alert> {
    let words = (word(), option::of(word()), option::of(word()), option::of(word()));
    let enums = (
        select(Severity::ALL),
        select(Confidence::ALL),
        select(Status::ALL),
        option::of(select(ResolvedReason::ALL)),
    );
    let times = (moment(), option::of(moment()), option::of(moment()), option::of(moment()));
    let owner = (select(vec!["c1", "c2"]), option::of(select(vec!["r1", "r2"])), option::of(any::<bool>()));
    (words, enums, times, owner, option::of(details())).prop_map(
        |(words, enums, times, (customer, reseller, is_test), details)| {
            let alert = AlertBuilder::new("p", "a").of(customer, reseller).with(|body| {
                (body.display_name, body.description, body.catalog_offer_id, body.resolved_by) = words;
                (body.severity, body.confidence_level, body.status, body.resolved_reason) = enums;
                (
                    body.detected_date_time,
                    body.first_observed_date_time,
                    body.last_observed_date_time,
                    body.resolved_on_date_time,
                ) = times;
                body.is_test = is_test;
                body.additional_details = details;
            });
            alert.build()
        },
    )
}

fn word() -> impl Strategy<Value = String> {
    select(TEXTS).prop_map(str::to_owned)
}

fn moment() -> impl Strategy<Value = DateTime<Utc>> {
    select(TIMES).prop_map(time)
}

/// Members of the open type; mostly strings, but an import may bring anything.
fn details() -> impl Strategy<Value = Map<String, Value>> {
    let value = prop_oneof![
        4 => word().prop_map(Value::from),
        1 => Just(Value::Null),
        1 => (-12_i64..13).prop_map(Value::from),
        1 => any::<bool>().prop_map(Value::from),
        1 => Just(json!(["a", 12])),
        1 => Just(json!({ "b": 1, "a": "12" })),
    ];
    (option::of(value.clone()), option::of(value)).prop_map(|(one, two)| {
        let members = [("One", one), ("Two", two)];
        members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
    })
}

/// Any path that ends in a single value.
fn single_value() -> impl Strategy<Value = PropertyPath> {
    let declared = alert_model()
        .properties
        .iter()
        .filter(|property| !matches!(property.ty, Type::Complex(_) | Type::Collection(_)))
        .map(|property| property.name);
    select(declared.chain(MEMBERS.iter().copied()).collect::<Vec<_>>()).prop_map(path)
}

fn text_path() -> impl Strategy<Value = PropertyPath> {
    select(["displayName", "description", "resolvedBy", "customerTenantId", MEMBERS[0], MEMBERS[2]].to_vec())
        .prop_map(path)
}

fn literal(ty: Type) -> BoxedStrategy<Literal> {
    let value = match ty {
        Type::Boolean => any::<bool>().prop_map(Literal::Boolean).boxed(),
        Type::DateTimeOffset => moment().prop_map(Literal::DateTime).boxed(),
        Type::Enum(enumeration) => {
            (0..enumeration.members.len()).prop_map(move |index| Literal::Enum(enumeration, index)).boxed()
        }
        Type::String
        | Type::Int64
        | Type::Double
        | Type::Date
        | Type::TimeOfDay
        | Type::Duration
        | Type::Complex(_)
        | Type::Collection(_) => {
            prop_oneof![word(), select(vec!["c1", "r1", "0-0", "1-1"]).prop_map(str::to_owned)]
                .prop_map(Literal::String)
                .boxed()
        }
    };
    prop_oneof![1 => Just(Literal::Null), 6 => value].boxed()
}

fn comparison() -> impl Strategy<Value = Filter> {
    let operators =
        vec![Comparison::Eq, Comparison::Ne, Comparison::Lt, Comparison::Le, Comparison::Gt, Comparison::Ge];
    (select(operators), operands())
        .prop_map(|(operator, (left, right))| Filter::Compare(left, operator, right))
}

/// Two operands of one type: property and literal either way round; seldom two of the same kind.
fn operands() -> impl Strategy<Value = (Operand, Operand)> {
    let with_literal = (single_value(), any::<bool>()).prop_flat_map(|(path, literal_first)| {
        literal(path.ty).prop_map(move |literal| {
            let (property, literal) = (Operand::Property(path.clone()), Operand::Literal(literal));
            if literal_first { (literal, property) } else { (property, literal) }
        })
    });
    let texts = (text_path(), text_path())
        .prop_map(|(left, right)| (Operand::Property(left), Operand::Property(right)));
    let times = select(vec!["firstObservedDateTime", "lastObservedDateTime", "detectedDateTime"]);
    let times = (times.clone(), times)
        .prop_map(|(left, right)| (Operand::Property(path(left)), Operand::Property(path(right))));
    let literals = (literal(Type::String), literal(Type::String))
        .prop_map(|(left, right)| (Operand::Literal(left), Operand::Literal(right)));
    prop_oneof![10 => with_literal, 1 => texts, 1 => times, 1 => literals]
}

fn text_test() -> impl Strategy<Value = Filter> {
    let tests = select(vec![TextTest::Contains, TextTest::StartsWith, TextTest::EndsWith]);
    let operand = || {
        prop_oneof![text_path().prop_map(Operand::Property), literal(Type::String).prop_map(Operand::Literal)]
    };
    (tests, operand(), operand()).prop_map(|(test, text, part)| Filter::Text(test, text, part))
}

fn membership() -> impl Strategy<Value = Filter> {
    single_value()
        .prop_flat_map(|path| (vec(literal(path.ty), 0..4), Just(path)))
        .prop_map(|(list, path)| Filter::In(Operand::Property(path), list))
}

fn boolean() -> impl Strategy<Value = Filter> {
    prop_oneof![
        2 => Just(Operand::Property(path("isTest"))),
        1 => any::<bool>().prop_map(|value| Operand::Literal(Literal::Boolean(value))),
        1 => Just(Operand::Literal(Literal::Null)),
    ]
    .prop_map(Filter::Is)
}
