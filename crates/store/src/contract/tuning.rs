//! What the operator says of findings, and what it silenced.

use alerts::{DetectorSetting, Scope, Silenced, TuningRule};
use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::{SilencedQuery, StoreError};

/// Rules, and the trace of what they silenced. Rules are the whole partner's to make; a customer may see those that
/// name it, and a reseller none.
#[async_trait]
pub trait TuningStore: Send + Sync + 'static {
    /// Adds a rule.
    async fn add_tuning_rule(&self, scope: &Scope, rule: &TuningRule) -> Result<(), StoreError>;

    /// Takes a rule back; `false` if the scope has none of that id. It stays, with the time of its end.
    async fn end_tuning_rule(&self, scope: &Scope, id: &str, at: DateTime<Utc>) -> Result<bool, StoreError>;

    /// The rules of the scope, oldest first; with those that were taken back if asked for.
    async fn tuning_rules(&self, scope: &Scope, also_ended: bool) -> Result<Vec<TuningRule>, StoreError>;

    /// Chooses a number of a detector, in place of the one that was chosen for the same before.
    async fn set_detector_setting(&self, scope: &Scope, setting: &DetectorSetting) -> Result<(), StoreError>;

    /// Takes the choice back that has this detector, name, customer and subscription; `false` if there is none.
    async fn unset_detector_setting(
        &self,
        scope: &Scope,
        setting: &DetectorSetting,
    ) -> Result<bool, StoreError>;

    /// All numbers that were chosen, by detector and name. A scope narrower than the partner sees none.
    async fn detector_settings(&self, scope: &Scope) -> Result<Vec<DetectorSetting>, StoreError>;

    /// Notes findings that rules silenced. The same finding again changes nothing but the time.
    async fn note_silenced(&self, scope: &Scope, silenced: &[Silenced]) -> Result<(), StoreError>;

    /// What was silenced in the scope, the latest first.
    async fn silenced(&self, scope: &Scope, query: &SilencedQuery) -> Result<Vec<Silenced>, StoreError>;
}
