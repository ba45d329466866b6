//! Columns of the table of alerts under way.

use super::SecurityAlertEvent;
use crate::columns::rows;

rows! {
    /// Builders, in the order of the schema.
    struct SecurityAlertRows of SecurityAlert in security_alert, event: &SecurityAlertEvent<'_>,
    event.place.common(event.event_id, event.event_at),
    {
        alert_id: TextBuilder = event.alert_id.as_deref(),
        alert_type: TextBuilder = event.alert_type.as_deref(),
        title: TextBuilder = event.title.as_deref(),
        description: OwnTextBuilder = event.description.as_deref(),
        severity: TextBuilder = event.severity.as_deref(),
        status: TextBuilder = event.status.as_deref(),
        tactics: TextBuilder = event.tactics.as_deref(),
        techniques: TextBuilder = event.techniques.as_deref(),
        product: TextBuilder = event.product.as_deref(),
        vendor: TextBuilder = event.vendor.as_deref(),
        started_at: UtcBuilder = event.started_at,
        ended_at: UtcBuilder = event.ended_at,
        compromised_entity: TextBuilder = event.compromised_entity.as_deref(),
        entities: OwnTextBuilder = event.entities.as_deref(),
        ips: TextBuilder = event.ips.as_deref(),
        remediation: OwnTextBuilder = event.remediation.as_deref(),
        alert_uri: TextBuilder = event.alert_uri.as_deref(),
        properties: OwnTextBuilder = Some(event.properties),
    }
}
