//! Notification subscriptions, the outbox and secrets on the embedded store.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::SqliteStore;
use super::session::at_once;
use crate::logic::{outbox, secrets, subscriptions};
use crate::{
    Lease, NotificationOutbox, NotificationSubscription, NotificationWork, Outcome, Parcel, SecretStore,
    StoreError, Subscriber, SubscriptionChange, SubscriptionKey, SubscriptionStore,
};

#[async_trait]
impl SubscriptionStore for SqliteStore {
    async fn add_notification_subscription(
        &self,
        subscription: &NotificationSubscription,
        limit: u32,
    ) -> Result<bool, StoreError> {
        let subscription = subscription.clone();
        self.writer.write(move |session| at_once(subscriptions::add(session, &subscription, limit))).await
    }

    async fn notification_subscriptions(
        &self,
        subscriber: &Subscriber,
        now: DateTime<Utc>,
    ) -> Result<Vec<NotificationSubscription>, StoreError> {
        self.readers.read(|session| at_once(subscriptions::list(session, subscriber, now)))
    }

    async fn notification_subscription(
        &self,
        subscriber: &Subscriber,
        id: Uuid,
        now: DateTime<Utc>,
    ) -> Result<Option<NotificationSubscription>, StoreError> {
        self.readers.read(|session| at_once(subscriptions::one(session, subscriber, id, now)))
    }

    async fn change_notification_subscription(
        &self,
        subscriber: &Subscriber,
        id: Uuid,
        change: &SubscriptionChange,
        now: DateTime<Utc>,
    ) -> Result<Option<NotificationSubscription>, StoreError> {
        let (subscriber, change) = (subscriber.clone(), change.clone());
        self.writer
            .write(move |session| at_once(subscriptions::change(session, &subscriber, id, &change, now)))
            .await
    }

    async fn remove_notification_subscription(
        &self,
        subscriber: &Subscriber,
        id: Uuid,
        now: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let subscriber = subscriber.clone();
        self.writer.write(move |session| at_once(subscriptions::remove(session, &subscriber, id, now))).await
    }
}

#[async_trait]
impl NotificationOutbox for SqliteStore {
    async fn notification_work(
        &self,
        now: DateTime<Utc>,
        limit: u32,
    ) -> Result<NotificationWork, StoreError> {
        self.readers.read(|session| at_once(outbox::work(session, now, limit)))
    }

    async fn tend_notification_subscription(
        &self,
        key: &SubscriptionKey,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let key = key.clone();
        self.writer.write(move |session| at_once(outbox::tend(session, &key, now))).await
    }

    async fn fan_out(
        &self,
        key: &SubscriptionKey,
        now: DateTime<Utc>,
        limit: u32,
    ) -> Result<bool, StoreError> {
        let key = key.clone();
        self.writer.write(move |session| at_once(outbox::fan_out(session, &key, now, limit))).await
    }

    async fn lease_notifications(
        &self,
        key: &SubscriptionKey,
        lease: &Lease,
        now: DateTime<Utc>,
        limit: u32,
    ) -> Result<Option<Parcel>, StoreError> {
        let (key, lease) = (key.clone(), *lease);
        self.writer.write(move |session| at_once(outbox::lease(session, &key, &lease, now, limit))).await
    }

    async fn settle_notifications(
        &self,
        key: &SubscriptionKey,
        lease: &Lease,
        outcomes: &[(i64, Outcome)],
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let (key, lease, outcomes) = (key.clone(), *lease, outcomes.to_vec());
        self.writer.write(move |session| at_once(outbox::settle(session, &key, &lease, &outcomes, now))).await
    }
}

#[async_trait]
impl SecretStore for SqliteStore {
    async fn secret(&self, name: &str, fresh: &[u8]) -> Result<Vec<u8>, StoreError> {
        let (name, fresh) = (name.to_owned(), fresh.to_vec());
        self.writer.write(move |session| at_once(secrets::secret(session, &name, &fresh))).await
    }
}
