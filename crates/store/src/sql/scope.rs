//! The one place that says which rows a caller may touch.
//!
//! The tables of alerts and subscriptions name the three tenants alike, so one condition serves both.

use alerts::Scope;
use sea_query::{Cond, Condition, Expr, ExprTrait};

/// That a row lies within the scope; the partner first, as in every index.
pub(crate) fn within(scope: &Scope) -> Condition {
    let partner = Expr::col("partner_tenant_id").eq(scope.partner().as_str());
    let narrower = match scope {
        Scope::Partner(_) => None,
        Scope::Reseller(_, reseller) => Some(Expr::col("reseller_tenant_id").eq(reseller.as_str())),
        Scope::Customer(_, customer) => Some(Expr::col("customer_tenant_id").eq(customer.as_str())),
    };
    Cond::all().add(partner).add_option(narrower)
}
