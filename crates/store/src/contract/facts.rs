//! Facts for the partner's security score, and its history.

use alerts::score::{CustomerInsight, ResponseTimes, ScoreSnapshot, SecurityRequirement};
use alerts::{CustomerTenantId, Scope};
use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::{SecurityFacts, StoreError};

/// What the partner's security score is made of.
///
/// Requirements and the history tell of the partner as a whole: a scope that is narrower has none and
/// may write none.
#[async_trait]
pub trait FactStore: Send + Sync + 'static {
    /// Puts facts in the place of those that were known; all or none.
    ///
    /// A requirement that reads as before keeps its `updatedDateTime`.
    async fn import_facts(&self, scope: &Scope, told: &SecurityFacts) -> Result<(), StoreError>;

    /// The requirements that were imported, by id.
    async fn requirements(&self, scope: &Scope) -> Result<Vec<SecurityRequirement>, StoreError>;

    /// The insights on the customers of the scope, by tenant.
    ///
    /// Customers of a reseller are those whose subscriptions the directory says are.
    async fn customer_insights(&self, scope: &Scope) -> Result<Vec<CustomerInsight>, StoreError>;

    /// The insight on one customer of the scope.
    async fn customer_insight(
        &self,
        scope: &Scope,
        id: &CustomerTenantId,
    ) -> Result<Option<CustomerInsight>, StoreError>;

    /// How fast the alerts of the scope that were resolved since then were resolved, and whether there
    /// are alerts that are not resolved and were detected before `overdue_before`. Without test alerts.
    async fn response_times(
        &self,
        scope: &Scope,
        since: DateTime<Utc>,
        overdue_before: DateTime<Utc>,
    ) -> Result<ResponseTimes, StoreError>;

    /// Adds to the history unless the last entry has the same score; says whether it did.
    ///
    /// A UTC day has one entry: the later takes the place of the earlier.
    async fn add_score_snapshot(&self, scope: &Scope, snapshot: &ScoreSnapshot) -> Result<bool, StoreError>;

    /// The history of the score, oldest first.
    async fn score_history(&self, scope: &Scope) -> Result<Vec<ScoreSnapshot>, StoreError>;
}
