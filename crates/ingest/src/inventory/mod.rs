//! Azure Resource Graph: which resources there are, so that an address or an interface leads to a machine.
//!
//! Rows come as objects, in lists of their own or in the reply of a query (`data`), and in its older form of
//! a table (`columns` and `rows`), which the reader turns into objects. They carry no time, so the time is
//! that of arrival, and the hash covers the resource and its content alone: a resource that did not change
//! is stored once a day, one that did is stored again. Order of members and absent members make no
//! difference to the hash.

mod rows;

use serde_json::Value;
use serde_json::value::RawValue;

pub(crate) use self::rows::InventoryRows;
use crate::address::{plain_mac, without_port};
use crate::event_id::{Canonical, EventId};
use crate::json::envelope::Envelope;
use crate::json::kept::keep;
use crate::json::loose::{Many, Text, compact, loose, nested, read_or_empty};
use crate::place::Place;
use crate::read::Reading;
use crate::regions::region_id;
use crate::time::Instant;
use crate::vm_size::VmSize;

loose! {
    /// A row of the table `resources`, beside what the envelope has.
    struct Row {
        name: Text<'a> = "name",
        location: Text<'a> = "location",
        kind: Text<'a> = "kind",
        sku: Option<&'a RawValue> = "sku",
        tags: Option<&'a RawValue> = "tags",
        identity: Option<&'a RawValue> = "identity",
        managed_by: Text<'a> = "managedby",
    }
}

loose! {
    /// Size and number.
    struct Sku {
        name: Text<'a> = "name",
        tier: Text<'a> = "tier",
        capacity: Text<'a> = "capacity",
    }
}

loose! {
    /// The managed identity.
    struct Identity {
        kind: Text<'a> = "type",
        principal_id: Text<'a> = "principalid",
    }
}

loose! {
    /// What the kinds of resource keep in `properties`.
    struct Properties {
        hardware_profile: Machine<'a> = "hardwareprofile",
        // Agent pools, pools of Batch.
        vm_size: Text<'a> = "vmsize",
        // Compute of machine learning workspaces nests once more.
        inner: Machine<'a> = "properties",
        // Clusters of Kubernetes.
        agent_pools: Many<Machine<'a>> = "agentpoolprofiles",
        priority: Text<'a> = "priority" | "scalesetpriority",
        scale_set: Machine<'a> = "virtualmachineprofile",
        // Network interfaces.
        mac_address: Text<'a> = "macaddress",
        virtual_machine: Reference<'a> = "virtualmachine",
        ip_configurations: Many<Configuration<'a>> = "ipconfigurations",
        // Of a public address a text, of a container group an object.
        ip_address: Option<&'a RawValue> = "ipaddress",
        containers: Many<Container<'a>> = "containers",
        template: Template<'a> = "template",
    }
}

loose! {
    /// The size of machines, and how they are paid.
    struct Machine {
        vm_size: Text<'a> = "vmsize",
        priority: Text<'a> = "priority" | "vmpriority" | "scalesetpriority",
    }
}

loose! {
    /// Another resource.
    struct Reference {
        id: Text<'a> = "id",
    }
}

loose! {
    /// An address of an interface.
    struct Configuration {
        properties: ConfigurationProperties<'a> = "properties",
    }
}

loose! {
    /// The address itself.
    struct ConfigurationProperties {
        private_ip_address: Text<'a> = "privateipaddress",
    }
}

loose! {
    /// The address of a container group.
    struct GroupAddress {
        ip: Text<'a> = "ip",
        kind: Text<'a> = "type",
    }
}

loose! {
    /// A container: of a group, where its properties nest, or of an app.
    struct Container {
        image: Text<'a> = "image",
        properties: Image<'a> = "properties",
    }
}

loose! {
    /// What it runs.
    struct Image {
        image: Text<'a> = "image",
    }
}

loose! {
    /// The containers of an app.
    struct Template {
        containers: Many<Container<'a>> = "containers",
    }
}

/// Outer members that have a column.
const KNOWN: &[&str] = &[
    "id",
    "name",
    "type",
    "tenantid",
    "subscriptionid",
    "resourcegroup",
    "location",
    "kind",
    "managedby",
    "tags",
    "properties",
];

/// A resource, normalised; see the columns of the schema.
pub(crate) struct InventoryEvent<'a> {
    pub(crate) event_id: EventId,
    pub(crate) event_at: Instant,
    pub(crate) place: Place,
    pub(crate) resource_type: String,
    pub(crate) name: Option<String>,
    pub(crate) resource_region: Option<String>,
    pub(crate) kind: Option<String>,
    pub(crate) sku_name: Option<String>,
    pub(crate) sku_tier: Option<String>,
    pub(crate) sku_capacity: Option<i64>,
    pub(crate) vm_size: Option<String>,
    /// What the name of the size says.
    pub(crate) machine: Option<VmSize>,
    pub(crate) priority: Option<String>,
    pub(crate) identity_type: Option<String>,
    pub(crate) identity_principal_id: Option<String>,
    pub(crate) managed_by: Option<String>,
    pub(crate) mac: Option<String>,
    pub(crate) private_ips: Option<String>,
    pub(crate) public_ip: Option<String>,
    pub(crate) machine_id: Option<String>,
    pub(crate) images: Option<String>,
    pub(crate) tags: Option<String>,
    pub(crate) properties: &'a str,
}

/// Reads rows; keeps its buffers between them.
#[derive(Default)]
pub(crate) struct Parser {
    canonical: Canonical,
    properties: String,
}

impl Parser {
    /// Normalises a row, or says why it cannot be used. `text` is the whole row.
    pub(crate) fn read<'s>(
        &'s mut self,
        record: &Envelope<'_>,
        text: &str,
        reading: &Reading<'_>,
    ) -> Result<InventoryEvent<'s>, String> {
        let event_at = Instant::from_micros(reading.arrived_at.timestamp_micros(), 0)
            .ok_or("rows of the inventory have the time of their arrival, and the clock does not show one after 2008")?;
        let resource_type = record.type_name.lower().ok_or("no `type`; query the resource again with it")?;
        let path = record.id.get().ok_or("no `id`; query the resource again with it")?;
        let inner = nested(record.properties);
        keep(&mut self.properties, text, &inner, KNOWN);
        let mut event = normalised(record, event_at, resource_type, path, text, &inner, &self.properties);
        event.event_id = hash(&mut self.canonical, &event, text, reading);
        Ok(event)
    }
}

fn normalised<'p>(
    record: &Envelope<'_>,
    event_at: Instant,
    resource_type: String,
    path: &str,
    text: &str,
    inner: &str,
    properties: &'p str,
) -> InventoryEvent<'p> {
    let row: Row<'_> = read_or_empty(text);
    let (sku, identity) = (nested(row.sku), nested(row.identity));
    let (sku, identity): (Sku<'_>, Identity<'_>) = (read_or_empty(&sku), read_or_empty(&identity));
    let own: Properties<'_> = read_or_empty(inner);
    let (group_private_ip, public_ip) = addresses(own.ip_address);
    let private_ips = own
        .ip_configurations
        .0
        .iter()
        .filter_map(|one| one.properties.private_ip_address.get().and_then(without_port));
    let private_ips = private_ips.chain(group_private_ip).collect::<Vec<_>>();
    let size = vm_size(&own, &sku, &resource_type);
    InventoryEvent {
        event_id: [0; 16],
        event_at,
        place: Place::of(record, Some(path)),
        name: row.name.shown(),
        resource_region: row.location.get().and_then(region_id).map(String::from),
        kind: row.kind.lower(),
        sku_name: sku.name.lower(),
        sku_tier: sku.tier.lower(),
        sku_capacity: sku.capacity.get().and_then(|text| text.parse().ok()),
        machine: size.as_deref().and_then(VmSize::parse),
        vm_size: size,
        priority: [&own.priority, &own.scale_set.priority, &own.inner.priority]
            .into_iter()
            .find_map(Text::lower),
        identity_type: identity.kind.lower(),
        identity_principal_id: identity.principal_id.lower(),
        managed_by: row.managed_by.lower(),
        mac: own.mac_address.get().and_then(plain_mac),
        private_ips: joined(private_ips),
        public_ip,
        machine_id: own.virtual_machine.id.lower(),
        images: images(&own),
        tags: compact(row.tags),
        resource_type,
        properties,
    }
}

/// The size of the machines; of a cluster only if all its pools have one.
fn vm_size(own: &Properties<'_>, sku: &Sku<'_>, resource_type: &str) -> Option<String> {
    let is_scale_set = resource_type.starts_with("microsoft.compute/virtualmachinescalesets");
    let of_scale_set = Some(&sku.name).filter(|_| is_scale_set);
    let sizes = [&own.hardware_profile.vm_size, &own.vm_size, &own.inner.vm_size];
    let size = sizes.into_iter().chain(of_scale_set).find_map(Text::lower);
    size.or_else(|| {
        let mut pools = own.agent_pools.0.iter().filter_map(|pool| pool.vm_size.lower());
        let first = pools.next()?;
        pools.all(|size| size == first).then_some(first)
    })
}

/// The private address of a container group, and the public address of anything.
fn addresses(raw: Option<&RawValue>) -> (Option<String>, Option<String>) {
    let text = nested(raw);
    if !text.starts_with('{') {
        return (None, without_port(&text));
    }
    let address: GroupAddress<'_> = read_or_empty(&text);
    let ip = address.ip.get().and_then(without_port);
    let is_private = address.kind.get().is_some_and(|kind| kind.eq_ignore_ascii_case("private"));
    if is_private { (ip, None) } else { (None, ip) }
}

fn images(own: &Properties<'_>) -> Option<String> {
    let containers = own.containers.0.iter().chain(&own.template.containers.0);
    joined(containers.filter_map(|one| one.properties.image.shown().or_else(|| one.image.shown())).collect())
}

fn joined(texts: Vec<String>) -> Option<String> {
    (!texts.is_empty()).then(|| texts.join(","))
}

fn hash(form: &mut Canonical, event: &InventoryEvent<'_>, text: &str, reading: &Reading<'_>) -> EventId {
    form.start("inventory")
        .text(Some(reading.partner_tenant_id.as_str()))
        .text(event.place.resource_id.as_deref())
        .text(Some(&event.resource_type));
    // The envelope was read from the same text, so this does not fail; the text would do as well.
    match serde_json::from_str(text) {
        Ok(value) => content_into(form, value),
        Err(_) => drop(form.text(Some(text))),
    }
    form.id()
}

/// The content without what depends on how it was asked for: order, absent members, the path's letter case.
fn content_into(form: &mut Canonical, mut value: Value) {
    value.sort_all_objects();
    if let Value::Object(members) = &mut value {
        members.retain(|name, member| {
            let is_empty = matches!(member, Value::Null) || member.as_str() == Some("");
            // In the hash already.
            !is_empty && !name.eq_ignore_ascii_case("id") && !name.eq_ignore_ascii_case("type")
        });
    }
    form.text(Some(&value.to_string()));
}

/// The objects of the older table form, as JSON texts; `None` if it is none.
pub(crate) fn table_rows(data: &str) -> Option<Vec<String>> {
    loose! {
        /// The table.
        struct Table {
            columns: Many<Column<'a>> = "columns",
            rows: Option<&'a RawValue> = "rows",
        }
    }
    loose! {
        /// A column of it.
        struct Column {
            name: Text<'a> = "name",
        }
    }
    let table: Table<'_> = serde_json::from_str(data).ok()?;
    let rows: Vec<Vec<&RawValue>> = serde_json::from_str(table.rows?.get()).ok()?;
    let columns = table.columns.0;
    // A value without a column would be lost.
    if columns.is_empty() || rows.iter().any(|row| row.len() != columns.len()) {
        return None;
    }
    let object = |row: Vec<&RawValue>| {
        let members = columns.iter().zip(row);
        let members = members
            .map(|(column, value)| format!("{}:{}", Value::from(column.name.as_written()), value.get()));
        format!("{{{}}}", members.collect::<Vec<_>>().join(","))
    };
    Some(rows.into_iter().map(object).collect())
}
