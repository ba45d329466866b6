//! The order of a list, and the condition that starts it after a position.
//!
//! Every order is total: the id is the last tie-break, in the direction of the key before it, so
//! that one index read forwards or backwards serves the whole order. Null sorts below every value.

use odata::checked::{Direction, Filter, Literal, Operand, SortKey};
use odata::model::Type;
use sea_query::{BinOper, Expr, ExprTrait, NullOrdering, Order, SelectStatement};

use super::column::Column;
use super::dialect::Dialect;
use super::scalar::{Scalar, fits};
use super::{filter, reads};
use crate::model::{NAMED_DETECTOR, Stored, is_ranked, stored};
use crate::{AlertQuery, Position, StoreError};

/// A sort key, looked up.
pub(crate) struct Key {
    column: Column,
    descending: bool,
}

/// The sort keys, looked up.
pub(crate) fn keys(order: &[SortKey], dialect: &dyn Dialect) -> Result<Vec<Key>, StoreError> {
    order
        .iter()
        .map(|key| {
            let constant =
                || StoreError::Unsupported("what is the same for all cannot be sorted by".to_owned());
            let column = filter::column(&key.by, dialect)?.ok_or_else(constant)?;
            Ok(Key { column, descending: key.direction == Direction::Descending })
        })
        .collect()
}

/// How the alerts of a page are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// Along an index that has them in their order, or nearly.
    Along,
    /// Sorted by their keys alone, and then read by their ids.
    Sorted,
    /// As before, by keys that are hidden from the indexes that have them in order.
    SortedWithinWide,
}

/// How the alerts of a page are best found.
///
/// Along an index of its order, a database takes the first alerts that the filter leaves, and looks at each alert if the
/// filter reads what that index lacks. It expects to find enough soon. It reads them all where nearly all are resolved and
/// the open ones are asked for by customer, or those of a detector that seldom fires.
pub(crate) fn way(query: &AlertQuery, dialect: &dyn Dialect) -> Way {
    let Some(first) = query.order.first() else { return Way::Along };
    let column = column_of(first);
    let is_owner = column.is_some_and(|column| ["customer_tenant_id", "subscription_id"].contains(&column));
    let is_time = column.is_some_and(|column| ["id", "detected_at", "modified_at"].contains(&column));
    let wide = dialect.sorted_columns();
    let is_wide = column.is_some_and(|column| wide.contains(&column));
    let looks_at_each = |filter: &Filter| {
        let own = [column.unwrap_or_default(), "detected_at", "id"];
        reads::filter_reads(filter, NAMED_DETECTOR) || (is_owner && !reads::only(filter, &own))
    };
    match &query.filter {
        Some(filter) if is_wide && reads::only(filter, wide) && looks_at_each(filter) => {
            Way::SortedWithinWide
        }
        _ if is_time => Way::Along,
        _ => Way::Sorted,
    }
}

/// The same keys, of which the first is no column any more, so that no index has it in order.
pub(crate) fn hidden(mut keys: Vec<Key>) -> Vec<Key> {
    if let Some(Key { column, .. }) = keys.first_mut() {
        let is_text = match column.ty {
            Type::String => true,
            Type::Enum(enumeration) => !is_ranked(enumeration),
            _ => false,
        };
        let expr = column.expr.clone();
        column.expr = if is_text { expr.binary(BinOper::Custom("||"), "") } else { expr.add(0) };
    }
    keys
}

/// The column of a key that is a column as it stands.
fn column_of(key: &SortKey) -> Option<&'static str> {
    let Operand::Property(path) = &key.by else { return None };
    let [only] = path.segments.as_slice() else { return None };
    match stored(only)? {
        Stored::Column(column) => Some(column),
        Stored::OpenMembers | Stored::BodyOnly => None,
    }
}

/// Adds the keys' values to what is selected.
pub(crate) fn select(select: &mut SelectStatement, keys: &[Key]) {
    select.exprs(keys.iter().map(|key| key.column.expr.clone()));
}

/// Sorts by the keys and the id.
pub(crate) fn sort(select: &mut SelectStatement, keys: &[Key]) {
    for key in keys {
        if key.column.nullable {
            let nulls = if key.descending { NullOrdering::Last } else { NullOrdering::First };
            select.order_by_expr_with_nulls(key.column.expr.clone(), direction(key.descending), nulls);
        } else {
            select.order_by_expr(key.column.expr.clone(), direction(key.descending));
        }
    }
    select.order_by("id", direction(id_descends(keys)));
}

/// That a row comes after the position.
pub(crate) fn after(keys: &[Key], position: &Position) -> Result<Expr, StoreError> {
    let values = values(keys, position)?;
    let one_direction = keys.iter().all(|key| key.descending == id_descends(keys));
    let no_nulls = keys.iter().all(|key| !key.column.nullable) && values.iter().all(Option::is_some);
    if one_direction && no_nulls {
        return Ok(after_row(keys, values.into_iter().flatten(), &position.id));
    }
    Ok(after_each(keys, &values, &position.id))
}

impl Key {
    /// The key's value in a row, as callers see it.
    pub(crate) fn literal(&self, value: Option<Scalar>) -> Result<Literal, StoreError> {
        value.map_or(Ok(Literal::Null), |scalar| scalar.literal(self.column.ty))
    }

    /// That a row's value comes after `value` in this key's direction; `None` if nothing does.
    fn beyond(&self, value: Option<&Scalar>) -> Option<Expr> {
        let expr = self.column.expr.clone();
        match (self.descending, value) {
            (false, Some(value)) => Some(expr.gt(value.clone())),
            (false, None) => self.column.is_not_null(),
            (true, Some(value)) => Some(or(expr.lt(value.clone()), self.column.is_null())),
            (true, None) => None,
        }
    }

    fn same(&self, value: Option<&Scalar>) -> Expr {
        let expr = self.column.expr.clone();
        value.map_or_else(|| expr.clone().is_null(), |value| expr.clone().eq(value.clone()))
    }

    /// That a row's value comes after `value` or is the same; `None` if every value does.
    fn at_or_beyond(&self, value: Option<&Scalar>) -> Option<Expr> {
        let expr = self.column.expr.clone();
        match (self.descending, value) {
            (false, Some(value)) => Some(expr.gte(value.clone())),
            (false, None) => None,
            (true, Some(value)) => Some(or(expr.lte(value.clone()), self.column.is_null())),
            (true, None) => Some(expr.is_null()),
        }
    }
}

/// One comparison of rows, which an index serves with a single seek.
fn after_row(keys: &[Key], values: impl Iterator<Item = Scalar>, id: &str) -> Expr {
    let row = keys.iter().map(|key| key.column.expr.clone()).chain([Expr::col("id")]);
    let start = values.map(Expr::val).chain([Expr::val(id)]);
    let (row, start) = (Expr::tuple(row), Expr::tuple(start));
    if id_descends(keys) { row.lt(start) } else { row.gt(start) }
}

/// Key by key: after it in the first, or the same there and after it in the rest.
///
/// The condition on the first key alone says nothing new, but lets an index start there.
fn after_each(keys: &[Key], values: &[Option<Scalar>], id: &str) -> Expr {
    let id_column = Expr::col("id");
    let mut after = if id_descends(keys) { id_column.lt(id) } else { id_column.gt(id) };
    for (key, value) in keys.iter().zip(values).rev() {
        let same_and_after = key.same(value.as_ref()).and(after);
        after = or(same_and_after, key.beyond(value.as_ref()));
    }
    let start = keys.iter().zip(values).next().and_then(|(key, value)| key.at_or_beyond(value.as_ref()));
    match start {
        Some(start) => start.and(after),
        None => after,
    }
}

/// The position's values as they are stored, once it is certain that they belong to these keys.
fn values(keys: &[Key], position: &Position) -> Result<Vec<Option<Scalar>>, StoreError> {
    let fitting = keys.len() == position.keys.len()
        && keys.iter().zip(&position.keys).all(|(key, literal)| fits(literal, key.column.ty));
    if !fitting {
        return Err(StoreError::Unsupported("the position does not belong to this order".to_owned()));
    }
    position.keys.iter().map(Scalar::of).collect()
}

fn id_descends(keys: &[Key]) -> bool {
    keys.last().is_some_and(|key| key.descending)
}

fn direction(descending: bool) -> Order {
    if descending { Order::Desc } else { Order::Asc }
}

fn or(expr: Expr, other: Option<Expr>) -> Expr {
    match other {
        Some(other) => expr.or(other),
        None => expr,
    }
}
