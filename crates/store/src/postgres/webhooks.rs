//! Webhook registrations and deliveries on a PostgreSQL server.

use ::alerts::Scope;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::PostgresStore;
use super::session::Lock;
use crate::logic::webhooks;
use crate::{
    ChangePosition, DueDelivery, StoreError, WebhookAttempt, WebhookDelivery, WebhookOutbox,
    WebhookRegistration, WebhookStore, WebhookTarget,
};

#[async_trait]
impl WebhookStore for PostgresStore {
    async fn webhook_registration(&self, scope: &Scope) -> Result<Option<WebhookRegistration>, StoreError> {
        webhooks::registration(&mut self.reading().await?, scope).await
    }

    async fn add_webhook_registration(
        &self,
        scope: &Scope,
        registration: &WebhookRegistration,
        after: ChangePosition,
    ) -> Result<bool, StoreError> {
        let lock = Lock::exclusive(scope.partner());
        self.write(lock, |mut session| async move {
            let done = webhooks::add_registration(&mut session, scope, registration, after).await;
            session.end(done).await
        })
        .await
    }

    async fn change_webhook_registration(
        &self,
        scope: &Scope,
        target: &WebhookTarget,
    ) -> Result<Option<WebhookRegistration>, StoreError> {
        let lock = Lock::exclusive(scope.partner());
        self.write(lock, |mut session| async move {
            let done = webhooks::change_registration(&mut session, scope, target).await;
            session.end(done).await
        })
        .await
    }

    async fn add_webhook_delivery(
        &self,
        scope: &Scope,
        delivery: &WebhookDelivery,
        limit: u32,
        since: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        // Alone, so that two at once do not both find room.
        let lock = Lock::exclusive(scope.partner());
        self.write(lock, |mut session| async move {
            let done = webhooks::add_delivery(&mut session, scope, delivery, limit, since).await;
            session.end(done).await
        })
        .await
    }

    async fn webhook_delivery(
        &self,
        scope: &Scope,
        id: Uuid,
    ) -> Result<Option<(WebhookDelivery, Vec<WebhookAttempt>)>, StoreError> {
        webhooks::delivery(&mut self.reading().await?, scope, id).await
    }
}

#[async_trait]
impl WebhookOutbox for PostgresStore {
    async fn webhook_registrations(
        &self,
    ) -> Result<Vec<(Scope, WebhookRegistration, ChangePosition)>, StoreError> {
        webhooks::registrations(&mut self.reading().await?).await
    }

    async fn fan_out_webhook(
        &self,
        scope: &Scope,
        seen: ChangePosition,
        until: ChangePosition,
        deliveries: &[WebhookDelivery],
    ) -> Result<bool, StoreError> {
        let lock = Lock::exclusive(scope.partner());
        self.write(lock, |mut session| async move {
            let done = webhooks::fan_out(&mut session, scope, seen, until, deliveries).await;
            session.end(done).await
        })
        .await
    }

    async fn lease_webhook_deliveries(
        &self,
        now: DateTime<Utc>,
        lease_until: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<DueDelivery>, StoreError> {
        // One at a time, so that none takes what another is about to take.
        self.write(Lock::of_log(), |mut session| async move {
            let done = webhooks::lease(&mut session, now, lease_until, limit).await;
            session.end(done).await
        })
        .await
    }

    async fn note_webhook_attempt(
        &self,
        delivery: &DueDelivery,
        attempt: &WebhookAttempt,
    ) -> Result<(), StoreError> {
        let lock = Lock::row(&delivery.partner_tenant_id, &delivery.id.to_string());
        self.write(lock, |mut session| async move {
            let done = webhooks::note_attempt(&mut session, delivery, attempt).await;
            session.end(done).await
        })
        .await
    }

    async fn forget_webhook_deliveries(&self, before: DateTime<Utc>) -> Result<u64, StoreError> {
        self.write(Lock::of_log(), |mut session| async move {
            let done = webhooks::forget(&mut session, before).await;
            session.end(done).await
        })
        .await
    }
}
