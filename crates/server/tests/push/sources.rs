//! A folder that the server follows, and what can be asked of it.

use std::fs;
use std::path::Path;
use std::time::Duration;

use graph::auth::READ;
use ingest::schema::Kind;
use reqwest::StatusCode;
use serde_json::Value;
use server::config::Settings;
use sources::SourceSettings;
use store::CoverageQuery;

use super::{CUSTOMER, Here, activity, json_of};

pub(super) fn following(folder: &Path) -> Settings {
    let path = folder.display();
    let text =
        format!("type = 'folder'\nname = 'exports'\npath = '{path}'\npoll_every = '50ms'\nsettle = '50ms'");
    let source: SourceSettings = toml::from_str(&text).unwrap();
    Settings { sources: vec![source], ..Settings::default() }
}

/// Waits until the lake has so many events.
async fn wait_for(here: &Here, count: u64) {
    for _ in 0..600 {
        if here.count().await >= count {
            assert_eq!(here.count().await, count);
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{} events instead of {count}", here.count().await);
}

async fn get(here: &Here, path: &str) -> Value {
    let request = here.client.get(format!("{}{path}", here.url)).bearer_auth(here.token(READ, None));
    let reply = request.send().await.unwrap();
    assert_eq!(reply.status(), StatusCode::OK, "{path}");
    json_of(reply).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_is_followed_and_what_came_of_it_can_be_asked() {
    let exports = tempfile::tempdir().unwrap();
    let file = exports.path().join("PT1H.json");
    let line = |machine: &str| activity(1, machine, Some(CUSTOMER)) + "\n";
    fs::write(&file, line("vm1") + &line("vm2")).unwrap();
    let here = Here::new(following(exports.path())).await;
    wait_for(&here, 2).await;
    // It grows, and another comes, with a record that cannot be read.
    fs::write(&file, line("vm1") + &line("vm2") + &line("vm3")).unwrap();
    fs::write(exports.path().join("other.json"), line("vm4") + "{\"time\":\"never\"\n").unwrap();
    wait_for(&here, 4).await;

    let mut source = Value::Null;
    for _ in 0..200 {
        source = get(&here, "tenantwatch/v1/sources").await["value"][0].clone();
        if source["records"].as_u64() >= Some(5) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(
        (&source["name"], &source["type"], &source["state"]),
        (&"exports".into(), &"folder".into(), &"ok".into())
    );
    let coverage = get(&here, "tenantwatch/v1/coverage?kind=activity").await;
    let entries = coverage["value"].as_array().unwrap();
    let own = entries.iter().find(|entry| entry["customerTenantId"] == CUSTOMER).unwrap();
    assert_eq!(
        (&own["stored"], &own["silent"], &own["subscriptionId"]),
        (&4.into(), &false.into(), &"s-1".into())
    );
    assert_eq!(get(&here, "tenantwatch/v1/notices").await["value"], Value::Array(vec![]));
    let page = get(&here, "tenantwatch/v1/coverage?top=1").await;
    let next = page["nextLink"].as_str().unwrap_or_default().trim_start_matches('/').to_owned();
    assert!(get(&here, &next).await["value"].as_array().unwrap().len() <= 1, "{next}");
    let metrics = here.client.get(format!("{}metrics", here.url)).bearer_auth(here.token(READ, None));
    let metrics = String::from_utf8(metrics.send().await.unwrap().bytes().await.unwrap().to_vec()).unwrap();
    assert!(metrics.contains("tenantwatch_events_stored_total{kind=\"activity\"} 4"), "{metrics}");
    let wrong = here.client.get(format!("{}tenantwatch/v1/coverage?kinds=x", here.url));
    let wrong = wrong.bearer_auth(here.token(READ, None)).send().await.unwrap();
    assert_eq!(wrong.status(), StatusCode::BAD_REQUEST);
    let unread = ingest::quarantine_files(&here.instance.data_dir.quarantine()).unwrap();
    assert_eq!(unread.len(), 1);
    assert_eq!(Kind::Activity.name(), "activity");

    // A customer's own view.
    let request = here.client.get(format!("{}tenantwatch/v1/coverage", here.url));
    let reply = request.bearer_auth(here.token(READ, Some(super::OTHER))).send().await.unwrap();
    assert_eq!(json_of(reply).await["value"], Value::Array(vec![]));
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_lines_of_a_file_that_grows_hide_nothing() {
    let exports = tempfile::tempdir().unwrap();
    let file = exports.path().join("PT1H.json");
    let unknown = "{\"unknown\":1}\n".repeat(150);
    let line = |machine: &str| activity(1, machine, Some(CUSTOMER)) + "\n";
    fs::write(&file, format!("{unknown}{}", line("vm1"))).unwrap();
    // Not of lines, so read as a whole: none of ours.
    fs::write(exports.path().join("other.json"), "{\n\"unknown\": 1\n}\n".repeat(150)).unwrap();
    let here = Here::new(following(exports.path())).await;
    wait_for(&here, 1).await;
    // More unknown lines than a file may have, in a piece that has nothing else.
    let grown = format!("{unknown}{}{unknown}", line("vm1"));
    fs::write(&file, &grown).unwrap();
    let rejected = || {
        let files = ingest::quarantine_files(&here.instance.data_dir.quarantine()).unwrap();
        files.iter().map(|file| ingest::read_quarantine(file).unwrap().count()).sum::<usize>()
    };
    for _ in 0..600 {
        if rejected() >= 301 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(rejected(), 301);
    fs::write(&file, grown + &line("vm2")).unwrap();
    wait_for(&here, 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_fails_is_told_of_and_goes_on_once_it_is_mended() {
    let exports = tempfile::tempdir().unwrap();
    let missing = exports.path().join("not-yet");
    let here = Here::new(following(&missing)).await;
    let notice = async |wanted: bool| {
        for _ in 0..800 {
            let notices = get(&here, "tenantwatch/v1/notices").await["value"].as_array().unwrap().clone();
            if notices.is_empty() != wanted {
                return notices;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("no notice comes or goes");
    };
    let told = notice(true).await;
    assert_eq!((&told[0]["kind"], &told[0]["subject"]), (&"source_failing".into(), &"exports".into()));
    assert!(told[0]["text"].as_str().unwrap().contains("not-yet"), "{told:?}");
    fs::create_dir(&missing).unwrap();
    fs::write(missing.join("a.json"), activity(1, "vm1", Some(CUSTOMER)) + "\n").unwrap();
    notice(false).await;
    wait_for(&here, 1).await;
    let query = CoverageQuery::default();
    let coverage = here.instance.store.coverage(&here.instance.scope(), &query).await.unwrap();
    assert_eq!(coverage.len(), 1);
}
