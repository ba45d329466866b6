//! Builds small batches of events, and reads tables back.

use std::sync::Arc;

use arrow_array::{
    ArrayRef, BinaryArray, Date32Array, Float64Array, Int64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray,
};
use arrow_schema::DataType;
use chrono::{DateTime, Utc};
use datafusion::arrow::util::pretty::pretty_format_batches;
use datafusion::prelude::SessionContext;
use ingest::schema::Kind;
use lake::Lake;
use tempfile::TempDir;

/// One event: a number that makes its id, the subscription, and the time.
#[derive(Clone, Copy)]
pub(crate) struct Event(pub(crate) u8, pub(crate) &'static str, pub(crate) &'static str);

/// A batch of the kind. Columns that all kinds share come from the events; the others are filled with
/// values made from the row number, null in each third row.
pub(crate) fn batch(kind: Kind, events: &[Event]) -> RecordBatch {
    let schema = kind.schema();
    let columns =
        schema.fields().iter().map(|field| column(field.name(), field.data_type(), events)).collect();
    RecordBatch::try_new(schema, columns).unwrap()
}

fn column(name: &str, data_type: &DataType, events: &[Event]) -> ArrayRef {
    let rows = 0..events.len();
    let given = |row: usize| row % 3 != 2;
    match (name, data_type) {
        ("day", _) => Arc::new(Date32Array::from_iter_values(events.iter().map(|e| day(e.2)))),
        ("event_id", _) => Arc::new(BinaryArray::from_iter_values(events.iter().map(|e| [e.0; 16]))),
        ("subscription_id", _) => Arc::new(StringArray::from_iter_values(events.iter().map(|e| e.1))),
        ("partner_tenant_id", _) => {
            Arc::new(StringArray::from_iter_values(rows.map(|_| "11111111-1111-4111-8111-111111111111")))
        }
        (_, DataType::Timestamp(..)) => Arc::new(
            TimestampMicrosecondArray::from_iter_values(events.iter().map(|e| time(e.2).timestamp_micros()))
                .with_timezone("UTC"),
        ),
        (_, DataType::Utf8) => {
            Arc::new(StringArray::from_iter(rows.map(|row| given(row).then(|| format!("{name} {row}")))))
        }
        (_, DataType::Int64) => {
            Arc::new(Int64Array::from_iter(rows.map(|row| given(row).then_some(row as i64))))
        }
        (_, DataType::Float64) => {
            Arc::new(Float64Array::from_iter(rows.map(|row| given(row).then_some(row as f64 / 4.0))))
        }
        (_, DataType::Binary) => Arc::new(BinaryArray::from_iter_values(events.iter().map(|e| [!e.0; 16]))),
        (name, other) => panic!("no values for column {name} of type {other}"),
    }
}

pub(crate) fn time(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn day(text: &str) -> i32 {
    time(text).timestamp().div_euclid(86_400) as i32
}

/// A lake in a directory that goes away with the first part.
pub(crate) fn lake() -> (TempDir, Lake) {
    let directory = tempfile::tempdir().unwrap();
    let lake = Lake::in_directory(&directory.path().join("events")).unwrap();
    (directory, lake)
}

/// The rows of a query over the lake, as a table for the eye.
pub(crate) async fn query(lake: &Lake, sql: &str) -> String {
    let session = SessionContext::new();
    lake.register(&session).await.unwrap();
    let rows = session.sql(sql).await.unwrap().collect().await.unwrap();
    pretty_format_batches(&rows).unwrap().to_string()
}

/// The first byte of each event's id in the table, in order.
pub(crate) async fn ids(lake: &Lake, kind: Kind) -> Vec<u8> {
    let session = SessionContext::new();
    lake.register(&session).await.unwrap();
    let sql = format!("select event_id from {} order by event_id", kind.name());
    let rows = session.sql(&sql).await.unwrap().collect().await.unwrap();
    let mut ids = Vec::new();
    for batch in rows {
        let column = batch.column(0).as_any().downcast_ref::<BinaryArray>().unwrap().clone();
        ids.extend(column.iter().map(|id| id.unwrap()[0]));
    }
    ids
}

/// The version of the kind's table.
pub(crate) async fn version(lake: &Lake, kind: Kind) -> Option<u64> {
    lake.describe().await.unwrap().into_iter().find(|table| table.kind == kind).unwrap().version
}
