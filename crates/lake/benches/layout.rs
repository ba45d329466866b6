//! How a day is best rewritten: `cargo bench -p cli -p lake --bench layout`.
//!
//! A day of two million events in 200 files is left as it is, merged by Delta's compaction, put in Z-order by
//! Delta, and compacted by `Lake::compact`. For each: time, peak of memory, size, and how long it takes to read
//! one subscription's day, the mean of twenty.

#![expect(clippy::print_stdout, reason = "a benchmark's result goes to stdout")]

mod events;

use std::num::NonZeroU64;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use chrono::{TimeDelta, Utc};
use datafusion::prelude::SessionContext;
use deltalake::operations::optimize::OptimizeType;
use deltalake::parquet::basic::{Compression, ZstdLevel};
use deltalake::parquet::file::properties::WriterProperties;
use deltalake::{DeltaTable, DeltaTableBuilder};
use events::{FIRST_DAY, Source, copy, peak_and_now_mb};
use ingest::schema::Kind;
use lake::{CompactionOptions, Lake};
use url::Url;

const ROWS: u64 = 2_000_000;
const CHUNK: u64 = 10_000;
const READINGS: u64 = 20;
const TARGET_BYTES: u64 = 128 << 20;

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let ["rewrite", layout, kind, path] = arguments[..] else { return run().await };
        let kind = Kind::ALL.into_iter().find(|known| known.name() == kind).ok_or("no such kind")?;
        let (_, before) = peak_and_now_mb();
        let start = Instant::now();
        rewrite(layout, kind, Path::new(path)).await?;
        println!("{} {}", start.elapsed().as_secs_f64(), peak_and_now_mb().0 - before);
        Ok(())
    })
}

/// Rewrites in a process of its own, whose memory tells; seconds and MB beyond those at its start.
fn rewrite_apart(layout: &str, kind: Kind, path: &Path) -> Result<(f64, f64), Failure> {
    let program = std::env::current_exe()?;
    let done = Command::new(program).args(["rewrite", layout, kind.name()]).arg(path).output()?;
    let text = String::from_utf8(done.stdout)?;
    let (seconds, peak) = text.trim().split_once(' ').ok_or("the rewriting failed")?;
    Ok((seconds.parse()?, peak.parse()?))
}

async fn run() -> Result<(), Failure> {
    println!(
        "{:9} {:16} {:>8} {:>10} {:>6} {:>9} {:>14}",
        "kind", "layout", "time", "peak", "files", "size", "one day read"
    );
    for kind in [Kind::Flow, Kind::Activity] {
        let source = Source { kind, day: FIRST_DAY, customers: 2000 };
        let folder = tempfile::tempdir()?;
        let full = folder.path().join("full");
        let lake = Lake::in_directory(&full)?;
        for first in (0..ROWS).step_by(CHUNK as usize) {
            let events = source.events(&(first..first + CHUNK).collect::<Vec<_>>())?;
            lake.append(kind, vec![events]).await?;
        }
        drop(lake);
        for layout in ["as appended", "Delta compaction", "Delta Z-order", "sorted (ours)"] {
            let path = folder.path().join("copy");
            copy(&full, &path)?;
            let (seconds, peak) = rewrite_apart(layout, kind, &path)?;
            report(source, layout, &path, seconds, peak).await?;
            std::fs::remove_dir_all(&path)?;
        }
    }
    Ok(())
}

async fn rewrite(layout: &str, kind: Kind, path: &Path) -> Result<(), Failure> {
    let properties =
        WriterProperties::builder().set_compression(Compression::ZSTD(ZstdLevel::default())).build();
    let target = NonZeroU64::new(TARGET_BYTES).ok_or("a file holds something")?;
    let optimize =
        |table: DeltaTable| table.optimize().with_target_size(target).with_writer_properties(properties);
    match layout {
        "Delta compaction" => drop(optimize(table(kind, path).await?).await?),
        "Delta Z-order" => {
            let columns = ["subscription_id", "event_at"].map(str::to_owned).to_vec();
            drop(optimize(table(kind, path).await?).with_type(OptimizeType::ZOrder(columns)).await?);
        }
        "sorted (ours)" => {
            let options = CompactionOptions { target_file_bytes: TARGET_BYTES, ..Default::default() };
            let now = Utc::now() + TimeDelta::days(1);
            let done = Lake::in_directory(path)?.compact(kind, &options, now).await?;
            assert!(done.rows == ROWS, "{done:?}");
        }
        _ => {}
    }
    Ok(())
}

async fn table(kind: Kind, path: &Path) -> Result<DeltaTable, Failure> {
    let url = Url::from_directory_path(path.join(kind.name())).map_err(|()| "the folder has an odd name")?;
    let mut table = DeltaTableBuilder::from_url(url)?.build()?;
    table.load().await?;
    Ok(table)
}

async fn report(source: Source, layout: &str, path: &Path, seconds: f64, peak: f64) -> Result<(), Failure> {
    let kind = source.kind;
    let lake = Lake::in_directory(path)?;
    let session = SessionContext::new();
    lake.register(&session).await?;
    let start = Instant::now();
    for reading in 0..READINGS {
        let subscription = source.subscription(reading * 97);
        let sql = format!(
            "select * from {} where day = '2026-11-20' and subscription_id = '{subscription}'",
            kind.name()
        );
        let rows: usize =
            session.sql(&sql).await?.collect().await?.iter().map(|batch| batch.num_rows()).sum();
        assert!(rows > 0, "{subscription} has events");
    }
    let reading = start.elapsed().as_secs_f64() / READINGS as f64;
    let found = lake.describe().await?.into_iter().find(|table| table.kind == kind).ok_or("no table")?;
    println!(
        "{:9} {layout:16} {seconds:>6.1} s {peak:>7.0} MB {:>6} {:>6.0} MB {:>11.1} ms",
        kind.name(),
        found.files,
        found.bytes as f64 / 1e6,
        reading * 1e3
    );
    Ok(())
}
