//! The embedded store: one SQLite file, shared by several connections and processes.
//!
//! Reads run where they are called, on a pool of read-only connections. They are short and served by
//! indexes; handing them to another thread would cost more than the read itself (measured: 5 to 15
//! times for a lookup by id). Writes go to one [`Writer`] thread, so no caller waits on the disk
//! while it holds an executor's thread.
//!
//! A write that was answered is on the disk: the journal is a write-ahead log, synced at each commit.
//! Other processes may read and write the same file; a writer waits for another up to
//! [`connection::BUSY_TIMEOUT`].

mod alerts;
mod bind;
mod connection;
mod directory;
mod findings;
mod functions;
mod readers;
mod runs;
mod writer;

#[cfg(test)]
mod tests;

use std::path::Path;

use ::alerts::{Alert, AlertId, Finding, PartnerTenantId, Scope, StatusChange, SubscriptionId};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use odata::checked::Filter;

use self::readers::Readers;
use self::writer::Writer;
use crate::{
    AlertBody, AlertPage, AlertQuery, Backlog, DetectorRun, Imported, Recorded, StatusChanged, Store,
    StoreError, Subscription,
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
        let writing = connection::open_for_writing(path)?;
        let readers = Readers::open(path)?;
        Ok(Self { readers, writer: Writer::start(writing)? })
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn alert(&self, scope: &Scope, id: &AlertId) -> Result<Option<AlertBody>, StoreError> {
        self.readers.read(|connection| alerts::body(connection, scope, id))
    }

    async fn list_alerts(&self, scope: &Scope, query: &AlertQuery) -> Result<AlertPage, StoreError> {
        self.readers.read(|connection| alerts::list(connection, scope, query))
    }

    async fn count_alerts(&self, scope: &Scope, filter: Option<&Filter>) -> Result<u64, StoreError> {
        self.readers.read(|connection| alerts::count(connection, scope, filter))
    }

    async fn change_status(
        &self,
        scope: &Scope,
        id: &AlertId,
        change: StatusChange,
        by: &str,
        at: DateTime<Utc>,
    ) -> Result<Option<StatusChanged>, StoreError> {
        let (scope, id, by) = (scope.clone(), id.clone(), by.to_owned());
        self.writer
            .write(move |connection| alerts::change_status(connection, &scope, &id, change, &by, at))
            .await
    }

    async fn record_findings(
        &self,
        scope: &Scope,
        findings: &[Finding],
        now: DateTime<Utc>,
    ) -> Result<Recorded, StoreError> {
        let (scope, findings) = (scope.clone(), findings.to_vec());
        self.writer.write(move |connection| findings::record(connection, &scope, findings, now)).await
    }

    async fn import_alerts(&self, scope: &Scope, alerts: &[Alert]) -> Result<Imported, StoreError> {
        let (scope, alerts) = (scope.clone(), alerts.to_vec());
        self.writer.write(move |connection| alerts::import(connection, &scope, alerts)).await
    }

    async fn learn_subscriptions(&self, scope: &Scope, known: &[Subscription]) -> Result<(), StoreError> {
        let (scope, known) = (scope.clone(), known.to_vec());
        self.writer.write(move |connection| directory::learn(connection, &scope, &known)).await
    }

    async fn subscription(
        &self,
        scope: &Scope,
        id: &SubscriptionId,
    ) -> Result<Option<Subscription>, StoreError> {
        self.readers.read(|connection| directory::subscription(connection, scope, id))
    }

    async fn note_arrival(
        &self,
        scope: &Scope,
        kind: &str,
        first_event_at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let (scope, kind) = (scope.clone(), kind.to_owned());
        self.writer
            .write(move |connection| runs::note_arrival(connection, &scope, &kind, first_event_at))
            .await
    }

    async fn backlog(&self, scope: &Scope, detector_id: &str, kinds: &[&str]) -> Result<Backlog, StoreError> {
        self.readers.read(|connection| runs::backlog(connection, scope, detector_id, kinds))
    }

    async fn record_run(
        &self,
        scope: &Scope,
        run: &DetectorRun,
        arrivals_seen: u64,
    ) -> Result<(), StoreError> {
        let (scope, run) = (scope.clone(), run.clone());
        self.writer.write(move |connection| runs::record(connection, &scope, &run, arrivals_seen)).await
    }

    async fn last_runs(&self, scope: &Scope) -> Result<Vec<DetectorRun>, StoreError> {
        self.readers.read(|connection| runs::last(connection, scope))
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Database(Box::new(error))
    }
}

/// That something of this partner was handed in with a scope that does not cover it.
fn out_of_scope(partner: &PartnerTenantId) -> StoreError {
    StoreError::OutOfScope { partner: partner.clone() }
}
