//! From a path of the query language to an expression over the alert's row.

use odata::checked::{PropertyPath, Root};
use odata::model::{EnumType, StructuredType, Type};
use sea_query::{CaseStatement, Expr, ExprTrait};

use super::filter::Compiler;
use super::scalar::Scalar;
use crate::StoreError;
use crate::model::{Stored, alert_model, is_ranked, rank, stored};

/// Something that can be compared, computed with and sorted by: a column, or an expression over the row.
#[derive(Debug, Clone)]
pub(crate) struct Column {
    /// The value, in the form that [`super::scalar::Scalar`] describes.
    pub(crate) expr: Expr,
    /// The type of the value, as callers see it.
    pub(crate) ty: Type,
    /// Whether it may be null.
    pub(crate) nullable: bool,
    /// Whether it is a column as it stands. Only such an expression may be repeated in a condition: one
    /// that holds conditions which repeat theirs would double with each level.
    pub(crate) stored: bool,
}

impl Column {
    /// An expression over the row.
    pub(crate) fn computed(expr: Expr, ty: Type, nullable: bool) -> Self {
        Self { expr, ty, nullable, stored: false }
    }

    /// The value as it is best written where it may be one of several.
    ///
    /// A range of ranks holds a good part of all alerts, out of the order of any list: an index that
    /// finds them costs a sort of them all, where walking the list's own index finds enough within a
    /// few rows. Adding nothing keeps databases from using an index for it.
    pub(crate) fn in_range(&self) -> Expr {
        let ranked = matches!(self.ty, Type::Enum(enumeration) if is_ranked(enumeration));
        if ranked && self.stored { self.expr.clone().add(0) } else { self.expr.clone() }
    }

    /// The members that the value may have beside these, if it is of an enumeration without ranks and never null.
    ///
    /// An index finds what something is, and walks past everything for what it is not.
    pub(crate) fn others(&self, values: &[Scalar]) -> Option<Vec<Scalar>> {
        let Type::Enum(enumeration) = self.ty else { return None };
        if !self.stored || self.nullable || is_ranked(enumeration) {
            return None;
        }
        let members = enumeration.members.iter().map(|member| Scalar::Text((*member).to_owned()));
        Some(members.filter(|member| !values.contains(member)).collect())
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

impl Compiler<'_> {
    /// Where the value at a path is found.
    pub(crate) fn column(&self, path: &PropertyPath) -> Result<Column, StoreError> {
        match path.root {
            Root::Entity => self.of_alert(path),
            Root::Item(outwards) => {
                let item = self.item(outwards).ok_or_else(|| refused(&path.segments))?;
                self.of_item(item, path)
            }
        }
    }

    /// A column of the alert's row. Within a collection it is named with its table: the items have
    /// columns of their own.
    pub(super) fn of_row(&self, name: &'static str) -> Expr {
        if self.is_inside() { Expr::col(("alert", name)) } else { Expr::col(name) }
    }

    fn of_alert(&self, path: &PropertyPath) -> Result<Column, StoreError> {
        let refused = || refused(&path.segments);
        let (first, members) = path.segments.split_first().ok_or_else(refused)?;
        let (expr, is_stored) = match (stored(first).ok_or_else(refused)?, members) {
            (Stored::Column(name), []) => (self.of_row(name), true),
            // The expression is long, but holds no operand that could hold others.
            (Stored::OpenMembers, [member]) if is_identifier(member) => {
                (self.dialect.open_member(self.of_row("body"), first, member), true)
            }
            (Stored::Column(_) | Stored::OpenMembers | Stored::BodyOnly, _) => return Err(refused()),
        };
        Ok(Column { expr, ty: path.ty, nullable: path.nullable, stored: is_stored })
    }

    fn of_item(&self, item: Expr, path: &PropertyPath) -> Result<Column, StoreError> {
        let refused = || refused(&path.segments);
        if path.segments.is_empty() || !path.segments.iter().all(|segment| is_identifier(segment)) {
            return Err(refused());
        }
        let text = self.dialect.item_text(item, &path.segments);
        let expr = match path.ty {
            Type::String => text,
            Type::Enum(enumeration) if is_ranked(enumeration) => ranked(&text, enumeration),
            Type::Enum(_) => text,
            Type::DateTimeOffset => self.dialect.moment(text),
            Type::Boolean
            | Type::Int64
            | Type::Double
            | Type::Date
            | Type::TimeOfDay
            | Type::Duration
            | Type::Complex(_)
            | Type::Collection(_) => return Err(refused()),
        };
        Ok(Column { expr, ty: path.ty, nullable: path.nullable, stored: true })
    }
}

/// Whether the alert has a collection at that path.
pub(super) fn is_collection(segments: &[String], item: &StructuredType) -> bool {
    let [name] = segments else { return false };
    let property = alert_model().property(name);
    property.is_some_and(|property| matches!(property.ty, Type::Collection(of) if of == item))
}

/// That a path cannot be answered.
pub(super) fn refused(segments: &[String]) -> StoreError {
    StoreError::Unsupported(format!("'{}' cannot be filtered by", segments.join("/")))
}

fn ranked(text: &Expr, enumeration: &EnumType) -> Expr {
    let ranks = enumeration.members.iter().filter_map(|member| Some((*member, rank(enumeration, member)?)));
    let cases = ranks.fold(CaseStatement::new(), |cases, (member, rank)| {
        cases.case(text.clone().eq(member), Expr::cust(rank.to_string()))
    });
    cases.into()
}

/// An identifier of OData: what may be quoted in a JSON path without escaping.
///
/// The parser lets nothing else through; this guards the path against other makers of filters.
fn is_identifier(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || c == '_')
}
