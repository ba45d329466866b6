//! Literals of the query language as values of the database, and back.

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Timelike, Utc};
use odata::checked::Literal;
use odata::model::Type;
use sea_query::Value;

use crate::StoreError;
use crate::model::{rank, ranked_member};

/// A value as it is stored and compared; never null.
#[derive(Debug, Clone, PartialEq, PartialOrd)]
pub(crate) enum Scalar {
    /// Text; compared byte by byte.
    Text(String),
    /// A whole number or a rank; a moment in microseconds since 1970, a day in days since then; a time
    /// of day or a duration in microseconds.
    Int(i64),
    /// A number with a fraction.
    Double(f64),
    /// True or false.
    Bool(bool),
}

impl Scalar {
    /// How a literal is stored; `None` for null.
    pub(crate) fn of(literal: &Literal) -> Result<Option<Self>, StoreError> {
        Ok(Some(match literal {
            Literal::Null => return Ok(None),
            Literal::String(text) => Self::Text(text.clone()),
            Literal::Boolean(value) => Self::Bool(*value),
            Literal::Int(value) => Self::Int(*value),
            Literal::Double(value) => Self::Double(*value),
            Literal::DateTime(at) => Self::Int(microseconds(*at)),
            Literal::Date(day) => Self::Int(days(*day)),
            Literal::TimeOfDay(time) => Self::Int(microseconds_of_day(*time)),
            Literal::Duration(length) => Self::Int(length.num_microseconds().ok_or_else(|| {
                StoreError::Unsupported("a duration of more than 290,000 years is too long".to_owned())
            })?),
            Literal::Enum(enumeration, index) => {
                let member = enumeration.members.get(*index).ok_or_else(|| {
                    StoreError::Unsupported(format!("{} has no member number {index}", enumeration.name))
                })?;
                rank(enumeration, member).map_or_else(|| Self::Text((*member).to_owned()), Self::Int)
            }
        }))
    }

    /// The value as a double if it is a number.
    #[expect(clippy::cast_precision_loss, reason = "whole numbers beside doubles are doubles in OData")]
    pub(crate) fn double(self) -> Self {
        match self {
            Self::Int(value) => Self::Double(value as f64),
            other @ (Self::Text(_) | Self::Double(_) | Self::Bool(_)) => other,
        }
    }

    /// The literal of that type that is stored so.
    pub(crate) fn literal(self, ty: Type) -> Result<Literal, StoreError> {
        let literal = match (ty, self) {
            (Type::String, Self::Text(text)) => Some(Literal::String(text)),
            (Type::Boolean, Self::Bool(value)) => Some(Literal::Boolean(value)),
            (Type::Boolean, Self::Int(value)) => Some(Literal::Boolean(value != 0)),
            (Type::Int64, Self::Int(value)) => Some(Literal::Int(value)),
            (Type::Double, Self::Double(value)) => Some(Literal::Double(value)),
            (Type::Date, Self::Int(value)) => {
                i32::try_from(value).ok().and_then(NaiveDate::from_epoch_days).map(Literal::Date)
            }
            (Type::TimeOfDay, Self::Int(value)) => time_of_day(value).map(Literal::TimeOfDay),
            (Type::Duration, Self::Int(value)) => Some(Literal::Duration(TimeDelta::microseconds(value))),
            (Type::DateTimeOffset, Self::Int(value)) => {
                DateTime::from_timestamp_micros(value).map(Literal::DateTime)
            }
            (Type::Enum(enumeration), Self::Int(value)) => {
                ranked_member(enumeration, value).map(|index| Literal::Enum(enumeration, index))
            }
            (Type::Enum(enumeration), Self::Text(text)) => enumeration
                .members
                .iter()
                .position(|member| *member == text)
                .map(|index| Literal::Enum(enumeration, index)),
            _ => None,
        };
        literal
            .ok_or_else(|| StoreError::Damaged { what: format!("a column does not hold a value of {ty:?}") })
    }
}

/// Whether a literal can be compared with a value of that type.
pub(crate) fn fits(literal: &Literal, ty: Type) -> bool {
    match (literal, ty) {
        (Literal::Null, _)
        | (Literal::String(_), Type::String)
        | (Literal::Boolean(_), Type::Boolean)
        | (Literal::Int(_) | Literal::Double(_), Type::Int64 | Type::Double)
        | (Literal::DateTime(_), Type::DateTimeOffset)
        | (Literal::Date(_), Type::Date)
        | (Literal::TimeOfDay(_), Type::TimeOfDay)
        | (Literal::Duration(_), Type::Duration) => true,
        (Literal::Enum(found, _), Type::Enum(wanted)) => *found == wanted,
        _ => false,
    }
}

/// A time as it is stored: microseconds since 1970 in UTC; what is finer is cut off.
pub(crate) fn microseconds(at: DateTime<Utc>) -> i64 {
    at.timestamp_micros()
}

/// A day as it is computed with: days since 1970-01-01.
fn days(day: NaiveDate) -> i64 {
    i64::from(day.to_epoch_days())
}

/// A time of day as it is computed with: microseconds since midnight; what is finer is cut off.
fn microseconds_of_day(time: NaiveTime) -> i64 {
    i64::from(time.num_seconds_from_midnight()) * 1_000_000 + i64::from(time.nanosecond() / 1_000)
}

fn time_of_day(microseconds: i64) -> Option<NaiveTime> {
    let seconds = u32::try_from(microseconds.div_euclid(1_000_000)).ok()?;
    let nanoseconds = u32::try_from(microseconds.rem_euclid(1_000_000)).ok()? * 1_000;
    NaiveTime::from_num_seconds_from_midnight_opt(seconds, nanoseconds)
}

impl From<Scalar> for Value {
    fn from(scalar: Scalar) -> Self {
        match scalar {
            Scalar::Text(text) => text.into(),
            Scalar::Int(value) => value.into(),
            Scalar::Double(value) => value.into(),
            Scalar::Bool(value) => value.into(),
        }
    }
}
