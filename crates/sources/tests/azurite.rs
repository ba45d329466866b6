//! Containers in Azure Blob, against Azurite.
#![allow(clippy::unwrap_used, reason = "tests; clippy excuses only the bodies of test functions")]

mod support;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use sources::{Environment, Limits, Source, SourceError, SourceSettings, open};
use support::Caller;
use support::azure::{ACCOUNT, Azure, CONTAINER, KEY, blob};

fn source_of(azure: &Azure, container: &str, key: &str, limits: Limits) -> Box<dyn Source> {
    let settings: SourceSettings = toml::from_str(&format!(
        "type = 'azure_blob'\nname = 'logs'\naccount = '{ACCOUNT}'\ncontainer = '{container}'\n\
         endpoint = '{}/{ACCOUNT}'\naccount_key_env = 'KEY'\n",
        azure.server.origin
    ))
    .unwrap();
    let env: Environment = [("KEY".to_owned(), key.to_owned())].into_iter().collect();
    open(&settings, &env, limits).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn logs_and_exports_are_read_as_azure_lays_them_out() {
    let azure = Azure::start();
    azure.make_container().await;
    let mut caller = Caller::default();
    let mut source = source_of(&azure, CONTAINER, KEY, Limits::default());
    assert_eq!(caller.drain(source.as_mut()).await.unwrap(), [""; 0]);

    // The activity log: an append blob of lines, which grows.
    azure.make_append_blob(&blob(0)).await;
    azure.append(&blob(0), "{\"n\":1}\r\n{\"n\":2}\r\n").await;
    assert_eq!(caller.drain(source.as_mut()).await.unwrap(), ["{\"n\":1}\r\n{\"n\":2}\r\n"]);
    assert_eq!(caller.drain(source.as_mut()).await.unwrap(), [""; 0]);
    azure.append(&blob(0), "{\"n\":3}\r\n").await;
    let mut source = source_of(&azure, CONTAINER, KEY, Limits::default());
    assert_eq!(caller.drain(source.as_mut()).await.unwrap(), ["{\"n\":3}\r\n"], "after a restart");

    // A flow log: a block blob that is rewritten.
    let flow = format!("flowLogResourceID=/X/{}", blob(1).replace("m=00/", "m=00/macAddress=00224871C205/"));
    azure.write(&flow, "{\"records\":[{\"n\":4}]}").await;
    assert_eq!(caller.drain(source.as_mut()).await.unwrap(), ["{\"records\":[{\"n\":4}]}"]);
    azure.write(&flow, "{\"records\":[{\"n\":4},{\"n\":5}]}").await;
    assert_eq!(caller.drain(source.as_mut()).await.unwrap(), ["{\"records\":[{\"n\":4},{\"n\":5}]}"]);

    // A cost export: a run with a manifest.
    let run = "costs/daily/20310201-20310228/0f0e0d0c-0000-4000-8000-000000000001";
    azure.write(&format!("{run}/part_0_0001.csv"), "a,b\n1,2\n").await;
    assert_eq!(caller.drain(source.as_mut()).await.unwrap(), [""; 0]);
    azure.write(&format!("{run}/manifest.json"), "{}").await;
    assert_eq!(caller.drain(source.as_mut()).await.unwrap(), ["a,b\n1,2\n"]);
    let (_, manifest) = caller.manifests.last().unwrap();
    assert_eq!(manifest, &Some(("{}".to_owned(), "part_0_0001.csv".to_owned())));
    assert_eq!(caller.drain(source.as_mut()).await.unwrap(), [""; 0]);

    // More than a piece holds.
    let mut source = source_of(&azure, CONTAINER, KEY, Limits { piece_bytes: 100, batch_bytes: 200 });
    let lines: Vec<String> = (10..100).map(|n| format!("{{\"n\":{n}}}")).collect();
    azure.append(&blob(0), &(lines.join("\n") + "\n")).await;
    azure.write("large.csv", &"a,b\n".repeat(100)).await;
    let pieces = caller.drain(source.as_mut()).await.unwrap();
    assert!(pieces.len() > 8, "{}", pieces.len());
    let taken: Vec<&str> =
        pieces.iter().flat_map(|piece| piece.lines()).filter(|line| line.starts_with('{')).collect();
    assert_eq!(taken, lines);
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_say_what_to_do() {
    let azure = Azure::start();
    azure.make_container().await;
    let wrong_key = BASE64_STANDARD.encode("not the key");
    let cases = [
        (CONTAINER, wrong_key.as_str(), "the credentials are not accepted"),
        ("no-such-container", KEY, "create it, or correct the account, container or bucket"),
    ];
    for (container, key, expected) in cases {
        let mut source = source_of(&azure, container, key, Limits::default());
        let error = source.poll(&Default::default()).await.unwrap_err();
        assert!(!error.is_transient(), "{error:?}");
        assert!(error.to_string().contains(expected), "{error:?}");
        assert!(
            error.to_string().contains(&format!("container {container} of storage account {ACCOUNT}")),
            "{error}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_is_away_is_told_as_such() {
    let azure = Azure::start();
    let mut source = source_of(&azure, CONTAINER, KEY, Limits::default());
    drop(azure);
    let error = source.poll(&Default::default()).await.unwrap_err();
    assert!(matches!(error, SourceError::Unavailable { .. }), "{error:?}");
}
