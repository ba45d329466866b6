//! From a path of the query language to an expression over the alert's row.

use odata::checked::{PropertyPath, Root};
use odata::model::Type;
use sea_query::{Expr, ExprTrait};

use super::dialect::Dialect;
use crate::StoreError;
use crate::model::{Stored, is_ranked, stored};

/// Something that can be compared and sorted by.
#[derive(Debug, Clone)]
pub(crate) struct Column {
    /// The stored value.
    pub(crate) expr: Expr,
    /// The type of the value, as callers see it.
    pub(crate) ty: Type,
    /// Whether it may be null.
    pub(crate) nullable: bool,
}

impl Column {
    /// Where the value at a path is stored.
    pub(crate) fn at(path: &PropertyPath, dialect: &dyn Dialect) -> Result<Self, StoreError> {
        let refused =
            || StoreError::Unsupported(format!("'{}' cannot be filtered by", path.segments.join("/")));
        let (first, members) = path.segments.split_first().ok_or_else(refused)?;
        if path.root != Root::Entity {
            return Err(refused());
        }
        let expr = match (stored(first).ok_or_else(refused)?, members) {
            (Stored::Column(name), []) => Expr::col(name),
            (Stored::OpenMembers, [member]) if is_identifier(member) => dialect.open_member(first, member),
            (Stored::Column(_) | Stored::OpenMembers | Stored::BodyOnly, _) => return Err(refused()),
        };
        Ok(Self { expr, ty: path.ty, nullable: path.nullable })
    }

    /// The value as it is best written where it may be one of several.
    ///
    /// A range of ranks holds a good part of all alerts, out of the order of any list: an index that
    /// finds them costs a sort of them all, where walking the list's own index finds enough within a
    /// few rows. Adding nothing keeps databases from using an index for it.
    pub(crate) fn in_range(&self) -> Expr {
        let ranked = matches!(self.ty, Type::Enum(enumeration) if is_ranked(enumeration));
        if ranked { self.expr.clone().add(0) } else { self.expr.clone() }
    }

    /// That the value is null; `None` if it never is.
    pub(crate) fn is_null(&self) -> Option<Expr> {
        self.nullable.then(|| self.expr.clone().is_null())
    }

    /// That the value is not null; `None` if it never is null.
    pub(crate) fn is_not_null(&self) -> Option<Expr> {
        self.nullable.then(|| self.expr.clone().is_not_null())
    }
}

/// An identifier of OData: what may be quoted in a JSON path without escaping.
///
/// The parser lets nothing else through; this guards the path against other makers of filters.
fn is_identifier(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || c == '_')
}
