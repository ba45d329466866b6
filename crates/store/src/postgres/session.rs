//! A connection as a [`Session`]: a transaction if it writes, single statements if it only reads.
//!
//! The server is a round trip away, so statements travel together where nobody waits for the answer
//! in between: a transaction begins with its first statement, and what is [`Session::put`] goes along
//! with the next statement or the commit. A change of one alert costs two round trips.
//!
//! # Who waits for whom
//!
//! Each partner has one advisory lock. Work on one alert shares it, and holds another for that alert
//! alone ([`Lock::Row`]). Work that reads before it writes, and must not be overtaken in between, holds the
//! partner's alone ([`Lock::Exclusive`]): logic written for one writer at a time is right here too. A reader
//! that must not miss a change ([`Session::settled_before`]) holds it alone for a moment, after which all
//! writers that came before have committed.

use ::alerts::PartnerTenantId;
use chrono::{DateTime, Utc};
use deadpool_postgres::Object;
use futures::future::{BoxFuture, join_all};
use futures::{FutureExt, TryStreamExt, pin_mut};
use sea_query::Value;
use tokio_postgres::SimpleQueryMessage;
use tokio_postgres::types::{ToSql, Type};

use super::bind::Parameter;
use crate::session::{Row, Session, Statement};
use crate::sql::dialect::{Dialect, Postgres};
use crate::sql::scalar::Scalar;
use crate::{ChangePosition, StoreError};

/// How many statements wait for the next round trip at most, so that a large import is sent as it goes.
const WAITING_MAX: usize = 16;

/// The time on the server's clock, in microseconds since 1970.
const CLOCK: &str = "select (extract(epoch from clock_timestamp()) * 1000000)::int8";

/// How much of a partner's data a transaction works on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lock {
    /// One row; others may work on other rows at the same time.
    Row {
        /// The partner's lock, which is shared.
        partner: i64,
        /// The row's lock, which is not.
        row: i64,
    },
    /// Whatever there is; others wait.
    Exclusive(i64),
}

impl Lock {
    /// For work on one alert of the partner, or on another thing with an id.
    ///
    /// Who waited for the row itself would be given its number in the log of changes when it wakes, and
    /// might be overtaken before it has the row. So it waits here, where it has no number yet.
    pub(super) fn row(partner: &PartnerTenantId, id: &str) -> Self {
        Self::Row { partner: key(partner), row: number(&format!("{partner}\n{id}")) }
    }

    /// For work on the log of all partners' changes. Writers only add to it, and need not wait.
    pub(super) fn of_log() -> Self {
        Self::Exclusive(0)
    }

    /// For work on what callers of one subject, such as notifications, wait for. Changes of alerts need
    /// not wait for it.
    pub(super) fn of_subject(subject: &str) -> Self {
        Self::Exclusive(number(subject))
    }

    /// For all other work on the partner.
    pub(super) fn exclusive(partner: &PartnerTenantId) -> Self {
        Self::Exclusive(key(partner))
    }

    /// Takes the lock until the end of the transaction, then reads the server's clock.
    fn statement(self) -> Statement {
        let (locks, keys) = match self {
            // The partner's first, as everywhere.
            Self::Row { partner, row } => {
                ("pg_advisory_xact_lock_shared($1), pg_advisory_xact_lock($2)", vec![partner, row])
            }
            Self::Exclusive(key) => ("pg_advisory_xact_lock($1)", vec![key]),
        };
        // The clock is read of each row that holds the locks: afterwards.
        let sql = format!("with held as materialized (select {locks}) {CLOCK} from held");
        Postgres.text(&sql, keys.into_iter().map(Value::from).collect())
    }
}

/// The number of a partner's lock. Two partners that share one wait for each other needlessly.
fn key(partner: &PartnerTenantId) -> i64 {
    number(partner.as_str())
}

fn number(name: &str) -> i64 {
    let hash = blake3::hash(name.as_bytes());
    let mut first = [0; 8];
    first.copy_from_slice(&hash.as_bytes()[..8]);
    i64::from_be_bytes(first)
}

/// A connection of the pool, at work.
pub(super) struct PostgresSession {
    /// Gone only once this is dropped.
    client: Option<Object>,
    stage: Stage,
    /// Statements that go with the next one.
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
}

/// A statement that is ready to be sent.
struct Ready {
    statement: tokio_postgres::Statement,
    parameters: Vec<Parameter>,
}

/// What the server said to one request.
#[derive(Default)]
struct Answer {
    rows: Vec<tokio_postgres::Row>,
    changed: u64,
}

type Request<'a> = BoxFuture<'a, Result<Answer, tokio_postgres::Error>>;

impl PostgresSession {
    /// A session whose statements stand alone.
    pub(super) fn reading(client: Object) -> Self {
        Self::at(client, Stage::Reading)
    }

    /// A session that is one transaction.
    pub(super) fn writing(client: Object, lock: Lock) -> Self {
        Self::at(client, Stage::Beginning(lock))
    }

    fn at(client: Object, stage: Stage) -> Self {
        Self { client: Some(client), stage, waiting: Vec::new(), change_time: None }
    }

    /// Ends the transaction: keeps all that it did, or nothing if that failed.
    pub(super) async fn end<T>(self, done: Result<T, StoreError>) -> Result<T, StoreError> {
        match done {
            Ok(done) => self.commit().await.map(|()| done),
            Err(error) => {
                // A connection on which this fails is closed, which undoes the transaction too.
                let _ = self.rollback().await;
                Err(error)
            }
        }
    }

    async fn commit(mut self) -> Result<(), StoreError> {
        if self.stage == Stage::Begun || !self.waiting.is_empty() {
            self.send(None, Some("commit")).await?;
        }
        Ok(())
    }

    async fn rollback(mut self) -> Result<(), StoreError> {
        self.waiting.clear();
        if self.stage == Stage::Begun {
            self.send(None, Some("rollback")).await?;
        }
        Ok(())
    }

    fn client(&self) -> Result<&Object, StoreError> {
        self.client.as_ref().ok_or_else(|| StoreError::Database("the connection was given up".into()))
    }

    /// Sends what waits, then `statement`, then `end`, in one round trip; gives the answer to `statement`.
    ///
    /// The first error is told; those after it only say that the transaction has failed.
    async fn send(
        &mut self,
        statement: Option<Statement>,
        end: Option<&'static str>,
    ) -> Result<Answer, StoreError> {
        let mut statements = std::mem::take(&mut self.waiting);
        let is_asked = statement.is_some();
        statements.extend(statement);
        let begins = if let Stage::Beginning(lock) = self.stage {
            statements.insert(0, lock.statement());
            true
        } else {
            false
        };
        // All are prepared before any is sent: one that had to wait for that would be overtaken.
        let mut ready = Vec::new();
        for Statement { sql, values } in statements {
            let statement = self.client()?.prepare_cached(&sql).await?;
            ready.push(Ready { statement, parameters: Parameter::all(values)? });
        }
        if begins {
            self.stage = Stage::Begun;
        }
        let client = self.client()?;
        let mut requests: Vec<Request<'_>> = Vec::new();
        requests.extend(begins.then(|| command(client, "begin")));
        requests.extend(ready.iter().map(|ready| ready.request(client)));
        requests.extend(end.map(|end| command(client, end)));
        // They are polled in this order at first, which is when each is sent.
        let answers = join_all(requests).await;
        if end.is_some() {
            self.stage = Stage::Reading;
        }
        let mut answers = answers.into_iter().collect::<Result<Vec<_>, _>>()?;
        answers.truncate(answers.len() - usize::from(end.is_some()));
        // After the answer to `begin`.
        if begins && let Some(clock) = answers.get(1) {
            self.change_time = Some(clock.time()?);
        }
        Ok(if is_asked { answers.pop().unwrap_or_default() } else { Answer::default() })
    }
}

impl Answer {
    /// What the clock said.
    fn time(&self) -> Result<DateTime<Utc>, StoreError> {
        time(self.rows.first().map(|row| row.try_get(0)).transpose()?)
    }
}

impl Ready {
    fn request<'a>(&'a self, client: &'a Object) -> Request<'a> {
        async move {
            let parameters = self.parameters.iter().map(|value| value as &(dyn ToSql + Sync));
            let rows = client.query_raw(&self.statement, parameters).await?;
            pin_mut!(rows);
            let mut answer = Answer::default();
            while let Some(row) = rows.as_mut().try_next().await? {
                answer.rows.push(row);
            }
            answer.changed = rows.rows_affected().unwrap_or_default();
            Ok(answer)
        }
        .boxed()
    }
}

/// A statement that gives nothing.
fn command<'a>(client: &'a Object, sql: &'a str) -> Request<'a> {
    async move { client.batch_execute(sql).await.map(|()| Answer::default()) }.boxed()
}

/// The time that is so many microseconds after 1970.
fn time(microseconds: Option<i64>) -> Result<DateTime<Utc>, StoreError> {
    microseconds
        .and_then(DateTime::from_timestamp_micros)
        .ok_or_else(|| StoreError::Damaged { what: "the server's clock shows no time".to_owned() })
}

impl Drop for PostgresSession {
    /// A transaction that was left open, as its caller has gone, must not meet the next one: its
    /// connection is closed, and with that the server undoes it.
    fn drop(&mut self) {
        if self.stage == Stage::Begun {
            drop(self.client.take().map(Object::take));
        }
    }
}

impl Session for PostgresSession {
    fn dialect(&self) -> &'static dyn Dialect {
        &Postgres
    }

    async fn rows(&mut self, statement: Statement) -> Result<Vec<Row>, StoreError> {
        let answer = self.send(Some(statement), None).await?;
        answer.rows.iter().map(read).collect()
    }

    async fn execute(&mut self, statement: Statement) -> Result<u64, StoreError> {
        Ok(self.send(Some(statement), None).await?.changed)
    }

    async fn put(&mut self, statement: Statement) -> Result<(), StoreError> {
        self.waiting.push(statement);
        if self.waiting.len() >= WAITING_MAX {
            self.send(None, None).await?;
        }
        Ok(())
    }

    /// The server's clock, which all replicas share, read under the partner's lock.
    async fn change_time(
        &mut self,
        _: &PartnerTenantId,
        _: DateTime<Utc>,
    ) -> Result<DateTime<Utc>, StoreError> {
        if self.change_time.is_none() {
            self.send(None, None).await?;
        }
        self.change_time
            .ok_or_else(|| StoreError::Unsupported("only a transaction changes anything".to_owned()))
    }

    /// While nobody writes, all transactions that have begun are over. Otherwise those before the oldest
    /// that is under way are, be it in any database of the server. A writer takes the partner's lock
    /// before it is given its number, and nobody waits for this.
    async fn change_horizon(&mut self, partner: &PartnerTenantId) -> Result<ChangePosition, StoreError> {
        const OLDEST: &str = "
select
    case
        when pg_try_advisory_xact_lock($1) then pg_snapshot_xmax(pg_current_snapshot())
        else pg_snapshot_xmin(pg_current_snapshot())
    end::text::int8";
        let oldest = self.optional(Postgres.text(OLDEST, vec![key(partner).into()])).await?;
        let oldest = oldest.map_or(Ok(0), |mut row| row.int(0))?;
        Ok(ChangePosition { epoch: oldest - 1, sequence: i64::MAX })
    }

    async fn settled_before(
        &mut self,
        partner: &PartnerTenantId,
    ) -> Result<Option<DateTime<Utc>>, StoreError> {
        // Statements that are sent as one are one transaction: the lock is held until the clock is read.
        let both = format!("select pg_advisory_xact_lock({}); {CLOCK}", key(partner));
        let said = self.client()?.simple_query(&both).await?;
        // The lock's own row comes first.
        let rows = said.iter().filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => row.get(0),
            _ => None,
        });
        time(rows.last().and_then(|text| text.parse().ok())).map(Some)
    }
}

/// The columns of a row, as the types that the server gave them.
fn read(row: &tokio_postgres::Row) -> Result<Row, StoreError> {
    let columns = row.columns().iter().enumerate();
    let values = columns.map(|(index, column)| {
        Ok(match *column.type_() {
            Type::TEXT | Type::VARCHAR => row.try_get::<_, Option<String>>(index)?.map(Scalar::Text),
            Type::INT8 => row.try_get::<_, Option<i64>>(index)?.map(Scalar::Int),
            Type::INT4 => row.try_get::<_, Option<i32>>(index)?.map(|value| Scalar::Int(value.into())),
            Type::BOOL => row.try_get::<_, Option<bool>>(index)?.map(Scalar::Bool),
            Type::FLOAT8 => row.try_get::<_, Option<f64>>(index)?.map(Scalar::Double),
            ref other => {
                let what = format!("column '{}' is of type {other}, which is not read here", column.name());
                return Err(StoreError::Damaged { what });
            }
        })
    });
    values.collect::<Result<_, _>>().map(Row)
}
