//! Columns of Service Health.

use arrow_schema::Field;

use super::{text, time};

pub(super) fn columns() -> Vec<Field> {
    vec![
        // The same for all that is told of one event.
        text("tracking_id"),
        // `security`, `incident`, `maintenance`, `informational`, `actionrequired`, `billing`, `rca`, …
        text("advisory_type"),
        // `active`, `resolved`, `planned`, `inprogress`, `complete`, `rca`, …
        text("status"),
        // `information`, `warning`, `error`, `critical`.
        text("level"),
        text("title"),
        // Plain text.
        text("summary"),
        // With commas between.
        text("services"),
        // Region ids, with commas between.
        text("regions"),
        // When it began to matter, and when that ended or will end.
        time("starts_at"),
        time("ends_at"),
        // When it was told.
        time("updated_at"),
        text("correlation_id"),
        // The record's own properties as JSON text.
        text("properties"),
    ]
}
