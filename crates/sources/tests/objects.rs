//! Containers of objects, on a store in memory.
#![allow(clippy::unwrap_used, reason = "tests; clippy excuses only the bodies of test functions")]

mod support;

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use proptest::prelude::*;
use sources::{Limits, Objects, ObjectsOptions, Source};
use support::Caller;

const SMALL: Limits = Limits { piece_bytes: 64, batch_bytes: 128 };
static NOW: LazyLock<DateTime<Utc>> = LazyLock::new(|| "2031-02-03T04:05:06Z".parse().unwrap());

struct Fixture {
    store: Arc<InMemory>,
    source: Objects,
    caller: Caller,
    /// Seconds since [`NOW`].
    clock: Arc<AtomicI64>,
    limits: Limits,
    since: Option<DateTime<Utc>>,
    texts: HashMap<String, String>,
}

impl Fixture {
    fn new(limits: Limits, since: Option<DateTime<Utc>>) -> Self {
        let store = Arc::new(InMemory::new());
        let clock = Arc::new(AtomicI64::new(0));
        let source = open(&store, &clock, limits, since);
        Self { store, source, caller: Caller::default(), clock, limits, since, texts: HashMap::new() }
    }

    fn usual() -> Self {
        Self::new(Limits::default(), None)
    }

    fn restart(&mut self) {
        self.source = open(&self.store, &self.clock, self.limits, self.since);
    }

    fn pass(&mut self, time: TimeDelta) {
        self.clock.fetch_add(time.num_seconds(), Ordering::Relaxed);
    }

    async fn write(&mut self, key: &str, text: &str) {
        self.store.put(&Path::parse(key).unwrap(), text.to_owned().into()).await.unwrap();
        self.texts.insert(key.to_owned(), text.to_owned());
    }

    async fn append(&mut self, key: &str, text: &str) {
        let whole = self.texts.get(key).cloned().unwrap_or_default() + text;
        self.write(key, &whole).await;
    }

    async fn delete(&mut self, key: &str) {
        let _ = self.store.delete(&Path::parse(key).unwrap()).await;
        self.texts.remove(key);
    }

    async fn drain(&mut self) -> Vec<String> {
        self.caller.drain(&mut self.source).await.unwrap()
    }
}

fn open(
    store: &Arc<InMemory>,
    clock: &Arc<AtomicI64>,
    limits: Limits,
    since: Option<DateTime<Utc>>,
) -> Objects {
    let options = ObjectsOptions {
        prefix: String::new(),
        every: Duration::ZERO,
        lookback: TimeDelta::hours(48),
        since,
    };
    let clock = Arc::clone(clock);
    let now = move || *NOW + TimeDelta::seconds(clock.load(Ordering::Relaxed));
    Objects::new(Arc::clone(store) as Arc<dyn ObjectStore>, "container test", options, limits, now)
}

/// The blob of a subscription for the hour that lies so many hours back.
fn blob(subscription: &str, hours_ago: i64) -> String {
    let hour = *NOW - TimeDelta::hours(hours_ago);
    format!("resourceId=/SUBSCRIPTIONS/{subscription}/{}/PT1H.json", hour.format("y=%Y/m=%m/d=%d/h=%H/m=00"))
        .replace("=/", "=x/")
}

#[tokio::test]
async fn append_blobs_are_read_from_where_they_were_left() {
    let mut it = Fixture::usual();
    it.write(&blob("A", 0), "{\"n\":1}\n{\"n\"").await;
    assert_eq!(it.drain().await, ["{\"n\":1}\n"]);
    assert_eq!(it.drain().await, [""; 0]);
    it.append(&blob("A", 0), ":2}\n").await;
    it.restart();
    assert_eq!(it.drain().await, ["{\"n\":2}\n"]);
    assert_eq!(it.drain().await, [""; 0]);
}

#[tokio::test]
async fn flow_logs_and_other_objects_come_whole_when_they_changed() {
    let mut it = Fixture::usual();
    let flow = blob("A", 1).replace("m=00/", "m=00/macAddress=00224871C205/");
    it.write(&flow, "{\"records\":[{\"n\":1}]}").await;
    it.write("usage/daily.csv.gz", "not gzip, and nobody here cares").await;
    assert_eq!(it.drain().await.len(), 2);
    it.write(&flow, "{\"records\":[{\"n\":1},{\"n\":2}]}").await;
    assert_eq!(it.drain().await, ["{\"records\":[{\"n\":1},{\"n\":2}]}"]);
}

#[tokio::test]
async fn large_objects_come_in_pieces_or_through_files() {
    let mut it = Fixture::new(SMALL, None);
    let lines: Vec<String> = (0..40).map(|n| format!("{{\"n\":{n}}}")).collect();
    it.write(&blob("A", 0), &(lines.join("\n") + "\n")).await;
    let csv = "a,b\n".repeat(1000);
    it.write("cost.csv", &csv).await;
    let long = format!("{{\"text\":\"{}\"}}\n{{\"n\":1}}\n", "x".repeat(5000));
    it.write("z/long.jsonl", &("{\"n\":0}\n".to_owned() + &long)).await;
    it.drain().await;
    let of = |key: &str| -> String {
        it.caller.taken.iter().filter(|(taken, _)| taken == key).map(|(_, text)| text.as_str()).collect()
    };
    assert_eq!(of(&blob("A", 0)).lines().collect::<Vec<_>>(), lines);
    assert_eq!(of("cost.csv"), csv);
    assert_eq!(of("z/long.jsonl"), "{\"n\":0}\n".to_owned() + &long);
}

#[tokio::test]
async fn the_first_run_begins_with_the_lookback_or_where_it_is_told() {
    let since = *NOW - TimeDelta::days(10);
    for (since, expected) in [(None, 2), (Some(since), 3)] {
        let mut it = Fixture::new(Limits::default(), since);
        for hours in [1, 47, 9 * 24, 11 * 24] {
            it.write(&blob("A", hours), "{\"n\":1}\n").await;
        }
        assert_eq!(it.drain().await.len(), expected, "{since:?}");
    }
}

#[tokio::test]
async fn after_a_pause_of_days_nothing_in_between_is_missed() {
    let mut it = Fixture::usual();
    it.write(&blob("A", 1), "{\"n\":1}\n").await;
    it.drain().await;
    // Five days ahead: written while nobody was reading.
    it.write(&blob("A", -10), "{\"n\":2}\n").await;
    it.pass(TimeDelta::days(5));
    it.restart();
    assert_eq!(it.drain().await, ["{\"n\":2}\n"]);
    // And what is older than the lookback is forgotten then, with the next hour's listing.
    it.restart();
    it.drain().await;
    assert_eq!(it.caller.saved.keys().collect::<Vec<_>>(), ["//cursor"]);
}

#[tokio::test]
async fn history_is_not_walked() {
    let mut it = Fixture::usual();
    for subscription in ["A", "B", "C"] {
        for days in 0..100 {
            it.write(&blob(subscription, days * 24), "{\"n\":1}\n").await;
        }
    }
    // Of today, yesterday and the day before.
    assert_eq!(it.drain().await.len(), 3 * 3);
    // Looking for folders: the container, resourceId=x, SUBSCRIPTIONS, three subscriptions. Then three days of each.
    assert_eq!(it.source.list_calls(), 6 + 3 * 3);
    assert_eq!(it.drain().await, [""; 0]);
    assert_eq!(it.source.list_calls(), 15 + 6 + 3, "then only today's");
}

#[tokio::test]
async fn parts_of_a_cost_export_wait_for_their_manifest() {
    let mut it = Fixture::usual();
    let run = "exports/daily/20310201-20310228/0f0e0d0c-0000-4000-8000-000000000001";
    it.write(&format!("{run}/part_0_0001.csv"), "a\n1\n").await;
    it.write(&format!("{run}/part_1_0001.csv"), "a\n2\n").await;
    // The store's clock is the real one; ours stands just before it.
    let behind = Utc::now() - *NOW;
    it.pass(behind);
    assert_eq!(it.drain().await, [""; 0]);
    it.write(&format!("{run}/manifest.json"), "{}").await;
    assert_eq!(it.drain().await, ["a\n1\n", "a\n2\n"]);
    // Overwritten in place: the manifest is older than the part, until it is written again.
    tokio::time::sleep(Duration::from_millis(5)).await;
    it.write(&format!("{run}/part_0_0001.csv"), "a\n3\n").await;
    assert_eq!(it.drain().await, [""; 0]);
    it.write(&format!("{run}/manifest.json"), "{}").await;
    assert_eq!(it.drain().await, ["a\n3\n"]);
    // A copy without its manifest is taken after some hours.
    it.write("copied/part_0_0001.csv", "a\n4\n").await;
    assert_eq!(it.drain().await, [""; 0]);
    it.pass(TimeDelta::hours(7));
    assert_eq!(it.drain().await, ["a\n4\n"]);
}

#[tokio::test]
async fn what_a_manifest_lists_comes_with_its_text() {
    let mut it = Fixture::usual();
    it.write("exports/run/part_0_0001.csv", "a\n1\n").await;
    it.write("exports/run/part_1_0001.csv", "a\n2\n").await;
    it.write("exports/run/manifest.json", "{\"n\":1}").await;
    it.write("usage/_manifest.json", "{\"n\":2}\n").await;
    it.write("usage/deep/part-00000.json.gz", "not gzip, and nobody here cares").await;
    it.write("large/manifest.json", &" ".repeat(5 << 20)).await;
    it.write("large/x.csv", "a\n3\n").await;
    it.write("alone.csv", "a\n4\n").await;
    it.write(&blob("A", 0), "{\"n\":1}\n").await;
    it.drain().await;
    let of = |key: &str| {
        let found = it.caller.manifests.iter().find(|(found, _)| found == key).unwrap();
        found.1.as_ref().map(|(text, part)| (text.as_str(), part.as_str()))
    };
    assert_eq!(of("exports/run/part_0_0001.csv"), Some(("{\"n\":1}", "part_0_0001.csv")));
    assert_eq!(of("exports/run/part_1_0001.csv"), Some(("{\"n\":1}", "part_1_0001.csv")));
    assert_eq!(of("usage/deep/part-00000.json.gz"), Some(("{\"n\":2}\n", "deep/part-00000.json.gz")));
    for key in ["large/x.csv", "alone.csv", &blob("A", 0)] {
        assert_eq!(of(key), None, "{key}");
    }
    let notices = &it.caller.notices;
    assert!(notices.iter().any(|notice| notice.contains("large/manifest.json is not used")), "{notices:?}");
}

/// Which deliveries come again as a whole, and which are pieces of what does not come again.
#[tokio::test]
async fn deliveries_say_whether_they_are_whole() {
    let mut it = Fixture::new(SMALL, None);
    let lines = "{\"n\":1}\n".repeat(20);
    it.write("a/lines.jsonl", &lines).await;
    it.write("b/one.json", "{\n \"n\": 1\n}\n").await;
    it.write("c/cost.csv", &"a,b\n".repeat(50)).await;
    let mut whole = std::collections::BTreeMap::new();
    loop {
        let batch = it.source.poll(&it.caller.saved).await.unwrap();
        for delivery in &batch.deliveries {
            whole.insert(delivery.key.clone(), delivery.is_whole);
        }
        let more = batch.more;
        it.caller.take(batch);
        if !more {
            break;
        }
    }
    let expected = [("a/lines.jsonl", false), ("b/one.json", true), ("c/cost.csv", true)];
    assert_eq!(whole, expected.map(|(key, is_whole)| (key.to_owned(), is_whole)).into());
}

#[tokio::test]
async fn objects_that_are_gone_are_forgotten() {
    let mut it = Fixture::usual();
    it.write("a.csv", "1\n").await;
    it.write("b.csv", "1\n").await;
    it.drain().await;
    it.delete("a.csv").await;
    it.drain().await;
    assert_eq!(it.caller.saved.keys().collect::<Vec<_>>(), ["//cursor", "b.csv"]);
}

#[tokio::test]
async fn what_was_not_saved_comes_again() {
    let mut it = Fixture::usual();
    it.write(&blob("A", 0), "{\"n\":1}\n").await;
    it.write("a.csv", "1\n").await;
    for _ in 0..3 {
        let batch = it.source.poll(&it.caller.saved).await.unwrap();
        assert_eq!(batch.deliveries.len(), 2);
    }
}

/// What somebody does to the objects.
#[derive(Debug, Clone)]
enum Step {
    Grow {
        object: usize,
        records: usize,
    },
    Rewrite {
        object: usize,
    },
    Delete {
        object: usize,
    },
    Poll,
    /// The program dies with a batch taken in and its positions not saved.
    Crash,
    /// A batch could not be committed; the program goes on.
    Fail,
    Hours(i64),
}

fn steps(with_trouble: bool) -> impl Strategy<Value = Vec<Step>> {
    let grow = (0..4usize, 1..6usize).prop_map(|(object, records)| Step::Grow { object, records });
    let step = if with_trouble {
        prop_oneof![
            4 => grow,
            1 => (0..4usize).prop_map(|object| Step::Rewrite { object }),
            1 => (0..4usize).prop_map(|object| Step::Delete { object }),
            4 => Just(Step::Poll),
            2 => Just(Step::Crash),
            2 => Just(Step::Fail),
            1 => (1..12i64).prop_map(Step::Hours),
        ]
        .boxed()
    } else {
        prop_oneof![3 => grow, 2 => Just(Step::Poll)].boxed()
    };
    prop::collection::vec(step, 1..30)
}

async fn play(steps: Vec<Step>) -> (Vec<String>, Vec<String>) {
    let mut it = Fixture::new(SMALL, None);
    let keys = [blob("A", 0), blob("A", 3), blob("B", 20), "other/log.jsonl".to_owned()];
    let mut written = Vec::new();
    let mut number = 0;
    let mut record = || {
        number += 1;
        format!("{{\"record\":{number}}}")
    };
    for step in steps {
        match step {
            Step::Grow { object, records } => {
                let records: Vec<String> = (0..records).map(|_| record()).collect();
                it.append(&keys[object], &(records.join("\n") + "\n")).await;
                written.extend(records);
            }
            Step::Rewrite { object } => {
                // Nobody is owed what was lost before it was read. A new reader looks at everything.
                it.restart();
                it.drain().await;
                let record = record();
                it.write(&keys[object], &format!("{record}\n")).await;
                written.push(record);
            }
            Step::Delete { object } => {
                it.restart();
                it.drain().await;
                it.delete(&keys[object]).await;
            }
            Step::Poll => {
                it.drain().await;
            }
            Step::Crash => {
                let batch = it.source.poll(&it.caller.saved).await.unwrap();
                it.caller.read(&batch);
                it.restart();
            }
            Step::Fail => {
                let batch = it.source.poll(&it.caller.saved).await.unwrap();
                it.caller.read(&batch);
            }
            Step::Hours(hours) => it.pass(TimeDelta::hours(hours).min(TimeDelta::hours(1))),
        }
    }
    // What is written about earlier hours is found by the listing of each hour, which a restart brings forward.
    it.restart();
    it.drain().await;
    (written, it.caller.lines().into_iter().map(str::to_owned).collect())
}

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(future)
}

fn sorted(mut lines: Vec<String>) -> Vec<String> {
    lines.sort();
    lines
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_every_record_comes_at_least_once(steps in steps(true)) {
        let (written, delivered) = run(play(steps));
        for record in &written {
            prop_assert!(delivered.contains(record), "{record} is missing");
        }
    }

    #[test]
    fn without_trouble_growth_comes_exactly_once(steps in steps(false)) {
        let (written, delivered) = run(play(steps));
        prop_assert_eq!(sorted(written), sorted(delivered));
    }
}
