//! What came in of each kind of record, for whom, and how fresh it is.

use alerts::{CustomerTenantId, SubscriptionId};
use chrono::{DateTime, TimeDelta, Utc};

/// Events of one kind that came in together, of one subscription or customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrival {
    /// The kind of record, by its name.
    pub kind: String,
    /// Whose they are, if that is known.
    pub customer_tenant_id: Option<CustomerTenantId>,
    /// The subscription, if they are of one.
    pub subscription_id: Option<SubscriptionId>,
    /// When the earliest of them happened; `None` if none could be read.
    pub first_event_at: Option<DateTime<Utc>>,
    /// When the latest of them happened; `None` if none could be read.
    pub last_event_at: Option<DateTime<Utc>>,
    /// How many were new.
    pub stored: u64,
    /// How many were there already.
    pub duplicates: u64,
    /// How many could not be read.
    pub rejected: u64,
}

impl Arrival {
    /// Adds what came later of the same.
    pub fn add(&mut self, later: &Self) {
        let times =
            |pick: fn(&Self) -> Option<DateTime<Utc>>| [pick(self), pick(later)].into_iter().flatten();
        let (first, last) = (times(|one| one.first_event_at).min(), times(|one| one.last_event_at).max());
        (self.first_event_at, self.last_event_at) = (first, last);
        self.stored += later.stored;
        self.duplicates += later.duplicates;
        self.rejected += later.rejected;
    }
}

/// What came in of one kind, of one subscription or customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coverage {
    /// The kind of record, by its name.
    pub kind: String,
    /// Whose it is, if that is known.
    pub customer_tenant_id: Option<CustomerTenantId>,
    /// The subscription, if the records are of one.
    pub subscription_id: Option<SubscriptionId>,
    /// When the first event happened; `None` if nothing could be read yet.
    pub first_event_at: Option<DateTime<Utc>>,
    /// When the last event happened; `None` if nothing could be read yet.
    pub last_event_at: Option<DateTime<Utc>>,
    /// When something first came in.
    pub first_arrived_at: DateTime<Utc>,
    /// When something last came in.
    pub last_arrived_at: DateTime<Utc>,
    /// How often something new came in.
    pub arrivals: u64,
    /// Events in the lake.
    pub stored: u64,
    /// Events that came again.
    pub duplicates: u64,
    /// Records that could not be read.
    pub rejected: u64,
    /// The UTC day of the last arrival, in days since 1970; how many events it has, and the day before it.
    pub day: i64,
    /// New events of that day.
    pub on_day: u64,
    /// New events of the day before that day.
    pub on_day_before: u64,
}

impl Coverage {
    /// How far the last event lies back; `None` if nothing could be read yet.
    #[must_use]
    pub fn lag(&self, now: DateTime<Utc>) -> Option<TimeDelta> {
        Some(now - self.last_event_at?)
    }

    /// New events in the 24 hours before now: those of today, and of yesterday as many as its part of the
    /// 24 hours would have if they had come evenly.
    ///
    /// If everything that there is came on these two days, it is the history that was taken in at first. That says
    /// nothing of a day until it is spread over the days that it tells of.
    #[must_use]
    pub fn events_per_day(&self, now: DateTime<Utc>) -> f64 {
        let days = now.timestamp() as f64 / 86_400.0;
        let today = days.floor();
        let (on_today, on_yesterday) = match today as i64 - self.day {
            0 => (self.on_day, self.on_day_before),
            1 => (0, self.on_day),
            _ => return 0.0,
        };
        let arrived = on_today as f64 + on_yesterday as f64 * (1.0 - (days - today));
        if self.stored > self.on_day + self.on_day_before { arrived } else { arrived / self.days_told() }
    }

    /// From the first event to the last, in days; at least one.
    fn days_told(&self) -> f64 {
        let span = self.first_event_at.zip(self.last_event_at).map(|(first, last)| last - first);
        span.map_or(1.0, |span| (span.num_seconds() as f64 / 86_400.0).max(1.0))
    }

    /// Whether something should have come in by now: nothing has for longer than `silent_after`, and for
    /// longer than three times as long as it usually takes. Of what came once nobody knows how often it
    /// should; then `silent_after` counts as usual.
    #[must_use]
    pub fn is_silent(&self, silent_after: TimeDelta, now: DateTime<Utc>) -> bool {
        let span = self.last_arrived_at - self.first_arrived_at;
        let gaps = i32::try_from(self.arrivals.saturating_sub(1)).unwrap_or(i32::MAX);
        let usual = span.checked_div(gaps).unwrap_or(silent_after);
        let quiet = now - self.last_arrived_at;
        quiet > silent_after && quiet > usual * 3
    }
}

/// Which coverage is asked for, and from where on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CoverageQuery {
    /// Only this kind.
    pub kind: Option<String>,
    /// Only this customer.
    pub customer_tenant_id: Option<CustomerTenantId>,
    /// After this entry.
    pub after: Option<CoverageKey>,
    /// At most so many.
    pub limit: Option<u64>,
}

/// What an entry is known by; entries come in its order. Empty texts where the records do not say.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct CoverageKey {
    /// The kind.
    pub kind: String,
    /// The customer.
    pub customer: String,
    /// The subscription.
    pub subscription: String,
}

impl Coverage {
    /// What the entry is known by.
    #[must_use]
    pub fn key(&self) -> CoverageKey {
        let text = |id: Option<&str>| id.unwrap_or_default().to_owned();
        CoverageKey {
            kind: self.kind.clone(),
            customer: text(self.customer_tenant_id.as_ref().map(CustomerTenantId::as_str)),
            subscription: text(self.subscription_id.as_ref().map(SubscriptionId::as_str)),
        }
    }
}

/// All that came of one kind, over all customers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KindTotals {
    /// The kind.
    pub kind: String,
    /// Events in the lake.
    pub stored: u64,
    /// Events that came again.
    pub duplicates: u64,
    /// Records that could not be read.
    pub rejected: u64,
    /// When the last event happened; `None` if nothing could be read yet.
    pub last_event_at: Option<DateTime<Utc>>,
    /// When something last came in.
    pub last_arrived_at: DateTime<Utc>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn coverage(first: &str, last: &str, arrivals: u64) -> Coverage {
        Coverage {
            kind: "activity".to_owned(),
            customer_tenant_id: None,
            subscription_id: None,
            first_event_at: Some(at(first)),
            last_event_at: Some(at(last)),
            first_arrived_at: at(first),
            last_arrived_at: at(last),
            arrivals,
            stored: arrivals,
            duplicates: 0,
            rejected: 0,
            day: at(last).timestamp() / 86_400,
            on_day: 12,
            on_day_before: 24,
        }
    }

    #[test]
    fn who_sends_seldom_is_silent_later() {
        let day = TimeDelta::days(1);
        for (arrivals, quiet_hours, silent) in [
            // Hourly for ten days.
            (241, 23, false),
            (241, 25, true),
            // Every two days.
            (6, 5 * 24, false),
            (6, 6 * 24, false),
            (6, 6 * 24 + 1, true),
            // Once.
            (1, 72, false),
            (1, 73, true),
        ] {
            let first = "2031-02-01T00:00:00Z";
            let last = if arrivals == 1 { first } else { "2031-02-11T00:00:00Z" };
            let coverage = coverage(first, last, arrivals);
            let now = coverage.last_arrived_at + TimeDelta::hours(quiet_hours);
            assert_eq!(coverage.is_silent(day, now), silent, "{arrivals} arrivals, {quiet_hours} h");
        }
    }

    #[test]
    fn the_rate_of_what_was_taken_in_at_first_is_that_of_its_days() {
        let history = |first: &str, last: &str, on_day, on_day_before| Coverage {
            stored: 4500,
            on_day,
            on_day_before,
            day: at("2031-02-11T06:00:00Z").timestamp() / 86_400,
            ..coverage(first, last, 1)
        };
        let (from, until) = ("2030-12-28T06:00:00Z", "2031-02-11T06:00:00Z");
        for (coverage, now, rate) in [
            (history(from, until, 4500, 0), "2031-02-11T07:00:00Z", 100.0),
            (history(from, until, 4500, 0), "2031-02-12T12:00:00Z", 50.0),
            (history(from, until, 4400, 100), "2031-02-11T12:00:00Z", 4450.0 / 45.0),
            // Of less than a day all are of a day.
            (history("2031-02-11T05:00:00Z", until, 4500, 0), "2031-02-11T07:00:00Z", 4500.0),
            // Much was there before: what came today is what comes in a day.
            (history(from, until, 300, 0), "2031-02-11T07:00:00Z", 300.0),
        ] {
            assert!((coverage.events_per_day(at(now)) - rate).abs() < 1e-6, "{now} {rate}");
        }
    }

    #[test]
    fn the_rate_is_of_the_last_24_hours() {
        let coverage =
            Coverage { stored: 1000, ..coverage("2031-02-01T00:00:00Z", "2031-02-11T06:00:00Z", 3) };
        for (now, rate) in [
            ("2031-02-11T06:00:00Z", 12.0 + 18.0),
            ("2031-02-12T00:00:00Z", 12.0),
            ("2031-02-12T12:00:00Z", 6.0),
            ("2031-02-13T00:00:00Z", 0.0),
            ("2031-03-13T00:00:00Z", 0.0),
        ] {
            assert!((coverage.events_per_day(at(now)) - rate).abs() < 1e-6, "{now}");
        }
    }
}
