//! Notification subscriptions, the notifications on their way, and secrets.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::{
    Lease, NotificationSubscription, NotificationWork, Outcome, Parcel, StoreError, Subscriber,
    SubscriptionChange, SubscriptionKey,
};

/// Who wants to be told of changes to alerts.
#[async_trait]
pub trait SubscriptionStore: Send + Sync + 'static {
    /// Adds a subscription, which tells of changes from now on.
    ///
    /// `false`, and nothing is added, if its application has so many in its partner already.
    async fn add_notification_subscription(
        &self,
        subscription: &NotificationSubscription,
        limit: u32,
    ) -> Result<bool, StoreError>;

    /// The subscriber's subscriptions that are in force, the oldest first.
    async fn notification_subscriptions(
        &self,
        subscriber: &Subscriber,
        now: DateTime<Utc>,
    ) -> Result<Vec<NotificationSubscription>, StoreError>;

    /// One of them.
    async fn notification_subscription(
        &self,
        subscriber: &Subscriber,
        id: Uuid,
        now: DateTime<Utc>,
    ) -> Result<Option<NotificationSubscription>, StoreError>;

    /// Changes or confirms one of them; `None` if there is none.
    async fn change_notification_subscription(
        &self,
        subscriber: &Subscriber,
        id: Uuid,
        change: &SubscriptionChange,
        now: DateTime<Utc>,
    ) -> Result<Option<NotificationSubscription>, StoreError>;

    /// Removes one of them and what is on its way; `false` if there is none.
    async fn remove_notification_subscription(
        &self,
        subscriber: &Subscriber,
        id: Uuid,
        now: DateTime<Utc>,
    ) -> Result<bool, StoreError>;
}

/// Notifications on their way. This is work on the whole store: it takes no scope of a caller, and each
/// subscription is told of its own scope alone.
///
/// Several servers may do it at once on one store. What one has done the others find done.
#[async_trait]
pub trait NotificationOutbox: Send + Sync + 'static {
    /// What is to be done, for at most so many subscriptions of each kind.
    async fn notification_work(&self, now: DateTime<Utc>, limit: u32)
    -> Result<NotificationWork, StoreError>;

    /// Ends a subscription that has expired, and puts out what tells its subscriber of the end, or of
    /// its approach.
    async fn tend_notification_subscription(
        &self,
        key: &SubscriptionKey,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError>;

    /// Turns the next changes that a subscription has not seen, at most so many, into notifications, in
    /// the transaction that notes that it has seen them. Says whether there may be more.
    async fn fan_out(
        &self,
        key: &SubscriptionKey,
        now: DateTime<Utc>,
        limit: u32,
    ) -> Result<bool, StoreError>;

    /// Leases what is due for a subscription, at most so many; `None` if nothing is.
    async fn lease_notifications(
        &self,
        key: &SubscriptionKey,
        lease: &Lease,
        now: DateTime<Utc>,
        limit: u32,
    ) -> Result<Option<Parcel>, StoreError>;

    /// Notes what came of sending, by the numbers of notifications. Those whose lease was lost are left
    /// to whoever has it.
    async fn settle_notifications(
        &self,
        key: &SubscriptionKey,
        lease: &Lease,
        outcomes: &[(i64, Outcome)],
        now: DateTime<Utc>,
    ) -> Result<(), StoreError>;
}

/// What all servers on one store share and nobody else may know.
#[async_trait]
pub trait SecretStore: Send + Sync + 'static {
    /// The secret of that name; `fresh` is kept as it if there was none.
    async fn secret(&self, name: &str, fresh: &[u8]) -> Result<Vec<u8>, StoreError>;
}
