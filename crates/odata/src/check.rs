//! The syntax tree of a filter, checked against the model: every path exists, and only like is
//! compared with like. What is computed from literals alone is computed here.

use chrono::{DateTime, Utc};

use crate::ast::{BinaryOperator, Expr, ExprKind, Function, Lambda, Literal as Written, Path, Quantifier};
use crate::checked::{CollectionPath, Filter, Literal, Operand, TextTest};
use crate::error::{ErrorKind, QueryError, QueryOption};
use crate::model::{Model, Type};
use crate::path::{self, Scopes};
use crate::source::{Source, Spanned};

mod compare;
mod operand;
#[cfg(test)]
mod tests;

/// Checks a filter. `text` is what it was parsed from, for the errors; `now` is what `now()` means.
///
/// # Errors
/// A path that the model has not, or operands that cannot stand together.
pub fn check_filter(
    expr: &Expr,
    text: &str,
    model: &Model,
    now: DateTime<Utc>,
) -> Result<Filter, QueryError> {
    let source = Source { option: QueryOption::Filter, text };
    Checker { source, model, now, scopes: Scopes::default() }.condition(expr)
}

/// Checks what is sorted by.
pub(crate) fn check_sorted(
    expr: &Expr,
    source: Source<'_>,
    model: &Model,
    now: DateTime<Utc>,
) -> Result<Operand, QueryError> {
    Checker { source, model, now, scopes: Scopes::default() }.value(expr)
}

struct Checker<'a> {
    source: Source<'a>,
    model: &'a Model,
    now: DateTime<Utc>,
    scopes: Scopes,
}

/// One side of an operation. A literal waits for its type, which the other side gives.
enum Side<'e> {
    Value(Operand),
    Literal(&'e Written),
}

impl Checker<'_> {
    fn condition(&self, expr: &Expr) -> Result<Filter, QueryError> {
        match &expr.value {
            ExprKind::Not(operand) => Ok(Filter::Not(Box::new(self.negated(operand, expr)?))),
            ExprKind::Binary(BinaryOperator::Compare(comparison), left, right) => {
                self.compare(left, *comparison, right)
            }
            ExprKind::Binary(BinaryOperator::And, left, right) => {
                Ok(Filter::And(Box::new(self.condition(left)?), Box::new(self.condition(right)?)))
            }
            ExprKind::Binary(BinaryOperator::Or, left, right) => {
                Ok(Filter::Or(Box::new(self.condition(left)?), Box::new(self.condition(right)?)))
            }
            ExprKind::In(operand, items) => self.is_in(operand, items),
            ExprKind::Call(Function::Test(test), arguments) => self.text_test(*test, arguments),
            ExprKind::Lambda(path, quantifier, lambda) => {
                self.quantified(path, *quantifier, lambda.as_deref())
            }
            ExprKind::Path(_)
            | ExprKind::Literal(_)
            | ExprKind::Negate(_)
            | ExprKind::Binary(BinaryOperator::Compute(_), ..)
            | ExprKind::Call(..)
            | ExprKind::Count(..) => self.truth(expr),
        }
    }

    /// What stands after `not`, which binds tighter than people expect.
    fn negated(&self, operand: &Expr, not: &Expr) -> Result<Filter, QueryError> {
        self.condition(operand).map_err(|error| {
            let is_compared =
                self.source.text.get(not.span.end..).is_some_and(|rest| !rest.trim().is_empty());
            if error.kind == ErrorKind::WrongType && is_compared {
                error.with_hint(
                    "'not' binds tighter than comparisons: write not (a eq b) for the opposite of a eq b",
                )
            } else {
                error
            }
        })
    }

    /// A property or literal where a condition is needed.
    fn truth(&self, expr: &Expr) -> Result<Filter, QueryError> {
        match self.side(expr)? {
            Side::Value(operand) if operand.ty() == Some(Type::Boolean) => Ok(Filter::Is(operand)),
            Side::Literal(Written::Boolean(value)) => {
                Ok(Filter::Is(Operand::Literal(Literal::Boolean(*value))))
            }
            Side::Value(_) | Side::Literal(_) => {
                let message = format!("{} is neither true nor false", self.source.quote(expr.span));
                Err(self
                    .source
                    .error(ErrorKind::WrongType, expr.span, message)
                    .with_hint("compare it with something"))
            }
        }
    }

    fn is_in(&self, operand: &Expr, items: &[Spanned<Written>]) -> Result<Filter, QueryError> {
        let Side::Value(value) = self.side(operand)? else {
            return Err(self
                .source
                .unsupported(operand.span, "a literal before 'in'")
                .with_hint("name a property"));
        };
        let fitted: Vec<_> =
            items.iter().map(|item| self.fit(&item.value, &value, item.span)).collect::<Result<_, _>>()?;
        // Nothing is in an empty list.
        let nothing = Filter::Is(Operand::Literal(Literal::Boolean(false)));
        Ok(if fitted.is_empty() { nothing } else { Filter::In(value, fitted) })
    }

    fn text_test(&self, test: TextTest, arguments: &[Expr]) -> Result<Filter, QueryError> {
        let name = Function::Test(test).name();
        let [text, part] = arguments else { return Err(self.wrong_arguments(name)) };
        let text = self.argument(name, text, &[Type::String])?;
        Ok(Filter::Text(test, text, self.argument(name, part, &[Type::String])?))
    }

    fn quantified(
        &self,
        path: &Path,
        quantifier: Quantifier,
        lambda: Option<&Lambda>,
    ) -> Result<Filter, QueryError> {
        let collection = path::collection(path, &self.scopes, self.model, self.source)?;
        let condition = match lambda {
            Some(Lambda { variable, condition }) => {
                if self.scopes.has(&variable.value) {
                    let message = format!("variable {} is taken", self.source.quote(variable.span));
                    return Err(self.source.error(ErrorKind::Malformed, variable.span, message));
                }
                Some(self.within(Some(&variable.value), &collection, condition)?)
            }
            None => None,
        };
        match (quantifier, condition) {
            (Quantifier::Any, condition) => Ok(Filter::Any(collection, condition.map(Box::new))),
            (Quantifier::All, Some(condition)) => Ok(Filter::All(collection, Box::new(condition))),
            (Quantifier::All, None) => Err(self.wrong_arguments("all")),
        }
    }

    /// A condition on the items of a collection.
    fn within(
        &self,
        variable: Option<&str>,
        collection: &CollectionPath,
        condition: &Expr,
    ) -> Result<Filter, QueryError> {
        let scopes = self.scopes.within(variable, collection.item);
        Checker { scopes, source: self.source, model: self.model, now: self.now }.condition(condition)
    }

    /// The parser counts arguments, so only a tree from elsewhere comes here.
    fn wrong_arguments(&self, name: &str) -> QueryError {
        self.source.whole(ErrorKind::Malformed, format!("wrong number of arguments of {name}"))
    }
}
