//! Appending: each event once, all of an append or nothing.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::{BinaryArray, RecordBatch};
use ingest::schema::Kind;
use lake::{Appended, Lake, LakeError};
use url::Url;

use crate::events::{Event, batch, ids, lake, query, version};

const ONE: Event = Event(1, "sub-b", "2026-11-20T08:00:00Z");
const TWO: Event = Event(2, "sub-a", "2026-11-20T09:00:00Z");
const THREE: Event = Event(3, "sub-a", "2026-11-21T23:59:59.999999Z");

/// A name for as long as the tests run.
fn named(name: String) -> &'static str {
    Box::leak(name.into_boxed_str())
}

async fn append(lake: &Lake, events: &[Event]) -> Appended {
    lake.append(Kind::Activity, vec![batch(Kind::Activity, events)]).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_is_stored_once() {
    let (_directory, lake) = lake();
    let cases: [(&[Event], u64, u64); 4] =
        [(&[ONE, TWO, ONE], 2, 1), (&[ONE, TWO], 0, 2), (&[TWO, THREE], 1, 1), (&[], 0, 0)];
    for (events, stored, duplicates) in cases {
        assert_eq!(append(&lake, events).await, Appended { stored, duplicates });
    }
    assert_eq!(ids(&lake, Kind::Activity).await, [1, 2, 3]);
}

/// Days too large to be remembered are read again for each append.
#[tokio::test(flavor = "multi_thread")]
async fn an_event_is_stored_once_also_beyond_memory() {
    for known_ids_max in [0, 1, 2] {
        let (directory, _) = lake();
        let root = Url::from_directory_path(directory.path()).unwrap();
        let lake = Lake::open_remembering(&root, &HashMap::new(), known_ids_max).unwrap();
        let cases: [(&[Event], u64, u64); 3] =
            [(&[ONE, TWO, ONE], 2, 1), (&[TWO, THREE], 1, 1), (&[ONE, TWO, THREE], 0, 3)];
        for (events, stored, duplicates) in cases {
            assert_eq!(append(&lake, events).await, Appended { stored, duplicates }, "{known_ids_max} known");
        }
        assert_eq!(ids(&lake, Kind::Activity).await, [1, 2, 3]);
    }
}

/// Whatever is left unread for its hours: what comes again is found, among files of other hours too.
#[tokio::test(flavor = "multi_thread")]
async fn repeats_are_found_among_files_of_other_hours() {
    let at = |hour, minute| named(format!("2026-11-20T{hour:02}:{minute:02}:00.000001Z"));
    let hours: Vec<[&str; 2]> = (0..24).map(|hour| [at(hour, 0), at(hour, 59)]).collect();
    for kind in [Kind::Flow, Kind::Cost] {
        for known_ids_max in [0, 10, 1000] {
            let (directory, _) = lake();
            let root = Url::from_directory_path(directory.path()).unwrap();
            let lake = Lake::open_remembering(&root, &HashMap::new(), known_ids_max).unwrap();
            // Each hour once, and the hour before again.
            for hour in 0..24_usize {
                let of = |hour: usize| [0, 1].map(|n| Event((2 * hour + n) as u8, "sub-a", hours[hour][n]));
                let before = hour.checked_sub(1).map(of);
                let events: Vec<Event> = of(hour).into_iter().chain(before.into_iter().flatten()).collect();
                let appended = lake.append(kind, vec![batch(kind, &events)]).await.unwrap();
                let expected = Appended { stored: 2, duplicates: if hour > 0 { 2 } else { 0 } };
                assert_eq!(appended, expected, "{} at {hour}, {known_ids_max} known", kind.name());
            }
            assert_eq!(ids(&lake, kind).await, (0..48).collect::<Vec<u8>>());
        }
    }
}

/// A resource is told by what it says, not by when it was asked for.
#[tokio::test(flavor = "multi_thread")]
async fn a_resource_that_comes_again_hours_later_is_known() {
    for known_ids_max in [0, 1000] {
        let (directory, _) = lake();
        let root = Url::from_directory_path(directory.path()).unwrap();
        let lake = Lake::open_remembering(&root, &HashMap::new(), known_ids_max).unwrap();
        for (time, stored) in [("2026-11-20T01:00:00Z", 1), ("2026-11-20T20:00:00Z", 0)] {
            let events = batch(Kind::Inventory, &[Event(1, "sub-a", time)]);
            let appended = lake.append(Kind::Inventory, vec![events]).await.unwrap();
            assert_eq!(appended, Appended { stored, duplicates: 1 - stored }, "{time}");
        }
    }
}

/// So many events that several cores encode them, over three days.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_append_in_parts_is_one_commit_of_all_its_events() {
    let (_directory, lake) = lake();
    let times = ["2026-11-20T08:00:00Z", "2026-11-21T08:00:00Z", "2026-11-22T08:00:00Z"];
    let names: Vec<&str> = (0..50).map(|n| named(format!("sub-{n:02}"))).collect();
    let events: Vec<Event> =
        (0..90_000).map(|row| Event(0, names[row % names.len()], times[row % times.len()])).collect();
    let mut columns = batch(Kind::Flow, &events).columns().to_vec();
    let id = |row: u128| (row.wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835)).to_be_bytes();
    columns[1] = Arc::new(BinaryArray::from_iter_values((0..90_000).map(id)));
    let rows = RecordBatch::try_new(Kind::Flow.schema(), columns).unwrap();
    let appended = lake.append(Kind::Flow, vec![rows.slice(0, 30_000), rows.slice(30_000, 60_000)]).await;
    assert_eq!(appended.unwrap(), Appended { stored: 90_000, duplicates: 0 });
    assert_eq!(
        lake.append(Kind::Flow, vec![rows]).await.unwrap(),
        Appended { stored: 0, duplicates: 90_000 }
    );
    let sql = "select day, count(distinct event_id) as events, count(distinct subscription_id) as names
        from flow group by day order by day";
    let expected = "\
+------------+--------+-------+
| day        | events | names |
+------------+--------+-------+
| 2026-11-20 | 30000  | 50    |
| 2026-11-21 | 30000  | 50    |
| 2026-11-22 | 30000  | 50    |
+------------+--------+-------+";
    assert_eq!(query(&lake, sql).await, expected);
    assert_eq!(version(&lake, Kind::Flow).await, Some(1), "its creation, and one append");
}

#[tokio::test(flavor = "multi_thread")]
async fn repeats_in_different_batches_count_too() {
    let (_directory, lake) = lake();
    let batches = vec![batch(Kind::Flow, &[ONE, TWO]), batch(Kind::Flow, &[TWO, THREE])];
    let appended = lake.append(Kind::Flow, batches).await.unwrap();
    assert_eq!(appended, Appended { stored: 3, duplicates: 1 });
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_new_makes_no_commit() {
    let (directory, lake) = lake();
    assert_eq!(lake.append(Kind::Cost, vec![]).await.unwrap(), Appended::default());
    assert!(!directory.path().join("events").exists(), "an append of nothing creates nothing");
    append(&lake, &[ONE]).await;
    let before = version(&lake, Kind::Activity).await;
    append(&lake, &[ONE]).await;
    assert_eq!(version(&lake, Kind::Activity).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lake_opened_again_knows_its_events() {
    let (directory, lake) = lake();
    append(&lake, &[ONE, TWO]).await;
    drop(lake);
    let lake = Lake::in_directory(&directory.path().join("events")).unwrap();
    assert_eq!(append(&lake, &[TWO, THREE]).await, Appended { stored: 1, duplicates: 1 });
    assert_eq!(ids(&lake, Kind::Activity).await, [1, 2, 3]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_is_one_file_sorted_by_subscription_and_time() {
    let (_directory, lake) = lake();
    let late = Event(4, "sub-a", "2026-11-20T10:00:00Z");
    append(&lake, &[ONE, late, THREE, TWO]).await;
    let table = lake.describe().await.unwrap().remove(0);
    assert_eq!((table.rows, table.files), (4, 2));
    let rows = query(&lake, "select subscription_id, event_at from activity where day = '2026-11-20'").await;
    let expected = "\
+-----------------+----------------------+
| subscription_id | event_at             |
+-----------------+----------------------+
| sub-a           | 2026-11-20T09:00:00Z |
| sub-a           | 2026-11-20T10:00:00Z |
| sub-b           | 2026-11-20T08:00:00Z |
+-----------------+----------------------+";
    assert_eq!(rows, expected);
}

/// A good batch, and behind it one that is bad in the way named.
#[tokio::test(flavor = "multi_thread")]
async fn an_append_that_fails_changes_nothing() {
    let (_directory, lake) = lake();
    append(&lake, &[ONE]).await;
    let before = version(&lake, Kind::Activity).await;

    let good = batch(Kind::Activity, &[TWO]);
    let with = |column: usize, values: BinaryArray| {
        let mut columns = good.columns().to_vec();
        columns[column] = Arc::new(values);
        RecordBatch::try_new(good.schema(), columns).unwrap()
    };
    let wrong_day = {
        let mut columns = good.columns().to_vec();
        columns[0] = batch(Kind::Activity, &[THREE]).column(0).clone();
        RecordBatch::try_new(good.schema(), columns).unwrap()
    };
    let cases = [
        (batch(Kind::Cost, &[THREE]), "batch 1: 42 columns instead of 31"),
        (good.project(&(0..25).collect::<Vec<_>>()).unwrap(), "batch 1: 25 columns instead of 31"),
        (with(1, BinaryArray::from_iter_values([[7; 15]])), "row 1: 'event_id' has 15 bytes instead of 16"),
        (wrong_day, "row 1: 'day' is not the UTC day of 'event_at'"),
    ];
    for (bad, expected) in cases {
        let error = lake.append(Kind::Activity, vec![good.clone(), bad]).await.unwrap_err();
        assert!(matches!(error, LakeError::Malformed { .. }), "{error}");
        assert_eq!(error.to_string(), format!("malformed events of kind 'activity': {expected}"));
    }
    assert_eq!(version(&lake, Kind::Activity).await, before);
    assert_eq!(ids(&lake, Kind::Activity).await, [1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_of_something_else_is_left_alone() {
    let (directory, lake) = lake();
    let folder = directory.path().join("events/activity");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("holiday.jpg"), b"sand").unwrap();
    let error = lake.append(Kind::Activity, vec![batch(Kind::Activity, &[ONE])]).await.unwrap_err();
    assert!(matches!(&error, LakeError::NotATable { found, .. } if found == "holiday.jpg"), "{error}");
    assert!(!folder.join("_delta_log").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_storage_that_cannot_be_written_is_an_error() {
    let (directory, lake) = lake();
    std::fs::write(directory.path().join("events"), b"in the way").unwrap();
    let error = lake.append(Kind::Activity, vec![batch(Kind::Activity, &[ONE])]).await.unwrap_err();
    assert!(error.to_string().contains("/events/activity/"), "{error}");
}
