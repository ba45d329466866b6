//! What callers do with notification subscriptions: make, look at, renew, confirm and remove them.
//!
//! Graph calls them subscriptions; inside they are spelled out, since a subscription is an Azure
//! subscription here. Source: resource type subscription, and its methods, of Graph's documentation.

mod representation;
mod request;
mod resource;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Map, Value};
use store::{NotificationSubscription, Renewal, Store, StoreError, Subscriber, SubscriptionChange};
use uuid::Uuid;

use crate::auth::Caller;
use crate::notify::receivers::{HandshakeError, Receivers};

pub use representation::{Secrets, representation};
pub use request::PropertyError;
pub use resource::{ResourceError, WatchedResource};

/// The longest life of a subscription; Graph's for security alerts.
pub const LIFE_MAX: TimeDelta = TimeDelta::minutes(43_200);

/// How many subscriptions an application may have in one partner, unless the operator says otherwise.
pub const PER_APPLICATION_MAX: u32 = 100;

/// The part of a subscription's life that is left when its subscriber is reminded to renew it.
const REMINDED_AT: i32 = 10;

/// The reminder comes at most this long before the end.
const REMINDED_BEFORE_MAX: TimeDelta = TimeDelta::hours(24);

/// What can go wrong when a caller works on subscriptions. Knows nothing of HTTP.
#[derive(Debug, thiserror::Error)]
pub enum SubscriptionError {
    /// The caller has no such subscription. One of somebody else reads the same, on purpose.
    #[error("Subscription '{0}' does not exist.")]
    NotFound(String),
    /// The alert to watch is not there, or not the caller's to see.
    #[error("Alert '{0}' does not exist.")]
    NoSuchAlert(String),
    /// A property is wrong.
    #[error(transparent)]
    Property(#[from] PropertyError),
    /// A receiver did not show that it wants notifications.
    #[error(
        "Subscription validation request failed for '{property}': {cause}. Notification endpoint must \
         respond with 200 OK to validation request."
    )]
    Handshake {
        /// Which of the two addresses.
        property: &'static str,
        /// Why.
        cause: HandshakeError,
    },
    /// The application has as many as it may.
    #[error("The application has reached its limit of {0} subscriptions; delete one that is not needed.")]
    LimitReached(u32),
    /// The store failed.
    #[error("the store of subscriptions failed")]
    Store(#[from] StoreError),
}

/// What the use cases work with.
#[derive(Clone, Copy)]
pub struct Desk<'a> {
    /// The subscriptions, and the alerts that they watch.
    pub store: &'a dyn Store,
    /// Whom to shake hands with.
    pub receivers: &'a Receivers,
    /// How many subscriptions an application may have in one partner.
    pub per_application_max: u32,
}

/// Who the caller is to the subscriptions: a user sees those made on their behalf by the application, an
/// application that calls for itself all that it made, and both only those of the same scope.
#[must_use]
pub fn subscriber(caller: &Caller) -> Subscriber {
    Subscriber {
        scope: caller.scope.clone(),
        application_id: caller.application.clone(),
        user_id: (!caller.permissions.app_only).then(|| caller.object_id.clone()),
    }
}

impl Desk<'_> {
    /// Makes a subscription, once both its addresses have shown that they want it.
    ///
    /// `new_id` gives an id that was never given before.
    ///
    /// # Errors
    ///
    /// [`SubscriptionError`], which names the property that is wrong.
    pub async fn create(
        &self,
        caller: &Caller,
        properties: &Map<String, Value>,
        new_id: &(dyn Fn() -> Uuid + Sync),
        now: DateTime<Utc>,
    ) -> Result<NotificationSubscription, SubscriptionError> {
        let asked = request::NewSubscription::read(properties, self.receivers, now)?;
        if let Some(alert) = &asked.resource.alert_id
            && self.store.alert(&caller.scope, alert).await?.is_none()
        {
            return Err(SubscriptionError::NoSuchAlert(alert.to_string()));
        }
        let subscription = NotificationSubscription {
            id: new_id(),
            scope: caller.scope.clone(),
            application_id: caller.application.clone(),
            creator_id: caller.object_id.clone(),
            resource: asked.resource.text,
            alert_id: asked.resource.alert_id,
            change_types: asked.change_types,
            reauthorize_at: asked
                .lifecycle_notification_url
                .is_some()
                .then(|| reminder(now, asked.expires_at)),
            notification_url: asked.notification_url,
            lifecycle_notification_url: asked.lifecycle_notification_url,
            client_state: asked.client_state,
            expires_at: asked.expires_at,
            encryption: asked.encryption,
            latest_supported_tls_version: asked.latest_supported_tls_version,
            created_at: now,
        };
        self.shake_hands("notificationUrl", &subscription.notification_url, new_id()).await?;
        if let Some(url) = &subscription.lifecycle_notification_url {
            // Also if both are the same: Graph's documentation has receivers expect two requests then.
            self.shake_hands("lifecycleNotificationUrl", url, new_id()).await?;
        }
        match self.store.add_notification_subscription(&subscription, self.per_application_max).await? {
            true => Ok(subscription),
            false => Err(SubscriptionError::LimitReached(self.per_application_max)),
        }
    }

    async fn shake_hands(
        &self,
        property: &'static str,
        url: &str,
        request_id: Uuid,
    ) -> Result<(), SubscriptionError> {
        // Holds what must be decoded, so that a receiver that forgets to is found out at once.
        let token = format!(
            "Validation: Testing client application reachability for subscription Request-Id: {request_id}"
        );
        self.receivers
            .shake_hands(url, &token)
            .await
            .map_err(|cause| SubscriptionError::Handshake { property, cause })
    }

    /// The caller's subscriptions.
    ///
    /// # Errors
    ///
    /// [`SubscriptionError::Store`].
    pub async fn list(
        &self,
        caller: &Caller,
        now: DateTime<Utc>,
    ) -> Result<Vec<NotificationSubscription>, SubscriptionError> {
        Ok(self.store.notification_subscriptions(&subscriber(caller), now).await?)
    }

    /// One of the caller's subscriptions.
    ///
    /// # Errors
    ///
    /// [`SubscriptionError::NotFound`].
    pub async fn show(
        &self,
        caller: &Caller,
        id: &str,
        now: DateTime<Utc>,
    ) -> Result<NotificationSubscription, SubscriptionError> {
        let found = self.store.notification_subscription(&subscriber(caller), known_id(id)?, now).await?;
        found.ok_or_else(|| not_found(id))
    }

    /// Renews a subscription, or gives it another certificate.
    ///
    /// # Errors
    ///
    /// [`SubscriptionError::Property`] that names what cannot be changed; [`SubscriptionError::NotFound`].
    pub async fn update(
        &self,
        caller: &Caller,
        id: &str,
        properties: &Map<String, Value>,
        now: DateTime<Utc>,
    ) -> Result<NotificationSubscription, SubscriptionError> {
        let current = self.show(caller, id, now).await?;
        let asked = request::ChangedSubscription::read(properties, &current, now)?;
        let renewal = asked.expires_at.map(|expires_at| Renewal {
            expires_at,
            reauthorize_at: current.lifecycle_notification_url.is_some().then(|| reminder(now, expires_at)),
        });
        self.change(caller, id, SubscriptionChange { renewal, encryption: asked.encryption }, now).await
    }

    /// Confirms a subscription without renewing it.
    ///
    /// # Errors
    ///
    /// [`SubscriptionError::NotFound`].
    pub async fn reauthorize(
        &self,
        caller: &Caller,
        id: &str,
        now: DateTime<Utc>,
    ) -> Result<(), SubscriptionError> {
        self.change(caller, id, SubscriptionChange::default(), now).await.map(|_| ())
    }

    async fn change(
        &self,
        caller: &Caller,
        id: &str,
        change: SubscriptionChange,
        now: DateTime<Utc>,
    ) -> Result<NotificationSubscription, SubscriptionError> {
        let subscriber = subscriber(caller);
        let changed =
            self.store.change_notification_subscription(&subscriber, known_id(id)?, &change, now).await?;
        changed.ok_or_else(|| not_found(id))
    }

    /// Removes a subscription and what is on its way to it.
    ///
    /// # Errors
    ///
    /// [`SubscriptionError::NotFound`].
    pub async fn delete(
        &self,
        caller: &Caller,
        id: &str,
        now: DateTime<Utc>,
    ) -> Result<(), SubscriptionError> {
        let subscriber = subscriber(caller);
        match self.store.remove_notification_subscription(&subscriber, known_id(id)?, now).await? {
            true => Ok(()),
            false => Err(not_found(id)),
        }
    }
}

/// When the subscriber is reminded: when a tenth of the life is left, at most a day before the end.
fn reminder(now: DateTime<Utc>, expires_at: DateTime<Utc>) -> DateTime<Utc> {
    expires_at - ((expires_at - now) / REMINDED_AT).min(REMINDED_BEFORE_MAX)
}

/// A text that is no GUID is one that no subscription has.
fn known_id(id: &str) -> Result<Uuid, SubscriptionError> {
    id.parse().map_err(|_| not_found(id))
}

fn not_found(id: &str) -> SubscriptionError {
    SubscriptionError::NotFound(id.chars().take(100).filter(|c| !c.is_control()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reminder_comes_when_a_tenth_of_the_life_is_left_at_most_a_day_before() {
        let now: DateTime<Utc> = "2031-02-03T00:00:00Z".parse().unwrap();
        for (life, before) in [
            (TimeDelta::minutes(60), TimeDelta::minutes(6)),
            (TimeDelta::days(3), TimeDelta::minutes(432)),
            (LIFE_MAX, TimeDelta::hours(24)),
        ] {
            assert_eq!(reminder(now, now + life), now + life - before);
        }
    }
}
