//! The one interface to product state.
//!
//! It is async because a server-side database is; the embedded one answers reads without waiting.
//! The tests of this crate's `testing` module hold for every implementation.

use alerts::{Alert, AlertId, Finding, Scope, StatusChange, SubscriptionId};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use odata::checked::Filter;

use crate::{
    AlertBody, AlertPage, AlertQuery, DetectorRun, Imported, Recorded, StatusChanged, StoreError,
    Subscription,
};

/// What every store can do. Each call names whose data it may touch.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// The stored JSON of one alert, as Graph shows it.
    async fn alert(&self, scope: &Scope, id: &AlertId) -> Result<Option<AlertBody>, StoreError>;

    /// One page of alerts, in a total order.
    async fn list_alerts(&self, scope: &Scope, query: &AlertQuery) -> Result<AlertPage, StoreError>;

    /// How many alerts the filter leaves.
    async fn count_alerts(&self, scope: &Scope, filter: Option<&Filter>) -> Result<u64, StoreError>;

    /// Changes the status of an alert and adds to its activity log, both or neither.
    ///
    /// `None` if the scope has no such alert.
    async fn change_status(
        &self,
        scope: &Scope,
        id: &AlertId,
        change: StatusChange,
        by: &str,
        at: DateTime<Utc>,
    ) -> Result<Option<StatusChanged>, StoreError>;

    /// Lets findings raise or continue alerts, all or none, in the order given.
    ///
    /// A finding without a customer or reseller gets those of its subscription from the directory.
    /// Findings outside the scope are an error.
    async fn record_findings(
        &self,
        scope: &Scope,
        findings: &[Finding],
        now: DateTime<Utc>,
    ) -> Result<Recorded, StoreError>;

    /// Puts alerts from elsewhere, replacing those with the same id; all or none.
    async fn import_alerts(&self, scope: &Scope, alerts: &[Alert]) -> Result<Imported, StoreError>;

    /// Remembers whose subscriptions these are. What is known is kept where a record is silent.
    async fn learn_subscriptions(&self, scope: &Scope, known: &[Subscription]) -> Result<(), StoreError>;

    /// The directory's entry of one subscription.
    async fn subscription(
        &self,
        scope: &Scope,
        id: &SubscriptionId,
    ) -> Result<Option<Subscription>, StoreError>;

    /// Up to where a detector has seen the partner's events; `None` before its first run.
    async fn detector_watermark(
        &self,
        scope: &Scope,
        detector_id: &str,
    ) -> Result<Option<DateTime<Utc>>, StoreError>;

    /// Notes how a detector run ended; a run that succeeded moves the watermark.
    async fn record_run(&self, scope: &Scope, run: &DetectorRun) -> Result<(), StoreError>;

    /// The last run of every detector, by detector id.
    async fn last_runs(&self, scope: &Scope) -> Result<Vec<DetectorRun>, StoreError>;
}
