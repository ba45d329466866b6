//! Columns of the cost table under way.

use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_array::builder::{BinaryBuilder, Float64Builder, StringBuilder};

use super::CostEvent;
use crate::columns::{Common, CommonColumns, batch};
use crate::output::Rows;
use crate::read::Reading;
use crate::schema::Kind;

/// Builders, in the order of the schema.
#[derive(Default)]
pub(crate) struct CostRows {
    common: CommonColumns,
    line_id: BinaryBuilder,
    subscription_name: StringBuilder,
    customer_name: StringBuilder,
    reseller_mpn_id: StringBuilder,
    resource_region: StringBuilder,
    meter_id: StringBuilder,
    meter_category: StringBuilder,
    meter_sub_category: StringBuilder,
    meter_name: StringBuilder,
    service_family: StringBuilder,
    consumed_service: StringBuilder,
    product: StringBuilder,
    unit_of_measure: StringBuilder,
    quantity: Float64Builder,
    unit_price: Float64Builder,
    cost: Float64Builder,
    currency: StringBuilder,
    charge_type: StringBuilder,
    publisher_type: StringBuilder,
    vm_size: StringBuilder,
    tags: StringBuilder,
}

impl CostRows {
    pub(crate) fn append(&mut self, event: &CostEvent<'_>, reading: &Reading<'_>) {
        let names = &event.names;
        let common = Common {
            event_id: event.event_id,
            event_at: event.event_at,
            customer_tenant_id: names.customer_tenant_id.as_deref(),
            subscription_id: names.subscription_id.as_deref(),
            resource_id: names.resource_id.as_deref(),
            resource_group: names.resource_group.as_deref(),
        };
        self.common.append(&common, reading);
        self.line_id.append_value(event.line_id);
        self.subscription_name.append_option(names.subscription_name);
        self.customer_name.append_option(names.customer_name);
        self.reseller_mpn_id.append_option(names.reseller_mpn_id);
        self.resource_region.append_option(event.resource_region.as_deref());
        self.meter_id.append_option(event.meter_id.as_deref());
        self.meter_category.append_option(event.meter_category);
        self.meter_sub_category.append_option(event.meter_sub_category);
        self.meter_name.append_option(event.meter_name);
        self.service_family.append_option(event.service_family);
        self.consumed_service.append_option(event.consumed_service.as_deref());
        self.product.append_option(event.product);
        self.unit_of_measure.append_option(event.unit_of_measure);
        self.quantity.append_option(event.quantity);
        self.unit_price.append_option(event.unit_price);
        self.cost.append_option(event.cost);
        self.currency.append_option(event.currency.as_deref());
        self.charge_type.append_option(event.charge_type.as_deref());
        self.publisher_type.append_option(event.publisher_type.as_deref());
        self.vm_size.append_option(event.vm_size.as_deref());
        self.tags.append_option(event.tags);
    }
}

impl Rows for CostRows {
    const KIND: Kind = Kind::Cost;

    fn finish(&mut self) -> RecordBatch {
        let own = vec![
            Arc::new(self.line_id.finish()) as _,
            Arc::new(self.subscription_name.finish()) as _,
            Arc::new(self.customer_name.finish()) as _,
            Arc::new(self.reseller_mpn_id.finish()) as _,
            Arc::new(self.resource_region.finish()) as _,
            Arc::new(self.meter_id.finish()) as _,
            Arc::new(self.meter_category.finish()) as _,
            Arc::new(self.meter_sub_category.finish()) as _,
            Arc::new(self.meter_name.finish()) as _,
            Arc::new(self.service_family.finish()) as _,
            Arc::new(self.consumed_service.finish()) as _,
            Arc::new(self.product.finish()) as _,
            Arc::new(self.unit_of_measure.finish()) as _,
            Arc::new(self.quantity.finish()) as _,
            Arc::new(self.unit_price.finish()) as _,
            Arc::new(self.cost.finish()) as _,
            Arc::new(self.currency.finish()) as _,
            Arc::new(self.charge_type.finish()) as _,
            Arc::new(self.publisher_type.finish()) as _,
            Arc::new(self.vm_size.finish()) as _,
            Arc::new(self.tags.finish()) as _,
        ];
        batch(Self::KIND, self.common.finish(), own)
    }
}
