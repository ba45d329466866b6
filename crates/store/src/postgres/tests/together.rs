//! Many writers and several replicas at once, and callers that go away.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use ::alerts::{Alert, Scope, Status, StatusChange};
use odata::checked::{Comparison, Direction};

use crate::postgres::session::Lock;
use crate::session::{Session, Statement};
use crate::testing::postgres::temporary_postgres;
use crate::testing::{AlertBuilder, compare, sort_key, time};
use crate::{
    AlertQuery, AlertStore, ChangeFeed, ChangePosition, ExpectedVersion, PostgresStore, RunStore,
    StatusOutcome, default_order,
};

fn partner() -> Scope {
    Scope::Partner("p".parse().unwrap())
}

fn change(to: Status) -> StatusChange {
    StatusChange { to, reason: None }
}

/// Two replicas on one database.
async fn replicas() -> Vec<Arc<PostgresStore>> {
    let (database, first) = temporary_postgres().await;
    vec![first, Arc::new(PostgresStore::connect(&database.url).await.unwrap())]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replicas_that_change_one_alert_lose_no_change() {
    let replicas = replicas().await;
    let alert = [AlertBuilder::new("p", "a").build()];
    let now = time("2031-02-03T04:30:00Z");
    replicas[0].import_alerts(&partner(), &alert, now).await.unwrap();
    let id = alert[0].body.id.clone();
    let flips = (0..8).map(|n| {
        let (store, id) = (replicas[n % 2].clone(), id.clone());
        tokio::spawn(async move {
            let mut changed = 0;
            for turn in 0..20 {
                let to = [Status::Active, Status::Investigating, Status::Resolved][(n + turn) % 3];
                let any = ExpectedVersion::Any;
                let done = store.change_status(&partner(), &id, change(to), &any, "ann", now).await.unwrap();
                changed += u64::from(done.unwrap().outcome == StatusOutcome::Changed);
            }
            changed
        })
    });
    let mut changed = 0;
    for flip in futures::future::join_all(flips).await {
        changed += flip.unwrap();
    }
    let body = replicas[1].alert(&partner(), &id).await.unwrap().unwrap();
    assert_eq!(body.version, 1 + changed);
    let alert: ::alerts::PartnerSecurityAlert = serde_json::from_str(&body.json).unwrap();
    assert_eq!(alert.activity_logs.len() as u64, changed);
    let links = alert.activity_logs.windows(2).all(|pair| pair[0].status_to == pair[1].status_from);
    assert!(links, "each change starts where the one before it ended");

    let told = replicas[0].changes(&partner(), ChangePosition::default(), 1_000).await.unwrap();
    let versions: Vec<u64> = told.changes.iter().map(|change| change.version).collect();
    assert_eq!(versions, (1..=body.version).collect::<Vec<_>>(), "the changes are told in their order");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replicas_that_import_and_record_the_same_at_once_agree() {
    let replicas = replicas().await;
    let alerts: Vec<Alert> = (0..40).map(|n| AlertBuilder::new("p", &format!("a{n}")).build()).collect();
    let finding = crate::testing::finding("p", "pool", "2031-02-03T05:00:00Z");
    let now = time("2031-02-03T06:00:00Z");
    let work = (0..6).map(|n| {
        let (store, alerts, finding) = (replicas[n % 2].clone(), alerts.clone(), finding.clone());
        tokio::spawn(async move {
            let imported = store.import_alerts(&partner(), &alerts, now).await.unwrap();
            let recorded = store.record_findings(&partner(), &[finding], now).await.unwrap();
            (imported.added, recorded.raised.len())
        })
    });
    let mut sums = (0, 0);
    for done in futures::future::join_all(work).await {
        let (added, raised) = done.unwrap();
        sums = (sums.0 + added, sums.1 + raised);
    }
    assert_eq!(sums, (alerts.len(), 1), "each alert is added once, and the incident raised once");
    assert_eq!(replicas[0].count_alerts(&partner(), None, None).await.unwrap(), alerts.len() as u64 + 1);
}

/// A client that polls with `lastModifiedDateTime gt` what it saw last.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_polls_for_what_was_modified_misses_no_change() {
    const WRITERS: usize = 8;
    const CHANGES: usize = 25;
    let replicas = replicas().await;
    let alerts: Vec<Alert> = (0..WRITERS).map(|n| AlertBuilder::new("p", &format!("a{n}")).build()).collect();
    replicas[0].import_alerts(&partner(), &alerts, time("2031-02-03T04:30:00Z")).await.unwrap();
    let done = Arc::new(AtomicBool::new(false));
    let writers: Vec<_> = (0..WRITERS)
        .map(|n| {
            let (store, id) = (replicas[n % 2].clone(), alerts[n].body.id.clone());
            tokio::spawn(async move {
                for turn in 0..CHANGES {
                    let to = [Status::Investigating, Status::Active][turn % 2];
                    let at = time("2031-02-03T05:00:00Z");
                    let any = ExpectedVersion::Any;
                    store.change_status(&partner(), &id, change(to), &any, "ann", at).await.unwrap();
                }
            })
        })
        .collect();

    let follower = tokio::spawn({
        let (store, done) = (replicas[1].clone(), done.clone());
        async move {
            let mut since = "1970-01-01T00:00:00Z".to_owned();
            let mut seen = BTreeSet::new();
            loop {
                let last_round = done.load(Ordering::SeqCst);
                let query = AlertQuery {
                    filter: Some(compare("lastModifiedDateTime", Comparison::Gt, &since)),
                    search: None,
                    order: vec![sort_key("lastModifiedDateTime", Direction::Ascending)],
                    limit: 1_000,
                    skip: 0,
                    after: None,
                };
                for alert in store.list_alerts(&partner(), &query).await.unwrap().alerts {
                    let id = serde_json::from_str::<serde_json::Value>(&alert.json).unwrap()["id"].clone();
                    seen.insert((id.to_string(), alert.version));
                    since = alert.modified_at.to_rfc3339_opts(chrono::SecondsFormat::Micros, true);
                }
                if last_round {
                    return seen;
                }
            }
        }
    });
    for writer in writers {
        writer.await.unwrap();
    }
    done.store(true, Ordering::SeqCst);
    let seen = follower.await.unwrap();
    for alert in &alerts {
        let last = (format!("\"{}\"", alert.body.id), 1 + CHANGES as u64);
        assert!(seen.contains(&last), "the last change of {} is missed", alert.body.id);
    }
}

#[tokio::test]
async fn a_transaction_that_lost_to_another_is_tried_again() {
    let (_database, store) = temporary_postgres().await;
    let check = async |failures: usize, code: &str| {
        let tries = AtomicUsize::new(0);
        let fail = format!("do $$ begin raise exception using errcode = '{code}'; end $$");
        let fail = &fail;
        let done = store.write(Lock::of_log(), |mut session| {
            let is_last = tries.fetch_add(1, Ordering::SeqCst) == failures;
            async move {
                let sql = if is_last { "select 1".to_owned() } else { fail.clone() };
                let done = session.execute(Statement { sql, values: Vec::new() }).await;
                session.end(done).await
            }
        });
        (done.await.is_ok(), tries.load(Ordering::SeqCst))
    };
    assert_eq!(check(2, "40001").await, (true, 3), "a serialization failure");
    assert_eq!(check(1, "40P01").await, (true, 2), "a deadlock");
    assert_eq!(check(1, "23505").await, (false, 1), "what would fail again is not tried again");
    assert_eq!(check(99, "40001").await, (false, super::super::TRIES_MAX), "nor for ever");
}

/// A caller that goes away in the middle leaves neither half a change nor a lock behind.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_that_goes_away_leaves_nothing_behind() {
    let replicas = replicas().await;
    let alerts: Vec<Alert> = (0..500).map(|n| AlertBuilder::new("p", &format!("a{n}")).build()).collect();
    let now = time("2031-02-03T04:30:00Z");
    for patience_ms in [1, 3, 5, 10, 20] {
        let patience = Duration::from_millis(patience_ms);
        let scope = partner();
        let import = replicas[0].import_alerts(&scope, &alerts, now);
        let finished = tokio::time::timeout(patience, import).await.is_ok();
        let count = replicas[1].count_alerts(&partner(), None, None).await.unwrap();
        assert_eq!(count, if finished { alerts.len() as u64 } else { 0 });
        if finished {
            break;
        }
    }
    let first = &alerts[..1];
    replicas[1].import_alerts(&partner(), first, now).await.unwrap();
    replicas[0].note_arrival(&partner(), "flow", now).await.unwrap();
    let page =
        AlertQuery { filter: None, search: None, order: default_order(), limit: 5, skip: 0, after: None };
    assert!(!replicas[0].list_alerts(&partner(), &page).await.unwrap().alerts.is_empty());
}
