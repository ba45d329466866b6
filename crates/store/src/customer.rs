//! The partner's customers.

use alerts::{CustomerTenantId, ResellerTenantId, SubscriptionId};
use chrono::{DateTime, Utc};

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
    /// Subscriptions that were not known, or of which something else is known now.
    pub subscriptions: u64,
}

/// A subscription that the partner itself says is a customer's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomerSubscription {
    /// The subscription.
    pub subscription_id: SubscriptionId,
    /// Its name.
    pub name: Option<String>,
    /// Whose it is; an imported customer.
    pub customer_tenant_id: CustomerTenantId,
}

/// An imported customer, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownCustomer {
    /// As it was imported.
    pub customer: Customer,
    /// When it was first imported; `None` if that was by an earlier build.
    pub imported_at: Option<DateTime<Utc>>,
    /// How many subscriptions it is known to have.
    pub subscriptions: u64,
    /// Whether a record of its was ever stored.
    pub has_records: bool,
}

/// Which imported customers are asked for, and from where on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CustomerQuery {
    /// Only those of which a record was ever stored, or none.
    pub has_records: Option<bool>,
    /// Records of this kind, for [`KnownCustomer::has_records`] and the condition on it.
    pub kind: Option<String>,
    /// After this customer.
    pub after: Option<CustomerTenantId>,
    /// At most so many.
    pub limit: Option<u64>,
}

/// Whose a subscription is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Owner {
    /// The subscription.
    pub subscription_id: SubscriptionId,
    /// Its customer.
    pub customer_tenant_id: CustomerTenantId,
    /// Whether the partner itself said so; then no record says otherwise.
    pub is_imported: bool,
}
