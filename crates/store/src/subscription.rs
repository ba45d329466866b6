//! The directory: which customer a subscription belongs to.

use alerts::{CustomerTenantId, ResellerTenantId, SubscriptionId};

/// Whose subscription it is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Subscription {
    /// The subscription.
    pub subscription_id: SubscriptionId,
    /// Its name, if a record told.
    pub name: Option<String>,
    /// Its customer, if a record told.
    pub customer_tenant_id: Option<CustomerTenantId>,
    /// The customer's name, if a record told.
    pub customer_name: Option<String>,
    /// The reseller between partner and customer, if a record told.
    pub reseller_tenant_id: Option<ResellerTenantId>,
}
