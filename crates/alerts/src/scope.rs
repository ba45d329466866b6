//! Whose data a caller may see.

use crate::{Alert, CustomerTenantId, PartnerTenantId, ResellerTenantId};

/// The part of the data that a caller may see; an argument of every store call.
///
/// There is no scope for "everything": the widest is one partner's own.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Scope {
    /// All customers of one partner.
    Partner(PartnerTenantId),
    /// The customers that one reseller brought to the partner.
    Reseller(PartnerTenantId, ResellerTenantId),
    /// One customer of the partner.
    Customer(PartnerTenantId, CustomerTenantId),
}

impl Scope {
    /// The partner, whom every scope names.
    #[must_use]
    pub fn partner(&self) -> &PartnerTenantId {
        match self {
            Self::Partner(partner) | Self::Reseller(partner, _) | Self::Customer(partner, _) => partner,
        }
    }

    /// Whether an alert lies within this scope.
    #[must_use]
    pub fn covers(&self, alert: &Alert) -> bool {
        if *self.partner() != alert.partner_tenant_id {
            return false;
        }
        match self {
            Self::Partner(_) => true,
            Self::Reseller(_, reseller) => {
                alert.body.value_added_reseller_tenant_id.as_ref() == Some(reseller)
            }
            Self::Customer(_, customer) => alert.body.customer_tenant_id == *customer,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::sample;

    #[test]
    fn a_scope_covers_its_own_and_nothing_else() {
        let mut alert = sample();
        alert.body.value_added_reseller_tenant_id = Some("reseller-a".parse().unwrap());
        let partner = || alert.partner_tenant_id.clone();
        let other: PartnerTenantId = "other-partner".parse().unwrap();
        let check = |scope: Scope, expected: bool| assert_eq!(scope.covers(&alert), expected, "{scope:?}");

        check(Scope::Partner(partner()), true);
        check(Scope::Partner(other.clone()), false);
        check(Scope::Reseller(partner(), "reseller-a".parse().unwrap()), true);
        check(Scope::Reseller(partner(), "reseller-b".parse().unwrap()), false);
        check(Scope::Reseller(other.clone(), "reseller-a".parse().unwrap()), false);
        check(Scope::Customer(partner(), alert.body.customer_tenant_id.clone()), true);
        check(Scope::Customer(partner(), "customer-b".parse().unwrap()), false);
        check(Scope::Customer(other, alert.body.customer_tenant_id.clone()), false);
    }
}
