//! Columns of the activity log.

use arrow_schema::Field;

use super::{number, text};

pub(super) fn columns() -> Vec<Field> {
    vec![
        // `microsoft.compute/virtualmachines/write`
        text("operation"),
        // `microsoft.compute/virtualmachines`: the provider and type in the resource path.
        text("resource_type"),
        // `administrative`, `policy`, `security`, … as the record says.
        text("category"),
        // `started`, `accepted`, `succeeded`, `failed`, or the record's own word in lower case.
        text("status"),
        // The finer status, such as `quotaexceeded`, `created` or an HTTP code.
        text("sub_status"),
        // `information`, `warning`, `error`, `critical`.
        text("level"),
        // UPN of a person, or object id of a service principal, as the record says.
        text("caller"),
        // Object id of the caller: the stable key; falls back to `caller`.
        text("caller_id"),
        // Application id of the caller.
        text("caller_app_id"),
        // `user`, `application`, `managed_identity`; null if the record does not tell.
        text("caller_type"),
        // The caller's home tenant; differs from the customer's for a partner's own administrators.
        text("caller_tenant_id"),
        // `partner` if that is the partner's own (delegated administrators), `reseller` if it is that of the reseller
        // that brought the customer, `customer`, or `foreign`; null if it is not known, or whose the subscription
        // is. What the record does not tell, whoever has a directory of customers fills in.
        text("caller_origin"),
        // Address of the caller, without a port.
        text("caller_ip"),
        // How the caller signed in: `pwd`, `pwd,mfa`, `rsa`.
        text("caller_auth_methods"),
        // Groups all events of one action of a user.
        text("correlation_id"),
        // Where the resource is (not where the event was processed): a region id such as `brazilsouth`.
        text("resource_region"),
        // `standard_nc24ads_a100_v4`; also the SKU of a scale set.
        text("vm_size"),
        // `nc`, 24 and `a100` of that.
        text("vm_family"),
        number("vm_cpus"),
        text("vm_accelerator"),
        // Number of instances of a scale set; null for a single machine.
        number("vm_capacity"),
        // The record's `properties` as JSON text.
        text("properties"),
    ]
}
