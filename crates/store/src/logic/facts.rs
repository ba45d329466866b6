//! Facts for the partner's security score, and its history.

use ::alerts::score::{
    CustomerInsight, ResolvedAlerts, ResponseTimes, Score, ScoreSnapshot, SecurityRequirement,
};
use ::alerts::{CustomerTenantId, PartnerTenantId, Scope, Status};
use chrono::{DateTime, Utc};
use sea_query::{Cond, Expr, ExprTrait, Query};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{out_of_scope, whole_partner};
use crate::session::{Row, Session};
use crate::sql::scalar::microseconds;
use crate::sql::scope::within;
use crate::{SecurityFacts, StoreError};

const MICROSECONDS_A_DAY: i64 = 86_400_000_000;

const REQUIREMENTS: &str = "
select body
from score_requirement
where partner_tenant_id = $1";

const FORGET_REQUIREMENTS: &str = "
delete from score_requirement
where partner_tenant_id = $1";

const ADD_REQUIREMENT: &str = "
insert into score_requirement (partner_tenant_id, requirement_id, body)
values ($1, $2, $3)";

const FORGET_INSIGHTS: &str = "
delete from customer_insight
where partner_tenant_id = $1";

const ADD_INSIGHT: &str = "
insert into customer_insight (partner_tenant_id, customer_tenant_id, body)
values ($1, $2, $3)";

const ADD_SNAPSHOT: &str = "
insert into score_snapshot
    (partner_tenant_id, day, score, compliant_requirements, total_requirements, created_at)
values ($1, $2, $3, $4, $5, $6)
on conflict (partner_tenant_id, day) do update set
    score = excluded.score,
    compliant_requirements = excluded.compliant_requirements,
    total_requirements = excluded.total_requirements,
    created_at = excluded.created_at";

const HISTORY: &str = "
select score, compliant_requirements, total_requirements, created_at
from score_snapshot
where partner_tenant_id = $1
order by day";

/// An average of whole numbers is of another type in each database. Clocks differ, so an imported
/// alert may be resolved before it was detected.
const MEAN_RESPONSE: &str = "cast(avg(\
    case when resolved_at > detected_at then resolved_at - detected_at else 0 end\
    ) as double precision)";

pub(crate) async fn import(
    session: &mut impl Session,
    scope: &Scope,
    told: &SecurityFacts,
) -> Result<(), StoreError> {
    let partner = whole_partner(scope).ok_or_else(|| out_of_scope(scope.partner()))?;
    if let Some(told) = &told.requirements {
        let known = requirements(session, scope).await?;
        let dialect = session.dialect();
        session.execute(dialect.text(FORGET_REQUIREMENTS, vec![partner.as_str().into()])).await?;
        for requirement in told {
            let body = json(&keeping_time(requirement, &known))?;
            let values = vec![partner.as_str().into(), requirement.id.as_str().into(), body.into()];
            session.execute(dialect.text(ADD_REQUIREMENT, values)).await?;
        }
    }
    if let Some(told) = &told.customer_insights {
        let dialect = session.dialect();
        session.execute(dialect.text(FORGET_INSIGHTS, vec![partner.as_str().into()])).await?;
        for insight in told {
            let (customer, body) = (insight.tenant_id.as_str(), json(insight)?);
            let values = vec![partner.as_str().into(), customer.into(), body.into()];
            session.execute(dialect.text(ADD_INSIGHT, values)).await?;
        }
    }
    Ok(())
}

/// The requirement as told, with the time at which it came to read so.
fn keeping_time(told: &SecurityRequirement, known: &[SecurityRequirement]) -> SecurityRequirement {
    let unchanged = known.iter().find(|known| {
        **known == SecurityRequirement { updated_date_time: known.updated_date_time, ..told.clone() }
    });
    unchanged.unwrap_or(told).clone()
}

pub(crate) async fn requirements(
    session: &mut impl Session,
    scope: &Scope,
) -> Result<Vec<SecurityRequirement>, StoreError> {
    let Some(partner) = whole_partner(scope) else { return Ok(Vec::new()) };
    let select = session.dialect().text(REQUIREMENTS, vec![partner.as_str().into()]);
    let rows = session.rows(select).await?;
    let mut known: Vec<SecurityRequirement> = rows.into_iter().map(body).collect::<Result<_, _>>()?;
    // Databases order texts in ways of their own.
    known.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(known)
}

pub(crate) async fn customer_insights(
    session: &mut impl Session,
    scope: &Scope,
) -> Result<Vec<CustomerInsight>, StoreError> {
    let select = insights(scope).take();
    let rows = session.rows(session.dialect().statement(select.into())).await?;
    let mut known: Vec<CustomerInsight> = rows.into_iter().map(body).collect::<Result<_, _>>()?;
    known.sort_by(|a, b| a.tenant_id.cmp(&b.tenant_id));
    Ok(known)
}

pub(crate) async fn customer_insight(
    session: &mut impl Session,
    scope: &Scope,
    id: &CustomerTenantId,
) -> Result<Option<CustomerInsight>, StoreError> {
    let select = insights(scope).and_where(Expr::col("customer_tenant_id").eq(id.as_str())).take();
    let row = session.optional(session.dialect().statement(select.into())).await?;
    row.map(body).transpose()
}

fn insights(scope: &Scope) -> sea_query::SelectStatement {
    let mut select = Query::select();
    select.column("body").from("customer_insight");
    select.and_where(Expr::col("partner_tenant_id").eq(scope.partner().as_str()));
    match scope {
        Scope::Partner(_) => {}
        Scope::Customer(_, customer) => {
            select.and_where(Expr::col("customer_tenant_id").eq(customer.as_str()));
        }
        Scope::Reseller(..) => {
            let customers = Query::select()
                .column("customer_tenant_id")
                .from("subscription")
                .cond_where(within(scope))
                .take();
            select.and_where(Expr::col("customer_tenant_id").in_subquery(customers));
        }
    }
    select
}

pub(crate) async fn response_times(
    session: &mut impl Session,
    scope: &Scope,
    since: DateTime<Utc>,
    overdue_before: DateTime<Utc>,
) -> Result<ResponseTimes, StoreError> {
    let no_test = || Cond::any().add(Expr::col("is_test").is_null()).add(Expr::col("is_test").eq(false));
    let mean = Query::select()
        .expr(Expr::cust(MEAN_RESPONSE))
        .expr(Expr::cust("max(resolved_at)"))
        .from("alert")
        .cond_where(within(scope))
        .and_where(Expr::col("status").eq(Status::Resolved.as_str()))
        .and_where(Expr::col("resolved_at").gte(microseconds(since)))
        .cond_where(no_test())
        .take();
    let open = [Status::Active, Status::Investigating, Status::UnknownFutureValue].map(Status::as_str);
    let overdue = Query::select()
        .column("id")
        .from("alert")
        .cond_where(within(scope))
        .and_where(Expr::col("status").is_in(open))
        .and_where(Expr::col("detected_at").lt(microseconds(overdue_before)))
        .cond_where(no_test())
        .limit(1)
        .take();
    let dialect = session.dialect();
    let resolved = match session.optional(dialect.statement(mean.into())).await? {
        Some(mut row) => match (row.opt_double(0)?, row.opt_time(1)?) {
            (Some(mean_microseconds), Some(last_resolved_at)) => {
                Some(ResolvedAlerts { mean_microseconds, last_resolved_at })
            }
            _ => None,
        },
        None => None,
    };
    let some_overdue = session.optional(dialect.statement(overdue.into())).await?.is_some();
    Ok(ResponseTimes { resolved, some_overdue })
}

pub(crate) async fn add_snapshot(
    session: &mut impl Session,
    scope: &Scope,
    snapshot: &ScoreSnapshot,
) -> Result<bool, StoreError> {
    let partner = whole_partner(scope).ok_or_else(|| out_of_scope(scope.partner()))?;
    let last = snapshots(session, partner).await?.pop();
    if last.is_some_and(|last| last.score == snapshot.score) {
        return Ok(false);
    }
    let created_at = microseconds(snapshot.created_at);
    let values = vec![
        partner.as_str().into(),
        created_at.div_euclid(MICROSECONDS_A_DAY).into(),
        snapshot.score.current.into(),
        i64::from(snapshot.score.compliant_requirements).into(),
        i64::from(snapshot.score.total_requirements).into(),
        created_at.into(),
    ];
    session.execute(session.dialect().text(ADD_SNAPSHOT, values)).await?;
    Ok(true)
}

pub(crate) async fn history(
    session: &mut impl Session,
    scope: &Scope,
) -> Result<Vec<ScoreSnapshot>, StoreError> {
    match whole_partner(scope) {
        Some(partner) => snapshots(session, partner).await,
        None => Ok(Vec::new()),
    }
}

async fn snapshots(
    session: &mut impl Session,
    partner: &PartnerTenantId,
) -> Result<Vec<ScoreSnapshot>, StoreError> {
    let rows = session.rows(session.dialect().text(HISTORY, vec![partner.as_str().into()])).await?;
    rows.into_iter().map(snapshot).collect()
}

fn snapshot(mut row: Row) -> Result<ScoreSnapshot, StoreError> {
    let current = row.opt_double(0)?.ok_or_else(|| damaged("a score is null"))?;
    let score = Score { current, compliant_requirements: row.amount(1)?, total_requirements: row.amount(2)? };
    Ok(ScoreSnapshot { score, created_at: row.time(3)? })
}

fn body<T: DeserializeOwned>(mut row: Row) -> Result<T, StoreError> {
    serde_json::from_str(&row.text(0)?).map_err(|error| damaged(&error.to_string()))
}

fn json(value: &impl Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| damaged(&error.to_string()))
}

fn damaged(how: &str) -> StoreError {
    StoreError::Damaged { what: format!("a fact of the security score: {how}") }
}
