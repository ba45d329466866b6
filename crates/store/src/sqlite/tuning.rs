//! Tuning rules and what they silenced, on the embedded store.

use ::alerts::{DetectorSetting, Scope, Silenced, TuningRule};
use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::SqliteStore;
use super::session::at_once;
use crate::logic::tuning;
use crate::{SilencedQuery, StoreError, TuningStore};

#[async_trait]
impl TuningStore for SqliteStore {
    async fn add_tuning_rule(&self, scope: &Scope, rule: &TuningRule) -> Result<(), StoreError> {
        let (scope, rule) = (scope.clone(), rule.clone());
        self.writer.write(move |session| at_once(tuning::add(session, &scope, &rule))).await
    }

    async fn end_tuning_rule(&self, scope: &Scope, id: &str, at: DateTime<Utc>) -> Result<bool, StoreError> {
        let (scope, id) = (scope.clone(), id.to_owned());
        self.writer.write(move |session| at_once(tuning::end(session, &scope, &id, at))).await
    }

    async fn tuning_rules(&self, scope: &Scope, also_ended: bool) -> Result<Vec<TuningRule>, StoreError> {
        self.readers.read(|session| at_once(tuning::rules(session, scope, also_ended)))
    }

    async fn set_detector_setting(&self, scope: &Scope, setting: &DetectorSetting) -> Result<(), StoreError> {
        let (scope, setting) = (scope.clone(), setting.clone());
        self.writer.write(move |session| at_once(tuning::set(session, &scope, &setting))).await
    }

    async fn unset_detector_setting(
        &self,
        scope: &Scope,
        setting: &DetectorSetting,
    ) -> Result<bool, StoreError> {
        let (scope, setting) = (scope.clone(), setting.clone());
        self.writer.write(move |session| at_once(tuning::unset(session, &scope, &setting))).await
    }

    async fn detector_settings(&self, scope: &Scope) -> Result<Vec<DetectorSetting>, StoreError> {
        self.readers.read(|session| at_once(tuning::settings(session, scope)))
    }

    async fn note_silenced(&self, scope: &Scope, silenced: &[Silenced]) -> Result<(), StoreError> {
        let (scope, silenced) = (scope.clone(), silenced.to_vec());
        self.writer.write(move |session| at_once(tuning::note(session, &scope, &silenced))).await
    }

    async fn silenced(&self, scope: &Scope, query: &SilencedQuery) -> Result<Vec<Silenced>, StoreError> {
        self.readers.read(|session| at_once(tuning::silenced(session, scope, query)))
    }
}
