//! Notification subscriptions, the outbox and secrets on PostgreSQL.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::PostgresStore;
use super::session::Lock;
use crate::logic::{outbox, secrets, subscriptions};
use crate::{
    Lease, NotificationOutbox, NotificationSubscription, NotificationWork, Outcome, Parcel, SecretStore,
    StoreError, Subscriber, SubscriptionChange, SubscriptionKey, SubscriptionStore,
};

/// What work on subscriptions and their notifications waits for: other such work, of all servers.
fn lock() -> Lock {
    Lock::of_subject("notifications")
}

#[async_trait]
impl SubscriptionStore for PostgresStore {
    async fn add_notification_subscription(
        &self,
        subscription: &NotificationSubscription,
        limit: u32,
    ) -> Result<bool, StoreError> {
        self.write(lock(), |mut session| async move {
            let done = subscriptions::add(&mut session, subscription, limit).await;
            session.end(done).await
        })
        .await
    }

    async fn notification_subscriptions(
        &self,
        subscriber: &Subscriber,
        now: DateTime<Utc>,
    ) -> Result<Vec<NotificationSubscription>, StoreError> {
        subscriptions::list(&mut self.reading().await?, subscriber, now).await
    }

    async fn notification_subscription(
        &self,
        subscriber: &Subscriber,
        id: Uuid,
        now: DateTime<Utc>,
    ) -> Result<Option<NotificationSubscription>, StoreError> {
        subscriptions::one(&mut self.reading().await?, subscriber, id, now).await
    }

    async fn change_notification_subscription(
        &self,
        subscriber: &Subscriber,
        id: Uuid,
        change: &SubscriptionChange,
        now: DateTime<Utc>,
    ) -> Result<Option<NotificationSubscription>, StoreError> {
        self.write(lock(), |mut session| async move {
            let done = subscriptions::change(&mut session, subscriber, id, change, now).await;
            session.end(done).await
        })
        .await
    }

    async fn remove_notification_subscription(
        &self,
        subscriber: &Subscriber,
        id: Uuid,
        now: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        self.write(lock(), |mut session| async move {
            let done = subscriptions::remove(&mut session, subscriber, id, now).await;
            session.end(done).await
        })
        .await
    }
}

#[async_trait]
impl NotificationOutbox for PostgresStore {
    async fn notification_work(
        &self,
        now: DateTime<Utc>,
        limit: u32,
    ) -> Result<NotificationWork, StoreError> {
        outbox::work(&mut self.reading().await?, now, limit).await
    }

    async fn tend_notification_subscription(
        &self,
        key: &SubscriptionKey,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        self.write(lock(), |mut session| async move {
            let done = outbox::tend(&mut session, key, now).await;
            session.end(done).await
        })
        .await
    }

    async fn fan_out(
        &self,
        key: &SubscriptionKey,
        now: DateTime<Utc>,
        limit: u32,
    ) -> Result<bool, StoreError> {
        self.write(lock(), |mut session| async move {
            let done = outbox::fan_out(&mut session, key, now, limit).await;
            session.end(done).await
        })
        .await
    }

    async fn lease_notifications(
        &self,
        key: &SubscriptionKey,
        lease: &Lease,
        now: DateTime<Utc>,
        limit: u32,
    ) -> Result<Option<Parcel>, StoreError> {
        self.write(lock(), |mut session| async move {
            let done = outbox::lease(&mut session, key, lease, now, limit).await;
            session.end(done).await
        })
        .await
    }

    async fn settle_notifications(
        &self,
        key: &SubscriptionKey,
        lease: &Lease,
        outcomes: &[(i64, Outcome)],
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        self.write(lock(), |mut session| async move {
            let done = outbox::settle(&mut session, key, lease, outcomes, now).await;
            session.end(done).await
        })
        .await
    }
}

#[async_trait]
impl SecretStore for PostgresStore {
    async fn secret(&self, name: &str, fresh: &[u8]) -> Result<Vec<u8>, StoreError> {
        self.write(Lock::of_subject("secrets"), |mut session| async move {
            let done = secrets::secret(&mut session, name, fresh).await;
            session.end(done).await
        })
        .await
    }
}
