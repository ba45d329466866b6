//! Reading one alert and many.

use std::sync::Arc;

use alerts::{ResolvedReason, Severity, Status};
use odata::checked::{Comparison, Direction, Filter, Literal, SortKey, TextTest};

use super::{id, ids, partner, put, query};
use crate::testing::{AlertBuilder, compare, literal, operand, sort_key, text, time};
use crate::{AlertQuery, Position, Store, StoreError, default_order};

pub async fn an_alert_is_served_to_the_letter<S: Store>(store: Arc<S>) {
    let alert = AlertBuilder::new("p", "AbC")
        .with(|body| body.description = Some("it's \"so\", naïve 50 %".to_owned()))
        .detail("VmCount", "12")
        .detail("Regions", vec!["west", "east"])
        .build();
    put(&*store, std::slice::from_ref(&alert)).await;
    let body = store.alert(&partner("p"), &id("AbC")).await.unwrap().unwrap();
    assert_eq!(body.json, serde_json::to_string(&alert.body).unwrap());
    assert_eq!(store.alert(&partner("p"), &id("abc")).await.unwrap(), None, "ids have their case");
}

/// Four alerts that differ in one thing after another.
async fn four<S: Store>(store: &S) {
    let detected = |n: usize| time(&format!("2031-02-0{n}T04:00:00Z"));
    put(
        store,
        &[
            AlertBuilder::new("p", "a1")
                .of("c1", Some("r1"))
                .with(|body| {
                    body.detected_date_time = detected(1);
                    body.severity = Severity::High;
                    body.description = Some("Mining pool".to_owned());
                })
                .detail("VmCount", "12")
                .build(),
            AlertBuilder::new("p", "a2")
                .of("c1", None)
                .with(|body| {
                    body.detected_date_time = detected(2);
                    body.severity = Severity::Informational;
                    body.is_test = None;
                })
                .detail("VmCount", "9")
                .build(),
            AlertBuilder::new("p", "a3")
                .of("c2", None)
                .with(|body| {
                    body.detected_date_time = detected(3);
                    body.severity = Severity::Low;
                    body.status = Status::Resolved;
                    body.resolved_by = Some("ann".to_owned());
                    body.resolved_reason = Some(ResolvedReason::Fraud);
                    body.resolved_on_date_time = Some(detected(4));
                    body.description = Some("mining%".to_owned());
                })
                .build(),
            AlertBuilder::new("p", "a4")
                .of("c2", None)
                .with(|body| {
                    body.detected_date_time = detected(3);
                    body.is_test = Some(true);
                })
                .build(),
        ],
    )
    .await;
}

pub async fn filters_leave_what_they_say<S: Store>(store: Arc<S>) {
    use Comparison::{Eq, Ge, Gt, Le, Lt, Ne};
    four(&*store).await;
    let not = |filter: Filter| Filter::Not(Box::new(filter));
    let both = |left: Filter, right: Filter| Filter::And(Box::new(left), Box::new(right));
    let either = |left: Filter, right: Filter| Filter::Or(Box::new(left), Box::new(right));
    let one_of = |property: &str, list: &[&str]| {
        Filter::In(operand(property), list.iter().map(|text| literal(property, text)).collect())
    };
    for (filter, expected) in [
        (compare("status", Eq, "active"), "a1 a2 a4"),
        (compare("status", Ne, "active"), "a3"),
        (compare("severity", Gt, "low"), "a1 a4"),
        (compare("severity", Le, "low"), "a2 a3"),
        (compare("detectedDateTime", Ge, "2031-02-02T04:00:00Z"), "a2 a3 a4"),
        (compare("detectedDateTime", Lt, "2031-02-02T04:00:00Z"), "a1"),
        (compare("resolvedBy", Eq, "null"), "a1 a2 a4"),
        (compare("resolvedBy", Ne, "null"), "a3"),
        (compare("resolvedBy", Ne, "ann"), "a1 a2 a4"),
        (compare("resolvedBy", Gt, "a"), "a3"),
        (not(compare("resolvedBy", Gt, "a")), "a1 a2 a4"),
        (compare("resolvedReason", Eq, "fraud"), "a3"),
        (compare("isTest", Eq, "false"), "a1 a3"),
        (Filter::Is(operand("isTest")), "a4"),
        (not(Filter::Is(operand("isTest"))), "a1 a3"),
        (text(TextTest::Contains, "description", "ining"), "a1 a3"),
        (text(TextTest::StartsWith, "description", "Mining"), "a1"),
        (text(TextTest::EndsWith, "description", "%"), "a3"),
        (not(text(TextTest::Contains, "description", "pool")), "a3"),
        (text(TextTest::EndsWith, "id", "a much longer text than any id"), ""),
        (one_of("id", &["a1", "a4", "zz"]), "a1 a4"),
        (one_of("resolvedBy", &["ann", "null"]), "a1 a2 a3 a4"),
        (not(one_of("resolvedBy", &["bob"])), "a1 a2 a3 a4"),
        (not(one_of("resolvedBy", &["bob", "null"])), "a3"),
        (one_of("severity", &[]), ""),
        (compare("additionalDetails/VmCount", Eq, "12"), "a1"),
        (compare("additionalDetails/VmCount", Eq, "null"), "a3 a4"),
        (compare("additionalDetails/VmCount", Gt, "5"), "a2"),
        (both(compare("status", Eq, "active"), compare("severity", Eq, "high")), "a1"),
        (either(compare("id", Eq, "a2"), not(compare("status", Eq, "active"))), "a2 a3"),
    ] {
        let found = ids(&*store, &partner("p"), &query(Some(filter.clone()), Vec::new())).await;
        assert_eq!(found, expected, "{filter:?}");
        let count = store.count_alerts(&partner("p"), Some(&filter), None).await.unwrap();
        assert_eq!(count, expected.split_whitespace().count() as u64, "{filter:?}");
    }
}

pub async fn orders_go_by_meaning_and_put_null_lowest<S: Store>(store: Arc<S>) {
    use Direction::{Ascending, Descending};
    four(&*store).await;
    for (order, expected) in [
        (Vec::new(), "a1 a2 a3 a4"),
        (default_order(), "a4 a3 a2 a1"),
        (vec![sort_key("severity", Descending)], "a1 a4 a3 a2"),
        (vec![sort_key("severity", Ascending)], "a2 a3 a4 a1"),
        (vec![sort_key("description", Ascending)], "a2 a4 a1 a3"),
        (vec![sort_key("description", Descending)], "a3 a1 a4 a2"),
        (
            vec![sort_key("customerTenantId", Ascending), sort_key("detectedDateTime", Descending)],
            "a2 a1 a4 a3",
        ),
        (vec![sort_key("additionalDetails/VmCount", Descending)], "a2 a1 a4 a3"),
    ] {
        let found = ids(&*store, &partner("p"), &query(None, order.clone())).await;
        assert_eq!(found, expected, "{order:?}");
    }
}

pub async fn pages_follow_each_other<S: Store>(store: Arc<S>) {
    four(&*store).await;
    let pages = async |order: Vec<SortKey>, limit: usize, skip: u64| {
        let mut query = AlertQuery { filter: None, search: None, order, limit, skip, after: None };
        let mut pages = Vec::new();
        loop {
            pages.push(ids(&*store, &partner("p"), &query).await);
            let page = store.list_alerts(&partner("p"), &query).await.unwrap();
            query = AlertQuery { skip: 0, after: page.next, ..query };
            if query.after.is_none() {
                return pages.join(" | ");
            }
        }
    };
    assert_eq!(pages(default_order(), 3, 0).await, "a4 a3 a2 | a1");
    assert_eq!(pages(default_order(), 2, 0).await, "a4 a3 | a2 a1", "a full last page has no next");
    assert_eq!(pages(default_order(), 1, 2).await, "a2 | a1");
    assert_eq!(pages(default_order(), 9, 9).await, "");
    let mixed =
        vec![sort_key("description", Direction::Descending), sort_key("severity", Direction::Ascending)];
    assert_eq!(pages(mixed, 1, 0).await, "a3 | a1 | a2 | a4");
}

/// Which way a database takes to the alerts of a page depends on the filter; their order does not.
pub async fn a_filter_that_leaves_all_leaves_their_order<S: Store>(store: Arc<S>) {
    let statuses = [Status::Active, Status::Resolved, Status::Investigating];
    let severities = [Severity::High, Severity::Low, Severity::Informational, Severity::Medium];
    let alerts: Vec<_> = (0..24_usize)
        .map(|n| {
            AlertBuilder::new("p", &format!("a{:02}", (n * 7) % 24))
                .of(&format!("c{}", n % 5), None)
                .with(|body| {
                    body.detected_date_time = time(&format!("2031-02-0{}T04:00:00Z", 1 + n % 4));
                    body.last_observed_date_time = (n % 3 > 0).then_some(body.detected_date_time);
                    body.severity = severities[n % 4];
                    body.status = statuses[n % 3];
                    body.display_name = format!("title {}", n % 6);
                    body.resolved_reason = (n % 3 == 1).then_some(ResolvedReason::Fraud);
                })
                .detail("DetectorId", "seldom_fires")
                .build()
        })
        .collect();
    put(&*store, &alerts).await;
    let pages = async |filter: Option<Filter>, order: Vec<SortKey>| {
        let mut query = AlertQuery { filter, search: None, order, limit: 5, skip: 0, after: None };
        let mut pages = Vec::new();
        loop {
            pages.push(ids(&*store, &partner("p"), &query).await);
            let page = store.list_alerts(&partner("p"), &query).await.unwrap();
            query.after = page.next;
            if query.after.is_none() {
                return pages.join(" | ");
            }
        }
    };
    let known = compare("status", Comparison::Ne, "unknownFutureValue");
    let severe = compare("severity", Comparison::Ge, "informational");
    let of_detector = compare("additionalDetails/DetectorId", Comparison::Eq, "seldom_fires");
    let both = Filter::And(Box::new(known.clone()), Box::new(of_detector.clone()));
    for property in [
        "id",
        "detectedDateTime",
        "lastObservedDateTime",
        "customerTenantId",
        "subscriptionId",
        "displayName",
        "severity",
        "status",
        "resolvedReason",
    ] {
        for direction in [Direction::Ascending, Direction::Descending] {
            let order = || vec![sort_key(property, direction), default_order().remove(0)];
            let expected = pages(None, order()).await;
            assert_eq!(expected.matches(" | ").count(), 4, "{expected}");
            for filter in [&known, &severe, &of_detector, &both] {
                let found = pages(Some(filter.clone()), order()).await;
                assert_eq!(found, expected, "{property} {direction:?} of {filter:?}");
            }
        }
    }
}

/// A text is itself, anything else its JSON, and what is not there is null: whether an index holds it or not.
pub async fn detectors_that_details_name_are_compared_as_any_open_member<S: Store>(store: Arc<S>) {
    let named = |id: &str, detector: serde_json::Value| {
        AlertBuilder::new("p", id).detail("DetectorId", detector.clone()).detail("Other", detector).build()
    };
    let alerts = [
        named("a1", "mining".into()),
        named("a2", 12.into()),
        named("a3", serde_json::json!(["mining"])),
        named("a4", serde_json::Value::Null),
        AlertBuilder::new("p", "a5").build(),
        named("a6", "it's \"so\"".into()),
    ];
    put(&*store, &alerts).await;
    let count = async |filter: &Filter| store.count_alerts(&partner("p"), Some(filter), None).await.unwrap();
    for (comparison, text, expected) in [
        (Comparison::Eq, "mining", 1),
        (Comparison::Ne, "mining", 5),
        (Comparison::Eq, "12", 1),
        (Comparison::Eq, "null", 2),
        (Comparison::Ne, "null", 4),
        (Comparison::Eq, "it's \"so\"", 1),
        (Comparison::Gt, "m", 1),
    ] {
        for member in ["additionalDetails/DetectorId", "additionalDetails/Other"] {
            let filter = compare(member, comparison, text);
            assert_eq!(count(&filter).await, expected, "{member} {comparison:?} {text}");
        }
    }
}

pub async fn what_makes_no_page_is_refused<S: Store>(store: Arc<S>) {
    four(&*store).await;
    let after = |keys: Vec<Literal>| Some(Position { keys, id: "a1".to_owned() });
    let page = |limit: usize, after: Option<Position>| AlertQuery {
        filter: None,
        search: None,
        order: default_order(),
        limit,
        skip: 0,
        after,
    };
    for query in [
        page(0, None),
        page(1, after(vec![])),
        page(1, after(vec![Literal::String("2031".to_owned())])),
        page(1, after(vec![Literal::Null, Literal::Null])),
    ] {
        let refused = store.list_alerts(&partner("p"), &query).await;
        assert!(matches!(refused, Err(StoreError::Unsupported(_))), "{query:?}: {refused:?}");
    }
}
