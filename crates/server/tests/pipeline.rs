//! From files to alerts, without HTTP: taking records in, running detectors, the scheduler.
#![expect(clippy::unwrap_used, reason = "tests; clippy excuses only the bodies of test functions")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use alerts::{ResolvedReason, Status, StatusChange};
use chrono::{DateTime, TimeDelta, Utc};
use ingest::Kept;
use server::app::detection::{self, Clock, DetectionReport, Period};
use server::app::ingestion::{self, IngestReport};
use server::app::{self, Instance};
use server::config::{DataDir, Settings};
use server::{ServeOptions, Server};

#[path = "pipeline/counted.rs"]
mod counted;
#[path = "pipeline/delivered.rs"]
mod delivered;
#[path = "pipeline/looked_back.rs"]
mod looked_back;
#[path = "pipeline/money.rs"]
mod money;

const SUBSCRIPTION: &str = "0f0e0d0c-0000-4000-8000-000000000001";
const CUSTOMER: &str = "0f0e0d0c-3333-4000-8000-00000000000c";

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn stamp(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
}

/// One deletion of a machine, as the activity log exports it.
fn deletion(time: &str, machine: &str) -> String {
    format!(
        r#"{{"time":"{time}","resourceId":"/SUBSCRIPTIONS/{SUBSCRIPTION}/RESOURCEGROUPS/RG/PROVIDERS/MICROSOFT.COMPUTE/VIRTUALMACHINES/{machine}","operationName":"MICROSOFT.COMPUTE/VIRTUALMACHINES/DELETE","category":"Administrative","resultType":"Success","callerIpAddress":"203.0.113.9","correlationId":"{machine}","tenantId":"{CUSTOMER}","identity":{{"claims":{{"appid":"a"}}}}}}"#
    )
}

const MANIFEST: &str = r#"
id = "deletions"
version = 1
alert_type = "Test_Deletions"
title = "Machines deleted"
severity = "low"
confidence = "medium"
inputs = ["activity"]
lookback = "1d"
schedule = "5m"
overlap = "1h"
grouping = []
meaning = "Machines were deleted."
response = ["Look."]
mitre = ["T1485"]
source = "made for this test"
"#;

const QUERY: &str = "
select
  subscription_id,
  date_trunc('hour', event_at) as hour,
  min(event_at) as first_observed_at,
  max(event_at) as last_observed_at,
  array_agg(resource_id order by resource_id) as resources,
  concat(cast(count(*) as varchar), ' machines deleted') as description
from activity
where operation = 'microsoft.compute/virtualmachines/delete'
group by subscription_id, date_trunc('hour', event_at)
";

async fn open(folder: &Path) -> Arc<Instance> {
    let settings = Settings { detector_folders: vec![folder.join("detectors")], ..Settings::default() };
    Arc::new(Instance::open(DataDir::new(folder.join("data")), &settings).await.unwrap())
}

/// An installation with the detectors of this test beside the built-in ones.
struct Installation {
    folder: tempfile::TempDir,
    instance: Arc<Instance>,
}

impl Installation {
    /// `detectors` are names and queries.
    async fn new(detectors: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let own = folder.path().join("detectors");
        fs::create_dir_all(&own).unwrap();
        for (name, query) in detectors {
            let detector = own.join(name);
            fs::create_dir_all(detector.join("cases")).unwrap();
            fs::write(
                detector.join("detector.toml"),
                MANIFEST.replace("\"deletions\"", &format!("\"{name}\"")),
            )
            .unwrap();
            fs::write(detector.join("query.sql"), query).unwrap();
        }
        Self { instance: open(folder.path()).await, folder }
    }

    /// The same after its detectors were changed.
    async fn opened_again(self) -> Self {
        Self { instance: open(self.folder.path()).await, folder: self.folder }
    }

    fn write(&self, name: &str, lines: &[String]) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::write(&path, lines.join("\n") + "\n").unwrap();
        path
    }

    async fn take_in(&self, path: &Path) -> IngestReport {
        let files = ingest::discover(&[path.to_owned()]).unwrap();
        let progress = Arc::new(AtomicU64::new(0));
        ingestion::ingest(self.instance.clone(), files, Utc::now(), progress).await.unwrap()
    }

    async fn detect(&self, now: DateTime<Utc>) -> DetectionReport {
        detection::detect(&self.instance, Period::default(), Clock::Real, now).await.unwrap()
    }
}

fn counts(report: &IngestReport) -> (u64, u64, u64, u64) {
    (report.read, report.stored(), report.duplicates(), report.quarantined)
}

/// The quarantine: path and lines of each file.
fn quarantine(here: &Installation) -> Vec<(PathBuf, Vec<Kept>)> {
    let files = ingest::quarantine_files(&here.instance.data_dir.quarantine()).unwrap();
    let lines = |path: &PathBuf| ingest::read_quarantine(path).unwrap().map(Result::unwrap).collect();
    files.into_iter().map(|path| (path.clone(), lines(&path))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_rejected_is_read_again_after_a_mend_and_nothing_is_lost() {
    let here = Installation::new(&[]).await;
    let retry = async || {
        let files = quarantine(&here).into_iter().map(|(path, _)| path).collect();
        counts(
            &app::quarantine::retry(here.instance.clone(), files, Utc::now(), Default::default())
                .await
                .unwrap(),
        )
    };
    let good = deletion("2026-10-01T10:00:00Z", "VM1");
    let (odd, hopeless) = (good.replace("2026-10-01", "0001-01-01"), "{\"time\":\"never\"".to_owned());
    let file = here.write("mixed.json", &[good.clone(), odd, hopeless]);
    assert_eq!(counts(&here.take_in(&file).await), (3, 1, 0, 2));

    assert_eq!(retry().await, (2, 0, 0, 2), "nothing is mended yet");
    let before = quarantine(&here);
    assert_eq!((before.len(), before[0].1.len()), (1, 2));

    // Somebody mends one of the records where it is kept.
    let text = fs::read_to_string(&before[0].0).unwrap();
    fs::write(&before[0].0, text.replace("0001-01-01", "2026-10-02")).unwrap();
    assert_eq!(retry().await, (2, 1, 0, 1));
    let after = quarantine(&here);
    assert_eq!((after.len(), after[0].1.len()), (1, 1), "the mended record has left");
    assert!(after[0].1[0].record.contains("never") && after[0].1[0].line == 3, "{:?}", after[0]);
    assert_eq!(retry().await, (1, 0, 0, 1));
    fs::remove_file(&after[0].0).unwrap();

    // A mended record is taken in also where others of its file need the file, which has it unmended.
    let tuples = r#"{"category":"NetworkSecurityGroupFlowEvent","properties":{"flows":[{"rule":"r","flows":[{"mac":"m","flowTuples":["odd"]}]}]}}"#;
    let odd = deletion("0001-01-01T10:00:00Z", "VM3");
    let file = here.write("both.json", &[odd, tuples.to_owned()]);
    assert_eq!(counts(&here.take_in(&file).await), (2, 0, 0, 2));
    let (path, _) = quarantine(&here).remove(0);
    fs::write(&path, fs::read_to_string(&path).unwrap().replace("0001-01-01", "2026-10-03")).unwrap();
    let (_, stored, _, rejected) = retry().await;
    assert_eq!((stored, rejected), (1, 2));
    quarantine(&here).iter().for_each(|(path, _)| fs::remove_file(path).unwrap());

    // A line of a CSV is read with its file, or not at all.
    let lines =
        ["SubscriptionId,Date,MeterId,Quantity,Cost", "s-1,2026-10-01,m-1,1,2.5", "s-1,oddly,m-1,1,2.5"];
    let lines = lines.map(str::to_owned);
    let file = here.write("cost.csv", &lines);
    assert_eq!(counts(&here.take_in(&file).await), (2, 1, 0, 1));
    assert_eq!(retry().await, (2, 0, 1, 1), "the file is as it was");
    let kept = quarantine(&here);
    here.write("cost.csv", &lines[..2]);
    assert_eq!(retry().await, (1, 0, 0, 1), "another file under its name says nothing of the line");
    fs::remove_file(&file).unwrap();
    assert_eq!(retry().await, (1, 0, 0, 1));
    assert_eq!(quarantine(&here), kept);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_vanishes_and_nothing_is_stored_twice() {
    let here = Installation::new(&[]).await;
    let good = [deletion("2026-10-01T10:00:00Z", "VM1"), deletion("2026-10-01T10:05:00Z", "VM2")];
    let file =
        here.write("mixed.json", &[good[0].clone(), "{\"time\":\"never\"".to_owned(), good[1].clone()]);

    let first = here.take_in(&file).await;
    assert_eq!(counts(&first), (3, 2, 0, 1));
    assert_eq!((first.rejected[0].line, first.files), (2, 1));
    let quarantine = || {
        let files = fs::read_dir(first.quarantine.as_ref().unwrap()).unwrap();
        files.map(|file| fs::read_to_string(file.unwrap().path()).unwrap()).collect::<Vec<_>>()
    };
    let kept = quarantine();
    assert_eq!(kept.len(), 1);
    assert!(kept[0].contains("never") && kept[0].contains("\"reason\""), "{}", kept[0]);

    let second = here.take_in(&file).await;
    assert_eq!(counts(&second), (3, 0, 2, 1));
    assert_eq!(quarantine(), kept, "the same file again leaves the quarantine as it is");

    // The same records in the wrapper of an event hub are the same events.
    let wrapped = here.write("wrapped.json", &[format!("{{\"records\":[{},{}]}}", good[0], good[1])]);
    assert_eq!(counts(&here.take_in(&wrapped).await), (2, 0, 2, 0));

    let scope = here.instance.scope();
    let known =
        here.instance.store.subscription(&scope, &SUBSCRIPTION.parse().unwrap()).await.unwrap().unwrap();
    assert_eq!(known.customer_tenant_id.unwrap().as_str(), CUSTOMER, "the directory grows by itself");
}

#[tokio::test(flavor = "multi_thread")]
async fn findings_raise_continue_and_raise_again_after_a_resolution() {
    let here = Installation::new(&[("deletions", QUERY)]).await;
    let recent = Utc::now() - TimeDelta::hours(3);

    here.take_in(&here.write("a.json", &[deletion(&stamp(recent), "VM1")])).await;
    let raised = here.detect(Utc::now()).await;
    assert_eq!((raised.raised.len(), raised.continued.len(), raised.failures().count()), (1, 0, 0));
    let alert = &raised.raised[0].body;
    assert_eq!(alert.customer_tenant_id.as_str(), CUSTOMER, "the directory names the customer");
    assert_eq!(alert.description.as_deref(), Some("1 machines deleted"));

    let again = here.detect(Utc::now()).await;
    assert_eq!((again.raised.len(), again.continued.len()), (0, 0), "the same events say nothing new");

    let later = recent + TimeDelta::minutes(150);
    here.take_in(&here.write("b.json", &[deletion(&stamp(later), "VM2")])).await;
    let continued = here.detect(Utc::now()).await;
    assert_eq!((continued.raised.len(), continued.continued.len()), (0, 1));
    assert_eq!(continued.continued[0].body.id, alert.id);
    assert_eq!(continued.continued[0].body.affected_resources.len(), 2);

    let scope = here.instance.scope();
    let fraud = StatusChange { to: Status::Resolved, reason: Some(ResolvedReason::Fraud) };
    let resolved_at = later + TimeDelta::minutes(5);
    here.instance
        .store
        .change_status(&scope, &alert.id, fraud, &store::ExpectedVersion::Any, "ann", resolved_at)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(here.detect(Utc::now()).await.raised.len(), 0, "what came before is settled");
    here.take_in(&here.write("c.json", &[deletion(&stamp(resolved_at + TimeDelta::minutes(5)), "VM3")]))
        .await;
    let second = here.detect(Utc::now()).await;
    assert_eq!(second.raised.len(), 1);
    assert_ne!(second.raised[0].body.id, alert.id);
}

#[tokio::test(flavor = "multi_thread")]
async fn events_that_come_in_days_late_are_looked_at_once() {
    let here = Installation::new(&[("deletions", QUERY)]).await;
    here.take_in(&here.write("today.json", &[deletion(&stamp(Utc::now() - TimeDelta::hours(1)), "VM1")]))
        .await;
    assert_eq!(here.detect(Utc::now()).await.raised.len(), 1);

    // The export of three days ago comes after detection has reached today.
    let late = deletion(&stamp(Utc::now() - TimeDelta::days(3)), "VM2");
    let file = here.write("late.json", &[late]);
    here.take_in(&file).await;
    let report = here.detect(Utc::now()).await;
    assert_eq!(report.continued.len(), 1, "the late event belongs to the open alert");
    assert_eq!(report.continued[0].body.affected_resources.len(), 2);

    // What was looked at is not looked at again.
    let next = here.detect(Utc::now()).await;
    let run = next.runs.iter().find(|run| run.detector_id == "deletions").unwrap();
    assert!(run.since > Utc::now() - TimeDelta::hours(2), "{}", run.since);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_detector_that_fails_stops_no_other_and_keeps_its_watermark() {
    let here =
        Installation::new(&[("broken", "select no_such_column from activity"), ("deletions", QUERY)]).await;
    here.take_in(&here.write("a.json", &[deletion("2026-10-01T10:00:00Z", "VM1")])).await;
    let report = here.detect(Utc::now()).await;
    assert_eq!(report.raised.len(), 1);
    let failed: Vec<_> = report.failures().map(|run| run.detector_id.as_str()).collect();
    assert_eq!(failed, ["broken"]);

    let scope = here.instance.scope();
    let store = &here.instance.store;
    assert_eq!(store.backlog(&scope, "broken", &[]).await.unwrap().watermark, None);
    assert!(store.backlog(&scope, "deletions", &[]).await.unwrap().watermark.is_some());
    let runs = store.last_runs(&scope).await.unwrap();
    let error = runs.iter().find(|run| run.detector_id == "broken").unwrap().error.as_deref().unwrap();
    assert!(error.contains("no_such_column"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_period_that_is_asked_for_leaves_the_watermark_alone() {
    let here = Installation::new(&[("deletions", QUERY)]).await;
    let lines: Vec<_> =
        (1..=25).map(|day| deletion(&format!("2026-10-{day:02}T10:00:00Z"), &format!("VM{day}"))).collect();
    here.take_in(&here.write("a.json", &lines)).await;
    let period = Period { since: Some(at("2026-10-02T00:00:00Z")), until: Some(at("2026-10-20T00:00:00Z")) };
    let clock = Clock::AsIfWatched(TimeDelta::minutes(5));
    let report = detection::detect(&here.instance, period, clock, Utc::now()).await.unwrap();
    // The period is longer than a slice; the slices' findings are one incident.
    assert_eq!(report.raised.len(), 1);
    assert_eq!(report.raised[0].body.detected_date_time, at("2026-10-02T10:05:00Z"));
    let last = report.continued.last().unwrap().body.last_observed_date_time;
    assert_eq!(last, Some(at("2026-10-19T10:00:00Z")));
    let scope = here.instance.scope();
    assert_eq!(here.instance.store.backlog(&scope, "deletions", &[]).await.unwrap().watermark, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_alert_is_dated_ahead_of_the_clock() {
    let here = Installation::new(&[("deletions", QUERY)]).await;
    here.take_in(&here.write("a.json", &[deletion("2026-10-01T10:00:00Z", "VM1")])).await;
    let clock = Clock::AsIfWatched(TimeDelta::minutes(5));
    let now = at("2026-10-01T10:02:00Z");
    let report = detection::detect(&here.instance, Period::default(), clock, now).await.unwrap();
    assert_eq!(report.raised[0].body.detected_date_time, now);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_detects_by_itself() {
    let here = Installation::new(&[("deletions", QUERY)]).await;
    here.take_in(&here.write("a.json", &[deletion("2026-10-01T10:00:00Z", "VM1")])).await;
    let options = ServeOptions { listen: "127.0.0.1:0".parse().unwrap(), demo: false, tls: None };
    let server = Server::bind(here.instance.clone(), &Settings::default(), &options).await.unwrap();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let running = tokio::spawn(server.run(async move {
        let _ = stopped.await;
    }));
    let scope = here.instance.scope();
    for _ in 0..600 {
        if here.instance.store.count_alerts(&scope, None, None).await.unwrap() == 1 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(here.instance.store.count_alerts(&scope, None, None).await.unwrap(), 1);
    stop.send(()).unwrap();
    running.await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn demo_mode_and_taken_ports_are_refused() {
    let here = Installation::new(&[]).await;
    let bind = |listen: &str, demo| {
        let options = ServeOptions { listen: listen.parse().unwrap(), demo, tls: None };
        let instance = here.instance.clone();
        async move { Server::bind(instance, &Settings::default(), &options).await }
    };
    let open = bind("127.0.0.1:0", false).await.unwrap();
    let taken = open.url().trim_start_matches("http://").trim_end_matches('/').to_owned();
    let error = bind(&taken, false).await.err().unwrap();
    assert!(error.to_string().contains("--listen"), "{error}");
    let error = bind("0.0.0.0:0", true).await.err().unwrap();
    assert!(error.to_string().contains("loopback only"), "{error}");
}
