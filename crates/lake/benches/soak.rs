//! Several writers and the upkeep at once: `benches/lake-soak`, or
//! `cargo bench -p cli -p lake --bench soak -- 300` for so many seconds.
//!
//! Two processes append the same overlapping chunks to one table, as fast as they can; a third one compacts,
//! vacuums and tidies the log all the while; this one reads. At the end every event that was appended must be
//! in the table once, and the counts of the writers must add up to that. Ends with an error if not.

#![expect(clippy::print_stdout, reason = "a benchmark's result goes to stdout")]

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{
    Array, ArrayRef, BinaryArray, Date32Array, Int64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray, new_null_array,
};
use chrono::{TimeDelta, Utc};
use datafusion::prelude::SessionContext;
use ingest::schema::Kind;
use lake::{CompactionOptions, Lake};

/// Each chunk shares half of its events with the next.
const CHUNK: i64 = 1000;
const DAYS: i64 = 3;
/// 2026-11-20 in days since 1970.
const FIRST_DAY: i64 = 20_777;
const MICROSECONDS_PER_DAY: i64 = 86_400_000_000;
/// Longer than any append or query here takes.
const KEEP: TimeDelta = TimeDelta::seconds(30);

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        match arguments[..] {
            ["writer", folder, seconds] => write(Path::new(folder), seconds.parse()?).await,
            ["upkeep", folder, seconds] => keep_up(Path::new(folder), seconds.parse()?).await,
            [] => soak(10).await,
            [seconds] => soak(seconds.parse()?).await,
            _ => Err("name a number of seconds".into()),
        }
    })
}

async fn soak(seconds: u64) -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let lake = Lake::in_directory(folder.path())?;
    let writers = [start("writer", folder.path(), seconds)?, start("writer", folder.path(), seconds)?];
    let upkeep = start("upkeep", folder.path(), seconds + 3)?;
    let (mut seen, mut readings) = (0, 0);
    let begin = Instant::now();
    while begin.elapsed() < Duration::from_secs(seconds) {
        let found = Found::read(&lake).await?;
        if found.rows != found.distinct || found.rows < seen {
            return Err(format!("after {seen} events a reader found {found:?}").into());
        }
        seen = found.rows;
        readings += 1;
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let (mut chunks, mut stored, mut commits) = (0, 0, 0);
    for writer in writers {
        let [wrote, new, duplicates, least] = numbers(writer)?[..] else {
            return Err("a writer said less".into());
        };
        println!("writer: {wrote} chunks, {new} events stored, {duplicates} duplicates");
        if new + duplicates != wrote * CHUNK || least < 0 {
            return Err("a writer's counts do not add up".into());
        }
        chunks = chunks.max(wrote);
        stored += new;
        commits += wrote;
    }
    let [compactions, merged, overtaken, vacuumed] = numbers(upkeep)?[..] else {
        return Err("the upkeep said less".into());
    };
    println!(
        "upkeep: {compactions} days rewritten, {merged} files merged, {overtaken} given up, {vacuumed} vacuumed"
    );
    let found = Found::read(&lake).await?;
    let expected = (chunks + 1) * CHUNK / 2;
    let table =
        lake.describe().await?.into_iter().find(|table| table.kind == Kind::Flow).ok_or("no table")?;
    println!(
        "reader: {readings} readings; in the end {found:?} in {} files, version {:?}",
        table.files, table.version
    );
    println!("{commits} appends in {seconds} s; events that must be there: {expected}");
    let right = Found { rows: expected, distinct: expected, least: 0, greatest: expected - 1 };
    if found != right || stored != expected {
        return Err(format!("{right:?} was to be found, and {expected} events stored, not {stored}").into());
    }
    println!("counts are exact");
    Ok(())
}

/// What a reader finds.
#[derive(Debug, PartialEq, Eq)]
struct Found {
    rows: i64,
    distinct: i64,
    least: i64,
    greatest: i64,
}

impl Found {
    async fn read(lake: &Lake) -> Result<Self, Failure> {
        let session = SessionContext::new();
        lake.register(&session).await?;
        let sql = "select count(*), count(distinct event_id), min(bytes_sent), max(bytes_sent) from flow";
        let rows = session.sql(sql).await?.collect().await?;
        let number = |column: usize| {
            let column = rows.first().map(|batch| batch.column(column).as_primitive::<Int64Type>());
            column.filter(|column| column.is_valid(0)).map_or(0, |column| column.value(0))
        };
        Ok(Self { rows: number(0), distinct: number(1), least: number(2), greatest: number(3) })
    }
}

/// Runs this program as another process.
fn start(role: &str, folder: &Path, seconds: u64) -> Result<Child, Failure> {
    let program: PathBuf = std::env::current_exe()?;
    let mut command = Command::new(program);
    command.arg(role).arg(folder).arg(seconds.to_string()).stdout(Stdio::piped());
    Ok(command.spawn()?)
}

/// The numbers that a process printed, once it has ended well.
fn numbers(process: Child) -> Result<Vec<i64>, Failure> {
    let output = process.wait_with_output()?;
    if !output.status.success() {
        return Err(format!("a process ended with {}", output.status).into());
    }
    let text = String::from_utf8(output.stdout)?;
    text.split_whitespace().map(|word| word.parse().map_err(Failure::from)).collect()
}

/// Prints the chunks appended, events stored, duplicates, and the fewest events stored of a chunk.
async fn write(folder: &Path, seconds: u64) -> Result<(), Failure> {
    let lake = Lake::in_directory(folder)?;
    let begin = Instant::now();
    let (mut chunks, mut stored, mut duplicates, mut least) = (0, 0, 0, u64::MAX);
    while begin.elapsed() < Duration::from_secs(seconds) {
        let appended = lake.append(Kind::Flow, vec![events(chunks * CHUNK / 2)?]).await?;
        chunks += 1;
        stored += appended.stored;
        duplicates += appended.duplicates;
        least = least.min(appended.stored);
    }
    println!("{chunks} {stored} {duplicates} {least}");
    Ok(())
}

/// Prints the days rewritten, the files merged, the days given up, and the files vacuumed.
async fn keep_up(folder: &Path, seconds: u64) -> Result<(), Failure> {
    let lake = Lake::in_directory(folder)?;
    let options = CompactionOptions { small_files_max: 4, small_files_max_filling: 8, ..Default::default() };
    let begin = Instant::now();
    let (mut days, mut merged, mut overtaken, mut vacuumed) = (0, 0, 0, 0);
    while begin.elapsed() < Duration::from_secs(seconds) {
        let compacted = lake.compact(Kind::Flow, &options, Utc::now()).await?;
        days += compacted.days;
        merged += compacted.files_before;
        overtaken += compacted.overtaken.len();
        vacuumed += lake.vacuum(Kind::Flow, KEEP, Utc::now()).await?.files;
        lake.tidy_log(Kind::Flow, KEEP, Utc::now()).await?;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    println!("{days} {merged} {overtaken} {vacuumed}");
    Ok(())
}

/// A chunk of events, numbered from `first` on.
fn events(first: i64) -> Result<RecordBatch, Failure> {
    let numbers = || first..first + CHUNK;
    let day = |n: i64| FIRST_DAY + n % DAYS;
    let schema = Kind::Flow.schema();
    let column = |field: &Arc<arrow_schema::Field>| -> ArrayRef {
        match field.name().as_str() {
            "day" => Arc::new(Date32Array::from_iter_values(numbers().map(|n| day(n) as i32))),
            "event_id" => {
                let id = |n: i64| (n as u128).wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835);
                Arc::new(BinaryArray::from_iter_values(numbers().map(|n| id(n).to_be_bytes())))
            }
            "event_at" | "arrived_at" => {
                let times = numbers().map(|n| day(n) * MICROSECONDS_PER_DAY + n % MICROSECONDS_PER_DAY);
                Arc::new(TimestampMicrosecondArray::from_iter_values(times).with_timezone("UTC"))
            }
            "partner_tenant_id" => Arc::new(StringArray::from_iter_values(numbers().map(|_| "partner-1"))),
            "subscription_id" => {
                let text = numbers().map(|n| format!("0f0e0d0c-0000-4000-8000-{:012}", n % 97));
                Arc::new(StringArray::from_iter_values(text))
            }
            "bytes_sent" => Arc::new(Int64Array::from_iter_values(numbers())),
            _ => new_null_array(field.data_type(), CHUNK as usize),
        }
    };
    Ok(RecordBatch::try_new(schema.clone(), schema.fields().iter().map(column).collect())?)
}
