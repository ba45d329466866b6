//! Compaction: fewer files with the same events, in order, whatever else goes on.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{ArrayRef, BinaryArray, RecordBatch, StringArray, TimestampMicrosecondArray};
use chrono::{DateTime, TimeDelta, Utc};
use datafusion::prelude::SessionContext;
use deltalake::delta_datafusion::{DeltaScanConfig, DeltaScanNext};
use ingest::schema::Kind;
use lake::{Appended, Compacted, CompactionOptions, Lake};

use crate::events::{Event, batch, ids, lake, query, time};
use crate::evolve::{loaded_table, other_version};

const MORNING: &str = "2026-11-20T08:00:00Z";
const NOON: &str = "2026-11-20T12:00:00Z";

/// Merges whatever is more than one file.
pub(crate) fn eager() -> CompactionOptions {
    CompactionOptions { small_files_max: 1, superseded_share: 0.0, ..CompactionOptions::default() }
}

/// Long after everything that a test appends.
pub(crate) fn later() -> DateTime<Utc> {
    Utc::now() + TimeDelta::days(1)
}

async fn append(lake: &Lake, kind: Kind, events: &[Event]) -> Appended {
    lake.append(kind, vec![batch(kind, events)]).await.unwrap()
}

/// Files and rows of the kind's table.
async fn files_and_rows(lake: &Lake, kind: Kind) -> (u64, u64) {
    let table = lake.describe().await.unwrap().into_iter().find(|table| table.kind == kind).unwrap();
    (table.files, table.rows)
}

#[tokio::test(flavor = "multi_thread")]
async fn files_of_a_day_become_one_with_the_same_events() {
    let (_directory, lake) = lake();
    // The events are of fixed days, and the clock goes on: none is to be superseded for long enough.
    let eager = CompactionOptions { superseded_kept: TimeDelta::days(36_500), ..eager() };
    for kind in Kind::ALL {
        assert_eq!(lake.compact(kind, &eager, later()).await.unwrap(), Compacted::default());
        append(&lake, kind, &[Event(1, "sub-b", NOON), Event(2, "sub-a", NOON)]).await;
        append(&lake, kind, &[Event(3, "sub-a", MORNING), Event(9, "sub-a", "2026-11-21T00:00:00Z")]).await;
        append(&lake, kind, &[Event(4, "sub-b", MORNING)]).await;
        let sql = format!("select * from {} order by event_id", kind.name());
        let before = query(&lake, &sql).await;

        let compacted = lake.compact(kind, &eager, later()).await.unwrap();
        assert_eq!(
            (compacted.days, compacted.files_before, compacted.files_after, compacted.rows),
            (1, 3, 1, 4),
            "{compacted:?}"
        );
        assert!(compacted.bytes_before > compacted.bytes_after && compacted.bytes_after > 0, "{compacted:?}");
        assert_eq!((compacted.superseded_rows, compacted.overtaken.len()), (0, 0));
        assert_eq!(query(&lake, &sql).await, before, "{}", kind.name());
        assert_eq!(files_and_rows(&lake, kind).await, (2, 5));

        let again = lake.compact(kind, &eager, later()).await.unwrap();
        assert_eq!(again, Compacted::default(), "there is nothing left to do");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_are_sorted_by_account_and_time() {
    let (_directory, lake) = lake();
    let kind = Kind::Flow;
    for event in [
        Event(1, "sub-b", NOON),
        Event(2, "sub-a", NOON),
        Event(3, "sub-b", MORNING),
        Event(4, "sub-a", MORNING),
    ] {
        append(&lake, kind, &[event]).await;
    }
    lake.compact(kind, &eager(), later()).await.unwrap();
    // One file and no order asked for: the rows come as they lie.
    let session = SessionContext::new();
    lake.register(&session).await.unwrap();
    let rows = session.sql("select event_id from flow").await.unwrap().collect().await.unwrap();
    let order: Vec<u8> = rows
        .iter()
        .flat_map(|batch| {
            batch.column(0).as_binary::<i32>().iter().map(|id| id.unwrap()[0]).collect::<Vec<_>>()
        })
        .collect();
    assert_eq!(order, [4, 2, 3, 1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_that_is_filling_waits() {
    let (_directory, lake) = lake();
    for n in 0..3 {
        append(&lake, Kind::Flow, &[Event(n, "sub-a", NOON)]).await;
    }
    let now = Utc::now();
    assert_eq!(lake.compact(Kind::Flow, &eager(), now).await.unwrap(), Compacted::default());
    let options = CompactionOptions { small_files_max_filling: 2, ..eager() };
    let compacted = lake.compact(Kind::Flow, &options, now).await.unwrap();
    assert_eq!((compacted.files_before, compacted.files_after), (3, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn days_are_rewritten_a_few_at_a_time() {
    let (_directory, lake) = lake();
    let days = ["2026-11-19T08:00:00Z", MORNING, "2026-11-21T08:00:00Z"];
    for n in 0..6 {
        append(&lake, Kind::Flow, &[Event(n, "sub-a", days[n as usize % 3])]).await;
    }
    let options = CompactionOptions { days_max: 2, ..eager() };
    let first = lake.compact(Kind::Flow, &options, later()).await.unwrap();
    assert_eq!((first.days, first.days_left), (2, 1));
    let second = lake.compact(Kind::Flow, &options, later()).await.unwrap();
    assert_eq!((second.days, second.days_left), (1, 0));
    assert_eq!(ids(&lake, Kind::Flow).await, [0, 1, 2, 3, 4, 5]);
}

#[tokio::test(flavor = "multi_thread")]
async fn large_days_become_several_files() {
    let (_directory, lake) = lake();
    for n in 0..40 {
        append(&lake, Kind::Flow, &[Event(n, "sub-a", NOON)]).await;
    }
    let options = CompactionOptions { target_file_bytes: 1, ..eager() };
    let none = lake.compact(Kind::Flow, &options, later()).await.unwrap();
    assert_eq!(none, Compacted::default(), "no file is small then");
    let compacted = lake.compact(Kind::Flow, &eager(), later()).await.unwrap();
    assert_eq!((compacted.files_before, compacted.files_after), (40, 1));
    assert_eq!(ids(&lake, Kind::Flow).await, (0..40).collect::<Vec<u8>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn events_stay_known_after_a_compaction() {
    let (directory, lake) = lake();
    let events: Vec<Event> = (0..6).map(|n| Event(n, "sub-a", NOON)).collect();
    for event in &events {
        append(&lake, Kind::Flow, &[*event]).await;
    }
    lake.compact(Kind::Flow, &eager(), later()).await.unwrap();
    // What this process knows, it need not read: not even a file that is not there.
    let path = only_file(&directory.path().join("events/flow/day=2026-11-20"), &lake).await;
    let aside = directory.path().join("aside");
    std::fs::rename(&path, &aside).unwrap();
    assert_eq!(append(&lake, Kind::Flow, &events).await, Appended { stored: 0, duplicates: 6 });
    std::fs::rename(&aside, &path).unwrap();
    let other = Lake::in_directory(&directory.path().join("events")).unwrap();
    assert_eq!(append(&other, Kind::Flow, &events).await, Appended { stored: 0, duplicates: 6 });
    let more = [events[0], Event(7, "sub-a", NOON)];
    assert_eq!(append(&lake, Kind::Flow, &more).await, Appended { stored: 1, duplicates: 1 });
}

/// The path of the one file of the day that the table names.
async fn only_file(day: &std::path::Path, lake: &Lake) -> std::path::PathBuf {
    assert_eq!(files_and_rows(lake, Kind::Flow).await.0, 1);
    // It is the youngest one.
    let files = std::fs::read_dir(day).unwrap().map(|entry| entry.unwrap().path());
    files.max_by_key(|path| path.metadata().unwrap().modified().unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn columns_of_other_versions_survive() {
    let (directory, lake) = lake();
    other_version(directory.path(), Kind::Flow, &[], &["from_the_future"]).await;
    append(&lake, Kind::Flow, &[Event(200, "sub-a", NOON)]).await;
    append(&lake, Kind::Flow, &[Event(201, "sub-a", NOON)]).await;
    let compacted = lake.compact(Kind::Flow, &eager(), later()).await.unwrap();
    assert_eq!(compacted.files_after, 1, "{compacted:?}");
    let table = loaded_table(directory.path(), Kind::Flow).await;
    let session = SessionContext::new();
    table.update_datafusion_session(&session.state()).unwrap();
    let snapshot = table.snapshot().unwrap().snapshot().clone();
    let raw = DeltaScanNext::new(snapshot, DeltaScanConfig::new()).unwrap();
    session.register_table("raw", Arc::new(raw)).unwrap();
    let sql = "select count(*) as n, count(from_the_future) as kept from raw";
    let rows = session.sql(sql).await.unwrap().collect().await.unwrap();
    let shown = datafusion::arrow::util::pretty::pretty_format_batches(&rows).unwrap().to_string();
    assert_eq!(shown, "+---+------+\n| n | kept |\n+---+------+\n| 3 | 1    |\n+---+------+");
}

/// A line: its number, the subscription, the statement, when that was made and when the line came in.
type Line = (u8, &'static str, u8, &'static str, &'static str);

fn lines(lines: &[Line]) -> RecordBatch {
    let events: Vec<Event> = lines.iter().map(|line| Event(line.0, line.1, "2026-11-01T00:00:00Z")).collect();
    let plain = batch(Kind::Cost, &events);
    let times = |pick: fn(&Line) -> &'static str| -> ArrayRef {
        let micros = lines.iter().map(|line| time(pick(line)).timestamp_micros());
        Arc::new(TimestampMicrosecondArray::from_iter_values(micros).with_timezone("UTC"))
    };
    let schema = plain.schema();
    let columns = schema.fields().iter().zip(plain.columns()).map(|(field, column)| -> ArrayRef {
        match field.name().as_str() {
            "dataset" => Arc::new(StringArray::from(vec!["actual"; lines.len()])),
            "statement_id" => Arc::new(BinaryArray::from_iter_values(lines.iter().map(|line| [line.2; 16]))),
            "stated_at" => times(|line| line.3),
            "arrived_at" => times(|line| line.4),
            _ => column.clone(),
        }
    });
    RecordBatch::try_new(schema.clone(), columns.collect()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn superseded_lines_go_after_the_grace_period() {
    let (directory, lake) = lake();
    let first = lines(&[
        (1, "sub-a", 1, "2026-11-02T00:00:00Z", "2026-11-02T03:00:00Z"),
        (2, "sub-a", 1, "2026-11-02T00:00:00Z", "2026-11-02T03:00:00Z"),
        (3, "sub-b", 1, "2026-11-02T00:00:00Z", "2026-11-02T03:00:00Z"),
    ]);
    let second = lines(&[(4, "sub-a", 2, "2026-11-03T00:00:00Z", "2026-11-03T03:00:00Z")]);
    let third = lines(&[(5, "sub-a", 3, "2026-11-04T00:00:00Z", "2026-11-05T03:00:00Z")]);
    for chunk in [&first, &second, &third] {
        lake.append(Kind::Cost, vec![chunk.clone()]).await.unwrap();
    }
    // Small files alone are no reason here.
    let options = CompactionOptions { small_files_max: 100, ..eager() };
    let dropped = async |now: &str| {
        let compacted = lake.compact(Kind::Cost, &options, time(now)).await.unwrap();
        (compacted.superseded_rows, compacted.files_before, compacted.files_after)
    };
    // Statement 1 of sub-a was replaced when the second arrived, on the 3rd; the second on the 5th.
    assert_eq!(dropped("2026-11-10T02:59:00Z").await, (0, 0, 0));
    assert_eq!(dropped("2026-11-10T03:00:00Z").await, (2, 3, 1));
    assert_eq!(ids(&lake, Kind::Cost).await, [3, 4, 5], "that of sub-b counts still");
    assert_eq!(dropped("2026-11-12T02:59:00Z").await, (0, 0, 0));
    assert_eq!(dropped("2026-11-12T03:00:00Z").await, (1, 1, 1));
    assert_eq!(ids(&lake, Kind::Cost).await, [3, 5]);
    assert_eq!(dropped("2030-01-01T00:00:00Z").await, (0, 0, 0));

    // An old statement that is taken in again is stored, and superseded from the start.
    let other = Lake::in_directory(&directory.path().join("events")).unwrap();
    for lake in [&lake, &other] {
        let again = lake.append(Kind::Cost, vec![first.clone()]).await.unwrap();
        assert_eq!(again.stored + again.duplicates, 3);
    }
    assert_eq!(ids(&lake, Kind::Cost).await, [1, 2, 3, 5]);
    assert_eq!(dropped("2030-01-01T00:00:00Z").await.0, 2);
    assert_eq!(ids(&lake, Kind::Cost).await, [3, 5]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_few_superseded_lines_are_no_reason_to_rewrite_a_day() {
    let (_directory, lake) = lake();
    let stated: Vec<Line> =
        (0..9).map(|n| (n, "sub-a", 1, "2026-11-02T00:00:00Z", "2026-11-02T03:00:00Z")).collect();
    let old = lines(&[(9, "sub-a", 2, "2026-11-01T00:00:00Z", "2026-11-01T03:00:00Z")]);
    lake.append(Kind::Cost, vec![lines(&stated)]).await.unwrap();
    lake.append(Kind::Cost, vec![old]).await.unwrap();
    let now = time("2026-12-01T00:00:00Z");
    let options =
        |share, files| CompactionOptions { superseded_share: share, small_files_max: files, ..eager() };
    assert_eq!(lake.compact(Kind::Cost, &options(0.2, 9), now).await.unwrap(), Compacted::default());
    // Rewritten for another reason, it loses them.
    let settled = later().max(now);
    let compacted = lake.compact(Kind::Cost, &options(0.2, 1), settled).await.unwrap();
    assert_eq!((compacted.superseded_rows, compacted.rows), (1, 9));
}

/// Another lake shares nothing in memory, so this is as between processes.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_two_compactions_at_once_one_counts() {
    let (directory, lake) = lake();
    let mut given_up = 0;
    for round in 0..4u8 {
        for n in 0..4 {
            append(&lake, Kind::Flow, &[Event(round * 4 + n, "sub-a", NOON)]).await;
        }
        let other = Lake::in_directory(&directory.path().join("events")).unwrap();
        let (options, now) = (eager(), later());
        let (one, two) =
            tokio::join!(lake.compact(Kind::Flow, &options, now), other.compact(Kind::Flow, &options, now));
        let (one, two) = (one.unwrap(), two.unwrap());
        given_up += one.overtaken.len() + two.overtaken.len();
        assert!(one.days + two.days >= 1, "{one:?} {two:?}");
        assert_eq!(ids(&lake, Kind::Flow).await, (0..round * 4 + 4).collect::<Vec<u8>>());
        assert_eq!(files_and_rows(&lake, Kind::Flow).await, (1, u64::from(round) * 4 + 4));
    }
    assert!(given_up > 0, "they never met");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn appends_and_dropping_compactions_do_not_disturb_each_other() {
    let (directory, lake) = lake();
    let other = Lake::in_directory(&directory.path().join("events")).unwrap();
    let writer = async {
        for n in 0..30u8 {
            // Each statement replaces the one before at once.
            let stated = ["2026-11-02T00:00:00Z", "2026-11-03T00:00:00Z"][usize::from(n % 2)];
            let line = (n, "sub-a", n, stated, "2026-11-03T00:00:00Z");
            let appended = lake.append(Kind::Cost, vec![lines(&[line])]).await.unwrap();
            assert_eq!(appended.stored, 1);
        }
    };
    let compactor = async {
        let mut dropped = 0;
        for _ in 0..15 {
            dropped += other.compact(Kind::Cost, &eager(), later()).await.unwrap().superseded_rows;
            tokio::task::yield_now().await;
        }
        dropped
    };
    let (_, dropped) = tokio::join!(writer, compactor);
    let last = other.compact(Kind::Cost, &eager(), later()).await.unwrap().superseded_rows;
    assert_eq!(ids(&lake, Kind::Cost).await, [29], "of those stated last, the greatest id");
    assert_eq!(dropped + last, 29);
}
