//! From a checked filter to a condition.
//!
//! OData's logic has three values and so has SQL's, but they disagree on comparisons: in OData
//! `x gt 5` is false for a null `x`, so `not (x gt 5)` is true; in SQL both are unknown. So a filter
//! is asked two questions, when it is true and when it is false, and `not` swaps them. Each answer is
//! an expression that is true exactly then; otherwise it is false or unknown, which a `where` treats
//! alike. A plain positive comparison stays a plain SQL comparison, which an index can serve.
//!
//! A condition that is used as a value is asked once, for a value that is true, false or null: two
//! questions at each level would be twice as many with each level. For the same reason only columns
//! are repeated in an answer, never an operand that may hold others.

mod compare;
mod items;
mod operand;
mod text;

use odata::checked::{Comparison, Filter, Literal, Operand};
use odata::model::Type;
use sea_query::{BinOper, Expr, ExprTrait};

use super::column::Column;
use super::dialect::Dialect;
use super::scalar::Scalar;
use crate::StoreError;

/// That the filter is true of a row.
pub(crate) fn holds(filter: &Filter, dialect: &dyn Dialect) -> Result<Expr, StoreError> {
    Compiler::new(dialect).true_when(filter)
}

/// An operand as an expression over a row; `None` if it is the same for all rows.
pub(crate) fn column(operand: &Operand, dialect: &dyn Dialect) -> Result<Option<Column>, StoreError> {
    Ok(match Compiler::new(dialect).term(operand)? {
        Term::Column(column) => Some(column),
        Term::Null | Term::Constant(_) => None,
    })
}

/// Compiles what stands in a filter, for one database.
#[derive(Clone, Copy)]
pub(crate) struct Compiler<'a> {
    pub(super) dialect: &'a dyn Dialect,
    /// How many collections enclose the place.
    depth: usize,
}

/// An operand, looked up.
pub(crate) enum Term {
    Null,
    Constant(Scalar),
    Column(Column),
}

impl<'a> Compiler<'a> {
    fn new(dialect: &'a dyn Dialect) -> Self {
        Self { dialect, depth: 0 }
    }

    fn true_when(&self, filter: &Filter) -> Result<Expr, StoreError> {
        match filter {
            Filter::And(left, right) => Ok(self.true_when(left)?.and(self.true_when(right)?)),
            Filter::Or(left, right) => Ok(self.true_when(left)?.or(self.true_when(right)?)),
            Filter::Not(inner) => self.false_when(inner),
            // As in `contains(a,b) eq true`.
            Filter::Compare(
                Operand::Condition(condition),
                Comparison::Eq,
                Operand::Literal(Literal::Boolean(wanted)),
            ) => self.when(condition, *wanted),
            Filter::Compare(left, comparison, right) => {
                let (left, right) = self.comparable(left, right)?;
                Ok(compare::is_true(left, *comparison, right))
            }
            Filter::In(operand, list) => self.one_of(operand, list),
            Filter::Text(test, text, part) => Ok(self.text_test(*test, text, part)?.unwrap_or_else(never)),
            Filter::Is(operand) => self.boolean(operand, true),
            Filter::Any(path, condition) => self.any(path, condition.as_deref()),
            Filter::All(path, condition) => Ok(self.exception(path, condition)?.not()),
        }
    }

    fn false_when(&self, filter: &Filter) -> Result<Expr, StoreError> {
        match filter {
            Filter::And(left, right) => Ok(self.false_when(left)?.or(self.false_when(right)?)),
            Filter::Or(left, right) => Ok(self.false_when(left)?.and(self.false_when(right)?)),
            Filter::Not(inner) => self.true_when(inner),
            Filter::Compare(left, comparison, right) => {
                let (left, right) = self.comparable(left, right)?;
                Ok(compare::is_false(left, *comparison, right))
            }
            Filter::In(operand, list) => self.none_of(operand, list),
            // A function of null is null, and so is its negation: SQL agrees here.
            Filter::Text(test, text, part) => {
                Ok(self.text_test(*test, text, part)?.map_or_else(never, ExprTrait::not))
            }
            Filter::Is(operand) => self.boolean(operand, false),
            Filter::Any(path, condition) => Ok(self.any(path, condition.as_deref())?.not()),
            Filter::All(path, condition) => self.exception(path, condition),
        }
    }

    fn when(&self, filter: &Filter, wanted: bool) -> Result<Expr, StoreError> {
        if wanted { self.true_when(filter) } else { self.false_when(filter) }
    }

    /// The filter as a value that is true, false or null. SQL's `and`, `or` and `not` are OData's.
    fn value_of(&self, filter: &Filter) -> Result<Expr, StoreError> {
        match filter {
            Filter::And(left, right) => Ok(self.value_of(left)?.and(self.value_of(right)?)),
            Filter::Or(left, right) => Ok(self.value_of(left)?.or(self.value_of(right)?)),
            Filter::Not(inner) => Ok(self.value_of(inner)?.not()),
            Filter::Text(test, text, part) => Ok(self.text_test(*test, text, part)?.unwrap_or_else(unknown)),
            Filter::Is(operand) => match self.term(operand)? {
                Term::Null => Ok(unknown()),
                Term::Constant(Scalar::Bool(value)) => Ok(constant(value)),
                Term::Column(Column { expr, ty: Type::Boolean, .. }) => Ok(expr),
                Term::Constant(_) | Term::Column(_) => Err(not_a_condition()),
            },
            Filter::Compare(..) | Filter::In(..) | Filter::Any(..) | Filter::All(..) => {
                Ok(is_true(self.true_when(filter)?))
            }
        }
    }

    fn boolean(&self, operand: &Operand, wanted: bool) -> Result<Expr, StoreError> {
        if let Operand::Condition(condition) = operand {
            return self.when(condition, wanted);
        }
        match self.term(operand)? {
            Term::Null => Ok(never()),
            Term::Constant(Scalar::Bool(value)) => Ok(constant(value == wanted)),
            Term::Column(Column { expr, ty: Type::Boolean, .. }) => Ok(expr.eq(wanted)),
            Term::Constant(_) | Term::Column(_) => Err(not_a_condition()),
        }
    }
}

fn not_a_condition() -> StoreError {
    StoreError::Unsupported("a condition must be true or false".to_owned())
}

/// That the expression is true, as a value that is never null.
fn is_true(expr: Expr) -> Expr {
    expr.binary(BinOper::Is, Expr::Constant(true.into()))
}

/// That the expression is false or null, as a value that is never null.
fn is_not_true(expr: Expr) -> Expr {
    expr.binary(BinOper::IsNot, Expr::Constant(true.into()))
}

fn any_of<const N: usize>(parts: [Option<Expr>; N]) -> Expr {
    parts.into_iter().flatten().reduce(ExprTrait::or).unwrap_or_else(never)
}

fn constant(value: bool) -> Expr {
    if value { always() } else { never() }
}

fn always() -> Expr {
    Expr::cust("1 = 1")
}

fn never() -> Expr {
    Expr::cust("1 = 0")
}

/// A condition that is null.
fn unknown() -> Expr {
    Expr::cust("1 = null")
}
