//! What the server answers beside the Graph API.

mod detectors;
mod money;
mod replay;
mod routes;

use std::sync::Arc;

use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use chrono::{TimeDelta, Utc};
use graph::auth::issuer::{Issuer, TokenRequest};
use graph::auth::verifier::Verifier;
use graph::auth::{READ, READ_WRITE};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::{Api, router};
use crate::app::Instance;
use crate::app::intake::{Intake, Room};
use crate::app::rehearsal::asked::Rehearsals;
use crate::config::{DEFAULT_PARTNER_TENANT, DataDir, Settings, SilentAfter};

/// A server without a network and without alerts.
struct Fixture {
    router: axum::Router,
    issuer: Issuer,
    instance: Arc<Instance>,
    rehearsals: Rehearsals,
    _folder: tempfile::TempDir,
}

struct Reply {
    status: StatusCode,
    headers: HeaderMap,
    text: String,
}

impl Reply {
    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }
}

impl Fixture {
    async fn new(demo: bool) -> Self {
        Self::open(tempfile::tempdir().unwrap(), &Settings::default(), demo).await
    }

    /// A server whose data are in this folder.
    async fn open(folder: tempfile::TempDir, settings: &Settings, demo: bool) -> Self {
        let rehearsals = Rehearsals::default();
        let instance = Arc::new(Instance::open(DataDir::new(folder.path()), settings).await.unwrap());
        let issuer = Issuer::open(&folder.path().join("issuer")).unwrap();
        let verifier = Verifier::new(&issuer);
        let graph = graph::Graph::new(instance.store.clone(), verifier, instance.tokens.clone()).unwrap();
        let graph = Arc::new(graph);
        let demo_issuer = demo.then(|| Arc::new(Issuer::open(&folder.path().join("issuer")).unwrap()));
        let router = router(Arc::new(Api {
            intake: Intake::open(instance.clone()).0,
            room: Room::new(1 << 20),
            body_bytes_max: 1 << 20,
            silent_after: SilentAfter::default(),
            rehearsals: rehearsals.clone(),
            instance: instance.clone(),
            graph,
            demo_issuer,
        }));
        Self { router, issuer, instance, rehearsals, _folder: folder }
    }

    fn token(&self, permission: &str) -> String {
        self.token_of(permission, None)
    }

    /// A token for all of the partner, or for one customer.
    fn token_of(&self, permission: &str, customer: Option<&str>) -> String {
        let request = self.request(permission);
        let customer_tenant_id = customer.map(|id| id.parse().unwrap());
        self.issuer.sign(&TokenRequest { customer_tenant_id, ..request }).unwrap()
    }

    /// A token for the customers of one reseller.
    fn token_of_reseller(&self, permission: &str, reseller: &str) -> String {
        let request = self.request(permission);
        let reseller_tenant_id = Some(reseller.parse().unwrap());
        self.issuer.sign(&TokenRequest { reseller_tenant_id, ..request }).unwrap()
    }

    fn request(&self, permission: &str) -> TokenRequest {
        TokenRequest {
            partner_tenant_id: DEFAULT_PARTNER_TENANT.parse().unwrap(),
            permissions: vec![permission.to_owned()],
            user: Some("ann@partner.example".to_owned()),
            reseller_tenant_id: None,
            customer_tenant_id: None,
            issued_at: Utc::now(),
            life: TimeDelta::minutes(5),
        }
    }

    async fn get(&self, host: &str, path: &str, token: Option<&str>) -> Reply {
        let mut request = Request::builder().uri(path).header("host", host);
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        self.reply(request.body(Body::empty()).unwrap()).await
    }

    /// A request with a token and a JSON body.
    async fn send(&self, method: &str, path: &str, token: &str, body: &Value) -> Reply {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", HOST)
            .header("authorization", format!("Bearer {token}"))
            .header("content-type", "application/json");
        self.reply(request.body(Body::from(body.to_string())).unwrap()).await
    }

    async fn reply(&self, request: Request<Body>) -> Reply {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        let bytes = axum::body::to_bytes(response.into_body(), 10_000_000).await.unwrap();
        Reply { status, headers, text: String::from_utf8(bytes.to_vec()).unwrap() }
    }
}

const HOST: &str = "127.0.0.1:8080";
const DETECTORS: &str = "/tenantwatch/v1/detectors";

#[tokio::test]
async fn the_detectors_want_a_token_that_may_read() {
    let server = Fixture::new(false).await;
    for path in [DETECTORS, "/tenantwatch/v1/x"] {
        assert_eq!(server.get(HOST, path, None).await.status, StatusCode::UNAUTHORIZED, "{path}");
    }
    let other = server.get(HOST, DETECTORS, Some(&server.token("User.Read"))).await;
    assert_eq!(other.status, StatusCode::FORBIDDEN);
    let list = server.get(HOST, DETECTORS, Some(&server.token(READ))).await;
    assert_eq!(list.json()["value"][0]["id"].as_str().map(str::is_empty), Some(false), "{}", list.text);
}

#[tokio::test]
async fn health_and_the_page_need_no_token() {
    let server = Fixture::new(false).await;
    assert_eq!(server.get(HOST, "/health", None).await.text, "ok\n");
    let page = server.get(HOST, "/", None).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.headers["content-security-policy"].to_str().unwrap().starts_with("default-src 'none'"));
    assert_eq!(page.headers["cache-control"], "no-cache");
    let script =
        page.text.split('"').find(|text| text.starts_with("/assets/") && text.ends_with(".js")).unwrap();
    let script = server.get(HOST, script, None).await;
    assert_eq!(script.status, StatusCode::OK);
    assert_eq!(script.headers["cache-control"], "public, max-age=31536000, immutable");
    for missing in ["/assets/none.js", "/assets/..%2f..%2fCargo.toml"] {
        assert_eq!(server.get(HOST, missing, None).await.status, StatusCode::NOT_FOUND, "{missing}");
    }
}

#[tokio::test]
async fn the_page_gets_a_token_only_in_a_demo_and_only_by_a_loopback_name() {
    let server = Fixture::new(false).await;
    assert_eq!(server.get(HOST, "/demo/token", None).await.status, StatusCode::NOT_FOUND);

    let demo = Fixture::new(true).await;
    let rebound = demo.get("rebound.example:8080", "/demo/token", None).await;
    assert_eq!(rebound.status, StatusCode::NOT_FOUND);
    for host in [HOST, "localhost:8080", "[::1]:8080"] {
        let reply = demo.get(host, "/demo/token", None).await;
        let token = reply.json()["accessToken"].as_str().unwrap().to_owned();
        let list = demo.get(host, "/beta/security/partner/securityAlerts", Some(&token)).await;
        assert_eq!(list.status, StatusCode::OK, "{host}");
    }
}

#[tokio::test]
async fn tuning_rules_are_made_listed_and_taken_back() {
    const RULES: &str = "/tenantwatch/v1/tuningRules";
    let customer = "0f0e0d0c-3333-4000-8000-00000000000c";
    let server = Fixture::new(false).await;
    let (reader, writer) = (server.token(READ), server.token(READ_WRITE));
    let rule = json!({
        "detectorId": "crypto_mining",
        "customerTenantId": customer,
        "evidence": {"ports": ["3333"]},
        "untilDateTime": "2031-03-01T00:00:00Z",
        "effect": "silence",
        "reason": "a research pool",
    });
    let made = server.send("POST", RULES, &writer, &rule).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
    let made = made.json();
    assert_eq!((&made["author"], &made["endedDateTime"]), (&json!("ann@partner.example"), &Value::Null));
    for (name, value) in rule.as_object().unwrap() {
        assert_eq!(made[name], *value, "{name}");
    }
    let listed =
        async |token: &str, path: &str| server.get(HOST, path, Some(token)).await.json()["value"].clone();
    assert_eq!(listed(&reader, RULES).await, json!([made]));
    assert_eq!(listed(&server.token_of(READ, Some(customer)), RULES).await, json!([made]));
    assert_eq!(listed(&server.token_of(READ, Some("other")), RULES).await, json!([]));
    assert_eq!(listed(&reader, "/tenantwatch/v1/silenced?detector=crypto_mining&top=5").await, json!([]));

    let one = format!("{RULES}/{}", made["id"].as_str().unwrap());
    for (token, method, path, body, status, expected) in [
        (&reader, "POST", RULES, json!({"effect": "silence"}), StatusCode::FORBIDDEN, ""),
        (
            &server.token_of(READ_WRITE, Some(customer)),
            "POST",
            RULES,
            rule.clone(),
            StatusCode::FORBIDDEN,
            "the partner's to do",
        ),
        (
            &writer,
            "POST",
            RULES,
            json!({"effect": "silence", "reason": "x"}),
            StatusCode::BAD_REQUEST,
            "names nothing",
        ),
        (
            &writer,
            "POST",
            RULES,
            json!({"effect": "loud", "reason": "x"}),
            StatusCode::BAD_REQUEST,
            "The effect 'loud'",
        ),
        (
            &writer,
            "POST",
            RULES,
            json!({"effect": "low", "reason": "x", "colour": 1}),
            StatusCode::BAD_REQUEST,
            "colour",
        ),
        (
            &writer,
            "POST",
            RULES,
            json!({"effect": "low", "reason": "x", "detectorId": "d"}),
            StatusCode::BAD_REQUEST,
            "there is no detector 'd'",
        ),
        (&reader, "DELETE", &one, json!({}), StatusCode::FORBIDDEN, ""),
        (
            &writer,
            "DELETE",
            "/tenantwatch/v1/tuningRules/none",
            json!({}),
            StatusCode::NOT_FOUND,
            "no tuning rule 'none'",
        ),
        (&writer, "PUT", RULES, json!({}), StatusCode::METHOD_NOT_ALLOWED, ""),
        (&writer, "DELETE", &one, json!({}), StatusCode::NO_CONTENT, ""),
    ] {
        let reply = server.send(method, path, token, &body).await;
        assert_eq!(reply.status, status, "{method} {body}: {}", reply.text);
        assert!(reply.text.contains(expected), "{method} {body}: {}", reply.text);
    }
    assert_eq!(listed(&reader, RULES).await, json!([]));
    assert!(listed(&reader, &format!("{RULES}?ended=true")).await[0]["endedDateTime"].is_string());
    for wrong in ["/tenantwatch/v1/silenced?colour=1", "/tenantwatch/v1/tuningRules?ended=perhaps"] {
        assert_eq!(server.get(HOST, wrong, Some(&reader)).await.status, StatusCode::BAD_REQUEST, "{wrong}");
    }
    let none = server.get(HOST, "/tenantwatch/v1/alerts/none/explanation", Some(&reader)).await;
    assert_eq!(none.status, StatusCode::NOT_FOUND);
}
