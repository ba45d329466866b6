//! Alerts.

use alerts::{Alert, AlertId, Finding, Scope, StatusChange};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use odata::checked::{Filter, Search};

use crate::{
    AlertBody, AlertPage, AlertQuery, ExpectedVersion, Imported, Recorded, StatusChanged, StoreError,
};

/// Alerts: read, found, counted, raised and changed.
///
/// What a call changes, it changes altogether or not at all.
#[async_trait]
pub trait AlertStore: Send + Sync + 'static {
    /// One alert, as Graph shows it.
    async fn alert(&self, scope: &Scope, id: &AlertId) -> Result<Option<AlertBody>, StoreError>;

    /// One page of alerts, in a total order.
    async fn list_alerts(&self, scope: &Scope, query: &AlertQuery) -> Result<AlertPage, StoreError>;

    /// How many alerts the filter and the search leave.
    async fn count_alerts(
        &self,
        scope: &Scope,
        filter: Option<&Filter>,
        search: Option<&Search>,
    ) -> Result<u64, StoreError>;

    /// Changes the status of an alert of an expected version, and adds to its activity log.
    ///
    /// `None` if the scope has no such alert.
    async fn change_status(
        &self,
        scope: &Scope,
        id: &AlertId,
        change: StatusChange,
        expected: &ExpectedVersion,
        by: &str,
        at: DateTime<Utc>,
    ) -> Result<Option<StatusChanged>, StoreError>;

    /// Lets findings raise or continue alerts, in the order given.
    ///
    /// A finding without a customer or reseller gets those of its subscription from the directory.
    /// Findings outside the scope are an error.
    async fn record_findings(
        &self,
        scope: &Scope,
        findings: &[Finding],
        now: DateTime<Utc>,
    ) -> Result<Recorded, StoreError>;

    /// Puts alerts from elsewhere, replacing those with the same id.
    ///
    /// One that fails [`check_values`](alerts::PartnerSecurityAlert::check_values) is an error.
    async fn import_alerts(
        &self,
        scope: &Scope,
        alerts: &[Alert],
        now: DateTime<Utc>,
    ) -> Result<Imported, StoreError>;
}
