//! The log of changes: written with each change of an alert, read by those who follow.

use ::alerts::{Alert, AlertId, CustomerTenantId, ResellerTenantId, Scope};
use chrono::{DateTime, Utc};
use sea_query::{Expr, ExprTrait, Order, Query, SimpleExpr};

use crate::session::{Row, Session};
use crate::sql::scalar::microseconds;
use crate::sql::scope::within;
use crate::{Change, ChangeKind, ChangePage, ChangePosition, StoreError};

/// How many changes are forgotten in one transaction.
const PRUNED_MAX: u64 = 10_000;

const CREATED: &str = "created";
const UPDATED: &str = "updated";
const DELETED: &str = "deleted";
/// The alert changed hands: a deletion for those whose it was, and nothing to the partner.
const LEFT: &str = "left";

/// Logs that an alert was written, and that it has left those whose it was before.
pub(super) async fn note(
    session: &mut impl Session,
    alert: &Alert,
    before: Option<&Alert>,
    version: u64,
    at: DateTime<Utc>,
) -> Result<(), StoreError> {
    let (customer, reseller) = owner(alert);
    if let Some((old_customer, old_reseller)) = before.map(owner) {
        let lost_customer = (old_customer != customer).then_some(old_customer).flatten();
        let lost_reseller = (old_reseller != reseller).then_some(old_reseller).flatten();
        if lost_customer.is_some() || lost_reseller.is_some() {
            insert(session, alert, LEFT, version, at, lost_customer, lost_reseller).await?;
        }
    }
    let kind = if before.is_none() { CREATED } else { UPDATED };
    insert(session, alert, kind, version, at, customer, reseller).await
}

fn owner(alert: &Alert) -> (Option<&CustomerTenantId>, Option<&ResellerTenantId>) {
    (Some(&alert.body.customer_tenant_id), alert.body.value_added_reseller_tenant_id.as_ref())
}

async fn insert(
    session: &mut impl Session,
    alert: &Alert,
    kind: &str,
    version: u64,
    at: DateTime<Utc>,
    customer: Option<&CustomerTenantId>,
    reseller: Option<&ResellerTenantId>,
) -> Result<(), StoreError> {
    const INSERT: &str = "
insert into alert_change
    (partner_tenant_id, alert_id, kind, version, at, customer_tenant_id, reseller_tenant_id)
values ($1, $2, $3, $4, $5, $6, $7)";
    let values = vec![
        alert.partner_tenant_id.as_str().into(),
        alert.body.id.as_str().into(),
        kind.into(),
        i64::try_from(version).unwrap_or(i64::MAX).into(),
        microseconds(at).into(),
        customer.map(|id| id.as_str().to_owned()).into(),
        reseller.map(|id| id.as_str().to_owned()).into(),
    ];
    session.put(session.dialect().text(INSERT, values)).await
}

pub(crate) async fn read(
    session: &mut impl Session,
    scope: &Scope,
    after: ChangePosition,
    limit: usize,
) -> Result<ChangePage, StoreError> {
    if limit == 0 {
        return Err(StoreError::Unsupported("a page holds at least one change".to_owned()));
    }
    // What commits from here on is left for the next page, though this one might see some of it.
    let end = session.change_horizon(scope.partner()).await?;
    let mut select = Query::select();
    select
        .columns(["alert_id", "kind", "version", "at", "epoch", "sequence"])
        .from("alert_change")
        .cond_where(within(scope))
        .and_where(place().gt(pair(after)))
        .and_where(place().lte(pair(end)))
        .order_by("epoch", Order::Asc)
        .order_by("sequence", Order::Asc)
        .limit(limit as u64);
    if matches!(scope, Scope::Partner(_)) {
        select.and_where(Expr::col("kind").ne(LEFT));
    }
    let rows = session.rows(session.dialect().statement(select.into())).await?;
    let changes = rows.into_iter().map(change).collect::<Result<Vec<_>, _>>()?;
    let more = changes.len() == limit;
    let position = match changes.last() {
        Some(last) if more => last.position,
        _ => Ord::max(after, end),
    };
    Ok(ChangePage { changes, position, more })
}

fn place() -> SimpleExpr {
    Expr::tuple([Expr::col("epoch"), Expr::col("sequence")])
}

fn pair(position: ChangePosition) -> SimpleExpr {
    Expr::tuple([Expr::val(position.epoch), Expr::val(position.sequence)])
}

fn change(mut row: Row) -> Result<Change, StoreError> {
    let id = row.opt_id::<AlertId>(0)?;
    let kind = row.text(1)?;
    let damaged = |what: &str| StoreError::Damaged { what: format!("a change {what}") };
    Ok(Change {
        alert_id: id.ok_or_else(|| damaged("of no alert"))?,
        kind: match kind.as_str() {
            CREATED => ChangeKind::Created,
            UPDATED => ChangeKind::Updated,
            DELETED | LEFT => ChangeKind::Deleted,
            _ => return Err(damaged(&format!("of the unknown kind '{kind}'"))),
        },
        version: row.amount(2)?,
        at: row.time(3)?,
        position: ChangePosition { epoch: row.int(4)?, sequence: row.int(5)? },
    })
}

pub(crate) async fn oldest_kept(session: &mut impl Session) -> Result<ChangePosition, StoreError> {
    let select = session.dialect().text("select epoch, sequence from alert_change_cut", Vec::new());
    let Some(mut row) = session.optional(select).await? else {
        return Ok(ChangePosition::default());
    };
    Ok(ChangePosition { epoch: row.int(0)?, sequence: row.int(1)? })
}

/// Forgets the oldest changes up to the first that is not older than `before`.
pub(crate) async fn prune(session: &mut impl Session, before: DateTime<Utc>) -> Result<u64, StoreError> {
    const OLDEST: &str = "select epoch, sequence, at from alert_change order by sequence limit $1";
    const FORGET: &str = "delete from alert_change where sequence <= $1";
    const CUT: &str = "
update alert_change_cut
set epoch = $1, sequence = $2
where epoch < $1
    or (epoch = $1 and sequence < $2)";
    let oldest = session.dialect().text(OLDEST, vec![PRUNED_MAX.into()]);
    let mut cut = ChangePosition::default();
    let mut last_sequence = None;
    for mut row in session.rows(oldest).await? {
        if row.time(2)? >= before {
            break;
        }
        let position = ChangePosition { epoch: row.int(0)?, sequence: row.int(1)? };
        last_sequence = Some(position.sequence);
        cut = Ord::max(cut, position);
    }
    let Some(last_sequence) = last_sequence else { return Ok(0) };
    let forgotten = session.execute(session.dialect().text(FORGET, vec![last_sequence.into()])).await?;
    let cut = vec![cut.epoch.into(), cut.sequence.into()];
    session.put(session.dialect().text(CUT, cut)).await?;
    Ok(forgotten)
}
