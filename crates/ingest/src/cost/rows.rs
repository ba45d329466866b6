//! Columns of the cost table under way.

use super::CostEvent;
use crate::columns::{Common, Names, rows};

rows! {
    /// Builders, in the order of the schema.
    struct CostRows of Cost in cost, event: &CostEvent<'_>,
    Common {
        customer_tenant_id: event.names.customer_tenant_id.as_deref(),
        subscription_id: event.names.subscription_id.as_deref(),
        resource_id: event.names.resource_id.as_deref(),
        resource_group: event.names.resource_group.as_deref(),
        names: Names { subscription: event.names.subscription_name, customer: event.names.customer_name },
        ..Common::of(event.event_id, event.event_at)
    },
    {
        dataset: StringBuilder = Some("actual"),
        statement_id: BinaryBuilder = Some(event.statement_id),
        stated_at: TimestampMicrosecondBuilder = Some(event.stated_at),
        subscription_name: StringBuilder = event.names.subscription_name,
        customer_name: StringBuilder = event.names.customer_name,
        reseller_mpn_id: StringBuilder = event.names.reseller_mpn_id,
        resource_region: StringBuilder = event.resource_region.as_deref(),
        meter_id: StringBuilder = event.meter_id.as_deref(),
        meter_category: StringBuilder = event.meter_category,
        meter_sub_category: StringBuilder = event.meter_sub_category,
        meter_name: StringBuilder = event.meter_name,
        service_family: StringBuilder = event.service_family,
        consumed_service: StringBuilder = event.consumed_service.as_deref(),
        product: StringBuilder = event.product,
        unit_of_measure: StringBuilder = event.unit_of_measure,
        quantity: Float64Builder = event.quantity,
        unit_price: Float64Builder = event.unit_price,
        cost: Float64Builder = event.cost,
        currency: StringBuilder = event.currency.as_deref(),
        charge_type: StringBuilder = event.charge_type.as_deref(),
        publisher_type: StringBuilder = event.publisher_type.as_deref(),
        vm_size: StringBuilder = event.vm_size.as_deref(),
        tags: StringBuilder = event.tags,
    }
}
