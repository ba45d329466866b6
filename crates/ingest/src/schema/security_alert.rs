//! Columns of the alerts of Defender for Cloud.

use arrow_schema::Field;

use super::{text, time};

pub(super) fn columns() -> Vec<Field> {
    vec![
        // The product's id of the alert; updates of it have the same.
        text("alert_id"),
        // `vm_digitalcurrencymining`, …
        text("alert_type"),
        text("title"),
        text("description"),
        // `high`, `medium`, `low`, `informational`.
        text("severity"),
        // `active`, `inprogress`, `resolved`, `dismissed`.
        text("status"),
        // Of MITRE ATT&CK, with commas between.
        text("tactics"),
        text("techniques"),
        text("product"),
        text("vendor"),
        // When what the alert is about began and ended.
        time("started_at"),
        time("ended_at"),
        text("compromised_entity"),
        // JSON text.
        text("entities"),
        // Addresses among the entities, with commas between.
        text("ips"),
        // What to do, one step a line.
        text("remediation"),
        text("alert_uri"),
        // The record's own properties as JSON text.
        text("properties"),
    ]
}
