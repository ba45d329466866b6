//! What a run promises: what a query may see, what it must give, and what stops it.
#![expect(clippy::unwrap_used, reason = "tests; clippy excuses only the bodies of test functions")]

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use alerts::PartnerTenantId;
use arrow_array::{
    ArrayRef, BinaryArray, Date32Array, RecordBatch, StringArray, TimestampMicrosecondArray, new_null_array,
};
use chrono::{DateTime, TimeDelta, Utc};
use datafusion::datasource::MemTable;
use datafusion::prelude::SessionContext;
use detect::{Catalogue, DetectError, Detector, Indicators, Limits, Window, session};
use ingest::schema::Kind;

const MANIFEST: &str = r#"
id = "odd"
version = 3
alert_type = "Odd_Thing"
title = "An odd thing"
severity = "low"
confidence = "medium"
inputs = ["activity"]
lookback = "2d"
schedule = "1h"
overlap = "0s"
grouping = ["caller"]
meaning = "It is odd."
response = ["Look."]
mitre = []
source = "Own idea."
"#;

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn detector(sql: &str) -> Detector {
    detector_with(sql, None)
}

fn detector_with(sql: &str, candidates: Option<&str>) -> Detector {
    let folder = tempfile::tempdir().unwrap();
    let own = folder.path().join("odd");
    std::fs::create_dir(&own).unwrap();
    std::fs::write(own.join("detector.toml"), MANIFEST).unwrap();
    std::fs::write(own.join("query.sql"), sql).unwrap();
    if let Some(candidates) = candidates {
        std::fs::write(own.join("candidates.sql"), candidates).unwrap();
    }
    Catalogue::builtin().with_folder(folder.path()).unwrap().get("odd").unwrap().clone()
}

/// A table with these events: partner, subscription and time of each.
fn register(session: &SessionContext, kind: Kind, events: &[(&str, &str, &str)]) {
    let times: Vec<DateTime<Utc>> = events.iter().map(|(_, _, time)| at(time)).collect();
    let micros = || -> ArrayRef {
        let times: TimestampMicrosecondArray =
            times.iter().map(|time| Some(time.timestamp_micros())).collect();
        Arc::new(times.with_timezone("UTC"))
    };
    let texts = |pick: fn(&(&str, &str, &str)) -> String| -> ArrayRef {
        Arc::new(events.iter().map(|event| Some(pick(event))).collect::<StringArray>())
    };
    let days = || -> ArrayRef {
        let day = |time: &DateTime<Utc>| Some((time.timestamp() / 86_400) as i32);
        Arc::new(times.iter().map(day).collect::<Date32Array>())
    };
    let ids = || -> ArrayRef {
        Arc::new(BinaryArray::from_iter_values((0..times.len()).map(|number| number.to_be_bytes())))
    };
    let schema = kind.schema();
    let columns = schema
        .fields()
        .iter()
        .map(|field| match field.name().as_str() {
            "day" => days(),
            "event_id" | "statement_id" => ids(),
            "event_at" | "arrived_at" => micros(),
            "partner_tenant_id" => texts(|event| event.0.to_owned()),
            "subscription_id" => texts(|event| event.1.to_owned()),
            _ => new_null_array(field.data_type(), events.len()),
        })
        .collect();
    let batch = RecordBatch::try_new(schema.clone(), columns).unwrap();
    session
        .register_table(kind.name(), Arc::new(MemTable::try_new(schema, vec![vec![batch]]).unwrap()))
        .unwrap();
}

const EVENTS: [(&str, &str, &str); 6] = [
    ("partner-1", "too-old", "2031-03-07T23:59:59Z"),
    ("partner-1", "history", "2031-03-08T00:00:00Z"),
    ("partner-1", "sub-1", "2031-03-10T10:30:00Z"),
    ("partner-1", "sub-2", "2031-03-10T10:59:59Z"),
    ("partner-2", "not-ours", "2031-03-10T10:30:00Z"),
    ("partner-1", "too-new", "2031-03-10T11:00:00Z"),
];

fn window() -> Window {
    Window::new(at("2031-03-10T10:00:00Z"), at("2031-03-10T11:00:00Z"))
}

async fn run_with(limits: Limits, sql: &str, window: &Window) -> Result<Vec<alerts::Finding>, DetectError> {
    run_detector(limits, &detector(sql), window).await
}

async fn run_detector(
    limits: Limits,
    detector: &Detector,
    window: &Window,
) -> Result<Vec<alerts::Finding>, DetectError> {
    let session = session(limits).unwrap();
    for kind in Kind::ALL {
        register(&session, kind, &EVENTS);
    }
    Indicators::builtin().register(&session).unwrap();
    let partner: PartnerTenantId = "partner-1".parse().unwrap();
    detector.run(&session, window, &partner).await
}

async fn run(sql: &str) -> Result<Vec<alerts::Finding>, DetectError> {
    run_with(Limits::default(), sql, &window()).await
}

/// The subscriptions that a query sees, whenever their events were.
const SEEN: &str = "
    select
      'one' as subscription_id,
      to_timestamp('2031-03-10T10:30:00Z') as first_observed_at,
      to_timestamp('2031-03-10T10:30:00Z') as last_observed_at,
      array_to_string(array_agg(distinct subscription_id order by subscription_id), ' ') as description,
      'x' as caller
    from activity";

#[tokio::test]
async fn a_query_sees_its_partner_window_and_lookback() {
    let findings = run(SEEN).await.unwrap();
    assert_eq!(findings[0].description, "history sub-1 sub-2");
}

#[tokio::test]
async fn a_query_sees_the_events_of_its_candidates() {
    let seen = async |candidates: &str| {
        let detector = detector_with(&format!("{SEEN} having count(*) > 0"), Some(candidates));
        run_detector(Limits::default(), &detector, &window()).await.map(|findings| {
            findings.iter().map(|finding| finding.description.clone()).collect::<Vec<_>>().join("; ")
        })
    };
    let named = "select subscription_id as \"activity.subscription_id\" from activity where subscription_id";
    assert_eq!(seen(&format!("{named} in ('sub-2', 'history')")).await.unwrap(), "history sub-2");
    assert_eq!(
        seen(&format!("{named} = 'nobody'")).await.unwrap(),
        "",
        "nobody is concerned, so nothing runs"
    );
    // Whoever lies outside the window and its lookback, or is another partner's, is not seen by being named.
    assert_eq!(seen("select 'not-ours' as \"activity.subscription_id\"").await.unwrap(), "");
    let wrong = seen("select subscription_id from activity").await.unwrap_err().to_string();
    assert!(
        wrong.contains(
            "detector odd: column \"subscription_id\" of candidates.sql names no column of a table"
        ),
        "{wrong}"
    );
    let broken = seen("select from where").await.unwrap_err();
    assert!(matches!(broken, DetectError::Query { .. }), "{broken}");
}

#[tokio::test]
async fn what_is_published_later_is_not_seen_and_counts_later() {
    let each = "
        select
          subscription_id,
          event_at as first_observed_at,
          event_at as last_observed_at,
          'seen' as description,
          'x' as caller
        from activity
        where event_at >= $since and event_at < $until";
    let subscriptions = async |window: &Window| {
        let findings = run_with(Limits::default(), each, window).await.unwrap();
        findings.iter().map(|finding| finding.subscription_id.to_string()).collect::<Vec<_>>()
    };
    let mut late = window();
    assert_eq!(subscriptions(&late).await, ["sub-1", "sub-2"]);
    late.lag.activity = TimeDelta::minutes(20);
    assert_eq!(subscriptions(&late).await, ["sub-1"]);
    late.since += TimeDelta::hours(1);
    late.until += TimeDelta::hours(1);
    assert_eq!(subscriptions(&late).await, ["sub-2", "too-new"]);
}

#[tokio::test]
async fn a_row_becomes_a_finding() {
    let findings = run("
        select
          'SUB-1' as subscription_id,
          to_timestamp('2031-03-10T09:00:00Z') as first_observed_at,
          to_timestamp('2031-03-10T10:30:00.5Z') as last_observed_at,
          'Odd indeed.' as description,
          make_array('/b', '/A', '/b', null) as resources,
          'customer-1' as customer_tenant_id,
          'high' as severity,
          cast(null as varchar) as confidence,
          'ann' as caller,
          3 as new_regions,
          2.50 as cost,
          true as sure,
          make_array(1, 2) as ports,
          make_array('a', 'b') as \"VM_IP\",
          cast(null as varchar) as nothing,
          to_timestamp('2031-03-10T10:30:00Z') as seen_at
    ")
    .await
    .unwrap();
    insta::assert_debug_snapshot!(findings);
}

#[tokio::test]
async fn evidence_that_ends_before_the_window_is_no_finding() {
    let ended = SEEN.replace("2031-03-10T10:30:00Z", "2031-03-10T09:59:59Z");
    assert_eq!(run(&ended).await.unwrap(), []);
}

#[tokio::test]
async fn a_broken_subscription_id_silences_nobody() {
    let sql = "
        select
          column1 as subscription_id,
          to_timestamp('2031-03-10T10:30:00Z') as first_observed_at,
          to_timestamp('2031-03-10T10:30:00Z') as last_observed_at,
          'x' as description,
          'x' as caller
        from (values ('two words'), ('sub-1'))";
    let findings = run(sql).await.unwrap();
    assert_eq!(findings.len(), 1);
}

#[tokio::test]
async fn what_is_wrong_with_a_query_is_named() {
    let good = "
        select
          'sub-1' as subscription_id,
          to_timestamp('2031-03-10T10:30:00Z') as first_observed_at,
          to_timestamp('2031-03-10T10:30:00Z') as last_observed_at,
          'x' as description,
          'x' as caller";
    assert_eq!(run(good).await.unwrap().len(), 1);
    let with = |text: &str, instead_of: &str| good.replace(instead_of, text);
    let queries = [
        ("lacks a column", with("'x' as words", "'x' as description")),
        ("lacks a grouping column", with("'x' as who", "'x' as caller")),
        ("number for text", with("7 as description", "'x' as description")),
        (
            "text for time",
            with("'now' as last_observed_at", "to_timestamp('2031-03-10T10:30:00Z') as last_observed_at"),
        ),
        ("text for list", format!("{good}, 'r' as resources")),
        ("null description", with("cast(null as varchar) as description", "'x' as description")),
        ("null subscription", with("cast(null as varchar) as subscription_id", "'sub-1' as subscription_id")),
        ("unknown severity", format!("{good}, 'extreme' as severity")),
        ("structure as evidence", format!("{good}, named_struct('a', 1) as odd")),
        ("not an input", format!("{good} from flow")),
        ("not our language", "selekt 1".to_owned()),
        ("writes", "drop table activity".to_owned()),
        ("two statements", format!("{good}; {good}")),
    ];
    let mut errors = Vec::new();
    for (what, sql) in queries {
        let error = run(&sql).await.expect_err(what);
        let cause =
            error.source().map(|cause| cause.to_string().lines().next().unwrap_or_default().to_owned());
        errors.push(format!(
            "{what}: {error}{}",
            cause.map_or(String::new(), |cause| format!("\n    {cause}"))
        ));
    }
    insta::assert_snapshot!(errors.join("\n"));
}

#[tokio::test]
async fn a_table_that_is_missing_is_named() {
    let bare = session(Limits::default()).unwrap();
    let partner: PartnerTenantId = "partner-1".parse().unwrap();
    let error = detector(SEEN).run(&bare, &window(), &partner).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "detector odd: the session has no table 'activity', which the manifest names as an input"
    );
}

#[tokio::test]
async fn a_run_has_its_limits() {
    let endless =
        format!("{SEEN} cross join generate_series(1, 2000000000) as numbers(number) where number % 7 = 3");
    let limits = Limits { run_timeout: Duration::from_millis(200), ..Limits::default() };
    let error = run_with(limits, &endless, &window()).await.unwrap_err();
    assert_eq!(error.to_string(), "detector odd: stopped after 200ms");

    let many = "
        select
          cast(number as varchar) as subscription_id,
          to_timestamp('2031-03-10T10:30:00Z') as first_observed_at,
          to_timestamp('2031-03-10T10:30:00Z') as last_observed_at,
          'x' as description,
          'x' as caller
        from generate_series(1, 1000) as numbers(number)";
    let limits = Limits { findings_max: 999, ..Limits::default() };
    let error = run_with(limits, many, &window()).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "detector odd: more than 999 findings in one run; the query lacks a condition"
    );

    let empty = Window::new(window().until, window().since);
    let error = run_with(Limits::default(), SEEN, &empty).await.unwrap_err();
    assert_eq!(error.to_string(), "detector odd: the window ends at or before its start");
}
