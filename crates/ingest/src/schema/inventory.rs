//! Columns of the inventory: one row for each resource, on each day that it was seen or had changed.

use arrow_schema::Field;

use super::{number, text};

pub(super) fn columns() -> Vec<Field> {
    vec![
        // `microsoft.compute/virtualmachines`
        text("resource_type"),
        text("name"),
        // Region id such as `brazilsouth`.
        text("resource_region"),
        text("kind"),
        text("sku_name"),
        text("sku_tier"),
        number("sku_capacity"),
        // `standard_nc24ads_a100_v4`: of a machine, a scale set, a pool or a compute.
        text("vm_size"),
        // `nc`, 24 and `a100` of that.
        text("vm_family"),
        number("vm_cpus"),
        text("vm_accelerator"),
        // `spot`, `low`, `regular`, …
        text("priority"),
        // `systemassigned`, `userassigned`, …
        text("identity_type"),
        text("identity_principal_id"),
        // Path of the resource that this one belongs to.
        text("managed_by"),
        // `000D3AF87856`: the network interface, as in flow logs.
        text("mac"),
        // With commas between.
        text("private_ips"),
        text("public_ip"),
        // Path of the machine that a network interface belongs to.
        text("machine_id"),
        // Images of containers, with commas between.
        text("images"),
        // JSON text.
        text("tags"),
        // The resource's own properties as JSON text.
        text("properties"),
    ]
}
