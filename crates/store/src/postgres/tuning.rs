//! Tuning rules and what they silenced, on PostgreSQL.

use ::alerts::{DetectorSetting, Scope, Silenced, TuningRule};
use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::PostgresStore;
use super::session::Lock;
use crate::logic::tuning;
use crate::{SilencedQuery, StoreError, TuningStore};

/// Work on rules; changes of alerts need not wait for it.
fn lock() -> Lock {
    Lock::of_subject("tuning")
}

#[async_trait]
impl TuningStore for PostgresStore {
    async fn add_tuning_rule(&self, scope: &Scope, rule: &TuningRule) -> Result<(), StoreError> {
        self.write(lock(), |mut session| async move {
            let done = tuning::add(&mut session, scope, rule).await;
            session.end(done).await
        })
        .await
    }

    async fn end_tuning_rule(&self, scope: &Scope, id: &str, at: DateTime<Utc>) -> Result<bool, StoreError> {
        self.write(lock(), |mut session| async move {
            let done = tuning::end(&mut session, scope, id, at).await;
            session.end(done).await
        })
        .await
    }

    async fn tuning_rules(&self, scope: &Scope, also_ended: bool) -> Result<Vec<TuningRule>, StoreError> {
        tuning::rules(&mut self.reading().await?, scope, also_ended).await
    }

    async fn set_detector_setting(&self, scope: &Scope, setting: &DetectorSetting) -> Result<(), StoreError> {
        self.write(lock(), |mut session| async move {
            let done = tuning::set(&mut session, scope, setting).await;
            session.end(done).await
        })
        .await
    }

    async fn unset_detector_setting(
        &self,
        scope: &Scope,
        setting: &DetectorSetting,
    ) -> Result<bool, StoreError> {
        self.write(lock(), |mut session| async move {
            let done = tuning::unset(&mut session, scope, setting).await;
            session.end(done).await
        })
        .await
    }

    async fn detector_settings(&self, scope: &Scope) -> Result<Vec<DetectorSetting>, StoreError> {
        tuning::settings(&mut self.reading().await?, scope).await
    }

    async fn note_silenced(&self, scope: &Scope, silenced: &[Silenced]) -> Result<(), StoreError> {
        self.write(lock(), |mut session| async move {
            let done = tuning::note(&mut session, scope, silenced).await;
            session.end(done).await
        })
        .await
    }

    async fn silenced(&self, scope: &Scope, query: &SilencedQuery) -> Result<Vec<Silenced>, StoreError> {
        tuning::silenced(&mut self.reading().await?, scope, query).await
    }
}
