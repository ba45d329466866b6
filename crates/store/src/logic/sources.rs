//! Sources: up to where they were read, by whom, and how they fare.

use std::collections::BTreeMap;

use ::alerts::Scope;
use chrono::{DateTime, Utc};
use sea_query::Value;

use super::{out_of_scope, whole_partner};
use crate::session::{Row, Session};
use crate::sql::scalar::microseconds;
use crate::{SourceNote, SourceStatus, StoreError};

/// Nothing is changed while another holds it.
const LEASE: &str = "
insert into source (partner_tenant_id, name, kind, holder, held_until)
values ($1, $2, $3, $4, $5)
on conflict (partner_tenant_id, name) do update set
    kind = excluded.kind,
    holder = excluded.holder,
    held_until = excluded.held_until
where source.holder is null
    or source.holder = excluded.holder
    or source.held_until <= $6";

const POSITIONS: &str = "
select key, position
from source_position
where partner_tenant_id = $1 and source = $2";

const SAVE: &str = "
insert into source_position (partner_tenant_id, source, key, position)
values ($1, $2, $3, $4)
on conflict (partner_tenant_id, source, key) do update set position = excluded.position";

const FORGET: &str = "
delete from source_position
where partner_tenant_id = $1 and source = $2 and key = $3";

const NOTE: &str = "
update source set
    last_polled_at = $3,
    last_success_at = case when cast($4 as text) is null then $3 else last_success_at end,
    last_error = coalesce($4, last_error),
    last_error_at = case when cast($4 as text) is null then last_error_at else $3 end,
    objects = objects + $5,
    records = records + $6,
    bytes = bytes + $7
where partner_tenant_id = $1 and name = $2";

const ALL: &str = "
select name, kind, holder, held_until, last_polled_at, last_success_at, last_error, last_error_at,
    objects, records, bytes
from source
where partner_tenant_id = $1
order by name";

pub(crate) async fn lease(
    session: &mut impl Session,
    scope: &Scope,
    (name, kind, holder): (&str, &str, &str),
    now: DateTime<Utc>,
    until: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let partner = whole_partner(scope).ok_or_else(|| out_of_scope(scope.partner()))?;
    let values = vec![
        partner.as_str().into(),
        name.into(),
        kind.into(),
        holder.into(),
        microseconds(until).into(),
        microseconds(now).into(),
    ];
    Ok(session.execute(session.dialect().text(LEASE, values)).await? > 0)
}

pub(crate) async fn positions(
    session: &mut impl Session,
    scope: &Scope,
    source: &str,
) -> Result<BTreeMap<String, String>, StoreError> {
    let Some(partner) = whole_partner(scope) else { return Ok(BTreeMap::new()) };
    let select = session.dialect().text(POSITIONS, vec![partner.as_str().into(), source.into()]);
    let rows = session.rows(select).await?;
    rows.into_iter().map(|mut row| Ok((row.text(0)?, row.text(1)?))).collect()
}

pub(crate) async fn save_positions(
    session: &mut impl Session,
    scope: &Scope,
    source: &str,
    positions: &[(String, Option<String>)],
) -> Result<(), StoreError> {
    let partner = whole_partner(scope).ok_or_else(|| out_of_scope(scope.partner()))?;
    for (key, position) in positions {
        let mut values: Vec<Value> = vec![partner.as_str().into(), source.into(), key.as_str().into()];
        let sql = match position {
            Some(position) => {
                values.push(position.as_str().into());
                SAVE
            }
            None => FORGET,
        };
        session.put(session.dialect().text(sql, values)).await?;
    }
    Ok(())
}

pub(crate) async fn note(
    session: &mut impl Session,
    scope: &Scope,
    name: &str,
    note: &SourceNote,
    at: DateTime<Utc>,
) -> Result<(), StoreError> {
    let partner = whole_partner(scope).ok_or_else(|| out_of_scope(scope.partner()))?;
    let amount = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    let values = vec![
        partner.as_str().into(),
        name.into(),
        microseconds(at).into(),
        note.error.clone().into(),
        amount(note.objects).into(),
        amount(note.records).into(),
        amount(note.bytes).into(),
    ];
    session.put(session.dialect().text(NOTE, values)).await
}

pub(crate) async fn all(session: &mut impl Session, scope: &Scope) -> Result<Vec<SourceStatus>, StoreError> {
    let Some(partner) = whole_partner(scope) else { return Ok(Vec::new()) };
    let select = session.dialect().text(ALL, vec![partner.as_str().into()]);
    session.rows(select).await?.into_iter().map(read).collect()
}

fn read(mut row: Row) -> Result<SourceStatus, StoreError> {
    Ok(SourceStatus {
        name: row.text(0)?,
        kind: row.text(1)?,
        holder: row.opt_text(2)?,
        held_until: row.opt_time(3)?,
        last_polled_at: row.opt_time(4)?,
        last_success_at: row.opt_time(5)?,
        last_error: row.opt_text(6)?.zip(row.opt_time(7)?),
        objects: row.amount(8)?,
        records: row.amount(9)?,
        bytes: row.amount(10)?,
    })
}
