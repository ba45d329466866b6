//! Columns of cost and usage.

use arrow_schema::Field;

use super::{decimal, hash, number, text, time};

pub(super) fn columns() -> Vec<Field> {
    vec![
        // `actual`, `amortized`, `focus`, `unbilled`, `billed`: several may hold the same charges, so that
        // they are never added.
        text("dataset"),
        // 16 bytes: the run of an export, or the file, that stated the line. Of a day, the lines of the
        // statement with the latest `stated_at` count.
        hash("statement_id"),
        time("stated_at"),
        text("subscription_name"),
        text("customer_name"),
        text("reseller_id"),
        text("reseller_mpn_id"),
        // Region id such as `brazilsouth`.
        text("resource_region"),
        text("meter_id"),
        text("meter_category"),
        text("meter_sub_category"),
        text("meter_name"),
        text("service_family"),
        // `microsoft.compute`
        text("consumed_service"),
        text("product"),
        // `10 Hours`: the block that prices are for.
        text("unit_of_measure"),
        // As stated: units for Cost Management and Partner Center, blocks for FOCUS.
        decimal("quantity"),
        // In `usage_unit`, such as `Hours`.
        decimal("usage_quantity"),
        text("usage_unit"),
        decimal("unit_price"),
        // Cost of the line, in `currency`.
        decimal("cost"),
        // ISO 4217.
        text("currency"),
        // With what was paid in advance spread over its use, in `currency`.
        decimal("effective_cost"),
        // In the currency of the prices.
        decimal("pricing_cost"),
        text("pricing_currency"),
        decimal("cost_usd"),
        // `usage`, `purchase`, `refund`, `adjustment`, …
        text("charge_type"),
        text("publisher_type"),
        // `standard_nc24ads_a100_v4`, from the additional information.
        text("vm_size"),
        // `nc`, 24 and `a100` of that.
        text("vm_family"),
        number("vm_cpus"),
        text("vm_accelerator"),
        // JSON text, as the record has it.
        text("tags"),
    ]
}
