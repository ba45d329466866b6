//! Webhook registrations of Partner Center's kind, and deliveries on their way.

use alerts::PartnerTenantId;
use chrono::{DateTime, Utc};
use uuid::Uuid;

/// A partner's registration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookRegistration {
    /// What it is called; stays the same through changes.
    pub subscriber_id: Uuid,
    /// Where events go, and which.
    pub target: WebhookTarget,
}

/// Where events go, and which.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookTarget {
    /// The receiver.
    pub url: String,
    /// The names of the events, none twice, each one word.
    pub events: Vec<String>,
}

/// One event on its way to a receiver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookDelivery {
    /// Its id, which is also the correlation id of a test event.
    pub id: Uuid,
    /// The name of the event.
    pub event: String,
    /// What is sent, to the byte.
    pub body: String,
    /// The receiver.
    pub url: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// How it stands.
    pub state: DeliveryState,
}

/// How a delivery stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliveryState {
    /// The next attempt is then.
    Waiting(DateTime<Utc>),
    /// The receiver has it.
    Completed,
    /// It was given up.
    Failed,
}

/// A delivery that was leased for an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueDelivery {
    /// Whose it is.
    pub partner_tenant_id: PartnerTenantId,
    /// The delivery's id.
    pub id: Uuid,
    /// What to send.
    pub body: String,
    /// To whom.
    pub url: String,
    /// How many attempts were made.
    pub attempts: u32,
}

/// What came of one attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookAttempt {
    /// The receiver's status as a word, such as `OK`; empty if there was no answer.
    pub response_code: String,
    /// What went wrong; empty if nothing did.
    pub response_message: String,
    /// Whether there was no answer at all.
    pub system_error: bool,
    /// When.
    pub at: DateTime<Utc>,
    /// How the delivery stands after it.
    pub state: DeliveryState,
}
