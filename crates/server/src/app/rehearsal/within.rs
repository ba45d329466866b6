//! What of a rehearsal a caller may see: findings and events of its own customers.

use alerts::{Finding, Scope};
use datafusion::prelude::{Expr, col, lit};
use store::StoreError;

use crate::app::Instance;
use crate::app::intake::Owned;

/// A scope, with what the directory knows of it.
pub(super) struct Within {
    scope: Scope,
    /// What the scope has of the instance's events; `None` if that is all of them.
    own: Option<Owned>,
}

impl Within {
    /// Asks the directory which customers the scope has.
    ///
    /// # Errors
    ///
    /// [`StoreError`] of the directory.
    pub(super) async fn of(instance: &Instance, scope: &Scope) -> Result<Self, StoreError> {
        let whole = instance.scope();
        let own = match scope {
            whole_partner if *whole_partner == whole => None,
            // Another partner has nothing here.
            other if other.partner() != whole.partner() => Some(Owned::default()),
            narrow => Some(instance.owners.owned(&*instance.store, &whole, narrow).await?),
        };
        Ok(Self { scope: scope.clone(), own })
    }

    /// Whether a finding, with its customer and reseller filled in, lies within the scope: as that of alerts is judged.
    pub(super) fn covers(&self, finding: &Finding) -> bool {
        *self.scope.partner() == finding.partner_tenant_id
            && match &self.scope {
                Scope::Partner(_) => true,
                Scope::Reseller(_, reseller) => finding.reseller_tenant_id.as_ref() == Some(reseller),
                Scope::Customer(_, customer) => finding.customer_tenant_id.as_ref() == Some(customer),
            }
    }

    /// The condition that tells the scope's events; `None` if all are. Whose an event is, it says itself, or else the
    /// directory says it of the subscription.
    pub(super) fn events(&self) -> Option<Expr> {
        let own = self.own.as_ref()?;
        let one_of = |column: &str, values: &[String]| match values {
            [] => lit(false),
            values => col(column).in_list(values.iter().map(|value| lit(value.as_str())).collect(), false),
        };
        let named = one_of("customer_tenant_id", &own.customers);
        let known = one_of("subscription_id", &own.subscriptions);
        Some(named.or(col("customer_tenant_id").is_null().and(known)))
    }
}
