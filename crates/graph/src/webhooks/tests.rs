//! Registered receivers on loopback: what arrives, and what happens when nothing does.

use std::sync::{Arc, Mutex};

use alerts::Scope;
use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::routing::post;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use store::{AlertStore as _, ChangeFeed as _, WebhookOutbox as _};
use uuid::Uuid;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::{Deliveries, Webhooks};
use crate::auth::READ;
use crate::http::testing::{Fixture, OTHER_PARTNER, PARTNER, Reply, alert};
use crate::notify::reach::Reach;
use crate::notify::receivers::{Patience, Receivers};

const REGISTRATION: &str = "/webhooks/v1/registration";
const TESTS: &str = "/webhooks/v1/registration/validationEvents";

/// A receiver on loopback that answers as it is told, and keeps what it gets.
#[derive(Clone)]
struct Receiver {
    url: String,
    answer: Arc<Mutex<StatusCode>>,
    got: Arc<Mutex<Vec<(HeaderMap, Bytes)>>>,
}

impl Receiver {
    async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let receiver = Self {
            url: format!("http://{}/callback", listener.local_addr().unwrap()),
            answer: Arc::new(Mutex::new(StatusCode::OK)),
            got: Arc::default(),
        };
        let router = axum::Router::new().route("/callback", post(take)).with_state(receiver.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        receiver
    }

    fn bodies(&self) -> Vec<Value> {
        self.got.lock().unwrap().iter().map(|(_, body)| serde_json::from_slice(body).unwrap()).collect()
    }
}

async fn take(State(receiver): State<Receiver>, headers: HeaderMap, body: Bytes) -> StatusCode {
    receiver.got.lock().unwrap().push((headers, body));
    *receiver.answer.lock().unwrap()
}

/// The deliveries of a server, at a time that the test moves.
fn deliveries(server: &Fixture, clock: &Arc<Mutex<DateTime<Utc>>>) -> Deliveries {
    let (clock, ids) = (clock.clone(), Mutex::new(0));
    let reach = Reach { allow_insecure_loopback: true, ..Reach::default() };
    Deliveries {
        store: server.store.clone(),
        receivers: Arc::new(Receivers::new(reach, Patience::default()).unwrap()),
        webhooks: Arc::new(Webhooks::new("https://alerts.partner.example/".parse().unwrap(), None)),
        now: Arc::new(move || *clock.lock().unwrap()),
        new_id: Arc::new(move || {
            let mut last = ids.lock().unwrap();
            *last += 1;
            Uuid::from_u128(*last)
        }),
    }
}

async fn register(server: &Fixture, url: &str, events: &[&str]) -> Reply {
    server.post(REGISTRATION, &json!({"WebhookUrl": url, "WebhookEvents": events})).await
}

fn partner() -> Scope {
    Scope::Partner(PARTNER.parse().unwrap())
}

#[tokio::test]
async fn a_new_alert_is_told_with_a_signature_of_the_served_certificate() {
    let (server, receiver) = (Fixture::new().await, Receiver::start().await);
    assert_eq!(
        register(&server, &receiver.url, &["azure-fraud-event-detected"]).await.status,
        StatusCode::OK
    );
    let clock = Arc::new(Mutex::new(Utc::now()));
    let deliveries = deliveries(&server, &clock);
    assert_eq!(deliveries.round().await.unwrap(), 0, "alerts of before the registration are not told");

    // Two alerts of one subscription and status are one event; an update is none.
    server.store.import_alerts(&partner(), &[alert(6), alert(7)], Utc::now()).await.unwrap();
    server.patch("alert-1", "{\"status\":\"investigating\"}").await;
    assert_eq!(deliveries.round().await.unwrap(), 1);
    assert_eq!(deliveries.round().await.unwrap(), 0);
    insta::assert_json_snapshot!("azure_fraud_event_detected", receiver.bodies());

    let (headers, body) = receiver.got.lock().unwrap()[0].clone();
    assert_eq!(headers["x-ms-certificate-url"], "https://alerts.partner.example/webhooks/v1/certificate");
    assert_eq!(headers["x-ms-signature-algorithm"], "rsa-sha256");
    let signature = headers["authorization"].to_str().unwrap().strip_prefix("Signature ").unwrap();
    let signature = STANDARD.decode(signature).unwrap();

    let (status, kind, certificate) = server.get_bytes("/webhooks/v1/certificate").await;
    assert_eq!((status, kind.as_str()), (StatusCode::OK, "application/pkix-cert"));
    let (_, certificate) = X509Certificate::from_der(&certificate).unwrap();
    let public = certificate.public_key().subject_public_key.data.as_ref();
    let public = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, public);
    assert!(public.verify(&body, &signature).is_ok());
    assert!(public.verify(b"{}", &signature).is_err());
}

#[tokio::test]
async fn a_test_event_can_be_followed() {
    let (server, receiver) = (Fixture::new().await, Receiver::start().await);
    register(&server, &receiver.url, &["test-created"]).await;
    let clock = Arc::new(Mutex::new(Utc::now() + TimeDelta::seconds(1)));
    let deliveries = deliveries(&server, &clock);

    let sent = server.post(TESTS, &json!({})).await;
    let id = sent.json()["correlationId"].as_str().unwrap().to_owned();
    let result = format!("{TESTS}/{id}");
    assert_eq!(server.get(&result).await.json()["status"], "started");
    *receiver.answer.lock().unwrap() = StatusCode::NOT_FOUND;
    deliveries.round().await.unwrap();
    *receiver.answer.lock().unwrap() = StatusCode::OK;
    *clock.lock().unwrap() += TimeDelta::seconds(10);
    deliveries.round().await.unwrap();

    let mut shown = server.get(&result).await.json();
    shown["correlationId"] = "[id]".into();
    shown["callbackUrl"] = "[url]".into();
    for attempt in shown["results"].as_array_mut().unwrap() {
        attempt["dateTimeUtc"] = "[time]".into();
    }
    insta::assert_json_snapshot!("validation_result", shown);
    let body = &receiver.bodies()[0];
    assert_eq!(body["EventName"], "test-created");
    assert_eq!(body["ResourceName"], "test");
    assert_eq!(body["ResourceUri"], format!("https://alerts.partner.example{result}"));
    assert_eq!(receiver.bodies()[0], receiver.bodies()[1]);

    // A test event is no alert's, and of another partner there is none.
    let stranger = server.token(OTHER_PARTNER, READ);
    let hidden = server.call(Method::GET, &result, Some(&stranger), None).await;
    assert_eq!(hidden.status, StatusCode::NOT_FOUND);

    // After seven days it is forgotten.
    *clock.lock().unwrap() += TimeDelta::days(7);
    deliveries.round().await.unwrap();
    assert_eq!(server.get(&result).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn after_ten_attempts_a_delivery_is_given_up() {
    let (server, receiver) = (Fixture::new().await, Receiver::start().await);
    *receiver.answer.lock().unwrap() = StatusCode::INTERNAL_SERVER_ERROR;
    register(&server, &receiver.url, &["test-created"]).await;
    let start = Utc::now() + TimeDelta::seconds(1);
    let clock = Arc::new(Mutex::new(start));
    let deliveries = deliveries(&server, &clock);
    let id = server.post(TESTS, &json!({})).await.json()["correlationId"].as_str().unwrap().to_owned();
    let mut tried_at = Vec::new();
    for seconds in 0..9_000 {
        *clock.lock().unwrap() = start + TimeDelta::seconds(seconds);
        // The waits are whole tens of seconds.
        if seconds % 10 == 0 && deliveries.round().await.unwrap() > 0 {
            tried_at.push(seconds);
        }
    }
    assert_eq!(tried_at, [0, 10, 30, 70, 150, 310, 630, 1270, 2550, 5110]);
    let shown = server.get(&format!("{TESTS}/{id}")).await.json();
    assert_eq!((&shown["status"], shown["results"].as_array().unwrap().len()), (&json!("failed"), 10));
    assert_eq!(shown["results"][9]["responseCode"], "InternalServerError");
}

#[tokio::test]
async fn a_registration_is_made_read_and_changed() {
    let server = Fixture::new().await;
    let url = "https://receiver.example/callback";
    let missing = server.get(REGISTRATION).await;
    assert_eq!((missing.status, &missing.json()["code"]), (StatusCode::NOT_FOUND, &json!("1000")));
    let made = register(&server, url, &["Test-Created", "azure-fraud-event-detected"]).await;
    let subscriber = made.json()["SubscriberId"].clone();
    assert_eq!(
        made.json(),
        json!({"SubscriberId": subscriber, "WebhookUrl": url, "WebhookEvents": ["test-created", "azure-fraud-event-detected"]})
    );
    assert_eq!(register(&server, url, &["test-created"]).await.status, StatusCode::CONFLICT);
    let shown = server.get(REGISTRATION).await.json();
    assert_eq!(
        shown,
        json!({"WebhookUrl": url, "WebhookEvents": ["test-created", "azure-fraud-event-detected"]})
    );

    let body = json!({"webhookUrl": "https://new.example/", "webhookEvents": ["azure-fraud-event-detected"]});
    let token = server.token(PARTNER, crate::auth::READ_WRITE);
    let changed = server.call(Method::PUT, REGISTRATION, Some(&token), Some(&body.to_string())).await;
    assert_eq!(changed.json()["SubscriberId"], subscriber);
    assert_eq!(server.get(REGISTRATION).await.json()["WebhookUrl"], "https://new.example/");

    let refused = server.post(TESTS, &json!({})).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    let events = server.get("/webhooks/v1/registration/events").await.json();
    assert_eq!(events, json!(["azure-fraud-event-detected", "test-created"]));
}

#[tokio::test]
async fn two_test_events_a_minute_are_enough() {
    let server = Fixture::new().await;
    register(&server, "https://receiver.example/", &["test-created"]).await;
    for _ in 0..2 {
        assert_eq!(server.post(TESTS, &json!({})).await.status, StatusCode::OK);
    }
    let refused = server.post(TESTS, &json!({})).await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(
        (&refused.headers["retry-after"], &refused.json()["code"]),
        (&"60".parse().unwrap(), &json!("429"))
    );
}

#[tokio::test]
async fn what_cannot_be_registered_is_said() {
    let server = Fixture::new().await;
    let check = |body: Value, expected: &'static str| {
        let server = &server;
        async move {
            let reply = server.post(REGISTRATION, &body).await;
            assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{body}: {}", reply.text);
            let found = reply.json()["description"].as_str().unwrap().to_owned();
            assert!(found.starts_with(expected), "{body}: {found}");
        }
    };
    let url = "https://receiver.example/";
    check(json!({}), "Property 'WebhookUrl' (a string) is required.").await;
    check(json!({"WebhookUrl": url}), "Property 'WebhookEvents' (an array of event names) is required.")
        .await;
    check(json!({"WebhookUrl": url, "WebhookEvents": []}), "Property 'WebhookEvents' must be an array").await;
    check(
        json!({"WebhookUrl": url, "WebhookEvents": ["subscription-updated"]}),
        "Event 'subscription-updated' in 'WebhookEvents' does not happen here; use azure-fraud-event-detected or test-created.",
    )
    .await;
    check(
        json!({"WebhookUrl": "http://receiver.example/", "WebhookEvents": ["test-created"]}),
        "Property 'WebhookUrl' must start with https://",
    )
    .await;
    check(
        json!({"WebhookUrl": "https://10.0.0.1/", "WebhookEvents": ["test-created"]}),
        "Property 'WebhookUrl' leads to 10.0.0.1",
    )
    .await;
    check(json!({"Colour": "red"}), "Property 'Colour' is unknown; use WebhookUrl and WebhookEvents.").await;
    let reader = server.token(PARTNER, READ);
    for (method, path) in [(Method::POST, REGISTRATION), (Method::PUT, REGISTRATION), (Method::POST, TESTS)] {
        let refused = server.call(method.clone(), path, Some(&reader), Some("{}")).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{method} {path}");
        let nobody = server.call(method.clone(), path, None, Some("{}")).await;
        assert_eq!(nobody.status, StatusCode::UNAUTHORIZED, "{method} {path}");
    }
    assert_eq!(server.store.webhook_registrations().await.unwrap().len(), 0);
    assert!(server.store.latest_change(&partner()).await.unwrap().sequence > 0);
}
