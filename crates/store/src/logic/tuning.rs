//! What the operator says of findings, and what it silenced.

use ::alerts::{About, DetectorSetting, Effect, Finding, PartnerTenantId, Scope, Silenced, TuningRule};
use chrono::{DateTime, Utc};
use sea_query::{Expr, ExprTrait, Order, Query, SelectStatement};

use super::{out_of_scope, whole_partner};
use crate::session::{Row, Session};
use crate::sql::scalar::microseconds;
use crate::{SilencedQuery, StoreError};

const ADD: &str = "
insert into tuning_rule
    (partner_tenant_id, id, detector_id, customer_tenant_id, subscription_id, grouping_key, evidence, from_at,
    until_at, effect, reason, author, created_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";

const END: &str = "
update tuning_rule set ended_at = coalesce(ended_at, $3)
where partner_tenant_id = $1 and id = $2";

const RULE: [&str; 13] = [
    "id",
    "detector_id",
    "customer_tenant_id",
    "subscription_id",
    "grouping_key",
    "evidence",
    "from_at",
    "until_at",
    "effect",
    "reason",
    "author",
    "created_at",
    "ended_at",
];

/// What is older than what is known leaves its words.
const NOTE: &str = "
insert into silenced
    (partner_tenant_id, detector_id, subscription_id, grouping_key, rule_id, reason, customer_tenant_id, finding,
    first_observed_at, last_observed_at, first_at, last_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
on conflict (partner_tenant_id, detector_id, subscription_id, grouping_key, rule_id) do update set
    reason = excluded.reason,
    customer_tenant_id = case when excluded.customer_tenant_id = ''
        then silenced.customer_tenant_id else excluded.customer_tenant_id end,
    finding = case when excluded.last_observed_at >= silenced.last_observed_at
        then excluded.finding else silenced.finding end,
    first_observed_at = case when excluded.first_observed_at < silenced.first_observed_at
        then excluded.first_observed_at else silenced.first_observed_at end,
    last_observed_at = case when excluded.last_observed_at > silenced.last_observed_at
        then excluded.last_observed_at else silenced.last_observed_at end,
    last_at = case when excluded.last_at > silenced.last_at then excluded.last_at else silenced.last_at end";

const SET: &str = "
insert into detector_setting
    (partner_tenant_id, detector_id, name, customer_tenant_id, subscription_id, value, reason, author, changed_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
on conflict (partner_tenant_id, detector_id, name, customer_tenant_id, subscription_id) do update set
    value = excluded.value,
    reason = excluded.reason,
    author = excluded.author,
    changed_at = excluded.changed_at";

const UNSET: &str = "
delete from detector_setting
where partner_tenant_id = $1 and detector_id = $2 and name = $3 and customer_tenant_id = $4 and subscription_id = $5";

const SETTINGS: &str = "
select detector_id, name, customer_tenant_id, subscription_id, value, reason, author, changed_at
from detector_setting
where partner_tenant_id = $1
order by detector_id, name, customer_tenant_id, subscription_id";

/// The effect that is no severity.
const SILENCE: &str = "silence";

pub(crate) async fn add(
    session: &mut impl Session,
    scope: &Scope,
    rule: &TuningRule,
) -> Result<(), StoreError> {
    let partner = whole_partner(scope).ok_or_else(|| out_of_scope(scope.partner()))?;
    let about = &rule.about;
    let evidence =
        serde_json::to_string(&about.evidence).map_err(|error| StoreError::Database(error.into()))?;
    let effect = match rule.effect {
        Effect::Silence => SILENCE,
        Effect::Severity(severity) => severity.as_str(),
    };
    let values = vec![
        partner.as_str().into(),
        rule.id.as_str().into(),
        about.detector_id.clone().into(),
        about.customer_tenant_id.as_ref().map(|id| id.as_str().to_owned()).into(),
        about.subscription_id.as_ref().map(|id| id.as_str().to_owned()).into(),
        about.grouping_key.clone().into(),
        evidence.into(),
        about.from.map(microseconds).into(),
        about.until.map(microseconds).into(),
        effect.into(),
        rule.reason.as_str().into(),
        rule.author.as_str().into(),
        microseconds(rule.created_at).into(),
    ];
    session.put(session.dialect().text(ADD, values)).await
}

pub(crate) async fn end(
    session: &mut impl Session,
    scope: &Scope,
    id: &str,
    at: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let partner = whole_partner(scope).ok_or_else(|| out_of_scope(scope.partner()))?;
    let values = vec![partner.as_str().into(), id.into(), microseconds(at).into()];
    Ok(session.execute(session.dialect().text(END, values)).await? > 0)
}

pub(crate) async fn rules(
    session: &mut impl Session,
    scope: &Scope,
    also_ended: bool,
) -> Result<Vec<TuningRule>, StoreError> {
    let select = Query::select().columns(RULE).from("tuning_rule").take();
    let Some(mut select) = own(select, scope) else { return Ok(Vec::new()) };
    if !also_ended {
        select.and_where(Expr::col("ended_at").is_null());
    }
    select.order_by("created_at", Order::Asc).order_by("id", Order::Asc);
    let rows = session.rows(session.dialect().statement(select.into())).await?;
    rows.into_iter().map(read_rule).collect()
}

pub(crate) async fn set(
    session: &mut impl Session,
    scope: &Scope,
    setting: &DetectorSetting,
) -> Result<(), StoreError> {
    let partner = whole_partner(scope).ok_or_else(|| out_of_scope(scope.partner()))?;
    let mut values = setting_key(partner, setting);
    values.extend([
        setting.value.into(),
        setting.reason.as_str().into(),
        setting.author.as_str().into(),
        microseconds(setting.changed_at).into(),
    ]);
    session.put(session.dialect().text(SET, values)).await
}

pub(crate) async fn unset(
    session: &mut impl Session,
    scope: &Scope,
    setting: &DetectorSetting,
) -> Result<bool, StoreError> {
    let partner = whole_partner(scope).ok_or_else(|| out_of_scope(scope.partner()))?;
    let unset = session.dialect().text(UNSET, setting_key(partner, setting));
    Ok(session.execute(unset).await? > 0)
}

fn setting_key(partner: &PartnerTenantId, setting: &DetectorSetting) -> Vec<sea_query::Value> {
    vec![
        partner.as_str().into(),
        setting.detector_id.as_str().into(),
        setting.name.as_str().into(),
        setting.customer_tenant_id.as_ref().map_or("", |id| id.as_str()).into(),
        setting.subscription_id.as_ref().map_or("", |id| id.as_str()).into(),
    ]
}

pub(crate) async fn settings(
    session: &mut impl Session,
    scope: &Scope,
) -> Result<Vec<DetectorSetting>, StoreError> {
    let Some(partner) = whole_partner(scope) else { return Ok(Vec::new()) };
    let rows = session.rows(session.dialect().text(SETTINGS, vec![partner.as_str().into()])).await?;
    rows.into_iter().map(read_setting).collect()
}

fn read_setting(mut row: Row) -> Result<DetectorSetting, StoreError> {
    let damaged = || StoreError::Damaged { what: "a detector setting without its value".to_owned() };
    let (customer, subscription) = (row.text(2)?, row.text(3)?);
    Ok(DetectorSetting {
        detector_id: row.text(0)?,
        name: row.text(1)?,
        customer_tenant_id: customer.parse().ok(),
        subscription_id: subscription.parse().ok(),
        value: row.opt_double(4)?.ok_or_else(damaged)?,
        reason: row.text(5)?,
        author: row.text(6)?,
        changed_at: row.time(7)?,
    })
}

pub(crate) async fn note(
    session: &mut impl Session,
    scope: &Scope,
    silenced: &[Silenced],
) -> Result<(), StoreError> {
    let partner = whole_partner(scope).ok_or_else(|| out_of_scope(scope.partner()))?;
    for one in silenced {
        let finding = &one.finding;
        let text = serde_json::to_string(finding).map_err(|error| StoreError::Database(error.into()))?;
        let values = vec![
            partner.as_str().into(),
            finding.detector_id.as_str().into(),
            finding.subscription_id.as_str().into(),
            finding.grouping_key.as_str().into(),
            one.rule_id.as_str().into(),
            one.reason.as_str().into(),
            finding.customer_tenant_id.as_ref().map_or("", |id| id.as_str()).into(),
            text.into(),
            microseconds(finding.first_observed_at).into(),
            microseconds(finding.last_observed_at).into(),
            microseconds(one.first_at).into(),
            microseconds(one.last_at).into(),
        ];
        session.put(session.dialect().text(NOTE, values)).await?;
    }
    Ok(())
}

pub(crate) async fn silenced(
    session: &mut impl Session,
    scope: &Scope,
    query: &SilencedQuery,
) -> Result<Vec<Silenced>, StoreError> {
    let columns = ["finding", "first_observed_at", "rule_id", "reason", "first_at", "last_at"];
    let Some(mut select) = own(Query::select().columns(columns).from("silenced").take(), scope) else {
        return Ok(Vec::new());
    };
    if let Some(detector) = &query.detector_id {
        select.and_where(Expr::col("detector_id").eq(detector.as_str()));
    }
    if let Some(subscription) = &query.subscription_id {
        select.and_where(Expr::col("subscription_id").eq(subscription.as_str()));
    }
    if let Some(rule) = &query.rule_id {
        select.and_where(Expr::col("rule_id").eq(rule.as_str()));
    }
    for (column, order) in [
        ("last_at", Order::Desc),
        ("detector_id", Order::Asc),
        ("subscription_id", Order::Asc),
        ("grouping_key", Order::Asc),
        ("rule_id", Order::Asc),
    ] {
        select.order_by(column, order);
    }
    if let Some(limit) = query.limit {
        select.limit(limit);
    }
    let rows = session.rows(session.dialect().statement(select.into())).await?;
    rows.into_iter().map(read_silenced).collect()
}

/// What the scope may see; `None` if that is nothing.
fn own(mut select: SelectStatement, scope: &Scope) -> Option<SelectStatement> {
    select.and_where(Expr::col("partner_tenant_id").eq(scope.partner().as_str()));
    match scope {
        Scope::Partner(_) => {}
        Scope::Customer(_, customer) => {
            select.and_where(Expr::col("customer_tenant_id").eq(customer.as_str()));
        }
        Scope::Reseller(..) => return None,
    }
    Some(select)
}

fn read_rule(mut row: Row) -> Result<TuningRule, StoreError> {
    let id = row.text(0)?;
    let damaged = |what: &str| StoreError::Damaged { what: format!("tuning rule {id}: {what}") };
    let evidence = row.text(5)?;
    let effect = row.text(8)?;
    Ok(TuningRule {
        about: About {
            detector_id: row.opt_text(1)?,
            customer_tenant_id: row.opt_id(2)?,
            subscription_id: row.opt_id(3)?,
            grouping_key: row.opt_text(4)?,
            evidence: serde_json::from_str(&evidence).map_err(|_| damaged("its evidence cannot be read"))?,
            from: row.opt_time(6)?,
            until: row.opt_time(7)?,
        },
        effect: match effect.as_str() {
            SILENCE => Effect::Silence,
            severity => Effect::Severity(severity.parse().map_err(|_| damaged("its effect is not known"))?),
        },
        reason: row.text(9)?,
        author: row.text(10)?,
        created_at: row.time(11)?,
        ended_at: row.opt_time(12)?,
        id,
    })
}

fn read_silenced(mut row: Row) -> Result<Silenced, StoreError> {
    let text = row.text(0)?;
    let damaged = |_| StoreError::Damaged { what: "a silenced finding cannot be read".to_owned() };
    let mut finding: Finding = serde_json::from_str(&text).map_err(damaged)?;
    finding.first_observed_at = row.time(1)?;
    Ok(Silenced {
        finding,
        rule_id: row.text(2)?,
        reason: row.text(3)?,
        first_at: row.time(4)?,
        last_at: row.time(5)?,
    })
}
