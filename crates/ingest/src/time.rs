//! Reads the points in time that Azure writes, in all their spellings.

use chrono::NaiveDate;

/// A point in time: microseconds since 1970 in UTC, and the nanoseconds beyond.
///
/// Tables keep microseconds; hashes take the whole, since Azure's clocks tick in 100 nanoseconds and
/// two events may differ in nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Instant {
    pub(crate) micros: i64,
    pub(crate) nanos_beyond: u16,
}

const SECOND: i64 = 1_000_000;
const DAY: i64 = 86_400 * SECOND;
/// Azure was announced in 2008; nothing it logged is older.
const EARLIEST: i64 = 1_199_145_600 * SECOND;
/// The start of 2100. A later time is a mistake, and would make a partition of its own.
const LATEST: i64 = 4_102_444_800 * SECOND;
/// Days from the first day of the common era to 1970.
const EPOCH_DAYS_FROM_CE: i32 = 719_163;

impl Instant {
    /// A point in time that can be an event's: between 2008 and 2100.
    pub(crate) fn from_micros(micros: i64, nanos_beyond: u16) -> Option<Self> {
        (EARLIEST..LATEST).contains(&micros).then_some(Self { micros, nanos_beyond })
    }

    /// The time that a record gives for itself, or why it gives none; `missing` names the members that it
    /// lacks.
    pub(crate) fn of_record(text: Option<&str>, missing: &str) -> Result<Self, String> {
        let text = text.ok_or_else(|| format!("no time: {missing}; export the record again with it"))?;
        Self::parse(text).ok_or_else(|| {
            let shown: String = text.chars().take(60).collect();
            format!("unusable time `{shown}`: ISO 8601 between 2008 and 2100 is expected, such as 2031-02-03T04:05:06Z")
        })
    }

    /// Reads a count since 1970 whose unit (seconds to nanoseconds) shows in its magnitude, or one of the ticks
    /// of .NET: 100 nanoseconds each, since the year 1. As nanoseconds since 1970 those of 2008 to 2100 would
    /// lie in 1990, so the two cannot be mixed up.
    pub(crate) fn from_epoch(count: i64) -> Option<Self> {
        // Each limit is in the year 5138 of the smaller unit and in 1973 of the larger.
        const MILLIS_FROM: i64 = 100_000_000_000;
        const MICROS_FROM: i64 = 1000 * MILLIS_FROM;
        const NANOS_FROM: i64 = 1000 * MICROS_FROM;
        const TICKS_TO_1970: i64 = 621_355_968_000_000_000;
        const TICKS_TO_2100: i64 = TICKS_TO_1970 + LATEST * 10;
        if (TICKS_TO_1970..TICKS_TO_2100).contains(&count) {
            let ticks = count - TICKS_TO_1970;
            return Self::from_micros(ticks / 10, (ticks % 10 * 100) as u16);
        }
        if count < MILLIS_FROM {
            Self::from_micros(count.checked_mul(SECOND)?, 0)
        } else if count < MICROS_FROM {
            Self::from_micros(count * 1000, 0)
        } else if count < NANOS_FROM {
            Self::from_micros(count, 0)
        } else {
            Self::from_micros(count / 1000, (count % 1000) as u16)
        }
    }

    /// Reads ISO 8601 with `T` or a space, any number of fractional digits, `Z`, an offset or
    /// neither (then UTC); a date alone; or a count since 1970.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let bytes = text.trim().as_bytes();
        if bytes.len() >= 9 && bytes.iter().all(u8::is_ascii_digit) {
            return Self::from_epoch(text.trim().parse().ok()?);
        }
        let (year, month, day) = match bytes.get(..10)? {
            [y @ .., b'-', m1, m2, b'-', d1, d2] => (digits(y)?, digits(&[*m1, *m2])?, digits(&[*d1, *d2])?),
            _ => return None,
        };
        let midnight = day_micros(year, month, day)?;
        let rest = &bytes[10..];
        let Some((b'T' | b't' | b' ', clock)) = rest.split_first() else {
            return if rest.is_empty() || rest == b"Z" { Self::from_micros(midnight, 0) } else { None };
        };
        let (of_day, nanos_beyond) = clock_micros(clock)?;
        Self::from_micros(midnight + of_day, nanos_beyond)
    }

    /// The UTC day, as days since 1970.
    pub(crate) fn day(self) -> i32 {
        // The range of an instant keeps its day far below 2^31.
        self.micros.div_euclid(DAY) as i32
    }
}

/// Microseconds since 1970 of the start of a day.
pub(crate) fn day_micros(year: u32, month: u32, day: u32) -> Option<i64> {
    use chrono::Datelike;
    let date = NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day)?;
    Some(i64::from(date.num_days_from_ce() - EPOCH_DAYS_FROM_CE) * DAY)
}

/// A number of digits only.
pub(crate) fn digits(bytes: &[u8]) -> Option<u32> {
    if bytes.is_empty() || bytes.len() > 9 {
        return None;
    }
    bytes
        .iter()
        .try_fold(0u32, |number, byte| byte.is_ascii_digit().then(|| number * 10 + u32::from(byte - b'0')))
}

/// Microseconds (and nanoseconds beyond) of `HH:MM[:SS[.f…]]` and an offset.
fn clock_micros(clock: &[u8]) -> Option<(i64, u16)> {
    let end_of_clock = clock.iter().position(|byte| !matches!(byte, b'0'..=b'9' | b':' | b'.' | b','));
    let (clock, offset) = clock.split_at(end_of_clock.unwrap_or(clock.len()));
    let (hour, minute) = (digits(clock.get(..2)?)?, digits(clock.get(3..5)?)?);
    if clock[2] != b':' || hour > 23 || minute > 59 {
        return None;
    }
    let (second, fraction): (u32, &[u8]) = match clock.get(5..)? {
        [] => (0, &[]),
        [b':', s1, s2] => (digits(&[*s1, *s2])?, &[]),
        [b':', s1, s2, b'.' | b',', fraction @ ..] => (digits(&[*s1, *s2])?, fraction),
        _ => return None,
    };
    // A leap second counts as the second before it ends.
    let second = if second == 60 { 59 } else { second };
    if second > 59 {
        return None;
    }
    let mut nanos: u32 = 0;
    for at in 0..9 {
        let digit = match fraction.get(at) {
            Some(digit) if digit.is_ascii_digit() => u32::from(digit - b'0'),
            Some(_) => return None,
            None => 0,
        };
        nanos = nanos * 10 + digit;
    }
    let seconds = i64::from(hour * 3600 + minute * 60 + second) - offset_seconds(offset)?;
    Some((seconds * SECOND + i64::from(nanos / 1000), (nanos % 1000) as u16))
}

/// Seconds east of UTC of `Z`, `+HH:MM`, `+HHMM`, `+HH`, ` UTC` or nothing.
fn offset_seconds(offset: &[u8]) -> Option<i64> {
    let (sign, offset) = match offset {
        [] | b"Z" | b"z" | b" UTC" | b" Z" => return Some(0),
        [b'+', rest @ ..] => (1, rest),
        [b'-', rest @ ..] => (-1, rest),
        _ => return None,
    };
    let (hours, minutes) = match offset {
        [h1, h2] => (digits(&[*h1, *h2])?, 0),
        [h1, h2, m1, m2] | [h1, h2, b':', m1, m2] => (digits(&[*h1, *h2])?, digits(&[*m1, *m2])?),
        _ => return None,
    };
    (hours <= 14 && minutes <= 59).then(|| sign * i64::from(hours * 3600 + minutes * 60))
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;

    #[test]
    fn spellings_of_a_time() {
        let check = |text: &str, expected: Option<&str>| {
            let found = Instant::parse(text).map(|instant| {
                let time = DateTime::from_timestamp_micros(instant.micros).unwrap();
                format!("{}+{}", time.format("%FT%T%.6f"), instant.nanos_beyond)
            });
            assert_eq!(found.as_deref(), expected, "{text}");
        };
        check("2031-02-03T04:05:06.7890123Z", Some("2031-02-03T04:05:06.789012+300"));
        check("2031-02-03 04:05:06.789", Some("2031-02-03T04:05:06.789000+0"));
        check("2024-12-10 14:33:09.049661100", Some("2024-12-10T14:33:09.049661+100"));
        check("2031-02-03T04:05:06+02:00", Some("2031-02-03T02:05:06.000000+0"));
        check("2031-02-03T04:05:06-0130", Some("2031-02-03T05:35:06.000000+0"));
        check("2031-02-03T04:05Z", Some("2031-02-03T04:05:00.000000+0"));
        check("2031-02-03", Some("2031-02-03T00:00:00.000000+0"));
        check("1927000000", Some("2031-01-24T05:46:40.000000+0"));
        check("1927000000123", Some("2031-01-24T05:46:40.123000+0"));
        check("640634547061234567", Some("2031-02-03T04:05:06.123456+700"));
        check("640000000000000000000", None);
        check("0001-01-01T00:00:00", None);
        check("2131-01-01T00:00:00Z", None);
        check("2031-02-30T00:00:00Z", None);
        check("2031-02-03T24:00:00Z", None);
        check("2031-02-03Tnoon", None);
        check("2031-02-03T04:05:06.12x", None);
        check("yesterday", None);
        check("ääääääääää", None);
        check("", None);
    }
}
