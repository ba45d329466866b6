//! The one interface to product state, as a trait for each subject.
//!
//! It is async because a server-side database is; the embedded one answers reads without waiting.
//! Each call names whose data it may touch. The tests of this crate's `testing` module hold for every
//! implementation.

mod alerts;
mod changes;
mod directory;
mod facts;
mod money;
mod runs;
mod sources;
mod subscriptions;
mod tuning;
mod webhooks;

pub use alerts::AlertStore;
pub use changes::ChangeFeed;
pub use directory::DirectoryStore;
pub use facts::FactStore;
pub use money::{MoneyStore, PriceStore};
pub use runs::RunStore;
pub use sources::{CoverageStore, CustomerStore, IngestKeyStore, NoticeStore, SourceStore};
pub use subscriptions::{NotificationOutbox, SecretStore, SubscriptionStore};
pub use tuning::TuningStore;
pub use webhooks::{WebhookOutbox, WebhookStore};

/// What every store can do.
pub trait Store:
    AlertStore
    + ChangeFeed
    + CoverageStore
    + CustomerStore
    + DirectoryStore
    + FactStore
    + IngestKeyStore
    + MoneyStore
    + NoticeStore
    + NotificationOutbox
    + PriceStore
    + RunStore
    + SecretStore
    + SourceStore
    + SubscriptionStore
    + TuningStore
    + WebhookOutbox
    + WebhookStore
{
}

impl<S> Store for S where
    S: AlertStore
        + ChangeFeed
        + CoverageStore
        + CustomerStore
        + DirectoryStore
        + FactStore
        + IngestKeyStore
        + MoneyStore
        + NoticeStore
        + NotificationOutbox
        + PriceStore
        + RunStore
        + SecretStore
        + SourceStore
        + SubscriptionStore
        + TuningStore
        + WebhookOutbox
        + WebhookStore
{
}
