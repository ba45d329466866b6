//! Event Hubs, against librdkafka's mock cluster. That knows no SASL, so where it matters a gate stands before it, which
//! does, and passes everything else on.
#![allow(clippy::unwrap_used, reason = "tests; clippy excuses only the bodies of test functions")]

mod support;

use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::mocking::MockCluster;
use rdkafka::producer::{BaseProducer, BaseRecord, DefaultProducerContext, Producer};
use sources::{Environment, Limits, Source, SourceError, SourceSettings, open};
use support::Caller;
use support::gate::{Gate, Mechanism};
use support::http::serve_once;

const HUB: &str = "activity";

struct Fixture {
    cluster: MockCluster<'static, DefaultProducerContext>,
    caller: Caller,
}

impl Fixture {
    fn new(partitions: i32) -> Self {
        let cluster = MockCluster::new(1).unwrap();
        cluster.create_topic(HUB, partitions, 1).unwrap();
        Self { cluster, caller: Caller::default() }
    }

    fn source(&self) -> Box<dyn Source> {
        open_plain(&self.cluster.bootstrap_servers(), "", Limits::default())
    }

    fn produce(&self, partition: i32, values: &[&str], compression: &str) {
        let producer: BaseProducer = ClientConfig::new()
            .set("bootstrap.servers", self.cluster.bootstrap_servers())
            .set("compression.codec", compression)
            .set("linger.ms", "20")
            .create()
            .unwrap();
        for value in values {
            let mut record = BaseRecord::<(), str>::to(HUB).partition(partition).payload(value);
            while let Err((_, again)) = producer.send(record) {
                producer.poll(Duration::from_millis(20));
                record = again;
            }
        }
        producer.flush(Duration::from_secs(20)).unwrap();
    }

    async fn drain(&mut self, source: &mut dyn Source) -> Vec<String> {
        let mut taken = self.caller.drain(source).await.unwrap();
        taken.sort();
        taken
    }
}

fn settings(bootstrap: &str, auth: &str, more: &str) -> SourceSettings {
    settings_of_tls(bootstrap, auth, &format!("tls = false\n{more}"))
}

fn settings_of_tls(bootstrap: &str, auth: &str, more: &str) -> SourceSettings {
    toml::from_str(&format!(
        "type = 'event_hubs'\nname = 'hub'\nbootstrap = ['{bootstrap}']\ntopics = ['{HUB}']\nauth = '{auth}'\n\
         discover_every = '0s'\n{more}"
    ))
    .unwrap()
}

fn open_plain(bootstrap: &str, more: &str, limits: Limits) -> Box<dyn Source> {
    open(&settings(bootstrap, "none", more), &Environment::default(), limits).unwrap()
}

fn environment(variables: &[(&str, &str)]) -> Environment {
    variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_of_all_partitions_come_once_and_a_restart_goes_on() {
    let mut it = Fixture::new(3);
    let mut source = it.source();
    for partition in 0..3 {
        it.produce(
            partition,
            &[&format!("{{\"p\":{partition}}}"), &format!("{{\"q\":{partition}}}")],
            "none",
        );
    }
    let mut lines: Vec<String> =
        it.drain(source.as_mut()).await.concat().lines().map(str::to_owned).collect();
    lines.sort();
    assert_eq!(lines, ["{\"p\":0}", "{\"p\":1}", "{\"p\":2}", "{\"q\":0}", "{\"q\":1}", "{\"q\":2}"]);
    assert_eq!(it.caller.saved["activity/2"], serde_json::json!({ "offset": 2 }));
    it.produce(1, &["{\"n\":7}"], "none");
    let mut source = it.source();
    assert_eq!(it.drain(source.as_mut()).await, ["{\"n\":7}\n"]);
    assert_eq!(it.drain(source.as_mut()).await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_saved_comes_again() {
    let it = Fixture::new(1);
    let mut source = it.source();
    it.produce(0, &["{\"n\":1}"], "none");
    for _ in 0..2 {
        let batch = source.poll(&it.caller.saved).await.unwrap();
        assert_eq!(batch.deliveries.len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn compressed_batches_are_read() {
    for compression in ["gzip", "snappy", "lz4"] {
        let mut it = Fixture::new(1);
        let mut source = it.source();
        let values: Vec<String> = (0..50).map(|n| format!("{{\"n\":{n}}}")).collect();
        it.produce(0, &values.iter().map(String::as_str).collect::<Vec<_>>(), compression);
        assert_eq!(
            it.drain(source.as_mut()).await.concat().lines().collect::<Vec<_>>(),
            values,
            "{compression}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_are_joined_up_to_a_size_and_what_is_no_json_comes_alone() {
    let mut it = Fixture::new(1);
    let limits = Limits { piece_bytes: 20, batch_bytes: 1 << 20 };
    let mut source = open_plain(&it.cluster.bootstrap_servers(), "", limits);
    it.produce(
        0,
        &["{\"n\":\n1}", "", "[2]", "poison\nof two lines", "{\"n\":3}", "{\"n\":44444444}", ""],
        "none",
    );
    it.caller.drain(source.as_mut()).await.unwrap();
    let texts: Vec<&str> = it.caller.taken.iter().map(|(_, text)| text.as_str()).collect();
    assert_eq!(texts, ["{\"n\": 1}\n[2]\n", "poison\nof two lines", "{\"n\":3}\n", "{\"n\":44444444}\n"]);
    assert_eq!(it.caller.saved["activity/0"], serde_json::json!({ "offset": 7 }));
}

#[tokio::test(flavor = "multi_thread")]
async fn empty_messages_alone_move_the_position() {
    let mut it = Fixture::new(1);
    let mut source = it.source();
    it.produce(0, &["", " "], "none");
    assert_eq!(it.drain(source.as_mut()).await, [""; 0]);
    assert_eq!(it.caller.saved["activity/0"], serde_json::json!({ "offset": 2 }));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_latest_start_is_kept_at_once() {
    let mut it = Fixture::new(1);
    it.produce(0, &["{\"n\":1}"], "none");
    let bootstrap = it.cluster.bootstrap_servers();
    let mut source = open_plain(&bootstrap, "start = 'latest'", Limits::default());
    assert_eq!(it.drain(source.as_mut()).await, [""; 0]);
    it.produce(0, &["{\"n\":2}"], "none");
    let mut source = open_plain(&bootstrap, "start = 'latest'", Limits::default());
    assert_eq!(it.drain(source.as_mut()).await, ["{\"n\":2}\n"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_expired_is_told_and_reading_goes_on_with_the_oldest() {
    let mut it = Fixture::new(1);
    // The mock keeps 5 MiB of a partition.
    let large = format!("{{\"text\":\"{}\"}}", "x".repeat(200_000));
    it.produce(0, &vec![large.as_str(); 60], "none");
    it.caller.saved.insert("activity/0".to_owned(), serde_json::json!({ "offset": 0 }));
    let mut source = it.source();
    let taken = it.drain(source.as_mut()).await.concat();
    let kept = taken.lines().count();
    assert!(kept > 0 && kept < 60, "{kept}");
    assert_eq!(it.caller.notices.len(), 1);
    let expected = format!("event hub partition activity/0: up to {} messages expired", 60 - kept);
    assert!(it.caller.notices[0].starts_with(&expected), "{}", it.caller.notices[0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_hub_made_anew_is_read_from_its_start() {
    let mut it = Fixture::new(1);
    it.produce(0, &["{\"n\":1}"], "none");
    it.caller.saved.insert("activity/0".to_owned(), serde_json::json!({ "offset": 100 }));
    let mut source = it.source();
    assert_eq!(it.drain(source.as_mut()).await, ["{\"n\":1}\n"]);
    assert!(it.caller.notices[0].contains("made anew"), "{}", it.caller.notices[0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_goes_away_and_comes_back_costs_nothing() {
    let mut it = Fixture::new(1);
    let mut source = it.source();
    it.produce(0, &["{\"n\":1}"], "none");
    assert_eq!(it.drain(source.as_mut()).await, ["{\"n\":1}\n"]);
    it.cluster.broker_down(1).unwrap();
    let error = source.poll(&it.caller.saved).await.unwrap_err();
    assert!(error.is_transient(), "{error}");
    it.cluster.broker_up(1).unwrap();
    it.produce(0, &["{\"n\":2}"], "none");
    assert_eq!(it.drain(source.as_mut()).await, ["{\"n\":2}\n"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_event_hub_is_named() {
    let cluster = MockCluster::new(1).unwrap();
    cluster.create_topic("another", 1, 1).unwrap();
    let mut source = open_plain(&cluster.bootstrap_servers(), "", Limits::default());
    let error = source.poll(&Default::default()).await.unwrap_err();
    assert!(matches!(error, SourceError::Missing { .. }), "{error}");
    assert!(error.to_string().starts_with("event hub activity at 127.0.0.1:"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_string_is_shown_to_the_broker() {
    let string = "Endpoint=sb://contoso.example/;SharedAccessKeyName=listen;SharedAccessKey=c2VjcmV0";
    let mut it = Fixture::new(1);
    it.produce(0, &["{\"n\":1}"], "none");
    let user = "$ConnectionString".to_owned();
    let gate =
        Gate::open(&it.cluster.bootstrap_servers(), Mechanism::Plain { user, password: string.to_owned() });
    let settings = settings(&gate.address(), "connection_string", "connection_string_env = 'HUB'");
    let mut source = open(&settings, &environment(&[("HUB", string)]), Limits::default()).unwrap();
    assert_eq!(it.drain(source.as_mut()).await, ["{\"n\":1}\n"]);

    let wrong = environment(&[("HUB", "Endpoint=sb://contoso.example/;SharedAccessKey=d3Jvbmc=")]);
    let mut source = open(&settings, &wrong, Limits::default()).unwrap();
    let error = source.poll(&Default::default()).await.unwrap_err();
    assert!(matches!(error, SourceError::Refused { .. }), "{error:?}");
    assert!(error.to_string().contains("look whether the connection string is complete"), "{error}");
    assert!(!format!("{error:?}").contains("d3Jvbmc"), "a secret is shown");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_entra_is_shown_to_the_broker() {
    let mut it = Fixture::new(1);
    it.produce(0, &["{\"n\":1}"], "none");
    let gate = Gate::open(&it.cluster.bootstrap_servers(), Mechanism::Bearer { token: "a-token".to_owned() });
    let (entra, request) =
        serve_once(200, r#"{"token_type":"Bearer","expires_in":3600,"access_token":"a-token"}"#);
    let env = environment(&[
        ("AZURE_AUTHORITY_HOST", &entra),
        ("AZURE_TENANT_ID", "0f0e0d0c-0000-4000-8000-000000000001"),
        ("AZURE_CLIENT_ID", "0f0e0d0c-0000-4000-8000-000000000002"),
        ("AZURE_CLIENT_SECRET", "s&cret"),
    ]);
    let mut source = open(&settings(&gate.address(), "entra", ""), &env, Limits::default()).unwrap();
    assert_eq!(it.drain(source.as_mut()).await, ["{\"n\":1}\n"]);
    let request = request.join().unwrap();
    assert!(
        request.starts_with("POST /0f0e0d0c-0000-4000-8000-000000000001/oauth2/v2.0/token "),
        "{request}"
    );
    let form = "grant_type=client_credentials&client_id=0f0e0d0c-0000-4000-8000-000000000002&client_secret=s%26cret\
                &scope=https%3A%2F%2F127.0.0.1%2F.default";
    assert!(request.ends_with(form), "{request}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_secret_is_named() {
    let it = Fixture::new(1);
    let gate = Gate::open(&it.cluster.bootstrap_servers(), Mechanism::Bearer { token: "a-token".to_owned() });
    let denied = r#"{"error":"invalid_client","error_description":"AADSTS7000222: The secret is expired.\r\nTrace ID: 1"}"#;
    let (entra, _request) = serve_once(401, denied);
    let env = environment(&[
        ("AZURE_AUTHORITY_HOST", &entra),
        ("AZURE_TENANT_ID", "t"),
        ("AZURE_CLIENT_ID", "c"),
        ("AZURE_CLIENT_SECRET", "s"),
    ]);
    let mut source = open(&settings(&gate.address(), "entra", ""), &env, Limits::default()).unwrap();
    let error = source.poll(&Default::default()).await.unwrap_err();
    assert!(matches!(error, SourceError::Refused { .. }), "{error:?}");
    let said = format!("{error:?}");
    assert!(said.contains("AADSTS7000222: The secret is expired."), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn over_tls_a_broker_is_trusted_by_its_authority_and_by_no_other() {
    let string = "Endpoint=sb://contoso.example/;SharedAccessKeyName=listen;SharedAccessKey=c2VjcmV0";
    let env = environment(&[("HUB", string)]);
    let folder = tempfile::tempdir().unwrap();
    let (ca, other_ca) = (folder.path().join("ca.pem"), folder.path().join("other.pem"));
    let mut it = Fixture::new(2);
    it.produce(0, &["{\"n\":1}"], "none");
    it.produce(1, &["{\"n\":2}"], "none");
    let user = "$ConnectionString".to_owned();
    let known = Mechanism::Plain { user, password: string.to_owned() };
    let broker = it.cluster.bootstrap_servers();
    let gate = Gate::open_tls(&broker, known.clone(), "127.0.0.1", &ca);
    let of_another_host = Gate::open_tls(&broker, known, "broker.example", &other_ca);
    let source = |gate: &Gate, ca_file: Option<&std::path::Path>| {
        let ca_file = ca_file.map(|path| format!("ca_file = '{}'", path.display())).unwrap_or_default();
        let more = format!("connection_string_env = 'HUB'\n{ca_file}");
        open(&settings_of_tls(&gate.address(), "connection_string", &more), &env, Limits::default())
    };

    let mut trusting = source(&gate, Some(&ca)).unwrap();
    assert_eq!(it.drain(trusting.as_mut()).await, ["{\"n\":1}\n", "{\"n\":2}\n"]);

    // Each tries for a while, so they do at once.
    let cases = [(&gate, None), (&gate, Some(&*other_ca)), (&of_another_host, Some(&*other_ca))];
    let polls = cases.map(|(gate, ca_file)| {
        let mut source = source(gate, ca_file).unwrap();
        async move { (gate.address(), source.poll(&Default::default()).await.unwrap_err()) }
    });
    for (address, error) in futures::future::join_all(polls).await {
        assert!(matches!(error, SourceError::Refused { .. }), "{error:?}");
        let said = error.to_string();
        assert!(said.starts_with(&address), "{said}");
        let mend = "its certificate is not trusted; correct the host's name, or set ca_file";
        assert!(said.contains(mend), "{said}");
    }
    let refused = |path: &str| source(&gate, Some(&folder.path().join(path))).err().unwrap().to_string();
    let missing = refused("none.pem");
    assert!(missing.contains("ca_file ") && missing.contains("none.pem cannot be read"), "{missing}");
    std::fs::write(folder.path().join("empty.pem"), "no certificate").unwrap();
    let empty = refused("empty.pem");
    assert!(empty.contains("empty.pem") && empty.contains("certificate"), "{empty}");
}
