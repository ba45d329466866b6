//! The directory of subscriptions, and the runs of detectors.

use std::sync::Arc;

use alerts::Scope;

use super::{customer, partner, reseller};
use crate::testing::time;
use crate::{DetectorRun, Store, StoreError, Subscription};

fn told(
    name: Option<&str>,
    customer: Option<&str>,
    customer_name: Option<&str>,
    reseller: Option<&str>,
) -> Subscription {
    Subscription {
        subscription_id: "s".parse().unwrap(),
        name: name.map(str::to_owned),
        customer_tenant_id: customer.map(|id| id.parse().unwrap()),
        customer_name: customer_name.map(str::to_owned),
        reseller_tenant_id: reseller.map(|id| id.parse().unwrap()),
    }
}

async fn entry<S: Store>(store: &S, scope: &Scope) -> Option<Subscription> {
    store.subscription(scope, &"s".parse().unwrap()).await.unwrap()
}

pub async fn the_directory_keeps_what_records_leave_out<S: Store>(store: Arc<S>) {
    let p = partner("p");
    assert_eq!(entry(&*store, &p).await, None);
    for (record, expected) in [
        (told(None, None, None, None), told(None, None, None, None)),
        (told(Some("Dev"), Some("c1"), None, None), told(Some("Dev"), Some("c1"), None, None)),
        (
            told(None, None, Some("Contoso"), Some("r1")),
            told(Some("Dev"), Some("c1"), Some("Contoso"), Some("r1")),
        ),
        (told(Some("Prod"), None, None, None), told(Some("Prod"), Some("c1"), Some("Contoso"), Some("r1"))),
    ] {
        store.learn_subscriptions(&p, &[record.clone(), record]).await.unwrap();
        assert_eq!(entry(&*store, &p).await, Some(expected));
    }
}

pub async fn the_directory_shows_a_scope_its_own<S: Store>(store: Arc<S>) {
    store.learn_subscriptions(&partner("p"), &[told(None, Some("c1"), None, Some("r1"))]).await.unwrap();
    for (scope, shown) in [
        (partner("p"), true),
        (partner("q"), false),
        (customer("p", "c1"), true),
        (customer("p", "c2"), false),
        (customer("q", "c1"), false),
        (reseller("p", "r1"), true),
        (reseller("p", "r2"), false),
    ] {
        assert_eq!(entry(&*store, &scope).await.is_some(), shown, "{scope:?}");
    }
    for (scope, record) in [
        (customer("p", "c2"), told(None, Some("c2"), None, None)),
        (customer("p", "c1"), told(None, None, None, None)),
        (reseller("p", "r2"), told(None, None, None, Some("r2"))),
    ] {
        let refused = store.learn_subscriptions(&scope, &[record]).await;
        assert!(matches!(refused, Err(StoreError::OutOfScope { .. })), "{scope:?}: {refused:?}");
    }
}

fn run(detector: &str, until: &str, error: Option<&str>) -> DetectorRun {
    DetectorRun {
        detector_id: detector.to_owned(),
        since: time("2031-02-03T00:00:00Z"),
        until: time(until),
        started_at: time("2031-02-03T09:00:00Z"),
        duration_ms: 12,
        findings: 3,
        error: error.map(str::to_owned),
    }
}

pub async fn a_run_that_failed_keeps_the_watermark<S: Store>(store: Arc<S>) {
    let p = partner("p");
    assert_eq!(store.detector_watermark(&p, "d").await.unwrap(), None);
    for (until, error, expected) in [
        ("2031-02-03T01:00:00Z", Some("no such column"), None),
        ("2031-02-03T02:00:00Z", None, Some("2031-02-03T02:00:00Z")),
        ("2031-02-03T03:00:00Z", Some("out of memory"), Some("2031-02-03T02:00:00Z")),
        ("2031-02-03T04:00:00Z", None, Some("2031-02-03T04:00:00Z")),
        ("2031-02-03T03:00:00Z", None, Some("2031-02-03T04:00:00Z")),
    ] {
        let run = run("d", until, error);
        store.record_run(&p, &run).await.unwrap();
        assert_eq!(store.detector_watermark(&p, "d").await.unwrap(), expected.map(time), "{until}");
        assert_eq!(store.last_runs(&p).await.unwrap(), [run]);
    }
}

pub async fn runs_are_seen_by_the_whole_partner_alone<S: Store>(store: Arc<S>) {
    let p = partner("p");
    let (b, a) = (run("b", "2031-02-03T02:00:00Z", None), run("a", "2031-02-03T02:00:00Z", None));
    store.record_run(&p, &b).await.unwrap();
    store.record_run(&p, &a).await.unwrap();
    assert_eq!(store.last_runs(&p).await.unwrap(), [a.clone(), b]);
    for scope in [partner("q"), customer("p", "c1"), reseller("p", "r1")] {
        assert_eq!(store.last_runs(&scope).await.unwrap(), []);
        assert_eq!(store.detector_watermark(&scope, "a").await.unwrap(), None);
    }
    let refused = store.record_run(&customer("p", "c1"), &a).await;
    assert!(matches!(refused, Err(StoreError::OutOfScope { .. })), "{refused:?}");
}
