//! The types of operands, operators and functions, and what may be null.

use std::ops::RangeInclusive;

use super::{Arithmetic, Filter, Function, Literal, Operand};
use crate::model::Type;

impl Operand {
    /// The type of the value; `None` for the literal null, which has any.
    #[must_use]
    pub fn ty(&self) -> Option<Type> {
        match self {
            Self::Property(path) => Some(path.ty),
            Self::Literal(literal) => literal.ty(),
            Self::Arithmetic(left, operator, right) => operator.ty(left.ty(), right.ty()),
            Self::Negate(operand) => operand.ty(),
            Self::Call(function, _) => Some(function.result()),
            Self::Count(..) => Some(Type::Int64),
            Self::Condition(_) => Some(Type::Boolean),
        }
    }

    /// Whether the value may be null.
    #[must_use]
    pub fn nullable(&self) -> bool {
        match self {
            Self::Property(path) => path.nullable,
            Self::Literal(literal) => *literal == Literal::Null,
            // The result may not exist.
            Self::Arithmetic(..) | Self::Negate(_) => true,
            Self::Call(_, operands) => operands.iter().any(Self::nullable),
            Self::Count(..) => false,
            Self::Condition(condition) => condition.nullable(),
        }
    }
}

impl Filter {
    /// Whether it may be null.
    #[must_use]
    pub fn nullable(&self) -> bool {
        match self {
            Self::And(left, right) | Self::Or(left, right) => left.nullable() || right.nullable(),
            Self::Not(inner) => inner.nullable(),
            Self::Text(_, text, part) => text.nullable() || part.nullable(),
            Self::Is(operand) => operand.nullable(),
            Self::Compare(..) | Self::In(..) | Self::Any(..) | Self::All(..) => false,
        }
    }
}

impl Literal {
    /// The type; `None` for null, which has any.
    #[must_use]
    pub fn ty(&self) -> Option<Type> {
        Some(match self {
            Self::Null => return None,
            Self::String(_) => Type::String,
            Self::Boolean(_) => Type::Boolean,
            Self::Int(_) => Type::Int64,
            Self::Double(_) => Type::Double,
            Self::DateTime(_) => Type::DateTimeOffset,
            Self::Date(_) => Type::Date,
            Self::TimeOfDay(_) => Type::TimeOfDay,
            Self::Duration(_) => Type::Duration,
            Self::Enum(enumeration, _) => Type::Enum(enumeration),
        })
    }
}

impl Arithmetic {
    /// The type of the result; `None` if the operands cannot be computed with so. Null, which is `None`
    /// here, takes the type of the other side, and is a number beside null.
    #[must_use]
    pub fn ty(self, left: Option<Type>, right: Option<Type>) -> Option<Type> {
        let is_duration_step = matches!(self, Self::Add | Self::Sub);
        match (left, right) {
            (None, None) => Some(Type::Int64),
            (None, Some(Type::Duration)) | (Some(Type::Duration), None) if is_duration_step => {
                Some(Type::Duration)
            }
            (Some(Type::DateTimeOffset), None) if is_duration_step => Some(Type::DateTimeOffset),
            (Some(Type::DateTimeOffset), Some(Type::Duration)) if is_duration_step => {
                Some(Type::DateTimeOffset)
            }
            (Some(Type::DateTimeOffset), Some(Type::DateTimeOffset)) if self == Self::Sub => {
                Some(Type::Duration)
            }
            (Some(Type::Duration), Some(Type::Duration)) if is_duration_step => Some(Type::Duration),
            (left, right) => {
                let both_are =
                    |wanted: &[Type]| [left, right].into_iter().flatten().all(|ty| wanted.contains(&ty));
                if both_are(&[Type::Int64]) && self != Self::DivBy {
                    Some(Type::Int64)
                } else {
                    both_are(&[Type::Int64, Type::Double]).then_some(Type::Double)
                }
            }
        }
    }
}

impl Function {
    /// The name as OData writes it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Length => "length",
            Self::IndexOf => "indexof",
            Self::Substring => "substring",
            Self::ToLower => "tolower",
            Self::ToUpper => "toupper",
            Self::Trim => "trim",
            Self::Concat => "concat",
            Self::Year => "year",
            Self::Month => "month",
            Self::Day => "day",
            Self::Hour => "hour",
            Self::Minute => "minute",
            Self::Second => "second",
            Self::FractionalSeconds => "fractionalseconds",
            Self::Date => "date",
            Self::Time => "time",
            Self::TotalOffsetMinutes => "totaloffsetminutes",
            Self::TotalSeconds => "totalseconds",
            Self::Round => "round",
            Self::Floor => "floor",
            Self::Ceiling => "ceiling",
        }
    }

    /// How many operands it takes.
    #[must_use]
    pub fn operands(self) -> RangeInclusive<usize> {
        match self {
            Self::IndexOf | Self::Concat => 2..=2,
            Self::Substring => 2..=3,
            Self::Length
            | Self::ToLower
            | Self::ToUpper
            | Self::Trim
            | Self::Year
            | Self::Month
            | Self::Day
            | Self::Hour
            | Self::Minute
            | Self::Second
            | Self::FractionalSeconds
            | Self::Date
            | Self::Time
            | Self::TotalOffsetMinutes
            | Self::TotalSeconds
            | Self::Round
            | Self::Floor
            | Self::Ceiling => 1..=1,
        }
    }

    /// The types that the operand of that place, counted from 0, may have.
    #[must_use]
    pub fn operand_types(self, place: usize) -> &'static [Type] {
        match (self, place) {
            (Self::Substring, 1..) => &[Type::Int64],
            (
                Self::Length
                | Self::IndexOf
                | Self::Substring
                | Self::ToLower
                | Self::ToUpper
                | Self::Trim
                | Self::Concat,
                _,
            ) => &[Type::String],
            (Self::Year | Self::Month | Self::Day, _) => &[Type::DateTimeOffset, Type::Date],
            (Self::Hour | Self::Minute | Self::Second | Self::FractionalSeconds, _) => {
                &[Type::DateTimeOffset, Type::TimeOfDay]
            }
            (Self::Date | Self::Time | Self::TotalOffsetMinutes, _) => &[Type::DateTimeOffset],
            (Self::TotalSeconds, _) => &[Type::Duration],
            (Self::Round | Self::Floor | Self::Ceiling, _) => &[Type::Double],
        }
    }

    /// The type of the result.
    #[must_use]
    pub fn result(self) -> Type {
        match self {
            Self::Length
            | Self::IndexOf
            | Self::Year
            | Self::Month
            | Self::Day
            | Self::Hour
            | Self::Minute
            | Self::Second
            | Self::TotalOffsetMinutes => Type::Int64,
            Self::Substring | Self::ToLower | Self::ToUpper | Self::Trim | Self::Concat => Type::String,
            Self::FractionalSeconds | Self::TotalSeconds | Self::Round | Self::Floor | Self::Ceiling => {
                Type::Double
            }
            Self::Date => Type::Date,
            Self::Time => Type::TimeOfDay,
        }
    }
}
