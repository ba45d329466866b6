//! Columns of Service Health.

use arrow_schema::Field;

use super::text;

pub(super) fn columns() -> Vec<Field> {
    vec![
        // The record as JSON text.
        text("properties"),
    ]
}
