//! Alerts, filters and orders at random, from small pools so that they meet.

use alerts::{ActivityLog, AffectedResource, Alert, Confidence, ResolvedReason, Severity, Status};
use chrono::{DateTime, Utc};
use odata::checked::{Direction, SortKey};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};

use super::{AlertBuilder, time};

mod filter;
mod operand;

pub use filter::filter;

/// Texts that look alike to a careless comparison: case, accents, wildcards, nothing at all.
const TEXTS: &[&str] = &[
    "",
    "a",
    "A",
    "ab",
    "a_b",
    "a%",
    "%",
    "a ",
    " a\u{a0}",
    "né",
    "NÉ",
    "ne\u{301}",
    "€ 12",
    "12",
    "9",
    "it's \"so\"",
    "low",
    "active",
    "straße",
    "STRASSE",
    "ΟΔΟΣ",
    "İi",
    "\u{1f600}a",
    "\\u0000\\",
    "/s/a/vm-1",
];

/// Times that are close, and finer than a database keeps them.
const TIMES: &[&str] = &[
    "1969-12-31T23:59:59.5Z",
    "2031-02-03T04:05:06Z",
    "2031-02-03T04:05:06.000001Z",
    "2031-02-03T04:05:06.0000017Z",
    "2031-02-03T04:05:07Z",
];

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

/// Up to three sort keys.
pub fn order() -> impl Strategy<Value = Vec<SortKey>> {
    let direction = select(vec![Direction::Ascending, Direction::Descending]);
    let by = prop_oneof![3 => operand::property(), 1 => operand::any_type(1)];
    vec((by, direction).prop_map(|(by, direction)| SortKey { by, direction }), 0..=3)
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
    let collections = (vec(resource(), 0..4), vec(activity(), 0..4));
    (words, enums, times, owner, option::of(details()), collections).prop_map(
        |(words, enums, times, (customer, reseller, is_test), details, collections)| {
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
                (body.affected_resources, body.activity_logs) = collections;
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

fn resource() -> impl Strategy<Value = AffectedResource> {
    let id = select(TEXTS).prop_filter_map("an id is not empty", |text| text.parse().ok());
    (id, word()).prop_map(|(resource_id, resource_type)| AffectedResource { resource_id, resource_type })
}

fn activity() -> impl Strategy<Value = ActivityLog> {
    (select(Status::ALL), select(Status::ALL), word(), moment()).prop_map(
        |(status_from, status_to, updated_by, updated_date_time)| ActivityLog {
            status_from,
            status_to,
            updated_by,
            updated_date_time,
        },
    )
}
