//! An alert as a row, and back.

use ::alerts::{Alert, Origin, PartnerSecurityAlert, PartnerTenantId};
use chrono::{DateTime, Utc};
use sea_query::Value;

use super::scalar::microseconds;
use crate::session::Row;
use crate::{AlertBody, StoreError};

/// What identifies an alert.
pub(crate) const KEY_COLUMNS: [&str; 2] = ["partner_tenant_id", "id"];

/// What a change of status changes, beside the version.
pub(crate) const STATUS_COLUMNS: [&str; 6] =
    ["status", "resolved_by", "resolved_at", "resolved_reason", "modified_at", "body"];

/// An alert as columns with their values.
pub(crate) struct AlertRow {
    /// Every column but the number of arrival, which the database gives.
    pub(crate) columns: Vec<(&'static str, Value)>,
}

impl AlertRow {
    /// The row of an alert whose JSON is `body`.
    pub(crate) fn new(alert: &Alert, body: &str, modified_at: DateTime<Utc>) -> Self {
        let wire = &alert.body;
        let time = |at: Option<DateTime<Utc>>| Value::from(at.map(microseconds));
        let text = |value: Option<&str>| Value::from(value.map(str::to_owned));
        let (origin, detector_id, grouping_key) = match &alert.origin {
            Origin::Detector { detector_id, grouping_key } => {
                (ORIGIN_DETECTOR, Some(detector_id.as_str()), Some(grouping_key.as_str()))
            }
            Origin::Imported => (ORIGIN_IMPORTED, None, None),
        };
        let reseller = wire.value_added_reseller_tenant_id.as_ref();
        let columns = vec![
            ("partner_tenant_id", alert.partner_tenant_id.as_str().into()),
            ("id", wire.id.as_str().into()),
            ("customer_tenant_id", wire.customer_tenant_id.as_str().into()),
            ("reseller_tenant_id", text(reseller.map(|id| id.as_str()))),
            ("subscription_id", wire.subscription_id.as_str().into()),
            ("origin", origin.into()),
            ("detector_id", text(detector_id)),
            ("grouping_key", text(grouping_key)),
            ("alert_type", wire.alert_type.as_str().into()),
            ("display_name", wire.display_name.as_str().into()),
            ("description", text(wire.description.as_deref())),
            ("severity_rank", i64::from(wire.severity.rank()).into()),
            ("confidence_rank", i64::from(wire.confidence_level.rank()).into()),
            ("status", wire.status.as_str().into()),
            ("detected_at", time(Some(wire.detected_date_time))),
            ("first_observed_at", time(wire.first_observed_date_time)),
            ("last_observed_at", time(wire.last_observed_date_time)),
            ("catalog_offer_id", text(wire.catalog_offer_id.as_deref())),
            ("resolved_by", text(wire.resolved_by.as_deref())),
            ("resolved_at", time(wire.resolved_on_date_time)),
            ("resolved_reason", text(wire.resolved_reason.map(|reason| reason.as_str()))),
            ("is_test", wire.is_test.into()),
            ("version", 1_i64.into()),
            ("modified_at", time(Some(modified_at))),
            ("body", body.into()),
        ];
        Self { columns }
    }
}

const ORIGIN_DETECTOR: &str = "detector";
const ORIGIN_IMPORTED: &str = "imported";

/// An alert as it was read.
pub(crate) struct StoredAlert {
    pub(crate) origin: String,
    pub(crate) detector_id: Option<String>,
    pub(crate) grouping_key: Option<String>,
    pub(crate) body: String,
    pub(crate) version: u64,
    pub(crate) modified_at: DateTime<Utc>,
}

impl StoredAlert {
    /// Reads the columns of [`super::alerts::STORED_COLUMNS`].
    pub(crate) fn read(mut row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            origin: row.text(0)?,
            detector_id: row.opt_text(1)?,
            grouping_key: row.opt_text(2)?,
            body: row.text(3)?,
            version: row.amount(4)?,
            modified_at: row.time(5)?,
        })
    }

    /// What callers see of it.
    pub(crate) fn into_body(self) -> AlertBody {
        AlertBody { json: self.body, version: self.version, modified_at: self.modified_at }
    }

    /// The alert that was stored so.
    pub(crate) fn alert(&self, partner: &PartnerTenantId) -> Result<Alert, StoreError> {
        let body: PartnerSecurityAlert = serde_json::from_str(&self.body)
            .map_err(|error| StoreError::Damaged { what: format!("the JSON of an alert: {error}") })?;
        let origin = match (self.origin.as_str(), &self.detector_id, &self.grouping_key) {
            (ORIGIN_DETECTOR, Some(detector_id), Some(grouping_key)) => {
                Origin::Detector { detector_id: detector_id.clone(), grouping_key: grouping_key.clone() }
            }
            (ORIGIN_IMPORTED, _, _) => Origin::Imported,
            _ => return Err(StoreError::Damaged { what: format!("the origin of alert {}", body.id) }),
        };
        Ok(Alert { partner_tenant_id: partner.clone(), origin, body })
    }
}

/// The JSON of an alert as it is stored and served.
pub(crate) fn json(alert: &Alert) -> Result<String, StoreError> {
    serde_json::to_string(&alert.body)
        .map_err(|error| StoreError::Damaged { what: format!("alert {}: {error}", alert.body.id) })
}
