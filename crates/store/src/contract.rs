//! The one interface to product state.
//!
//! It is async because a server-side database is; the embedded one answers reads without waiting.
//! The tests of this crate's `testing` module hold for every implementation.

use alerts::{Alert, AlertId, Finding, Scope, StatusChange, SubscriptionId};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use odata::checked::Filter;

use crate::{
    AlertBody, AlertPage, AlertQuery, Backlog, DetectorRun, Imported, Recorded, StatusChanged, StoreError,
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

    /// Notes that events of a kind are in the lake now, the earliest of which happened at this time.
    ///
    /// Call it after they are: a run that starts in between would count them as seen.
    async fn note_arrival(
        &self,
        scope: &Scope,
        kind: &str,
        first_event_at: DateTime<Utc>,
    ) -> Result<(), StoreError>;

    /// What a detector that reads these kinds has still to look at.
    async fn backlog(&self, scope: &Scope, detector_id: &str, kinds: &[&str]) -> Result<Backlog, StoreError>;

    /// Notes how a detector run ended. One that succeeded moves the watermark, and has seen all arrivals
    /// up to that number, which is the one of the [`Backlog`] that it started from.
    async fn record_run(
        &self,
        scope: &Scope,
        run: &DetectorRun,
        arrivals_seen: u64,
    ) -> Result<(), StoreError>;

    /// The last run of every detector, by detector id.
    async fn last_runs(&self, scope: &Scope) -> Result<Vec<DetectorRun>, StoreError>;
}
