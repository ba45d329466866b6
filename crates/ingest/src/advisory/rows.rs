//! Columns of the table of advisories under way.

use super::AdvisoryEvent;
use crate::columns::rows;

rows! {
    /// Builders, in the order of the schema.
    struct AdvisoryRows of Advisory in advisory, event: &AdvisoryEvent<'_>,
    event.place.common(event.event_id, event.event_at),
    {
        tracking_id: StringBuilder = event.tracking_id.as_deref(),
        advisory_type: StringBuilder = event.advisory_type.as_deref(),
        status: StringBuilder = event.status.as_deref(),
        level: StringBuilder = event.level.as_deref(),
        title: StringBuilder = event.title.as_deref(),
        summary: StringBuilder = event.summary.as_deref(),
        services: StringBuilder = event.services.as_deref(),
        regions: StringBuilder = event.regions.as_deref(),
        starts_at: UtcBuilder = event.starts_at,
        ends_at: UtcBuilder = event.ends_at,
        updated_at: UtcBuilder = event.updated_at,
        correlation_id: StringBuilder = event.correlation_id.as_deref(),
        properties: StringBuilder = Some(event.properties),
    }
}
