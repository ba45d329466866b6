//! The log of changes, and following it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use alerts::{Scope, Status, StatusChange};
use odata::checked::{Comparison, Direction};

use super::{customer, id, import_time, partner, put, reseller};
use crate::testing::{AlertBuilder, compare, finding, sort_key, time};
use crate::{
    AlertQuery, Change, ChangeKind, ChangePosition, ExpectedVersion, Store, StoreError, Subscription,
};

/// Everything after a position, page by page, and where it ends.
async fn follow<S: Store>(
    store: &S,
    scope: &Scope,
    mut after: ChangePosition,
    limit: usize,
) -> (Vec<Change>, ChangePosition) {
    let mut changes = Vec::new();
    loop {
        let page = store.changes(scope, after, limit).await.unwrap();
        assert!(page.changes.len() <= limit);
        assert!(page.position >= after, "a follower never goes back");
        changes.extend(page.changes);
        after = page.position;
        if !page.more {
            return (changes, after);
        }
    }
}

/// What a scope sees of the log, in few words.
async fn told<S: Store>(store: &S, scope: &Scope, after: ChangePosition) -> String {
    let (changes, _) = follow(store, scope, after, 2).await;
    let words = changes.iter().map(|change| {
        let kind = match change.kind {
            ChangeKind::Created => '+',
            ChangeKind::Updated => '~',
            ChangeKind::Deleted => '-',
        };
        format!("{kind}{}:{}", change.alert_id, change.version)
    });
    words.collect::<Vec<_>>().join(" ")
}

async fn set_status<S: Store>(store: &S, alert: &str, to: Status, at: &str) {
    let change = StatusChange { to, reason: None };
    let (scope, id) = (partner("p"), id(alert));
    let changed = store.change_status(&scope, &id, change, &ExpectedVersion::Any, "ann", time(at));
    changed.await.unwrap().unwrap();
}

pub async fn every_change_is_logged_once_in_order<S: Store>(store: Arc<S>) {
    let p = partner("p");
    let start = store.latest_change(&p).await.unwrap();
    assert_eq!(told(&*store, &p, start).await, "");
    put(&*store, &[AlertBuilder::new("p", "a").build(), AlertBuilder::new("p", "b").build()]).await;
    set_status(&*store, "b", Status::Investigating, "2031-02-03T05:00:00Z").await;
    set_status(&*store, "b", Status::Investigating, "2031-02-03T06:00:00Z").await;
    set_status(&*store, "a", Status::Resolved, "2031-02-03T07:00:00Z").await;
    let same = [AlertBuilder::new("p", "c").build(), AlertBuilder::new("p", "c").build()];
    store.import_alerts(&p, &same, import_time()).await.unwrap();
    assert_eq!(told(&*store, &p, start).await, "+a:1 +b:1 ~b:2 ~a:2 +c:1");

    // What is refused leaves nothing behind.
    let foreign = [AlertBuilder::new("p", "d").build(), AlertBuilder::new("q", "d").build()];
    store.import_alerts(&p, &foreign, import_time()).await.unwrap_err();
    let change = StatusChange { to: Status::Active, reason: None };
    let other_version = ExpectedVersion::OneOf(vec![1]);
    let at = time("2031-02-03T08:00:00Z");
    store.change_status(&p, &id("a"), change, &other_version, "ann", at).await.unwrap();
    let (changes, end) = follow(&*store, &p, start, 100).await;
    assert_eq!(changes.len(), 5);
    assert_eq!(end, store.latest_change(&p).await.unwrap());
    assert!(changes.is_sorted_by_key(|change| (change.position, change.at)));
    for change in &changes {
        let alert = store.alert(&p, &change.alert_id).await.unwrap().unwrap();
        assert!(change.version < alert.version || change.at == alert.modified_at, "{change:?}");
    }
    assert_eq!(told(&*store, &p, changes[2].position).await, "~a:2 +c:1", "a follower goes on anywhere");
    let refused = store.changes(&p, start, 0).await;
    assert!(matches!(refused, Err(StoreError::Unsupported(_))), "{refused:?}");
}

pub async fn findings_are_logged_with_their_alerts<S: Store>(store: Arc<S>) {
    let p = partner("p");
    let start = store.latest_change(&p).await.unwrap();
    let first = finding("p", "pool", "2031-02-03T05:00:00Z");
    let now = time("2031-02-03T06:00:00Z");
    let raised = store.record_findings(&p, std::slice::from_ref(&first), now).await.unwrap().raised;
    let alert = raised[0].body.id.as_str();
    store.record_findings(&p, &[first], now).await.unwrap();
    let later = finding("p", "pool", "2031-02-03T06:00:00Z");
    store.record_findings(&p, std::slice::from_ref(&later), time("2031-02-03T07:00:00Z")).await.unwrap();
    assert_eq!(told(&*store, &p, start).await, format!("+{alert}:1 ~{alert}:2"));

    // The alert learns whose it is, and leaves the customer that stood for "unknown".
    let unknown = Scope::Customer("p".parse().unwrap(), alerts::CustomerTenantId::unknown());
    let known = Subscription {
        subscription_id: "s".parse().unwrap(),
        name: None,
        customer_tenant_id: Some("c1".parse().unwrap()),
        customer_name: None,
        reseller_tenant_id: Some("r1".parse().unwrap()),
    };
    store.learn_subscriptions(&p, &[known]).await.unwrap();
    store.record_findings(&p, &[later], time("2031-02-03T08:00:00Z")).await.unwrap();
    let (a, b, c) = (format!("+{alert}:1"), format!("~{alert}:2"), format!("~{alert}:3"));
    assert_eq!(told(&*store, &p, start).await, format!("{a} {b} {c}"));
    assert_eq!(told(&*store, &unknown, start).await, format!("{a} {b} -{alert}:3"));
    assert_eq!(told(&*store, &customer("p", "c1"), start).await, c);
    assert_eq!(told(&*store, &reseller("p", "r1"), start).await, c);
}

pub async fn a_scope_follows_its_own_changes_and_no_others<S: Store>(store: Arc<S>) {
    let start = store.latest_change(&partner("p")).await.unwrap();
    put(
        &*store,
        &[
            AlertBuilder::new("p", "a").of("c1", Some("r1")).build(),
            AlertBuilder::new("p", "b").of("c2", Some("r1")).build(),
            AlertBuilder::new("p", "c").of("c2", None).build(),
        ],
    )
    .await;
    put(&*store, &[AlertBuilder::new("q", "a").of("c1", Some("r1")).build()]).await;
    set_status(&*store, "a", Status::Investigating, "2031-02-03T05:00:00Z").await;
    let moved = AlertBuilder::new("p", "b").of("c2", Some("r2")).build();
    store.import_alerts(&partner("p"), &[moved], import_time()).await.unwrap();
    for (scope, expected) in [
        (partner("p"), "+a:1 +b:1 +c:1 ~a:2 ~b:2"),
        (partner("q"), "+a:1"),
        (partner("nobody"), ""),
        (reseller("p", "r1"), "+a:1 +b:1 ~a:2 -b:2"),
        (reseller("p", "r2"), "~b:2"),
        (reseller("q", "r2"), ""),
        (customer("p", "c1"), "+a:1 ~a:2"),
        (customer("p", "c2"), "+b:1 +c:1 ~b:2"),
        (customer("p", "r1"), ""),
    ] {
        assert_eq!(told(&*store, &scope, start).await, expected, "{scope:?}");
    }
}

pub async fn what_is_pruned_is_gone_and_said_to_be<S: Store>(store: Arc<S>) {
    let p = partner("p");
    let start = store.latest_change(&p).await.unwrap();
    assert!(store.oldest_kept_change(&p).await.unwrap() <= start);
    put(&*store, &[AlertBuilder::new("p", "a").build()]).await;
    set_status(&*store, "a", Status::Investigating, "2031-02-03T05:00:00Z").await;
    let between = store.latest_change(&p).await.unwrap();
    set_status(&*store, "a", Status::Resolved, "2031-02-03T07:00:00Z").await;
    let end = store.latest_change(&p).await.unwrap();
    // A store may go by a clock of its own.
    let (changes, _) = follow(&*store, &p, start, 100).await;
    let (first, last) = (changes[0].at, changes[2].at);
    let after = last + chrono::Duration::seconds(1);

    assert_eq!(store.prune_changes(first).await.unwrap(), 0);
    assert!(store.oldest_kept_change(&p).await.unwrap() <= start, "nothing is missing yet");
    assert_eq!(store.prune_changes(last).await.unwrap(), 2);
    let oldest = store.oldest_kept_change(&p).await.unwrap();
    assert!(start < oldest && oldest <= between, "{start:?} {oldest:?} {between:?}");
    assert_eq!(told(&*store, &p, oldest).await, "~a:3");

    assert_eq!(store.prune_changes(after).await.unwrap(), 1);
    assert_eq!(store.prune_changes(after).await.unwrap(), 0);
    assert!(store.oldest_kept_change(&p).await.unwrap() <= end);
    assert!(store.latest_change(&p).await.unwrap() >= end, "an empty log still has its end");
    put(&*store, &[AlertBuilder::new("p", "b").build()]).await;
    assert_eq!(told(&*store, &p, end).await, "+b:1");
}

/// Writers that share alerts and bring new ones; each change is a version.
async fn write<S: Store>(store: Arc<S>, writer: usize) {
    for turn in 0..40 {
        let own = format!("w{writer}-{turn}");
        let alerts = [AlertBuilder::new("p", &own).build()];
        store.import_alerts(&partner("p"), &alerts, import_time()).await.unwrap();
        let to = if (turn + writer).is_multiple_of(2) { Status::Investigating } else { Status::Active };
        for alert in ["shared", own.as_str()] {
            set_status(&*store, alert, to, "2031-02-03T05:00:00Z").await;
        }
    }
}

pub async fn a_follower_misses_nothing_while_others_write<S: Store>(store: Arc<S>) {
    put(&*store, &[AlertBuilder::new("p", "shared").build()]).await;
    let ended = Arc::new(AtomicBool::new(false));
    let written = Arc::new(AtomicU64::new(u64::MAX));
    let follower = tokio::spawn(follow_until(store.clone(), written.clone()));
    let puller = tokio::spawn(pull(store.clone(), ended.clone()));
    let writers: Vec<_> = (0..4).map(|writer| tokio::spawn(write(store.clone(), writer))).collect();
    for writer in writers {
        writer.await.unwrap();
    }
    ended.store(true, Ordering::SeqCst);
    let all =
        AlertQuery { filter: None, search: None, order: Vec::new(), limit: 1_000, skip: 0, after: None };
    let stored = store.list_alerts(&partner("p"), &all).await.unwrap().alerts;
    written.store(stored.iter().map(|alert| alert.version).sum(), Ordering::SeqCst);

    // Changes may be told a little later than they are made, as long as others are under way.
    let followed = tokio::time::timeout(Duration::from_secs(30), follower).await;
    let mut versions: BTreeMap<String, u64> = BTreeMap::new();
    for change in followed.expect("every change is told within half a minute").unwrap() {
        let last = versions.entry(change.alert_id.to_string()).or_insert(0);
        assert_eq!(change.version, *last + 1, "{change:?} comes after version {last}");
        assert_eq!(change.kind == ChangeKind::Created, change.version == 1, "{change:?}");
        *last = change.version;
    }
    assert_eq!(versions.len(), 161);
    for (alert, version) in &versions {
        let found = store.alert(&partner("p"), &id(alert)).await.unwrap().unwrap();
        assert_eq!(found.version, *version, "{alert}");
    }
    assert_eq!(puller.await.unwrap(), versions, "who pulls by lastModifiedDateTime sees each last version");
}

/// Follows the changes until so many were written and seen.
async fn follow_until<S: Store>(store: Arc<S>, written: Arc<AtomicU64>) -> Vec<Change> {
    let (mut seen, mut after) = (Vec::new(), ChangePosition::default());
    loop {
        let (changes, position) = follow(&*store, &partner("p"), after, 7).await;
        seen.extend(changes);
        after = position;
        if seen.len() as u64 >= written.load(Ordering::SeqCst) {
            return seen;
        }
        tokio::task::yield_now().await;
    }
}

/// Asks for what was modified since the last answer, as a SIEM does; gives the last version seen of each.
async fn pull<S: Store>(store: Arc<S>, ended: Arc<AtomicBool>) -> BTreeMap<String, u64> {
    let mut seen = BTreeMap::new();
    let mut since = time("1970-01-01T00:00:00Z");
    loop {
        let last_round = ended.load(Ordering::SeqCst);
        let newer = compare("lastModifiedDateTime", Comparison::Gt, &since.to_rfc3339());
        let mut query = AlertQuery {
            filter: Some(newer),
            search: None,
            order: vec![sort_key("lastModifiedDateTime", Direction::Ascending)],
            limit: 5,
            skip: 0,
            after: None,
        };
        loop {
            let page = store.list_alerts(&partner("p"), &query).await.unwrap();
            for body in &page.alerts {
                assert!(body.modified_at >= since, "modified since, in order");
                since = body.modified_at;
                let last = seen.insert(super::parsed(body).id.to_string(), body.version);
                assert!(last.is_none_or(|last| last < body.version), "no version twice");
            }
            query.after = page.next;
            if query.after.is_none() {
                break;
            }
        }
        if last_round {
            return seen;
        }
        tokio::task::yield_now().await;
    }
}
