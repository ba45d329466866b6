//! The directory of subscriptions.

use alerts::{Scope, SubscriptionId};
use async_trait::async_trait;

use crate::{StoreError, Subscription};

/// Whose subscriptions these are.
#[async_trait]
pub trait DirectoryStore: Send + Sync + 'static {
    /// Remembers whose subscriptions these are. What is known is kept where a record is silent.
    async fn learn_subscriptions(&self, scope: &Scope, known: &[Subscription]) -> Result<(), StoreError>;

    /// The directory's entry of one subscription.
    async fn subscription(
        &self,
        scope: &Scope,
        id: &SubscriptionId,
    ) -> Result<Option<Subscription>, StoreError>;
}
