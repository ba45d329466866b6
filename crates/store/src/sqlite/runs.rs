//! Runs of detectors.
//!
//! A run covers all of a partner's events, so only the partner itself sees and records runs.

use ::alerts::{PartnerTenantId, Scope};
use chrono::{DateTime, Utc};
use rusqlite::types::Type;
use rusqlite::{Connection, Row, params};

use super::out_of_scope;
use crate::sql::scalar::microseconds;
use crate::{Backlog, DetectorRun, StoreError};

/// A run that failed keeps the watermark, and so does one over events that were seen before.
const RECORD: &str = "
insert into detector_run
    (partner_tenant_id, detector_id, since_at, until_at, started_at, duration_ms, findings, error,
    watermark_at, arrivals_seen)
values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, case when ?8 is null then ?4 end,
    case when ?8 is null then ?9 else 0 end)
on conflict (partner_tenant_id, detector_id) do update set
    since_at = excluded.since_at,
    until_at = excluded.until_at,
    started_at = excluded.started_at,
    duration_ms = excluded.duration_ms,
    findings = excluded.findings,
    error = excluded.error,
    watermark_at = case
        when excluded.watermark_at is null then watermark_at
        when watermark_at > excluded.watermark_at then watermark_at
        else excluded.watermark_at
    end,
    arrivals_seen = max(arrivals_seen, excluded.arrivals_seen)";

const ARRIVAL: &str = "
insert into event_arrival (partner_tenant_id, kind, first_event_at)
values (?1, ?2, ?3)";

/// One statement, so that all three figures are of one moment.
const BACKLOG: &str = "
select
    seen.watermark_at,
    (
        select min(first_event_at)
        from event_arrival
        where partner_tenant_id = ?1
            and sequence > coalesce(seen.arrivals_seen, 0)
            and kind in (select value from json_each(?3))
    ),
    coalesce((select max(sequence) from event_arrival where partner_tenant_id = ?1), 0)
from (select 1) as always
left join detector_run as seen
    on seen.partner_tenant_id = ?1
    and seen.detector_id = ?2";

const LAST: &str = "
select detector_id, since_at, until_at, started_at, duration_ms, findings, error
from detector_run
where partner_tenant_id = ?1
order by detector_id";

pub(super) fn note_arrival(
    connection: &Connection,
    scope: &Scope,
    kind: &str,
    first_event_at: DateTime<Utc>,
) -> Result<(), StoreError> {
    let partner = whole_partner(scope).ok_or_else(|| out_of_scope(scope.partner()))?;
    let row = params![partner.as_str(), kind, microseconds(first_event_at)];
    connection.prepare_cached(ARRIVAL)?.execute(row)?;
    Ok(())
}

pub(super) fn backlog(
    connection: &Connection,
    scope: &Scope,
    detector_id: &str,
    kinds: &[&str],
) -> Result<Backlog, StoreError> {
    let Some(partner) = whole_partner(scope) else {
        return Ok(Backlog::default());
    };
    let kinds = serde_json::Value::from(kinds.to_vec()).to_string();
    let mut statement = connection.prepare_cached(BACKLOG)?;
    let backlog = statement.query_row(params![partner.as_str(), detector_id, kinds], |row| {
        Ok(Backlog {
            watermark: row.get::<_, Option<i64>>(0)?.map(time).transpose()?,
            late_since: row.get::<_, Option<i64>>(1)?.map(time).transpose()?,
            last_arrival: amount(row, 2)?,
        })
    })?;
    Ok(backlog)
}

pub(super) fn record(
    connection: &Connection,
    scope: &Scope,
    run: &DetectorRun,
    arrivals_seen: u64,
) -> Result<(), StoreError> {
    let partner = whole_partner(scope).ok_or_else(|| out_of_scope(scope.partner()))?;
    connection.prepare_cached(RECORD)?.execute(params![
        partner.as_str(),
        run.detector_id,
        microseconds(run.since),
        microseconds(run.until),
        microseconds(run.started_at),
        i64::try_from(run.duration_ms).unwrap_or(i64::MAX),
        i64::try_from(run.findings).unwrap_or(i64::MAX),
        run.error,
        i64::try_from(arrivals_seen).unwrap_or(i64::MAX),
    ])?;
    Ok(())
}

pub(super) fn last(connection: &Connection, scope: &Scope) -> Result<Vec<DetectorRun>, StoreError> {
    let Some(partner) = whole_partner(scope) else {
        return Ok(Vec::new());
    };
    let mut statement = connection.prepare_cached(LAST)?;
    let runs = statement.query_map(params![partner.as_str()], read)?;
    Ok(runs.collect::<Result<_, _>>()?)
}

fn read(row: &Row<'_>) -> rusqlite::Result<DetectorRun> {
    Ok(DetectorRun {
        detector_id: row.get(0)?,
        since: time(row.get(1)?)?,
        until: time(row.get(2)?)?,
        started_at: time(row.get(3)?)?,
        duration_ms: amount(row, 4)?,
        findings: amount(row, 5)?,
        error: row.get(6)?,
    })
}

/// A number that is never negative.
fn amount<T: TryFrom<i64, Error: std::error::Error + Send + Sync + 'static>>(
    row: &Row<'_>,
    column: usize,
) -> rusqlite::Result<T> {
    T::try_from(row.get(column)?)
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(column, Type::Integer, Box::new(error)))
}

fn time(microseconds: i64) -> rusqlite::Result<DateTime<Utc>> {
    DateTime::from_timestamp_micros(microseconds).ok_or_else(|| {
        let what = format!("{microseconds} microseconds is no time");
        rusqlite::Error::FromSqlConversionFailure(0, Type::Integer, what.into())
    })
}

/// The partner, if the scope is all of it.
fn whole_partner(scope: &Scope) -> Option<&PartnerTenantId> {
    match scope {
        Scope::Partner(partner) => Some(partner),
        Scope::Reseller(..) | Scope::Customer(..) => None,
    }
}
