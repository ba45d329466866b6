//! Writes into events whose they are, where their records do not say.

use std::sync::Arc;

use arrow_array::builder::StringBuilder;
use arrow_array::cast::AsArray as _;
use arrow_array::{Array as _, RecordBatch};

const CUSTOMER: &str = "customer_tenant_id";

/// Fills the customer of the rows that have none by what `owner_of` knows of their subscription, which may
/// be absent too.
pub(crate) fn fill<'a>(rows: &mut RecordBatch, owner_of: impl Fn(Option<&str>) -> Option<&'a str>) {
    let schema = rows.schema();
    let (Ok(at), Some(subscriptions)) = (schema.index_of(CUSTOMER), rows.column_by_name("subscription_id"))
    else {
        return;
    };
    let customers = rows.column(at).as_string::<i32>();
    if customers.null_count() == 0 {
        return;
    }
    let subscriptions = subscriptions.as_string::<i32>();
    let mut filled = StringBuilder::with_capacity(rows.num_rows(), customers.value_data().len());
    // Rows of a subscription come together, so that most look up what the one before did.
    let mut last: Option<(Option<&str>, Option<&str>)> = None;
    for (customer, subscription) in customers.iter().zip(subscriptions) {
        let owner = customer.or_else(|| match last {
            Some((of, owner)) if of == subscription => owner,
            _ => {
                let owner = owner_of(subscription);
                last = Some((subscription, owner));
                owner
            }
        });
        filled.append_option(owner);
    }
    let mut columns = rows.columns().to_vec();
    columns[at] = Arc::new(filled.finish());
    if let Ok(with_customers) = RecordBatch::try_new(schema, columns) {
        *rows = with_customers;
    }
}
