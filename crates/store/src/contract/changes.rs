//! The log of changes.

use alerts::Scope;
use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::{ChangePage, ChangePosition, StoreError};

/// Every change of an alert, logged in the transaction that made it.
///
/// Who reads page after page from a position sees each later change once, and all changes of one
/// alert in the order in which they were made, however many write at the same time. An alert may be
/// changed again before a reader looks at it, so what it reads then may be newer than the change.
#[async_trait]
pub trait ChangeFeed: Send + Sync + 'static {
    /// The end of the log as it is now.
    async fn latest_change(&self, scope: &Scope) -> Result<ChangePosition, StoreError>;

    /// Up to `limit` changes within the scope after a position, oldest first.
    ///
    /// A change that takes an alert out of a reseller's or customer's scope is a deletion there.
    async fn changes(
        &self,
        scope: &Scope,
        after: ChangePosition,
        limit: usize,
    ) -> Result<ChangePage, StoreError>;

    /// The oldest position from which nothing is missing; what came before it has been pruned.
    async fn oldest_kept_change(&self, scope: &Scope) -> Result<ChangePosition, StoreError>;

    /// Forgets the oldest changes made before a time, and says how many. Forgets so many at a time that
    /// others need not wait long; call it again until it says 0.
    async fn prune_changes(&self, before: DateTime<Utc>) -> Result<u64, StoreError>;
}
