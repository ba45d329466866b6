//! A connection as a [`Session`]: a transaction if it writes, single statements if it only reads.
//!
//! The server is a round trip away, so statements travel together where nobody waits for the answer
//! in between: a transaction begins with its first statement, and what is [`Session::put`] goes along
//! with the next statement or the commit. A change of one alert costs two round trips.
//!
//! # Who waits for whom
//!
//! Each partner has one advisory lock. Work on a single row shares it ([`Lock::Shared`]) and locks its
//! row. Work that reads before it writes, and must not be overtaken in between, holds it alone
//! ([`Lock::Exclusive`]): logic written for one writer at a time is right here too. A reader that must
//! not miss a change ([`Session::settled_until`]) holds it alone for a moment, after which all writers
//! that came before have committed.

use chrono::{DateTime, Utc};
use deadpool_postgres::Object;
use futures::FutureExt;
use futures::future::{BoxFuture, join_all};
use ::alerts::PartnerTenantId;
use tokio_postgres::types::ToSql;
use tokio_postgres::{SimpleQueryMessage, types::Type};

use super::bind::Parameter;
use crate::StoreError;
use crate::session::{Row, Session, Statement};
use crate::sql::dialect::{Dialect, Postgres};
use crate::sql::scalar::Scalar;

/// How many statements wait for the next round trip at most, so that a large import is sent as it goes.
const WAITING_MAX: usize = 16;

/// The time on the server's clock, in microseconds since 1970.
const CLOCK: &str = "select (extract(epoch from clock_timestamp()) * 1000000)::int8";

/// How much of a partner's data a transaction works on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lock {
    /// Single rows, each locked by its own statement; others may do so at the same time.
    Shared(i64),
    /// Whatever there is; others wait.
    Exclusive(i64),
}

impl Lock {
    /// For work on single rows of the partner.
    pub(super) fn shared(partner: &PartnerTenantId) -> Self {
        Self::Shared(key(partner))
    }

    /// For all other work on the partner.
    pub(super) fn exclusive(partner: &PartnerTenantId) -> Self {
        Self::Exclusive(key(partner))
    }

    /// Takes the lock until the end of the transaction.
    fn sql(self) -> String {
        match self {
            Self::Shared(key) => format!("select pg_advisory_xact_lock_shared({key})"),
            Self::Exclusive(key) => format!("select pg_advisory_xact_lock({key})"),
        }
    }
}

/// The number of a partner's lock. Two partners that share one wait for each other needlessly.
fn key(partner: &PartnerTenantId) -> i64 {
    let hash = blake3::hash(partner.as_str().as_bytes());
    let mut first = [0; 8];
    first.copy_from_slice(&hash.as_bytes()[..8]);
    i64::from_be_bytes(first)
}

/// A connection of the pool, at work.
pub(super) struct PostgresSession {
    /// `None` once it is known not to be fit for the pool.
    client: Option<Object>,
    stage: Stage,
    /// Statements on their way with the next one.
    waiting: Vec<Statement>,
    /// When what this transaction writes is changed.
    change_time: Option<DateTime<Utc>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Statements stand alone.
    Reading,
    /// The transaction begins with the next statement.
    Beginning(Lock),
    /// Inside the transaction.
    Begun,
    /// The transaction was ended.
    Ended,
}

/// One answer of the server.
enum Answer {
    Rows(Vec<tokio_postgres::Row>),
    Clock(Option<DateTime<Utc>>),
    Done,
}

type Request<'a> = BoxFuture<'a, Result<Answer, tokio_postgres::Error>>;

impl PostgresSession {
    pub(super) fn reading(client: Object) -> Self {
        Self { client: Some(client), stage: Stage::Reading, waiting: Vec::new(), change_time: None }
    }

    pub(super) fn writing(client: Object, lock: Lock) -> Self {
        Self { stage: Stage::Beginning(lock), ..Self::reading(client) }
    }

    /// Keeps what the transaction did.
    pub(super) async fn commit(mut self) -> Result<(), StoreError> {
        if self.stage == Stage::Begun || !self.waiting.is_empty() {
            self.send(None, Some("commit")).await?;
        }
        self.stage = Stage::Ended;
        Ok(())
    }

    /// Undoes what the transaction did.
    pub(super) async fn rollback(mut self) -> Result<(), StoreError> {
        self.waiting.clear();
        if self.stage == Stage::Begun {
            self.client()?.batch_execute("rollback").await?;
        }
        self.stage = Stage::Ended;
        Ok(())
    }

    fn client(&self) -> Result<&Object, StoreError> {
        self.client.as_ref().ok_or_else(|| StoreError::Database("the connection was given up".into()))
    }

    /// Sends what waits and then `statement` and `last`, in one round trip; gives the rows of `statement`.
    ///
    /// The first error is told: those after it only say that the transaction has failed.
    async fn send(
        &mut self,
        statement: Option<Statement>,
        last: Option<&'static str>,
    ) -> Result<Vec<tokio_postgres::Row>, StoreError> {
        let mut statements = std::mem::take(&mut self.waiting);
        statements.extend(statement);
        let begin = match self.stage {
            Stage::Beginning(lock) => Some(format!("begin; {}", lock.sql())),
            Stage::Reading | Stage::Begun | Stage::Ended => None,
        };
        let client = self.client.as_ref().ok_or_else(|| StoreError::Database("the connection was given up".into()))?;
        // All are prepared before any is sent: one that had to wait for that would be overtaken.
        let mut ready = Vec::new();
        for statement in statements {
            let prepared = client.prepare_cached(&statement.sql).await?;
            ready.push((prepared, Parameter::all(statement.values)?));
        }
        if begin.is_some() {
            self.stage = Stage::Begun;
        }
        let mut requests: Vec<Request<'_>> = Vec::new();
        if let Some(begin) = &begin {
            requests.push(client.batch_execute(begin).map(|done| done.map(|()| Answer::Done)).boxed());
        }
        for (prepared, parameters) in &ready {
            requests.push(
                async move {
                    let parameters: Vec<&(dyn ToSql + Sync)> = parameters.iter().map(|value| value as _).collect();
                    client.query(prepared, &parameters).await.map(Answer::Rows)
                }
                .boxed(),
            );
        }
        if begin.is_some() {
            // After the first statement, which may have waited for the lock on a row.
            requests.push(client.simple_query(CLOCK).map(|said| said.map(|said| Answer::Clock(time(&said)))).boxed());
        }
        if let Some(last) = last {
            requests.push(client.batch_execute(last).map(|done| done.map(|()| Answer::Done)).boxed());
        }
        let mut rows = Vec::new();
        for answer in join_all(requests).await {
            match answer? {
                Answer::Rows(found) => rows = found,
                Answer::Clock(time) => self.change_time = time,
                Answer::Done => {}
            }
        }
        Ok(rows)
    }
}
