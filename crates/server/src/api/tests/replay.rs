//! Replays over HTTP: what would come, what would not, whose it is, and how many may run.

use std::fs;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use alerts::Scope;
use graph::auth::{INGEST, READ};
use serde_json::{Value, json};
use store::Customer;

use super::*;
use crate::app::ingestion;
use crate::app::rehearsal::asked::{Asked, AskedError};

const PATH: &str = "/tenantwatch/v1/detectors/deletions/replay";
const MANIFEST: &str = r#"
id = "deletions"
version = 1
alert_type = "Test_Deletions"
title = "Machines deleted"
severity = "high"
confidence = "medium"
inputs = ["activity"]
lookback = "1d"
schedule = "5m"
overlap = "1h"
grouping = ["day_of"]
meaning = "Machines were deleted."
response = ["Look."]
mitre = ["T1485"]
source = "made for this test"

[settings.machines_min]
default = 2
min = 1
max = 100
meaning = "How many machines must be deleted on a day."
"#;
const QUERY: &str = "
select *, concat(cast(machines as varchar), ' machines deleted') as description
from (
  select
    customer_tenant_id,
    subscription_id,
    cast(cast(event_at as date) as varchar) as day_of,
    min(event_at) as first_observed_at,
    max(event_at) as last_observed_at,
    array_agg(resource_id order by resource_id) as resources,
    count(*) as machines
  from activity
  where operation = 'microsoft.compute/virtualmachines/delete'
  group by customer_tenant_id, subscription_id, cast(event_at as date)
)
where machines >= setting('machines_min', customer_tenant_id, subscription_id)
";

/// Whose, when, which machine.
const DELETED: [(&str, &str, &str); 6] = [
    ("1", "2025-03-03T10:00:00Z", "A"),
    ("1", "2025-03-03T10:01:00Z", "B"),
    ("1", "2025-03-03T10:02:00Z", "C"),
    ("1", "2025-03-05T10:00:00Z", "D"),
    ("2", "2025-03-04T10:00:00Z", "E"),
    ("2", "2025-03-04T10:01:00Z", "F"),
];

fn customer(number: &str) -> String {
    format!("0f0e0d0c-3333-4000-8000-00000000000{number}")
}

fn subscription(number: &str) -> String {
    format!("0f0e0d0c-0000-4000-8000-00000000000{number}")
}

fn deletion((number, time, machine): (&str, &str, &str)) -> String {
    let (customer, subscription) = (customer(number), subscription(number));
    format!(
        r#"{{"time":"{time}","resourceId":"/SUBSCRIPTIONS/{subscription}/RESOURCEGROUPS/RG/PROVIDERS/MICROSOFT.COMPUTE/VIRTUALMACHINES/{machine}","operationName":"MICROSOFT.COMPUTE/VIRTUALMACHINES/DELETE","category":"Administrative","resultType":"Success","callerIpAddress":"203.0.113.9","correlationId":"{machine}","tenantId":"{customer}","identity":{{"claims":{{"appid":"a"}}}}}}"#
    )
}

/// A server with a detector that has a number, and with deletions of two customers; a reseller brought the second.
async fn server() -> Fixture {
    let folder = tempfile::tempdir().unwrap();
    let detector = folder.path().join("detectors/deletions");
    fs::create_dir_all(detector.join("cases")).unwrap();
    fs::write(detector.join("detector.toml"), MANIFEST).unwrap();
    fs::write(detector.join("query.sql"), QUERY).unwrap();
    let records = folder.path().join("records.json");
    fs::write(&records, DELETED.map(deletion).join("\n") + "\n").unwrap();
    let settings =
        Settings { detector_folders: vec![folder.path().join("detectors")], ..Settings::default() };
    let server = Fixture::open(folder, &settings, false).await;
    let second = Customer {
        customer_tenant_id: customer("2").parse().unwrap(),
        name: None,
        domain: None,
        reseller_tenant_id: Some("r2".parse().unwrap()),
        reseller_mpn_id: None,
        country: None,
    };
    let scope = server.instance.scope();
    server.instance.store.import_customers(&scope, &[second], &[], Utc::now()).await.unwrap();
    let files = ingest::discover(&[records]).unwrap();
    let progress = Arc::new(AtomicU64::new(0));
    ingestion::ingest(server.instance.clone(), files, Utc::now(), progress).await.unwrap();
    server
}

fn request(settings: Value) -> Value {
    json!({
        "sinceDateTime": "2025-03-02T00:00:00Z",
        "untilDateTime": "2025-03-06T00:00:00Z",
        "settings": settings,
    })
}

fn machines_min(value: Value) -> Value {
    request(json!([{"name": "machines_min", "value": value}]))
}

/// The counts of a reply: now, changed, kept, added, gone.
fn counts(reply: &Value) -> [u64; 5] {
    let count = |value: &Value| value.as_u64().unwrap_or_else(|| panic!("{reply}"));
    [
        count(&reply["now"]["alerts"]),
        count(&reply["changed"]["alerts"]),
        count(&reply["keptCount"]),
        count(&reply["addedCount"]),
        count(&reply["goneCount"]),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_tells_what_would_come_now_and_with_the_change() {
    let server = server().await;
    let reader = server.token(READ);
    let ask = async |body: Value| {
        let reply = server.send("POST", PATH, &reader, &body).await;
        assert_eq!(reply.status, StatusCode::OK, "{body}: {}", reply.text);
        reply.json()
    };
    let stricter = ask(machines_min(json!(3))).await;
    insta::assert_json_snapshot!(stricter);
    assert_eq!(counts(&ask(request(json!([]))).await), [2, 2, 2, 0, 0]);
    let looser = ask(machines_min(json!(1))).await;
    assert_eq!(counts(&looser), [2, 3, 2, 1, 0]);
    assert_eq!(looser["added"][0]["description"], "1 machines deleted");

    // A number for one customer changes nothing of the others; what was chosen is what is there now.
    let narrow = json!([{"name": "machines_min", "customerTenantId": customer("2"), "value": 3}]);
    assert_eq!(counts(&ask(request(narrow)).await), [2, 1, 1, 0, 1]);
    let chosen = alerts::DetectorSetting {
        detector_id: "deletions".to_owned(),
        name: "machines_min".to_owned(),
        customer_tenant_id: None,
        subscription_id: None,
        value: 3.0,
        reason: "x".to_owned(),
        author: "ann".to_owned(),
        changed_at: Utc::now(),
    };
    let scope = server.instance.scope();
    server.instance.store.set_detector_setting(&scope, &chosen).await.unwrap();
    assert_eq!(counts(&ask(request(json!([]))).await), [1, 1, 1, 0, 0]);
    assert_eq!(counts(&ask(machines_min(Value::Null)).await), [1, 2, 1, 1, 0], "as if it were taken back");
    // Nothing was raised.
    let list = server.get(HOST, "/beta/security/partner/securityAlerts", Some(&reader)).await.json();
    assert_eq!(list["value"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_shows_a_caller_its_own() {
    let server = server().await;
    let first = server.token_of(READ, Some(&customer("1")));
    let second = server.token_of_reseller(READ, "r2");
    let nobody = server.token_of(READ, Some("nobody"));
    for (token, expected, subscription_days) in
        [(first, [1, 1, 1, 0, 0], 2), (second, [1, 0, 0, 0, 1], 1), (nobody, [0, 0, 0, 0, 0], 0)]
    {
        let reply = server.send("POST", PATH, &token, &machines_min(json!(3))).await.json();
        assert_eq!(counts(&reply), expected, "{reply}");
        assert_eq!(reply["now"]["subscriptionDays"], subscription_days, "{reply}");
    }
    // The partner whose token it is decides, not the one whose server this is.
    let other = Scope::Partner("other".parse().unwrap());
    let now = Utc::now();
    let asked = Asked {
        detector_id: "deletions".to_owned(),
        since: "2025-03-02T00:00:00Z".parse().unwrap(),
        until: "2025-03-06T00:00:00Z".parse().unwrap(),
        changes: Vec::new(),
    };
    let compared = server.rehearsals.run(&server.instance, &other, &asked, now).await.unwrap();
    assert_eq!((compared.now.alerts.len(), compared.now.subscription_days), (0, 0));

    let soon = Rehearsals::new(1, Duration::ZERO);
    let late = soon.run(&server.instance, &server.instance.scope(), &asked, now).await;
    assert!(matches!(late, Err(AskedError::TooLong(_))), "{late:?}");
    assert_eq!(soon.free(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_that_makes_no_sense_is_refused() {
    let server = server().await;
    let reader = server.token(READ);
    let with = |name: &str, value: Value| {
        let mut body = machines_min(json!(3));
        body[name] = value;
        body
    };
    let setting = |setting: Value| request(json!([setting]));
    let many = vec![json!({"name": "machines_min", "value": 3}); 51];
    let good = machines_min(json!(3));
    let refused = StatusCode::BAD_REQUEST;
    for (path, token, body, status, expected) in [
        (
            "/tenantwatch/v1/detectors/none/replay",
            &reader,
            &good,
            StatusCode::NOT_FOUND,
            "no detector 'none'",
        ),
        (PATH, &server.token("User.Read"), &good, StatusCode::FORBIDDEN, ""),
        (PATH, &server.token(INGEST), &good, StatusCode::FORBIDDEN, ""),
        (PATH, &reader, &json!({}), refused, "missing field `sinceDateTime`"),
        (PATH, &reader, &with("colour", json!(1)), refused, "unknown field `colour`"),
        (
            PATH,
            &reader,
            &with("sinceDateTime", json!("2025-03-06T00:00:00Z")),
            refused,
            "does not lie before",
        ),
        (PATH, &reader, &with("sinceDateTime", json!("2024-03-06T00:00:00Z")), refused, "the 92 days"),
        (
            PATH,
            &reader,
            &setting(json!({"name": "machines", "value": 3})),
            StatusCode::NOT_FOUND,
            "it has machines_min",
        ),
        (
            PATH,
            &reader,
            &setting(json!({"name": "machines_min", "value": 0})),
            refused,
            "a number from 1 to 100",
        ),
        (
            PATH,
            &reader,
            &setting(
                json!({"name": "machines_min", "value": 3, "customerTenantId": "c", "subscriptionId": "s"}),
            ),
            refused,
            "name one of them",
        ),
        (PATH, &reader, &request(json!(many)), refused, "send up to 50"),
    ] {
        let reply = server.send("POST", path, token, body).await;
        assert_eq!(reply.status, status, "{body}: {}", reply.text);
        assert!(reply.text.contains(expected), "{body}: {}", reply.text);
    }
    assert_eq!(server.get(HOST, PATH, Some(&reader)).await.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(server.rehearsals.free(), 2, "what was refused holds no place");
}

/// Lets a request go on until it takes a place, and leaves it there.
async fn begin<F: Future>(server: &Fixture, mut request: Pin<&mut F>) {
    let before = server.rehearsals.free();
    while server.rehearsals.free() == before {
        assert!(futures::poll!(request.as_mut()).is_pending(), "it ended before it was seen to run");
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn so_many_replays_run_and_who_goes_makes_room() {
    let server = server().await;
    let reader = server.token(READ);
    let body = machines_min(json!(3));
    {
        let mut first = pin!(server.send("POST", PATH, &reader, &body));
        let mut second = pin!(server.send("POST", PATH, &reader, &body));
        begin(&server, first.as_mut()).await;
        begin(&server, second.as_mut()).await;
        let third = server.send("POST", PATH, &reader, &body).await;
        assert_eq!(third.status, StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(third.headers["retry-after"], "10");
        assert!(third.text.contains("2 replays run already"), "{}", third.text);
        assert!(third.text.contains("wait for one of them to end, then ask again"), "{}", third.text);
        // What a server does with a request whose client has gone is to drop it, as happens here.
    }
    assert_eq!(server.rehearsals.free(), 2);
    assert_eq!(server.send("POST", PATH, &reader, &body).await.status, StatusCode::OK);
}
