//! Dates of cost records: ISO, digits only, or with slashes in one of two orders.

use super::headers::Column;
use super::memo::Memo;
use super::record::Record;
use crate::time::{Instant, day_micros, digits};

/// Which part of a date with slashes comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SlashOrder {
    MonthFirst,
    DayFirst,
}

/// Reads the dates of one file.
pub(super) struct Dates {
    /// Told by the first record that can tell.
    order: Option<SlashOrder>,
    read: Memo<Option<Instant>>,
}

impl Dates {
    pub(super) fn new() -> Self {
        Self { order: None, read: Memo::new(None) }
    }

    /// When a record's charge began.
    pub(super) fn read<'a>(&mut self, record: &impl Record<'a>) -> Result<Instant, String> {
        if let Some(at) = record.time(Column::Date) {
            return at.ok_or_else(|| "a date that is not between 2008 and 2100".to_owned());
        }
        let Some(text) = record.text(Column::Date) else {
            return Err("no date, so the line belongs to no day; fill its date column".to_owned());
        };
        if self.order.is_none() && text.contains('/') {
            let found = record.text(Column::PeriodEnd).and_then(slash_order).or_else(|| slash_order(text));
            if found.is_some() {
                self.order = found;
                self.read = Memo::new(None);
            }
        }
        let order = self.order.unwrap_or(SlashOrder::MonthFirst);
        self.read.get(text, |text| parse_date(text, order)).ok_or_else(|| {
            let shown: String = text.chars().take(40).collect();
            let expected = match order {
                SlashOrder::MonthFirst => "MM/DD/YYYY",
                SlashOrder::DayFirst => "DD/MM/YYYY",
            };
            format!(
                "unusable date `{shown}`: YYYY-MM-DD or {expected}, as elsewhere in this file, is expected"
            )
        })
    }
}

/// Which order a date with slashes must be in, if it can tell: its day is above 12.
fn slash_order(text: &str) -> Option<SlashOrder> {
    let mut parts = text.split('/').map(|part| digits(part.as_bytes()));
    match (parts.next()??, parts.next()??) {
        (13..=31, _) => Some(SlashOrder::DayFirst),
        (_, 13..=31) => Some(SlashOrder::MonthFirst),
        _ => None,
    }
}

fn parse_date(text: &str, order: SlashOrder) -> Option<Instant> {
    let day = text.split([' ', 'T']).next().unwrap_or(text);
    if let Some((first, rest)) = day.split_once('/') {
        // A time of day, which some files have beside such a date, is always midnight.
        let (second, year) = rest.split_once('/')?;
        let [first, second] = [first, second].map(|part| digits(part.as_bytes()));
        let (month, day) = match order {
            SlashOrder::MonthFirst => (first?, second?),
            SlashOrder::DayFirst => (second?, first?),
        };
        return Instant::from_micros(day_micros(digits(year.as_bytes())?, month, day)?, 0);
    }
    if let [year @ .., m1, m2, d1, d2] = day.as_bytes()
        && day.len() == 8
    {
        return Instant::from_micros(
            day_micros(digits(year)?, digits(&[*m1, *m2])?, digits(&[*d1, *d2])?)?,
            0,
        );
    }
    // A count since 1970 is no date. FOCUS may have hours.
    if day.contains('-') { Instant::parse(text) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates() {
        use SlashOrder::{DayFirst, MonthFirst};
        let check = |text: &str, order: SlashOrder, expected: Option<&str>| {
            let found = parse_date(text, order).map(|at| {
                chrono::DateTime::from_timestamp_micros(at.micros).unwrap().format("%F %R").to_string()
            });
            assert_eq!(found.as_deref(), expected, "{text}");
        };
        check("02/03/2031", MonthFirst, Some("2031-02-03 00:00"));
        check("02/03/2031", DayFirst, Some("2031-03-02 00:00"));
        check("2/3/2031 12:00:00 AM", MonthFirst, Some("2031-02-03 00:00"));
        check("2031-02-03", MonthFirst, Some("2031-02-03 00:00"));
        check("2031-02-03T00:00:00Z", DayFirst, Some("2031-02-03 00:00"));
        check("2031-02-03 22:00:00", MonthFirst, Some("2031-02-03 22:00"));
        check("2031-02-03T22:00Z", MonthFirst, Some("2031-02-03 22:00"));
        check("20310203", MonthFirst, Some("2031-02-03 00:00"));
        check("13/01/2031", MonthFirst, None);
        check("1927000000", MonthFirst, None);
        check("02/03", MonthFirst, None);
        check("", MonthFirst, None);
    }

    #[test]
    fn the_first_telling_date_decides() {
        assert_eq!(slash_order("02/28/2031"), Some(SlashOrder::MonthFirst));
        assert_eq!(slash_order("28/02/2031"), Some(SlashOrder::DayFirst));
        assert_eq!(slash_order("02/03/2031"), None);
        assert_eq!(slash_order("2031-02-28"), None);
        assert_eq!(slash_order("a/b/c"), None);
    }
}
