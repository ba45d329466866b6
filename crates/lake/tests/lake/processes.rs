//! Several writers at once, in one process and in several.

use std::path::{Path, PathBuf};
use std::process::{Child, Command};

use chrono::{TimeDelta, Utc};
use ingest::schema::Kind;
use lake::{CompactionOptions, Lake};

use crate::events::{Event, batch, ids, lake, version};

/// Where [`a_writer`] finds the lake, when this test binary runs itself.
const LAKE_VARIABLE: &str = "LAKE_OF_THE_TEST";

const DAYS: [&str; 3] = ["2026-11-19T08:00:00Z", "2026-11-20T08:00:00Z", "2026-11-21T08:00:00Z"];

/// The events 0 to 59, in chunks of 6 which each touch three days.
fn chunks() -> Vec<Vec<Event>> {
    let events: Vec<_> = (0..60).map(|n| Event(n, "sub-a", DAYS[n as usize % 3])).collect();
    events.chunks(6).map(<[Event]>::to_vec).collect()
}

/// Appends all chunks; says how many events this writer stored.
async fn write_all(lake: &Lake) -> u64 {
    let mut stored = 0;
    for chunk in chunks() {
        let appended = lake.append(Kind::Flow, vec![batch(Kind::Flow, &chunk)]).await.unwrap();
        assert_eq!(appended.stored + appended.duplicates, chunk.len() as u64);
        stored += appended.stored;
    }
    stored
}

fn open(directory: &Path) -> Lake {
    Lake::in_directory(&directory.join("events")).unwrap()
}

/// Separate lakes share nothing in memory, so this is as between processes, but closer in time.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn lakes_that_race_store_each_event_once() {
    let (directory, lake) = lake();
    let mut writers = Vec::new();
    for _ in 0..4 {
        let lake = open(directory.path());
        writers.push(tokio::spawn(async move { write_all(&lake).await }));
    }
    let mut stored = 0;
    for writer in writers {
        stored += writer.await.unwrap();
    }
    assert_eq!(stored, 60, "the writers' counts add up to the events");
    assert_eq!(ids(&lake, Kind::Flow).await, (0..60).collect::<Vec<u8>>());
    let table = lake.describe().await.unwrap().remove(2);
    let found = parquet_files(&directory.path().join("events/flow"));
    assert_eq!(found as u64, table.files, "losers of a race take their files away");
}

fn parquet_files(directory: &Path) -> usize {
    let entries = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    entries
        .map(|path| match path.is_dir() {
            true if path.ends_with("_delta_log") => 0,
            true => parquet_files(&path),
            false => usize::from(path.extension().is_some_and(|name| name == "parquet")),
        })
        .sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn clones_of_a_lake_that_race_store_each_event_once() {
    let (_directory, lake) = lake();
    let other = lake.clone();
    let (one, two) = tokio::join!(write_all(&lake), write_all(&other));
    assert_eq!(one + two, 60);
    assert_eq!(ids(&lake, Kind::Flow).await.len(), 60);
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_that_race_store_each_event_once() {
    let (directory, lake) = lake();
    let processes = [start_writer(directory.path()), start_writer(directory.path())];
    for mut process in processes {
        assert!(process.wait().unwrap().success());
    }
    assert_eq!(ids(&lake, Kind::Flow).await, (0..60).collect::<Vec<u8>>());
}

fn start_writer(directory: &Path) -> Child {
    start("processes::a_writer", directory)
}

/// Runs a test of this binary as another process.
fn start(test: &str, directory: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--ignored", "--quiet"])
        .env(LAKE_VARIABLE, directory)
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "the other process of `processes_that_race_store_each_event_once`; does nothing by itself"]
async fn a_writer() {
    if let Some(directory) = std::env::var_os(LAKE_VARIABLE) {
        write_all(&open(&PathBuf::from(directory))).await;
    }
}

/// Chunks of five events, of which each shares two with the next: the events 0 to 241.
fn overlapping_chunks() -> Vec<Vec<Event>> {
    let event = |n: u8| Event(n, "sub-a", DAYS[usize::from(n / 3) % 3]);
    (0..80u8).map(|chunk| (chunk * 3..chunk * 3 + 5).map(event).collect()).collect()
}

/// Two processes append the same overlapping chunks, a third one compacts, vacuums and tidies the log all
/// the while. `benches/lake-soak` does the same for minutes.
#[tokio::test(flavor = "multi_thread")]
async fn upkeep_disturbs_no_writer() {
    let (directory, lake) = lake();
    let mut upkeep = start("processes::an_upkeep", directory.path());
    let writers = [(); 2].map(|()| start("processes::an_overlapping_writer", directory.path()));
    for mut writer in writers {
        assert!(writer.wait().unwrap().success());
    }
    std::fs::write(directory.path().join(STOP), b"").unwrap();
    assert!(upkeep.wait().unwrap().success());
    assert_eq!(ids(&lake, Kind::Flow).await, (0..=241).collect::<Vec<u8>>());
    let files = lake.describe().await.unwrap()[2].files;
    assert!(files <= 3 * 2, "{files} files");
    assert!(version(&lake, Kind::Flow).await.unwrap() > 80, "each chunk had something new");
}

/// The file that ends [`an_upkeep`].
const STOP: &str = "stop";

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a process of `upkeep_disturbs_no_writer`; does nothing by itself"]
async fn an_overlapping_writer() {
    let Some(directory) = std::env::var_os(LAKE_VARIABLE) else { return };
    let lake = open(&PathBuf::from(directory));
    for chunk in overlapping_chunks() {
        let appended = lake.append(Kind::Flow, vec![batch(Kind::Flow, &chunk)]).await.unwrap();
        assert_eq!(appended.stored + appended.duplicates, chunk.len() as u64);
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a process of `upkeep_disturbs_no_writer`; does nothing by itself"]
async fn an_upkeep() {
    let Some(directory) = std::env::var_os(LAKE_VARIABLE) else { return };
    let directory = PathBuf::from(directory);
    let lake = open(&directory);
    let options = CompactionOptions { small_files_max: 1, small_files_max_filling: 2, ..Default::default() };
    loop {
        let last = directory.join(STOP).exists();
        lake.compact(Kind::Flow, &options, Utc::now()).await.unwrap();
        // Longer than an append takes, even on a busy machine.
        lake.vacuum(Kind::Flow, TimeDelta::minutes(1), Utc::now()).await.unwrap();
        lake.tidy_log(Kind::Flow, TimeDelta::seconds(1), Utc::now()).await.unwrap();
        if last {
            return;
        }
    }
}

/// A process killed between writing files and the commit leaves files that nobody sees.
#[tokio::test(flavor = "multi_thread")]
async fn files_without_a_commit_are_not_seen() {
    let (directory, lake) = lake();
    let chunk = chunks().remove(0);
    lake.append(Kind::Flow, vec![batch(Kind::Flow, &chunk)]).await.unwrap();
    let day = directory.path().join("events/flow/day=2026-11-19");
    let file = std::fs::read_dir(&day).unwrap().next().unwrap().unwrap().path();
    std::fs::copy(&file, day.join("part-left-behind.parquet")).unwrap();
    std::fs::write(day.join("part-torn.parquet"), b"PAR1 and no more").unwrap();
    let lake = open(directory.path());
    assert_eq!(ids(&lake, Kind::Flow).await, [0, 1, 2, 3, 4, 5]);
    let again = lake.append(Kind::Flow, vec![batch(Kind::Flow, &chunk)]).await.unwrap();
    assert_eq!((again.stored, again.duplicates), (0, 6));
}
