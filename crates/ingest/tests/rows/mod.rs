//! Reads bytes as the crate's users do and shows what came out in plain values.
#![allow(clippy::unwrap_used, reason = "tests; clippy excuses only the bodies of test functions")]
#![allow(dead_code, reason = "each test file uses its own part")]

use arrow_array::cast::AsArray;
use arrow_array::types::{Date32Type, Float64Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, RecordBatch};
use arrow_schema::{DataType, Field, TimeUnit};
use chrono::{DateTime, Utc};
use ingest::schema::Kind;
use ingest::{EventBatch, Extent, FileSummary, Item, Reading, Rejected, Texts, read_bytes, repeated_text};
use serde_json::{Map, Value, json};

/// All that reading an input gave.
pub(crate) struct Outcome {
    pub(crate) summary: FileSummary,
    pub(crate) batches: Vec<EventBatch>,
    pub(crate) rejected: Vec<Rejected>,
}

impl Outcome {
    /// All rows of a kind; null columns are left out.
    pub(crate) fn rows(&self, kind: Kind) -> Vec<Value> {
        self.batches.iter().filter(|batch| batch.kind == kind).flat_map(|batch| values(&batch.rows)).collect()
    }

    /// One column of all rows of a kind, as text.
    pub(crate) fn column(&self, kind: Kind, name: &str) -> Vec<String> {
        let text = |row: Value| match &row[name] {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        self.rows(kind).into_iter().map(text).collect()
    }

    /// Line and reason of all rejections.
    pub(crate) fn reasons(&self) -> Vec<String> {
        self.rejected.iter().map(|rejected| format!("{}: {}", rejected.line, rejected.reason)).collect()
    }
}

pub(crate) fn arrival() -> DateTime<Utc> {
    DateTime::from_timestamp(1_930_000_000, 0).unwrap()
}

/// Reads an input as a file; see [`read_as`].
pub(crate) fn read(bytes: &[u8]) -> Outcome {
    read_as(Extent::File, bytes)
}

/// Reads an input and checks what always holds: what came out is as much as the reader met, and batches have their
/// schema.
pub(crate) fn read_as(extent: Extent, bytes: &[u8]) -> Outcome {
    let partner = "partner-1".parse().unwrap();
    let reading = Reading { extent, ..Reading::new(&partner, arrival(), 3) };
    let (mut batches, mut rejected) = (Vec::new(), Vec::new());
    let mut sink = |item| {
        match item {
            Item::Batch(batch) => batches.push(batch),
            Item::Rejected(one) => rejected.push(one),
        }
        Ok(())
    };
    let summary = read_bytes("input", bytes, &reading, &mut sink).unwrap();
    let outcome = Outcome { summary, batches, rejected };
    for kind in Kind::ALL {
        let of_kind = outcome.batches.iter().filter(|batch| batch.kind == kind);
        let rows: usize = of_kind.map(|batch| batch.rows.num_rows()).sum();
        assert_eq!(rows as u64, summary.rows(kind), "{kind:?}");
    }
    for batch in &outcome.batches {
        let (given, table) = (batch.rows.schema(), batch.kind.schema());
        assert!(given.fields().iter().zip(table.fields()).all(|(given, of_table)| is_like(given, of_table)));
        assert_eq!(given.fields().len(), table.fields().len());
    }
    assert_eq!(outcome.rejected.len() as u64, summary.rejected);
    let rows: usize = outcome.batches.iter().map(|batch| batch.rows.num_rows()).sum();
    assert_eq!((rows + outcome.rejected.len()) as u64, summary.read, "what was met came out, once");
    assert!(outcome.rejected.iter().all(|rejected| rejected.line > 0 && !rejected.reason.is_empty()));
    for rejected in outcome.rejected.iter().filter(|rejected| rejected.is_complete).take(5) {
        let again = read_bytes("again", rejected.record.as_bytes(), &reading, &mut |_| Ok(())).unwrap();
        assert!(again.read + again.empty > 0, "{:?} would be lost when it is read again", rejected.record);
    }
    outcome
}

/// Whether a column of a batch is that of the table, but for texts that are held once.
fn is_like(given: &Field, of_table: &Field) -> bool {
    let is_repeated = *of_table.data_type() == DataType::Utf8 && *given.data_type() == repeated_text();
    given == of_table || is_repeated && *given == of_table.clone().with_data_type(repeated_text())
}

fn values(batch: &RecordBatch) -> Vec<Value> {
    let schema = batch.schema();
    let row = |at: usize| {
        let mut row = Map::new();
        for (field, column) in schema.fields().iter().zip(batch.columns()) {
            if column.is_valid(at) {
                row.insert(field.name().clone(), value(column, at));
            }
        }
        Value::Object(row)
    };
    (0..batch.num_rows()).map(row).collect()
}

fn value(column: &dyn Array, at: usize) -> Value {
    match column.data_type() {
        DataType::Utf8 | DataType::Dictionary(..) => json!(Texts::of(column).unwrap().get(at)),
        DataType::Int64 => json!(column.as_primitive::<Int64Type>().value(at)),
        DataType::Float64 => json!(column.as_primitive::<Float64Type>().value(at)),
        DataType::Date32 => json!(column.as_primitive::<Date32Type>().value_as_date(at).unwrap().to_string()),
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            let micros = column.as_primitive::<TimestampMicrosecondType>().value(at);
            json!(DateTime::from_timestamp_micros(micros).unwrap().to_rfc3339())
        }
        DataType::Binary => {
            let bytes = column.as_binary::<i32>().value(at);
            assert_eq!(bytes.len(), 16);
            json!(bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>())
        }
        other => panic!("no column has type {other}"),
    }
}
