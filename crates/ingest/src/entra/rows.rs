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
        sign_in_type: TextBuilder = Some(event.sign_in_type),
        user_id: TextBuilder = event.user_id.as_deref(),
        user_principal_name: TextBuilder = event.user_principal_name.as_deref(),
        service_principal_id: TextBuilder = event.service_principal_id.as_deref(),
        app_id: TextBuilder = event.app_id.as_deref(),
        app_name: TextBuilder = event.app_name.as_deref(),
        target_name: TextBuilder = event.target_name.as_deref(),
        target_id: TextBuilder = event.target_id.as_deref(),
        error_code: IntBuilder = event.error_code,
        failure_reason: TextBuilder = event.failure_reason.as_deref(),
        conditional_access: TextBuilder = event.conditional_access.as_deref(),
        authentication_requirement: TextBuilder = event.authentication_requirement.as_deref(),
        authentication_protocol: TextBuilder = event.authentication_protocol.as_deref(),
        client_app: TextBuilder = event.client_app.as_deref(),
        user_agent: TextBuilder = event.user_agent.as_deref(),
        ip: TextBuilder = event.ip.as_deref(),
        autonomous_system: IntBuilder = event.autonomous_system,
        country: TextBuilder = event.country.as_deref(),
        city: TextBuilder = event.city.as_deref(),
        latitude: FloatBuilder = event.latitude,
        longitude: FloatBuilder = event.longitude,
        device_id: TextBuilder = event.device_id.as_deref(),
        operating_system: TextBuilder = event.operating_system.as_deref(),
        risk_level: TextBuilder = event.risk_level.as_deref(),
        risk_state: TextBuilder = event.risk_state.as_deref(),
        home_tenant_id: TextBuilder = event.home_tenant_id.as_deref(),
        cross_tenant_access: TextBuilder = event.cross_tenant_access.as_deref(),
        session_id: TextBuilder = event.session_id.as_deref(),
        token_id: OwnTextBuilder = event.token_id.as_deref(),
        correlation_id: TextBuilder = event.correlation_id.as_deref(),
        properties: OwnTextBuilder = Some(event.properties),
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
        operation: TextBuilder = Some(&event.operation),
        category: TextBuilder = event.category.as_deref(),
        operation_type: TextBuilder = event.operation_type.as_deref(),
        result: TextBuilder = event.result.as_deref(),
        result_reason: TextBuilder = event.result_reason.as_deref(),
        logged_by: TextBuilder = event.logged_by.as_deref(),
        actor_type: TextBuilder = event.actor.kind,
        actor: TextBuilder = event.actor.name.as_deref(),
        actor_id: TextBuilder = event.actor.id.as_deref(),
        actor_app_id: TextBuilder = event.actor.app_id.as_deref(),
        actor_ip: TextBuilder = event.actor.ip.as_deref(),
        target_type: TextBuilder = event.target.kind.as_deref(),
        target: TextBuilder = event.target.name.as_deref(),
        target_id: TextBuilder = event.target.id.as_deref(),
        role: TextBuilder = event.target.role.as_deref(),
        correlation_id: TextBuilder = event.correlation_id.as_deref(),
        properties: OwnTextBuilder = Some(event.properties),
    }
}
