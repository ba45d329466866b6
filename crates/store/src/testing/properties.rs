//! What holds of any alerts, filters and orders. A failure is a panic that shows what disagreed.

use std::sync::atomic::{AtomicUsize, Ordering};

use alerts::{Alert, Scope};
use odata::checked::{Filter, Search, SortKey};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use serde_json::Value;
use tokio::runtime::Runtime;

use super::{evaluate, finds, generate, in_order, search, time};
use crate::{AlertBody, AlertQuery, Store};

/// [`a_filter_agrees`] for so many random cases.
///
/// # Panics
///
/// If it does not; shows the smallest case that was found.
pub fn filters_agree<S: Store>(runtime: &Runtime, store: &S, cases: u32) {
    let input = Just(()).prop_flat_map(|()| (generate::alerts(fresh_partner(), 12), generate::filter()));
    check(cases, &input, |(alerts, filter)| {
        runtime.block_on(a_filter_agrees(store, &alerts, &filter));
    });
}

/// [`a_search_agrees`] for so many random cases.
///
/// # Panics
///
/// If it does not; shows the smallest case that was found.
pub fn searches_agree<S: Store>(runtime: &Runtime, store: &S, cases: u32) {
    let input = Just(()).prop_flat_map(|()| (generate::alerts(fresh_partner(), 12), search()));
    check(cases, &input, |(alerts, search)| {
        runtime.block_on(a_search_agrees(store, &alerts, &search));
    });
}

/// [`pages_give_each_alert_once`] for so many random cases.
///
/// # Panics
///
/// If they do not; shows the smallest case that was found.
pub fn pages_are_whole<S: Store>(runtime: &Runtime, store: &S, cases: u32) {
    let input =
        Just(()).prop_flat_map(|()| (generate::alerts(fresh_partner(), 20), generate::order(), 1_usize..8));
    check(cases, &input, |(alerts, order, limit)| {
        runtime.block_on(pages_give_each_alert_once(store, &alerts, &order, limit));
    });
}

/// A partner that no other case uses, so that all cases can share one store.
#[must_use]
pub fn fresh_partner() -> String {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    format!("partner-{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

/// Runs a property for so many random cases; a failure shrinks, and is shown rather than kept in a file.
///
/// # Panics
///
/// If a case fails.
pub fn check<S: Strategy>(cases: u32, input: &S, test: impl Fn(S::Value)) {
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(cases) };
    let result = TestRunner::new(config).run(input, |value| {
        test(value);
        Ok(())
    });
    if let Err(failure) = result {
        panic!("{failure}");
    }
}

/// The store leaves exactly the alerts that [`evaluate()`] finds true, and counts as many.
///
/// # Panics
///
/// If it does not.
pub async fn a_filter_agrees<S: Store>(store: &S, alerts: &[Alert], filter: &Filter) {
    let Some(scope) = filled(store, alerts).await else { return };
    let mut expected: Vec<String> = bodies(store, &scope)
        .await
        .iter()
        .filter(|body| evaluate(filter, body) == Some(true))
        .map(id)
        .collect();
    expected.sort();
    let query = AlertQuery {
        filter: Some(filter.clone()),
        search: None,
        order: Vec::new(),
        // A case that shrinks finds the alerts of its larger forms.
        limit: 1_000,
        skip: 0,
        after: None,
    };
    let page = store.list_alerts(&scope, &query).await.expect("a checked filter is answered");
    let found: Vec<String> = page.alerts.iter().map(|body| id(&parsed(body))).collect();
    assert_eq!(found, expected, "{filter:?}");
    let count = store.count_alerts(&scope, Some(filter), None).await.expect("a checked filter is answered");
    assert_eq!(usize::try_from(count), Ok(expected.len()), "{filter:?}");
}

/// The store leaves exactly the alerts that [`finds`] finds, and counts as many.
///
/// # Panics
///
/// If it does not.
pub async fn a_search_agrees<S: Store>(store: &S, alerts: &[Alert], search: &Search) {
    let Some(scope) = filled(store, alerts).await else { return };
    let expected: Vec<String> =
        bodies(store, &scope).await.iter().filter(|body| finds(search, body)).map(id).collect();
    let query = AlertQuery {
        filter: None,
        search: Some(search.clone()),
        order: Vec::new(),
        limit: alerts.len() + 1,
        skip: 0,
        after: None,
    };
    let page = store.list_alerts(&scope, &query).await.expect("a checked search is answered");
    let found: Vec<String> = page.alerts.iter().map(|body| id(&parsed(body))).collect();
    assert_eq!(found, expected, "{search:?}");
    let count = store.count_alerts(&scope, None, Some(search)).await.expect("a checked search is answered");
    assert_eq!(usize::try_from(count), Ok(expected.len()), "{search:?}");
}

/// Following the pages gives every alert once, in the order of [`in_order`].
///
/// # Panics
///
/// If it does not.
pub async fn pages_give_each_alert_once<S: Store>(
    store: &S,
    alerts: &[Alert],
    order: &[SortKey],
    limit: usize,
) {
    let Some(scope) = filled(store, alerts).await else { return };
    let mut expected = bodies(store, &scope).await;
    expected.sort_by(|left, right| in_order(order, left, right));
    let expected: Vec<String> = expected.iter().map(id).collect();

    let mut found = Vec::new();
    let mut query =
        AlertQuery { filter: None, search: None, order: order.to_vec(), limit, skip: 0, after: None };
    loop {
        let page = store.list_alerts(&scope, &query).await.expect("an order over properties is answered");
        assert!(page.alerts.len() <= limit);
        found.extend(page.alerts.iter().map(|body| id(&parsed(body))));
        query.after = page.next;
        if query.after.is_none() {
            break;
        }
        assert_eq!(page.alerts.len(), limit, "only the last page is short");
        assert!(found.len() < expected.len(), "the pages do not end: {order:?}");
    }
    assert_eq!(found, expected, "{order:?}");
}

/// Puts the alerts, and gives the scope of their partner; `None` if there are none.
pub(super) async fn filled<S: Store>(store: &S, alerts: &[Alert]) -> Option<Scope> {
    let scope = Scope::Partner(alerts.first()?.partner_tenant_id.clone());
    store
        .import_alerts(&scope, alerts, time("2031-02-03T04:05:06.5Z"))
        .await
        .expect("alerts of the scope can be imported");
    Some(scope)
}

/// All alerts as callers see them, with what stands beside the stored JSON.
pub(super) async fn bodies<S: Store>(store: &S, scope: &Scope) -> Vec<Value> {
    let all =
        AlertQuery { filter: None, search: None, order: Vec::new(), limit: 10_000, skip: 0, after: None };
    let page = store.list_alerts(scope, &all).await.expect("all alerts can be listed");
    page.alerts.iter().map(parsed).collect()
}

pub(super) fn parsed(body: &AlertBody) -> Value {
    let mut alert: Value = serde_json::from_str(&body.json).expect("a body is JSON");
    alert["lastModifiedDateTime"] = body.modified_at.to_rfc3339().into();
    alert
}

pub(super) fn id(body: &Value) -> String {
    body["id"].as_str().expect("an alert has an id").to_owned()
}
