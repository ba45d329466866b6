//! Columns of the cost table under way.

use super::CostEvent;
use crate::columns::{Common, Names, rows};

rows! {
    /// Builders, in the order of the schema.
    struct CostRows of Cost in cost, event: &CostEvent<'_>,
    Common {
        customer_tenant_id: event.names.customer_tenant_id,
        subscription_id: event.names.subscription_id,
        resource_id: event.names.resource_id,
        resource_group: event.names.resource_group,
        names: Names { subscription: event.names.subscription_name, customer: event.names.customer_name },
        ..Common::of(event.event_id, event.event_at)
    },
    {
        dataset: TextBuilder = Some(event.dataset.name()),
        statement_id: SteadyHashBuilder = Some(event.statement.id),
        stated_at: SteadyTimeBuilder = Some(event.statement.stated_at.timestamp_micros()),
        subscription_name: TextBuilder = event.names.subscription_name,
        customer_name: TextBuilder = event.names.customer_name,
        reseller_id: TextBuilder = event.names.reseller_id,
        reseller_mpn_id: TextBuilder = event.names.reseller_mpn_id,
        resource_region: TextBuilder = event.resource_region,
        meter_id: TextBuilder = event.meter_id,
        meter_category: TextBuilder = event.meter_category,
        meter_sub_category: TextBuilder = event.meter_sub_category,
        meter_name: TextBuilder = event.meter_name,
        service_family: TextBuilder = event.service_family,
        consumed_service: TextBuilder = event.consumed_service,
        product: TextBuilder = event.product,
        unit_of_measure: TextBuilder = event.amounts.unit_of_measure,
        quantity: FloatBuilder = event.amounts.quantity,
        usage_quantity: FloatBuilder = event.amounts.usage_quantity,
        usage_unit: TextBuilder = event.amounts.usage_unit,
        unit_price: FloatBuilder = event.amounts.unit_price,
        cost: FloatBuilder = event.amounts.cost,
        currency: TextBuilder = event.amounts.currency,
        effective_cost: FloatBuilder = event.amounts.effective_cost,
        pricing_cost: FloatBuilder = event.amounts.pricing_cost,
        pricing_currency: TextBuilder = event.amounts.pricing_currency,
        cost_usd: FloatBuilder = event.amounts.cost_usd,
        charge_type: TextBuilder = event.charge_type,
        publisher_type: TextBuilder = event.publisher_type,
        vm_size: TextBuilder = event.machine.name.as_deref(),
        vm_family: TextBuilder = event.machine.size.as_ref().map(|size| size.family.as_str()),
        vm_cpus: IntBuilder = event.machine.size.as_ref().map(|size| size.cpus),
        vm_accelerator: TextBuilder = event.machine.size.as_ref().and_then(|size| size.accelerator.as_deref()),
        tags: OwnTextBuilder = event.tags,
    }
}
