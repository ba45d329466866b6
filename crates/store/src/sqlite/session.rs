//! A connection as a [`Session`], whose futures are ready at once.

use std::future::Future;
use std::ops::Range;

use ::alerts::PartnerTenantId;
use chrono::{DateTime, TimeDelta, Utc};
use futures::FutureExt;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{CachedStatement, Connection, ToSql};
use sea_query::Value;

use crate::session::{Row, Session, Statement};
use crate::sql::alerts::BODY_COLUMNS;
use crate::sql::dialect::{Dialect, Sqlite};
use crate::sql::scalar::Scalar;
use crate::{AlertBody, ChangePosition, StoreError};

/// A connection, inside a transaction if it writes.
pub(super) struct SqliteSession<'a>(pub(super) &'a mut Connection);

/// Drives logic that runs on a [`SqliteSession`], which never waits.
pub(super) fn at_once<T>(work: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
    work.now_or_never().unwrap_or_else(|| Err(StoreError::Database(Box::new(Waited))))
}

/// The logic waited for something that is not the database.
#[derive(Debug, thiserror::Error)]
#[error("work on an embedded database waited for something else")]
struct Waited;

impl SqliteSession<'_> {
    /// The statement, found prepared or prepared now, with its parameters bound.
    fn bound(&self, statement: Statement) -> Result<CachedStatement<'_>, StoreError> {
        let mut prepared = self.0.prepare_cached(&statement.sql)?;
        for (index, value) in statement.values.into_iter().enumerate() {
            prepared.raw_bind_parameter(index + 1, Parameter(value))?;
        }
        Ok(prepared)
    }
}

impl Session for SqliteSession<'_> {
    fn dialect(&self) -> &'static dyn Dialect {
        &Sqlite
    }

    async fn rows(&mut self, statement: Statement) -> Result<Vec<Row>, StoreError> {
        let mut prepared = self.bound(statement)?;
        let columns = prepared.column_count();
        let mut found = prepared.raw_query();
        let mut rows = Vec::new();
        while let Some(row) = found.next()? {
            rows.push(read(row, 0..columns)?);
        }
        Ok(rows)
    }

    /// Copies nothing but the bodies, and what follows them in the last row.
    async fn alerts(
        &mut self,
        statement: Statement,
        limit: usize,
    ) -> Result<(Vec<AlertBody>, Option<Row>), StoreError> {
        let mut prepared = self.bound(statement)?;
        let columns = prepared.column_count();
        let mut found = prepared.raw_query();
        let mut alerts = Vec::new();
        while let Some(row) = found.next()? {
            alerts.push(alert_body(row)?);
            if alerts.len() == limit {
                let last = read(row, BODY_COLUMNS.len()..columns)?;
                let more_follow = found.next()?.is_some();
                return Ok((alerts, more_follow.then_some(last)));
            }
        }
        Ok((alerts, None))
    }

    async fn execute(&mut self, statement: Statement) -> Result<u64, StoreError> {
        let changed = self.bound(statement)?.raw_execute()?;
        Ok(changed as u64)
    }

    /// Transactions that write follow each other, so the last number given is the last committed.
    async fn change_horizon(&mut self, _: &PartnerTenantId) -> Result<ChangePosition, StoreError> {
        // The log may have been pruned to its end; the counter stays.
        const LAST: &str = "select seq from sqlite_sequence where name = 'alert_change'";
        let last = self.optional(Sqlite.text(LAST, Vec::new())).await?;
        let sequence = last.map_or(Ok(0), |mut row| row.int(0))?;
        Ok(ChangePosition { epoch: 0, sequence })
    }

    /// Transactions that write follow each other, so the last change is known.
    async fn change_time(
        &mut self,
        partner: &PartnerTenantId,
        now: DateTime<Utc>,
    ) -> Result<DateTime<Utc>, StoreError> {
        const LAST: &str = "select max(modified_at) from alert where partner_tenant_id = $1";
        let select = Sqlite.text(LAST, vec![partner.as_str().into()]);
        let last = match self.optional(select).await? {
            Some(mut row) => row.opt_time(0)?,
            None => None,
        };
        Ok(last.map_or(now, |last| Ord::max(now, last + TimeDelta::microseconds(1))))
    }
}

/// A parameter of a statement.
struct Parameter(Value);

impl ToSql for Parameter {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let value = match &self.0 {
            Value::Bool(value) => value.map(|value| ValueRef::Integer(value.into())),
            Value::Int(value) => value.map(|value| ValueRef::Integer(value.into())),
            Value::BigInt(value) => value.map(ValueRef::Integer),
            Value::BigUnsigned(value) => {
                let signed = value.map(i64::try_from).transpose();
                signed.map_err(|error| unbound(Box::new(error)))?.map(ValueRef::Integer)
            }
            Value::Double(value) => value.map(ValueRef::Real),
            Value::String(value) => value.as_deref().map(ValueRef::from),
            other => return Err(unbound(format!("no parameter can be bound to {other:?}").into())),
        };
        Ok(ToSqlOutput::Borrowed(value.unwrap_or(ValueRef::Null)))
    }
}

fn unbound(cause: Box<dyn std::error::Error + Send + Sync>) -> rusqlite::Error {
    rusqlite::Error::ToSqlConversionFailure(cause)
}

/// Some columns of a row.
fn read(row: &rusqlite::Row<'_>, columns: Range<usize>) -> Result<Row, StoreError> {
    let mut values = Vec::with_capacity(columns.len());
    for column in columns {
        values.push(scalar(row.get_ref(column)?, column)?);
    }
    Ok(Row(values))
}

/// The first columns of a row, which are [`BODY_COLUMNS`].
fn alert_body(row: &rusqlite::Row<'_>) -> Result<AlertBody, StoreError> {
    let damaged = || StoreError::Damaged { what: "an alert's version or time of change".to_owned() };
    Ok(AlertBody {
        json: row.get(0)?,
        version: u64::try_from(row.get::<_, i64>(1)?).map_err(|_| damaged())?,
        modified_at: DateTime::from_timestamp_micros(row.get(2)?).ok_or_else(damaged)?,
    })
}

/// The value in a column; `None` for null.
fn scalar(value: ValueRef<'_>, column: usize) -> Result<Option<Scalar>, StoreError> {
    let damaged = |how: &str| StoreError::Damaged { what: format!("column {column} holds {how}") };
    match value {
        ValueRef::Null => Ok(None),
        ValueRef::Integer(value) => Ok(Some(Scalar::Int(value))),
        ValueRef::Real(value) => Ok(Some(Scalar::Double(value))),
        ValueRef::Text(bytes) => match str::from_utf8(bytes) {
            Ok(text) => Ok(Some(Scalar::Text(text.to_owned()))),
            Err(_) => Err(damaged("no UTF-8")),
        },
        ValueRef::Blob(_) => Err(damaged("bytes")),
    }
}
