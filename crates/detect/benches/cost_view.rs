//! What it costs to show detectors the last statement of each subscription's day only: `cargo bench -p detect`.
//!
//! Two million lines of cost in Parquet files, 20 days that 10 statements each state anew, are added up by day:
//! all of them, through the view that detectors see, and through a window over all lines as it was before.
//! The three take turns; prints the median of five.

#![expect(clippy::print_stdout, reason = "a benchmark's result goes to stdout")]

use std::sync::Arc;
use std::time::Instant;

use alerts::PartnerTenantId;
use arrow_array::{
    ArrayRef, BinaryArray, Date32Array, Float64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
    new_null_array,
};
use chrono::{DateTime, TimeDelta, Utc};
use datafusion::dataframe::DataFrameWriteOptions;
use datafusion::prelude::{ParquetReadOptions, SessionContext};
use detect::{Catalogue, Detector, Indicators, Limits, Window, session};
use ingest::schema::Kind;

const DAYS: usize = 20;
const STATEMENTS: usize = 10;
const SUBSCRIPTIONS: usize = 500;
const LINES: usize = 20;
const RUNS: usize = 5;

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(run())
}

async fn run() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let files = folder.path().join("cost");
    write(files.to_str().ok_or("the temporary folder has an odd name")?).await?;
    let session = session(Limits::default())?;
    for kind in Kind::ALL {
        let table = datafusion::datasource::empty::EmptyTable::new(kind.schema());
        session.register_table(kind.name(), Arc::new(table))?;
    }
    session.deregister_table("cost")?;
    let files = files.to_str().ok_or("the temporary folder has an odd name")?;
    let schema = Kind::Cost.schema();
    session.register_parquet("cost", files, ParquetReadOptions::default().schema(&schema)).await?;
    Indicators::builtin().register(&session)?;

    let detector = detector(folder.path())?;
    let all = "select sum(cost) as cost from cost group by day";
    let window = "select sum(cost) as cost from (
        select *, row_number() over (
            partition by subscription_id, day, resource_id order by arrived_at desc, event_id desc) as age
        from cost) where age = 1 group by day";
    let mut seconds = [const { Vec::new() }; 3];
    for _ in 0..RUNS {
        let start = Instant::now();
        session.sql(all).await?.collect().await?;
        seconds[0].push(start.elapsed().as_secs_f64());
        let start = Instant::now();
        let partner: PartnerTenantId = "partner-1".parse()?;
        let findings = detector.run(&session, &whole()?, &partner).await?;
        seconds[1].push(start.elapsed().as_secs_f64());
        assert!(findings.len() == 1, "the detector counts the lines that it sees");
        let seen = (SUBSCRIPTIONS * DAYS * LINES).to_string();
        assert!(findings[0].description == seen, "{} lines instead of {seen}", findings[0].description);
        let start = Instant::now();
        session.sql(window).await?.collect().await?;
        seconds[2].push(start.elapsed().as_secs_f64());
    }
    let rows = DAYS * STATEMENTS * SUBSCRIPTIONS * LINES;
    for (what, mut seconds) in ["all lines", "statements, joined", "window over lines"].iter().zip(seconds) {
        seconds.sort_by(f64::total_cmp);
        println!("{what:20} {:>6.2} s for {rows} lines", seconds[RUNS / 2]);
    }
    Ok(())
}

fn whole() -> Result<Window, Failure> {
    Ok(Window::new("2031-03-01T00:00:00Z".parse()?, "2031-04-01T00:00:00Z".parse()?))
}

/// Finds once how many lines it sees, and adds up their cost on the way.
fn detector(folder: &std::path::Path) -> Result<Detector, Failure> {
    let own = folder.join("detectors/lines");
    std::fs::create_dir_all(&own)?;
    let manifest = r#"
id = "lines"
version = 1
alert_type = "Lines"
title = "Lines"
severity = "low"
confidence = "medium"
inputs = ["cost"]
lookback = "1d"
schedule = "1h"
overlap = "0s"
grouping = []
meaning = "There are lines."
response = ["Look."]
mitre = []
source = "Own idea."
"#;
    std::fs::write(own.join("detector.toml"), manifest)?;
    let query = "select 'sub' as subscription_id, min(day)::timestamp as first_observed_at,
        max(day)::timestamp as last_observed_at, sum(lines)::varchar as description,
        sum(cost) as cost
        from (select day, count(*) as lines, sum(cost) as cost from cost group by day)";
    std::fs::write(own.join("query.sql"), query)?;
    let catalogue = Catalogue::builtin().with_folder(&folder.join("detectors"))?;
    Ok(catalogue.get("lines").ok_or("the detector is there")?.clone())
}

/// A file for each statement, as exports arrive.
async fn write(folder: &str) -> Result<(), Failure> {
    let session = SessionContext::new();
    for statement in 0..STATEMENTS {
        let options = DataFrameWriteOptions::new().with_single_file_output(true);
        let path = format!("{folder}/{statement}.parquet");
        session.read_batch(lines(statement)?)?.write_parquet(&path, options, None).await?;
    }
    Ok(())
}

fn lines(statement: usize) -> Result<RecordBatch, Failure> {
    let first: DateTime<Utc> = "2031-03-01T00:00:00Z".parse()?;
    let rows = DAYS * SUBSCRIPTIONS * LINES;
    let day = |row: usize| row / (SUBSCRIPTIONS * LINES);
    let subscription = |row: usize| row / LINES % SUBSCRIPTIONS;
    let time = |at: &dyn Fn(usize) -> DateTime<Utc>| -> ArrayRef {
        let micros = (0..rows).map(|row| at(row).timestamp_micros());
        Arc::new(TimestampMicrosecondArray::from_iter_values(micros).with_timezone("UTC"))
    };
    let days = |days: usize| TimeDelta::days(i64::try_from(days).unwrap_or(0));
    let text = |text: &dyn Fn(usize) -> String| -> ArrayRef {
        Arc::new(StringArray::from_iter_values((0..rows).map(text)))
    };
    let schema = Kind::Cost.schema();
    let column = |field: &Arc<arrow_schema::Field>| -> ArrayRef {
        match field.name().as_str() {
            "day" => Arc::new(Date32Array::from_iter_values(
                (0..rows).map(|row| (first + days(day(row))).date_naive().to_epoch_days()),
            )),
            "event_id" => Arc::new(BinaryArray::from_iter_values((0..rows).map(|row| {
                ((row * STATEMENTS + statement) as u128)
                    .wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835)
                    .to_be_bytes()
            }))),
            "event_at" => time(&|row| first + days(day(row))),
            "arrived_at" | "stated_at" => time(&|_| first + days(DAYS + statement)),
            "partner_tenant_id" => text(&|_| "partner-1".to_owned()),
            "subscription_id" => text(&|row| format!("0f0e0d0c-0000-4000-8000-{:012}", subscription(row))),
            "resource_id" => text(&|row| {
                format!(
                    "/subscriptions/{}/resourcegroups/rg/providers/x/y/vm{}",
                    subscription(row),
                    row % LINES
                )
            }),
            "dataset" => text(&|_| "actual".to_owned()),
            "statement_id" => {
                Arc::new(BinaryArray::from_iter_values((0..rows).map(|_| (statement as u128).to_be_bytes())))
            }
            "cost" => {
                Arc::new(Float64Array::from_iter_values((0..rows).map(|row| (row % 1000) as f64 / 8.0)))
            }
            name if name.starts_with("meter") => text(&|row| format!("{name} {}", row % 97)),
            _ => new_null_array(field.data_type(), rows),
        }
    };
    let columns = schema.fields().iter().map(column);
    Ok(RecordBatch::try_new(schema.clone(), columns.collect())?)
}
