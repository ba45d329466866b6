//! What the server answers beside the Graph API.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use chrono::{TimeDelta, Utc};
use graph::auth::READ;
use graph::auth::issuer::{Issuer, TokenRequest};
use graph::auth::verifier::Verifier;
use serde_json::Value;
use tower::ServiceExt as _;

use super::{Api, router};
use crate::app::Instance;
use crate::app::intake::{Intake, Room};
use crate::config::{DEFAULT_PARTNER_TENANT, DataDir, Settings, SilentAfter};

/// A server without a network and without alerts.
struct Fixture {
    router: axum::Router,
    issuer: Issuer,
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
        let folder = tempfile::tempdir().unwrap();
        let instance =
            Arc::new(Instance::open(DataDir::new(folder.path()), &Settings::default()).await.unwrap());
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
            instance,
            graph,
            demo_issuer,
        }));
        Self { router, issuer, _folder: folder }
    }

    fn token(&self, permission: &str) -> String {
        let request = TokenRequest {
            partner_tenant_id: DEFAULT_PARTNER_TENANT.parse().unwrap(),
            permissions: vec![permission.to_owned()],
            user: Some("ann@partner.example".to_owned()),
            reseller_tenant_id: None,
            customer_tenant_id: None,
            issued_at: Utc::now(),
            life: TimeDelta::minutes(5),
        };
        self.issuer.sign(&request).unwrap()
    }

    async fn get(&self, host: &str, path: &str, token: Option<&str>) -> Reply {
        let mut request = Request::builder().uri(path).header("host", host);
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let response = self.router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
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
