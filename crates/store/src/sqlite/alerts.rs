//! Reading and changing alerts.

use ::alerts::{Alert, AlertId, ChangeOutcome, Origin, PartnerTenantId, Scope, StatusChange};
use chrono::{DateTime, Utc};
use odata::checked::Filter;
use rusqlite::{Connection, params_from_iter};

use super::bind::{prepare, scalar, stored_alert};
use super::out_of_scope;
use crate::sql::alerts as statements;
use crate::sql::dialect::Sqlite;
use crate::sql::row::{AlertRow, StoredAlert, json, last_change_told};
use crate::{AlertBody, AlertPage, AlertQuery, Imported, Position, StatusChanged, StoreError};

pub(super) fn body(
    connection: &Connection,
    scope: &Scope,
    id: &AlertId,
) -> Result<Option<AlertBody>, StoreError> {
    prepare(connection, &statements::body(scope, id))?.optional(|row| row.get(0))
}

pub(super) fn list(
    connection: &Connection,
    scope: &Scope,
    query: &AlertQuery,
) -> Result<AlertPage, StoreError> {
    if query.limit == 0 {
        return Err(StoreError::Unsupported("a page holds at least one alert".to_owned()));
    }
    let (select, keys) = statements::list(scope, query, &Sqlite)?;
    let mut ready = prepare(connection, &select)?;
    let mut rows = ready.statement.query(params_from_iter(ready.values))?;
    let mut page = AlertPage { alerts: Vec::new(), next: None };
    while let Some(row) = rows.next()? {
        page.alerts.push(row.get(0)?);
        if page.alerts.len() < query.limit {
            continue;
        }
        let last = Position {
            keys: (keys.iter().zip(2..))
                .map(|(key, column)| key.literal(scalar(row, column)?))
                .collect::<Result<_, _>>()?,
            id: row.get(1)?,
        };
        page.next = rows.next()?.map(|_| last);
        break;
    }
    Ok(page)
}

pub(super) fn count(
    connection: &Connection,
    scope: &Scope,
    filter: Option<&Filter>,
) -> Result<u64, StoreError> {
    let select = statements::count(scope, filter, &Sqlite)?;
    let counted: Option<i64> = prepare(connection, &select)?.optional(|row| row.get(0))?;
    Ok(counted.and_then(|count| u64::try_from(count).ok()).unwrap_or_default())
}

pub(super) fn change_status(
    connection: &Connection,
    scope: &Scope,
    id: &AlertId,
    change: StatusChange,
    by: &str,
    at: DateTime<Utc>,
) -> Result<Option<StatusChanged>, StoreError> {
    let Some(stored) = stored(connection, scope, id)? else {
        return Ok(None);
    };
    let mut alert = stored.alert(scope.partner())?;
    let outcome = alert.body.change_status(change, by, at)?;
    let body = match outcome {
        ChangeOutcome::Unchanged => stored.body,
        ChangeOutcome::Changed => {
            let body = json(&alert)?;
            let row = AlertRow::new(&alert, &body, at);
            prepare(connection, &statements::update_status(scope, id, &row))?.execute()?;
            body
        }
    };
    Ok(Some(StatusChanged { outcome, body }))
}

pub(super) fn import(
    connection: &Connection,
    scope: &Scope,
    alerts: Vec<Alert>,
) -> Result<Imported, StoreError> {
    let mut imported = Imported::default();
    for alert in alerts {
        if !scope.covers(&alert) {
            return Err(out_of_scope(&alert.partner_tenant_id));
        }
        match in_partner(connection, &alert.partner_tenant_id, &alert.body.id)? {
            None => {
                put(connection, &alert, last_change_told(&alert))?;
                imported.added += 1;
            }
            Some((_, known)) if !scope.covers(&known) => return Err(out_of_scope(&known.partner_tenant_id)),
            Some((stored, known)) => {
                let alert = keeping_origin(alert, &known);
                if alert.origin == known.origin && json(&alert)? == stored.body {
                    imported.unchanged += 1;
                } else {
                    put(connection, &alert, last_change_told(&alert))?;
                    imported.replaced += 1;
                }
            }
        }
    }
    Ok(imported)
}

/// An import does not take away which detector raised an alert, or the incident would be raised again.
fn keeping_origin(imported: Alert, known: &Alert) -> Alert {
    match imported.origin {
        Origin::Imported => Alert { origin: known.origin.clone(), ..imported },
        Origin::Detector { .. } => imported,
    }
}

/// The alert of that id, whichever of the partner's customers it is of.
pub(super) fn in_partner(
    connection: &Connection,
    partner: &PartnerTenantId,
    id: &AlertId,
) -> Result<Option<(StoredAlert, Alert)>, StoreError> {
    let Some(stored) = stored(connection, &Scope::Partner(partner.clone()), id)? else {
        return Ok(None);
    };
    let alert = stored.alert(partner)?;
    Ok(Some((stored, alert)))
}

/// Writes an alert, whether it is there or not.
pub(super) fn put(
    connection: &Connection,
    alert: &Alert,
    modified_at: DateTime<Utc>,
) -> Result<(), StoreError> {
    let row = AlertRow::new(alert, &json(alert)?, modified_at);
    prepare(connection, &statements::put(&row))?.execute()?;
    Ok(())
}

fn stored(connection: &Connection, scope: &Scope, id: &AlertId) -> Result<Option<StoredAlert>, StoreError> {
    prepare(connection, &statements::stored(scope, id))?.optional(stored_alert)
}
