//! The syntax tree of a filter, checked against the model: every path exists, and only like is
//! compared with like.

use crate::ast::{BinaryOperator, Expr, ExprKind, Function, Literal as Written};
use crate::checked::{Comparison, Filter, Literal, Operand, PropertyPath, TextTest};
use crate::coerce::{like, natural_type, type_name};
use crate::error::{ErrorKind, QueryError, QueryOption, shown};
use crate::model::{Model, Type};
use crate::path;
use crate::source::{Source, Span, Spanned};

#[cfg(test)]
mod tests;

/// Checks a filter. `text` is what it was parsed from, for the errors.
///
/// # Errors
/// A path that the model has not, or operands that cannot stand together.
pub fn check_filter(expr: &Expr, text: &str, model: &Model) -> Result<Filter, QueryError> {
    let checker = Checker { source: Source { option: QueryOption::Filter, text }, model };
    checker.condition(expr)
}

struct Checker<'a> {
    source: Source<'a>,
    model: &'a Model,
}

/// One side of a comparison. A literal waits for its type, which the other side gives.
enum Side<'e> {
    Property(PropertyPath),
    Literal(&'e Written),
}

impl Checker<'_> {
    fn condition(&self, expr: &Expr) -> Result<Filter, QueryError> {
        match &expr.value {
            ExprKind::Not(operand) => Ok(Filter::Not(Box::new(self.condition(operand)?))),
            ExprKind::Binary(operator, left, right) => match comparison(*operator) {
                Some(comparison) => self.compare(left, comparison, right),
                None => {
                    let both = (Box::new(self.condition(left)?), Box::new(self.condition(right)?));
                    let is_and = *operator == BinaryOperator::And;
                    Ok(if is_and { Filter::And(both.0, both.1) } else { Filter::Or(both.0, both.1) })
                }
            },
            ExprKind::In(operand, items) => self.is_in(operand, items),
            ExprKind::Call(function, arguments) => self.call(*function, arguments, expr.span),
            ExprKind::Path(_) | ExprKind::Literal(_) => self.truth(expr),
        }
    }

    /// A property or literal where a condition is needed.
    fn truth(&self, expr: &Expr) -> Result<Filter, QueryError> {
        match self.side(expr)? {
            Side::Property(path) if path.ty == Type::Boolean => Ok(Filter::Is(Operand::Property(path))),
            Side::Literal(Written::Boolean(value)) => {
                Ok(Filter::Is(Operand::Literal(Literal::Boolean(*value))))
            }
            Side::Property(_) | Side::Literal(_) => {
                let message = format!("{} is neither true nor false", self.source.quote(expr.span));
                Err(self
                    .source
                    .error(ErrorKind::WrongType, expr.span, message)
                    .with_hint("compare it with something"))
            }
        }
    }

    fn compare(&self, left: &Expr, comparison: Comparison, right: &Expr) -> Result<Filter, QueryError> {
        let left_side = self.side(left).map_err(|error| self.unquoted(error, left, right))?;
        let right_side = self.side(right).map_err(|error| self.unquoted(error, right, left))?;
        let (left, comparison, right) = match (left_side, right_side) {
            (Side::Property(path), Side::Literal(written)) => {
                let literal = self.fit(written, &path, right.span)?;
                (Operand::Property(path), comparison, Operand::Literal(literal))
            }
            (Side::Literal(written), Side::Property(path)) => {
                let literal = self.fit(written, &path, left.span)?;
                (Operand::Property(path), mirrored(comparison), Operand::Literal(literal))
            }
            (Side::Property(first), Side::Property(second)) => {
                if !like(first.ty, second.ty) {
                    return Err(self.unlike(first.ty, second.ty, right.span));
                }
                (Operand::Property(first), comparison, Operand::Property(second))
            }
            (Side::Literal(first), Side::Literal(second)) => {
                let (first, second) = self.fit_each_other(first, left.span, second, right.span)?;
                (Operand::Literal(first), comparison, Operand::Literal(second))
            }
        };
        Ok(Filter::Compare(left, comparison, right))
    }

    fn is_in(&self, operand: &Expr, items: &[Spanned<Written>]) -> Result<Filter, QueryError> {
        match self.side(operand)? {
            Side::Property(path) => {
                let fitted: Result<Vec<_>, _> =
                    items.iter().map(|item| self.fit(&item.value, &path, item.span)).collect();
                Ok(Filter::In(Operand::Property(path), fitted?))
            }
            Side::Literal(_) => Err(self
                .source
                .unsupported(operand.span, "a literal before 'in'")
                .with_hint("name a property")),
        }
    }

    fn call(&self, function: Function, arguments: &[Expr], span: Span) -> Result<Filter, QueryError> {
        let test = match function {
            Function::Contains => TextTest::Contains,
            Function::StartsWith => TextTest::StartsWith,
            Function::EndsWith => TextTest::EndsWith,
        };
        let [text, part] = arguments else {
            let message = format!("{} takes {} arguments", function.name(), Function::ARGUMENTS);
            return Err(self.source.error(ErrorKind::Malformed, span, message));
        };
        Ok(Filter::Text(test, self.text(function, text)?, self.text(function, part)?))
    }

    /// An argument that must be a text.
    fn text(&self, function: Function, argument: &Expr) -> Result<Operand, QueryError> {
        let found = match self.side(argument)? {
            Side::Property(path) if path.ty == Type::String => return Ok(Operand::Property(path)),
            Side::Literal(Written::String(text)) => {
                return Ok(Operand::Literal(Literal::String(text.clone())));
            }
            Side::Literal(Written::Guid(guid)) => {
                return Ok(Operand::Literal(Literal::String(guid.to_string())));
            }
            Side::Literal(Written::Null) => return Ok(Operand::Literal(Literal::Null)),
            Side::Property(path) => type_name(path.ty),
            Side::Literal(written) => natural_type(written).map_or("no text", type_name),
        };
        let message =
            format!("{} needs texts; {} is {found}", function.name(), self.source.quote(argument.span));
        Err(self.source.error(ErrorKind::WrongType, argument.span, message))
    }

    fn side<'e>(&self, expr: &'e Expr) -> Result<Side<'e>, QueryError> {
        match &expr.value {
            ExprKind::Literal(written) => Ok(Side::Literal(written)),
            ExprKind::Path(path) => path::find_single(path, self.model, self.source).map(Side::Property),
            ExprKind::Not(_) => Err(self.condition_as_value(expr).with_hint(
                "'not' binds tighter than comparisons: write not (a eq b) for the opposite of a eq b",
            )),
            ExprKind::Binary(..) | ExprKind::In(..) | ExprKind::Call(..) => {
                Err(self.condition_as_value(expr))
            }
        }
    }

    fn condition_as_value(&self, expr: &Expr) -> QueryError {
        self.source
            .unsupported(expr.span, "a condition as a value")
            .with_hint("use it by itself, or after 'not'")
    }

    fn fit(&self, written: &Written, path: &PropertyPath, span: Span) -> Result<Literal, QueryError> {
        crate::coerce::fit(written, path.ty, self.model)
            .map_err(|misfit| misfit.at(span, Some(&path.segments.join("/")), self.source))
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
        let Ok(Side::Property(path)) = self.side(other) else { return error };
        let is_text = match path.ty {
            Type::Enum(enumeration) => enumeration.members.contains(&name.value.as_str()),
            // Anything may be a text, so a name that is nearly a property's is the better guess.
            Type::String => error.hint.is_none(),
            Type::Boolean | Type::Int64 | Type::Double => false,
            Type::DateTimeOffset | Type::Date | Type::TimeOfDay | Type::Duration => false,
            Type::Complex(_) | Type::Collection(_) => false,
        };
        if error.kind == ErrorKind::UnknownName && is_text {
            return error.with_hint(format!("a text is put in quotes: '{}'", shown(&name.value)));
        }
        error
    }
}

fn comparison(operator: BinaryOperator) -> Option<Comparison> {
    match operator {
        BinaryOperator::Or | BinaryOperator::And => None,
        BinaryOperator::Eq => Some(Comparison::Eq),
        BinaryOperator::Ne => Some(Comparison::Ne),
        BinaryOperator::Lt => Some(Comparison::Lt),
        BinaryOperator::Le => Some(Comparison::Le),
        BinaryOperator::Gt => Some(Comparison::Gt),
        BinaryOperator::Ge => Some(Comparison::Ge),
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
