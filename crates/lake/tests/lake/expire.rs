//! What goes, and what stays: old days, files that nobody names, and old entries of the log.

use std::path::{Path, PathBuf};

use chrono::{NaiveDate, TimeDelta, Utc};
use ingest::schema::Kind;
use lake::{Appended, Forgotten, Lake, LogTidied, Vacuumed};

use crate::compact::{eager, later};
use crate::events::{Event, batch, ids, lake, version};

const DAYS: [&str; 3] = ["2026-11-19T08:00:00Z", "2026-11-20T08:00:00Z", "2026-11-21T08:00:00Z"];

async fn append(lake: &Lake, events: &[Event]) -> Appended {
    lake.append(Kind::Flow, vec![batch(Kind::Flow, events)]).await.unwrap()
}

/// Appends the events 0 to 5, each by itself, two to a day.
async fn three_days(lake: &Lake) {
    for n in 0..6 {
        append(lake, &[Event(n, "sub-a", DAYS[usize::from(n) % 3])]).await;
    }
}

fn day(day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 11, day).unwrap()
}

/// All files of the table's days, sorted.
fn data_files(directory: &Path) -> Vec<PathBuf> {
    let entries = |folder: &Path| -> Vec<PathBuf> {
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
    };
    let days = entries(&directory.join("events/flow"));
    let days = days.iter().filter(|path| !path.ends_with("_delta_log"));
    let mut files: Vec<PathBuf> = days.flat_map(|day| entries(day)).collect();
    files.sort();
    files
}

#[tokio::test(flavor = "multi_thread")]
async fn days_before_one_are_forgotten_at_once() {
    let (_directory, lake) = lake();
    assert_eq!(lake.forget_before(Kind::Flow, day(21)).await.unwrap(), Forgotten::default());
    three_days(&lake).await;
    let before = version(&lake, Kind::Flow).await.unwrap();
    assert_eq!(lake.forget_before(Kind::Flow, day(19)).await.unwrap(), Forgotten::default());
    assert_eq!(version(&lake, Kind::Flow).await, Some(before), "nothing to do is no commit");

    let forgotten = lake.forget_before(Kind::Flow, day(21)).await.unwrap();
    assert_eq!((forgotten.days, forgotten.files, forgotten.rows), (2, 4, 4));
    assert!(forgotten.bytes > 1000);
    assert_eq!(ids(&lake, Kind::Flow).await, [2, 5]);
    assert_eq!(version(&lake, Kind::Flow).await, Some(before + 1), "in one commit");
}

#[tokio::test(flavor = "multi_thread")]
async fn events_that_come_too_late_are_stored_and_go_the_next_time() {
    let (_directory, lake) = lake();
    three_days(&lake).await;
    lake.forget_before(Kind::Flow, day(21)).await.unwrap();
    // Of a forgotten day nothing is known, so that the same event is new again.
    let late = append(&lake, &[Event(0, "sub-a", DAYS[0]), Event(2, "sub-a", DAYS[2])]).await;
    assert_eq!(late, Appended { stored: 1, duplicates: 1 });
    assert_eq!(ids(&lake, Kind::Flow).await, [0, 2, 5]);
    let forgotten = lake.forget_before(Kind::Flow, day(21)).await.unwrap();
    assert_eq!((forgotten.days, forgotten.rows), (1, 1));
    assert_eq!(ids(&lake, Kind::Flow).await, [2, 5]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn appends_go_on_while_days_are_forgotten_and_compacted() {
    let (directory, lake) = lake();
    let [forgetting, compacting] =
        [(); 2].map(|()| Lake::in_directory(&directory.path().join("events")).unwrap());
    let writer = async {
        for n in 0..40u8 {
            // Old days come in all the time.
            let events = [Event(n, "sub-a", DAYS[2]), Event(n, "sub-a", DAYS[usize::from(n) % 2])];
            assert_eq!(append(&lake, &events).await.stored, 2);
        }
    };
    let forgetter = async {
        let mut rows = 0;
        for _ in 0..20 {
            rows += forgetting.forget_before(Kind::Flow, day(21)).await.unwrap().rows;
        }
        rows
    };
    let compactor = async {
        for _ in 0..20 {
            compacting.compact(Kind::Flow, &eager(), later()).await.unwrap();
        }
    };
    let (_, forgotten, _) = tokio::join!(writer, forgetter, compactor);
    let last = forgetting.forget_before(Kind::Flow, day(21)).await.unwrap().rows;
    assert_eq!(forgotten + last, 40, "each late event was counted once");
    assert_eq!(ids(&lake, Kind::Flow).await, (0..40).collect::<Vec<u8>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vacuum_removes_what_is_old_and_unnamed() {
    let (directory, lake) = lake();
    let keep = TimeDelta::days(7);
    assert_eq!(lake.vacuum(Kind::Flow, keep, Utc::now()).await.unwrap(), Vacuumed::default());
    three_days(&lake).await;
    lake.compact(Kind::Flow, &eager(), later()).await.unwrap();
    lake.forget_before(Kind::Flow, day(20)).await.unwrap();
    let day = directory.path().join("events/flow/day=2026-11-21");
    let under_way = day.join("part-not-committed-yet.parquet");
    let torn = day.join("part-torn.parquet#3");
    for path in [&under_way, &torn] {
        std::fs::write(path, b"PAR1 and no more").unwrap();
    }
    assert_eq!(data_files(directory.path()).len(), 11);

    let now = Utc::now() + TimeDelta::seconds(1);
    let early = lake.vacuum(Kind::Flow, keep, now + keep - TimeDelta::minutes(5)).await.unwrap();
    assert_eq!((early, data_files(directory.path()).len()), (Vacuumed::default(), 11));

    let vacuumed = lake.vacuum(Kind::Flow, keep, now + keep).await.unwrap();
    assert_eq!(vacuumed, Vacuumed { files: 8, torn_files: 1 });
    assert_eq!(data_files(directory.path()).len(), 2, "the two days that are left");
    let again = lake.vacuum(Kind::Flow, keep, now + keep).await.unwrap();
    assert_eq!(again, Vacuumed::default(), "what is gone is not counted again");
    assert_eq!(ids(&lake, Kind::Flow).await, [1, 2, 4, 5]);
    let again = append(&lake, &[Event(1, "sub-a", DAYS[1]), Event(7, "sub-a", DAYS[1])]).await;
    assert_eq!(again, Appended { stored: 1, duplicates: 1 });
}

/// Entries and checkpoints in the table's log.
fn log_files(directory: &Path) -> (usize, usize) {
    let folder = std::fs::read_dir(directory.join("events/flow/_delta_log")).unwrap();
    let names: Vec<String> =
        folder.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    let count = |ending: &str| names.iter().filter(|name| name.ends_with(ending)).count();
    (count(".json"), count(".parquet"))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_stays_short() {
    let (directory, lake) = lake();
    let (keep, later) = (TimeDelta::days(1), later() + TimeDelta::minutes(1));
    assert_eq!(lake.tidy_log(Kind::Flow, keep, later).await.unwrap(), LogTidied::default());
    let reader = Lake::in_directory(&directory.path().join("events")).unwrap();
    for n in 0..=100u8 {
        append(&lake, &[Event(n, "sub-a", DAYS[0])]).await;
        if n == 0 {
            assert_eq!(ids(&reader, Kind::Flow).await, [0]);
        }
    }
    assert_eq!(log_files(directory.path()), (102, 5), "a twentieth commit writes a checkpoint");
    let fresh = lake.tidy_log(Kind::Flow, keep, Utc::now()).await.unwrap();
    assert_eq!(fresh, LogTidied::default(), "what is young stays");
    let tidied = lake.tidy_log(Kind::Flow, keep, later).await.unwrap();
    assert_eq!((tidied.checkpoint, tidied.entries), (false, 99 + 4), "older commits and checkpoints");
    assert_eq!(log_files(directory.path()), (3, 1));

    let events: Vec<u8> = (0..=100).collect();
    let fresh = Lake::in_directory(&directory.path().join("events")).unwrap();
    for lake in [&lake, &reader, &fresh] {
        assert_eq!(ids(lake, Kind::Flow).await, events, "who looked long ago reads the log anew");
        assert_eq!(append(lake, &[Event(0, "sub-a", DAYS[0])]).await, Appended { stored: 0, duplicates: 1 });
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_checkpoint_that_failed_is_made_up_for() {
    let (directory, lake) = lake();
    for n in 0..=100u8 {
        append(&lake, &[Event(n, "sub-a", DAYS[0])]).await;
    }
    let folder = directory.path().join("events/flow/_delta_log");
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if name.ends_with(".parquet") || name == "_last_checkpoint" {
            std::fs::remove_file(path).unwrap();
        }
    }
    let fresh = Lake::in_directory(&directory.path().join("events")).unwrap();
    let tidied = fresh.tidy_log(Kind::Flow, TimeDelta::days(1), Utc::now()).await.unwrap();
    assert_eq!(tidied, LogTidied { checkpoint: true, entries: 0 });
    assert_eq!(log_files(directory.path()), (102, 1));
    assert_eq!(
        fresh.tidy_log(Kind::Flow, TimeDelta::days(1), Utc::now()).await.unwrap(),
        LogTidied::default()
    );
}
