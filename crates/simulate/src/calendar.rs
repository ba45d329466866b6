//! The period of an estate, and how busy its days are.

use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveTime, TimeDelta, Utc, Weekday};

use crate::dice::Dice;
use crate::settings::Settings;

/// How far Azure's cost records trail behind use. What was used in the last ten hours has no price yet;
/// so the last day of a cost file is always a part of a day, and often the last but one too.
const COST_LAG_HOURS: i64 = 10;

/// The days that an estate spans.
#[derive(Debug, Clone)]
pub(crate) struct Period {
    /// The first day.
    pub(crate) first_day: NaiveDate,
    /// The day in which the period ends.
    pub(crate) last_day: NaiveDate,
    /// The moment at which the estate is looked at.
    pub(crate) end: DateTime<Utc>,
}

impl Period {
    pub(crate) fn new(settings: &Settings) -> Self {
        // An end at midnight belongs to the day before: nothing happens in the new day.
        let last_day = (settings.end - TimeDelta::nanoseconds(1)).date_naive();
        let first_day = last_day - Days::new(u64::from(settings.days) - 1);
        Self { first_day, last_day, end: settings.end }
    }

    pub(crate) fn start(&self) -> DateTime<Utc> {
        midnight(self.first_day)
    }

    pub(crate) fn days(&self) -> impl Iterator<Item = NaiveDate> + use<> {
        let last_day = self.last_day;
        self.first_day.iter_days().take_while(move |day| *day <= last_day)
    }

    /// Use up to this moment has a price in the cost files.
    pub(crate) fn priced_until(&self) -> DateTime<Utc> {
        self.end - TimeDelta::hours(COST_LAG_HOURS)
    }
}

/// The start of a UTC day.
pub(crate) fn midnight(day: NaiveDate) -> DateTime<Utc> {
    day.and_time(NaiveTime::MIN).and_utc()
}

/// The start of the next UTC day.
pub(crate) fn next_midnight(day: NaiveDate) -> DateTime<Utc> {
    midnight(day) + TimeDelta::days(1)
}

/// The part of a span that lies in one UTC day, in hours.
pub(crate) fn hours_in_day(day: NaiveDate, from: DateTime<Utc>, until: DateTime<Utc>) -> f64 {
    let from = from.max(midnight(day));
    let until = until.min(next_midnight(day));
    (until - from).num_seconds().max(0) as f64 / 3600.0
}

/// Whether month-end jobs run: the last two days of a month and the first of the next.
pub(crate) fn is_month_end(day: NaiveDate) -> bool {
    day.day() == 1 || (day + Days::new(2)).month() != day.month()
}

/// The days on which an office is closed, beside weekends.
#[derive(Debug, Clone)]
pub(crate) struct Holidays(Vec<NaiveDate>);

impl Holidays {
    /// The days that most of the world has off, and a few of the customer's own.
    pub(crate) fn new(period: &Period, dice: &mut Dice) -> Self {
        let common =
            |day: &NaiveDate| matches!((day.month(), day.day()), (1, 1) | (5, 1) | (12, 24..=26) | (12, 31));
        let mut days: Vec<NaiveDate> = period.days().filter(common).collect();
        let all: Vec<NaiveDate> = period.days().collect();
        let own = all.len() / 45;
        days.extend(dice.sample(&all, own));
        days.sort_unstable();
        Self(days)
    }

    /// How busy an office is on this day, from 0 to 1.
    pub(crate) fn business(&self, day: NaiveDate) -> f64 {
        if self.0.binary_search(&day).is_ok() {
            return 0.12;
        }
        match day.weekday() {
            Weekday::Sat => 0.22,
            Weekday::Sun => 0.15,
            Weekday::Fri => 0.85,
            Weekday::Mon | Weekday::Tue | Weekday::Wed | Weekday::Thu => 1.0,
        }
    }

    /// Whether people are at work on this day.
    pub(crate) fn is_workday(&self, day: NaiveDate) -> bool {
        self.business(day) > 0.5
    }
}

/// A moment of an office day: most in the morning and the afternoon, few at lunch, a rare one late.
/// `utc_offset_hours` is where the office is.
pub(crate) fn office_moment(day: NaiveDate, utc_offset_hours: i64, dice: &mut Dice) -> DateTime<Utc> {
    const LOCAL_HOURS: [i64; 16] = [8, 9, 9, 10, 10, 10, 11, 11, 13, 13, 14, 14, 15, 15, 16, 17];
    let hour = if dice.chance(0.04) { dice.between(18, 22) } else { dice.pick(&LOCAL_HOURS) };
    let local = midnight(day) + TimeDelta::hours(hour) + dice.seconds(0.0, 3600.0);
    let moment = local - TimeDelta::hours(utc_offset_hours);
    // Morning in Sydney is still the UTC day before, and a late evening in America the next one. Turned
    // around the clock they stay in the day whose file is being written, at the right hour.
    match moment {
        early if early < midnight(day) => early + TimeDelta::days(1),
        late if late >= next_midnight(day) => late - TimeDelta::days(1),
        moment => moment,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn period(days: u32, end: &str) -> Period {
        Period::new(&Settings {
            seed: 1,
            customers: 1,
            days,
            end: end.parse().unwrap(),
            partner_tenant_id: "p".parse().unwrap(),
        })
    }

    #[test]
    fn the_last_day_is_the_one_in_which_the_period_ends() {
        let check = |days, end, first: &str, last: &str| {
            let period = period(days, end);
            assert_eq!((period.first_day, period.last_day), (day(first), day(last)), "{days} {end}");
            assert_eq!(period.days().count(), days as usize);
        };
        check(1, "2026-03-02T12:00:00Z", "2026-03-02", "2026-03-02");
        check(2, "2026-03-02T00:00:00Z", "2026-02-28", "2026-03-01");
        check(60, "2026-03-02T00:00:01Z", "2026-01-02", "2026-03-02");
    }

    #[test]
    fn month_ends_are_two_days_and_the_first() {
        let check = |text, expected| assert_eq!(is_month_end(day(text)), expected, "{text}");
        check("2026-02-26", false);
        check("2026-02-27", true);
        check("2026-02-28", true);
        check("2026-03-01", true);
        check("2026-03-02", false);
    }

    #[test]
    fn a_span_is_cut_to_its_day() {
        let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        let check = |from, until, expected: f64| {
            assert!((hours_in_day(day("2026-03-02"), at(from), at(until)) - expected).abs() < 1e-9);
        };
        check("2026-03-01T00:00:00Z", "2026-03-04T00:00:00Z", 24.0);
        check("2026-03-02T18:00:00Z", "2026-03-04T00:00:00Z", 6.0);
        check("2026-03-01T00:00:00Z", "2026-03-02T01:30:00Z", 1.5);
        check("2026-03-04T00:00:00Z", "2026-03-05T00:00:00Z", 0.0);
    }

    #[test]
    fn weekends_and_holidays_are_quiet() {
        let period = period(40, "2027-01-05T00:00:00Z");
        let holidays = Holidays::new(&period, &mut Dice::new(1, "holidays", 0));
        assert!(holidays.business(day("2026-12-25")) < 0.2);
        assert!(holidays.business(day("2026-12-19")) < 0.3);
        let busy = period.days().filter(|day| holidays.is_workday(*day)).count();
        assert!((20..=28).contains(&busy), "{busy}");
    }

    #[test]
    fn an_office_day_stays_in_its_utc_day() {
        let mut dice = Dice::new(1, "office", 0);
        for offset in [-8, 0, 11] {
            for _ in 0..500 {
                assert_eq!(
                    office_moment(day("2026-03-02"), offset, &mut dice).date_naive(),
                    day("2026-03-02")
                );
            }
        }
    }
}
