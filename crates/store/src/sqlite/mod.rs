//! The embedded store: one SQLite file, shared by several connections and processes.
//!
//! Reads run where they are called, on a pool of read-only connections. They are short and served by
//! indexes; handing them to another thread would cost more than the read itself (measured: 5 to 15
//! times for a lookup by id). Writes go to one [`Writer`] thread, so no caller waits on the disk
//! while it holds an executor's thread.
//!
//! A write that was answered is on the disk: the journal is a write-ahead log, synced at each commit.
//! Another thread moves the log into the file; see [`checkpoint`].
//! Other processes may read and write the same file; a writer waits for another up to
//! [`connection::BUSY_TIMEOUT`].

mod background;
mod checkpoint;
mod connection;
mod functions;
mod keeper;
mod money;
mod readers;
mod session;
mod sources;
mod subscriptions;
mod tuning;
mod webhooks;
mod writer;

#[cfg(test)]
mod tests;

use std::path::Path;

use ::alerts::score::{CustomerInsight, ResponseTimes, ScoreSnapshot, SecurityRequirement};
use ::alerts::{Alert, AlertId, CustomerTenantId, Finding, Scope, StatusChange, SubscriptionId};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use odata::checked::{Filter, Search};

use self::checkpoint::Checkpoints;
use self::readers::Readers;
use self::session::at_once;
use self::writer::Writer;
use crate::logic::{self, alerts, changes, directory, facts, runs};
use crate::session::Session;
use crate::{
    AlertBody, AlertPage, AlertQuery, AlertStore, Backlog, ChangeFeed, ChangePage, ChangePosition,
    DetectorHealth, DetectorRun, DirectoryStore, ExpectedVersion, FactStore, Imported, Recorded, RunStore,
    SecurityFacts, StatusChanged, StoreError, Subscription,
};

/// Product state in one SQLite file.
pub struct SqliteStore {
    // The readers are dropped first: the last connection to close folds the log into the file, and
    // only the writer may.
    readers: Readers,
    writer: Writer,
}

impl SqliteStore {
    /// Opens the store, and creates the file and its folder if they are not there.
    ///
    /// Brings an older file up to date. Processes that open the same file at once wait for each other.
    ///
    /// # Errors
    ///
    /// [`StoreError::Database`] if the file cannot be opened, is no database, or was written by a
    /// newer version of this program.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        Self::open_mapped(path, 0)
    }

    /// As [`SqliteStore::open`], with the first `mapped` bytes of the file mapped into memory for who reads.
    ///
    /// That makes long lists up to twice as fast, and what was read of the file counts as memory of this
    /// process until the system needs it elsewhere.
    ///
    /// # Errors
    ///
    /// As [`SqliteStore::open`].
    pub fn open_mapped(path: &Path, mapped: u64) -> Result<Self, StoreError> {
        let mut writing = connection::open_for_writing(path)?;
        let readers = Readers::open(path, mapped)?;
        let checkpoints = Checkpoints::start(&mut writing, path)?;
        Ok(Self { readers, writer: Writer::start(writing, checkpoints)? })
    }
}

#[async_trait]
impl AlertStore for SqliteStore {
    async fn alert(&self, scope: &Scope, id: &AlertId) -> Result<Option<AlertBody>, StoreError> {
        self.readers.read(|session| at_once(alerts::body(session, scope, id)))
    }

    async fn list_alerts(&self, scope: &Scope, query: &AlertQuery) -> Result<AlertPage, StoreError> {
        self.readers.read(|session| at_once(alerts::list(session, scope, query)))
    }

    async fn count_alerts(
        &self,
        scope: &Scope,
        filter: Option<&Filter>,
        search: Option<&Search>,
    ) -> Result<u64, StoreError> {
        self.readers.read(|session| at_once(alerts::count(session, scope, filter, search)))
    }

    async fn change_status(
        &self,
        scope: &Scope,
        id: &AlertId,
        change: StatusChange,
        expected: &ExpectedVersion,
        by: &str,
        at: DateTime<Utc>,
    ) -> Result<Option<StatusChanged>, StoreError> {
        let (scope, id, expected, by) = (scope.clone(), id.clone(), expected.clone(), by.to_owned());
        self.writer
            .write(move |session| {
                at_once(alerts::change_status(session, &scope, &id, change, &expected, &by, at))
            })
            .await
    }

    async fn record_findings(
        &self,
        scope: &Scope,
        findings: &[Finding],
        now: DateTime<Utc>,
    ) -> Result<Recorded, StoreError> {
        let (scope, findings) = (scope.clone(), findings.to_vec());
        self.writer
            .write(move |session| at_once(logic::record_findings(session, &scope, &findings, now)))
            .await
    }

    async fn import_alerts(
        &self,
        scope: &Scope,
        alerts: &[Alert],
        now: DateTime<Utc>,
    ) -> Result<Imported, StoreError> {
        let (scope, alerts) = (scope.clone(), alerts.to_vec());
        self.writer.write_alone(move |session| at_once(alerts::import(session, &scope, &alerts, now))).await
    }
}

#[async_trait]
impl ChangeFeed for SqliteStore {
    async fn latest_change(&self, scope: &Scope) -> Result<ChangePosition, StoreError> {
        self.readers.read(|session| at_once(session.change_horizon(scope.partner())))
    }

    async fn changes(
        &self,
        scope: &Scope,
        after: ChangePosition,
        limit: usize,
    ) -> Result<ChangePage, StoreError> {
        self.readers.read(|session| at_once(changes::read(session, scope, after, limit)))
    }

    async fn oldest_kept_change(&self, _scope: &Scope) -> Result<ChangePosition, StoreError> {
        self.readers.read(|session| at_once(changes::oldest_kept(session)))
    }

    async fn prune_changes(&self, before: DateTime<Utc>) -> Result<u64, StoreError> {
        self.writer.write(move |session| at_once(changes::prune(session, before))).await
    }
}

#[async_trait]
impl DirectoryStore for SqliteStore {
    async fn learn_subscriptions(&self, scope: &Scope, known: &[Subscription]) -> Result<(), StoreError> {
        let (scope, known) = (scope.clone(), known.to_vec());
        self.writer.write(move |session| at_once(directory::learn(session, &scope, &known))).await
    }

    async fn subscription(
        &self,
        scope: &Scope,
        id: &SubscriptionId,
    ) -> Result<Option<Subscription>, StoreError> {
        self.readers.read(|session| at_once(directory::subscription(session, scope, id)))
    }
}

#[async_trait]
impl FactStore for SqliteStore {
    async fn import_facts(&self, scope: &Scope, told: &SecurityFacts) -> Result<(), StoreError> {
        let (scope, told) = (scope.clone(), told.clone());
        self.writer.write(move |session| at_once(facts::import(session, &scope, &told))).await
    }

    async fn requirements(&self, scope: &Scope) -> Result<Vec<SecurityRequirement>, StoreError> {
        self.readers.read(|session| at_once(facts::requirements(session, scope)))
    }

    async fn customer_insights(&self, scope: &Scope) -> Result<Vec<CustomerInsight>, StoreError> {
        self.readers.read(|session| at_once(facts::customer_insights(session, scope)))
    }

    async fn customer_insight(
        &self,
        scope: &Scope,
        id: &CustomerTenantId,
    ) -> Result<Option<CustomerInsight>, StoreError> {
        self.readers.read(|session| at_once(facts::customer_insight(session, scope, id)))
    }

    async fn response_times(
        &self,
        scope: &Scope,
        since: DateTime<Utc>,
        overdue_before: DateTime<Utc>,
    ) -> Result<ResponseTimes, StoreError> {
        self.readers.read(|session| at_once(facts::response_times(session, scope, since, overdue_before)))
    }

    async fn add_score_snapshot(&self, scope: &Scope, snapshot: &ScoreSnapshot) -> Result<bool, StoreError> {
        let (scope, snapshot) = (scope.clone(), *snapshot);
        self.writer.write(move |session| at_once(facts::add_snapshot(session, &scope, &snapshot))).await
    }

    async fn score_history(&self, scope: &Scope) -> Result<Vec<ScoreSnapshot>, StoreError> {
        self.readers.read(|session| at_once(facts::history(session, scope)))
    }
}

#[async_trait]
impl RunStore for SqliteStore {
    async fn note_arrival(
        &self,
        scope: &Scope,
        kind: &str,
        first_event_at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let (scope, kind) = (scope.clone(), kind.to_owned());
        self.writer
            .write(move |session| at_once(runs::note_arrival(session, &scope, &kind, first_event_at)))
            .await
    }

    async fn backlog(&self, scope: &Scope, detector_id: &str, kinds: &[&str]) -> Result<Backlog, StoreError> {
        self.readers.read(|session| at_once(runs::backlog(session, scope, detector_id, kinds)))
    }

    async fn record_run(
        &self,
        scope: &Scope,
        run: &DetectorRun,
        arrivals_seen: u64,
    ) -> Result<(), StoreError> {
        let (scope, run) = (scope.clone(), run.clone());
        self.writer.write(move |session| at_once(runs::record(session, &scope, &run, arrivals_seen))).await
    }

    async fn last_runs(&self, scope: &Scope) -> Result<Vec<DetectorRun>, StoreError> {
        self.readers.read(|session| at_once(runs::last(session, scope)))
    }

    async fn detector_health(&self, scope: &Scope) -> Result<Vec<DetectorHealth>, StoreError> {
        self.readers.read(|session| at_once(runs::health(session, scope)))
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Database(Box::new(error))
    }
}
