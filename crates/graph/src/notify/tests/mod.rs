//! Notifications from a change to a receiver, which is a server of its own on loopback.

mod delivery;
mod encryption;
mod failure;
pub(crate) mod receiver;

use std::sync::{Arc, Mutex};

use axum::http::{Method, StatusCode};
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde_json::{Value, json};

use self::receiver::Receiver;
use super::{Courier, Office};
use crate::auth::READ;
use crate::auth::issuer::{Issuer, TokenRequest};
use crate::http::testing::{Fixture, PARTNER};

/// A server, a receiver, and a clock that only the test moves.
struct Post {
    server: Fixture,
    receiver: Receiver,
    clock: Arc<Mutex<DateTime<Utc>>>,
}

impl Post {
    async fn new() -> Self {
        let clock = Arc::new(Mutex::new(Utc::now()));
        Self { server: Fixture::new().await, receiver: Receiver::start().await, clock }
    }

    fn office(&self) -> Office {
        let issuer = Issuer::open(&self.server.folder.path().join("issuer")).unwrap();
        let clock = self.clock.clone();
        Office {
            store: self.server.store.clone(),
            receivers: self.server.receivers.clone(),
            sign: Arc::new(move |partner, application, now| {
                Ok(issuer.sign_validation(partner, application, now)?)
            }),
            now: Arc::new(move || *clock.lock().unwrap()),
            fill_random: Arc::new(|bytes| aws_lc_rs::rand::fill(bytes).unwrap()),
        }
    }

    fn pass(&self, time: TimeDelta) {
        *self.clock.lock().unwrap() += time;
    }

    /// Sends all that is due now.
    async fn send(&self, courier: &mut Courier) {
        loop {
            courier.collect().await.unwrap();
            if courier.is_idle() {
                return;
            }
            courier.returned().await;
        }
    }

    /// Subscribes to all alerts for ten days, but for what the test says.
    async fn subscribe(&self, token: &str, other: Value) -> Value {
        let mut body = json!({
            "changeType": "created,updated",
            "notificationUrl": self.receiver.url("changes"),
            "lifecycleNotificationUrl": self.receiver.url("life"),
            "resource": "security/partner/securityAlerts",
            "expirationDateTime": (Utc::now() + TimeDelta::days(10)).to_rfc3339_opts(SecondsFormat::Secs, true),
            "clientState": "secret-state",
        });
        for (name, value) in other.as_object().unwrap() {
            body[name] = value.clone();
        }
        let reply =
            self.server.call(Method::POST, "/beta/subscriptions", Some(token), Some(&body.to_string())).await;
        assert_eq!(reply.status, StatusCode::CREATED, "{}", reply.text);
        reply.json()
    }

    fn token(&self) -> String {
        self.server.token(PARTNER, READ)
    }

    fn narrow_token(&self, reseller: Option<&str>, customer: Option<&str>) -> String {
        let request = TokenRequest {
            partner_tenant_id: PARTNER.parse().unwrap(),
            permissions: vec![READ.to_owned()],
            user: Some("ann@partner.example".to_owned()),
            reseller_tenant_id: reseller.map(|id| id.parse().unwrap()),
            customer_tenant_id: customer.map(|id| id.parse().unwrap()),
            issued_at: Utc::now(),
            life: TimeDelta::minutes(5),
        };
        self.server.issuer.sign(&request).unwrap()
    }

    async fn change(&self, alert: &str, status: &str) {
        let reply = self.server.patch(alert, &json!({"status": status}).to_string()).await;
        assert_eq!(reply.status, StatusCode::OK, "{}", reply.text);
    }
}
