//! Facts for the security score on a PostgreSQL server.

use ::alerts::score::{CustomerInsight, ResponseTimes, ScoreSnapshot, SecurityRequirement};
use ::alerts::{CustomerTenantId, Scope};
use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::PostgresStore;
use super::session::Lock;
use crate::logic::facts;
use crate::{FactStore, SecurityFacts, StoreError};

#[async_trait]
impl FactStore for PostgresStore {
    async fn import_facts(&self, scope: &Scope, told: &SecurityFacts) -> Result<(), StoreError> {
        let lock = Lock::exclusive(scope.partner());
        self.write(lock, |mut session| async move {
            let done = facts::import(&mut session, scope, told).await;
            session.end(done).await
        })
        .await
    }

    async fn requirements(&self, scope: &Scope) -> Result<Vec<SecurityRequirement>, StoreError> {
        facts::requirements(&mut self.reading().await?, scope).await
    }

    async fn customer_insights(&self, scope: &Scope) -> Result<Vec<CustomerInsight>, StoreError> {
        facts::customer_insights(&mut self.reading().await?, scope).await
    }

    async fn customer_insight(
        &self,
        scope: &Scope,
        id: &CustomerTenantId,
    ) -> Result<Option<CustomerInsight>, StoreError> {
        facts::customer_insight(&mut self.reading().await?, scope, id).await
    }

    async fn response_times(
        &self,
        scope: &Scope,
        since: DateTime<Utc>,
        overdue_before: DateTime<Utc>,
    ) -> Result<ResponseTimes, StoreError> {
        facts::response_times(&mut self.reading().await?, scope, since, overdue_before).await
    }

    async fn add_score_snapshot(&self, scope: &Scope, snapshot: &ScoreSnapshot) -> Result<bool, StoreError> {
        let lock = Lock::exclusive(scope.partner());
        self.write(lock, |mut session| async move {
            let done = facts::add_snapshot(&mut session, scope, snapshot).await;
            session.end(done).await
        })
        .await
    }

    async fn score_history(&self, scope: &Scope) -> Result<Vec<ScoreSnapshot>, StoreError> {
        facts::history(&mut self.reading().await?, scope).await
    }
}
