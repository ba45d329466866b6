//! Reading and changing alerts.

use ::alerts::{Alert, AlertId, ChangeOutcome, Origin, PartnerTenantId, Scope, StatusChange};
use chrono::{DateTime, Utc};
use odata::checked::{Filter, Search, SearchTerm};

use super::{changes, out_of_scope};
use crate::session::{Row, Session};
use crate::sql::alerts::{self as statements, Known};
use crate::sql::order::Key;
use crate::sql::reads;
use crate::sql::row::{AlertRow, StoredAlert, json};
use crate::sql::search;
use crate::{
    AlertBody, AlertPage, AlertQuery, ExpectedVersion, Imported, Position, StatusChanged, StatusOutcome,
    StoreError,
};

/// The column of `lastModifiedDateTime`.
const MODIFIED_AT: &str = "modified_at";

pub(crate) async fn body(
    session: &mut impl Session,
    scope: &Scope,
    id: &AlertId,
) -> Result<Option<AlertBody>, StoreError> {
    let select = session.dialect().statement(statements::body(scope, id).into());
    Ok(session.alerts(select, 1).await?.0.pop())
}

pub(crate) async fn list(
    session: &mut impl Session,
    scope: &Scope,
    query: &AlertQuery,
) -> Result<AlertPage, StoreError> {
    if query.limit == 0 {
        return Err(StoreError::Unsupported("a page holds at least one alert".to_owned()));
    }
    let settled_before = match reads::query_reads(query, MODIFIED_AT) {
        true => session.settled_before(scope.partner()).await?,
        false => None,
    };
    let common_terms = common_terms(session, query.search.as_ref()).await?;
    let dialect = session.dialect();
    let known = Known { settled_before, common_terms };
    let (select, keys) = statements::list(scope, query, &known, dialect)?;
    let (alerts, last) = session.alerts(dialect.statement(select.into()), query.limit).await?;
    let next = last.map(|last| position(last, &keys)).transpose()?;
    Ok(AlertPage { alerts, next })
}

/// Where a row stands in the order of its list: its id, then the keys.
fn position(mut row: Row, keys: &[Key]) -> Result<Position, StoreError> {
    Ok(Position {
        keys: (keys.iter().zip(1..))
            .map(|(key, column)| key.literal(row.scalar(column)?))
            .collect::<Result<_, _>>()?,
        id: row.text(0)?,
    })
}

pub(crate) async fn count(
    session: &mut impl Session,
    scope: &Scope,
    filter: Option<&Filter>,
    search: Option<&Search>,
) -> Result<u64, StoreError> {
    let settled_before = match filter.is_some_and(|filter| reads::filter_reads(filter, MODIFIED_AT)) {
        true => session.settled_before(scope.partner()).await?,
        false => None,
    };
    let common_terms = common_terms(session, search).await?;
    let dialect = session.dialect();
    let known = Known { settled_before, common_terms };
    let select = statements::count(scope, filter, search, &known, dialect)?;
    let counted = session.optional(dialect.statement(select.into())).await?;
    counted.map_or(Ok(0), |mut row| row.amount(0))
}

/// The terms of a search that more than [`search::RARE_MAX`] alerts have, where the database has to be told.
async fn common_terms(
    session: &mut impl Session,
    search: Option<&Search>,
) -> Result<Vec<SearchTerm>, StoreError> {
    let mut common = Vec::new();
    for term in search.map(search::terms).unwrap_or_default() {
        let words = search::words_of(term)?;
        let dialect = session.dialect();
        let Some(count) = dialect.count_of_words(&words, search::RARE_MAX + 1) else { continue };
        let counted = session.optional(dialect.statement(count.into())).await?;
        if counted.map_or(Ok(0), |mut row| row.amount::<u64>(0))? > search::RARE_MAX {
            common.push(term.clone());
        }
    }
    Ok(common)
}

pub(crate) async fn change_status(
    session: &mut impl Session,
    scope: &Scope,
    id: &AlertId,
    change: StatusChange,
    expected: &ExpectedVersion,
    by: &str,
    at: DateTime<Utc>,
) -> Result<Option<StatusChanged>, StoreError> {
    let select = session.dialect().statement(statements::stored(scope, id).into());
    let Some(found) = session.optional(select).await? else {
        return Ok(None);
    };
    let stored = StoredAlert::read(found)?;
    if !expected.admits(stored.version) {
        return Ok(Some(StatusChanged { outcome: StatusOutcome::VersionDiffers, body: stored.into_body() }));
    }
    let mut alert = stored.alert(scope.partner())?;
    let changed = match alert.body.change_status(change, by, at)? {
        ChangeOutcome::Unchanged => {
            StatusChanged { outcome: StatusOutcome::Unchanged, body: stored.into_body() }
        }
        ChangeOutcome::Changed => {
            let modified_at = session.change_time(scope.partner(), at).await?;
            let body = AlertBody { json: json(&alert)?, version: stored.version + 1, modified_at };
            let row = AlertRow::new(&alert, &body.json, modified_at);
            let update = statements::update_status(scope, id, &row);
            session.put(session.dialect().statement(update.into())).await?;
            changes::note(session, &alert, Some(&alert), body.version, modified_at).await?;
            StatusChanged { outcome: StatusOutcome::Changed, body }
        }
    };
    Ok(Some(changed))
}

pub(crate) async fn import(
    session: &mut impl Session,
    scope: &Scope,
    alerts: &[Alert],
    now: DateTime<Utc>,
) -> Result<Imported, StoreError> {
    let modified_at = session.change_time(scope.partner(), now).await?;
    let mut imported = Imported::default();
    for alert in alerts {
        if !scope.covers(alert) {
            return Err(out_of_scope(&alert.partner_tenant_id));
        }
        alert.body.check_values()?;
        match in_partner(session, &alert.partner_tenant_id, &alert.body.id).await? {
            None => {
                put(session, alert, None, modified_at).await?;
                imported.added += 1;
            }
            Some((_, known)) if !scope.covers(&known) => return Err(out_of_scope(&known.partner_tenant_id)),
            Some((stored, known)) => {
                let alert = keeping_origin(alert.clone(), &known);
                if alert.origin == known.origin && json(&alert)? == stored.body {
                    imported.unchanged += 1;
                } else {
                    put(session, &alert, Some(&known), modified_at).await?;
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
pub(super) async fn in_partner(
    session: &mut impl Session,
    partner: &PartnerTenantId,
    id: &AlertId,
) -> Result<Option<(StoredAlert, Alert)>, StoreError> {
    let Some(stored) = stored(session, &Scope::Partner(partner.clone()), id).await? else {
        return Ok(None);
    };
    let alert = stored.alert(partner)?;
    Ok(Some((stored, alert)))
}

/// Writes an alert that was not there, or was `before`; logs the change.
pub(super) async fn put(
    session: &mut impl Session,
    alert: &Alert,
    before: Option<&Alert>,
    modified_at: DateTime<Utc>,
) -> Result<(), StoreError> {
    let row = AlertRow::new(alert, &json(alert)?, modified_at);
    let written = session.optional(session.dialect().statement(statements::put(&row).into())).await?;
    let version = written.map_or(Ok(1), |mut row| row.amount(0))?;
    changes::note(session, alert, before, version, modified_at).await
}

async fn stored(
    session: &mut impl Session,
    scope: &Scope,
    id: &AlertId,
) -> Result<Option<StoredAlert>, StoreError> {
    let select = session.dialect().statement(statements::stored(scope, id).into());
    session.optional(select).await?.map(StoredAlert::read).transpose()
}
