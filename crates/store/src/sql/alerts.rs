//! The statements about alerts.

use alerts::{AlertId, Scope};
use chrono::{DateTime, Utc};
use odata::checked::{Filter, Search, SearchTerm};
use sea_query::{Expr, ExprTrait, Func, OnConflict, Order, Query, SelectStatement, UpdateStatement};

use super::dialect::Dialect;
use super::order::{self, Key, Way};
use super::row::{AlertRow, STATUS_COLUMNS};
use super::scalar::microseconds;
use super::scope::within;
use super::{filter, reads, row, search};
use crate::{AlertQuery, StoreError};

/// The columns of an [`AlertBody`](crate::AlertBody), in the order of its fields.
pub(crate) const BODY_COLUMNS: [&str; 3] = ["body", "version", "modified_at"];

/// The columns that make up an alert, in the order of [`row::StoredAlert`].
pub(crate) const STORED_COLUMNS: [&str; 6] =
    ["origin", "detector_id", "grouping_key", "body", "version", "modified_at"];

/// One alert as callers see it.
pub(crate) fn body(scope: &Scope, id: &AlertId) -> SelectStatement {
    one(scope, id, BODY_COLUMNS)
}

/// One alert with all that is stored of it.
pub(crate) fn stored(scope: &Scope, id: &AlertId) -> SelectStatement {
    one(scope, id, STORED_COLUMNS)
}

fn one<const N: usize>(scope: &Scope, id: &AlertId, columns: [&'static str; N]) -> SelectStatement {
    Query::select()
        .columns(columns)
        .from("alert")
        .cond_where(within(scope))
        .and_where(Expr::col("id").eq(id.as_str()))
        .take()
}

/// The alert of an incident that arrived last.
pub(crate) fn latest_of_incident(
    scope: &Scope,
    detector_id: &str,
    subscription_id: &str,
    grouping_key: &str,
) -> SelectStatement {
    Query::select()
        .columns(STORED_COLUMNS)
        .from("alert")
        .cond_where(within(scope))
        .and_where(Expr::col("detector_id").eq(detector_id))
        .and_where(Expr::col("subscription_id").eq(subscription_id))
        .and_where(Expr::col("grouping_key").eq(grouping_key))
        .order_by("alert_number", Order::Desc)
        .limit(1)
        .take()
}

/// What was asked of the database before a statement is written.
#[derive(Debug, Default)]
pub(crate) struct Known {
    /// What was modified then or later is left out.
    pub(crate) settled_before: Option<DateTime<Utc>>,
    /// The terms of the search that very many alerts have; see [`search::found`].
    pub(crate) common_terms: Vec<SearchTerm>,
}

/// A page, and one alert more to tell whether another page follows.
///
/// The columns are [`BODY_COLUMNS`], the id, then the sort keys.
///
/// Where no index gives the order, the ids of the page are found first: an index may hold all that it takes to
/// sort, and the alerts themselves, which are large, need not be read but for the page.
pub(crate) fn list(
    scope: &Scope,
    query: &AlertQuery,
    known: &Known,
    dialect: &dyn Dialect,
) -> Result<(SelectStatement, Vec<Key>), StoreError> {
    let keys = order::keys(&query.order, dialect)?;
    let mut select = Query::select();
    select.columns(BODY_COLUMNS).column("id").from("alert").cond_where(within(scope));
    order::select(&mut select, &keys);
    let of_the_page = match order::way(query, dialect) {
        Way::Along => {
            page(&mut select, query, &keys, known, dialect)?;
            return Ok((select, keys));
        }
        Way::Sorted => order::keys(&query.order, dialect)?,
        Way::SortedWithinWide => order::hidden(order::keys(&query.order, dialect)?),
    };
    let mut ids = Query::select().column("id").from("alert").cond_where(within(scope)).take();
    page(&mut ids, query, &of_the_page, known, dialect)?;
    select.and_where(Expr::col("id").in_subquery(ids));
    order::sort(&mut select, &keys);
    Ok((select, keys))
}

/// Leaves the alerts of the page, in its order, and one more.
fn page(
    select: &mut SelectStatement,
    query: &AlertQuery,
    keys: &[Key],
    known: &Known,
    dialect: &dyn Dialect,
) -> Result<(), StoreError> {
    // The position comes before the filter: of two lower bounds on one column, SQLite seeks to the
    // first that is written, and a filter's bound would read again what earlier pages gave.
    if let Some(position) = &query.after {
        select.and_where(order::after(keys, position)?);
    }
    if let Some(filter) = &query.filter {
        select.and_where(filter::holds(filter, dialect)?);
    }
    if let Some(search) = &query.search {
        select.and_where(search::found(search, &known.common_terms, dialect)?);
    }
    if let Some(settled_before) = known.settled_before {
        select.and_where(modified_before(settled_before));
    }
    order::sort(select, keys);
    let limit = u64::try_from(query.limit).unwrap_or(LIMIT_MAX).saturating_add(1);
    select.limit(Ord::min(limit, LIMIT_MAX));
    if query.skip > 0 {
        select.offset(Ord::min(query.skip, LIMIT_MAX));
    }
    Ok(())
}

/// Databases count rows in signed 64-bit numbers.
const LIMIT_MAX: u64 = i64::MAX as u64;

/// How many alerts the filter and the search leave.
pub(crate) fn count(
    scope: &Scope,
    filter: Option<&Filter>,
    search: Option<&Search>,
    known: &Known,
    dialect: &dyn Dialect,
) -> Result<SelectStatement, StoreError> {
    let kept = dialect.counted_columns();
    let is_kept = matches!(scope, Scope::Partner(_))
        && !kept.is_empty()
        && search.is_none()
        && known.settled_before.is_none()
        && filter.is_none_or(|filter| reads::only(filter, kept));
    let mut select = Query::select();
    if is_kept {
        // The condition means the same there: the columns have the same names.
        select.expr(Func::coalesce([Func::sum(Expr::col("alerts")).into(), Expr::val(0)]));
        select.from("alert_count");
    } else {
        select.expr(Func::count(Expr::cust("*"))).from("alert");
    }
    select.cond_where(within(scope));
    if let Some(filter) = filter {
        select.and_where(filter::holds(filter, dialect)?);
    }
    if let Some(search) = search {
        select.and_where(search::found(search, &known.common_terms, dialect)?);
    }
    if let Some(settled_before) = known.settled_before {
        select.and_where(modified_before(settled_before));
    }
    Ok(select)
}

fn modified_before(at: DateTime<Utc>) -> Expr {
    Expr::col("modified_at").lt(microseconds(at))
}

/// Puts an alert, whether it is there or not, and gives its version.
pub(crate) fn put(row: &AlertRow) -> sea_query::InsertStatement {
    let columns = row.columns.iter().map(|(name, _)| *name);
    let changing = columns.clone().filter(|name| !row::KEY_COLUMNS.contains(name) && *name != "version");
    let on_conflict = OnConflict::columns(row::KEY_COLUMNS)
        .update_columns(changing)
        .value("version", Expr::col(("alert", "version")).add(1))
        .to_owned();
    let mut insert = Query::insert();
    insert
        .into_table("alert")
        .columns(columns)
        .values_panic(row.columns.iter().map(|(_, value)| Expr::val(value.clone())))
        .on_conflict(on_conflict)
        .returning_col("version");
    insert
}

/// Writes what a change of status changes, and leaves the indexes of everything else alone.
pub(crate) fn update_status(scope: &Scope, id: &AlertId, row: &AlertRow) -> UpdateStatement {
    let changed = row.columns.iter().filter(|(name, _)| STATUS_COLUMNS.contains(name));
    Query::update()
        .table("alert")
        .values(changed.map(|(name, value)| (*name, Expr::val(value.clone()))))
        .value("version", Expr::col("version").add(1))
        .cond_where(within(scope))
        .and_where(Expr::col("id").eq(id.as_str()))
        .take()
}
