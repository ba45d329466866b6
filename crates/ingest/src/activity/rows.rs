//! Columns of the activity table under way.

use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_array::builder::{Int64Builder, StringBuilder};

use super::ActivityEvent;
use crate::columns::{Common, CommonColumns, batch};
use crate::output::Rows;
use crate::read::Reading;
use crate::schema::Kind;

/// Builders, in the order of the schema.
#[derive(Default)]
pub(crate) struct ActivityRows {
    common: CommonColumns,
    operation: StringBuilder,
    resource_type: StringBuilder,
    category: StringBuilder,
    status: StringBuilder,
    sub_status: StringBuilder,
    level: StringBuilder,
    caller: StringBuilder,
    caller_id: StringBuilder,
    caller_app_id: StringBuilder,
    caller_tenant_id: StringBuilder,
    caller_ip: StringBuilder,
    caller_auth_methods: StringBuilder,
    correlation_id: StringBuilder,
    resource_region: StringBuilder,
    vm_size: StringBuilder,
    vm_capacity: Int64Builder,
    properties: StringBuilder,
}

impl ActivityRows {
    pub(crate) fn append(&mut self, event: &ActivityEvent<'_>, reading: &Reading<'_>) {
        let common = Common {
            event_id: event.event_id,
            event_at: event.event_at,
            customer_tenant_id: event.customer_tenant_id.as_deref(),
            subscription_id: event.subscription_id.as_deref(),
            resource_id: event.resource_id.as_deref(),
            resource_group: event.resource_group.as_deref(),
        };
        self.common.append(&common, reading);
        self.operation.append_value(&event.operation);
        self.resource_type.append_option(event.resource_type.as_deref());
        self.category.append_option(event.category.as_deref());
        self.status.append_option(event.status.as_deref());
        self.sub_status.append_option(event.sub_status.as_deref());
        self.level.append_option(event.level.as_deref());
        self.caller.append_option(event.caller.name.as_deref());
        self.caller_id.append_option(event.caller.id.as_deref());
        self.caller_app_id.append_option(event.caller.app_id.as_deref());
        self.caller_tenant_id.append_option(event.caller.tenant_id.as_deref());
        self.caller_ip.append_option(event.caller_ip.as_deref());
        self.caller_auth_methods.append_option(event.caller.auth_methods.as_deref());
        self.correlation_id.append_option(event.correlation_id.as_deref());
        self.resource_region.append_option(event.details.resource_region.as_deref());
        self.vm_size.append_option(event.details.vm_size.as_deref());
        self.vm_capacity.append_option(event.details.vm_capacity);
        self.properties.append_option(event.properties);
    }
}

impl Rows for ActivityRows {
    const KIND: Kind = Kind::Activity;

    fn finish(&mut self) -> RecordBatch {
        let own = vec![
            Arc::new(self.operation.finish()) as _,
            Arc::new(self.resource_type.finish()) as _,
            Arc::new(self.category.finish()) as _,
            Arc::new(self.status.finish()) as _,
            Arc::new(self.sub_status.finish()) as _,
            Arc::new(self.level.finish()) as _,
            Arc::new(self.caller.finish()) as _,
            Arc::new(self.caller_id.finish()) as _,
            Arc::new(self.caller_app_id.finish()) as _,
            Arc::new(self.caller_tenant_id.finish()) as _,
            Arc::new(self.caller_ip.finish()) as _,
            Arc::new(self.caller_auth_methods.finish()) as _,
            Arc::new(self.correlation_id.finish()) as _,
            Arc::new(self.resource_region.finish()) as _,
            Arc::new(self.vm_size.finish()) as _,
            Arc::new(self.vm_capacity.finish()) as _,
            Arc::new(self.properties.finish()) as _,
        ];
        batch(Self::KIND, self.common.finish(), own)
    }
}
