//! Columns of the activity table under way.

use super::ActivityEvent;
use crate::columns::{Common, rows};

rows! {
    /// Builders, in the order of the schema.
    struct ActivityRows of Activity in activity, event: &ActivityEvent<'_>,
    Common {
        customer_tenant_id: event.customer_tenant_id.as_deref(),
        subscription_id: event.subscription_id.as_deref(),
        resource_id: event.resource_id.as_deref(),
        resource_group: event.resource_group.as_deref(),
        ..Common::of(event.event_id, event.event_at)
    },
    {
        operation: StringBuilder = Some(&event.operation),
        resource_type: StringBuilder = event.resource_type.as_deref(),
        category: StringBuilder = event.category.as_deref(),
        status: StringBuilder = event.status.as_deref(),
        sub_status: StringBuilder = event.sub_status.as_deref(),
        level: StringBuilder = event.level.as_deref(),
        caller: StringBuilder = event.caller.name.as_deref(),
        caller_id: StringBuilder = event.caller.id.as_deref(),
        caller_app_id: StringBuilder = event.caller.app_id.as_deref(),
        caller_type: StringBuilder = event.caller.kind,
        caller_tenant_id: StringBuilder = event.caller.tenant_id.as_deref(),
        caller_origin: StringBuilder = event.caller_origin,
        caller_ip: StringBuilder = event.caller_ip.as_deref(),
        caller_auth_methods: StringBuilder = event.caller.auth_methods.as_deref(),
        correlation_id: StringBuilder = event.correlation_id.as_deref(),
        resource_region: StringBuilder = event.details.resource_region.as_deref(),
        vm_size: StringBuilder = event.details.vm_size.as_deref(),
        vm_family: StringBuilder = event.machine.as_ref().map(|machine| machine.family.as_str()),
        vm_cpus: Int64Builder = event.machine.as_ref().map(|machine| machine.cpus),
        vm_accelerator: StringBuilder = event.machine.as_ref().and_then(|machine| machine.accelerator.as_deref()),
        vm_capacity: Int64Builder = event.details.vm_capacity,
        properties: StringBuilder = event.properties,
    }
}
