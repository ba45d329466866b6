//! Columns of the inventory under way.

use super::InventoryEvent;
use crate::columns::rows;

rows! {
    /// Builders, in the order of the schema.
    struct InventoryRows of Inventory in inventory, event: &InventoryEvent<'_>,
    event.place.common(event.event_id, event.event_at),
    {
        resource_type: StringBuilder = Some(&event.resource_type),
        name: StringBuilder = event.name.as_deref(),
        resource_region: StringBuilder = event.resource_region.as_deref(),
        kind: StringBuilder = event.kind.as_deref(),
        sku_name: StringBuilder = event.sku_name.as_deref(),
        sku_tier: StringBuilder = event.sku_tier.as_deref(),
        sku_capacity: Int64Builder = event.sku_capacity,
        vm_size: StringBuilder = event.vm_size.as_deref(),
        vm_family: StringBuilder = event.machine.as_ref().map(|machine| machine.family.as_str()),
        vm_cpus: Int64Builder = event.machine.as_ref().map(|machine| machine.cpus),
        vm_accelerator: StringBuilder = event.machine.as_ref().and_then(|machine| machine.accelerator.as_deref()),
        priority: StringBuilder = event.priority.as_deref(),
        identity_type: StringBuilder = event.identity_type.as_deref(),
        identity_principal_id: StringBuilder = event.identity_principal_id.as_deref(),
        managed_by: StringBuilder = event.managed_by.as_deref(),
        mac: StringBuilder = event.mac.as_deref(),
        private_ips: StringBuilder = event.private_ips.as_deref(),
        public_ip: StringBuilder = event.public_ip.as_deref(),
        machine_id: StringBuilder = event.machine_id.as_deref(),
        images: StringBuilder = event.images.as_deref(),
        tags: StringBuilder = event.tags.as_deref(),
        properties: StringBuilder = Some(event.properties),
    }
}
