//! What holds of the embedded store alone, and the shared suite run on it.

mod counts;
mod log;
mod plans;
mod upgrade;

use std::sync::Arc;

use ::alerts::{Scope, Status, StatusChange};
use chrono::{DateTime, Utc};
use odata::checked::{Comparison, Filter};
use tokio::runtime::Runtime;

use super::{SqliteStore, connection};
use crate::testing::{AlertBuilder, compare, paging, properties, temporary_sqlite, time};
use crate::{
    AlertStore, Change, ChangeFeed, ChangePosition, ExpectedVersion, RunStore, StatusOutcome, StoreError,
};

crate::store_suite!(temporary_sqlite());

fn import_time() -> DateTime<Utc> {
    time("2031-02-03T04:30:00Z")
}

fn partner() -> Scope {
    Scope::Partner("p".parse().unwrap())
}

#[test]
fn the_database_and_the_specification_agree_on_filters() {
    let (_folder, store) = temporary_sqlite();
    properties::filters_agree(&Runtime::new().unwrap(), &*store, 400);
}

#[test]
fn the_database_and_the_specification_agree_on_searches() {
    let (_folder, store) = temporary_sqlite();
    properties::searches_agree(&Runtime::new().unwrap(), &*store, 400);
}

#[test]
fn following_the_pages_gives_each_alert_once_in_any_order() {
    let (_folder, store) = temporary_sqlite();
    properties::pages_are_whole(&Runtime::new().unwrap(), &*store, 400);
}

#[test]
fn following_the_pages_while_others_write_gives_each_steady_alert_once() {
    let (_folder, store) = temporary_sqlite();
    paging::pages_are_whole_while_others_write(&Runtime::new().unwrap(), &*store, 200);
}

#[test]
fn a_mapped_file_has_the_same_pages_while_others_write() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("alerts.db");
    let store = Arc::new(SqliteStore::open_mapped(&path, 1 << 30).unwrap());
    paging::pages_are_whole_while_others_write(&Runtime::new().unwrap(), &*store, 50);
    let reader = connection::open_for_reading(&path, 1, 1 << 40).unwrap();
    let most: i64 = reader.query_row("pragma mmap_size", [], |row| row.get(0)).unwrap();
    assert_eq!(most, 256 << 30, "SQLite is built to map large files");
}

#[test]
fn a_fresh_schema_is_as_agreed() {
    let folder = tempfile::tempdir().unwrap();
    let connection = connection::open_for_writing(&folder.path().join("a.db")).unwrap();
    let mut statement = connection
        .prepare(
            "select sql
            from sqlite_master
            where sql is not null
                and name not like 'refinery%'
                and name not like 'sqlite%'
            order by rowid",
        )
        .unwrap();
    let schema: Vec<String> =
        statement.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap();
    insta::assert_snapshot!(schema.join(";\n\n"));
}

#[test]
fn a_store_opens_again_and_still_holds_what_it_held() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("not/yet/there.db");
    let runtime = Runtime::new().unwrap();
    for expected in [1, 0] {
        let store = SqliteStore::open(&path).unwrap();
        let alerts = [AlertBuilder::new("p", "a").build()];
        let imported = runtime.block_on(store.import_alerts(&partner(), &alerts, import_time())).unwrap();
        assert_eq!(imported.added, expected);
    }
    let left: Vec<_> = std::fs::read_dir(path.parent().unwrap())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with("-wal"))
        .collect();
    assert!(left.is_empty(), "a store that was closed leaves one file with everything in it");
}

#[test]
fn what_is_no_database_is_an_error_that_tells_callers_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notes.txt");
    std::fs::write(&path, "This is not a database, but it is long enough to look at.".repeat(20)).unwrap();
    let error = SqliteStore::open(&path).err().unwrap();
    assert_eq!(error.to_string(), "the database failed");
    assert!(matches!(error, StoreError::Database(_)));
}

#[test]
fn several_processes_open_and_write_one_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    let flip = |name: &'static str, status: Status| {
        let path = path.clone();
        std::thread::spawn(move || {
            let store = SqliteStore::open(&path).unwrap();
            let runtime = Runtime::new().unwrap();
            let (scope, id) = (partner(), name.parse().unwrap());
            let alerts = [AlertBuilder::new("p", name).build()];
            runtime.block_on(store.import_alerts(&partner(), &alerts, import_time())).unwrap();
            for turn in 0..20 {
                let to = if turn % 2 == 0 { status } else { Status::Active };
                let change = StatusChange { to, reason: None };
                let at = time("2031-02-03T05:00:00Z");
                let changed = store.change_status(&scope, &id, change, &ExpectedVersion::Any, name, at);
                assert_eq!(runtime.block_on(changed).unwrap().unwrap().outcome, StatusOutcome::Changed);
            }
        })
    };
    let threads =
        [flip("a", Status::Investigating), flip("b", Status::Resolved), flip("c", Status::Resolved)];
    for thread in threads {
        thread.join().unwrap();
    }
    let store = SqliteStore::open(&path).unwrap();
    let runtime = Runtime::new().unwrap();
    let count = |filter: Option<&Filter>| runtime.block_on(store.count_alerts(&partner(), filter, None));
    assert_eq!(count(None).unwrap(), 3);
    assert_eq!(count(Some(&compare("status", Comparison::Eq, "active"))).unwrap(), 3);
    assert_eq!(count(Some(&compare("status", Comparison::Ne, "active"))).unwrap(), 0);

    let log = runtime.block_on(store.changes(&partner(), ChangePosition::default(), 1_000)).unwrap();
    assert_eq!(log.changes.len(), 3 * 21);
    let in_order = |pair: &[Change]| pair[0].position < pair[1].position && pair[0].at < pair[1].at;
    assert!(log.changes.windows(2).all(in_order), "times rise with the order of the commits");
    for name in ["a", "b", "c"] {
        let of_name = log.changes.iter().filter(|change| change.alert_id.as_str() == name);
        assert!(of_name.map(|change| change.version).eq(1..=21), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn work_that_fails_or_panics_does_not_take_others_with_it() {
    let (_folder, store) = temporary_sqlite();
    let insert = "insert into detector_run
            (partner_tenant_id, detector_id, since_at, until_at, started_at, duration_ms, findings)
        values ('p', ?1, 0, 0, 0, 0, 0)";
    let kept =
        |name: &'static str| store.writer.write(move |session| Ok(session.0.execute(insert, [name])?));
    let failed = store.writer.write(move |session| {
        session.0.execute(insert, ["failed"])?;
        Err::<(), _>(StoreError::Unsupported("on purpose".to_owned()))
    });
    let panicked = store.writer.write(move |session| -> Result<(), StoreError> {
        session.0.execute(insert, ["panicked"])?;
        panic!("on purpose")
    });
    let alone = |name: &'static str| {
        store.writer.write_alone(move |session| {
            session.0.execute(insert, [name])?;
            if name == "failed alone" { Err(StoreError::Unsupported("alone".to_owned())) } else { Ok(()) }
        })
    };
    let (first, failed, panicked, failed_alone, large, last) =
        futures::join!(kept("first"), failed, panicked, alone("failed alone"), alone("large"), kept("last"));
    assert_eq!(first.unwrap(), 1);
    assert_eq!(failed_alone.unwrap_err().to_string(), "alone");
    large.unwrap();
    assert_eq!(failed.unwrap_err().to_string(), "on purpose");
    assert_eq!(panicked.unwrap_err().to_string(), "the database failed");
    assert_eq!(last.unwrap(), 1);
    let runs: Vec<_> = store.last_runs(&partner()).await.unwrap();
    assert_eq!(
        runs.iter().map(|run| run.detector_id.as_str()).collect::<Vec<_>>(),
        ["first", "large", "last"]
    );
}

#[tokio::test]
async fn each_change_makes_a_new_version() {
    let (_folder, store) = temporary_sqlite();
    let alert = AlertBuilder::new("p", "a");
    let import = async |alert: AlertBuilder, at: &str| {
        store.import_alerts(&partner(), &[alert.build()], time(at)).await.unwrap();
    };
    let check = async |version: u64, modified_at: &str| {
        let found = store.alert(&partner(), &"a".parse().unwrap()).await.unwrap().unwrap();
        assert_eq!((found.version, found.modified_at), (version, time(modified_at)));
    };
    import(alert.clone(), "2031-02-03T04:30:00Z").await;
    check(1, "2031-02-03T04:30:00Z").await;
    import(alert.clone(), "2031-02-03T04:40:00Z").await;
    check(1, "2031-02-03T04:30:00Z").await;
    let renamed = alert.with(|body| body.display_name = "New".to_owned());
    import(renamed, "2031-02-03T04:50:00Z").await;
    check(2, "2031-02-03T04:50:00Z").await;

    let change = StatusChange { to: Status::Investigating, reason: None };
    // A clock that goes back does not take the time of the last change back.
    let at = time("2031-02-03T04:00:00Z");
    for _ in 0..2 {
        let id = "a".parse().unwrap();
        store.change_status(&partner(), &id, change, &ExpectedVersion::Any, "ann", at).await.unwrap();
        check(3, "2031-02-03T04:50:00.000001Z").await;
    }
}

#[test]
fn every_column_of_the_model_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let connection = connection::open_for_writing(&folder.path().join("a.db")).unwrap();
    let statement = connection.prepare("select * from alert").unwrap();
    let mut columns: Vec<&str> = statement.column_names().collect();
    columns.retain(|name| *name != "alert_number");
    let alert = AlertBuilder::new("p", "a").build();
    let row = crate::sql::row::AlertRow::new(&alert, "{}", time("2031-01-01T00:00:00Z"));
    let written: Vec<&str> = row.columns.iter().map(|(name, _)| *name).collect();
    assert_eq!(written, columns);
    for property in crate::alert_model().properties {
        if let Some(crate::model::Stored::Column(name)) = crate::model::stored(property.name) {
            assert!(columns.contains(&name), "{}", property.name);
        }
    }
}
