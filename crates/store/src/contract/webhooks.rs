//! Webhook registrations of Partner Center's kind, and deliveries on their way.

use alerts::Scope;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::{
    ChangePosition, DueDelivery, StoreError, WebhookAttempt, WebhookDelivery, WebhookRegistration,
    WebhookTarget,
};

/// Where a partner wants to hear of events. A partner has one registration at most; scopes that are
/// narrower have none and may write none.
#[async_trait]
pub trait WebhookStore: Send + Sync + 'static {
    /// The partner's registration.
    async fn webhook_registration(&self, scope: &Scope) -> Result<Option<WebhookRegistration>, StoreError>;

    /// Adds the partner's registration, which tells of changes after that position; `false`, and nothing
    /// is added, if there is one.
    async fn add_webhook_registration(
        &self,
        scope: &Scope,
        registration: &WebhookRegistration,
        after: ChangePosition,
    ) -> Result<bool, StoreError>;

    /// Changes where the partner's registration leads and what it tells of; `None` if there is none. What
    /// is on its way goes to the new place.
    async fn change_webhook_registration(
        &self,
        scope: &Scope,
        target: &WebhookTarget,
    ) -> Result<Option<WebhookRegistration>, StoreError>;

    /// Adds a delivery to the partner's registration, unless so many of its event were added since then;
    /// says whether it did.
    async fn add_webhook_delivery(
        &self,
        scope: &Scope,
        delivery: &WebhookDelivery,
        limit: u32,
        since: DateTime<Utc>,
    ) -> Result<bool, StoreError>;

    /// A delivery and its attempts, oldest first.
    async fn webhook_delivery(
        &self,
        scope: &Scope,
        id: Uuid,
    ) -> Result<Option<(WebhookDelivery, Vec<WebhookAttempt>)>, StoreError>;
}

/// Deliveries on their way. This is work on the whole store: it takes no scope of a caller, and each
/// partner is told of its own alerts alone.
#[async_trait]
pub trait WebhookOutbox: Send + Sync + 'static {
    /// All registrations, each with its partner's scope and the changes that it has seen.
    async fn webhook_registrations(
        &self,
    ) -> Result<Vec<(Scope, WebhookRegistration, ChangePosition)>, StoreError>;

    /// Notes that a registration has seen changes, and adds what came of them; all or none. `false`, and
    /// nothing is added, if it has not stood at `seen`: another server was faster.
    async fn fan_out_webhook(
        &self,
        scope: &Scope,
        seen: ChangePosition,
        until: ChangePosition,
        deliveries: &[WebhookDelivery],
    ) -> Result<bool, StoreError>;

    /// Takes up to so many deliveries that are due, the longest waiting first. Others find them due again
    /// at `lease_until` unless the attempt is noted before.
    async fn lease_webhook_deliveries(
        &self,
        now: DateTime<Utc>,
        lease_until: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<DueDelivery>, StoreError>;

    /// Notes an attempt, and what becomes of the delivery.
    async fn note_webhook_attempt(
        &self,
        delivery: &DueDelivery,
        attempt: &WebhookAttempt,
    ) -> Result<(), StoreError>;

    /// Forgets deliveries made before a time, and says how many.
    async fn forget_webhook_deliveries(&self, before: DateTime<Utc>) -> Result<u64, StoreError>;
}
