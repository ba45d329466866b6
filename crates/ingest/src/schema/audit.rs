//! Columns of the directory's audit log.

use arrow_schema::Field;

use super::text;

pub(super) fn columns() -> Vec<Field> {
    vec![
        // `add member to role`
        text("operation"),
        // `rolemanagement`, `applicationmanagement`, …
        text("category"),
        // `add`, `update`, `delete`, `assign`, …
        text("operation_type"),
        // `success`, `failure`, `timeout`, …
        text("result"),
        text("result_reason"),
        // `core directory`, `pim`, …
        text("logged_by"),
        // `user` or `app`.
        text("actor_type"),
        // Principal name of the user, or display name of the application.
        text("actor"),
        // Object id of the user or service principal.
        text("actor_id"),
        // Application id of the application.
        text("actor_app_id"),
        // Address of the actor, without a port.
        text("actor_ip"),
        // `user`, `serviceprincipal`, `role`, `policy`, …: of the first thing that was changed.
        text("target_type"),
        // Its principal name or display name.
        text("target"),
        text("target_id"),
        // The directory role that was granted or taken away.
        text("role"),
        text("correlation_id"),
        // The audit record as JSON text, with all that was changed.
        text("properties"),
    ]
}
