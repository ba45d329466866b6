//! Runs of detectors.
//!
//! A run covers all of a partner's events, so only the partner itself sees and records runs.

use ::alerts::Scope;
use chrono::{DateTime, Utc};

use super::{out_of_scope, whole_partner};
use crate::session::{Row, Session};
use crate::sql::scalar::microseconds;
use crate::{Backlog, DetectorHealth, DetectorRun, StoreError};

/// A run that failed keeps the watermark, and so does one over events that were seen before. The last success and the
/// last failure are each kept until the next of its sort.
const RECORD: &str = "
insert into detector_run
    (partner_tenant_id, detector_id, since_at, until_at, started_at, duration_ms, findings, error,
    watermark_at, arrivals_seen, succeeded_at, failed_at, last_error)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $8)
on conflict (partner_tenant_id, detector_id) do update set
    since_at = excluded.since_at,
    until_at = excluded.until_at,
    started_at = excluded.started_at,
    duration_ms = excluded.duration_ms,
    findings = excluded.findings,
    error = excluded.error,
    watermark_at = case
        when excluded.watermark_at is null then detector_run.watermark_at
        when detector_run.watermark_at > excluded.watermark_at then detector_run.watermark_at
        else excluded.watermark_at
    end,
    arrivals_seen = case
        when detector_run.arrivals_seen > excluded.arrivals_seen then detector_run.arrivals_seen
        else excluded.arrivals_seen
    end,
    succeeded_at = coalesce(excluded.succeeded_at, detector_run.succeeded_at),
    failed_at = coalesce(excluded.failed_at, detector_run.failed_at),
    last_error = coalesce(excluded.last_error, detector_run.last_error)";

const ARRIVAL: &str = "
insert into event_arrival (partner_tenant_id, kind, first_event_at)
values ($1, $2, $3)";

/// One statement, so that all three figures are of one moment.
const BACKLOG: &str = "
select
    seen.watermark_at,
    (
        select min(first_event_at)
        from event_arrival
        where partner_tenant_id = $1
            and sequence > coalesce(seen.arrivals_seen, 0)
            and kind in ({kinds})
    ),
    coalesce((select max(sequence) from event_arrival where partner_tenant_id = $1), 0)
from (select 1) as always
left join detector_run as seen
    on seen.partner_tenant_id = $1
    and seen.detector_id = $2";

const LAST: &str = "
select detector_id, since_at, until_at, started_at, duration_ms, findings, error
from detector_run
where partner_tenant_id = $1
order by detector_id";

const HEALTH: &str = "
select detector_id, since_at, until_at, started_at, duration_ms, findings, error, succeeded_at, failed_at, last_error,
    watermark_at
from detector_run
where partner_tenant_id = $1
order by detector_id";

pub(crate) async fn note_arrival(
    session: &mut impl Session,
    scope: &Scope,
    kind: &str,
    first_event_at: DateTime<Utc>,
) -> Result<(), StoreError> {
    let partner = whole_partner(scope).ok_or_else(|| out_of_scope(scope.partner()))?;
    let values = vec![partner.as_str().into(), kind.into(), microseconds(first_event_at).into()];
    session.put(session.dialect().text(ARRIVAL, values)).await
}

pub(crate) async fn backlog(
    session: &mut impl Session,
    scope: &Scope,
    detector_id: &str,
    kinds: &[&str],
) -> Result<Backlog, StoreError> {
    let Some(partner) = whole_partner(scope) else {
        return Ok(Backlog::default());
    };
    let mut values = vec![partner.as_str().into(), detector_id.into()];
    let mut places = Vec::new();
    for &kind in kinds {
        values.push(kind.into());
        places.push(format!("${}", values.len()));
    }
    let kinds = if places.is_empty() { "null".to_owned() } else { places.join(", ") };
    let select = session.dialect().text(&BACKLOG.replace("{kinds}", &kinds), values);
    let Some(mut row) = session.optional(select).await? else {
        return Ok(Backlog::default());
    };
    Ok(Backlog { watermark: row.opt_time(0)?, late_since: row.opt_time(1)?, last_arrival: row.amount(2)? })
}

pub(crate) async fn record(
    session: &mut impl Session,
    scope: &Scope,
    run: &DetectorRun,
    arrivals_seen: u64,
) -> Result<(), StoreError> {
    let partner = whole_partner(scope).ok_or_else(|| out_of_scope(scope.partner()))?;
    let succeeded = run.error.is_none();
    let watermark = succeeded.then(|| microseconds(run.until));
    let seen = if succeeded { i64::try_from(arrivals_seen).unwrap_or(i64::MAX) } else { 0 };
    let values = vec![
        partner.as_str().into(),
        run.detector_id.as_str().into(),
        microseconds(run.since).into(),
        microseconds(run.until).into(),
        microseconds(run.started_at).into(),
        i64::try_from(run.duration_ms).unwrap_or(i64::MAX).into(),
        i64::try_from(run.findings).unwrap_or(i64::MAX).into(),
        run.error.clone().into(),
        watermark.into(),
        seen.into(),
        succeeded.then(|| microseconds(run.started_at)).into(),
        (!succeeded).then(|| microseconds(run.started_at)).into(),
    ];
    session.put(session.dialect().text(RECORD, values)).await
}

pub(crate) async fn last(session: &mut impl Session, scope: &Scope) -> Result<Vec<DetectorRun>, StoreError> {
    let Some(partner) = whole_partner(scope) else {
        return Ok(Vec::new());
    };
    let select = session.dialect().text(LAST, vec![partner.as_str().into()]);
    session.rows(select).await?.into_iter().map(read).collect()
}

pub(crate) async fn health(
    session: &mut impl Session,
    scope: &Scope,
) -> Result<Vec<DetectorHealth>, StoreError> {
    let Some(partner) = whole_partner(scope) else {
        return Ok(Vec::new());
    };
    let select = session.dialect().text(HEALTH, vec![partner.as_str().into()]);
    let rows = session.rows(select).await?;
    rows.into_iter().map(read_health).collect()
}

fn read_health(mut row: Row) -> Result<DetectorHealth, StoreError> {
    let (succeeded_at, failed_at, error) = (row.opt_time(7)?, row.opt_time(8)?, row.opt_text(9)?);
    let watermark = row.opt_time(10)?;
    Ok(DetectorHealth { last: read(row)?, succeeded_at, last_error: error.zip(failed_at), watermark })
}

fn read(mut row: Row) -> Result<DetectorRun, StoreError> {
    Ok(DetectorRun {
        detector_id: row.text(0)?,
        since: row.time(1)?,
        until: row.time(2)?,
        started_at: row.time(3)?,
        duration_ms: row.amount(4)?,
        findings: row.amount(5)?,
        error: row.opt_text(6)?,
    })
}
