//! Inputs that are large: read on several threads, and within bounded memory.

#![expect(clippy::unwrap_used, reason = "tests; clippy excuses only the bodies of test functions")]

mod rows;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use ingest::schema::Kind;
use ingest::{IngestError, Item, Reading, Stop, read_bytes};
use rows::{arrival, read};

/// More than any thread is given at once, so that several have some.
const LINES: usize = 10_000;

/// A cost export of which each line has its own quantity; `spoilt` lines have none that is a number.
fn costs(lines: usize, spoilt: impl Fn(usize) -> bool) -> String {
    let mut text = "SubscriptionId,Date,Quantity,MeterName\n".to_owned();
    for line in 0..lines {
        let quantity = if spoilt(line) { "many".to_owned() } else { line.to_string() };
        writeln!(text, "s-{},2031-02-03,{quantity},\"a meter\"", line % 7).unwrap();
    }
    text
}

#[test]
fn lines_keep_their_place_whoever_reads_them() {
    let spoilt = |line| line % 1000 == 999;
    let text = costs(LINES, spoilt);
    let outcome = read(text.as_bytes());
    assert_eq!(outcome.summary.read, LINES as u64);
    let ids: BTreeMap<u64, u128> = outcome
        .rows(Kind::Cost)
        .iter()
        .map(|row| {
            let id = u128::from_str_radix(row["event_id"].as_str().unwrap(), 16).unwrap();
            (row["quantity"].as_f64().unwrap() as u64, id)
        })
        .collect();
    assert_eq!(ids.len(), LINES - LINES / 1000);
    let first = ids[&0];
    for (line, id) in &ids {
        assert_eq!(id.wrapping_sub(first), u128::from(*line), "the id of line {line} says where it stands");
    }
    let mut rejected: Vec<u64> = outcome.rejected.iter().map(|rejected| rejected.line).collect();
    rejected.sort_unstable();
    // Lines count from 1, and the first is the header.
    let expected: Vec<u64> = (0..LINES).filter(|line| spoilt(*line)).map(|line| line as u64 + 2).collect();
    assert_eq!(rejected, expected);
}

#[test]
fn what_cannot_be_read_on_is_told_after_the_lines_before() {
    let text = costs(LINES, |_| false) + "s-1,2031-02-03,\"" + &"x".repeat(3 << 20);
    let outcome = read(text.as_bytes());
    assert_eq!(outcome.summary.rows(Kind::Cost), LINES as u64);
    let [reason] = &outcome.reasons()[..] else { panic!("{:?}", outcome.reasons()) };
    assert!(reason.contains("a line is longer than 1 MiB"), "{reason}");
}

#[test]
fn a_sink_that_wants_no_more_ends_the_reading() {
    let partner = "partner-1".parse().unwrap();
    let reading = Reading::new(&partner, arrival(), 10);
    for wanted in [0, 1, 100] {
        let mut given = 0;
        let stopped = read_bytes("input", costs(LINES, |_| false).as_bytes(), &reading, &mut |_| {
            given += 1;
            if given > wanted { Err(Stop("enough".into())) } else { Ok(()) }
        });
        assert!(matches!(stopped, Err(IngestError::Stopped(cause)) if cause.to_string() == "enough"));
        assert_eq!(given, wanted + 1, "asked once more, and not again");
    }
}

/// Lines of an activity log, some of them damaged, then usage: more than one thread reads of either.
fn mixed_lines() -> String {
    let mut text = String::new();
    for number in 0..LINES {
        if number % 1000 == 999 {
            writeln!(text, "damaged {number}").unwrap();
        } else {
            writeln!(
                text,
                r#"{{"time":"2031-02-03T04:05:06Z","operationName":"A/B/WRITE","category":"Administrative","correlationId":"{number}","resourceId":"/subscriptions/s/resourceGroups/rg-{number}"}}"#
            )
            .unwrap();
        }
    }
    for number in 0..LINES {
        writeln!(
            text,
            r#"{{"UsageDate":"2031-02-03T00:00:00Z","EntitlementId":"s-1","BillingPreTaxTotal":1,"Quantity":{number},"SubscriptionId":"x"}}"#
        )
        .unwrap();
    }
    text
}

#[test]
fn records_of_a_large_stream_come_out_once_each_and_the_same_again() {
    let text = mixed_lines();
    let seen = || {
        let outcome = read(text.as_bytes());
        assert_eq!(outcome.summary.read, 2 * LINES as u64);
        let mut rejected: Vec<u64> = outcome.rejected.iter().map(|rejected| rejected.line).collect();
        rejected.sort_unstable();
        let expected: Vec<u64> = (1..=LINES as u64).filter(|line| line % 1000 == 0).collect();
        assert_eq!(rejected, expected);
        let ids = |kind, key: &str| -> BTreeMap<String, String> {
            let rows = outcome.rows(kind);
            let pairs = rows.iter().map(|row| (row[key].to_string(), row["event_id"].to_string()));
            pairs.collect()
        };
        (ids(Kind::Activity, "correlation_id"), ids(Kind::Cost, "quantity"))
    };
    let (activity, cost) = seen();
    assert_eq!((activity.len(), cost.len()), (LINES - LINES / 1000, LINES));
    for ids in [&activity, &cost] {
        assert_eq!(ids.values().collect::<std::collections::BTreeSet<_>>().len(), ids.len(), "ids differ");
    }
    assert_eq!(seen(), (activity, cost), "ids are the same whichever thread reads them");
}

#[test]
fn batches_of_large_records_are_passed_on_early() {
    let reply = "x".repeat(1 << 20);
    let mut text = String::new();
    for number in 0..100 {
        writeln!(
            text,
            r#"{{"time":"2031-02-03T04:05:06Z","operationName":"A/B/WRITE","category":"Administrative","correlationId":"{number}","resourceId":"/subscriptions/s","properties":{{"reply":"{reply}"}}}}"#
        )
        .unwrap();
    }
    let partner = "partner-1".parse().unwrap();
    let reading = Reading::new(&partner, arrival(), 1_000_000);
    let mut batches = Vec::new();
    let summary = read_bytes("input", text.as_bytes(), &reading, &mut |item| {
        match item {
            Item::Batch(batch) => batches.push(batch.rows.num_rows()),
            Item::Rejected(rejected) => panic!("{rejected:?}"),
        }
        Ok(())
    })
    .unwrap();
    assert_eq!(summary.rows(Kind::Activity), 100);
    assert_eq!(batches.iter().sum::<usize>(), 100);
    assert!(batches.iter().all(|rows| *rows <= 64), "64 MiB of records make a batch: {batches:?}");
}
