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
        operation: TextBuilder = Some(&event.operation),
        resource_type: TextBuilder = event.resource_type.as_deref(),
        category: TextBuilder = event.category.as_deref(),
        status: TextBuilder = event.status.as_deref(),
        sub_status: TextBuilder = event.sub_status.as_deref(),
        level: TextBuilder = event.level.as_deref(),
        caller: TextBuilder = event.caller.name.as_deref(),
        caller_id: TextBuilder = event.caller.id.as_deref(),
        caller_app_id: TextBuilder = event.caller.app_id.as_deref(),
        caller_type: TextBuilder = event.caller.kind,
        caller_tenant_id: TextBuilder = event.caller.tenant_id.as_deref(),
        caller_origin: TextBuilder = event.caller_origin,
        caller_ip: TextBuilder = event.caller_ip.as_deref(),
        caller_auth_methods: TextBuilder = event.caller.auth_methods.as_deref(),
        correlation_id: TextBuilder = event.correlation_id.as_deref(),
        resource_region: TextBuilder = event.details.resource_region.as_deref(),
        vm_size: TextBuilder = event.details.vm_size.as_deref(),
        vm_family: TextBuilder = event.machine.as_ref().map(|machine| machine.family.as_str()),
        vm_cpus: IntBuilder = event.machine.as_ref().map(|machine| machine.cpus),
        vm_accelerator: TextBuilder = event.machine.as_ref().and_then(|machine| machine.accelerator.as_deref()),
        vm_capacity: IntBuilder = event.details.vm_capacity,
        properties: OwnTextBuilder = event.properties,
    }
}
