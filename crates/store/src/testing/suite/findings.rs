//! What findings do.

use std::sync::Arc;

use alerts::{Alert, Decision, Finding, Origin, Status, StatusChange, decide};

use super::{customer, ids, partner, put, query, reseller, seen};
use crate::testing::{finding, time};
use crate::{ExpectedVersion, Recorded, Store, StoreError, Subscription};

async fn record<S: Store>(store: &S, findings: &[Finding], now: &str) -> Recorded {
    store.record_findings(&partner("p"), findings, time(now)).await.unwrap()
}

/// How many were raised, continued, and said nothing new.
fn told(recorded: &Recorded) -> (usize, usize, usize) {
    (recorded.raised.len(), recorded.continued.len(), recorded.unchanged)
}

async fn resolve<S: Store>(store: &S, alert: &Alert, at: &str) {
    let change = StatusChange { to: Status::Resolved, reason: None };
    store
        .change_status(&partner("p"), &alert.body.id, change, &ExpectedVersion::Any, "ann", time(at))
        .await
        .unwrap()
        .unwrap();
}

pub async fn findings_raise_continue_and_raise_again<S: Store>(store: Arc<S>) {
    let first = finding("p", "pool", "2031-02-03T05:00:00Z");
    let recorded = record(&*store, std::slice::from_ref(&first), "2031-02-03T06:00:00Z").await;
    assert_eq!(told(&recorded), (1, 0, 0));
    let alert = recorded.raised[0].clone();
    assert_eq!(seen(&*store, &partner("p"), alert.body.id.as_str()).await.as_ref(), Some(&alert.body));

    let recorded = record(&*store, std::slice::from_ref(&first), "2031-02-03T07:00:00Z").await;
    assert_eq!(told(&recorded), (0, 0, 1), "the same events again");

    let later = finding("p", "pool", "2031-02-03T07:30:00Z");
    let recorded = record(&*store, std::slice::from_ref(&later), "2031-02-03T08:00:00Z").await;
    assert_eq!(told(&recorded), (0, 1, 0));
    assert_eq!(recorded.continued[0].body.id, alert.body.id);

    let elsewhere = finding("p", "another pool", "2031-02-03T07:30:00Z");
    assert_eq!(told(&record(&*store, &[elsewhere], "2031-02-03T08:00:00Z").await), (1, 0, 0));

    resolve(&*store, &alert, "2031-02-03T09:00:00Z").await;
    let recorded = record(&*store, &[first, later], "2031-02-03T10:00:00Z").await;
    assert_eq!(told(&recorded), (0, 0, 2), "what was resolved stays settled");

    let again = finding("p", "pool", "2031-02-03T09:30:00Z");
    let recorded = record(&*store, std::slice::from_ref(&again), "2031-02-03T10:00:00Z").await;
    assert_eq!(told(&recorded), (1, 0, 0));
    assert_ne!(recorded.raised[0].body.id, alert.body.id);
    let recorded = record(&*store, &[again], "2031-02-03T11:00:00Z").await;
    assert_eq!(told(&recorded), (0, 0, 1), "the new alert is the latest of the incident");
    assert_eq!(store.count_alerts(&partner("p"), None, None).await.unwrap(), 3);
}

pub async fn findings_in_one_call_are_told_once<S: Store>(store: Arc<S>) {
    let all = [
        finding("p", "pool", "2031-02-03T05:00:00Z"),
        finding("p", "pool", "2031-02-03T06:00:00Z"),
        finding("p", "pool", "2031-02-03T05:30:00Z"),
    ];
    let recorded = record(&*store, &all, "2031-02-03T07:00:00Z").await;
    assert_eq!(told(&recorded), (1, 0, 1));
    assert_eq!(
        recorded.raised[0].body.last_observed_date_time,
        Some(time("2031-02-03T06:00:00Z")),
        "an alert is told as it reads at the end"
    );
    let more = [finding("p", "pool", "2031-02-03T08:00:00Z"), finding("p", "pool", "2031-02-03T09:00:00Z")];
    let recorded = record(&*store, &more, "2031-02-03T10:00:00Z").await;
    assert_eq!(told(&recorded), (0, 1, 0));
    assert_eq!(recorded.continued[0].body.last_observed_date_time, Some(time("2031-02-03T09:00:00Z")));
}

pub async fn findings_take_their_owner_from_the_directory<S: Store>(store: Arc<S>) {
    let one = finding("p", "pool", "2031-02-03T05:00:00Z");
    let recorded = record(&*store, std::slice::from_ref(&one), "2031-02-03T06:00:00Z").await;
    assert!(recorded.raised[0].body.customer_tenant_id.is_unknown());

    let known = Subscription {
        subscription_id: "s".parse().unwrap(),
        name: None,
        customer_tenant_id: Some("c1".parse().unwrap()),
        customer_name: None,
        reseller_tenant_id: Some("r1".parse().unwrap()),
    };
    store.learn_subscriptions(&partner("p"), &[known]).await.unwrap();
    let recorded = record(&*store, &[one], "2031-02-03T07:00:00Z").await;
    assert_eq!(told(&recorded), (0, 1, 0), "the alert learns whose it is");
    let id = recorded.continued[0].body.id.to_string();
    assert_eq!(ids(&*store, &customer("p", "c1"), &query(None, Vec::new())).await, id);
    assert_eq!(ids(&*store, &reseller("p", "r1"), &query(None, Vec::new())).await, id);

    let mut named = finding("p", "second", "2031-02-03T05:00:00Z");
    named.customer_tenant_id = Some("c9".parse().unwrap());
    let recorded = record(&*store, &[named], "2031-02-03T07:00:00Z").await;
    assert_eq!(
        recorded.raised[0].body.customer_tenant_id.as_str(),
        "c9",
        "a record goes before the directory"
    );
}

pub async fn findings_of_another_scope_change_nothing<S: Store>(store: Arc<S>) {
    let now = time("2031-02-03T06:00:00Z");
    let own = finding("p", "pool", "2031-02-03T05:00:00Z");
    let foreign = finding("q", "pool", "2031-02-03T05:00:00Z");
    let refused = store.record_findings(&partner("p"), &[own.clone(), foreign], now).await;
    assert!(matches!(refused, Err(StoreError::OutOfScope { .. })), "{refused:?}");
    assert_eq!(store.count_alerts(&partner("p"), None, None).await.unwrap(), 0, "all or none");

    for scope in [customer("p", "c1"), reseller("p", "r1")] {
        let refused = store.record_findings(&scope, std::slice::from_ref(&own), now).await;
        assert!(matches!(refused, Err(StoreError::OutOfScope { .. })), "{refused:?}");
    }
    let mut of_customer = own.clone();
    of_customer.customer_tenant_id = Some("c1".parse().unwrap());
    store.record_findings(&customer("p", "c1"), std::slice::from_ref(&of_customer), now).await.unwrap();
    let mut moved = own;
    moved.customer_tenant_id = Some("c2".parse().unwrap());
    let refused = store.record_findings(&customer("p", "c2"), &[moved], now).await;
    assert!(matches!(refused, Err(StoreError::OutOfScope { .. })), "the incident is another customer's");
}

pub async fn an_imported_alert_is_taken_up_by_its_finding<S: Store>(store: Arc<S>) {
    let first = finding("p", "pool", "2031-02-03T05:00:00Z");
    let now = time("2031-02-03T06:00:00Z");
    let Decision::Raise(exported) = decide(None, &first, now) else { panic!("expected a new alert") };
    put(&*store, &[Alert { origin: Origin::Imported, ..exported.clone() }]).await;

    let recorded = record(&*store, &[first], "2031-02-03T07:00:00Z").await;
    assert_eq!(told(&recorded), (0, 0, 1), "the alert is there, though it came from elsewhere");
    let later = finding("p", "pool", "2031-02-03T07:30:00Z");
    let recorded = record(&*store, &[later], "2031-02-03T08:00:00Z").await;
    assert_eq!(told(&recorded), (0, 1, 0));
    assert_eq!(recorded.continued[0].body.id, exported.body.id);
    assert_eq!(recorded.continued[0].origin, exported.origin);
    assert_eq!(store.count_alerts(&partner("p"), None, None).await.unwrap(), 1);
}
