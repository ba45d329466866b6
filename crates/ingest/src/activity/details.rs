//! What `properties` tells beyond the outer members: the region and size of what was deployed.
//!
//! `requestbody` and `responseBody` are JSON text and may be cut off; then they tell nothing. The
//! response comes first, since it says what was made and not what was asked for.

use serde_json::value::RawValue;

use crate::json::loose::{Text, loose, read_or_empty, unfold};
use crate::regions::region_id;
use crate::resource::is_guid;

loose! {
    /// `properties` of an activity record.
    struct Properties {
        request_body: Option<&'a RawValue> = "requestbody",
        response_body: Option<&'a RawValue> = "responsebody",
        entity: Text<'a> = "entity",
        hierarchy: Text<'a> = "hierarchy",
    }
}

impl Properties<'_> {
    /// The tenant: its root management group, which has the tenant's id, comes first in `hierarchy`.
    pub(crate) fn root_tenant(&self) -> Option<&str> {
        let root = self.hierarchy.get()?.split('/').next()?;
        is_guid(root).then_some(root)
    }
}

loose! {
    /// A resource as a request or response describes it.
    struct Body {
        location: Text<'a> = "location",
        sku: Sku<'a> = "sku",
        properties: BodyProperties<'a> = "properties",
    }
}

loose! {
    /// The size and number of a scale set.
    struct Sku {
        name: Text<'a> = "name",
        capacity: Text<'a> = "capacity",
    }
}

loose! {
    /// Where the kinds of compute keep the size of their machines.
    struct BodyProperties {
        hardware_profile: HardwareProfile<'a> = "hardwareprofile",
        // Agent pools of Kubernetes and pools of Batch.
        vm_size: Text<'a> = "vmsize",
        // Compute of machine learning workspaces nests once more.
        inner: HardwareProfile<'a> = "properties",
    }
}

loose! {
    /// The size of a machine.
    struct HardwareProfile {
        vm_size: Text<'a> = "vmsize",
    }
}

/// What was found of a deployed resource.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Details {
    pub(crate) resource_region: Option<String>,
    pub(crate) vm_size: Option<String>,
    pub(crate) vm_capacity: Option<i64>,
}

impl Details {
    /// Reads both bodies; `resource_type` tells whether a SKU is that of a scale set.
    pub(crate) fn read(properties: &Properties<'_>, resource_type: &str) -> Self {
        let is_scale_set = resource_type.starts_with("microsoft.compute/virtualmachinescalesets");
        let mut details = Self::default();
        for raw in [properties.response_body, properties.request_body].into_iter().flatten() {
            let text = unfold(raw.get());
            details.add(&read_or_empty(&text), is_scale_set);
        }
        details
    }

    /// Fills what is not known yet.
    fn add(&mut self, body: &Body<'_>, is_scale_set: bool) {
        let own = &body.properties;
        let sku_of_scale_set = body.sku.name.get().filter(|_| is_scale_set);
        let size = own.hardware_profile.vm_size.get().or(own.vm_size.get()).or(own.inner.vm_size.get());
        let size = size.or(sku_of_scale_set).map(str::to_lowercase);
        let region = body.location.get().and_then(region_id).map(String::from);
        let capacity = body.sku.capacity.get().filter(|_| is_scale_set).and_then(|text| text.parse().ok());
        self.vm_size = self.vm_size.take().or(size);
        self.resource_region = self.resource_region.take().or(region);
        self.vm_capacity = self.vm_capacity.or(capacity);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_tell_region_and_size() {
        let check =
            |json: &str, kind: &str, region: Option<&str>, size: Option<&str>, capacity: Option<i64>| {
                let properties: Properties<'_> = serde_json::from_str(json).unwrap();
                let expected = Details {
                    resource_region: region.map(str::to_owned),
                    vm_size: size.map(str::to_owned),
                    vm_capacity: capacity,
                };
                assert_eq!(Details::read(&properties, kind), expected, "{json}");
            };
        let machine = "microsoft.compute/virtualmachines";
        let body = r#"{\"location\":\"Brazil South\",\"properties\":{\"hardwareProfile\":{\"vmSize\":\"Standard_NC24ads_A100_v4\"}}}"#;
        let size = Some("standard_nc24ads_a100_v4");
        check(&format!(r#"{{"responseBody":"{body}"}}"#), machine, Some("brazilsouth"), size, None);
        check(&format!(r#"{{"requestbody":"{body}"}}"#), machine, Some("brazilsouth"), size, None);
        let object = r#"{"responseBody":{"location":"uksouth","Properties":{"HardwareProfile":{"VmSize":"Standard_B1s"}}}}"#;
        check(object, machine, Some("uksouth"), Some("standard_b1s"), None);
        let both = r#"{"responseBody":"{\"location\":\"uksouth\"}","requestbody":"{\"location\":\"ukwest\",\"properties\":{\"vmSize\":\"Standard_D2\"}}"}"#;
        check(both, machine, Some("uksouth"), Some("standard_d2"), None);
        let scale_set = r#"{"responseBody":"{\"sku\":{\"name\":\"Standard_D2\",\"capacity\":40}}"}"#;
        check(scale_set, "microsoft.compute/virtualmachinescalesets", None, Some("standard_d2"), Some(40));
        check(scale_set, "microsoft.storage/storageaccounts", None, None, None);
        check(r#"{"responseBody":"{\"location\":\"uksouth\",\"prop"}"#, machine, None, None, None);
        check(r#"{"responseBody":[1],"requestbody":null}"#, machine, None, None, None);
        let twice = r#"{"responseBody":"\"{\\\"location\\\":\\\"uksouth\\\"}\""}"#;
        check(twice, machine, Some("uksouth"), None, None);
    }
}
