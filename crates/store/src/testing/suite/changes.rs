//! Changing the status of alerts.

use std::sync::Arc;

use alerts::{ResolvedReason, Status, StatusChange};
use odata::checked::Comparison;

use super::{id, ids, parsed, partner, put, query, seen};
use crate::ExpectedVersion::{Any, OneOf};
use crate::testing::{AlertBuilder, compare, time};
use crate::{StatusChanged, StatusOutcome, Store, StoreError};

fn to(to: Status, reason: Option<ResolvedReason>) -> StatusChange {
    StatusChange { to, reason }
}

async fn one<S: Store>(store: &S) {
    put(store, &[AlertBuilder::new("p", "a").build()]).await;
}

pub async fn a_change_of_status_is_logged_with_it<S: Store>(store: Arc<S>) {
    one(&*store).await;
    let at = time("2031-02-03T05:00:00Z");
    let fraud = to(Status::Resolved, Some(ResolvedReason::Fraud));
    let changed =
        store.change_status(&partner("p"), &id("a"), fraud, &Any, "ann", at).await.unwrap().unwrap();

    assert_eq!(changed.outcome, StatusOutcome::Changed);
    let body = parsed(&changed.body);
    assert_eq!(body.status, Status::Resolved);
    assert_eq!(body.resolved_by.as_deref(), Some("ann"));
    let [entry] = body.activity_logs.as_slice() else { panic!("one entry: {:?}", body.activity_logs) };
    assert_eq!((entry.status_from, entry.status_to), (Status::Active, Status::Resolved));
    assert_eq!(store.alert(&partner("p"), &id("a")).await.unwrap(), Some(changed.body));

    // What is filtered by changed with what is shown.
    for (property, value) in [
        ("status", "resolved"),
        ("resolvedBy", "ann"),
        ("resolvedReason", "fraud"),
        ("resolvedOnDateTime", "2031-02-03T05:00:00Z"),
    ] {
        let filter = compare(property, Comparison::Eq, value);
        assert_eq!(ids(&*store, &partner("p"), &query(Some(filter), Vec::new())).await, "a", "{property}");
    }
    let unknown = store.change_status(&partner("p"), &id("b"), fraud, &Any, "ann", at).await.unwrap();
    assert_eq!(unknown, None);
}

pub async fn a_change_that_says_nothing_new_changes_nothing<S: Store>(store: Arc<S>) {
    one(&*store).await;
    let at = time("2031-02-03T05:00:00Z");
    let before = store.alert(&partner("p"), &id("a")).await.unwrap().unwrap();
    let active = to(Status::Active, None);
    let same = store.change_status(&partner("p"), &id("a"), active, &Any, "ann", at).await.unwrap().unwrap();
    assert_eq!(same.outcome, StatusOutcome::Unchanged);
    assert_eq!(same.body, before);
}

pub async fn a_change_meant_for_another_version_changes_nothing<S: Store>(store: Arc<S>) {
    one(&*store).await;
    let change = async |expected| {
        let (status, at) = (to(Status::Investigating, None), time("2031-02-03T05:00:00Z"));
        store.change_status(&partner("p"), &id("a"), status, &expected, "ann", at).await.unwrap().unwrap()
    };
    let before = store.alert(&partner("p"), &id("a")).await.unwrap().unwrap();
    assert_eq!(before.version, 1);
    for versions in [vec![], vec![2], vec![0, 7]] {
        let refused = change(OneOf(versions)).await;
        assert_eq!(refused, StatusChanged { outcome: StatusOutcome::VersionDiffers, body: before.clone() });
    }
    assert_eq!(store.alert(&partner("p"), &id("a")).await.unwrap(), Some(before.clone()));

    let changed = change(OneOf(vec![7, 1])).await;
    assert_eq!((changed.outcome, changed.body.version), (StatusOutcome::Changed, 2));
    assert!(changed.body.modified_at > before.modified_at);
    let again = change(OneOf(vec![1])).await;
    assert_eq!(again.outcome, StatusOutcome::VersionDiffers, "though it would change nothing");
    let again = change(OneOf(vec![2])).await;
    assert_eq!(again, StatusChanged { outcome: StatusOutcome::Unchanged, body: changed.body });
}

pub async fn a_change_that_contradicts_itself_changes_nothing<S: Store>(store: Arc<S>) {
    one(&*store).await;
    let at = time("2031-02-03T05:00:00Z");
    let before = seen(&*store, &partner("p"), "a").await;
    let wrong = to(Status::Active, Some(ResolvedReason::Fraud));
    let refused = store.change_status(&partner("p"), &id("a"), wrong, &Any, "ann", at).await;
    assert!(matches!(refused, Err(StoreError::Lifecycle(_))), "{refused:?}");
    assert_eq!(seen(&*store, &partner("p"), "a").await, before);
}

pub async fn changes_at_the_same_time_are_all_logged<S: Store>(store: Arc<S>) {
    one(&*store).await;
    let flip = |name: &'static str, first: Status, second: Status| {
        let store = store.clone();
        tokio::spawn(async move {
            let mut changed = 0;
            for turn in 0..50 {
                let status = if turn % 2 == 0 { first } else { second };
                let at = time("2031-02-03T05:00:00Z");
                let result = store
                    .change_status(&partner("p"), &id("a"), to(status, None), &Any, name, at)
                    .await
                    .unwrap();
                changed += usize::from(result.unwrap().outcome == StatusOutcome::Changed);
            }
            changed
        })
    };
    let ann = flip("ann", Status::Investigating, Status::Active);
    let bob = flip("bob", Status::Resolved, Status::Investigating);
    let changed = ann.await.unwrap() + bob.await.unwrap();

    let alert = seen(&*store, &partner("p"), "a").await.unwrap();
    assert_eq!(alert.activity_logs.len(), changed);
    let links = alert.activity_logs.windows(2).all(|pair| pair[0].status_to == pair[1].status_from);
    assert!(links, "each change starts where the one before it ended");
    assert!(alert.activity_logs.iter().any(|entry| entry.updated_by == "ann"));
    assert!(alert.activity_logs.iter().any(|entry| entry.updated_by == "bob"));
}
