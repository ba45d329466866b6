//! Columns of the tables of sign-ins and of audit records under way.

use super::{AuditEvent, SignInEvent};
use crate::columns::{Common, rows};

rows! {
    /// Builders, in the order of the schema.
    struct SignInRows of SignIn in sign_in, event: &SignInEvent<'_>,
    Common {
        customer_tenant_id: event.customer_tenant_id.as_deref(),
        ..Common::of(event.event_id, event.event_at)
    },
    {
        sign_in_type: StringBuilder = Some(event.sign_in_type),
        user_id: StringBuilder = event.user_id.as_deref(),
        user_principal_name: StringBuilder = event.user_principal_name.as_deref(),
        service_principal_id: StringBuilder = event.service_principal_id.as_deref(),
        app_id: StringBuilder = event.app_id.as_deref(),
        app_name: StringBuilder = event.app_name.as_deref(),
        target_name: StringBuilder = event.target_name.as_deref(),
        target_id: StringBuilder = event.target_id.as_deref(),
        error_code: Int64Builder = event.error_code,
        failure_reason: StringBuilder = event.failure_reason.as_deref(),
        conditional_access: StringBuilder = event.conditional_access.as_deref(),
        authentication_requirement: StringBuilder = event.authentication_requirement.as_deref(),
        authentication_protocol: StringBuilder = event.authentication_protocol.as_deref(),
        client_app: StringBuilder = event.client_app.as_deref(),
        user_agent: StringBuilder = event.user_agent.as_deref(),
        ip: StringBuilder = event.ip.as_deref(),
        autonomous_system: Int64Builder = event.autonomous_system,
        country: StringBuilder = event.country.as_deref(),
        city: StringBuilder = event.city.as_deref(),
        latitude: Float64Builder = event.latitude,
        longitude: Float64Builder = event.longitude,
        device_id: StringBuilder = event.device_id.as_deref(),
        operating_system: StringBuilder = event.operating_system.as_deref(),
        risk_level: StringBuilder = event.risk_level.as_deref(),
        risk_state: StringBuilder = event.risk_state.as_deref(),
        home_tenant_id: StringBuilder = event.home_tenant_id.as_deref(),
        cross_tenant_access: StringBuilder = event.cross_tenant_access.as_deref(),
        session_id: StringBuilder = event.session_id.as_deref(),
        token_id: StringBuilder = event.token_id.as_deref(),
        correlation_id: StringBuilder = event.correlation_id.as_deref(),
        properties: StringBuilder = Some(event.properties),
    }
}

rows! {
    /// Builders, in the order of the schema.
    struct AuditRows of Audit in audit, event: &AuditEvent<'_>,
    Common {
        customer_tenant_id: event.customer_tenant_id.as_deref(),
        subscription_id: event.subscription_id.as_deref(),
        resource_id: event.resource_id.as_deref(),
        ..Common::of(event.event_id, event.event_at)
    },
    {
        operation: StringBuilder = Some(&event.operation),
        category: StringBuilder = event.category.as_deref(),
        operation_type: StringBuilder = event.operation_type.as_deref(),
        result: StringBuilder = event.result.as_deref(),
        result_reason: StringBuilder = event.result_reason.as_deref(),
        logged_by: StringBuilder = event.logged_by.as_deref(),
        actor_type: StringBuilder = event.actor.kind,
        actor: StringBuilder = event.actor.name.as_deref(),
        actor_id: StringBuilder = event.actor.id.as_deref(),
        actor_app_id: StringBuilder = event.actor.app_id.as_deref(),
        actor_ip: StringBuilder = event.actor.ip.as_deref(),
        target_type: StringBuilder = event.target.kind.as_deref(),
        target: StringBuilder = event.target.name.as_deref(),
        target_id: StringBuilder = event.target.id.as_deref(),
        role: StringBuilder = event.target.role.as_deref(),
        correlation_id: StringBuilder = event.correlation_id.as_deref(),
        properties: StringBuilder = Some(event.properties),
    }
}
