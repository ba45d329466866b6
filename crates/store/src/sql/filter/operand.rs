//! Operands: properties, literals, and what is computed of them.
//!
//! What is computed stands for a value as [`Scalar`] describes it: moments, times of day and durations
//! are microseconds, days are days since 1970, so most functions of time are arithmetic.

use odata::checked::{Arithmetic, Function, Literal, Operand};
use odata::model::Type;
use sea_query::{Expr, ExprTrait};

use super::super::column::Column;
use super::super::dialect::{Numbers, Primitive};
use super::super::scalar::Scalar;
use super::{Compiler, Term};
use crate::StoreError;

impl Compiler<'_> {
    /// An operand, looked up.
    pub(super) fn term(&self, operand: &Operand) -> Result<Term, StoreError> {
        let computed = match operand {
            Operand::Property(path) => return self.column(path).map(Term::Column),
            Operand::Literal(literal) => {
                return Ok(scalar(literal)?.map_or(Term::Null, Term::Constant));
            }
            Operand::Arithmetic(left, operator, right) => self.arithmetic(left, *operator, right)?,
            Operand::Negate(inner) => self.negated(inner)?,
            Operand::Call(function, operands) => self.call(*function, operands)?,
            Operand::Count(path, condition) => Some(self.count(path, condition.as_deref())?),
            Operand::Condition(condition) => Some(self.value_of(condition)?),
        };
        // Where the type is unknown the value is null.
        Ok(match computed.zip(operand.ty()) {
            Some((expr, ty)) => Term::Column(Column::computed(expr, ty, operand.nullable())),
            None => Term::Null,
        })
    }

    /// An operand, looked up; a whole number as a double if that is wanted.
    pub(super) fn as_type(&self, operand: &Operand, wanted: Option<Type>) -> Result<Term, StoreError> {
        let widened = wanted == Some(Type::Double) && operand.ty() == Some(Type::Int64);
        Ok(match self.term(operand)? {
            Term::Constant(scalar) if widened => Term::Constant(scalar.double()),
            Term::Column(column) if widened => Term::Column(Column::computed(
                self.dialect.double(column.expr),
                Type::Double,
                column.nullable,
            )),
            term => term,
        })
    }

    /// An operand as an expression; `None` if it is null.
    fn expr(&self, operand: &Operand, wanted: Option<Type>) -> Result<Option<Expr>, StoreError> {
        Ok(match self.as_type(operand, wanted)? {
            Term::Null => None,
            Term::Constant(scalar) => Some(self.dialect.constant(scalar)),
            Term::Column(column) => Some(column.expr),
        })
    }

    fn arithmetic(
        &self,
        left: &Operand,
        operator: Arithmetic,
        right: &Operand,
    ) -> Result<Option<Expr>, StoreError> {
        let (left_ty, right_ty) = (left.ty(), right.ty());
        let result = operator.ty(left_ty, right_ty).ok_or_else(misfit)?;
        let (numbers, wanted) = match result {
            Type::Double => (Numbers::Double, Some(Type::Double)),
            Type::DateTimeOffset => (Numbers::Moment, None),
            _ => (Numbers::Whole, None),
        };
        let operands = self.expr(left, wanted)?.zip(self.expr(right, wanted)?);
        Ok(operands.map(|(left, right)| self.dialect.arithmetic(operator, numbers, left, right)))
    }

    fn negated(&self, operand: &Operand) -> Result<Option<Expr>, StoreError> {
        let numbers = match operand.ty() {
            None => return Ok(None),
            Some(Type::Int64 | Type::Duration) => Numbers::Whole,
            Some(Type::Double) => Numbers::Double,
            Some(_) => return Err(misfit()),
        };
        Ok(self.expr(operand, None)?.map(|expr| self.dialect.negated(numbers, expr)))
    }

    fn call(&self, function: Function, operands: &[Operand]) -> Result<Option<Expr>, StoreError> {
        let of_doubles = matches!(function, Function::Round | Function::Floor | Function::Ceiling);
        let wanted = of_doubles.then_some(Type::Double);
        if !function.operands().contains(&operands.len()) {
            return Err(misfit());
        }
        let exprs = operands.iter().enumerate().map(|(place, operand)| {
            let ty = operand.ty();
            let is_widened = ty == Some(Type::Int64) && of_doubles;
            if !is_widened && ty.is_some_and(|ty| !function.operand_types(place).contains(&ty)) {
                return Err(misfit());
            }
            let expr = self.expr(operand, wanted)?;
            // A day is its first moment to those who ask for a part of it.
            let is_day = ty == Some(Type::Date);
            Ok(expr.map(|expr| if is_day { expr.mul(whole(MICROSECONDS_OF_DAY)) } else { expr }))
        });
        let exprs = exprs.collect::<Result<Vec<_>, StoreError>>()?;
        let exprs: Option<Vec<Expr>> = exprs.into_iter().collect();
        Ok(exprs.and_then(|exprs| self.called(function, exprs)))
    }

    fn called(&self, function: Function, operands: Vec<Expr>) -> Option<Expr> {
        let primitive = match function {
            Function::Length => Primitive::Length,
            Function::IndexOf => Primitive::IndexOf,
            Function::Substring => Primitive::Substring,
            Function::ToLower => Primitive::ToLower,
            Function::ToUpper => Primitive::ToUpper,
            Function::Trim => Primitive::Trim,
            Function::Concat => Primitive::Concat,
            Function::Year => Primitive::Year,
            Function::Month => Primitive::Month,
            Function::Day => Primitive::Day,
            Function::Date => Primitive::Date,
            Function::Round => Primitive::Round,
            Function::Floor => Primitive::Floor,
            Function::Ceiling => Primitive::Ceiling,
            Function::Hour
            | Function::Minute
            | Function::Second
            | Function::FractionalSeconds
            | Function::Time
            | Function::TotalOffsetMinutes
            | Function::TotalSeconds => {
                return operands.into_iter().next().map(|moment| self.of_time(function, moment));
            }
        };
        Some(self.dialect.call(primitive, operands))
    }

    /// What is arithmetic in every database.
    fn of_time(&self, function: Function, moment: Expr) -> Expr {
        let seconds = |microseconds: Expr| self.dialect.double(microseconds).div(Expr::cust("1000000.0"));
        // Before 1970 a remainder is negative, so a day is added and taken away again.
        let time = || {
            let since_midnight = moment.clone().modulo(whole(MICROSECONDS_OF_DAY));
            since_midnight.add(whole(MICROSECONDS_OF_DAY)).modulo(whole(MICROSECONDS_OF_DAY))
        };
        match function {
            Function::Hour => time().div(whole(60 * 60 * 1_000_000)),
            Function::Minute => time().div(whole(60 * 1_000_000)).modulo(whole(60)),
            Function::Second => time().div(whole(1_000_000)).modulo(whole(60)),
            Function::FractionalSeconds => seconds(time().modulo(whole(1_000_000))),
            Function::Time => time(),
            Function::TotalSeconds => seconds(moment),
            // Times are in UTC; of null it is null.
            _ => moment.mul(whole(0)),
        }
    }
}

const MICROSECONDS_OF_DAY: i64 = 24 * 60 * 60 * 1_000_000;

/// A literal as it is bound; `None` for null.
///
/// A NUL is refused: no text of PostgreSQL holds one, so databases would answer differently.
pub(super) fn scalar(literal: &Literal) -> Result<Option<Scalar>, StoreError> {
    if matches!(literal, Literal::String(text) if text.contains('\0')) {
        return Err(StoreError::Unsupported(
            "the character U+0000 cannot be filtered by; leave it out of the text".to_owned(),
        ));
    }
    Scalar::of(literal)
}

/// A number that is the same in every statement, so it need not be bound.
fn whole(number: i64) -> Expr {
    Expr::cust(number.to_string())
}

fn misfit() -> StoreError {
    StoreError::Unsupported("a function or operator is used on values of another type".to_owned())
}
