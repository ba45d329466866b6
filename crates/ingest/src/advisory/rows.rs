//! Columns of the table of advisories under way.

use super::AdvisoryEvent;
use crate::columns::rows;

rows! {
    /// Builders, in the order of the schema.
    struct AdvisoryRows of Advisory in advisory, event: &AdvisoryEvent<'_>,
    event.place.common(event.event_id, event.event_at),
    {
        tracking_id: TextBuilder = event.tracking_id.as_deref(),
        advisory_type: TextBuilder = event.advisory_type.as_deref(),
        status: TextBuilder = event.status.as_deref(),
        level: TextBuilder = event.level.as_deref(),
        title: TextBuilder = event.title.as_deref(),
        summary: OwnTextBuilder = event.summary.as_deref(),
        services: TextBuilder = event.services.as_deref(),
        regions: TextBuilder = event.regions.as_deref(),
        starts_at: UtcBuilder = event.starts_at,
        ends_at: UtcBuilder = event.ends_at,
        updated_at: UtcBuilder = event.updated_at,
        correlation_id: TextBuilder = event.correlation_id.as_deref(),
        properties: OwnTextBuilder = Some(event.properties),
    }
}
