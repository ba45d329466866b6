//! The directory of subscriptions, and the runs of detectors.

use std::sync::Arc;

use alerts::Scope;

use super::{customer, partner, reseller};
use crate::testing::time;
use crate::{DetectorHealth, DetectorRun, Store, StoreError, Subscription};

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
    assert_eq!(store.backlog(&p, "d", &[]).await.unwrap().watermark, None);
    for (until, error, expected) in [
        ("2031-02-03T01:00:00Z", Some("no such column"), None),
        ("2031-02-03T02:00:00Z", None, Some("2031-02-03T02:00:00Z")),
        ("2031-02-03T03:00:00Z", Some("out of memory"), Some("2031-02-03T02:00:00Z")),
        ("2031-02-03T04:00:00Z", None, Some("2031-02-03T04:00:00Z")),
        ("2031-02-03T03:00:00Z", None, Some("2031-02-03T04:00:00Z")),
    ] {
        let run = run("d", until, error);
        store.record_run(&p, &run, 0).await.unwrap();
        assert_eq!(store.backlog(&p, "d", &[]).await.unwrap().watermark, expected.map(time), "{until}");
        assert_eq!(store.last_runs(&p).await.unwrap(), [run]);
    }
}

pub async fn the_last_success_and_the_last_failure_are_both_kept<S: Store>(store: Arc<S>) {
    let p = partner("p");
    assert_eq!(store.detector_health(&p).await.unwrap(), []);
    let (at_1, at_2, at_3) = ("2031-02-03T01:00:00Z", "2031-02-03T02:00:00Z", "2031-02-03T03:00:00Z");
    let gone = |at: &str| Some(("gone".to_owned(), time(at)));
    for (at, error, succeeded, failed, watermark) in [
        (at_1, Some("gone"), None, gone(at_1), None),
        (at_2, None, Some(at_2), gone(at_1), Some(at_2)),
        (at_3, Some("gone"), Some(at_2), gone(at_3), Some(at_2)),
    ] {
        let run = DetectorRun { started_at: time(at), ..run("d", at, error) };
        store.record_run(&p, &run, 0).await.unwrap();
        let health = DetectorHealth {
            last: run,
            succeeded_at: succeeded.map(time),
            last_error: failed,
            watermark: watermark.map(time),
        };
        assert_eq!(store.detector_health(&p).await.unwrap(), [health], "{at}");
    }
    for scope in [partner("q"), customer("p", "c1"), reseller("p", "r1")] {
        assert_eq!(store.detector_health(&scope).await.unwrap(), []);
    }
}

pub async fn runs_are_seen_by_the_whole_partner_alone<S: Store>(store: Arc<S>) {
    let p = partner("p");
    let (b, a) = (run("b", "2031-02-03T02:00:00Z", None), run("a", "2031-02-03T02:00:00Z", None));
    store.record_run(&p, &b, 0).await.unwrap();
    store.record_run(&p, &a, 0).await.unwrap();
    assert_eq!(store.last_runs(&p).await.unwrap(), [a.clone(), b]);
    for scope in [partner("q"), customer("p", "c1"), reseller("p", "r1")] {
        assert_eq!(store.last_runs(&scope).await.unwrap(), []);
        assert_eq!(store.backlog(&scope, "a", &[]).await.unwrap().watermark, None);
    }
    let refused = store.record_run(&customer("p", "c1"), &a, 0).await;
    assert!(matches!(refused, Err(StoreError::OutOfScope { .. })), "{refused:?}");
}

pub async fn events_that_came_in_since_the_last_run_are_its_backlog<S: Store>(store: Arc<S>) {
    let (p, kinds) = (partner("p"), ["activity", "flow"]);
    let late = |at: &'static str| {
        let (store, p) = (store.clone(), partner("p"));
        async move { store.note_arrival(&p, "flow", time(at)).await.unwrap() }
    };
    late("2031-01-02T00:00:00Z").await;
    late("2031-01-01T00:00:00Z").await;
    store.note_arrival(&p, "cost", time("2030-12-01T00:00:00Z")).await.unwrap();
    store.note_arrival(&partner("q"), "flow", time("2030-11-01T00:00:00Z")).await.unwrap();
    let first = store.backlog(&p, "d", &kinds).await.unwrap();
    assert_eq!((first.watermark, first.late_since), (None, Some(time("2031-01-01T00:00:00Z"))));

    // What comes in while a run is under way stays in the backlog.
    late("2031-01-05T00:00:00Z").await;
    store.record_run(&p, &run("d", "2031-02-03T02:00:00Z", None), first.last_arrival).await.unwrap();
    let second = store.backlog(&p, "d", &kinds).await.unwrap();
    assert_eq!(second.late_since, Some(time("2031-01-05T00:00:00Z")));

    // A run that failed has seen nothing.
    let failed = run("d", "2031-02-03T03:00:00Z", Some("out of memory"));
    store.record_run(&p, &failed, second.last_arrival).await.unwrap();
    assert_eq!(store.backlog(&p, "d", &kinds).await.unwrap(), second);
    store.record_run(&p, &run("d", "2031-02-03T03:00:00Z", None), second.last_arrival).await.unwrap();
    assert_eq!(store.backlog(&p, "d", &kinds).await.unwrap().late_since, None);

    let refused = store.note_arrival(&customer("p", "c1"), "flow", time("2031-01-01T00:00:00Z")).await;
    assert!(matches!(refused, Err(StoreError::OutOfScope { .. })), "{refused:?}");
}
