//! Turns new alerts into deliveries, and takes deliveries to their receivers.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use alerts::{PartnerSecurityAlert, Scope};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use chrono::{DateTime, TimeDelta, Utc};
use store::{
    Change, ChangeKind, ChangePosition, DeliveryState, DueDelivery, Store, StoreError, WebhookAttempt,
    WebhookDelivery, WebhookRegistration,
};
use tokio::task::JoinSet;
use uuid::Uuid;

use super::event::{AZURE_FRAUD_EVENT_DETECTED, fraud_event_detected};
use super::{IdentityError, Webhooks};
use crate::notify::receivers::Receivers;

const CERTIFICATE_URL: HeaderName = HeaderName::from_static("x-ms-certificate-url");
const SIGNATURE_ALGORITHM: HeaderName = HeaderName::from_static("x-ms-signature-algorithm");

/// How often the store is asked what is new and what is due.
const POLL: Duration = Duration::from_secs(2);

/// How many attempts there are in all; Partner Center's number.
const ATTEMPTS_MAX: u32 = 10;

/// The wait after the first attempt; it doubles with each, so that the last is about 85 minutes after
/// the first. Partner Center does not publish its own.
const WAIT_FIRST: TimeDelta = TimeDelta::seconds(10);

/// How long a receiver may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// For how long others leave alone what is being sent; longer than a round's deliveries may take.
const LEASE: TimeDelta = TimeDelta::minutes(5);

/// How long deliveries are kept; Partner Center's seven days.
const KEPT: TimeDelta = TimeDelta::days(7);

/// How many changes become deliveries in one transaction at most.
const CHANGES_MAX: usize = 500;

/// How many deliveries are under way at once at most.
const DELIVERIES_MAX: u32 = 16;

/// What deliveries work with.
#[derive(Clone)]
pub struct Deliveries {
    /// The registrations, the alerts, and what is on its way.
    pub store: Arc<dyn Store>,
    /// Whom to call.
    pub receivers: Arc<Receivers>,
    /// Who we are.
    pub webhooks: Arc<Webhooks>,
    /// What time it is.
    pub now: Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>,
    /// A new id each time.
    pub new_id: Arc<dyn Fn() -> Uuid + Send + Sync>,
}

/// Why a round broke off.
#[derive(Debug, thiserror::Error)]
pub enum DeliverError {
    /// The store failed.
    #[error("the store failed")]
    Store(#[from] StoreError),
    /// There is nothing to sign with.
    #[error("deliveries cannot be signed")]
    Identity(#[from] IdentityError),
    /// The public URL cannot stand in a header.
    #[error("the public URL cannot stand in a header")]
    Header,
}

/// Starts the deliveries of this server; dropping the set stops them, and loses nothing.
#[must_use]
pub fn start(deliveries: Deliveries) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        loop {
            if let Err(error) = deliveries.round().await {
                tracing::error!(error = ?anyhow::Error::from(error), "Webhooks could not be delivered");
            }
            tokio::time::sleep(POLL).await;
        }
    });
    tasks
}

impl Deliveries {
    /// Looks at the store once: puts new alerts into deliveries, sends all that is due, forgets what is
    /// old. Gives the number of deliveries that were tried.
    ///
    /// # Errors
    ///
    /// [`DeliverError`]; what was not done is found again by the next call.
    pub async fn round(&self) -> Result<usize, DeliverError> {
        for (scope, registration, seen) in self.store.webhook_registrations().await? {
            self.fan_out(&scope, &registration, seen).await?;
        }
        let mut tried = 0;
        loop {
            let now = (self.now)();
            let due = self.store.lease_webhook_deliveries(now, now + LEASE, DELIVERIES_MAX).await?;
            if due.is_empty() {
                break;
            }
            tried += due.len();
            let sent = due.into_iter().map(|delivery| self.deliver(delivery));
            futures::future::try_join_all(sent).await?;
        }
        self.store.forget_webhook_deliveries((self.now)() - KEPT).await?;
        Ok(tried)
    }

    /// Puts the alerts that a registration has not heard of into deliveries.
    async fn fan_out(
        &self,
        scope: &Scope,
        registration: &WebhookRegistration,
        mut seen: ChangePosition,
    ) -> Result<(), DeliverError> {
        loop {
            let page = self.store.changes(scope, seen, CHANGES_MAX).await?;
            if page.position == seen {
                return Ok(());
            }
            let wanted = registration.target.events.iter().any(|event| event == AZURE_FRAUD_EVENT_DETECTED);
            let deliveries = match wanted {
                true => self.tell(scope, registration, &page.changes).await?,
                false => Vec::new(),
            };
            let is_ours = self.store.fan_out_webhook(scope, seen, page.position, &deliveries).await?;
            if !is_ours || !page.more {
                return Ok(());
            }
            seen = page.position;
        }
    }

    /// What to tell of changes. The event names a subscription and a status, so alerts that share both
    /// are told of once.
    async fn tell(
        &self,
        scope: &Scope,
        registration: &WebhookRegistration,
        changes: &[Change],
    ) -> Result<Vec<WebhookDelivery>, DeliverError> {
        let (mut told, mut deliveries) = (HashSet::new(), Vec::new());
        for change in changes.iter().filter(|change| change.kind == ChangeKind::Created) {
            // An alert that is gone again has nothing to tell of.
            let Some(alert) = self.store.alert(scope, &change.alert_id).await? else { continue };
            let alert: PartnerSecurityAlert = serde_json::from_str(&alert.json)
                .map_err(|error| StoreError::Damaged { what: format!("an alert: {error}") })?;
            if told.insert((alert.subscription_id.clone(), alert.status)) {
                let (id, url) = ((self.new_id)(), &registration.target.url);
                deliveries.push(fraud_event_detected(&self.webhooks, id, url, &alert, (self.now)()));
            }
        }
        Ok(deliveries)
    }

    async fn deliver(&self, delivery: DueDelivery) -> Result<(), DeliverError> {
        let headers = self.headers(delivery.body.as_bytes()).await?;
        let answer = self.receivers.post(&delivery.url, headers, delivery.body.clone(), PATIENCE).await;
        let now = (self.now)();
        let is_taken = matches!(&answer, Ok(status) if status.is_success());
        let state = match wait(delivery.attempts + 1) {
            _ if is_taken => DeliveryState::Completed,
            Some(wait) => DeliveryState::Waiting(now + wait),
            None => DeliveryState::Failed,
        };
        let (response_code, response_message, system_error) = match answer {
            Ok(status) if is_taken => (word(status), String::new(), false),
            Ok(status) => {
                (word(status), format!("The receiver answered with status {}.", status.as_u16()), false)
            }
            Err(failure) => (String::new(), failure, true),
        };
        if state == DeliveryState::Failed {
            tracing::warn!(delivery.id = %delivery.id, "Webhook delivery {} given up after {ATTEMPTS_MAX} attempts", delivery.id);
        }
        let attempt = WebhookAttempt { response_code, response_message, system_error, at: now, state };
        Ok(self.store.note_webhook_attempt(&delivery, &attempt).await?)
    }

    /// The headers by which a receiver checks the body.
    async fn headers(&self, body: &[u8]) -> Result<HeaderMap, DeliverError> {
        let identity = self.webhooks.identity(&*self.store, (self.now)()).await?;
        let signature = identity.sign(body).map_err(IdentityError::Signing)?;
        let value = |text: String| HeaderValue::from_str(&text).map_err(|_| DeliverError::Header);
        let mut headers = HeaderMap::new();
        headers.insert(header::AUTHORIZATION, value(format!("Signature {signature}"))?);
        headers.insert(CERTIFICATE_URL, value(self.webhooks.link("/webhooks/v1/certificate"))?);
        headers.insert(SIGNATURE_ALGORITHM, HeaderValue::from_static("rsa-sha256"));
        Ok(headers)
    }
}

/// How long to wait after so many attempts; `None` if there are no more.
fn wait(attempts: u32) -> Option<TimeDelta> {
    (attempts < ATTEMPTS_MAX).then(|| WAIT_FIRST * (1 << (attempts.max(1) - 1)))
}

/// A status as .NET names it, such as `OK` or `NotFound`.
fn word(status: StatusCode) -> String {
    match status.canonical_reason() {
        Some(reason) => reason.chars().filter(char::is_ascii_alphanumeric).collect(),
        None => status.as_str().to_owned(),
    }
}
