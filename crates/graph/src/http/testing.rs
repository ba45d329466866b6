//! A server without a network, for tests of handlers.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use alerts::{Alert, Origin, PartnerSecurityAlert, PartnerTenantId, Scope};
use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode};
use chrono::{TimeDelta, Utc};
use serde_json::{Value, json};
use store::{AlertStore as _, SqliteStore};
use tokio::sync::Notify;
use tower::ServiceExt as _;

use super::{Graph, Throttle, certificate_routes, open_routes, protect, routes, surround};
use crate::auth::issuer::{Issuer, TokenRequest};
use crate::auth::verifier::Verifier;
use crate::auth::{READ, READ_WRITE};
use crate::notify::reach::Reach;
use crate::notify::receivers::{Patience, Receivers};
use crate::webhooks::Webhooks;

pub(crate) const PARTNER: &str = "7e4a9c1e-aaaa-4000-8000-000000000001";
pub(crate) const OTHER_PARTNER: &str = "7e4a9c1e-bbbb-4000-8000-000000000002";
pub(crate) const LIST: &str = "/beta/security/partner/securityAlerts";

/// A server without a network, with five alerts.
pub(crate) struct Fixture {
    pub(crate) router: axum::Router,
    pub(crate) issuer: Issuer,
    pub(crate) store: Arc<SqliteStore>,
    pub(crate) receivers: Arc<Receivers>,
    pub(crate) wake: Arc<Notify>,
    pub(crate) folder: tempfile::TempDir,
}

pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    pub(crate) fn message(&self) -> String {
        self.json()["error"]["message"].as_str().unwrap_or_default().to_owned()
    }

    pub(crate) fn ids(&self) -> Vec<String> {
        let list = self.json();
        list["value"]
            .as_array()
            .unwrap()
            .iter()
            .map(|alert| alert["id"].as_str().unwrap().to_owned())
            .collect()
    }
}

impl Fixture {
    pub(crate) async fn new() -> Self {
        Self::throttled(None).await
    }

    /// With a limit of so many requests at once.
    pub(crate) async fn throttled(requests: Option<u32>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Arc::new(SqliteStore::open(&folder.path().join("alerts.db")).unwrap());
        let alerts: Vec<Alert> = (1..=5).map(alert).collect();
        store.import_alerts(&Scope::Partner(PARTNER.parse().unwrap()), &alerts, Utc::now()).await.unwrap();
        let issuer = Issuer::open(&folder.path().join("issuer")).unwrap();
        // Short, so that tests of late receivers need not wait.
        let patience = Patience {
            handshake: Duration::from_millis(500),
            first: Duration::from_millis(300),
            retry: Duration::from_millis(300),
        };
        let reach = Reach { allow_insecure_loopback: true, ..Reach::default() };
        let receivers = Arc::new(Receivers::new(reach, patience).unwrap());
        let verifier = Verifier::new(&issuer);
        let mut graph = Graph::new(store.clone(), verifier, odata::TokenKey::new([7; 32])).unwrap();
        graph.notifications.receivers = receivers.clone();
        graph.notifications.subscriptions_per_application_max = 3;
        graph.throttle = requests.and_then(NonZeroU32::new).map(|requests| Arc::new(Throttle::new(requests)));
        let wake = graph.notifications.wake.clone();
        let public_url = "https://alerts.partner.example/".parse().unwrap();
        graph.webhooks = Some(Arc::new(Webhooks::new(public_url, None)));
        let graph = Arc::new(graph);
        let open = open_routes().merge(certificate_routes(graph.clone()));
        let router = surround(protect(routes(graph.clone()), graph.clone()).merge(open), graph);
        Self { router, issuer, store, receivers, wake, folder }
    }

    pub(crate) fn token(&self, partner: &str, scope: &str) -> String {
        let request = TokenRequest {
            partner_tenant_id: partner.parse().unwrap(),
            permissions: vec![scope.to_owned()],
            user: Some("ann@partner.example".to_owned()),
            reseller_tenant_id: None,
            customer_tenant_id: None,
            issued_at: Utc::now(),
            life: TimeDelta::minutes(5),
        };
        self.issuer.sign(&request).unwrap()
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Reply {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        let bytes = axum::body::to_bytes(response.into_body(), 10_000_000).await.unwrap();
        Reply { status, headers, text: String::from_utf8(bytes.to_vec()).unwrap() }
    }

    /// A reply that is no text, to one without a token: status, media type and bytes.
    pub(crate) async fn get_bytes(&self, path: &str) -> (StatusCode, String, Vec<u8>) {
        let request = Request::builder().uri(path).header("host", "tenantwatch.test:8080");
        let response = self.router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        let kind = response.headers()["content-type"].to_str().unwrap().to_owned();
        let status = response.status();
        let bytes = axum::body::to_bytes(response.into_body(), 10_000_000).await.unwrap();
        (status, kind, bytes.to_vec())
    }

    pub(crate) async fn call(
        &self,
        method: Method,
        path: &str,
        token: Option<&str>,
        body: Option<&str>,
    ) -> Reply {
        let mut request = Request::builder().method(method).uri(path).header("host", "tenantwatch.test:8080");
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        if body.is_some() {
            request = request.header("content-type", "application/json");
        }
        self.send(request.body(Body::from(body.unwrap_or_default().to_owned())).unwrap()).await
    }

    /// Sends JSON in the name of one who may write.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> Reply {
        let token = self.token(PARTNER, READ_WRITE);
        self.call(Method::POST, path, Some(&token), Some(&body.to_string())).await
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.call(Method::GET, path, Some(&self.token(PARTNER, READ)), None).await
    }

    pub(crate) async fn patch(&self, id: &str, body: &str) -> Reply {
        let path = format!("{LIST}/{id}");
        self.call(Method::PATCH, &path, Some(&self.token(PARTNER, READ_WRITE)), Some(body)).await
    }
}

pub(crate) fn alert(number: u32) -> Alert {
    let body = json!({
        "id": format!("alert-{number}"),
        "alertType": if number.is_multiple_of(2) { "CryptoMining" } else { "VM_AnomalousDeployment" },
        "displayName": format!("Alert {number}"),
        "description": null,
        "severity": if number <= 2 { "high" } else { "low" },
        "confidenceLevel": "medium",
        "status": "active",
        "detectedDateTime": format!("2031-02-0{number}T00:00:00Z"),
        "customerTenantId": "customer-1",
        "subscriptionId": "sub-1",
        "isTest": false,
        "affectedResources": [{"resourceId": "/subscriptions/sub-1/vm", "resourceType": "AzureResource"}],
        "additionalDetails": {"VmCount": number.to_string()}
    });
    let body: PartnerSecurityAlert = serde_json::from_value(body).unwrap();
    Alert { partner_tenant_id: PARTNER.parse::<PartnerTenantId>().unwrap(), origin: Origin::Imported, body }
}
