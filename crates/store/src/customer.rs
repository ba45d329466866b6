//! The partner's customers.

use alerts::{CustomerTenantId, ResellerTenantId};

/// A customer, as the partner's own directory has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Customer {
    /// The customer's tenant.
    pub customer_tenant_id: CustomerTenantId,
    /// Its name.
    pub name: Option<String>,
    /// Its domain.
    pub domain: Option<String>,
    /// The reseller's tenant, if a reseller brought it.
    pub reseller_tenant_id: Option<ResellerTenantId>,
    /// The reseller's number in Microsoft's partner programme.
    pub reseller_mpn_id: Option<String>,
    /// Two letters, ISO 3166.
    pub country: Option<String>,
}

/// What an import of customers did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CustomersImported {
    /// Customers that were not known.
    pub new: u64,
    /// Customers of which something else is known now.
    pub changed: u64,
    /// Customers that were known to be so.
    pub unchanged: u64,
}
