//! Webhook registrations and deliveries on the embedded store.

use ::alerts::Scope;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::SqliteStore;
use super::session::at_once;
use crate::logic::webhooks;
use crate::{
    ChangePosition, DueDelivery, StoreError, WebhookAttempt, WebhookDelivery, WebhookOutbox,
    WebhookRegistration, WebhookStore, WebhookTarget,
};

#[async_trait]
impl WebhookStore for SqliteStore {
    async fn webhook_registration(&self, scope: &Scope) -> Result<Option<WebhookRegistration>, StoreError> {
        self.readers.read(|session| at_once(webhooks::registration(session, scope)))
    }

    async fn add_webhook_registration(
        &self,
        scope: &Scope,
        registration: &WebhookRegistration,
        after: ChangePosition,
    ) -> Result<bool, StoreError> {
        let (scope, registration) = (scope.clone(), registration.clone());
        self.writer
            .write(move |session| at_once(webhooks::add_registration(session, &scope, &registration, after)))
            .await
    }

    async fn change_webhook_registration(
        &self,
        scope: &Scope,
        target: &WebhookTarget,
    ) -> Result<Option<WebhookRegistration>, StoreError> {
        let (scope, target) = (scope.clone(), target.clone());
        self.writer
            .write(move |session| at_once(webhooks::change_registration(session, &scope, &target)))
            .await
    }

    async fn add_webhook_delivery(
        &self,
        scope: &Scope,
        delivery: &WebhookDelivery,
        limit: u32,
        since: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let (scope, delivery) = (scope.clone(), delivery.clone());
        self.writer
            .write(move |session| at_once(webhooks::add_delivery(session, &scope, &delivery, limit, since)))
            .await
    }

    async fn webhook_delivery(
        &self,
        scope: &Scope,
        id: Uuid,
    ) -> Result<Option<(WebhookDelivery, Vec<WebhookAttempt>)>, StoreError> {
        self.readers.read(|session| at_once(webhooks::delivery(session, scope, id)))
    }
}

#[async_trait]
impl WebhookOutbox for SqliteStore {
    async fn webhook_registrations(
        &self,
    ) -> Result<Vec<(Scope, WebhookRegistration, ChangePosition)>, StoreError> {
        self.readers.read(|session| at_once(webhooks::registrations(session)))
    }

    async fn fan_out_webhook(
        &self,
        scope: &Scope,
        seen: ChangePosition,
        until: ChangePosition,
        deliveries: &[WebhookDelivery],
    ) -> Result<bool, StoreError> {
        let (scope, deliveries) = (scope.clone(), deliveries.to_vec());
        self.writer
            .write(move |session| at_once(webhooks::fan_out(session, &scope, seen, until, &deliveries)))
            .await
    }

    async fn lease_webhook_deliveries(
        &self,
        now: DateTime<Utc>,
        lease_until: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<DueDelivery>, StoreError> {
        self.writer.write(move |session| at_once(webhooks::lease(session, now, lease_until, limit))).await
    }

    async fn note_webhook_attempt(
        &self,
        delivery: &DueDelivery,
        attempt: &WebhookAttempt,
    ) -> Result<(), StoreError> {
        let (delivery, attempt) = (delivery.clone(), attempt.clone());
        self.writer.write(move |session| at_once(webhooks::note_attempt(session, &delivery, &attempt))).await
    }

    async fn forget_webhook_deliveries(&self, before: DateTime<Utc>) -> Result<u64, StoreError> {
        self.writer.write(move |session| at_once(webhooks::forget(session, before))).await
    }
}
