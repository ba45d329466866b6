//! Which stretch of time a run looks at.

use chrono::{DateTime, NaiveTime, TimeDelta, Utc};
use ingest::schema::Kind;

/// The time for which a run gives findings; history reaches back further, by the detector's lookback.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    /// Findings whose evidence ends before this are left out.
    pub since: DateTime<Utc>,
    /// Events from here on are not looked at.
    pub until: DateTime<Utc>,
    /// How late each kind of record can be read; zero when the lake is asked about now.
    pub lag: PublicationLag,
}

/// How long after an event its record can be read, for each kind.
///
/// In daily work this is zero: what is not there yet is not in the lake. Evaluation replays the past
/// from a lake that has everything, and says with this what would not have been there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PublicationLag {
    /// Of the activity log, advisories and alerts of Defender for Cloud; minutes.
    pub activity: TimeDelta,
    /// Of cost records, counted from the start of the day of usage; a day or two.
    pub cost: TimeDelta,
    /// Of flow, DNS and firewall logs; minutes to an hour.
    pub flow: TimeDelta,
    /// Of Entra's sign-in and audit logs; minutes.
    pub entra: TimeDelta,
}

impl PublicationLag {
    /// The lag of one kind.
    #[must_use]
    pub fn of(&self, kind: Kind) -> TimeDelta {
        match kind {
            // Advisories come through the activity log; alerts of Defender as fast.
            Kind::Activity | Kind::Advisory | Kind::SecurityAlert => self.activity,
            Kind::Cost => self.cost,
            Kind::Flow | Kind::Dns => self.flow,
            Kind::SignIn | Kind::Audit => self.entra,
            // It is asked for, and answers at once.
            Kind::Inventory => TimeDelta::zero(),
        }
    }
}

impl Window {
    /// A window without publication lag.
    #[must_use]
    pub fn new(since: DateTime<Utc>, until: DateTime<Utc>) -> Self {
        Self { since, until, lag: PublicationLag::default() }
    }

    /// From when on evidence counts: what became readable in this window for the slowest input.
    pub(crate) fn evidence_since(&self, inputs: &[Kind]) -> DateTime<Utc> {
        let slowest = inputs.iter().map(|kind| self.lag.of(*kind)).max().unwrap_or_default();
        self.since - slowest
    }

    /// Up to when events of a kind can be read.
    pub(crate) fn visible_until(&self, kind: Kind) -> DateTime<Utc> {
        self.until - self.lag.of(kind)
    }

    /// From when on events are read: midnight before the lookback of the first evidence.
    ///
    /// Whole days, so that a query that counts in hours or days of UTC sees each of them whole.
    pub(crate) fn history_since(&self, inputs: &[Kind], lookback: TimeDelta) -> DateTime<Utc> {
        (self.evidence_since(inputs) - lookback).date_naive().and_time(NaiveTime::MIN).and_utc()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn history_starts_at_midnight() {
        let window = Window::new(at("2031-03-10T10:30:00Z"), at("2031-03-10T11:00:00Z"));
        let history = window.history_since(&[Kind::Activity], TimeDelta::days(7));
        assert_eq!(history, at("2031-03-03T00:00:00Z"));
    }

    #[test]
    fn a_lag_moves_the_end_of_a_kind_and_the_start_of_evidence() {
        let mut window = Window::new(at("2031-03-10T10:00:00Z"), at("2031-03-10T11:00:00Z"));
        window.lag.cost = TimeDelta::hours(36);
        assert_eq!(window.visible_until(Kind::Cost), at("2031-03-08T23:00:00Z"));
        assert_eq!(window.visible_until(Kind::Flow), window.until);
        assert_eq!(window.evidence_since(&[Kind::Cost, Kind::Flow]), at("2031-03-08T22:00:00Z"));
        assert_eq!(window.evidence_since(&[Kind::Flow]), window.since);
    }
}
