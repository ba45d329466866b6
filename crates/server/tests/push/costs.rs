//! Costs that come in several requests or pieces: detectors see all of a statement, and of one only.

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, SystemTime};

use chrono::{DateTime, TimeDelta, Utc};
use detect::{PublicationLag, Window};
use graph::auth::INGEST;
use ingest::schema::Kind;
use reqwest::StatusCode;
use server::app::detection::Events;
use server::app::following::Follower;
use server::app::intake::{Intake, Room};
use server::app::{CompactionOptions, keys, quarantine};
use server::config::Settings;
use sources::{Folder, Limits, Positions, Source as _};

use super::{CUSTOMER, Here, json_of};

const MANIFEST: &str = r#"
id = "costs"
version = 1
alert_type = "Test_Costs"
title = "Costs"
severity = "low"
confidence = "medium"
inputs = ["cost"]
lookback = "1d"
schedule = "5m"
overlap = "1h"
grouping = []
meaning = "There are costs."
response = ["Look."]
mitre = ["T1496"]
source = "made for this test"
"#;

const QUERY: &str = "
select
  subscription_id,
  min(event_at) as first_observed_at,
  max(event_at) as last_observed_at,
  array_agg(distinct resource_id) as resources,
  concat(cast(count(*) as varchar), ' lines, ', cast(sum(cost) as varchar)) as description
from cost
group by subscription_id
";

/// A line of usage on a day of February; `what` tells it from others.
fn usage(subscription: &str, day: u8, what: &str) -> String {
    format!(
        r#"{{"PartnerId":"p","CustomerId":"{CUSTOMER}","SubscriptionId":"plan","EntitlementId":"{subscription}","UsageDate":"2031-02-{day:02}T00:00:00Z","MeterId":"m-1","ResourceURI":"/subscriptions/{subscription}/resourceGroups/rg/providers/A/b/{what}","Quantity":1,"UnitType":"1 Hour","BillingPreTaxTotal":2.5,"BillingCurrency":"NOK"}}"#
    ) + "\n"
}

fn lines(subscription: &str, day: u8, count: usize, what: &str) -> String {
    (0..count).map(|n| usage(subscription, day, &format!("{what}{n}"))).collect()
}

/// A server with a detector that tells what it sees.
async fn here() -> Here {
    let folder = tempfile::tempdir().unwrap();
    let own = folder.path().join("detectors");
    fs::create_dir_all(own.join("costs/cases")).unwrap();
    fs::write(own.join("costs/detector.toml"), MANIFEST).unwrap();
    fs::write(own.join("costs/query.sql"), QUERY).unwrap();
    Here::in_folder(folder, Settings { detector_folders: vec![own], ..Settings::default() }).await
}

/// What the detector sees of each subscription, in order.
async fn seen(here: &Here) -> Vec<String> {
    let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
    let window = Window {
        since: at("2031-02-01T00:00:00Z"),
        until: at("2031-03-01T00:00:00Z"),
        lag: PublicationLag::default(),
    };
    let detector = here.instance.detectors.iter().find(|detector| detector.manifest.id == "costs").unwrap();
    let findings = Events::of(&here.instance).findings(detector, &window).await.unwrap();
    let mut seen: Vec<String> =
        findings.iter().map(|one| format!("{}: {}", one.subscription_id, one.description)).collect();
    seen.sort();
    seen
}

/// Merges files and removes what was superseded, as the server does after a week.
async fn a_week_later(here: &Here) {
    let options =
        CompactionOptions { superseded_share: 0.0, small_files_max: 1, ..CompactionOptions::default() };
    here.instance.lake.compact(Kind::Cost, &options, Utc::now() + TimeDelta::days(8)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_that_name_a_statement_count_together_and_others_replace_each_other() {
    let here = here().await;
    let may = "cost?statement=run-1";
    assert_eq!(here.push(&format!("{may}&part=1"), lines("s-1", 2, 3, "a")).await, (3, 0, 0));
    assert_eq!(here.push(&format!("{may}&part=2"), lines("s-1", 2, 2, "b")).await, (2, 0, 0));
    assert_eq!(seen(&here).await, ["s-1: 5 lines, 12.5"]);
    assert_eq!(here.push(&format!("{may}&part=2"), lines("s-1", 2, 2, "b")).await, (0, 2, 0), "sent again");
    // Without a number, a part is known by its content: equal lines in one part are separate charges.
    let two_alike = usage("s-1", 2, "c").repeat(2);
    assert_eq!(here.push(may, two_alike.clone()).await, (2, 0, 0));
    assert_eq!(here.push(may, two_alike).await, (0, 2, 0));
    assert_eq!(seen(&here).await, ["s-1: 7 lines, 17.5"]);
    a_week_later(&here).await;
    assert_eq!(seen(&here).await, ["s-1: 7 lines, 17.5"]);

    // The next run states the same day anew.
    here.push("cost?statement=run-2&part=1", lines("s-1", 2, 1, "a")).await;
    assert_eq!(seen(&here).await, ["s-1: 1 lines, 2.5"]);
    // A statement that was made earlier and comes later does not count.
    here.push("cost?statement=run-0&stated=2021-02-01T00:00:00Z", lines("s-1", 2, 4, "a")).await;
    assert_eq!(seen(&here).await, ["s-1: 1 lines, 2.5"]);
    // A request that names none is a whole statement.
    here.push("cost", lines("s-1", 2, 2, "x")).await;
    here.push("cost", lines("s-1", 2, 3, "y")).await;
    assert_eq!(seen(&here).await, ["s-1: 3 lines, 7.5"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn options_that_a_push_does_not_have_are_refused() {
    let here = here().await;
    let token = here.token(INGEST, None);
    for (kind, reason) in [
        ("cost?statment=a", "unknown field `statment`"),
        ("cost?part=1", "belong to a statement"),
        ("cost?statement=a&part=x", "'x' is none"),
        ("cost?statement=a&stated=2031-02-01T00:00:00Z", "lies in the future"),
        ("activity?statement=a", "is for costs"),
    ] {
        let (status, message) = here.refused(&token, kind, usage("s-1", 2, "a")).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{kind}");
        assert!(message.contains(reason), "{kind}: {message}");
    }
    assert_eq!(here.count().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn statements_of_two_customers_keys_are_two() {
    let here = here().await;
    for (customer, subscription) in [(CUSTOMER, "s-1"), (super::OTHER, "s-2")] {
        let (partner, now) = (&here.instance.partner, Utc::now());
        let (key, secret) = keys::new_key(partner, customer.parse().unwrap(), &[], None, now, None);
        here.instance.store.add_ingest_key(&here.instance.scope(), &key, &keys::hash(&secret)).await.unwrap();
        let body = usage(subscription, 2, "a").replace(CUSTOMER, customer);
        let reply = here.post(&secret, "cost?statement=daily&part=1", body).await;
        assert_eq!(json_of(reply).await["stored"], 1, "{customer}");
    }
    assert_eq!(seen(&here).await, ["s-1: 1 lines, 2.5", "s-2: 1 lines, 2.5"]);
}

/// A folder that is followed by hand, so that a test may stop between any two steps.
struct Followed {
    folder: tempfile::TempDir,
    source: Folder,
    saved: Positions,
    follower: Follower,
    clock: SystemTime,
}

impl Followed {
    fn new(here: &Here) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (intake, _) = Intake::open(here.instance.clone());
        let follower = Follower {
            instance: here.instance.clone(),
            intake,
            room: Room::new(1 << 20),
            tally: Default::default(),
        };
        let clock = SystemTime::UNIX_EPOCH + Duration::from_secs(1_600_000_000);
        Self { source: Self::open(folder.path()), folder, saved: Positions::new(), follower, clock }
    }

    /// A few lines make a piece.
    fn open(folder: &Path) -> Folder {
        let limits = Limits { piece_bytes: 1024, batch_bytes: 2048 };
        Folder::new(folder.to_owned(), Duration::ZERO, Duration::ZERO, limits)
    }

    fn append(&mut self, name: &str, text: &str) {
        let path = self.folder.path().join(name);
        let mut file = OpenOptions::new().append(true).create(true).open(path).unwrap();
        file.write_all(text.as_bytes()).unwrap();
        self.touch(&file);
    }

    fn replace(&mut self, name: &str, text: &str) {
        let path = self.folder.path().join(name);
        fs::write(&path, text).unwrap();
        self.touch(&File::options().append(true).open(path).unwrap());
    }

    /// Each change has a time of its own.
    fn touch(&mut self, file: &File) {
        self.clock += Duration::from_secs(1);
        file.set_modified(self.clock).unwrap();
    }

    /// Takes in what there is; gives how many pieces that were. After `dying_after` of them the program dies, before the
    /// position of the last is known to it, and another takes its place.
    async fn take_in(&mut self, dying_after: Option<usize>) -> usize {
        let mut pieces = 0;
        loop {
            let batch = self.source.poll(&self.saved).await.unwrap();
            self.follower.take_in("usage", &batch).await.unwrap();
            pieces += batch.deliveries.len();
            if dying_after.is_some_and(|last| pieces >= last) {
                self.source = Self::open(self.folder.path());
                return pieces;
            }
            let more = batch.more;
            self.saved.extend(batch.deliveries.into_iter().map(|one| (one.key, one.position)));
            if !more {
                return pieces;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_usage_file_in_pieces_is_one_statement_however_often_a_piece_comes() {
    let here = here().await;
    let mut followed = Followed::new(&here);
    followed.append("usage.jsonl", &lines("s-1", 2, 10, "a"));
    // Three lines make a piece, so that the fourth has one, and is taken in and not saved.
    assert_eq!(followed.take_in(Some(4)).await, 4);
    assert_eq!(here.count().await, 10);
    // It grows before the next look, so that the piece that comes again is a longer one.
    followed.append("usage.jsonl", &lines("s-1", 2, 4, "b"));
    assert_eq!(followed.take_in(None).await, 2);
    assert_eq!(seen(&here).await, ["s-1: 14 lines, 35.0"]);
    assert_eq!(here.count().await, 14, "each is stored once");

    // A file that is still being written when its first lines are read.
    followed.append("usage.jsonl", &lines("s-1", 2, 2, "c"));
    followed.take_in(None).await;
    assert_eq!(seen(&here).await, ["s-1: 16 lines, 40.0"]);
    a_week_later(&here).await;
    assert_eq!(seen(&here).await, ["s-1: 16 lines, 40.0"]);

    // Another file in its place states the days anew.
    followed.replace("usage.jsonl", &lines("s-1", 2, 5, "n"));
    assert!(followed.take_in(None).await > 1);
    assert_eq!(seen(&here).await, ["s-1: 5 lines, 12.5"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_whose_first_piece_comes_twice_is_one_statement() {
    let here = here().await;
    let mut followed = Followed::new(&here);
    followed.append("usage.jsonl", &lines("s-1", 2, 2, "a"));
    followed.take_in(Some(1)).await;
    assert_eq!(here.count().await, 2);
    followed.take_in(Some(1)).await;
    assert_eq!(here.count().await, 2, "the same again");
    // Grown since, it is another state of the file, which replaces what was not known to be begun.
    followed.append("usage.jsonl", &lines("s-1", 2, 8, "b"));
    followed.take_in(None).await;
    assert_eq!(seen(&here).await, ["s-1: 10 lines, 25.0"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_rejected_of_a_piece_is_read_again_with_the_piece() {
    let here = here().await;
    let mut followed = Followed::new(&here);
    // As long as the others, so that they can be counted.
    let odd = usage("s-1", 2, "od").replace("2031-02-02T00:00:00Z", "some day, not before");
    followed.append("usage.jsonl", &(lines("s-1", 2, 6, "a") + &odd + &lines("s-1", 2, 1, "b")));
    assert!(followed.take_in(None).await > 2);
    assert_eq!(seen(&here).await, ["s-1: 7 lines, 17.5"]);
    let kept = || {
        let files = ingest::quarantine_files(&here.instance.data_dir.quarantine()).unwrap();
        assert_eq!(files.len(), 1);
        let kept: Vec<_> = ingest::read_quarantine(&files[0]).unwrap().map(Result::unwrap).collect();
        assert_eq!(kept.len(), 1);
        (files[0].clone(), kept[0].clone())
    };
    let retry = async |expected: (u64, u64, u64)| {
        let report = quarantine::retry(here.instance.clone(), vec![kept().0], Utc::now(), Default::default())
            .await
            .unwrap();
        assert_eq!((report.stored(), report.duplicates(), report.quarantined), expected);
    };
    let before = kept().1;
    assert_eq!((before.line, before.file.file_name().unwrap()), (7, "usage.jsonl".as_ref()));
    // The file has grown since, and its piece is as it was: all of it is known, but for what is rejected again.
    followed.append("usage.jsonl", &lines("s-1", 2, 3, "c"));
    followed.take_in(None).await;
    let in_the_piece = before.piece.as_ref().unwrap().bytes / usage("s-1", 2, "a1").len() as u64;
    retry((0, in_the_piece - 1, 1)).await;
    assert_eq!(kept().1, before);
    assert_eq!(seen(&here).await, ["s-1: 10 lines, 25.0"], "the piece is in the statement that it was in");

    // Another file in its place says nothing of it.
    followed.replace("usage.jsonl", &lines("s-1", 2, 9, "n"));
    retry((0, 0, 1)).await;
    assert_eq!(kept().1, before);
}
