//! Columns of cost and usage.

use arrow_schema::Field;

use super::{decimal, hash, text, time};

pub(super) fn columns() -> Vec<Field> {
    vec![
        // `actual`, `amortized`, `focus`, `unbilled` or `billed`: which account of the same usage it is.
        text("dataset"),
        // 16 bytes: the run of the export that states the line.
        hash("statement_id"),
        // When that run was made.
        time("stated_at"),
        text("subscription_name"),
        text("customer_name"),
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
        // `10 Hours`: the block that `quantity` counts.
        text("unit_of_measure"),
        decimal("quantity"),
        // Price of one block, in `currency`.
        decimal("unit_price"),
        // Cost of the line, in `currency`.
        decimal("cost"),
        // ISO 4217.
        text("currency"),
        // `usage`, `purchase`, `refund`, `adjustment`, …
        text("charge_type"),
        text("publisher_type"),
        // `standard_nc24ads_a100_v4`, from the additional information.
        text("vm_size"),
        // JSON text, as the record has it.
        text("tags"),
    ]
}
