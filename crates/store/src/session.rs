//! What the logic of this crate needs of a database: one transaction that runs statements.
//!
//! The modules of [`crate::logic`] are written once, over [`Session`]; a database implements it and
//! its [`Dialect`].

use std::future::Future;
use std::str::FromStr;

use alerts::PartnerTenantId;
use chrono::{DateTime, Utc};
use sea_query::Value;

use crate::sql::alerts::BODY_COLUMNS;
use crate::sql::dialect::Dialect;
use crate::sql::scalar::Scalar;
use crate::{AlertBody, ChangePosition, StoreError};

/// One transaction of a database; also one that only reads.
///
/// Whoever opened it ends it: it is kept if the logic succeeds, and leaves nothing behind if not.
pub(crate) trait Session: Send {
    /// How statements are written here.
    fn dialect(&self) -> &'static dyn Dialect;

    /// Runs a statement and gives all of its rows, in order.
    fn rows(&mut self, statement: Statement) -> impl Future<Output = Result<Vec<Row>, StoreError>> + Send;

    /// Runs a statement that gives no rows; says how many it changed.
    fn execute(&mut self, statement: Statement) -> impl Future<Output = Result<u64, StoreError>> + Send;

    /// When the partner's alerts that this transaction writes next are changed; `now` is the caller's
    /// clock, for databases that have none.
    ///
    /// Who has read all alerts up to some such time has read every change that will ever have it: the
    /// time rises strictly from one transaction to the next, or readers wait for those under way.
    fn change_time(
        &mut self,
        partner: &PartnerTenantId,
        now: DateTime<Utc>,
    ) -> impl Future<Output = Result<DateTime<Utc>, StoreError>> + Send;

    /// Runs a statement that nobody waits for; it has run before the next one does.
    ///
    /// Its failure is that of the transaction, and may be told by a later statement or by the commit.
    fn put(&mut self, statement: Statement) -> impl Future<Output = Result<(), StoreError>> + Send {
        async move { self.execute(statement).await.map(|_| ()) }
    }

    /// The end of the log of the partner's changes: none at or before it is still to come.
    fn change_horizon(
        &mut self,
        partner: &PartnerTenantId,
    ) -> impl Future<Output = Result<ChangePosition, StoreError>> + Send;

    /// Up to when all changes of the partner's alerts can be read; `None` if that is always now.
    ///
    /// A list by `modified_at` asks first, and leaves out what is later, or it could pass over a change
    /// that is under way.
    fn settled_before(
        &mut self,
        _partner: &PartnerTenantId,
    ) -> impl Future<Output = Result<Option<DateTime<Utc>>, StoreError>> + Send {
        std::future::ready(Ok(None))
    }

    /// Up to `limit` alerts of a statement whose first columns are
    /// [`BODY_COLUMNS`]; and if it gives more rows than that, the last
    /// alert's columns after those.
    ///
    /// A database may have a shorter way than by way of rows.
    fn alerts(
        &mut self,
        statement: Statement,
        limit: usize,
    ) -> impl Future<Output = Result<(Vec<AlertBody>, Option<Row>), StoreError>> + Send {
        async move {
            let mut rows = self.rows(statement).await?;
            let more_follow = rows.len() > limit;
            rows.truncate(limit);
            let alerts = rows.iter_mut().map(Row::alert_body).collect::<Result<_, _>>()?;
            let last = rows.pop().filter(|_| more_follow);
            Ok((alerts, last.map(|row| Row(row.0.into_iter().skip(BODY_COLUMNS.len()).collect()))))
        }
    }

    /// The one row that there is at most.
    fn optional(
        &mut self,
        statement: Statement,
    ) -> impl Future<Output = Result<Option<Row>, StoreError>> + Send {
        async move { Ok(self.rows(statement).await?.into_iter().next()) }
    }
}

/// The text of a statement and the values of its parameters, in order.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Statement {
    /// The text, with the placeholders of its database.
    pub(crate) sql: String,
    /// The values; text, whole and broken numbers, and Booleans, each of which may be null.
    pub(crate) values: Vec<Value>,
}

/// The columns of a row, in order; `None` is null.
///
/// Each column is read once: reading takes it out, so that long texts are not copied.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Row(pub(crate) Vec<Option<Scalar>>);

impl Row {
    /// Any value.
    pub(crate) fn scalar(&mut self, column: usize) -> Result<Option<Scalar>, StoreError> {
        self.0.get_mut(column).map(Option::take).ok_or_else(|| damaged(column, "missing"))
    }

    /// A text, or null.
    pub(crate) fn opt_text(&mut self, column: usize) -> Result<Option<String>, StoreError> {
        match self.scalar(column)? {
            None => Ok(None),
            Some(Scalar::Text(text)) => Ok(Some(text)),
            Some(_) => Err(damaged(column, "no text")),
        }
    }

    /// A text.
    pub(crate) fn text(&mut self, column: usize) -> Result<String, StoreError> {
        self.opt_text(column)?.ok_or_else(|| damaged(column, "null"))
    }

    /// A whole number, or null.
    pub(crate) fn opt_int(&mut self, column: usize) -> Result<Option<i64>, StoreError> {
        match self.scalar(column)? {
            None => Ok(None),
            Some(Scalar::Int(value)) => Ok(Some(value)),
            Some(_) => Err(damaged(column, "no whole number")),
        }
    }

    /// A whole number.
    pub(crate) fn int(&mut self, column: usize) -> Result<i64, StoreError> {
        self.opt_int(column)?.ok_or_else(|| damaged(column, "null"))
    }

    /// A number that is never negative.
    pub(crate) fn amount<T: TryFrom<i64>>(&mut self, column: usize) -> Result<T, StoreError> {
        T::try_from(self.int(column)?).map_err(|_| damaged(column, "out of range"))
    }

    /// A time, or null.
    pub(crate) fn opt_time(&mut self, column: usize) -> Result<Option<DateTime<Utc>>, StoreError> {
        let Some(microseconds) = self.opt_int(column)? else { return Ok(None) };
        let time = DateTime::from_timestamp_micros(microseconds);
        time.map(Some).ok_or_else(|| damaged(column, "no time"))
    }

    /// A time.
    pub(crate) fn time(&mut self, column: usize) -> Result<DateTime<Utc>, StoreError> {
        self.opt_time(column)?.ok_or_else(|| damaged(column, "null"))
    }

    /// The first columns of a row, which are [`BODY_COLUMNS`].
    pub(crate) fn alert_body(&mut self) -> Result<AlertBody, StoreError> {
        Ok(AlertBody { json: self.text(0)?, version: self.amount(1)?, modified_at: self.time(2)? })
    }

    /// An identity, or null.
    pub(crate) fn opt_id<T: FromStr>(&mut self, column: usize) -> Result<Option<T>, StoreError> {
        let text = self.opt_text(column)?;
        text.map(|text| text.parse().map_err(|_| damaged(column, "no identity"))).transpose()
    }
}

fn damaged(column: usize, how: &str) -> StoreError {
    StoreError::Damaged { what: format!("column {column} is {how}") }
}
