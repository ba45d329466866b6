//! The directory of subscriptions.

use ::alerts::{Scope, SubscriptionId};
use sea_query::{Expr, ExprTrait, Query};

use super::out_of_scope;
use crate::session::Session;
use crate::sql::scope::within;
use crate::{StoreError, Subscription};

/// What was imported of a customer wins over what records say, and what was imported of a subscription over what
/// records say of it. Keeps what is known where a record is silent, and writes nothing where it tells nothing new: the
/// same subscriptions come with every file.
const LEARN: &str = "
insert into subscription
    (partner_tenant_id, subscription_id, name, customer_tenant_id, customer_name, reseller_tenant_id)
select $1, $2, $3, $4, coalesce(imported.name, $5), coalesce(imported.reseller_tenant_id, $6)
from (select 1) as always
left join customer as imported
    on imported.partner_tenant_id = $1
    and imported.customer_tenant_id = $4
where true
on conflict (partner_tenant_id, subscription_id) do update set
    name = case when subscription.is_imported = 1
        then coalesce(subscription.name, excluded.name) else coalesce(excluded.name, subscription.name) end,
    customer_tenant_id = coalesce(excluded.customer_tenant_id, subscription.customer_tenant_id),
    customer_name = coalesce(excluded.customer_name, subscription.customer_name),
    reseller_tenant_id = coalesce(excluded.reseller_tenant_id, subscription.reseller_tenant_id)
where (subscription.is_imported = 0
        or excluded.customer_tenant_id is null
        or excluded.customer_tenant_id = subscription.customer_tenant_id)
    and ((subscription.is_imported = 0 or subscription.name is null)
            and coalesce(excluded.name, subscription.name) is distinct from subscription.name
        or coalesce(excluded.customer_tenant_id, subscription.customer_tenant_id)
            is distinct from subscription.customer_tenant_id
        or coalesce(excluded.customer_name, subscription.customer_name)
            is distinct from subscription.customer_name
        or coalesce(excluded.reseller_tenant_id, subscription.reseller_tenant_id)
            is distinct from subscription.reseller_tenant_id)";

pub(crate) async fn learn(
    session: &mut impl Session,
    scope: &Scope,
    known: &[Subscription],
) -> Result<(), StoreError> {
    for told in known {
        check_owner(session, scope, told).await?;
        let values = vec![
            scope.partner().as_str().into(),
            told.subscription_id.as_str().into(),
            told.name.clone().into(),
            told.customer_tenant_id.as_ref().map(|id| id.as_str().to_owned()).into(),
            told.customer_name.clone().into(),
            told.reseller_tenant_id.as_ref().map(|id| id.as_str().to_owned()).into(),
        ];
        session.put(session.dialect().text(LEARN, values)).await?;
    }
    Ok(())
}

/// A partner may say whose its subscriptions are; others only of their own, and take none over.
async fn check_owner(
    session: &mut impl Session,
    scope: &Scope,
    told: &Subscription,
) -> Result<(), StoreError> {
    if matches!(scope, Scope::Partner(_)) {
        return Ok(());
    }
    let whole = Scope::Partner(scope.partner().clone());
    let known = subscription(session, &whole, &told.subscription_id).await?;
    if covers(scope, told) && known.is_none_or(|known| covers(scope, &known)) {
        Ok(())
    } else {
        Err(out_of_scope(scope.partner()))
    }
}

fn covers(scope: &Scope, subscription: &Subscription) -> bool {
    match scope {
        Scope::Partner(_) => true,
        Scope::Reseller(_, reseller) => subscription.reseller_tenant_id.as_ref() == Some(reseller),
        Scope::Customer(_, customer) => subscription.customer_tenant_id.as_ref() == Some(customer),
    }
}

pub(crate) async fn subscription(
    session: &mut impl Session,
    scope: &Scope,
    id: &SubscriptionId,
) -> Result<Option<Subscription>, StoreError> {
    let select = Query::select()
        .columns(["name", "customer_tenant_id", "customer_name", "reseller_tenant_id"])
        .from("subscription")
        .cond_where(within(scope))
        .and_where(Expr::col("subscription_id").eq(id.as_str()))
        .take();
    let found = session.optional(session.dialect().statement(select.into())).await?;
    found
        .map(|mut row| {
            Ok(Subscription {
                subscription_id: id.clone(),
                name: row.opt_text(0)?,
                customer_tenant_id: row.opt_id(1)?,
                customer_name: row.opt_text(2)?,
                reseller_tenant_id: row.opt_id(3)?,
            })
        })
        .transpose()
}
