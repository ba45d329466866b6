//! Arithmetic and functions of literals, which the check computes at once. It follows the rules of
//! [`checked`](crate::checked).

use chrono::{DateTime, Datelike, NaiveTime, TimeDelta, Timelike, Utc};

use crate::checked::{Arithmetic, Function, Literal};
use crate::literal::duration_in_range;

/// Why there is no result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoResult {
    DivisionByZero,
    OutOfRange,
}

impl NoResult {
    pub(crate) fn message(self) -> &'static str {
        match self {
            Self::DivisionByZero => "division by zero",
            Self::OutOfRange => "the result is out of range",
        }
    }
}

/// Two literals computed with. Their types are known to suit the operator.
pub(crate) fn arithmetic(left: &Literal, operator: Arithmetic, right: &Literal) -> Result<Literal, NoResult> {
    let result = match (left, right) {
        (Literal::Int(left), Literal::Int(right)) if operator != Arithmetic::DivBy => {
            return integers(*left, operator, *right).map(Literal::Int);
        }
        (Literal::DateTime(left), Literal::DateTime(right)) => {
            duration_in_range(left.signed_duration_since(*right)).map(Literal::Duration)
        }
        (Literal::DateTime(at), Literal::Duration(length)) => {
            let length = if operator == Arithmetic::Sub { -*length } else { *length };
            at.checked_add_signed(length).filter(|at| has_year(*at)).map(Literal::DateTime)
        }
        (Literal::Duration(left), Literal::Duration(right)) => {
            let right = if operator == Arithmetic::Sub { -*right } else { *right };
            left.checked_add(&right).and_then(duration_in_range).map(Literal::Duration)
        }
        (left, right) => match (number(left), number(right)) {
            (Some(left), Some(right)) => return doubles(left, operator, right).map(Literal::Double),
            _ => Some(Literal::Null),
        },
    };
    result.ok_or(NoResult::OutOfRange)
}

/// `-literal`, of a number or a duration.
pub(crate) fn negate(literal: &Literal) -> Result<Literal, NoResult> {
    Ok(match literal {
        Literal::Int(value) => Literal::Int(value.checked_neg().ok_or(NoResult::OutOfRange)?),
        Literal::Double(value) => Literal::Double(-value),
        Literal::Duration(length) => Literal::Duration(-*length),
        _ => Literal::Null,
    })
}

/// A function of literals. Their types are known to suit it; with a null among them the result is null.
pub(crate) fn call(function: Function, operands: &[Literal]) -> Literal {
    match operands {
        [Literal::String(text)] => of_text(function, text),
        [Literal::String(first), Literal::String(second)] => of_texts(function, first, second),
        [Literal::String(text), Literal::Int(start)] => Literal::String(substring(text, *start, i64::MAX)),
        [Literal::String(text), Literal::Int(start), Literal::Int(count)] => {
            Literal::String(substring(text, *start, *count))
        }
        [Literal::DateTime(at)] => of_moment(function, *at),
        [Literal::Date(day)] => of_moment(function, day.and_time(NaiveTime::MIN).and_utc()),
        [Literal::TimeOfDay(time)] => {
            of_moment(function, DateTime::<Utc>::UNIX_EPOCH.date_naive().and_time(*time).and_utc())
        }
        [Literal::Duration(length)] => Literal::Double(seconds(*length)),
        [Literal::Double(value)] => Literal::Double(match function {
            Function::Round => value.round(),
            Function::Floor => value.floor(),
            _ => value.ceil(),
        }),
        _ => Literal::Null,
    }
}

fn integers(left: i64, operator: Arithmetic, right: i64) -> Result<i64, NoResult> {
    let divides = matches!(operator, Arithmetic::Div | Arithmetic::DivBy | Arithmetic::Mod);
    if divides && right == 0 {
        return Err(NoResult::DivisionByZero);
    }
    let result = match operator {
        Arithmetic::Add => left.checked_add(right),
        Arithmetic::Sub => left.checked_sub(right),
        Arithmetic::Mul => left.checked_mul(right),
        Arithmetic::Div | Arithmetic::DivBy => left.checked_div(right),
        // The least integer mod -1 is 0, but does not pass a checked division.
        Arithmetic::Mod => Some(left.wrapping_rem(right)),
    };
    result.ok_or(NoResult::OutOfRange)
}

fn doubles(left: f64, operator: Arithmetic, right: f64) -> Result<f64, NoResult> {
    let divides = matches!(operator, Arithmetic::Div | Arithmetic::DivBy | Arithmetic::Mod);
    if divides && right == 0.0 {
        return Err(NoResult::DivisionByZero);
    }
    let result = match operator {
        Arithmetic::Add => left + right,
        Arithmetic::Sub => left - right,
        Arithmetic::Mul => left * right,
        Arithmetic::Div | Arithmetic::DivBy => left / right,
        Arithmetic::Mod => left % right,
    };
    if result.is_finite() { Ok(result) } else { Err(NoResult::OutOfRange) }
}

#[expect(clippy::cast_precision_loss, reason = "OData's promotion of an integer to a double is inexact")]
fn number(literal: &Literal) -> Option<f64> {
    match literal {
        Literal::Int(value) => Some(*value as f64),
        Literal::Double(value) => Some(*value),
        _ => None,
    }
}

fn of_text(function: Function, text: &str) -> Literal {
    match function {
        Function::Length => Literal::Int(count(text)),
        Function::ToLower => Literal::String(text.to_lowercase()),
        Function::ToUpper => Literal::String(text.to_uppercase()),
        _ => Literal::String(text.trim().to_owned()),
    }
}

fn of_texts(function: Function, first: &str, second: &str) -> Literal {
    match function {
        Function::IndexOf => Literal::Int(first.find(second).map_or(-1, |at| count(&first[..at]))),
        _ => Literal::String(format!("{first}{second}")),
    }
}

fn substring(text: &str, start: i64, length: i64) -> String {
    let start = usize::try_from(start.max(0)).unwrap_or(usize::MAX);
    let length = usize::try_from(length.max(0)).unwrap_or(usize::MAX);
    text.chars().skip(start).take(length).collect()
}

fn count(text: &str) -> i64 {
    i64::try_from(text.chars().count()).unwrap_or(i64::MAX)
}

fn of_moment(function: Function, at: DateTime<Utc>) -> Literal {
    match function {
        Function::Date => Literal::Date(at.date_naive()),
        Function::Time => Literal::TimeOfDay(at.time()),
        Function::FractionalSeconds => Literal::Double(f64::from(at.nanosecond()) / 1e9),
        Function::Year => Literal::Int(at.year().into()),
        Function::Month => Literal::Int(at.month().into()),
        Function::Day => Literal::Int(at.day().into()),
        Function::Hour => Literal::Int(at.hour().into()),
        Function::Minute => Literal::Int(at.minute().into()),
        Function::Second => Literal::Int(at.second().into()),
        _ => Literal::Int(0),
    }
}

#[expect(clippy::cast_precision_loss, reason = "seconds of 10,000 years fit a double")]
fn seconds(length: TimeDelta) -> f64 {
    length.num_seconds() as f64 + f64::from(length.subsec_nanos()) / 1e9
}

fn has_year(at: DateTime<Utc>) -> bool {
    (1..=9999).contains(&at.year())
}
