//! Product state: alerts, the directory of subscriptions, and detector runs.
//!
//! [`Store`] is the one interface; [`SqliteStore`] implements it on an embedded file. PostgreSQL will
//! implement it too, so the trait is async and the tests of [`testing`] take any implementation.
//! Events do not live here but in the lake.

use alerts::{
    Alert, AlertId, ChangeOutcome, CustomerTenantId, Finding, LifecycleError, PartnerTenantId, ResellerTenantId,
    Scope, StatusChange, SubscriptionId,
};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use odata::checked::{Filter, Literal, SortKey};

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
    async fn subscription(&self, scope: &Scope, id: &SubscriptionId) -> Result<Option<Subscription>, StoreError>;

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

/// The JSON text of an alert, ready to be sent.
pub type AlertBody = String;

/// Which alerts to list, in which order.
#[derive(Debug, Clone, PartialEq)]
pub struct AlertQuery {
    /// Which alerts; all if `None`.
    pub filter: Option<Filter>,
    /// Sort keys; the store adds the id as the last tie-break.
    pub order: Vec<SortKey>,
    /// How many alerts at most; at least 1.
    pub limit: usize,
    /// How many alerts of the order to pass over first.
    pub skip: u64,
    /// Start after this position instead of at the first alert.
    pub after: Option<Position>,
}

/// A place in an order: the sort keys' values of one alert, and its id.
#[derive(Debug, Clone, PartialEq)]
pub struct Position {
    /// One value for each sort key; enumerations as their member, times as times.
    pub keys: Vec<Literal>,
    /// The alert's id.
    pub id: String,
}

/// One page of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct AlertPage {
    /// The alerts.
    pub alerts: Vec<AlertBody>,
    /// Where the next page starts; `None` on the last.
    pub next: Option<Position>,
}

/// A change of status, done.
#[derive(Debug, Clone, PartialEq)]
pub struct StatusChanged {
    /// Whether anything changed.
    pub outcome: ChangeOutcome,
    /// The alert as it is now.
    pub body: AlertBody,
}

/// What a set of findings did.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Recorded {
    /// Alerts that were raised, in order.
    pub raised: Vec<Alert>,
    /// Alerts that went on and read differently now, in order, each once.
    pub continued: Vec<Alert>,
    /// Findings that said nothing new.
    pub unchanged: usize,
}

/// What an import did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Imported {
    /// Alerts that were not there before.
    pub added: usize,
    /// Alerts that were there and differed.
    pub replaced: usize,
    /// Alerts that were there already, to the letter.
    pub unchanged: usize,
}

/// Whose subscription it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription {
    /// The subscription.
    pub subscription_id: SubscriptionId,
    /// Its name, if a record told.
    pub name: Option<String>,
    /// Its customer, if a record told.
    pub customer_tenant_id: Option<CustomerTenantId>,
    /// The customer's name, if a record told.
    pub customer_name: Option<String>,
    /// The reseller between partner and customer, if a record told.
    pub reseller_tenant_id: Option<ResellerTenantId>,
}

/// One run of one detector.
#[derive(Debug, Clone, PartialEq)]
pub struct DetectorRun {
    /// The detector's id, as in its manifest.
    pub detector_id: String,
    /// Start of the events it looked at.
    pub since: DateTime<Utc>,
    /// End of the events it looked at; the new watermark if it succeeded.
    pub until: DateTime<Utc>,
    /// When it started.
    pub started_at: DateTime<Utc>,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
    /// How many findings it gave.
    pub findings: usize,
    /// Why it failed, if it did.
    pub error: Option<String>,
}

/// What can go wrong in a store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The change contradicts itself.
    #[error(transparent)]
    Lifecycle(#[from] LifecycleError),
    /// An alert or finding of another scope was handed in.
    #[error("alert of partner {partner} does not lie within the scope of this call")]
    OutOfScope {
        /// The partner that was named.
        partner: PartnerTenantId,
    },
    /// The query asks for something that this store cannot do.
    #[error("{0}")]
    Unsupported(String),
    /// A stored row cannot be read.
    #[error("stored row is damaged: {what}")]
    Damaged {
        /// Which row, and how.
        what: String,
    },
    /// The database failed.
    #[error("the database failed")]
    Database(#[source] Box<dyn std::error::Error + Send + Sync>),
}
