//! The compatibility scenarios of `tests/scenarios`, on every store.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use alerts::{Alert, Origin, Scope};
use axum::body::Body;
use axum::http::{Request, StatusCode};
use chrono::{TimeDelta, Utc};
use futures::{StreamExt as _, stream};
use graph::Graph;
use graph::auth::issuer::{Issuer, TokenRequest};
use graph::auth::verifier::Verifier;
use graph::auth::{READ, READ_WRITE};
use graph::http::{protect, routes, surround};
use odata::TokenKey;
use serde::Deserialize;
use serde_json::{Map, Value};
use store::Store;
use tower::ServiceExt as _;

const PARTNER: &str = "7e4a9c1e-aaaa-4000-8000-000000000001";
const STRANGER: &str = "7e4a9c1e-bbbb-4000-8000-000000000002";
const CUSTOMER: &str = "c0500000-0001-4000-8000-000000000000";
const RESELLER: &str = "ee5e0000-0000-4000-8000-000000000000";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Scenario {
    name: String,
    source: String,
    steps: Vec<Step>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    #[serde(rename = "as", default = "writer")]
    caller: String,
    send: String,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    body: Option<Value>,
    status: u16,
    #[serde(default)]
    reply_headers: BTreeMap<String, String>,
    reply: Option<Value>,
    ids: Option<Vec<String>>,
    #[serde(default)]
    keep: BTreeMap<String, String>,
}

fn writer() -> String {
    "writer".to_owned()
}

fn tests_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests")
}

fn scenarios() -> Vec<(String, Scenario)> {
    let mut files: Vec<PathBuf> = fs::read_dir(tests_folder().join("scenarios"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .collect();
    files.sort();
    let of_file = |path: PathBuf| {
        let text = fs::read_to_string(&path).unwrap();
        let list: Vec<Scenario> =
            serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        list.into_iter().map(move |scenario| (name.clone(), scenario))
    };
    files.into_iter().flat_map(of_file).collect()
}

fn alerts() -> Vec<Alert> {
    let text = fs::read_to_string(tests_folder().join("fixtures/alerts.ndjson")).unwrap();
    let alert = |line: &str| Alert {
        partner_tenant_id: PARTNER.parse().unwrap(),
        origin: Origin::Imported,
        body: serde_json::from_str(line).unwrap(),
    };
    text.lines().map(alert).collect()
}

/// The API without a network over one store.
struct Server {
    router: axum::Router,
    issuer: Issuer,
}

impl Server {
    /// `keys` is the folder of the key that signs tokens; one for many servers, as it takes long to make.
    async fn new(store: Arc<dyn Store>, keys: &Path) -> Self {
        let partner = Scope::Partner(PARTNER.parse().unwrap());
        store.import_alerts(&partner, &alerts(), Utc::now()).await.unwrap();
        let issuer = Issuer::open(keys).unwrap();
        let verifier = Verifier::new(&issuer);
        let graph = Arc::new(Graph::new(store, verifier, TokenKey::new([1; 32])).unwrap());
        let router = surround(protect(routes(graph.clone()), graph.clone()), graph);
        Self { router, issuer }
    }

    fn token(&self, caller: &str) -> Option<String> {
        let request = TokenRequest {
            partner_tenant_id: if caller == "stranger" { STRANGER } else { PARTNER }.parse().unwrap(),
            permissions: vec![if caller == "reader" { READ } else { READ_WRITE }.to_owned()],
            user: Some("ann@partner.example".to_owned()),
            reseller_tenant_id: (caller == "reseller").then(|| RESELLER.parse().unwrap()),
            customer_tenant_id: (caller == "customer").then(|| CUSTOMER.parse().unwrap()),
            issued_at: Utc::now(),
            life: TimeDelta::minutes(5),
        };
        let known = ["writer", "reader", "customer", "reseller", "stranger", "nobody"];
        assert!(known.contains(&caller), "'{caller}' is no caller");
        (caller != "nobody").then(|| self.issuer.sign(&request).unwrap())
    }

    /// Runs a scenario; says what was not as it must be.
    async fn run(&self, scenario: &Scenario) -> Result<(), String> {
        assert!(!scenario.source.is_empty(), "{}: every claim has a source", scenario.name);
        let mut kept = BTreeMap::new();
        for (number, step) in scenario.steps.iter().enumerate() {
            self.step(step, &mut kept).await.map_err(|wrong| format!("step {}: {wrong}", number + 1))?;
        }
        Ok(())
    }

    async fn step(&self, step: &Step, kept: &mut BTreeMap<String, String>) -> Result<(), String> {
        let fill = |text: &str| {
            kept.iter()
                .fold(text.to_owned(), |text, (name, value)| text.replace(&format!("{{{name}}}"), value))
        };
        let sent = fill(&step.send);
        let (method, path) = sent.split_once(' ').ok_or("'send' is a method and an address")?;
        // A link of a reply is whole.
        let path =
            path.strip_prefix("http://graph.test").map_or_else(|| format!("/beta{path}"), str::to_owned);
        let uri = path.replace(' ', "%20").replace('"', "%22");
        let mut request = Request::builder().method(method).uri(&uri).header("host", "graph.test");
        if let Some(token) = self.token(&step.caller) {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        for (name, value) in &step.headers {
            request = request.header(name, fill(value));
        }
        let body = match &step.body {
            Some(body) => {
                request = request.header("content-type", "application/json");
                fill(&body.to_string())
            }
            None => String::new(),
        };
        let request = request.body(Body::from(body)).map_err(|error| error.to_string())?;
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        let bytes = axum::body::to_bytes(response.into_body(), 64 << 20).await.unwrap();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if status != StatusCode::from_u16(step.status).unwrap() {
            return Err(format!("{sent}: status {status} instead of {}: {text}", step.status));
        }
        for (name, expected) in &step.reply_headers {
            let found = headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("(none)");
            if found != fill(expected) {
                return Err(format!("{sent}: header {name} is {found} instead of {expected}"));
            }
        }
        let json: Value = serde_json::from_str(&text).unwrap_or(Value::String(text.clone()));
        if let Some(expected) = &step.reply {
            let expected: Value = serde_json::from_str(&fill(&expected.to_string())).unwrap();
            holds("reply", &json, &expected).map_err(|wrong| format!("{sent}: {wrong}\n{text}"))?;
        }
        if let Some(expected) = &step.ids {
            let found = last_characters(&json);
            if found != *expected {
                return Err(format!("{sent}: ids {found:?} instead of {expected:?}"));
            }
        }
        for (name, pointer) in &step.keep {
            let value = json.pointer(pointer).ok_or_else(|| format!("{sent}: no {pointer} in {text}"))?;
            kept.insert(name.clone(), value.as_str().map_or_else(|| value.to_string(), str::to_owned));
        }
        Ok(())
    }
}

fn last_characters(list: &Value) -> Vec<String> {
    let ids = list["value"].as_array().into_iter().flatten().map(|alert| alert["id"].as_str().unwrap_or(""));
    ids.map(|id| id[id.len().saturating_sub(2)..].to_owned()).collect()
}

/// Whether a reply holds what it must.
fn holds(place: &str, found: &Value, expected: &Value) -> Result<(), String> {
    match (found, expected) {
        (found, Value::Object(rule)) if rule.keys().any(|name| name.starts_with('$')) => {
            obeys(place, found, rule)
        }
        (Value::Object(found), Value::Object(expected)) => {
            for (name, expected) in expected {
                let is_absent = expected.get("$absent").is_some();
                match found.get(name) {
                    None if is_absent => {}
                    Some(value) if is_absent => return Err(format!("{place}/{name} is there: {value}")),
                    None => return Err(format!("{place} has no {name}")),
                    Some(value) => holds(&format!("{place}/{name}"), value, expected)?,
                }
            }
            Ok(())
        }
        (Value::Array(found), Value::Array(expected)) => {
            if found.len() != expected.len() {
                return Err(format!("{place} has {} items instead of {}", found.len(), expected.len()));
            }
            for (index, (found, expected)) in found.iter().zip(expected).enumerate() {
                holds(&format!("{place}/{index}"), found, expected)?;
            }
            Ok(())
        }
        (found, expected) if found == expected => Ok(()),
        (found, expected) => Err(format!("{place} is {found} instead of {expected}")),
    }
}

fn obeys(place: &str, found: &Value, rule: &Map<String, Value>) -> Result<(), String> {
    let kept = rule.iter().all(|(name, value)| match name.as_str() {
        "$any" => true,
        "$text" => found.as_str().is_some_and(|text| text.contains(value.as_str().unwrap())),
        "$length" => found.as_array().is_some_and(|list| list.len() as u64 == value.as_u64().unwrap()),
        other => panic!("{place}: there is no rule '{other}'"),
    });
    if kept { Ok(()) } else { Err(format!("{place} is {found}, against {}", Value::Object(rule.clone()))) }
}

/// How many scenarios run at the same time: a database spends much of its time waiting.
const AT_ONCE: usize = 8;

/// Runs all scenarios, each on a store of its own.
async fn run_all<G, F: Future<Output = (G, Arc<dyn Store>)>>(fresh: impl Fn() -> F) {
    let scenarios = scenarios();
    assert!(scenarios.len() >= 20, "only {} scenarios were found", scenarios.len());
    let keys = tempfile::tempdir().unwrap();
    Issuer::open(keys.path()).unwrap();
    let run = async |(file, scenario): &(String, Scenario)| {
        let (_guard, store) = fresh().await;
        let ran = Server::new(store, keys.path()).await.run(scenario).await;
        ran.err().map(|error| format!("{file}: {}: {error}", scenario.name))
    };
    let ran: Vec<_> = stream::iter(scenarios.iter().map(run)).buffered(AT_ONCE).collect().await;
    let wrong: Vec<String> = ran.into_iter().flatten().collect();
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), scenarios.len(), wrong.join("\n\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_scenarios_hold_on_sqlite() {
    run_all(|| async {
        let (guard, store) = store::testing::temporary_sqlite();
        (guard, store as Arc<dyn Store>)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_scenarios_hold_on_postgresql() {
    run_all(|| async {
        let (guard, store) = store::testing::postgres::temporary_postgres().await;
        (guard, store as Arc<dyn Store>)
    })
    .await;
}
