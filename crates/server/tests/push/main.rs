//! Records that come to a running server, pushed or from sources: what is acknowledged is in the lake, once.
#![expect(clippy::unwrap_used, reason = "tests; clippy excuses only the bodies of test functions")]

mod costs;
mod coverage;
mod sources;

use std::io::Write as _;
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;

use alerts::CustomerTenantId;
use chrono::{TimeDelta, Utc};
use datafusion::prelude::SessionContext;
use futures::future::join_all;
use graph::auth::issuer::{Issuer, TokenRequest};
use graph::auth::{INGEST, READ};
use ingest::schema::Kind;
use reqwest::{Response, StatusCode};
use serde_json::{Value, json};
use server::app::{Instance, keys};
use server::config::{DEFAULT_PARTNER_TENANT, DataDir, Settings};
use server::{ServeOptions, Server};

const CUSTOMER: &str = "0f0e0d0c-3333-4000-8000-00000000000c";
const OTHER: &str = "0f0e0d0c-3333-4000-8000-00000000000d";

/// A server on a free port; it ends with the test.
struct Here {
    url: String,
    instance: Arc<Instance>,
    issuer: Issuer,
    client: reqwest::Client,
    _folder: tempfile::TempDir,
}

impl Here {
    async fn new(settings: Settings) -> Self {
        Self::in_folder(tempfile::tempdir().unwrap(), settings).await
    }

    async fn in_folder(folder: tempfile::TempDir, settings: Settings) -> Self {
        let settings = Settings { scheduled_detection: false, ..settings };
        let instance =
            Arc::new(Instance::open(DataDir::new(folder.path().join("data")), &settings).await.unwrap());
        let options = ServeOptions { listen: SocketAddr::from(([127, 0, 0, 1], 0)), demo: false, tls: None };
        let server = Server::bind(instance.clone(), &settings, &options).await.unwrap();
        let url = server.url();
        tokio::spawn(server.run(std::future::pending()));
        let issuer = Issuer::open(&instance.data_dir.issuer()).unwrap();
        Self { url, instance, issuer, client: reqwest::Client::new(), _folder: folder }
    }

    fn token(&self, permission: &str, customer: Option<&str>) -> String {
        let request = TokenRequest {
            partner_tenant_id: DEFAULT_PARTNER_TENANT.parse().unwrap(),
            permissions: vec![permission.to_owned()],
            user: None,
            reseller_tenant_id: None,
            customer_tenant_id: customer.map(|id| id.parse().unwrap()),
            issued_at: Utc::now(),
            life: TimeDelta::minutes(5),
        };
        self.issuer.sign(&request).unwrap()
    }

    async fn post(&self, token: &str, kind: &str, body: impl Into<reqwest::Body>) -> Response {
        let path = format!("{}ingest/v1/{kind}", self.url);
        self.client.post(path).bearer_auth(token).body(body).send().await.unwrap()
    }

    /// Pushes as the partner: stored, duplicates, quarantined.
    async fn push(&self, kind: &str, body: impl Into<reqwest::Body>) -> (u64, u64, u64) {
        let reply = self.post(&self.token(INGEST, None), kind, body).await;
        assert_eq!(reply.status(), StatusCode::OK);
        let reply = json_of(reply).await;
        let count = |name: &str| reply[name].as_u64().unwrap();
        assert_eq!(count("read"), count("stored") + count("duplicates") + count("quarantined"));
        (count("stored"), count("duplicates"), count("quarantined"))
    }

    /// Status and message of a push that is refused.
    async fn refused(&self, token: &str, kind: &str, body: String) -> (StatusCode, String) {
        let reply = self.post(token, kind, body).await;
        let status = reply.status();
        let reply = json_of(reply).await;
        (status, reply["error"]["message"].as_str().unwrap().to_owned())
    }

    /// Customer and resource of each event in the lake, in order.
    async fn stored(&self) -> Vec<(String, String)> {
        let session = SessionContext::new();
        self.instance.lake.register(&session).await.unwrap();
        let query =
            "select coalesce(customer_tenant_id, '-') as customer, resource_id from activity order by 2";
        let mut found = Vec::new();
        for batch in session.sql(query).await.unwrap().collect().await.unwrap() {
            use datafusion::arrow::array::AsArray as _;
            let column = |at: usize| {
                batch
                    .column(at)
                    .as_string_view_opt()
                    .map(|texts| texts.iter().flatten().map(str::to_owned).collect::<Vec<_>>())
                    .unwrap_or_else(|| {
                        batch.column(at).as_string::<i32>().iter().flatten().map(str::to_owned).collect()
                    })
            };
            found.extend(column(0).into_iter().zip(column(1)));
        }
        found
    }

    async fn count(&self) -> u64 {
        let summaries = self.instance.lake.describe().await.unwrap();
        summaries.iter().map(|summary| summary.rows).sum()
    }
}

async fn json_of(reply: Response) -> Value {
    serde_json::from_slice(&reply.bytes().await.unwrap()).unwrap()
}

fn activity(subscription: u8, machine: &str, tenant: Option<&str>) -> String {
    let mut record = json!({
        "time": "2031-02-03T04:05:06Z",
        "resourceId": format!("/subscriptions/s-{subscription}/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/{machine}"),
        "operationName": "Microsoft.Compute/virtualMachines/write",
        "category": "Administrative",
        "resultType": "Success",
    });
    if let Some(tenant) = tenant {
        record["tenantId"] = json!(tenant);
    }
    record.to_string()
}

const SIGN_IN: &str = r#"{"createdDateTime":"2031-02-03T04:05:08Z","id":"s-1","servicePrincipalId":"p-1","status":{"errorCode":0}}"#;

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn records_come_in_every_wrapper_and_compression_and_are_stored_once() {
    let here = Here::new(Settings::default()).await;
    let [one, two] = ["vm1", "vm2"].map(|machine| activity(1, machine, None));
    let lines = format!("{one}\n{two}\n");
    assert_eq!(here.push("activity", lines.clone()).await, (2, 0, 0));
    assert_eq!(here.push("activity", format!("[{one},{two}]")).await, (0, 2, 0));
    assert_eq!(here.push("activity", format!("{{\"records\":[{one},{two}]}}")).await, (0, 2, 0));
    assert_eq!(here.push("activity", gzip(&lines)).await, (0, 2, 0), "gzip without a header");
    assert_eq!(here.push("activity", zstd::encode_all(lines.as_bytes(), 1).unwrap()).await, (0, 2, 0));
    for (encoding, body) in [("gzip", gzip(&lines)), ("zstd", zstd::encode_all(lines.as_bytes(), 1).unwrap())]
    {
        let request = here.client.post(format!("{}ingest/v1/any", here.url)).body(body);
        let request = request.header("content-encoding", encoding).bearer_auth(here.token(INGEST, None));
        let reply = json_of(request.send().await.unwrap()).await;
        assert_eq!(reply["duplicates"], 2, "{encoding}: {reply}");
    }
    assert_eq!(here.push("any", format!("{SIGN_IN}\n{one}")).await, (1, 1, 0));
    assert_eq!(here.push("activity", String::new()).await, (0, 0, 0), "nothing is nothing");
    assert_eq!(here.stored().await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn damaged_records_are_kept_apart_and_what_is_none_of_the_kind_is_refused() {
    let here = Here::new(Settings::default()).await;
    let token = here.token(INGEST, None);
    let good = activity(1, "vm1", None);
    assert_eq!(here.push("activity", format!("{good}\n{{\"time\":\"never\"\n")).await, (1, 0, 1));
    let kept = ingest::quarantine_files(&here.instance.data_dir.quarantine()).unwrap();
    let kept: Vec<_> = ingest::read_quarantine(&kept[0]).unwrap().map(Result::unwrap).collect();
    assert_eq!(
        (kept.len(), kept[0].line, kept[0].file.to_str().unwrap()),
        (1, 2, "POST /ingest/v1/activity")
    );

    let (status, message) =
        here.refused(&token, "activity", format!("{}\n{SIGN_IN}", activity(1, "vm2", None))).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(
        message.contains("1 of the body's 2 records are of kind sign_in")
            && message.contains("/ingest/v1/any"),
        "{message}"
    );
    let (status, message) = here.refused(&token, "activity", "{\"a\":1}\n".to_owned()).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(message.contains("None of the body's 1 records can be read"), "{message}");
    // However many are unknown, those after them are stored.
    let unknown = "{\"a\":1}\n".repeat(150);
    let later = activity(1, "vm0", None);
    assert_eq!(here.push("activity", format!("{unknown}{later}\n")).await, (1, 0, 150));
    let (status, message) = here.refused(&token, "activity", unknown).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(message.contains("None of the body's 150 records can be read"), "{message}");
    let (status, message) =
        here.refused(&token, "activity", format!("{good}\n{}", "{}\n".repeat(100_001))).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(message.contains("More than 100000 of the body's records"), "{message}");
    let (status, message) = here.refused(&token, "activities", good.clone()).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert!(
        message.contains("no kind of record called 'activities'") && message.contains("sign_in"),
        "{message}"
    );
    let reply = here.client.get(format!("{}ingest/v1/activity", here.url)).send().await.unwrap();
    assert_eq!(reply.status(), StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(here.stored().await.len(), 2, "what was refused was not stored");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_pushes_its_own_records_only() {
    let here = Here::new(Settings::default()).await;
    assert_eq!(here.push("activity", activity(2, "vm2", Some(OTHER))).await, (1, 0, 0));
    let token = here.token(INGEST, Some(CUSTOMER));

    let reply = here.post(&token, "activity", activity(1, "vm1", None)).await;
    assert_eq!(reply.status(), StatusCode::OK);
    let subscription = "s-1".parse().unwrap();
    let entry =
        here.instance.store.subscription(&here.instance.scope(), &subscription).await.unwrap().unwrap();
    assert_eq!(entry.customer_tenant_id, Some(CUSTOMER.parse::<CustomerTenantId>().unwrap()));

    for (record, reason) in [
        (activity(1, "vm3", Some(OTHER)), format!("a record is of the customer {OTHER}")),
        (activity(2, "vm4", None), "the subscription s-2 is another customer's".to_owned()),
    ] {
        let (status, message) = here.refused(&token, "activity", record).await;
        assert_eq!(status, StatusCode::FORBIDDEN);
        assert!(message.contains(&reason), "{message}");
    }
    let stored = here.stored().await;
    let customers: Vec<&str> = stored.iter().map(|(customer, _)| customer.as_str()).collect();
    assert_eq!(customers, [CUSTOMER, OTHER]);

    let nobody = here.client.post(format!("{}ingest/v1/activity", here.url)).body("").send().await.unwrap();
    assert_eq!(nobody.status(), StatusCode::UNAUTHORIZED);
    let (status, message) = here.refused(&here.token(READ, None), "activity", String::new()).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    assert!(message.contains(INGEST), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ingest_key_opens_what_it_is_for_until_it_is_revoked() {
    let here = Here::new(Settings::default()).await;
    let (store, scope, now) = (&here.instance.store, here.instance.scope(), Utc::now());
    let key = async |kinds: &[Kind], expires_at| {
        let customer = CUSTOMER.parse().unwrap();
        let (key, secret) = keys::new_key(&here.instance.partner, customer, kinds, None, now, expires_at);
        store.add_ingest_key(&scope, &key, &keys::hash(&secret)).await.unwrap();
        (key.id, secret)
    };
    let (id, secret) = key(&[], None).await;
    assert_eq!(here.post(&secret, "any", activity(1, "vm1", None)).await.status(), StatusCode::OK);
    assert_eq!(here.stored().await[0].0, CUSTOMER);
    let (status, _) = here.refused(&secret, "activity", activity(1, "vm2", Some(OTHER))).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    assert!(store.ingest_key(&keys::hash(&secret)).await.unwrap().unwrap().last_used_at.is_some());

    let (_, narrow) = key(&[Kind::Flow, Kind::Dns], None).await;
    for kind in ["activity", "any"] {
        let (status, message) = here.refused(&narrow, kind, activity(1, "vm1", None)).await;
        assert_eq!(status, StatusCode::FORBIDDEN);
        assert!(message.contains("flow, dns only"), "{message}");
    }
    let (_, expired) = key(&[], Some(now)).await;
    store.revoke_ingest_key(&scope, &id, now).await.unwrap();
    for gone in [&secret, &expired, &format!("{secret}x")] {
        let (status, _) = here.refused(gone, "activity", activity(1, "vm1", None)).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED);
    }
    // A key opens the door for records and no other.
    let alerts = format!("{}beta/security/partner/securityAlerts", here.url);
    let (_, fresh) = key(&[], None).await;
    let reply = here.client.get(alerts).bearer_auth(&fresh).send().await.unwrap();
    assert_eq!(reply.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_sends_too_much_is_told_to_wait() {
    let here = Here::new(Settings { ingest_body_mib: 1, ingest_room_mib: 1, ..Settings::default() }).await;
    let token = here.token(INGEST, None);
    let large = format!("{}\n", activity(1, "vm1", None)).repeat(5000);
    let (status, message) = here.refused(&token, "activity", large.clone()).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
    assert!(message.contains("1048576 bytes"), "{message}");
    let reply = here.post(&token, "activity", gzip(&large)).await;
    assert_eq!(reply.status(), StatusCode::PAYLOAD_TOO_LARGE, "a small body that grows is no way around");

    // A sender that has begun and does not go on holds all the room.
    let address = here.url.trim_start_matches("http://").trim_end_matches('/');
    let mut held = TcpStream::connect(address).unwrap();
    let head =
        "POST /ingest/v1/activity HTTP/1.1\r\nHost: x\r\nContent-Length: 1048576\r\nAuthorization: Bearer";
    write!(held, "{head} {token}\r\n\r\n").unwrap();
    let mut refused = here.post(&token, "activity", activity(1, "vm2", None)).await;
    for _ in 0..100 {
        if refused.status() != StatusCode::OK {
            break;
        }
        refused = here.post(&token, "activity", activity(1, "vm2", None)).await;
    }
    assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS);
    assert!(refused.headers().contains_key("retry-after"));
    drop(held);
    for _ in 0..5 {
        if here.post(&token, "activity", activity(1, "vm3", None)).await.status() == StatusCode::OK {
            return;
        }
    }
    panic!("the room is not free again");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_senders_at_once_share_commits_and_each_is_told_of_its_own() {
    let here = Here::new(Settings::default()).await;
    let token = here.token(INGEST, None);
    // Each record is sent by two: one of them stores it.
    let posts = (0..60).map(|n| here.post(&token, "activity", activity(1, &format!("vm{}", n / 2), None)));
    let replies = join_all(posts).await;
    let (mut stored, mut duplicates) = (0, 0);
    for reply in replies {
        let reply = json_of(reply).await;
        assert_eq!(reply["read"], 1);
        stored += reply["stored"].as_u64().unwrap();
        duplicates += reply["duplicates"].as_u64().unwrap();
    }
    assert_eq!((stored, duplicates, here.count().await), (30, 30, 30));
    let summaries = here.instance.lake.describe().await.unwrap();
    let activity = summaries.iter().find(|summary| summary.kind == Kind::Activity).unwrap();
    assert!(activity.files < 30, "{} commits for 60 requests", activity.files);
}
