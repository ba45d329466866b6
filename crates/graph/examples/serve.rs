//! The Graph surface alone, over a temporary SQLite store with made-up alerts.
//!
//! For trying clients and test tools without building the query engine:
//!
//! ```sh
//! cargo run --release -p graph --example serve            # a free port, 50 alerts
//! cargo run --release -p graph --example serve -- 127.0.0.1:8080 1000
//! ```
//!
//! Receivers of notifications may be on this machine, and webhooks can be registered; but neither
//! notifications nor webhooks are sent, since no background work runs.
//!
//! Prints the server's address, then a token that reads and writes, each on a line of its own. The
//! store is gone when the server stops.

use std::io::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;

use alerts::{Alert, Origin, PartnerSecurityAlert, PartnerTenantId, Scope};
use anyhow::Context as _;
use chrono::{DateTime, TimeDelta, Utc};
use graph::Graph;
use graph::auth::READ_WRITE;
use graph::auth::issuer::{Issuer, TOKEN_LIFE, TokenRequest};
use graph::auth::verifier::Verifier;
use graph::http::{certificate_routes, open_routes, protect, routes, surround};
use graph::notify::reach::Reach;
use graph::notify::receivers::{Patience, Receivers};
use graph::webhooks::Webhooks;
use odata::TokenKey;
use serde_json::json;
use store::{AlertStore as _, SqliteStore};
use tokio::net::TcpListener;

const PARTNER: &str = "7e4a9c1e-aaaa-4000-8000-000000000001";
const CUSTOMERS: u32 = 5;
/// What deliveries of webhooks would name as this server; none is sent from here.
const PUBLIC_URL: &str = "https://alerts.partner.example/";

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let listen: SocketAddr = arguments.next().as_deref().unwrap_or("127.0.0.1:0").parse()?;
    let count: u32 = arguments.next().as_deref().unwrap_or("50").parse()?;

    let folder = tempfile::tempdir()?;
    let store = SqliteStore::open(&folder.path().join("alerts.db"))?;
    let partner: PartnerTenantId = PARTNER.parse()?;
    let now = Utc::now();
    let sample = (0..count).map(|number| alert(&partner, number, now)).collect::<Result<Vec<_>, _>>()?;
    store.import_alerts(&Scope::Partner(partner.clone()), &sample, now).await?;

    let issuer = Issuer::open(folder.path())?;
    let tokens = TokenKey::new([1; 32]);
    let mut graph = Graph::new(Arc::new(store), Verifier::new(&issuer), tokens)?;
    let reach = Reach { allow_insecure_loopback: true, ..Reach::default() };
    graph.notifications.receivers = Arc::new(Receivers::new(reach, Patience::default())?);
    graph.webhooks = Some(Arc::new(Webhooks::new(PUBLIC_URL.parse()?, None)));
    let graph = Arc::new(graph);
    let open = open_routes().merge(certificate_routes(graph.clone()));
    let app = surround(protect(routes(graph.clone()), graph.clone()).merge(open), graph);

    let listener = TcpListener::bind(listen).await.with_context(|| format!("cannot listen on {listen}"))?;
    let mut out = std::io::stdout();
    writeln!(out, "http://{}/", listener.local_addr()?)?;
    writeln!(out, "{}", token(&issuer, partner, now)?)?;
    out.flush()?;
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, app).with_graceful_shutdown(stopped()).await?;
    Ok(())
}

/// Completes when the process is asked to end, so that the temporary folder is removed.
async fn stopped() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => tokio::select! {
            _ = terminate.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        },
        Err(_) => tokio::signal::ctrl_c().await.unwrap_or_default(),
    }
}

fn token(issuer: &Issuer, partner_tenant_id: PartnerTenantId, now: DateTime<Utc>) -> anyhow::Result<String> {
    let request = TokenRequest {
        partner_tenant_id,
        permissions: vec![READ_WRITE.to_owned()],
        user: Some("ann@partner.example".to_owned()),
        reseller_tenant_id: None,
        customer_tenant_id: None,
        issued_at: now,
        life: TOKEN_LIFE,
    };
    Ok(issuer.sign(&request)?)
}

/// The alert of that number: an hour older than the one before, in one of a few customers.
fn alert(partner: &PartnerTenantId, number: u32, now: DateTime<Utc>) -> serde_json::Result<Alert> {
    let customer = number % CUSTOMERS;
    let pick = |all: &[&'static str]| all[number as usize % all.len()];
    let detected = now - TimeDelta::hours(number.into());
    let resource = format!(
        "/subscriptions/{}/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/vm-{number}",
        id(2, customer)
    );
    let body: PartnerSecurityAlert = serde_json::from_value(json!({
        "id": id(1, number),
        "alertType": pick(&["CryptoMining", "VM_AnomalousDeployment", "ARM_SuspiciousOperations"]),
        "displayName": format!("Sample alert {number}"),
        "description": "Made up for trying clients.",
        "severity": pick(&["high", "medium", "low", "informational"]),
        "confidenceLevel": pick(&["high", "medium", "low"]),
        "status": pick(&["active", "investigating"]),
        "detectedDateTime": detected,
        "firstObservedDateTime": detected - TimeDelta::minutes(30),
        "lastObservedDateTime": detected,
        "customerTenantId": id(3, customer),
        "subscriptionId": id(2, customer),
        "isTest": false,
        "affectedResources": [{"resourceId": resource, "resourceType": "AzureResource"}],
        "additionalDetails": {"ConnectionCount": number.to_string()},
    }))?;
    Ok(Alert { partner_tenant_id: partner.clone(), origin: Origin::Imported, body })
}

/// A made-up id of the form that Azure's have.
fn id(kind: u32, number: u32) -> String {
    format!("5a3b1e00-{kind:04}-4000-8000-{number:012}")
}
