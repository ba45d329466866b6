//! Columns of the inventory under way.

use super::InventoryEvent;
use crate::columns::rows;

rows! {
    /// Builders, in the order of the schema.
    struct InventoryRows of Inventory in inventory, event: &InventoryEvent<'_>,
    event.place.common(event.event_id, event.event_at),
    {
        resource_type: TextBuilder = Some(&event.resource_type),
        name: TextBuilder = event.name.as_deref(),
        resource_region: TextBuilder = event.resource_region.as_deref(),
        kind: TextBuilder = event.kind.as_deref(),
        sku_name: TextBuilder = event.sku_name.as_deref(),
        sku_tier: TextBuilder = event.sku_tier.as_deref(),
        sku_capacity: IntBuilder = event.sku_capacity,
        vm_size: TextBuilder = event.vm_size.as_deref(),
        vm_family: TextBuilder = event.machine.as_ref().map(|machine| machine.family.as_str()),
        vm_cpus: IntBuilder = event.machine.as_ref().map(|machine| machine.cpus),
        vm_accelerator: TextBuilder = event.machine.as_ref().and_then(|machine| machine.accelerator.as_deref()),
        priority: TextBuilder = event.priority.as_deref(),
        identity_type: TextBuilder = event.identity_type.as_deref(),
        identity_principal_id: TextBuilder = event.identity_principal_id.as_deref(),
        managed_by: TextBuilder = event.managed_by.as_deref(),
        mac: TextBuilder = event.mac.as_deref(),
        private_ips: TextBuilder = event.private_ips.as_deref(),
        public_ip: TextBuilder = event.public_ip.as_deref(),
        machine_id: TextBuilder = event.machine_id.as_deref(),
        images: TextBuilder = event.images.as_deref(),
        tags: OwnTextBuilder = event.tags.as_deref(),
        properties: OwnTextBuilder = Some(event.properties),
    }
}
