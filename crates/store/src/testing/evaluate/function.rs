//! The functions over values that are not null.

use chrono::{DateTime, Datelike, Timelike, Utc};
use odata::checked::Function;

use super::{Item, microseconds};

pub(super) fn called(function: Function, operands: &[Item]) -> Option<Item> {
    match (function, operands) {
        (Function::Length, [Item::Text(text)]) => Some(length(text)),
        (Function::IndexOf, [Item::Text(text), Item::Text(part)]) => {
            Some(text.find(part).map_or(Item::Whole(-1), |at| length(&text[..at])))
        }
        (Function::Substring, [Item::Text(text), Item::Whole(start)]) => {
            Some(Item::Text(text.chars().skip(letters(*start)).collect()))
        }
        (Function::Substring, [Item::Text(text), Item::Whole(start), Item::Whole(count)]) => {
            Some(Item::Text(text.chars().skip(letters(*start)).take(letters(*count)).collect()))
        }
        (Function::ToLower, [Item::Text(text)]) => Some(Item::Text(text.to_lowercase())),
        (Function::ToUpper, [Item::Text(text)]) => Some(Item::Text(text.to_uppercase())),
        (Function::Trim, [Item::Text(text)]) => Some(Item::Text(text.trim().to_owned())),
        (Function::Concat, [Item::Text(first), Item::Text(second)]) => {
            Some(Item::Text(format!("{first}{second}")))
        }
        (Function::Round | Function::Floor | Function::Ceiling, [whole @ Item::Whole(_)]) => {
            called(function, &[whole.clone().widened()])
        }
        (Function::Round, [Item::Double(number)]) => Some(Item::Double(number.round())),
        (Function::Floor, [Item::Double(number)]) => Some(Item::Double(number.floor())),
        (Function::Ceiling, [Item::Double(number)]) => Some(Item::Double(number.ceil())),
        #[expect(clippy::cast_precision_loss, reason = "a double is what is asked for")]
        (Function::TotalSeconds, [Item::Duration(length)]) => Some(Item::Double(*length as f64 / 1e6)),
        (_, [Item::Moment(at)]) => of_moment(function, moment(*at)?),
        (_, [Item::Day(day)]) => of_moment(function, moment(day * 24 * 60 * 60 * 1_000_000)?),
        (_, [Item::Time(time)]) => of_moment(function, moment(*time)?),
        _ => None,
    }
}

fn of_moment(function: Function, at: DateTime<Utc>) -> Option<Item> {
    let whole = |value: u32| Some(Item::Whole(value.into()));
    match function {
        Function::Year => Some(Item::Whole(at.year().into())),
        Function::Month => whole(at.month()),
        Function::Day => whole(at.day()),
        Function::Hour => whole(at.hour()),
        Function::Minute => whole(at.minute()),
        Function::Second => whole(at.second()),
        Function::FractionalSeconds => Some(Item::Double(f64::from(at.timestamp_subsec_micros()) / 1e6)),
        Function::Date => Some(Item::Day(at.date_naive().to_epoch_days().into())),
        Function::Time => Some(Item::Time(microseconds(at.time()))),
        Function::TotalOffsetMinutes => Some(Item::Whole(0)),
        _ => None,
    }
}

/// The moment, if its year has four digits.
pub(super) fn moment(microseconds: i64) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp_micros(microseconds).filter(|at| (1..=9999).contains(&at.year()))
}

fn length(text: &str) -> Item {
    Item::Whole(i64::try_from(text.chars().count()).unwrap_or(i64::MAX))
}

fn letters(number: i64) -> usize {
    usize::try_from(number).unwrap_or(0)
}
