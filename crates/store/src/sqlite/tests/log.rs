//! The log is kept short, and what stands in it is seen at once.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use ::alerts::{Status, StatusChange};

use super::{import_time, partner};
use crate::sqlite::SqliteStore;
use crate::sqlite::checkpoint::LOG_PAGES_MAX;
use crate::testing::{AlertBuilder, time};
use crate::{AlertStore, ExpectedVersion};

/// Bytes of a page in the log.
const LOGGED_PAGE_BYTES: u64 = 4096 + 24;

/// Reads alert `a` on a thread of its own until told to stop.
fn reading<'scope>(
    scope: &'scope thread::Scope<'scope, '_>,
    store: &'scope SqliteStore,
    stop: &'scope AtomicBool,
) {
    scope.spawn(|| {
        while !stop.load(Ordering::Relaxed) {
            futures::executor::block_on(store.alert(&partner(), &"a".parse().unwrap())).unwrap().unwrap();
        }
    });
}

fn bytes(path: &Path) -> u64 {
    std::fs::metadata(path).unwrap().len()
}

#[test]
fn the_log_stays_short_while_others_read_without_a_pause() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    let store = SqliteStore::open(&path).unwrap();
    let alerts: Vec<_> = (0..200)
        .map(|n| {
            let text = format!("{n} ").repeat(10_000);
            AlertBuilder::new("p", &format!("a{n}")).with(|body| body.description = Some(text)).build()
        })
        .chain([AlertBuilder::new("p", "a").build()])
        .collect();
    let import = |round: u32| {
        let again: Vec<_> = (alerts.iter().cloned())
            .map(|mut alert| {
                alert.body.display_name = format!("round {round}");
                alert
            })
            .collect();
        futures::executor::block_on(store.import_alerts(&partner(), &again, import_time())).unwrap();
    };
    import(0);
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        reading(scope, &store, &stop);
        // Each round writes some 4,000 pages, and all of them more than twice what the log may hold.
        (1..12).for_each(&import);
        stop.store(true, Ordering::Relaxed);
    });
    let log = bytes(&folder.path().join("a.db-wal"));
    let longest = 2 * LOG_PAGES_MAX as u64 * LOGGED_PAGE_BYTES;
    assert!(log < longest, "the log has {log} bytes");
    assert!(bytes(&path) > 1 << 20, "what was committed is in the file");
}

#[test]
fn a_read_sees_the_last_commit_of_this_and_of_other_processes_while_there_are_many_reads() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    let stores = [SqliteStore::open(&path).unwrap(), SqliteStore::open(&path).unwrap()];
    let (scope, id) = (partner(), "a".parse().unwrap());
    let alerts = [AlertBuilder::new("p", "a").build()];
    futures::executor::block_on(stores[0].import_alerts(&scope, &alerts, import_time())).unwrap();
    let stop = AtomicBool::new(false);
    thread::scope(|threads| {
        reading(threads, &stores[0], &stop);
        for version in 2..200_u64 {
            let to = if version % 2 == 0 { Status::Investigating } else { Status::Active };
            let change = StatusChange { to, reason: None };
            let writing = &stores[usize::from(version % 3 == 0)];
            let at = time("2031-02-03T05:00:00Z");
            let changed = writing.change_status(&scope, &id, change, &ExpectedVersion::Any, "ann", at);
            futures::executor::block_on(changed).unwrap().unwrap();
            for store in &stores {
                let seen = futures::executor::block_on(store.alert(&scope, &id)).unwrap().unwrap();
                assert_eq!(seen.version, version);
            }
        }
        stop.store(true, Ordering::Relaxed);
    });
}
