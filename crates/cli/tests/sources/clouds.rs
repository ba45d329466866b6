//! Real records through the server: from a container of Azurite, and from librdkafka's mock of Event Hubs' Kafka.

use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::mocking::MockCluster;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};
use serde_json::{Value, json};

use super::azure::{ACCOUNT, Azure, CONTAINER, KEY, blob};
use super::{Here, PATIENCE, record};

/// What the record of a machine is in the lake.
fn event(machine: &str) -> String {
    format!(
        "microsoft.compute/virtualmachines/write /subscriptions/0f0e0d0c-0000-4000-8000-000000000001/resourcegroups/\
         rg-a/providers/microsoft.compute/virtualmachines/{machine}"
    )
}

/// Waits until a source was read after this, and so many records of it in all; gives what is known of it.
async fn read_since(here: &Here, since: chrono::DateTime<chrono::Utc>, records: u64) -> Value {
    let begin = std::time::Instant::now();
    loop {
        let source = here.status()["sources"][0].clone();
        let read_at = source["lastSuccessDateTime"].as_str().map(|text| text.parse().unwrap());
        let is_read = read_at.is_some_and(|at: chrono::DateTime<chrono::Utc>| at > since);
        if is_read && source["records"].as_u64().unwrap() >= records {
            return source;
        }
        assert!(begin.elapsed() < PATIENCE, "{source}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// How far was read. A cursor goes on with the clock, also if nothing comes.
async fn read_to(here: &Here, name: &str) -> Vec<(String, Value)> {
    here.positions(name).await.into_iter().filter(|(key, _)| !key.starts_with("//")).collect()
}

/// After a start of the server that finds nothing new, and after one that has forgotten where it was.
async fn nothing_new_is_stored(here: &Here, name: &str, variables: &[(&str, &str)], expected: &[String]) {
    let positions = read_to(here, name).await;
    let records = here.status()["sources"][0]["records"].as_u64().unwrap();
    let before = chrono::Utc::now();
    let server = here.serve(variables);
    let source = read_since(here, before, records).await;
    assert_eq!(
        (&source["records"], &source["failing"]),
        (&records.into(), &false.into()),
        "it is not read again"
    );
    server.stop("-TERM");
    assert_eq!(read_to(here, name).await, positions);
    assert_eq!(here.events().await, expected);

    let forgotten: Vec<_> = here.positions(name).await.into_keys().map(|key| (key, None)).collect();
    let instance = here.instance().await;
    instance.store.save_positions(&instance.scope(), name, &forgotten).await.unwrap();
    let before = chrono::Utc::now();
    let server = here.serve(variables);
    let source = read_since(here, before, 2 * records).await;
    assert_eq!(source["records"], 2 * records, "it is read again");
    server.stop("-TERM");
    assert_eq!(here.events().await, expected, "and known");
    // What was read from its start again is another statement, should it be costs.
    let offsets = |positions: Vec<(String, Value)>| {
        let offset = |position: Value| position.get("o").or(position.get("offset")).cloned();
        positions.into_iter().map(|(key, position)| (key, offset(position))).collect::<Vec<_>>()
    };
    assert_eq!(offsets(read_to(here, name).await), offsets(positions));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_of_the_activity_log_comes_from_a_container() {
    let (here, azure) = (Here::new(), Azure::start());
    here.set(&format!(
        "scheduled_detection = false\n[[sources]]\ntype = 'azure_blob'\nname = 'activity'\naccount = '{ACCOUNT}'\n\
         container = '{CONTAINER}'\nendpoint = '{}/{ACCOUNT}'\naccount_key_env = 'LOGS_KEY'\npoll_every = '100ms'\n",
        azure.server.origin
    ));
    azure.make_container().await;
    let name = blob(0);
    azure.make_append_blob(&name).await;
    let line = record("VM07") + "\r\n";
    azure.append(&name, &line).await;
    let variables = [("LOGS_KEY", KEY)];
    let server = here.serve(&variables);
    assert_eq!(here.machines(1).await, ["vm07"]);
    // Half a line has to wait for the other half.
    let next = record("VM08") + "\r\n";
    let (half, rest) = next.split_at(200);
    azure.append(&name, half).await;
    read_since(&here, chrono::Utc::now(), 0).await;
    azure.append(&name, rest).await;
    assert_eq!(here.machines(2).await, ["vm07", "vm08"]);
    read_since(&here, chrono::Utc::now(), 0).await;
    server.stop("-TERM");

    let expected = [event("vm07"), event("vm08")];
    assert_eq!(here.events().await, expected);
    let position = here.positions("activity").await[&name].clone();
    assert_eq!(position["o"], (line.len() + next.len()) as u64, "the position is at the end: {position}");
    nothing_new_is_stored(&here, "activity", &variables, &expected).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_of_the_activity_log_come_from_an_event_hub() {
    let here = Here::new();
    let cluster = MockCluster::new(1).unwrap();
    cluster.create_topic("insights-activity-logs", 1, 1).unwrap();
    here.set(&format!(
        "scheduled_detection = false\n[[sources]]\ntype = 'event_hubs'\nname = 'hub'\nbootstrap = ['{}']\n\
         topics = ['insights-activity-logs']\nauth = 'none'\ntls = false\npoll_every = '100ms'\n",
        cluster.bootstrap_servers()
    ));
    let producer: BaseProducer =
        ClientConfig::new().set("bootstrap.servers", cluster.bootstrap_servers()).create().unwrap();
    // As Azure Monitor wraps them.
    let message = |machines: &[&str]| {
        let records: Vec<_> = machines.iter().map(|machine| record(machine)).collect();
        format!("{{\"records\":[{}]}}", records.join(","))
    };
    let send = |text: &str| {
        producer
            .send(BaseRecord::<(), str>::to("insights-activity-logs").partition(0).payload(text))
            .unwrap();
        producer.flush(Duration::from_secs(20)).unwrap();
    };
    send(&message(&["VM07", "VM08"]));
    let server = here.serve(&[]);
    assert_eq!(here.machines(2).await, ["vm07", "vm08"]);
    send(&message(&["VM09"]));
    assert_eq!(here.machines(3).await, ["vm07", "vm08", "vm09"]);
    read_since(&here, chrono::Utc::now(), 0).await;
    server.stop("-TERM");

    let expected = ["vm07", "vm08", "vm09"].map(event);
    assert_eq!(here.events().await, expected);
    let positions = here.positions("hub").await;
    assert_eq!(positions["insights-activity-logs/0"], json!({ "offset": 2 }));
    nothing_new_is_stored(&here, "hub", &[], &expected).await;
}
