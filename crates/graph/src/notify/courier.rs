//! Takes notifications from the outbox to their receivers.
//!
//! One delivery at a time goes to a subscription, and a slow receiver holds up nobody but itself: each
//! subscription has a task of its own while something is due for it. A delivery holds several
//! notifications, each of another alert. If the receiver refuses it, they are sent one by one, so that
//! one that it cannot take holds up no other.

use std::collections::HashMap;
use std::time::Duration;

use chrono::TimeDelta;
use serde_json::Value;
use store::{
    Lease, Notification, NotificationEvent, NotificationSubscription, Outcome, Parcel, StoreError,
    SubscriptionKey,
};
use tokio::task::{Id, JoinSet};
use uuid::{Builder, Uuid};

use super::encryption::Certificate;
use super::receivers::Delivery;
use super::{Office, backoff, payload};

/// How many notifications a delivery holds at most.
const DELIVERY_MAX: u32 = 20;

/// How many deliveries are under way at once at most.
const DELIVERIES_MAX: usize = 64;

/// How many subscriptions are looked at in one round at most.
const ROUND_MAX: u32 = 1000;

/// How many changes are turned into notifications in one transaction at most.
const FAN_OUT_MAX: u32 = 500;

/// For how long others leave alone what is being sent. Longer than any single delivery may take; after
/// a crash, what was under way is sent again this much later.
const LEASE: TimeDelta = TimeDelta::seconds(60);

/// Takes notifications from the outbox to their receivers.
pub struct Courier {
    office: Office,
    under_way: HashMap<Id, SubscriptionKey>,
    tasks: JoinSet<()>,
}

/// Why a delivery was not even tried.
#[derive(Debug, thiserror::Error)]
enum CourierError {
    #[error("the store failed")]
    Store(#[from] StoreError),
    #[error("the alert could not be encrypted")]
    Encryption,
    #[error("the validation token could not be signed")]
    Sign(#[source] anyhow::Error),
}

/// A notification that is ready to be sent.
struct Letter<'a> {
    notification: &'a Notification,
    item: Value,
}

impl Courier {
    /// A courier with nothing under way.
    #[must_use]
    pub fn new(office: Office) -> Self {
        Self { office, under_way: HashMap::new(), tasks: JoinSet::new() }
    }

    /// Looks at the store once: ends what has expired, puts changes into the outbox, and starts a
    /// delivery for each subscription with something due.
    ///
    /// # Errors
    ///
    /// [`StoreError`]; what was not done is found again by the next call.
    pub async fn collect(&mut self) -> Result<(), StoreError> {
        let store = self.office.store.clone();
        let now = (self.office.now)();
        let mut work = store.notification_work(now, ROUND_MAX).await?;
        for key in &work.behind {
            while store.fan_out(key, now, FAN_OUT_MAX).await? {}
        }
        for key in &work.to_tend {
            store.tend_notification_subscription(key, now).await?;
        }
        if !work.behind.is_empty() || !work.to_tend.is_empty() {
            work = store.notification_work(now, ROUND_MAX).await?;
        }
        for key in work.due {
            if self.under_way.len() >= DELIVERIES_MAX {
                break;
            }
            if !self.under_way.values().any(|busy| *busy == key) {
                let task = self.tasks.spawn(deliver_due(self.office.clone(), key.clone()));
                self.under_way.insert(task.id(), key);
            }
        }
        Ok(())
    }

    /// Waits until a delivery that is under way has ended; for ever if none is.
    pub async fn returned(&mut self) {
        let id = match self.tasks.join_next_with_id().await {
            Some(Ok((id, ()))) => id,
            Some(Err(error)) => {
                tracing::error!(%error, "A delivery of notifications broke off");
                error.id()
            }
            None => return std::future::pending().await,
        };
        self.under_way.remove(&id);
    }

    /// Whether nothing is under way.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.under_way.is_empty()
    }
}

/// Sends what is due for a subscription, until nothing is or something fails.
async fn deliver_due(office: Office, key: SubscriptionKey) {
    loop {
        match deliver(&office, &key).await {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => {
                let error = anyhow::Error::from(error);
                tracing::error!(subscription.id = %key.id, ?error, "Notifications of {} could not be sent", key.id);
                return;
            }
        }
    }
}

/// One lease, and what comes of it. Says whether it is worth asking for more.
async fn deliver(office: &Office, key: &SubscriptionKey) -> Result<bool, CourierError> {
    let now = (office.now)();
    let lease = Lease { id: random_id(office), until: now + LEASE };
    let Some(parcel) = office.store.lease_notifications(key, &lease, now, DELIVERY_MAX).await? else {
        return Ok(false);
    };
    let outcomes = send(office, &lease, &parcel).await?;
    let all_delivered = outcomes.iter().all(|(_, outcome)| *outcome == Outcome::Delivered);
    office.store.settle_notifications(key, &lease, &outcomes, (office.now)()).await?;
    Ok(all_delivered)
}

fn random_id(office: &Office) -> Uuid {
    let mut bytes = [0; 16];
    (office.fill_random)(&mut bytes);
    Builder::from_random_bytes(bytes).into_uuid()
}

/// Sends what a parcel holds: what is about the subscription itself to one address, changes to another.
async fn send(office: &Office, lease: &Lease, parcel: &Parcel) -> Result<Vec<(i64, Outcome)>, CourierError> {
    let subscription = &parcel.subscription;
    let (about_itself, changes): (Vec<_>, Vec<_>) =
        parcel.notifications.iter().partition(|notification| notification.event.is_lifecycle());
    let mut outcomes = Vec::new();

    let letters: Vec<_> = about_itself
        .into_iter()
        .map(|notification| Letter { notification, item: payload::lifecycle(subscription, notification) })
        .collect();
    match &subscription.lifecycle_notification_url {
        Some(url) => outcomes.extend(post(office, lease, subscription, url, &letters, None).await),
        None => {
            outcomes.extend(letters.iter().map(|letter| (letter.notification.number, Outcome::Delivered)))
        }
    }

    let mut letters = Vec::new();
    for notification in changes {
        match change_letter(office, subscription, notification).await? {
            Some(letter) => letters.push(letter),
            None => outcomes.push((notification.number, Outcome::Delivered)),
        }
    }
    let token = match &subscription.encryption {
        Some(_) => Some(
            (office.sign)(subscription.scope.partner(), &subscription.application_id, (office.now)())
                .map_err(CourierError::Sign)?,
        ),
        None => None,
    };
    let url = &subscription.notification_url;
    outcomes.extend(post(office, lease, subscription, url, &letters, token.as_deref()).await);
    Ok(outcomes)
}

/// The notification of a change; `None` if it should carry an alert that the subscription sees no more.
async fn change_letter<'a>(
    office: &Office,
    subscription: &NotificationSubscription,
    notification: &'a Notification,
) -> Result<Option<Letter<'a>>, CourierError> {
    let Some(alert_id) = &notification.alert_id else { return Ok(None) };
    let is_gone = notification.event == NotificationEvent::Deleted;
    let Some(encryption) = subscription.encryption.as_ref().filter(|_| !is_gone) else {
        let item = payload::change(subscription, notification, alert_id.as_str(), notification.version, None);
        return Ok(Some(Letter { notification, item }));
    };
    let Some(alert) = office.store.alert(&subscription.scope, alert_id).await? else {
        return Ok(None);
    };
    let mut key = [0; 32];
    (office.fill_random)(&mut key);
    let encrypted = Certificate::read(&encryption.certificate)
        .ok()
        .and_then(|certificate| certificate.encrypt(&alert.json, &key, &encryption.id).ok())
        .ok_or(CourierError::Encryption)?;
    // What is sent is the alert as it is now, which may be newer than the change that is told of.
    let item =
        payload::change(subscription, notification, alert_id.as_str(), alert.version, Some(&encrypted));
    Ok(Some(Letter { notification, item }))
}

/// Sends letters to one address, together and then, if they are refused, one by one.
async fn post(
    office: &Office,
    lease: &Lease,
    subscription: &NotificationSubscription,
    url: &str,
    letters: &[Letter<'_>],
    token: Option<&str>,
) -> Vec<(i64, Outcome)> {
    if letters.is_empty() {
        return Vec::new();
    }
    let delivery = post_together(office, url, letters, token).await;
    if letters.len() == 1 || !matches!(delivery, Delivery::Refused(_)) {
        return outcomes(office, subscription, letters, &delivery);
    }
    let mut found = Vec::new();
    for letter in letters {
        let letter = std::slice::from_ref(letter);
        let patience = patience(office, letter);
        let in_time =
            TimeDelta::from_std(patience).is_ok_and(|patience| (office.now)() + patience < lease.until);
        let delivery = match in_time {
            true => post_together(office, url, letter, token).await,
            false => Delivery::Failed("the lease ends".to_owned()),
        };
        found.extend(outcomes(office, subscription, letter, &delivery));
    }
    found
}

async fn post_together(office: &Office, url: &str, letters: &[Letter<'_>], token: Option<&str>) -> Delivery {
    let items: Vec<_> = letters.iter().map(|letter| letter.item.clone()).collect();
    let body = payload::collection(&items, token);
    office.receivers.deliver(url, body, patience(office, letters)).await
}

fn patience(office: &Office, letters: &[Letter<'_>]) -> Duration {
    let is_first = letters.iter().all(|letter| letter.notification.attempts == 0);
    let patience = office.receivers.patience;
    if is_first { patience.first } else { patience.retry }
}

/// What becomes of each letter of a delivery.
fn outcomes(
    office: &Office,
    subscription: &NotificationSubscription,
    letters: &[Letter<'_>],
    delivery: &Delivery,
) -> Vec<(i64, Outcome)> {
    let reason = match delivery {
        Delivery::Taken => {
            return letters.iter().map(|letter| (letter.notification.number, Outcome::Delivered)).collect();
        }
        Delivery::Refused(status) => format!("status {}", status.as_u16()),
        Delivery::Failed(reason) => reason.clone(),
    };
    let count = letters.len();
    tracing::warn!(subscription.id = %subscription.id, reason,
        "{count} notifications of {} were not taken: {reason}", subscription.id);
    let mut chance = [0; 4];
    (office.fill_random)(&mut chance);
    let chance = u32::from_le_bytes(chance);
    let now = (office.now)();
    let outcome = |notification: &Notification| {
        let first_failed_at = notification.first_failed_at.unwrap_or(now);
        let attempts = notification.attempts.saturating_add(1);
        match backoff::next_attempt(attempts, first_failed_at, now, chance) {
            Some(again_at) => Outcome::Failed { again_at },
            None => {
                tracing::warn!(subscription.id = %subscription.id, attempts,
                    "A notification of {} was given up after {attempts} attempts", subscription.id);
                Outcome::GivenUp { with_failed_by: now - backoff::RETRY_WINDOW }
            }
        }
    };
    letters.iter().map(|letter| (letter.notification.number, outcome(letter.notification))).collect()
}
