//! Comparisons, and membership in a list.

use odata::checked::{Comparison, Literal, Operand};
use odata::model::Type;
use sea_query::{BinOper, Expr, ExprTrait};

use super::super::column::Column;
use super::super::scalar::{Scalar, fits};
use super::operand::scalar;
use super::{Compiler, Term, always, any_of, constant, is_not_true, never};
use crate::StoreError;

impl Compiler<'_> {
    /// Both operands, once it is certain that their values are written alike.
    pub(super) fn comparable(&self, left: &Operand, right: &Operand) -> Result<(Term, Term), StoreError> {
        let ty = match (left.ty(), right.ty()) {
            (Some(Type::Int64), Some(Type::Double)) | (Some(Type::Double), Some(Type::Int64)) => {
                Some(Type::Double)
            }
            (None, ty) | (ty, None) => ty,
            (Some(left), Some(right)) if left == right => Some(left),
            (Some(_), Some(_)) => {
                return Err(StoreError::Unsupported(
                    "the operands of a comparison differ in type".to_owned(),
                ));
            }
        };
        Ok((self.as_type(left, ty)?, self.as_type(right, ty)?))
    }

    pub(super) fn one_of(&self, operand: &Operand, list: &[Literal]) -> Result<Expr, StoreError> {
        let Members { operand, values, lists_null } = self.members(operand, list)?;
        Ok(match operand {
            Term::Null => constant(lists_null),
            Term::Constant(scalar) => constant(values.contains(&scalar)),
            Term::Column(column) if !lists_null || !column.nullable => {
                if values.is_empty() {
                    never()
                } else {
                    column.in_range().is_in(values)
                }
            }
            Term::Column(column) if column.stored || values.is_empty() => {
                let listed = (!values.is_empty()).then(|| column.in_range().is_in(values));
                any_of([listed, column.is_null()])
            }
            // Null is in no list, so what is not false is null or listed.
            Term::Column(column) => {
                column.expr.is_in(values).binary(BinOper::IsNot, Expr::Constant(false.into()))
            }
        })
    }

    pub(super) fn none_of(&self, operand: &Operand, list: &[Literal]) -> Result<Expr, StoreError> {
        let Members { operand, values, lists_null } = self.members(operand, list)?;
        Ok(match operand {
            Term::Null => constant(!lists_null),
            Term::Constant(scalar) => constant(!values.contains(&scalar)),
            Term::Column(column) if values.is_empty() => {
                if lists_null {
                    column.is_not_null().unwrap_or_else(always)
                } else {
                    always()
                }
            }
            Term::Column(column) if lists_null || !column.nullable => match column.others(&values) {
                Some(others) => one_of_these(column, others),
                None => column.expr.is_not_in(values),
            },
            Term::Column(column) if column.stored => {
                let null = column.is_null();
                any_of([Some(column.expr.is_not_in(values)), null])
            }
            Term::Column(column) => is_not_true(column.expr.is_in(values)),
        })
    }

    fn members(&self, operand: &Operand, list: &[Literal]) -> Result<Members, StoreError> {
        let ty = operand.ty();
        if let Some(ty) = ty
            && !list.iter().all(|literal| fits(literal, ty))
        {
            return Err(StoreError::Unsupported(
                "the list of 'in' differs in type from its operand".to_owned(),
            ));
        }
        // A list is of one type: with one double in it, its whole numbers are doubles.
        let is_double =
            ty == Some(Type::Double) || list.iter().any(|item| matches!(item, Literal::Double(_)));
        let ty = if is_double { Some(Type::Double) } else { ty };
        let scalars = list.iter().map(|literal| {
            let scalar = scalar(literal)?;
            Ok(if is_double { scalar.map(Scalar::double) } else { scalar })
        });
        let scalars = scalars.collect::<Result<Vec<_>, StoreError>>()?;
        let lists_null = scalars.iter().any(Option::is_none);
        let values = scalars.into_iter().flatten().collect();
        Ok(Members { operand: self.as_type(operand, ty)?, values, lists_null })
    }
}

/// An operand, and what it may be a member of.
struct Members {
    operand: Term,
    values: Vec<Scalar>,
    lists_null: bool,
}

/// When the comparison is true.
pub(super) fn is_true(left: Term, comparison: Comparison, right: Term) -> Expr {
    match (left, right) {
        (Term::Null, Term::Null) => constant(comparison == Comparison::Eq),
        (Term::Null, Term::Constant(_)) | (Term::Constant(_), Term::Null) => {
            constant(comparison == Comparison::Ne)
        }
        (Term::Constant(left), Term::Constant(right)) => constant(agrees(&left, comparison, &right)),
        (Term::Null, Term::Column(column)) | (Term::Column(column), Term::Null) => match comparison {
            Comparison::Eq => column.is_null().unwrap_or_else(never),
            Comparison::Ne => column.is_not_null().unwrap_or_else(always),
            Comparison::Lt | Comparison::Le | Comparison::Gt | Comparison::Ge => never(),
        },
        (Term::Column(left), Term::Column(right)) => sides_true(&left.into(), comparison, &right.into()),
        (Term::Column(left), Term::Constant(right)) => column_true(left, comparison, right),
        (Term::Constant(left), Term::Column(right)) => column_true(right, mirrored(comparison), left),
    }
}

/// When the comparison is false.
pub(super) fn is_false(left: Term, comparison: Comparison, right: Term) -> Expr {
    match (left, right) {
        (Term::Column(left), Term::Column(right)) => sides_false(&left.into(), comparison, &right.into()),
        (Term::Column(left), Term::Constant(right)) => column_false(left, comparison, right),
        (Term::Constant(left), Term::Column(right)) => column_false(right, mirrored(comparison), left),
        (Term::Null, Term::Column(column)) | (Term::Column(column), Term::Null) => match comparison {
            Comparison::Eq => is_true(Term::Null, Comparison::Ne, Term::Column(column)),
            Comparison::Ne => is_true(Term::Null, Comparison::Eq, Term::Column(column)),
            Comparison::Lt | Comparison::Le | Comparison::Gt | Comparison::Ge => always(),
        },
        (Term::Null, Term::Null) => constant(comparison != Comparison::Eq),
        (Term::Null, Term::Constant(_)) | (Term::Constant(_), Term::Null) => {
            constant(comparison != Comparison::Ne)
        }
        (Term::Constant(left), Term::Constant(right)) => constant(!agrees(&left, comparison, &right)),
    }
}

/// What is not one member of an enumeration is one of the others, which an index finds.
fn column_true(column: Column, comparison: Comparison, value: Scalar) -> Expr {
    if comparison == Comparison::Ne
        && let Some(others) = column.others(std::slice::from_ref(&value))
    {
        return one_of_these(column, others);
    }
    sides_true(&column.into(), comparison, &value.into())
}

fn column_false(column: Column, comparison: Comparison, value: Scalar) -> Expr {
    if comparison == Comparison::Eq {
        return column_true(column, Comparison::Ne, value);
    }
    sides_false(&column.into(), comparison, &value.into())
}

fn one_of_these(column: Column, values: Vec<Scalar>) -> Expr {
    if values.is_empty() { never() } else { column.expr.is_in(values) }
}

/// One side of a comparison that is not the literal null.
struct Side {
    expr: Expr,
    /// The same, as it is best written in a comparison of order.
    in_range: Expr,
    nullable: bool,
    /// Whether it may be repeated.
    repeatable: bool,
}

impl Side {
    fn is_null(&self) -> Option<Expr> {
        self.nullable.then(|| self.expr.clone().is_null())
    }

    /// That this side is null and the other is not.
    fn alone_is_null(&self, other: &Self) -> Option<Expr> {
        let null = self.is_null()?;
        Some(if other.nullable { null.and(other.expr.clone().is_not_null()) } else { null })
    }
}

impl From<Column> for Side {
    fn from(column: Column) -> Self {
        let in_range = column.in_range();
        Self { in_range, expr: column.expr, nullable: column.nullable, repeatable: column.stored }
    }
}

impl From<Scalar> for Side {
    fn from(scalar: Scalar) -> Self {
        let expr = Expr::val(scalar);
        Self { in_range: expr.clone(), expr, nullable: false, repeatable: true }
    }
}

fn sides_true(left: &Side, comparison: Comparison, right: &Side) -> Expr {
    let (a, b) = (left.expr.clone(), right.expr.clone());
    let (x, y) = (left.in_range.clone(), right.in_range.clone());
    let repeatable = left.repeatable && right.repeatable;
    let both_null = || match (left.is_null(), right.is_null()) {
        (Some(left), Some(right)) => Some(left.and(right)),
        _ => None,
    };
    match comparison {
        Comparison::Eq if left.nullable && right.nullable && !repeatable => {
            a.binary(BinOper::Custom("IS NOT DISTINCT FROM"), b)
        }
        Comparison::Ne if (left.nullable || right.nullable) && !repeatable => {
            a.binary(BinOper::Custom("IS DISTINCT FROM"), b)
        }
        Comparison::Eq => any_of([Some(a.eq(b)), both_null()]),
        Comparison::Ne => any_of([Some(a.ne(b)), left.alone_is_null(right), right.alone_is_null(left)]),
        Comparison::Lt => x.lt(y),
        Comparison::Le => x.lte(y),
        Comparison::Gt => x.gt(y),
        Comparison::Ge => x.gte(y),
    }
}

fn sides_false(left: &Side, comparison: Comparison, right: &Side) -> Expr {
    let opposite = match comparison {
        Comparison::Eq => return sides_true(left, Comparison::Ne, right),
        Comparison::Ne => return sides_true(left, Comparison::Eq, right),
        Comparison::Lt => Comparison::Ge,
        Comparison::Le => Comparison::Gt,
        Comparison::Gt => Comparison::Le,
        Comparison::Ge => Comparison::Lt,
    };
    if !left.repeatable || !right.repeatable {
        return is_not_true(sides_true(left, comparison, right));
    }
    any_of([Some(sides_true(left, opposite, right)), left.is_null(), right.is_null()])
}

/// The comparison with its sides swapped.
fn mirrored(comparison: Comparison) -> Comparison {
    match comparison {
        Comparison::Eq => Comparison::Eq,
        Comparison::Ne => Comparison::Ne,
        Comparison::Lt => Comparison::Gt,
        Comparison::Le => Comparison::Ge,
        Comparison::Gt => Comparison::Lt,
        Comparison::Ge => Comparison::Le,
    }
}

fn agrees(left: &Scalar, comparison: Comparison, right: &Scalar) -> bool {
    match comparison {
        Comparison::Eq => left == right,
        Comparison::Ne => left != right,
        Comparison::Lt => left < right,
        Comparison::Le => left <= right,
        Comparison::Gt => left > right,
        Comparison::Ge => left >= right,
    }
}
