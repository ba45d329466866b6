//! Operands: their types, and literals computed with.

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};

use super::{Checker, Side};
use crate::ast::{BinaryOperator, Expr, ExprKind, Function, Literal as Written};
use crate::checked::{self, Arithmetic, Literal, Operand};
use crate::coerce::{like, natural_type, type_name};
use crate::error::{ErrorKind, QueryError};
use crate::eval::{self, NoResult};
use crate::model::Type;
use crate::path;
use crate::source::Span;

impl Checker<'_> {
    /// An operand that gives its own type if it has one.
    pub(super) fn side<'e>(&self, expr: &'e Expr) -> Result<Side<'e>, QueryError> {
        let value = match &expr.value {
            ExprKind::Literal(written) => return Ok(Side::Literal(written)),
            ExprKind::Path(path) => {
                Operand::Property(path::single(path, &self.scopes, self.model, self.source)?)
            }
            ExprKind::Negate(operand) => self.negative(operand)?,
            ExprKind::Binary(BinaryOperator::Compute(operator), left, right) => {
                self.computed(left, *operator, right, expr.span)?
            }
            ExprKind::Call(Function::Value(function), arguments) => self.call(*function, arguments)?,
            ExprKind::Call(Function::Now, _) => Operand::Literal(Literal::DateTime(self.now)),
            ExprKind::Call(Function::MinDateTime, _) => {
                moment(NaiveDate::from_ymd_opt(1, 1, 1), NaiveTime::MIN)
            }
            ExprKind::Call(Function::MaxDateTime, _) => {
                // Microseconds, so that stores need not cut it.
                moment(NaiveDate::from_ymd_opt(9999, 12, 31), last_moment_of_day())
            }
            ExprKind::Count(path, filter) => {
                let collection = path::collection(path, &self.scopes, self.model, self.source)?;
                let filter = match filter {
                    Some(filter) => Some(Box::new(self.within(None, &collection, filter)?)),
                    None => None,
                };
                Operand::Count(collection, filter)
            }
            ExprKind::Not(_)
            | ExprKind::Binary(..)
            | ExprKind::In(..)
            | ExprKind::Lambda(..)
            | ExprKind::Call(Function::Test(_), _) => Operand::Condition(Box::new(self.condition(expr)?)),
        };
        Ok(Side::Value(value))
    }

    /// An operand whose type nothing else gives.
    pub(super) fn value(&self, expr: &Expr) -> Result<Operand, QueryError> {
        match self.side(expr)? {
            Side::Value(operand) => Ok(operand),
            Side::Literal(written) => {
                let ty = natural_type(written).unwrap_or(Type::String);
                crate::coerce::fit(written, ty, self.model)
                    .map(Operand::Literal)
                    .map_err(|misfit| misfit.at(expr.span, None, self.source))
            }
        }
    }

    fn negative(&self, operand: &Expr) -> Result<Operand, QueryError> {
        let value = self.value(operand)?;
        match value.ty() {
            None | Some(Type::Int64 | Type::Double | Type::Duration) => {}
            Some(ty) => {
                let message =
                    format!("{} is {} and has no negative", self.source.quote(operand.span), type_name(ty));
                return Err(self.source.error(ErrorKind::WrongType, operand.span, message));
            }
        }
        match value {
            Operand::Literal(literal) => self.folded(eval::negate(&literal), operand.span),
            value => Ok(Operand::Negate(Box::new(value))),
        }
    }

    fn computed(
        &self,
        left: &Expr,
        operator: Arithmetic,
        right: &Expr,
        span: Span,
    ) -> Result<Operand, QueryError> {
        let (left, right) = (self.value(left)?, self.value(right)?);
        let is_turned = operator == Arithmetic::Add
            && left.ty() == Some(Type::Duration)
            && right.ty() == Some(Type::DateTimeOffset);
        let (left, right) = if is_turned { (right, left) } else { (left, right) };
        if operator.ty(left.ty(), right.ty()).is_none() {
            let name = |operand: &Operand| operand.ty().map_or("null", type_name);
            let keyword = BinaryOperator::Compute(operator).keyword();
            let message = format!("'{keyword}' cannot join {} and {}", name(&left), name(&right));
            return Err(self.source.error(ErrorKind::WrongType, span, message));
        }
        match (left, right) {
            (Operand::Literal(Literal::Null), _) | (_, Operand::Literal(Literal::Null)) => {
                Ok(Operand::Literal(Literal::Null))
            }
            (Operand::Literal(left), Operand::Literal(right)) => {
                self.folded(eval::arithmetic(&left, operator, &right), span)
            }
            (left, right) => Ok(Operand::Arithmetic(Box::new(left), operator, Box::new(right))),
        }
    }

    fn folded(&self, result: Result<Literal, NoResult>, span: Span) -> Result<Operand, QueryError> {
        result
            .map(Operand::Literal)
            .map_err(|error| self.source.error(ErrorKind::WrongType, span, error.message()))
    }

    fn call(&self, function: checked::Function, arguments: &[Expr]) -> Result<Operand, QueryError> {
        use checked::Function::{Ceiling, Floor, Round};
        let operands: Vec<Operand> = arguments
            .iter()
            .enumerate()
            .map(|(place, argument)| self.argument(function.name(), argument, function.operand_types(place)))
            .collect::<Result<_, _>>()?;
        // A whole number is its own nearest, whichever way.
        if let (Round | Floor | Ceiling, [operand]) = (function, operands.as_slice())
            && operand.ty() == Some(Type::Int64)
        {
            return Ok(operand.clone());
        }
        let literals: Option<Vec<Literal>> = operands
            .iter()
            .map(|operand| match operand {
                Operand::Literal(literal) => Some(literal.clone()),
                _ => None,
            })
            .collect();
        let has_null = operands.contains(&Operand::Literal(Literal::Null));
        Ok(match literals {
            _ if has_null => Operand::Literal(Literal::Null),
            Some(literals) => Operand::Literal(eval::call(function, &literals)),
            None => Operand::Call(function, operands),
        })
    }

    /// An argument that must have one of the types.
    pub(super) fn argument(
        &self,
        function: &str,
        argument: &Expr,
        allowed: &[Type],
    ) -> Result<Operand, QueryError> {
        let found = match self.side(argument)? {
            Side::Literal(written) => {
                let fitted = allowed.iter().find_map(|ty| match (written, ty) {
                    // A day is no moment to a function that could take either.
                    (Written::Date(_), Type::DateTimeOffset) if allowed.len() > 1 => None,
                    // Comparisons take a fraction beside whole numbers; functions do not.
                    (Written::Double(_), Type::Int64) => None,
                    _ => crate::coerce::fit(written, *ty, self.model).ok(),
                });
                match fitted {
                    Some(literal) => return Ok(Operand::Literal(literal)),
                    None => natural_type(written),
                }
            }
            Side::Value(operand) => match operand.ty() {
                None => return Ok(operand),
                Some(ty) if allowed.iter().any(|allowed| like(*allowed, ty)) && ty != Type::Double => {
                    return Ok(operand);
                }
                Some(Type::Double) if allowed.contains(&Type::Double) => return Ok(operand),
                ty => ty,
            },
        };
        let wanted = allowed.iter().map(|ty| type_name(*ty)).collect::<Vec<_>>().join(" or ");
        let found = found.map_or("a member of an enumeration", type_name);
        let message = format!("{function} needs {wanted}; {} is {found}", self.source.quote(argument.span));
        Err(self.source.error(ErrorKind::WrongType, argument.span, message))
    }
}

fn moment(day: Option<NaiveDate>, time: NaiveTime) -> Operand {
    let at: Option<DateTime<Utc>> = day.map(|day| day.and_time(time).and_utc());
    Operand::Literal(at.map_or(Literal::Null, Literal::DateTime))
}

fn last_moment_of_day() -> NaiveTime {
    NaiveTime::from_hms_micro_opt(23, 59, 59, 999_999).unwrap_or(NaiveTime::MIN)
}
