//! Running statements of `sea-query` on a connection of `rusqlite`.

use rusqlite::types::Value as Bound;
use rusqlite::{CachedStatement, Connection, OptionalExtension, Row, params_from_iter};
use sea_query::{QueryStatementWriter, SqliteQueryBuilder, Value};

use crate::StoreError;
use crate::sql::row::StoredAlert;
use crate::sql::scalar::Scalar;

/// A statement, prepared or found prepared, with the values of its parameters.
pub(super) struct Ready<'a> {
    pub(super) statement: CachedStatement<'a>,
    pub(super) values: Vec<Bound>,
}

pub(super) fn prepare<'a>(
    connection: &'a Connection,
    statement: &impl QueryStatementWriter,
) -> Result<Ready<'a>, StoreError> {
    let (sql, values) = statement.build(SqliteQueryBuilder);
    let values = values.0.into_iter().map(bound).collect::<Result<_, _>>()?;
    Ok(Ready { statement: connection.prepare_cached(&sql)?, values })
}

impl Ready<'_> {
    /// The one row that there is at most.
    pub(super) fn optional<T>(
        mut self,
        read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Option<T>, StoreError> {
        Ok(self.statement.query_row(params_from_iter(self.values), read).optional()?)
    }

    /// Runs a statement that gives no rows; says how many it changed.
    pub(super) fn execute(mut self) -> Result<usize, StoreError> {
        Ok(self.statement.execute(params_from_iter(self.values))?)
    }
}

/// Reads the columns of [`crate::sql::alerts::STORED_COLUMNS`].
pub(super) fn stored_alert(row: &Row<'_>) -> rusqlite::Result<StoredAlert> {
    Ok(StoredAlert {
        origin: row.get(0)?,
        detector_id: row.get(1)?,
        grouping_key: row.get(2)?,
        body: row.get(3)?,
    })
}

/// The value in a column; `None` for null.
pub(super) fn scalar(row: &Row<'_>, column: usize) -> Result<Option<Scalar>, StoreError> {
    match row.get(column)? {
        Bound::Null => Ok(None),
        Bound::Integer(value) => Ok(Some(Scalar::Int(value))),
        Bound::Real(value) => Ok(Some(Scalar::Double(value))),
        Bound::Text(text) => Ok(Some(Scalar::Text(text))),
        Bound::Blob(_) => Err(StoreError::Damaged { what: format!("column {column} holds bytes") }),
    }
}

fn bound(value: Value) -> Result<Bound, StoreError> {
    match value {
        Value::Bool(value) => Ok(value.into()),
        Value::Int(value) => Ok(value.into()),
        Value::BigInt(value) => Ok(value.into()),
        Value::BigUnsigned(Some(value)) => i64::try_from(value).map(Bound::Integer).map_err(|_| too_large()),
        Value::Double(value) => Ok(value.into()),
        Value::String(value) => Ok(value.into()),
        other => Err(StoreError::Unsupported(format!("no parameter can be bound to {other:?}"))),
    }
}

fn too_large() -> StoreError {
    StoreError::Unsupported("a number is too large for the database".to_owned())
}
