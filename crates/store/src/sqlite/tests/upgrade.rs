//! Files of earlier versions are brought up to date.

use refinery::Target;
use rusqlite::Connection;

use super::{connection, partner};
use crate::session::Session;
use crate::sql::alerts as statements;
use crate::sql::dialect::{Dialect, Sqlite};
use crate::sql::row::{AlertRow, json};
use crate::sqlite::SqliteStore;
use crate::sqlite::session::{SqliteSession, at_once};
use crate::testing::{AlertBuilder, compare, term, time};
use crate::{AlertQuery, AlertStore, ChangeFeed, ChangeKind, ChangePosition, ExpectedVersion};
use ::alerts::{Status, StatusChange};
use chrono::{DateTime, Utc};
use odata::checked::Comparison;

/// A file as the first version made it, with 30 alerts, every third of them resolved.
fn first_version(path: &std::path::Path, modified_at: DateTime<Utc>) {
    let mut connection = Connection::open(path).unwrap();
    let runner = connection::embedded::migrations::runner();
    runner.set_target(Target::Version(1)).run(&mut connection).unwrap();
    for n in 0..30 {
        let alert = AlertBuilder::new("p", &format!("a{n:02}"))
            .with(|body| body.status = if n % 3 == 0 { Status::Resolved } else { Status::Active })
            .detail("Number", n)
            .build();
        let row = AlertRow::new(&alert, &json(&alert).unwrap(), modified_at);
        let put = Sqlite.statement(statements::put(&row).into());
        at_once(SqliteSession(&mut connection).rows(put)).unwrap();
    }
}

#[tokio::test]
async fn alerts_of_the_first_version_are_counted_and_found_and_followed_from_now_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    first_version(&path, time("2021-01-01T00:00:00Z"));
    for _ in 0..2 {
        let store = SqliteStore::open(&path).unwrap();
        assert_eq!(store.count_alerts(&partner(), None, None).await.unwrap(), 30);
        let resolved = compare("status", Comparison::Eq, "resolved");
        assert_eq!(store.count_alerts(&partner(), Some(&resolved), None).await.unwrap(), 10);
        let found = AlertQuery {
            filter: None,
            search: Some(term("17")),
            order: Vec::new(),
            limit: 50,
            skip: 0,
            after: None,
        };
        let found = store.list_alerts(&partner(), &found).await.unwrap().alerts;
        assert_eq!(found.len(), 1);
        assert!(found[0].json.contains("\"id\":\"a17\""), "{}", found[0].json);
        assert_eq!((found[0].version, found[0].modified_at), (1, time("2021-01-01T00:00:00Z")));
    }

    let store = SqliteStore::open(&path).unwrap();
    let start = ChangePosition::default();
    assert_eq!(store.latest_change(&partner()).await.unwrap(), start);
    let change = StatusChange { to: Status::Resolved, reason: None };
    let (id, at) = ("a01".parse().unwrap(), time("2031-02-03T05:00:00Z"));
    store.change_status(&partner(), &id, change, &ExpectedVersion::Any, "ann", at).await.unwrap();
    let changes = store.changes(&partner(), start, 10).await.unwrap().changes;
    assert_eq!(changes.len(), 1);
    assert_eq!((changes[0].kind, changes[0].version), (ChangeKind::Updated, 2));
    let resolved = compare("status", Comparison::Eq, "resolved");
    assert_eq!(store.count_alerts(&partner(), Some(&resolved), None).await.unwrap(), 11);
}

#[tokio::test]
async fn times_of_change_that_lie_ahead_do_not_hold_up_later_ones() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    first_version(&path, time("2999-01-01T00:00:00Z"));
    let store = SqliteStore::open(&path).unwrap();
    let found = store.alert(&partner(), &"a01".parse().unwrap()).await.unwrap().unwrap();
    assert!(found.modified_at < time("2999-01-01T00:00:00Z"), "{}", found.modified_at);
}
