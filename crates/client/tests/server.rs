//! The client against servers on this machine that answer as Graph does, and as it does not.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::collections::VecDeque;
use std::io::Write as _;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use alerts::{PartnerSecurityAlert, ResolvedReason, Status, StatusChange};
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use client::{Builder, Change, Client, DeltaStart, Error, ListOptions};
use futures::StreamExt as _;
use serde_json::{Map, Value, json};

type Object = Map<String, Value>;

/// What the server got: method and path with query, headers, body.
#[derive(Debug, Clone)]
struct Got {
    line: String,
    headers: axum::http::HeaderMap,
    body: String,
}

impl Got {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

/// A server that gives its replies one after the other, whatever it is asked.
#[derive(Clone)]
struct Scripted {
    address: SocketAddr,
    replies: Arc<Mutex<VecDeque<Response>>>,
    got: Arc<Mutex<Vec<Got>>>,
}

impl Scripted {
    async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let script = Self::at(listener.local_addr().unwrap());
        let router = script.router();
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        script
    }

    fn at(address: SocketAddr) -> Self {
        Self { address, replies: Arc::default(), got: Arc::default() }
    }

    fn router(&self) -> Router {
        Router::new().fallback(answer).with_state(self.clone())
    }

    fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Adds a reply with a JSON body.
    fn reply(&self, status: u16, headers: &[(&str, &str)], body: &Value) -> &Self {
        self.raw(status, headers, body.to_string())
    }

    fn raw(&self, status: u16, headers: &[(&str, &str)], body: impl Into<Body>) -> &Self {
        let mut response = Response::builder().status(status).header("content-type", "application/json");
        for (name, value) in headers {
            response = response.header(*name, *value);
        }
        self.replies.lock().unwrap().push_back(response.body(body.into()).unwrap());
        self
    }

    /// The link to the page with this token.
    fn link(&self, token: &str) -> String {
        format!("{}/beta/security/partner/securityAlerts?$skiptoken={token}", self.url())
    }

    fn got(&self) -> Vec<Got> {
        self.got.lock().unwrap().clone()
    }

    fn lines(&self) -> Vec<String> {
        self.got().into_iter().map(|got| got.line).collect()
    }
}

async fn answer(State(script): State<Scripted>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
    script.got.lock().unwrap().push(Got {
        line: format!("{} {}", head.method, head.uri),
        headers: head.headers,
        body: String::from_utf8(body.to_vec()).unwrap(),
    });
    let reply = script.replies.lock().unwrap().pop_front();
    reply.unwrap_or_else(|| Response::builder().status(500).body("the script is over".into()).unwrap())
}

/// A client that does not wait but remembers how long it would have.
fn patient(server: &Scripted) -> (Builder, Arc<Mutex<Vec<u64>>>) {
    let waits = Arc::new(Mutex::new(Vec::new()));
    let remembered = waits.clone();
    let builder = Client::builder(&server.url(), "tok".into()).sleep_with(move |wait| {
        remembered.lock().unwrap().push(wait.as_secs());
        Box::pin(std::future::ready(()))
    });
    (builder, waits)
}

fn client(server: &Scripted) -> Client {
    patient(server).0.build().unwrap()
}

fn alert(id: &str) -> Value {
    json!({
        "id": id, "alertType": "CryptoMining", "displayName": "d", "severity": "high",
        "confidenceLevel": "low", "status": "active", "detectedDateTime": "2031-01-01T00:00:00Z",
        "customerTenantId": "c", "subscriptionId": "s", "newInGraph": true
    })
}

/// The ids of all pages, or the first error.
async fn ids(client: &Client, options: &ListOptions) -> Result<Vec<String>, Error> {
    let mut pages = std::pin::pin!(client.list::<PartnerSecurityAlert>(options));
    let mut ids = Vec::new();
    while let Some(page) = pages.next().await {
        ids.extend(page?.alerts.into_iter().map(|alert| alert.id.to_string()));
    }
    Ok(ids)
}

const ALERTS: &str = "/beta/security/partner/securityAlerts";

#[tokio::test]
async fn pages_are_followed_to_the_last() {
    let server = Scripted::start().await;
    server
        .reply(
            200,
            &[],
            &json!({"@odata.count": 3, "@odata.nextLink": server.link("2"), "value": [alert("a-1")]}),
        )
        .reply(200, &[], &json!({"@odata.nextLink": format!("{ALERTS}?$skiptoken=3"), "value": []}))
        .reply(200, &[], &json!({"value": [alert("a-2"), alert("a-3")]}));
    let options = ListOptions {
        filter: Some("severity eq 'high'".into()),
        count: true,
        page_size: Some(2),
        ..ListOptions::default()
    };
    assert_eq!(ids(&client(&server), &options).await.unwrap(), ["a-1", "a-2", "a-3"]);
    assert_eq!(
        server.lines(),
        [
            format!("GET {ALERTS}?$filter=severity%20eq%20%27high%27&$count=true"),
            format!("GET {ALERTS}?$skiptoken=2"),
            format!("GET {ALERTS}?$skiptoken=3"),
        ]
    );
    let got = server.got();
    for got in &got {
        assert_eq!(got.header("authorization"), "Bearer tok");
        assert_eq!(got.header("prefer"), "odata.maxpagesize=2");
        assert_eq!(got.header("client-request-id").len(), 36);
    }
    assert_ne!(got[0].header("client-request-id"), got[1].header("client-request-id"));
}

#[tokio::test]
async fn a_page_tells_count_and_end_and_keeps_what_we_do_not_know() {
    let server = Scripted::start().await;
    server.reply(
        200,
        &[],
        &json!({"@odata.count": 2, "@odata.nextLink": server.link("2"), "value": [alert("a-1")]}),
    );
    let client = client(&server);
    let mut pages = std::pin::pin!(client.list::<Object>(&ListOptions::default()));
    let page = pages.next().await.unwrap().unwrap();
    assert_eq!((page.count, page.is_last), (Some(2), false));
    assert_eq!(page.alerts[0]["newInGraph"], true);
    assert_eq!(server.lines().len(), 1, "a page that nobody asked for was read");
}

#[tokio::test]
async fn the_token_never_goes_to_another_server() {
    let (server, other) = (Scripted::start().await, Scripted::start().await);
    let client = client(&server);

    server.reply(200, &[], &json!({"@odata.nextLink": other.link("2"), "value": []}));
    let error = ids(&client, &ListOptions::default()).await.unwrap_err();
    assert!(matches!(error, Error::ForeignLink { .. }), "{error}");
    assert!(!error.to_string().contains("skiptoken"), "{error}");

    server.reply(307, &[("location", &other.link("3"))], &Value::Null);
    let error = ids(&client, &ListOptions::default()).await.unwrap_err();
    assert!(matches!(error, Error::Redirect { .. }), "{error}");

    let start = DeltaStart::After(other.link("4"));
    let error = client.delta::<Object>(start).err().unwrap();
    assert!(matches!(error, Error::ForeignLink { .. }), "{error}");

    assert!(other.got().is_empty(), "{:?}", other.got());
}

#[tokio::test]
async fn a_page_that_leads_to_itself_ends_the_list() {
    let server = Scripted::start().await;
    for _ in 0..3 {
        server.reply(200, &[], &json!({"@odata.nextLink": server.link("2"), "value": []}));
    }
    let error = ids(&client(&server), &ListOptions::default()).await.unwrap_err();
    assert!(matches!(error, Error::EndlessPages { .. }), "{error}");
    assert_eq!(server.lines().len(), 2);
}

#[tokio::test]
async fn a_busy_server_is_asked_again_when_it_says() {
    let server = Scripted::start().await;
    server
        .reply(429, &[("retry-after", "3")], &json!({"error": {"code": "TooManyRequests", "message": "m"}}))
        .reply(503, &[("retry-after", "5")], &Value::Null)
        .reply(200, &[], &json!({"value": [alert("a-1")]}));
    let (builder, waits) = patient(&server);
    assert_eq!(ids(&builder.build().unwrap(), &ListOptions::default()).await.unwrap(), ["a-1"]);
    assert_eq!(*waits.lock().unwrap(), [3, 5]);
}

#[tokio::test]
async fn patience_ends_with_the_servers_words() {
    let server = Scripted::start().await;
    let throttled = json!({"error": {"code": "TooManyRequests", "message": "Slow down"}});
    for _ in 0..5 {
        server.reply(429, &[], &throttled);
    }
    let (builder, waits) = patient(&server);
    let client = builder.retries(2).longest_wait(Duration::from_secs(60)).build().unwrap();
    let error = ids(&client, &ListOptions::default()).await.unwrap_err();
    assert_eq!(error.to_string(), "Slow down (429 TooManyRequests); try again later");
    assert_eq!(*waits.lock().unwrap(), [1, 2]);

    server.replies.lock().unwrap().clear();
    server.reply(429, &[("retry-after", "3600")], &throttled);
    let error = ids(&client, &ListOptions::default()).await.unwrap_err();
    assert_eq!(error.to_string(), "Slow down (429 TooManyRequests); try again in 3600 s");
    assert_eq!(waits.lock().unwrap().len(), 2, "it waited although the server asked for too much");
}

#[tokio::test]
async fn a_refusal_is_told_with_code_and_request_id() {
    let server = Scripted::start().await;
    let error = json!({"error": {"code": "Forbidden", "message": "Missing scopes.",
        "innerError": {"request-id": "in-the-body"}}});
    server.reply(403, &[("request-id", "in-the-header")], &error).reply(403, &[], &error);
    let client = client(&server);
    for request_id in ["in-the-header", "in-the-body"] {
        let error = client.get::<Object>(&"a-1".parse().unwrap(), &[]).await.unwrap_err();
        let refusal = error.refusal().unwrap();
        assert_eq!((refusal.status, refusal.code.as_str()), (403, "Forbidden"));
        assert_eq!(refusal.request_id.as_deref(), Some(request_id));
        let sent = server.got().last().unwrap().header("client-request-id").to_owned();
        assert_eq!(refusal.client_request_id, sent);
        assert!(error.to_string().ends_with("needs the permission PartnerSecurity.Read.All"), "{error}");
    }
}

#[tokio::test]
async fn what_is_not_graph_is_told() {
    let server = Scripted::start().await;
    let client = client(&server);
    for body in ["<html>Welcome</html>", "{}", "{\"value\": 7}", "{\"value\": [{\"id\": \"a-1\"}]}", ""] {
        server.raw(200, &[], body.to_owned());
        let error = ids(&client, &ListOptions::default()).await.unwrap_err();
        assert!(matches!(error, Error::NotGraph { .. }), "{body}: {error}");
    }
}

#[tokio::test]
async fn an_alert_is_read_by_any_id_with_its_etag() {
    let server = Scripted::start().await;
    let mut tagged = alert("a/b c?é");
    tagged["@odata.etag"] = "W/\"7\"".into();
    server.reply(200, &[], &tagged).reply(200, &[("etag", "W/\"8\"")], &alert("a-1"));
    let client = client(&server);

    let found =
        client.get::<Object>(&"a/b?é".parse().unwrap(), &["id".into(), "status".into()]).await.unwrap();
    assert_eq!(found.etag.as_deref(), Some("W/\"7\""));
    let found = client.get::<PartnerSecurityAlert>(&"a-1".parse().unwrap(), &[]).await.unwrap();
    assert_eq!((found.alert.id.as_str(), found.etag.as_deref()), ("a-1", Some("W/\"8\"")));
    assert_eq!(
        server.lines(),
        [format!("GET {ALERTS}/a%2Fb%3F%C3%A9?$select=id,status"), format!("GET {ALERTS}/a-1")]
    );

    let error = client.get::<Object>(&"..".parse().unwrap(), &[]).await.unwrap_err();
    assert!(matches!(error, Error::AlertId(_)), "{error}");
}

#[tokio::test]
async fn a_change_is_sent_with_its_condition() {
    let server = Scripted::start().await;
    server
        .reply(200, &[], &alert("a-1"))
        .reply(412, &[], &json!({"error": {"code": "resourceModified", "message": "The ETag is old."}}))
        .raw(204, &[], String::new())
        .reply(200, &[], &alert("a-1"));
    let client = client(&server);
    let id = "a-1".parse().unwrap();
    let fraud = StatusChange { to: Status::Resolved, reason: Some(ResolvedReason::Fraud) };
    let reopened = StatusChange { to: Status::Active, reason: None };

    client.update::<PartnerSecurityAlert>(&id, &fraud, None).await.unwrap();
    let error = client.update::<Object>(&id, &fraud, Some("W/\"7\"")).await.unwrap_err();
    assert!(error.refusal().unwrap().is_stale(), "{error}");
    // Nothing said is no alert, so it is read.
    assert_eq!(client.update::<Object>(&id, &reopened, None).await.unwrap().alert["id"], "a-1");
    assert!(matches!(client.update::<Object>(&id, &reopened, Some("a\nb")).await, Err(Error::ETag(_))));

    let got = server.got();
    let (patch, get) = (format!("PATCH {ALERTS}/a-1"), format!("GET {ALERTS}/a-1"));
    assert_eq!(server.lines(), [patch.as_str(), patch.as_str(), patch.as_str(), get.as_str()]);
    assert_eq!(got[0].body, r#"{"status":"resolved","resolvedReason":"fraud"}"#);
    assert_eq!(got[0].header("content-type"), "application/json");
    assert_eq!((got[0].header("if-match"), got[1].header("if-match")), ("", "W/\"7\""));
    assert_eq!(got[2].body, r#"{"status":"active"}"#);
}

#[tokio::test]
async fn a_delta_query_ends_with_where_to_go_on() {
    let server = Scripted::start().await;
    let link = server.link("d-1");
    server
        .reply(200, &[], &json!({"@odata.nextLink": server.link("2"), "value": [alert("a-1")]}))
        .reply(
            200,
            &[],
            &json!({"@odata.deltaLink": link, "value": [
                {"id": "a-0", "@removed": {"reason": "deleted"}}, alert("a-2")]}),
        )
        .reply(410, &[], &json!({"error": {"code": "syncStateNotFound", "message": "Too old"}}));
    let client = client(&server);

    let start = DeltaStart::Everything(ListOptions::default());
    let pages: Vec<_> = client.delta::<PartnerSecurityAlert>(start).unwrap().collect().await;
    let pages: Vec<_> = pages.into_iter().map(Result::unwrap).collect();
    let told: Vec<_> = pages
        .iter()
        .flat_map(|page| &page.changes)
        .map(|change| match change {
            Change::Present(alert) => format!("{} is {}", alert.id, alert.status),
            Change::Removed { id, reason } => format!("{id} is gone: {reason:?}"),
        })
        .collect();
    assert_eq!(told, ["a-1 is active", "a-0 is gone: Some(\"deleted\")", "a-2 is active"]);
    assert_eq!(
        pages.iter().map(|page| page.delta_link.clone()).collect::<Vec<_>>(),
        [None, Some(link.clone())]
    );

    let mut pages = std::pin::pin!(client.delta::<Object>(DeltaStart::After(link)).unwrap());
    let error = pages.next().await.unwrap().unwrap_err();
    assert!(error.refusal().unwrap().needs_resync(), "{error}");
    assert_eq!(
        server.lines(),
        [
            format!("GET {ALERTS}/delta()"),
            format!("GET {ALERTS}?$skiptoken=2"),
            format!("GET {ALERTS}?$skiptoken=d-1")
        ]
    );
}

#[tokio::test]
async fn packed_replies_are_unpacked() {
    let server = Scripted::start().await;
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(json!({"value": [alert("a-1")]}).to_string().as_bytes()).unwrap();
    server.raw(200, &[("content-encoding", "gzip")], packer.finish().unwrap());
    assert_eq!(ids(&client(&server), &ListOptions::default()).await.unwrap(), ["a-1"]);
    assert!(server.got()[0].header("accept-encoding").contains("gzip"));
}

#[tokio::test]
async fn a_small_packed_reply_cannot_fill_the_memory() {
    let server = Scripted::start().await;
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    for _ in 0..65 {
        packer.write_all(&vec![b' '; 1 << 20]).unwrap();
    }
    server.raw(200, &[("content-encoding", "gzip")], packer.finish().unwrap());
    let error = ids(&client(&server), &ListOptions::default()).await.unwrap_err();
    assert!(matches!(error, Error::TooLarge { .. }), "{error}");
}

#[tokio::test]
async fn who_is_not_there_or_does_not_answer_is_told() {
    // A port that was just given back.
    let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = free.local_addr().unwrap();
    drop(free);
    let gone = Client::new(&format!("http://{address}"), "tok".into()).unwrap();
    let error = ids(&gone, &ListOptions::default()).await.unwrap_err();
    assert!(matches!(error, Error::Unreachable { .. }), "{error}");

    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let client = Client::builder(&url, "tok".into()).timeout(Duration::from_millis(50)).build().unwrap();
    let error = ids(&client, &ListOptions::default()).await.unwrap_err();
    assert_eq!(error.to_string(), format!("{url} did not answer within 0.05 s"));
}

#[tokio::test]
async fn a_server_of_ones_own_is_trusted_by_its_ca() {
    let key = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let private = rustls::pki_types::PrivateKeyDer::try_from(key.signing_key.serialize_der()).unwrap();
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![key.cert.der().clone()], private)
        .unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let server = Scripted::at(listener.local_addr().unwrap());
    server.reply(200, &[], &json!({"value": [alert("a-1")]}));
    let tls = axum_server::tls_rustls::RustlsConfig::from_config(Arc::new(config));
    let router = server.router().into_make_service();
    tokio::spawn(async move {
        axum_server::from_tcp_rustls(listener, tls).unwrap().serve(router).await.unwrap();
    });
    let url = format!("https://localhost:{}", server.address.port());

    let stranger = Client::new(&url, "tok".into()).unwrap();
    let error = ids(&stranger, &ListOptions::default()).await.unwrap_err();
    assert!(matches!(error, Error::Certificate { .. }), "{error:?}");
    assert!(server.got().is_empty());

    let pem = key.cert.pem().into_bytes();
    let friend = Client::builder(&url, "tok".into()).ca_pem(pem).build().unwrap();
    assert_eq!(ids(&friend, &ListOptions::default()).await.unwrap(), ["a-1"]);
}
