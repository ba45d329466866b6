//! Columns of the table of alerts under way.

use super::SecurityAlertEvent;
use crate::columns::rows;

rows! {
    /// Builders, in the order of the schema.
    struct SecurityAlertRows of SecurityAlert in security_alert, event: &SecurityAlertEvent<'_>,
    event.place.common(event.event_id, event.event_at),
    {
        alert_id: StringBuilder = event.alert_id.as_deref(),
        alert_type: StringBuilder = event.alert_type.as_deref(),
        title: StringBuilder = event.title.as_deref(),
        description: StringBuilder = event.description.as_deref(),
        severity: StringBuilder = event.severity.as_deref(),
        status: StringBuilder = event.status.as_deref(),
        tactics: StringBuilder = event.tactics.as_deref(),
        techniques: StringBuilder = event.techniques.as_deref(),
        product: StringBuilder = event.product.as_deref(),
        vendor: StringBuilder = event.vendor.as_deref(),
        started_at: UtcBuilder = event.started_at,
        ended_at: UtcBuilder = event.ended_at,
        compromised_entity: StringBuilder = event.compromised_entity.as_deref(),
        entities: StringBuilder = event.entities.as_deref(),
        ips: StringBuilder = event.ips.as_deref(),
        remediation: StringBuilder = event.remediation.as_deref(),
        alert_uri: StringBuilder = event.alert_uri.as_deref(),
        properties: StringBuilder = Some(event.properties),
    }
}
