//! Comparisons: both sides are brought to one type, and a literal to the right.

use super::{Checker, Side};
use crate::ast::{Expr, ExprKind, Literal as Written};
use crate::checked::{Comparison, Filter, Literal, Operand};
use crate::coerce::{like, natural_type, type_name};
use crate::error::{ErrorKind, QueryError, shown};
use crate::model::Type;
use crate::source::Span;

impl Checker<'_> {
    pub(super) fn compare(
        &self,
        left: &Expr,
        comparison: Comparison,
        right: &Expr,
    ) -> Result<Filter, QueryError> {
        let left_side = self.side(left).map_err(|error| self.unquoted(error, left, right))?;
        let right_side = self.side(right).map_err(|error| self.unquoted(error, right, left))?;
        let (left, right) = match (left_side, right_side) {
            (Side::Value(operand), Side::Literal(written)) => {
                let literal = self.fit(written, &operand, right.span)?;
                (operand, Operand::Literal(literal))
            }
            (Side::Literal(written), Side::Value(operand)) => {
                let literal = self.fit(written, &operand, left.span)?;
                (Operand::Literal(literal), operand)
            }
            (Side::Value(first), Side::Value(second)) => {
                if let (Some(first), Some(second)) = (first.ty(), second.ty())
                    && !like(first, second)
                {
                    return Err(self.unlike(first, second, right.span));
                }
                (first, second)
            }
            (Side::Literal(first), Side::Literal(second)) => {
                let (first, second) = self.fit_each_other(first, left.span, second, right.span)?;
                (Operand::Literal(first), Operand::Literal(second))
            }
        };
        let is_turned = matches!(left, Operand::Literal(_)) && !matches!(right, Operand::Literal(_));
        Ok(if is_turned {
            simplified(right, mirrored(comparison), left)
        } else {
            simplified(left, comparison, right)
        })
    }

    /// The literal as one that the operand can be compared with.
    pub(super) fn fit(
        &self,
        written: &Written,
        operand: &Operand,
        span: Span,
    ) -> Result<Literal, QueryError> {
        // Beside null anything fits.
        let ty = operand.ty().or_else(|| natural_type(written)).unwrap_or(Type::String);
        let name = match operand {
            Operand::Property(path) => Some(path.segments.join("/")),
            _ => None,
        };
        crate::coerce::fit(written, ty, self.model)
            .map_err(|misfit| misfit.at(span, name.as_deref(), self.source))
    }

    fn fit_each_other(
        &self,
        first: &Written,
        first_span: Span,
        second: &Written,
        second_span: Span,
    ) -> Result<(Literal, Literal), QueryError> {
        let fit = |written, ty, span| {
            crate::coerce::fit(written, ty, self.model).map_err(|misfit| misfit.at(span, None, self.source))
        };
        // Null is of any type, so the other one decides.
        let ty = natural_type(first).or_else(|| natural_type(second)).unwrap_or(Type::String);
        Ok((fit(first, ty, first_span)?, fit(second, ty, second_span)?))
    }

    fn unlike(&self, first: Type, second: Type, span: Span) -> QueryError {
        let message = format!("{} cannot be compared with {}", type_name(first), type_name(second));
        self.source.error(ErrorKind::WrongType, span, message)
    }

    /// An unknown name beside a property that holds texts may be a text without its quotes.
    fn unquoted(&self, error: QueryError, expr: &Expr, other: &Expr) -> QueryError {
        let ExprKind::Path(name) = &expr.value else { return error };
        let [name] = name.segments.as_slice() else { return error };
        let Ok(Side::Value(operand)) = self.side(other) else { return error };
        let is_text = match operand.ty() {
            Some(Type::Enum(enumeration)) => enumeration.members.contains(&name.value.as_str()),
            // Anything may be a text, so a name that is nearly a property's is the better guess.
            Some(Type::String) => error.hint.is_none(),
            _ => false,
        };
        if error.kind == ErrorKind::UnknownName && is_text {
            return error.with_hint(format!("a text is put in quotes: '{}'", shown(&name.value)));
        }
        error
    }
}

/// A comparison; one of a condition that is never null with `true` or `false` is that condition.
fn simplified(left: Operand, comparison: Comparison, right: Operand) -> Filter {
    match (left, comparison, right) {
        (
            Operand::Condition(condition),
            Comparison::Eq | Comparison::Ne,
            Operand::Literal(Literal::Boolean(value)),
        ) if !condition.nullable() => {
            if value == (comparison == Comparison::Eq) {
                *condition
            } else {
                Filter::Not(condition)
            }
        }
        (left, comparison, right) => Filter::Compare(left, comparison, right),
    }
}

/// The comparison that holds with its operands swapped.
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
