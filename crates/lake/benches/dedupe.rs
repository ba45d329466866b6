//! Ways to store each event once, beside each other: `cargo bench -p cli -p lake --bench dedupe`.
//!
//! A batch of 10,000 or 100,000 events, of which none, half or all are there already, is appended to a table with
//! two million events of the same day: by `Lake::append` with the ids in memory; by the same with the ids read
//! from the files, as after a start; by Delta's MERGE on day and id; and blindly. For the latter, a query over the
//! day is timed as it is and with the repeats left out. Each goes to a copy of its own; best of three.

#![expect(clippy::print_stdout, reason = "a benchmark's result goes to stdout")]

mod events;

use std::collections::HashMap;
use std::path::Path;
use std::time::Instant;

use arrow_array::RecordBatch;
use datafusion::prelude::{SessionContext, col};
use deltalake::writer::{DeltaWriter, RecordBatchWriter};
use deltalake::{DeltaTable, DeltaTableBuilder};
use events::{FIRST_DAY, Source, copy};
use ingest::schema::Kind;
use lake::Lake;
use url::Url;

const ROWS: u64 = 2_000_000;
const CHUNK: u64 = 100_000;
const SOURCE: Source = Source { kind: Kind::Flow, day: FIRST_DAY, customers: 2000 };
const RUNS: usize = 3;
/// Enough for all ids here.
const IDS_MAX: usize = 4_000_000;

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(run())
}

async fn run() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let full = folder.path().join("full");
    let lake = Lake::in_directory(&full)?;
    for first in (0..ROWS).step_by(CHUNK as usize) {
        lake.append(Kind::Flow, vec![batch(first, CHUNK)?]).await?;
    }
    println!(
        "{:>8} {:>6} {:>16} {:>16} {:>10} {:>10}",
        "events", "known", "ids in memory", "ids read", "MERGE", "blind"
    );
    for rows in [10_000, 100_000] {
        for known in [0, 50, 100] {
            let duplicates = rows * known / 100;
            let batch = batch(ROWS - duplicates, rows)?;
            let mut best = [f64::INFINITY; 4];
            for _ in 0..RUNS {
                let taken = [
                    remembered(&full, folder.path(), &batch, rows - duplicates).await?,
                    read(&full, folder.path(), &batch, rows - duplicates).await?,
                    merged(&full, folder.path(), &batch, rows - duplicates).await?,
                    blind(&full, folder.path(), &batch, rows).await?,
                ];
                best.iter_mut().zip(taken).for_each(|(best, taken)| *best = best.min(taken));
            }
            let [memory, files, merge, blind] = best;
            println!("{rows:>8} {known:>5}% {memory:>14.3} s {files:>14.3} s {merge:>8.2} s {blind:>8.3} s");
        }
    }
    query(&full).await
}

/// So many events from a number on; those from [`ROWS`] on are new.
fn batch(first: u64, rows: u64) -> Result<RecordBatch, Failure> {
    Ok(SOURCE.events(&(first..first + rows).collect::<Vec<_>>())?)
}

async fn remembered(full: &Path, folder: &Path, batch: &RecordBatch, new: u64) -> Result<f64, Failure> {
    let path = folder.join("copy");
    copy(full, &path)?;
    let url = Url::from_directory_path(&path).map_err(|()| "the temporary folder has an odd name")?;
    let lake = Lake::open_remembering(&url, &HashMap::new(), IDS_MAX)?;
    lake.append(Kind::Flow, vec![batch.slice(0, 1)]).await?;
    timed(&lake, &path, batch, new).await
}

async fn read(full: &Path, folder: &Path, batch: &RecordBatch, new: u64) -> Result<f64, Failure> {
    let path = folder.join("copy");
    copy(full, &path)?;
    timed(&Lake::in_directory(&path)?, &path, batch, new).await
}

async fn timed(lake: &Lake, path: &Path, batch: &RecordBatch, new: u64) -> Result<f64, Failure> {
    let start = Instant::now();
    let appended = lake.append(Kind::Flow, vec![batch.clone()]).await?;
    let seconds = start.elapsed().as_secs_f64();
    // The first event went before the others where ids are to be in memory.
    assert!(new - appended.stored <= 1, "{appended:?}");
    std::fs::remove_dir_all(path)?;
    Ok(seconds)
}

async fn table(path: &Path) -> Result<DeltaTable, Failure> {
    let url = Url::from_directory_path(path.join("flow")).map_err(|()| "the folder has an odd name")?;
    let mut table = DeltaTableBuilder::from_url(url)?.build()?;
    table.load().await?;
    Ok(table)
}

async fn merged(full: &Path, folder: &Path, batch: &RecordBatch, new: u64) -> Result<f64, Failure> {
    let path = folder.join("copy");
    copy(full, &path)?;
    let table = table(&path).await?;
    let start = Instant::now();
    let source = SessionContext::new().read_batch(batch.clone())?;
    let day = chrono::NaiveDate::from_epoch_days(FIRST_DAY).ok_or("the day is one")?;
    let on = format!(
        "target.day = date '{day}' and target.day = source.day and target.event_id = source.event_id"
    );
    let merge = table.merge(source, on).with_source_alias("source").with_target_alias("target");
    let merge = merge.when_not_matched_insert(|insert| {
        Kind::Flow.schema().fields().iter().fold(insert, |insert, field| {
            insert.set(field.name().as_str(), col(format!("source.{}", field.name())))
        })
    })?;
    let (_, metrics) = merge.await?;
    let seconds = start.elapsed().as_secs_f64();
    assert!(metrics.num_target_rows_inserted as u64 == new, "{metrics:?}");
    std::fs::remove_dir_all(&path)?;
    Ok(seconds)
}

async fn blind(full: &Path, folder: &Path, batch: &RecordBatch, rows: u64) -> Result<f64, Failure> {
    let path = folder.join("copy");
    copy(full, &path)?;
    let mut table = table(&path).await?;
    let start = Instant::now();
    let mut writer = RecordBatchWriter::for_table(&table)?;
    writer.write(batch.clone()).await?;
    writer.flush_and_commit(&mut table).await?;
    let seconds = start.elapsed().as_secs_f64();
    assert!(batch.num_rows() as u64 == rows, "all are written");
    std::fs::remove_dir_all(&path)?;
    Ok(seconds)
}

/// What blind appends cost each query: over all of the day, and of one subscription.
async fn query(full: &Path) -> Result<(), Failure> {
    let lake = Lake::in_directory(full)?;
    let session = SessionContext::new();
    lake.register(&session).await?;
    let one = format!("where subscription_id = '{}'", SOURCE.subscription(7));
    for (what, filter) in [("all of the day", ""), ("one subscription", one.as_str())] {
        let plain = format!("select dst_port, sum(bytes_sent) from flow {filter} group by 1");
        let without_repeats = format!(
            "select dst_port, sum(bytes_sent) from (
                select event_id, min(dst_port) as dst_port, min(bytes_sent) as bytes_sent
                from flow {filter} group by event_id) group by 1"
        );
        let window = format!(
            "select dst_port, sum(bytes_sent) from (
                select *, row_number() over (partition by event_id order by arrived_at) as n
                from flow {filter}) where n = 1 group by 1"
        );
        let mut best = [f64::INFINITY; 3];
        for _ in 0..RUNS {
            for (best, sql) in best.iter_mut().zip([&plain, &without_repeats, &window]) {
                let start = Instant::now();
                session.sql(sql).await?.collect().await?;
                *best = best.min(start.elapsed().as_secs_f64());
            }
        }
        let [plain, grouped, window] = best;
        println!(
            "query, {what}: {plain:.3} s; repeats left out by group {grouped:.3} s, by window {window:.3} s"
        );
    }
    Ok(())
}
