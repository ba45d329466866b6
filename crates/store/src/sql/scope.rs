//! The one place that says which rows a caller may touch.
//!
//! The tables of alerts and subscriptions name the three tenants alike, so one condition serves both.

use alerts::Scope;
use sea_query::{Cond, Condition, Expr, ExprTrait, Value};

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

/// The same in a text that was written by hand, of a table or alias; its values are added to those that there are, and
/// the partner's is the first of all.
pub(crate) fn within_text(scope: &Scope, table: &str, values: &mut Vec<Value>) -> String {
    values.push(scope.partner().as_str().into());
    let partner = format!("{table}.partner_tenant_id = ${}", values.len());
    let (column, tenant) = match scope {
        Scope::Partner(_) => return partner,
        Scope::Reseller(_, reseller) => ("reseller_tenant_id", reseller.as_str()),
        Scope::Customer(_, customer) => ("customer_tenant_id", customer.as_str()),
    };
    values.push(tenant.into());
    format!("{partner} and {table}.{column} = ${}", values.len())
}
