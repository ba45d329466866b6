//! Columns of sign-ins.

use arrow_schema::Field;

use super::{decimal, number, text};

pub(super) fn columns() -> Vec<Field> {
    vec![
        // `interactive`, `non_interactive`, `service_principal` or `managed_identity`.
        text("sign_in_type"),
        // Object id of the user.
        text("user_id"),
        // The user's principal name.
        text("user_principal_name"),
        // Object id of the service principal, if it is no user who signed in.
        text("service_principal_id"),
        // The application that signed in, or through which the user did.
        text("app_id"),
        text("app_name"),
        // What the token is for, such as `Microsoft Graph`, and its application id.
        text("target_name"),
        text("target_id"),
        // 0 for success; see Microsoft's list of AADSTS codes.
        number("error_code"),
        text("failure_reason"),
        // `success`, `failure`, `notapplied`.
        text("conditional_access"),
        // `singlefactorauthentication` or `multifactorauthentication`.
        text("authentication_requirement"),
        // `devicecode`, `ropc`, `oauth2`, `none`, …
        text("authentication_protocol"),
        // `browser`, `mobile apps and desktop clients`, `imap4`, …
        text("client_app"),
        text("user_agent"),
        // Address of the client, without a port.
        text("ip"),
        number("autonomous_system"),
        // Two letters, ISO 3166.
        text("country"),
        text("city"),
        decimal("latitude"),
        decimal("longitude"),
        text("device_id"),
        text("operating_system"),
        // `none`, `low`, `medium`, `high`, or `hidden` without a P2 licence: nothing may depend on it.
        text("risk_level"),
        text("risk_state"),
        // The user's home tenant; differs from the customer's for guests and delegated administrators.
        text("home_tenant_id"),
        // `none`, `b2bcollaboration`, `serviceprovider`, …
        text("cross_tenant_access"),
        text("session_id"),
        // Found again in what was done with the token.
        text("token_id"),
        text("correlation_id"),
        // The sign-in as JSON text.
        text("properties"),
    ]
}
