//! Says of activity events whose their caller is, where only the directory knows.
//!
//! A record tells `partner`, and `customer` and `foreign` where it names the customer. Once the directory has filled the
//! customer in, the rest can be told too; and a caller of another tenant is no stranger if that is the reseller's.

use arrow_array::RecordBatch;
use ingest::{Texts, repeated};

use super::owners::Directory;

const ORIGIN: &str = "caller_origin";
const FOREIGN: &str = "foreign";

/// Fills `caller_origin` of a parser's batch of activity events whose customers are filled already.
pub(super) fn settle(rows: &mut RecordBatch, directory: &Directory) {
    let schema = rows.schema();
    let text = |name| rows.column_by_name(name).and_then(|column| Texts::of(column));
    let (Ok(at), Some(origins), Some(tenants), Some(customers)) =
        (schema.index_of(ORIGIN), text(ORIGIN), text("caller_tenant_id"), text("customer_tenant_id"))
    else {
        return;
    };
    let rows_of = || origins.iter().zip(tenants.iter()).zip(customers.iter());
    if !rows_of().any(|((origin, tenant), customer)| is_open(origin, tenant, customer, directory)) {
        return;
    }
    let settled = rows_of().map(|((origin, tenant), customer)| match tenant {
        Some(tenant) if is_open(origin, Some(tenant), customer, directory) => {
            origin_of(tenant, customer, directory)
        }
        _ => origin,
    });
    let mut columns = rows.columns().to_vec();
    columns[at] = repeated(settled);
    if let Ok(with_origins) = RecordBatch::try_new(schema, columns) {
        *rows = with_origins;
    }
}

/// Whether the directory may tell more of a row than its record does. A record without an origin, of a caller whose
/// tenant is known, is one whose customer was not.
fn is_open(
    origin: Option<&str>,
    tenant: Option<&str>,
    customer: Option<&str>,
    directory: &Directory,
) -> bool {
    let has_resellers = directory.has_resellers();
    match origin {
        None => tenant.is_some() && (customer.is_some() || has_resellers),
        Some(origin) => has_resellers && tenant.is_some() && origin == FOREIGN,
    }
}

/// Whose a caller is that is not the partner's.
///
/// A reseller is one of the customers that it brought. In the subscription of a customer of another reseller it is
/// as foreign as anybody; of customers whose reseller nobody told, it gets the benefit of the doubt.
fn origin_of(tenant: &str, customer: Option<&str>, directory: &Directory) -> Option<&'static str> {
    if customer == Some(tenant) {
        return Some("customer");
    }
    let reseller = customer.and_then(|customer| directory.reseller_of(customer));
    if reseller.map_or_else(|| directory.is_reseller(tenant), |reseller| reseller == tenant) {
        return Some("reseller");
    }
    customer.map(|_| FOREIGN)
}

#[cfg(test)]
mod tests {
    use arrow_array::ArrayRef;

    use super::*;

    /// The origins after, of rows of origin, caller's tenant, customer; empty texts are null.
    fn settled(rows: &[(&str, &str, &str)], resellers: &[(&str, &str)]) -> Vec<String> {
        let column = |pick: fn(&(&str, &str, &str)) -> String| -> ArrayRef {
            let texts: Vec<String> = rows.iter().map(pick).collect();
            repeated(texts.iter().map(|text| Some(text.as_str()).filter(|text| !text.is_empty())))
        };
        let mut batch = RecordBatch::try_from_iter([
            ("customer_tenant_id", column(|row| row.2.to_owned())),
            ("caller_tenant_id", column(|row| row.1.to_owned())),
            (ORIGIN, column(|row| row.0.to_owned())),
        ])
        .unwrap();
        settle(&mut batch, &Directory::of_resellers(resellers));
        let origins = Texts::of(batch.column_by_name(ORIGIN).unwrap()).unwrap();
        origins.iter().map(|origin| origin.unwrap_or_default().to_owned()).collect()
    }

    #[test]
    fn the_directory_tells_whose_a_caller_is() {
        let resellers = [("c1", "r1"), ("c2", "r2")];
        for (origin, tenant, customer, expected) in [
            // What the record tells stays.
            ("partner", "p", "c1", "partner"),
            ("customer", "c1", "c1", "customer"),
            ("foreign", "x", "c1", "foreign"),
            ("foreign", "", "c1", "foreign"),
            ("", "", "c1", ""),
            // The customer was filled in.
            ("", "c1", "c1", "customer"),
            ("", "x", "c1", "foreign"),
            ("", "x", "", ""),
            // Resellers are no strangers to whom they brought.
            ("foreign", "r1", "c1", "reseller"),
            ("", "r1", "c1", "reseller"),
            ("foreign", "r2", "c1", "foreign"),
            ("foreign", "r2", "c3", "reseller"),
            ("", "r2", "", "reseller"),
        ] {
            assert_eq!(
                settled(&[(origin, tenant, customer)], &resellers),
                [expected],
                "{origin} {tenant} {customer}"
            );
        }
        let mixed = [("", "c1", "c1"), ("partner", "p", "c1"), ("foreign", "r1", "c1")];
        assert_eq!(settled(&mixed, &resellers), ["customer", "partner", "reseller"]);
        assert_eq!(settled(&mixed, &[]), ["customer", "partner", "foreign"]);
    }
}
