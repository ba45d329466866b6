//! Writes into events whose they are, where their records do not say.

use arrow_array::RecordBatch;
use ingest::{Texts, repeated};

const CUSTOMER: &str = "customer_tenant_id";

/// Fills the customer of the rows that have none by what `owner_of` knows of their subscription, which may
/// be absent too. The batch is one of a parser, with repeated texts.
pub(crate) fn fill<'a>(rows: &mut RecordBatch, owner_of: impl Fn(Option<&str>) -> Option<&'a str>) {
    let schema = rows.schema();
    let text = |name| rows.column_by_name(name).and_then(|column| Texts::of(column));
    let (Ok(at), Some(customers), Some(subscriptions)) =
        (schema.index_of(CUSTOMER), text(CUSTOMER), text("subscription_id"))
    else {
        return;
    };
    if customers.null_count() == 0 {
        return;
    }
    // Rows of a subscription come together, so that most look up what the one before did.
    let mut last: Option<(Option<&str>, Option<&str>)> = None;
    let mut is_any_found = false;
    let filled = customers.iter().zip(subscriptions.iter()).map(|(customer, subscription)| {
        customer.or_else(|| match last {
            Some((of, owner)) if of == subscription => owner,
            _ => {
                let owner = owner_of(subscription);
                is_any_found |= owner.is_some();
                last = Some((subscription, owner));
                owner
            }
        })
    });
    let filled = repeated(filled);
    if !is_any_found {
        return;
    }
    let mut columns = rows.columns().to_vec();
    columns[at] = filled;
    if let Ok(with_customers) = RecordBatch::try_new(schema, columns) {
        *rows = with_customers;
    }
}
