//! Conditions on the items of a collection, which live in the alert's JSON alone.

use odata::checked::{CollectionPath, Filter, Root};
use sea_query::{Expr, Func, Query, SelectStatement};

use super::super::column::{is_collection, refused};
use super::{Compiler, is_not_true};
use crate::StoreError;

impl Compiler<'_> {
    /// Whether the place is about the items of a collection.
    pub(crate) fn is_inside(&self) -> bool {
        self.depth > 0
    }

    /// The item of the collection that is so many further out; `None` if there are not as many.
    pub(crate) fn item(&self, outwards: usize) -> Option<Expr> {
        let depth = self.depth.checked_sub(outwards).filter(|depth| *depth > 0)?;
        Some(Expr::col((alias(depth), "value")))
    }

    /// That an item has it; with no condition, that there is an item.
    pub(super) fn any(&self, path: &CollectionPath, condition: Option<&Filter>) -> Result<Expr, StoreError> {
        let (inner, mut select) = self.items(path)?;
        select.expr(Expr::cust("1"));
        if let Some(condition) = condition {
            select.and_where(inner.true_when(condition)?);
        }
        Ok(Expr::exists(select))
    }

    /// That the condition is not true of an item.
    pub(super) fn exception(&self, path: &CollectionPath, condition: &Filter) -> Result<Expr, StoreError> {
        let (inner, mut select) = self.items(path)?;
        select.expr(Expr::cust("1")).and_where(is_not_true(inner.true_when(condition)?));
        Ok(Expr::exists(select))
    }

    /// How many items have it.
    pub(super) fn count(
        &self,
        path: &CollectionPath,
        condition: Option<&Filter>,
    ) -> Result<Expr, StoreError> {
        let (inner, mut select) = self.items(path)?;
        select.expr(Func::count(Expr::cust("*")));
        if let Some(condition) = condition {
            select.and_where(inner.true_when(condition)?);
        }
        Ok(Expr::SubQuery(None, Box::new(select.into())))
    }

    /// A read of the items, and what compiles a condition on them.
    fn items(&self, path: &CollectionPath) -> Result<(Self, SelectStatement), StoreError> {
        // No item of an alert has a collection of its own.
        if path.root != Root::Entity || !is_collection(&path.segments, path.item) {
            return Err(refused(&path.segments));
        }
        let inner = Self { depth: self.depth + 1, ..*self };
        let property = path.segments.first().map_or("", String::as_str);
        let items = self.dialect.items(inner.of_row("body"), property);
        let select = Query::select().from_function(items, alias(inner.depth)).take();
        Ok((inner, select))
    }
}

/// What the items of the collection at that depth are called.
fn alias(depth: usize) -> String {
    format!("item_{depth}")
}
