//! The store on a PostgreSQL server, shared by any number of replicas of this program.
//!
//! A read is one prepared statement on a connection of a pool. A write is one transaction, with all
//! it does in as few round trips as it needs; see [`session`]. What a transaction lost to another one
//! is tried again.

mod bind;
mod facts;
mod money;
mod open;
mod session;
mod sources;
mod subscriptions;
mod target;
mod tls;
mod tuning;
mod webhooks;

#[cfg(test)]
mod tests;

use ::alerts::{Alert, AlertId, Finding, Scope, StatusChange, SubscriptionId};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use deadpool_postgres::{Object, Pool};
use odata::checked::{Filter, Search};
use tokio_postgres::error::SqlState;

use self::session::{Lock, PostgresSession};
use crate::logic::{self, alerts, changes, directory, runs};
use crate::session::Session;
use crate::{
    AlertBody, AlertPage, AlertQuery, AlertStore, Backlog, ChangeFeed, ChangePage, ChangePosition,
    DetectorHealth, DetectorRun, DirectoryStore, ExpectedVersion, Imported, Recorded, RunStore,
    StatusChanged, StoreError, Subscription,
};

/// How many prepared statements a connection keeps: filters differ in shape, seldom by more.
const STATEMENTS_MAX: usize = 256;

/// How often a transaction is tried that lost to others; each time, one of them got through.
const TRIES_MAX: usize = 10;

/// Product state in one PostgreSQL database.
pub struct PostgresStore {
    pool: Pool,
}

impl PostgresStore {
    /// Opens the store in the database that a URL names, and brings its schema up to date.
    ///
    /// The URL reads `postgres://user:password@host:port/database?option=value`. A connection that
    /// leaves this machine is encrypted, and the server's certificate checked; `sslrootcert=FILE` names
    /// the authorities to trust instead of the system's, `sslmode=disable` does without encryption.
    /// Replicas that open one database at once wait for each other.
    ///
    /// # Errors
    ///
    /// [`StoreError::CannotOpen`] if the server cannot be reached or refuses the user, if there is no
    /// such database, or if it was written by a newer version of this program. Says what to do about
    /// it, and never the password.
    pub async fn connect(url: &str) -> Result<Self, StoreError> {
        Ok(Self { pool: open::open(url).await? })
    }

    async fn connection(&self) -> Result<Object, StoreError> {
        let client = self.pool.get().await.map_err(|error| StoreError::Database(Box::new(error)))?;
        if client.statement_cache.size() > STATEMENTS_MAX {
            client.statement_cache.clear();
        }
        Ok(client)
    }

    async fn reading(&self) -> Result<PostgresSession, StoreError> {
        Ok(PostgresSession::reading(self.connection().await?))
    }

    /// Runs work in a transaction, and again if it lost to another one. All of it is kept or nothing.
    ///
    /// The work ends the session that it is given; see [`PostgresSession::end`]. It is handed over rather
    /// than lent, as a future that borrows from its caller's caller cannot be known to be `Send` yet.
    async fn write<T, F>(&self, lock: Lock, work: impl Fn(PostgresSession) -> F) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, StoreError>>,
    {
        let mut tries = 1;
        loop {
            match work(PostgresSession::writing(self.connection().await?, lock)).await {
                Err(error) if lost_to_another(&error) && tries < TRIES_MAX => tries += 1,
                done => return done,
            }
        }
    }
}

/// Whether the server undid a transaction in favour of another, so that it may well succeed now.
fn lost_to_another(error: &StoreError) -> bool {
    let StoreError::Database(cause) = error else { return false };
    let code = cause.downcast_ref::<tokio_postgres::Error>().and_then(tokio_postgres::Error::code);
    matches!(code, Some(&SqlState::T_R_SERIALIZATION_FAILURE | &SqlState::T_R_DEADLOCK_DETECTED))
}

#[async_trait]
impl AlertStore for PostgresStore {
    async fn alert(&self, scope: &Scope, id: &AlertId) -> Result<Option<AlertBody>, StoreError> {
        alerts::body(&mut self.reading().await?, scope, id).await
    }

    async fn list_alerts(&self, scope: &Scope, query: &AlertQuery) -> Result<AlertPage, StoreError> {
        alerts::list(&mut self.reading().await?, scope, query).await
    }

    async fn count_alerts(
        &self,
        scope: &Scope,
        filter: Option<&Filter>,
        search: Option<&Search>,
    ) -> Result<u64, StoreError> {
        alerts::count(&mut self.reading().await?, scope, filter, search).await
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
        let lock = Lock::row(scope.partner(), id.as_str());
        self.write(lock, |mut session| async move {
            let done = alerts::change_status(&mut session, scope, id, change, expected, by, at).await;
            session.end(done).await
        })
        .await
    }

    async fn record_findings(
        &self,
        scope: &Scope,
        findings: &[Finding],
        now: DateTime<Utc>,
    ) -> Result<Recorded, StoreError> {
        let lock = Lock::exclusive(scope.partner());
        self.write(lock, |mut session| async move {
            let done = logic::record_findings(&mut session, scope, findings, now).await;
            session.end(done).await
        })
        .await
    }

    async fn import_alerts(
        &self,
        scope: &Scope,
        alerts: &[Alert],
        now: DateTime<Utc>,
    ) -> Result<Imported, StoreError> {
        let lock = Lock::exclusive(scope.partner());
        self.write(lock, |mut session| async move {
            let done = alerts::import(&mut session, scope, alerts, now).await;
            session.end(done).await
        })
        .await
    }
}

#[async_trait]
impl ChangeFeed for PostgresStore {
    async fn latest_change(&self, scope: &Scope) -> Result<ChangePosition, StoreError> {
        self.reading().await?.change_horizon(scope.partner()).await
    }

    async fn changes(
        &self,
        scope: &Scope,
        after: ChangePosition,
        limit: usize,
    ) -> Result<ChangePage, StoreError> {
        changes::read(&mut self.reading().await?, scope, after, limit).await
    }

    async fn oldest_kept_change(&self, _scope: &Scope) -> Result<ChangePosition, StoreError> {
        changes::oldest_kept(&mut self.reading().await?).await
    }

    async fn prune_changes(&self, before: DateTime<Utc>) -> Result<u64, StoreError> {
        self.write(Lock::of_log(), |mut session| async move {
            let done = changes::prune(&mut session, before).await;
            session.end(done).await
        })
        .await
    }
}

#[async_trait]
impl DirectoryStore for PostgresStore {
    async fn learn_subscriptions(&self, scope: &Scope, known: &[Subscription]) -> Result<(), StoreError> {
        let lock = Lock::exclusive(scope.partner());
        self.write(lock, |mut session| async move {
            let done = directory::learn(&mut session, scope, known).await;
            session.end(done).await
        })
        .await
    }

    async fn subscription(
        &self,
        scope: &Scope,
        id: &SubscriptionId,
    ) -> Result<Option<Subscription>, StoreError> {
        directory::subscription(&mut self.reading().await?, scope, id).await
    }
}

#[async_trait]
impl RunStore for PostgresStore {
    async fn note_arrival(
        &self,
        scope: &Scope,
        kind: &str,
        first_event_at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        // Alone, so that arrivals come to light in the order of their numbers.
        let lock = Lock::exclusive(scope.partner());
        self.write(lock, |mut session| async move {
            let done = runs::note_arrival(&mut session, scope, kind, first_event_at).await;
            session.end(done).await
        })
        .await
    }

    async fn backlog(&self, scope: &Scope, detector_id: &str, kinds: &[&str]) -> Result<Backlog, StoreError> {
        runs::backlog(&mut self.reading().await?, scope, detector_id, kinds).await
    }

    async fn record_run(
        &self,
        scope: &Scope,
        run: &DetectorRun,
        arrivals_seen: u64,
    ) -> Result<(), StoreError> {
        let lock = Lock::exclusive(scope.partner());
        self.write(lock, |mut session| async move {
            let done = runs::record(&mut session, scope, run, arrivals_seen).await;
            session.end(done).await
        })
        .await
    }

    async fn last_runs(&self, scope: &Scope) -> Result<Vec<DetectorRun>, StoreError> {
        runs::last(&mut self.reading().await?, scope).await
    }

    async fn detector_health(&self, scope: &Scope) -> Result<Vec<DetectorHealth>, StoreError> {
        runs::health(&mut self.reading().await?, scope).await
    }
}

impl From<tokio_postgres::Error> for StoreError {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Database(Box::new(error))
    }
}
