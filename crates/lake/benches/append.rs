//! How fast events get into the lake: `cargo bench -p lake`.
//!
//! For each kind, chunks of new events of one day are appended to an empty lake, then the last one
//! again (all duplicates), then a query reads the day back. Prints rows a second.

#![expect(clippy::print_stdout, reason = "a benchmark's result goes to stdout")]

use std::sync::Arc;
use std::time::Instant;

use arrow_array::{
    ArrayRef, BinaryArray, Date32Array, Float64Array, Int64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray,
};
use arrow_schema::DataType;
use datafusion::prelude::SessionContext;
use ingest::schema::Kind;
use lake::Lake;

const CHUNKS: u64 = 10;
const CHUNK_ROWS: u64 = 100_000;
/// Subscriptions that the events are spread over.
const SUBSCRIPTIONS: u64 = 500;
/// 2026-11-20 in days since 1970.
const DAY: i32 = 20_777;
const MICROSECONDS_PER_DAY: i64 = 86_400_000_000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(run())
}

async fn run() -> Result<(), Box<dyn std::error::Error>> {
    for kind in Kind::ALL {
        let directory = tempfile::tempdir()?;
        let lake = Lake::in_directory(directory.path())?;
        let mut new_s = 0.0;
        for chunk in 0..CHUNKS {
            let events = events(kind, chunk)?;
            let start = Instant::now();
            lake.append(kind, vec![events]).await?;
            new_s += start.elapsed().as_secs_f64();
        }
        report(kind, "append, new", CHUNKS * CHUNK_ROWS, new_s);

        let events = events(kind, CHUNKS - 1)?;
        let start = Instant::now();
        lake.append(kind, vec![events.clone()]).await?;
        report(kind, "append, all known", CHUNK_ROWS, start.elapsed().as_secs_f64());

        let cold = Lake::in_directory(directory.path())?;
        let start = Instant::now();
        cold.append(kind, vec![events]).await?;
        report(kind, "read ids, all known", CHUNKS * CHUNK_ROWS, start.elapsed().as_secs_f64());

        let start = Instant::now();
        let session = SessionContext::new();
        lake.register(&session).await?;
        let sql = format!("select subscription_id, count(resource_id) from {} group by 1", kind.name());
        session.sql(&sql).await?.collect().await?;
        report(kind, "query of two columns", CHUNKS * CHUNK_ROWS, start.elapsed().as_secs_f64());

        for table in lake.describe().await?.iter().filter(|table| table.kind == kind) {
            println!(
                "{:9} {:22} {:>12.1} bytes a row",
                kind.name(),
                "size",
                table.bytes as f64 / table.rows as f64
            );
        }
    }
    Ok(())
}

fn report(kind: Kind, what: &str, rows: u64, seconds: f64) {
    println!("{:9} {what:22} {:>12.0} rows/s", kind.name(), rows as f64 / seconds);
}

/// A chunk of events that no other chunk has.
fn events(kind: Kind, chunk: u64) -> Result<RecordBatch, arrow_schema::ArrowError> {
    let schema = kind.schema();
    let first = chunk * CHUNK_ROWS;
    let rows: Vec<u64> = (first..first + CHUNK_ROWS).collect();
    let columns =
        schema.fields().iter().map(|field| column(field.name(), field.data_type(), &rows)).collect();
    RecordBatch::try_new(schema, columns)
}

fn column(name: &str, data_type: &DataType, rows: &[u64]) -> ArrayRef {
    let scattered = |row: u64| row.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    match data_type {
        DataType::Date32 => Arc::new(Date32Array::from(vec![DAY; rows.len()])),
        DataType::Timestamp(..) => {
            let within_day = |row: u64| (scattered(row) % MICROSECONDS_PER_DAY.unsigned_abs()).cast_signed();
            let start = i64::from(DAY) * MICROSECONDS_PER_DAY;
            let times = rows.iter().map(|row| start + within_day(*row));
            Arc::new(TimestampMicrosecondArray::from_iter_values(times).with_timezone("UTC"))
        }
        DataType::Binary => {
            let id =
                |row: u64| (u128::from(scattered(row)) << 64 | u128::from(scattered(!row))).to_be_bytes();
            Arc::new(BinaryArray::from_iter_values(rows.iter().map(|row| id(*row))))
        }
        DataType::Int64 => {
            Arc::new(Int64Array::from_iter_values(rows.iter().map(|r| (scattered(*r) >> 48) as i64)))
        }
        DataType::Float64 => {
            Arc::new(Float64Array::from_iter_values(rows.iter().map(|r| (r % 1000) as f64 / 8.0)))
        }
        _ => {
            let text = |row: u64| match name {
                "subscription_id" => {
                    format!("00000000-0000-4000-8000-{:012}", scattered(row) % SUBSCRIPTIONS)
                }
                "resource_id" => {
                    format!("/subscriptions/{}/resourcegroups/rg/providers/x/y/{}", row % 500, row % 5000)
                }
                "properties" | "tags" => format!("{{\"eventCategory\":\"Administrative\",\"row\":{row}}}"),
                _ => format!("{name}-{}", row % 97),
            };
            Arc::new(StringArray::from_iter_values(rows.iter().map(|row| text(*row))))
        }
    }
}
