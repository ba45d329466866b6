//! A large estate in the lake: `benches/lake-estate`, or
//! `cargo bench -p cli -p lake --bench estate -- CUSTOMERS DAYS`.
//!
//! Writes for each customer and day 10 events of the activity log, 5 lines of cost and 25 flows, in hourly
//! chunks (cost in one), and reports sizes, the time to read one customer's day, and the time and memory of
//! compaction. A cold reading is the first one, with the files out of the system's cache and the log unread.

#![expect(clippy::print_stdout, reason = "a benchmark's result goes to stdout")]

mod events;

use std::path::Path;
use std::time::Instant;

use chrono::{NaiveDate, TimeDelta, Utc};
use datafusion::prelude::SessionContext;
use events::{FIRST_DAY, Source, forget_cached, forget_peak, peak_and_now_mb};
use ingest::schema::Kind;
use lake::{CompactionOptions, Lake};

/// Events a customer and day, and chunks a day.
const RATES: [(Kind, u64, u64); 3] = [(Kind::Activity, 10, 24), (Kind::Cost, 5, 1), (Kind::Flow, 25, 24)];
const READINGS: i32 = 10;

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let numbers: Vec<u64> = std::env::args().filter_map(|argument| argument.parse().ok()).collect();
    let [customers, days] = numbers[..] else {
        println!("name the number of customers and of days, such as 20000 30; nothing was measured");
        return Ok(());
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(run(customers, i32::try_from(days)?))
}

async fn run(customers: u64, days: i32) -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    for (kind, rate, chunks) in RATES {
        let source = |day: i32| Source { kind, day: FIRST_DAY + day, customers };
        let rows = customers * rate;
        let lake = Lake::in_directory(folder.path())?;
        forget_peak();
        let mut seconds = 0.0;
        for day in 0..days {
            for chunk in 0..chunks {
                let first = u64::from(day.unsigned_abs()) * rows;
                let numbers: Vec<u64> =
                    (first + rows * chunk / chunks..first + rows * (chunk + 1) / chunks).collect();
                let events = source(day).events(&numbers)?;
                let start = Instant::now();
                lake.append(kind, vec![events]).await?;
                seconds += start.elapsed().as_secs_f64();
            }
        }
        let total = rows * u64::from(days.unsigned_abs());
        let name = kind.name();
        println!(
            "{name}: {total} events written at {:.0} a second, peak {:.0} MB",
            total as f64 / seconds,
            peak_and_now_mb().0
        );
        drop(lake);
        show(&source, days, folder.path(), "as written").await?;

        let now = Utc::now() + TimeDelta::days(1);
        let lake = Lake::in_directory(folder.path())?;
        let (_, before) = peak_and_now_mb();
        forget_peak();
        let start = Instant::now();
        let one = lake.compact(kind, &CompactionOptions { days_max: 1, ..Default::default() }, now).await?;
        let one_s = start.elapsed().as_secs_f64();
        let all = lake.compact(kind, &CompactionOptions::default(), now).await?;
        println!(
            "{name}: compaction of one day of {} events {one_s:.2} s, of {} days {:.1} s, {:.0} MB more memory at the peak",
            one.rows,
            one.days + all.days,
            start.elapsed().as_secs_f64(),
            peak_and_now_mb().0 - before
        );
        let removed = lake.vacuum(kind, TimeDelta::hours(1), now + TimeDelta::hours(2)).await?;
        println!("{name}: vacuum of {} files", removed.files);
        drop(lake);
        show(&source, days, folder.path(), "compacted").await?;
    }
    Ok(())
}

/// Prints sizes, and how long it takes to read one customer's day.
async fn show(source: &dyn Fn(i32) -> Source, days: i32, folder: &Path, state: &str) -> Result<(), Failure> {
    let kind = source(0).kind;
    let lake = Lake::in_directory(folder)?;
    let table = lake.describe().await?.into_iter().find(|table| table.kind == kind).ok_or("no table")?;
    drop(lake);
    let (mut cold, mut warm) = (Vec::new(), Vec::new());
    for reading in 0..READINGS.min(days) {
        let day = reading * (days / READINGS.min(days));
        let date = NaiveDate::from_epoch_days(FIRST_DAY + day).ok_or("the day is one")?;
        let subscription = source(day).subscription(u64::from(day.unsigned_abs()) * 7919 + 13);
        let sql = format!(
            "select * from {} where day = '{date}' and subscription_id = '{subscription}'",
            kind.name()
        );
        forget_cached(&folder.join(kind.name()).join(format!("day={date}")))?;
        forget_cached(&folder.join(kind.name()).join("_delta_log"))?;
        for times in [&mut cold, &mut warm] {
            let start = Instant::now();
            let lake = Lake::in_directory(folder)?;
            let session = SessionContext::new();
            session.register_table(kind.name(), lake.table(kind, &session).await?)?;
            let opened = start.elapsed().as_secs_f64();
            session.sql(&sql).await?.collect().await?;
            times.push((opened, start.elapsed().as_secs_f64() - opened));
        }
    }
    let median = |times: &[(f64, f64)], pick: fn(&(f64, f64)) -> f64| {
        let mut times: Vec<f64> = times.iter().map(pick).collect();
        times.sort_by(f64::total_cmp);
        times.get(times.len() / 2).copied().unwrap_or(0.0) * 1e3
    };
    println!(
        "{}, {state}: {} events, {} files, {:.0} MB, {:.1} bytes an event; one customer's day: log {:.0} ms and query {:.0} ms cold, {:.0} and {:.0} ms warm",
        kind.name(),
        table.rows,
        table.files,
        table.bytes as f64 / 1e6,
        table.bytes as f64 / table.rows as f64,
        median(&cold, |t| t.0),
        median(&cold, |t| t.1),
        median(&warm, |t| t.0),
        median(&warm, |t| t.1)
    );
    Ok(())
}
