//! Buckets of S3, against moto.
#![allow(clippy::unwrap_used, reason = "tests; clippy excuses only the bodies of test functions")]

mod support;

use chrono::{TimeDelta, Utc};
use object_store::aws::AmazonS3Builder;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use sources::{Environment, Limits, Source, SourceSettings, open};
use support::Caller;
use support::emulator::Emulator;

const BUCKET: &str = "azure-logs";

async fn start(strict: bool) -> Emulator {
    let server = Emulator::s3(strict);
    let reply = reqwest::Client::new().put(format!("{}/{BUCKET}", server.origin)).send().await.unwrap();
    assert!(reply.status().is_success(), "{}", reply.status());
    server
}

fn source(server: &Emulator, bucket: &str, limits: Limits) -> Box<dyn Source> {
    let settings: SourceSettings = toml::from_str(&format!(
        "type = 's3'\nname = 'logs'\nbucket = '{bucket}'\nregion = 'us-east-1'\nendpoint = '{}'\n\
         access_key_id_env = 'ID'\nsecret_access_key_env = 'SECRET'\n",
        server.origin
    ))
    .unwrap();
    let env: Environment =
        [("ID", "id"), ("SECRET", "secret")].map(|(k, v)| (k.to_owned(), v.to_owned())).into_iter().collect();
    open(&settings, &env, limits).unwrap()
}

async fn write(server: &Emulator, key: &str, text: &str) {
    let store = AmazonS3Builder::new()
        .with_bucket_name(BUCKET)
        .with_region("us-east-1")
        .with_endpoint(&server.origin)
        .with_allow_http(true)
        .with_access_key_id("id")
        .with_secret_access_key("secret")
        .build()
        .unwrap();
    let store: &dyn ObjectStore = &store;
    store.put(&Path::parse(key).unwrap(), text.to_owned().into()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn objects_are_listed_read_in_ranges_and_resumed() {
    let server = start(false).await;
    let hour = (Utc::now() - TimeDelta::hours(1)).format("y=%Y/m=%m/d=%d/h=%H/m=00").to_string();
    let log = format!("copied/tenantId=0f0e0d0c/{hour}/PT1H.json");
    let mut caller = Caller::default();
    let mut reader = source(&server, BUCKET, Limits::default());
    write(&server, &log, "{\"n\":1}\n{\"n\"").await;
    write(&server, "cost.csv", "a,b\n1,2\n").await;
    let mut taken = caller.drain(reader.as_mut()).await.unwrap();
    taken.sort();
    assert_eq!(taken, ["a,b\n1,2\n", "{\"n\":1}\n"]);
    assert_eq!(caller.drain(reader.as_mut()).await.unwrap(), [""; 0]);

    let lines: Vec<String> = (1..100).map(|n| format!("{{\"n\":{n}}}")).collect();
    write(&server, &log, &(lines.join("\n") + "\n")).await;
    let mut reader = source(&server, BUCKET, Limits { piece_bytes: 100, batch_bytes: 200 });
    let pieces = caller.drain(reader.as_mut()).await.unwrap();
    assert!(pieces.len() > 8, "{}", pieces.len());
    assert_eq!(pieces.concat(), lines[1..].join("\n") + "\n");
    assert_eq!(caller.drain(reader.as_mut()).await.unwrap(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_say_what_to_do() {
    let (server, strict) = (start(false).await, start(true).await);
    let cases = [
        (&server, "no-such-bucket", "create it, or correct the account, container or bucket"),
        (&strict, BUCKET, "the credentials are not accepted"),
    ];
    for (server, bucket, expected) in cases {
        let mut source = source(server, bucket, Limits::default());
        let error = source.poll(&Default::default()).await.unwrap_err();
        assert!(!error.is_transient(), "{error:?}");
        assert!(error.to_string().contains(expected), "{error:?}");
    }
}
