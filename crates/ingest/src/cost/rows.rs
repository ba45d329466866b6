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
        dataset: SteadyTextBuilder = Some(event.dataset.name()),
        statement_id: SteadyHashBuilder = Some(event.statement.id),
        stated_at: SteadyTimeBuilder = Some(event.statement.stated_at.timestamp_micros()),
        subscription_name: StringBuilder = event.names.subscription_name,
        customer_name: SparseTextBuilder = event.names.customer_name,
        reseller_id: SparseTextBuilder = event.names.reseller_id,
        reseller_mpn_id: SparseTextBuilder = event.names.reseller_mpn_id,
        resource_region: StringBuilder = event.resource_region,
        meter_id: StringBuilder = event.meter_id,
        meter_category: StringBuilder = event.meter_category,
        meter_sub_category: StringBuilder = event.meter_sub_category,
        meter_name: StringBuilder = event.meter_name,
        service_family: StringBuilder = event.service_family,
        consumed_service: StringBuilder = event.consumed_service,
        product: StringBuilder = event.product,
        unit_of_measure: StringBuilder = event.amounts.unit_of_measure,
        quantity: Float64Builder = event.amounts.quantity,
        usage_quantity: Float64Builder = event.amounts.usage_quantity,
        usage_unit: StringBuilder = event.amounts.usage_unit,
        unit_price: Float64Builder = event.amounts.unit_price,
        cost: Float64Builder = event.amounts.cost,
        currency: StringBuilder = event.amounts.currency,
        effective_cost: SparseFloatBuilder = event.amounts.effective_cost,
        pricing_cost: SparseFloatBuilder = event.amounts.pricing_cost,
        pricing_currency: SparseTextBuilder = event.amounts.pricing_currency,
        cost_usd: SparseFloatBuilder = event.amounts.cost_usd,
        charge_type: StringBuilder = event.charge_type,
        publisher_type: StringBuilder = event.publisher_type,
        vm_size: SparseTextBuilder = event.machine.name.as_deref(),
        vm_family: SparseTextBuilder = event.machine.size.as_ref().map(|size| size.family.as_str()),
        vm_cpus: Int64Builder = event.machine.size.as_ref().map(|size| size.cpus),
        vm_accelerator: SparseTextBuilder = event.machine.size.as_ref().and_then(|size| size.accelerator.as_deref()),
        tags: StringBuilder = event.tags,
    }
}
