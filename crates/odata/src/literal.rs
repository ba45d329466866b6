//! Literals: from their text in a query, and back to it.

use std::fmt;

use chrono::{DateTime, Datelike, NaiveDate, NaiveTime, SecondsFormat, TimeDelta, Utc};
use uuid::Uuid;

use crate::error::ErrorKind;

/// Days that a duration may have, forwards or backwards: 10,000 years, so that it can be counted in
/// microseconds.
pub(crate) const DURATION_DAYS_MAX: i64 = 3_652_500;

/// A literal as it was written. What it means depends on what it is compared with.
#[derive(Debug, Clone, PartialEq)]
pub enum Literal {
    /// `null`
    Null,
    /// `true` or `false`
    Boolean(bool),
    /// A whole number.
    Integer(i64),
    /// A number with a fraction or an exponent; finite.
    Double(f64),
    /// A date; of the years 1 to 9999, as all dates here.
    Date(NaiveDate),
    /// A date, time and offset, kept as the moment.
    DateTime(DateTime<Utc>),
    /// A time of day without a date.
    TimeOfDay(NaiveTime),
    /// A length of time; at most 10,000 years, forwards or backwards.
    Duration(TimeDelta),
    /// A GUID without quotes.
    Guid(Uuid),
    /// A text in quotes.
    String(String),
    /// A text in quotes after the name of an enumeration.
    Enum {
        /// The qualified name.
        type_name: String,
        /// The member.
        member: String,
    },
}

impl fmt::Display for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Boolean(value) => write!(f, "{value}"),
            Self::Integer(value) => write!(f, "{value}"),
            // The debug form always has a point or an exponent, so it does not read as an integer.
            Self::Double(value) => write!(f, "{value:?}"),
            Self::Date(date) => write!(f, "{date}"),
            Self::DateTime(at) => f.write_str(&at.to_rfc3339_opts(SecondsFormat::AutoSi, true)),
            Self::TimeOfDay(time) => write!(f, "{time}"),
            Self::Duration(length) => write!(f, "duration'{length}'"),
            Self::Guid(guid) => write!(f, "{guid}"),
            Self::String(text) => write_quoted(f, text),
            Self::Enum { type_name, member } => {
                f.write_str(type_name)?;
                write_quoted(f, member)
            }
        }
    }
}

fn write_quoted(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    write!(f, "'{}'", text.replace('\'', "''"))
}

/// Why a text that looks like a literal is none: a clause, and perhaps advice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NotALiteral {
    pub(crate) kind: ErrorKind,
    pub(crate) message: &'static str,
    pub(crate) hint: Option<&'static str>,
}

impl From<&'static str> for NotALiteral {
    fn from(message: &'static str) -> Self {
        Self { kind: ErrorKind::Malformed, message, hint: None }
    }
}

/// Reads a text in quotes; the quotes are dropped and doubled ones inside are halved.
pub(crate) fn read_string(quoted: &str) -> String {
    let inner = quoted.strip_prefix('\'').unwrap_or(quoted);
    inner.strip_suffix('\'').unwrap_or(inner).replace("''", "'")
}

/// Reads an integer or a number with a fraction or an exponent.
pub(crate) fn read_number(text: &str) -> Result<Literal, NotALiteral> {
    const MALFORMED: &str = "malformed number";
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    let exponent_digits = exponent.map(|text| text.strip_prefix(['-', '+']).unwrap_or(text));
    let shaped =
        all_digits(whole) && fraction.is_none_or(all_digits) && exponent_digits.is_none_or(all_digits);
    if !shaped {
        return Err(MALFORMED.into());
    }
    if fraction.is_none() && exponent.is_none() {
        return text.parse().map(Literal::Integer).map_err(|_| "whole number out of range".into());
    }
    match text.parse::<f64>() {
        Ok(value) if value.is_finite() => Ok(Literal::Double(value)),
        Ok(_) => Err("number out of range".into()),
        Err(_) => Err(MALFORMED.into()),
    }
}

fn all_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Reads `2031-02-03`, or `2031-02-03T04:05[:06[.789]]` with `Z` or an offset; `t` and `z` may be small.
///
/// The fraction may have any number of digits; those after the ninth are dropped.
pub(crate) fn read_date(text: &str) -> Result<Literal, NotALiteral> {
    let (date, time) = match text.split_once(['T', 't']) {
        Some((date, time)) => (date, Some(time)),
        None => (text, None),
    };
    if has_other_year(date) {
        let message = "a year outside 1 to 9999 is not supported here:";
        return Err(NotALiteral { kind: ErrorKind::Unsupported, message, hint: None });
    }
    let date = read_day(date).ok_or("no such date")?;
    let Some(time) = time else { return Ok(Literal::Date(date)) };

    let zone_at = time.find(['Z', 'z', '+', '-']).ok_or(NotALiteral {
        kind: ErrorKind::Malformed,
        message: "a date and time without an offset",
        hint: Some("end it with Z, or with an offset such as +01:00, which is %2B01:00 in a URL"),
    })?;
    let (clock, zone) = time.split_at(zone_at);
    let offset = read_offset(zone).ok_or("malformed offset of a date and time")?;
    let (clock, leap) = match clock.split_once(":60") {
        Some((minutes, rest)) if minutes.len() == 5 => (format!("{minutes}:59{rest}"), TimeDelta::seconds(1)),
        _ => (clock.to_owned(), TimeDelta::zero()),
    };
    let time = read_clock(&clock).ok_or("no such time of day")?;
    // A leap second is the first of the next minute, as clocks of computers count.
    let at = date.and_time(time).and_utc().checked_add_signed(leap - offset).ok_or("date out of range")?;
    if !(1..=9999).contains(&at.year()) {
        return Err("date out of range".into());
    }
    Ok(Literal::DateTime(at))
}

fn read_day(text: &str) -> Option<NaiveDate> {
    let [year, month, day] = parts::<3>(text, '-')?;
    let date = NaiveDate::from_ymd_opt(digits(year, 4)? as i32, digits(month, 2)?, digits(day, 2)?)?;
    (date.year() >= 1).then_some(date)
}

/// Whether it is a date of OData that chrono's and SQL's calendars do not share: `0000`, `-0044`, `10000`.
fn has_other_year(text: &str) -> bool {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let Some((year, rest)) = unsigned.split_once('-') else { return false };
    let is_other = year == "0000" || year.len() > 4 && !year.starts_with('0') || text.len() > unsigned.len();
    let is_date = parts::<2>(rest, '-').is_some_and(|[month, day]| {
        digits(month, 2).is_some_and(|month| month <= 12) && digits(day, 2).is_some_and(|day| day <= 31)
    });
    year.len() >= 4 && all_digits(year) && is_other && is_date
}

/// Reads `04:05[:06[.789]]`.
pub(crate) fn read_time_of_day(text: &str) -> Result<Literal, NotALiteral> {
    read_clock(text).map(Literal::TimeOfDay).ok_or_else(|| "no such time of day".into())
}

/// Reads what stands in the quotes of a duration, such as `-P1DT2H3M4.5S`.
///
/// Years and months are no part of it, because their length varies.
pub(crate) fn read_duration(text: &str) -> Result<TimeDelta, NotALiteral> {
    const MALFORMED: NotALiteral = NotALiteral {
        kind: ErrorKind::Malformed,
        message: "malformed duration",
        hint: Some("write days, hours, minutes and seconds, such as duration'P1DT2H3M4.5S'"),
    };
    let (is_negative, rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let rest = rest.strip_prefix(['P', 'p']).ok_or(MALFORMED)?;
    let (days, clock) = match rest.split_once(['T', 't']) {
        Some((days, clock)) => (days, Some(clock)),
        None => (rest, None),
    };
    let has_parts = if let Some(clock) = clock { !clock.is_empty() } else { !days.is_empty() };
    if !has_parts {
        return Err(MALFORMED);
    }
    let (days, days_rest) = amount(days, 'D').ok_or(MALFORMED)?;
    let (hours, rest) = amount(clock.unwrap_or_default(), 'H').ok_or(MALFORMED)?;
    let (minutes, rest) = amount(rest, 'M').ok_or(MALFORMED)?;
    let (seconds, nanoseconds) = read_seconds(rest).ok_or(MALFORMED)?;
    if !days_rest.is_empty() {
        return Err(MALFORMED);
    }
    // Amounts have few enough digits that nothing overflows here.
    let seconds = ((days * 24 + hours) * 60 + minutes) * 60 + seconds;
    let length = TimeDelta::new(seconds, nanoseconds).ok_or("duration out of range")?;
    let length = if is_negative { -length } else { length };
    duration_in_range(length).ok_or_else(|| "duration out of range".into())
}

/// The duration, unless it is too long.
pub(crate) fn duration_in_range(length: TimeDelta) -> Option<TimeDelta> {
    (length.abs() <= TimeDelta::days(DURATION_DAYS_MAX)).then_some(length)
}

/// Digits that one part of a duration may have.
const AMOUNT_DIGITS_MAX: usize = 12;

/// A whole number before its unit, and what follows; 0 if the unit is not there.
fn amount(text: &str, unit: char) -> Option<(i64, &str)> {
    match text.split_once([unit, unit.to_ascii_lowercase()]) {
        Some((number, rest)) if all_digits(number) && number.len() <= AMOUNT_DIGITS_MAX => {
            Some((number.parse().ok()?, rest))
        }
        Some(_) => None,
        None => Some((0, text)),
    }
}

/// `12.5S` as seconds and nanoseconds; nothing is none.
fn read_seconds(text: &str) -> Option<(i64, u32)> {
    if text.is_empty() {
        return Some((0, 0));
    }
    let number = text.strip_suffix(['S', 's'])?;
    let (whole, fraction) =
        number.split_once('.').map_or((number, None), |(whole, rest)| (whole, Some(rest)));
    if !all_digits(whole) || whole.len() > AMOUNT_DIGITS_MAX {
        return None;
    }
    Some((whole.parse().ok()?, fraction.map_or(Some(0), read_fraction)?))
}

fn read_clock(text: &str) -> Option<NaiveTime> {
    let (hour, rest) = text.split_once(':')?;
    let (minute, second) = rest.split_once(':').unwrap_or((rest, "00"));
    let (second, nanosecond) = match second.split_once('.') {
        Some((second, fraction)) => (second, read_fraction(fraction)?),
        None => (second, 0),
    };
    NaiveTime::from_hms_nano_opt(digits(hour, 2)?, digits(minute, 2)?, digits(second, 2)?, nanosecond)
}

/// The fraction of a second in nanoseconds.
fn read_fraction(text: &str) -> Option<u32> {
    if !all_digits(text) {
        return None;
    }
    let kept = text.get(..9).unwrap_or(text);
    let value: u32 = kept.parse().ok()?;
    Some(value * 10_u32.pow(9 - u32::try_from(kept.len()).ok()?))
}

fn read_offset(text: &str) -> Option<TimeDelta> {
    if text.eq_ignore_ascii_case("z") {
        return Some(TimeDelta::zero());
    }
    let (sign, clock) = match text.split_at_checked(1)? {
        ("+", clock) => (1, clock),
        ("-", clock) => (-1, clock),
        _ => return None,
    };
    let [hour, minute] = parts::<2>(clock, ':')?;
    let (hour, minute) = (i64::from(digits(hour, 2)?), i64::from(digits(minute, 2)?));
    (hour < 24 && minute < 60).then(|| TimeDelta::minutes(sign * (hour * 60 + minute)))
}

fn parts<const N: usize>(text: &str, separator: char) -> Option<[&str; N]> {
    // One part more than wanted is asked for, so that a text with too many parts does not fit.
    text.splitn(N + 1, separator).collect::<Vec<_>>().try_into().ok()
}

/// Exactly so many digits.
fn digits(text: &str, count: usize) -> Option<u32> {
    if text.len() == count && all_digits(text) { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_and_printed() {
        let check = |text: &str, expected: &str| {
            let found = match read_number(text) {
                Ok(literal) => literal.to_string(),
                Err(error) => error.message.to_owned(),
            };
            assert_eq!(found, expected, "{text}");
        };
        check("0", "0");
        check("-5", "-5");
        check("+5", "5");
        check("9223372036854775807", "9223372036854775807");
        check("-9223372036854775808", "-9223372036854775808");
        check("9223372036854775808", "whole number out of range");
        check("1.50", "1.5");
        check("2.0", "2.0");
        check("1e3", "1000.0");
        check("1E-9", "1e-9");
        check("1.5e300", "1.5e300");
        check("1e999", "number out of range");
        for malformed in ["1.", "1e", "1e+", "1.2.3", "5L", "1_000", "0x10", "--5", "1-2"] {
            check(malformed, "malformed number");
        }
    }

    #[test]
    fn dates_are_read_and_printed_in_utc() {
        let check = |text: &str, expected: &str| {
            let found = match read_date(text) {
                Ok(literal) => literal.to_string(),
                Err(error) => error.message.to_owned(),
            };
            assert_eq!(found, expected, "{text}");
        };
        check("2031-02-03", "2031-02-03");
        check("2031-02-03T04:05Z", "2031-02-03T04:05:00Z");
        check("2031-02-03t04:05:06z", "2031-02-03T04:05:06Z");
        check("2031-02-03T04:05:06.7Z", "2031-02-03T04:05:06.700Z");
        check("2031-02-03T04:05:06.123456789999Z", "2031-02-03T04:05:06.123456789Z");
        check("2031-02-03T00:05:06+01:30", "2031-02-02T22:35:06Z");
        check("2031-02-03T23:05:06-01:00", "2031-02-04T00:05:06Z");
        check("2028-02-29", "2028-02-29");
        check("2031-02-29", "no such date");
        check("2031-2-3", "no such date");
        for other in ["0000-01-01", "20311-01-01", "-0044-03-15", "-10000-04-01T00:00Z"] {
            check(other, "a year outside 1 to 9999 is not supported here:");
        }
        check("2031-02-03-04", "no such date");
        check("0001-01-01T00:00:00+01:00", "date out of range");
        check("9999-12-31T23:00:00-01:00", "date out of range");
        check("2031-02-03T04:05:06", "a date and time without an offset");
        check("2031-02-03T04Z", "no such time of day");
        check("2031-02-03T24:00:00Z", "no such time of day");
        check("2031-02-03T04:05:60Z", "2031-02-03T04:06:00Z");
        check("2031-02-03T04:05:61Z", "no such time of day");
        check("2031-02-03T04:05:60.5Z", "2031-02-03T04:06:00.500Z");
        check("2031-02-03T04:05:06.Z", "no such time of day");
        check("2031-02-03T04:05:06+0100", "malformed offset of a date and time");
        check("2031-02-03T04:05:06+24:00", "malformed offset of a date and time");
        check("2031-02-03T04:05:06Zulu", "malformed offset of a date and time");
    }

    #[test]
    fn durations_are_read_and_printed() {
        let check = |text: &str, expected: &str| {
            let found = match read_duration(text) {
                Ok(length) => Literal::Duration(length).to_string(),
                Err(error) => error.message.to_owned(),
            };
            assert_eq!(found, expected, "{text}");
        };
        check("PT24H", "duration'PT86400S'");
        check("P1D", "duration'PT86400S'");
        check("-P6DT23H59M59.9999S", "duration'-PT604799.9999S'");
        check("pt1.5s", "duration'PT1.5S'");
        check("PT0S", "duration'P0D'");
        check("P3652500D", "duration'PT315576000000S'");
        check("P3652501D", "duration out of range");
        check("PT999999999999H", "duration out of range");
        for malformed in [
            "", "P", "PT", "P1DT", "1D", "+P1D", "P1Y", "P1M", "P1.5D", "PT1M1H", "PT1S1", "P1H", "PT-1S",
            "--P1D", "PT.5S",
        ] {
            check(malformed, "malformed duration");
        }
    }

    #[test]
    fn quotes_are_doubled_and_halved() {
        assert_eq!(read_string("'it''s'"), "it's");
        assert_eq!(read_string("''''"), "'");
        assert_eq!(read_string("''"), "");
        assert_eq!(Literal::String("it's".into()).to_string(), "'it''s'");
    }
}
