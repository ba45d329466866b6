//! The figures that alerts are judged by.

use serde::Serialize;

use super::matches::{Matches, Scenario};
use super::{Pace, median, ratio, seconds_of};

/// What alerts are judged by.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Figures {
    /// True alerts among all alerts; `None` without alerts.
    pub precision: Option<f64>,
    /// Detected attacks among all attacks; `None` without attacks.
    pub recall: Option<f64>,
    /// False alerts for each 1,000 days of a subscription without attack; `None` without such days.
    pub false_alerts_per_1000_clean_subscription_days: Option<f64>,
    /// Seconds from an attack's first event to its first alert, the median of all detected attacks.
    pub median_time_to_detect_s: Option<f64>,
    /// The same from the arrival of that event's record, of attacks that a detector of single events found first.
    pub median_time_to_detect_by_events_s: Option<f64>,
    /// The same of attacks that a detector of costs or flows found first.
    pub median_time_to_detect_by_the_hour_s: Option<f64>,
    /// How quick the detector was, once it had anything to tell: seconds from the arrival of the oldest record that an
    /// attack's first alert names as evidence, to that alert; of attacks that a detector of single events found first.
    /// Unlike the times to detect, what an intruder did before is left out.
    pub median_evidence_to_alert_by_events_s: Option<f64>,
    /// The same of attacks that a detector of costs or flows found first.
    pub median_evidence_to_alert_by_the_hour_s: Option<f64>,
    /// What an attack that costs money had cost when its first alert came, in US dollars, the median of all such
    /// attacks; one that was missed cost all.
    pub median_usd_before_alert: Option<f64>,
    /// What all attacks had cost until their first alerts, as a share of what they cost in all.
    pub share_of_money_before_alert: Option<f64>,
}

/// What is counted of one trial, or of several.
#[derive(Debug, Clone, Default)]
pub(super) struct Tally {
    pub(super) alerts: u64,
    pub(super) true_alerts: u64,
    pub(super) attacks: u64,
    pub(super) detected_attacks: u64,
    pub(super) clean_subscription_days: u64,
    times_s: Vec<f64>,
    times_by_events_s: Vec<f64>,
    times_by_the_hour_s: Vec<f64>,
    from_evidence_by_events_s: Vec<f64>,
    from_evidence_by_the_hour_s: Vec<f64>,
    usd_before_alert: Vec<f64>,
    usd_in_all: f64,
}

impl Tally {
    pub(super) fn of(matches: &Matches<'_>) -> Self {
        let mut tally = Self {
            alerts: matches.is_true.len() as u64,
            true_alerts: matches.is_true.iter().filter(|is_true| **is_true).count() as u64,
            clean_subscription_days: matches.trial.clean_subscription_days,
            ..Self::default()
        };
        for attack in matches.attacks() {
            tally.add(attack);
        }
        tally
    }

    fn add(&mut self, attack: &Scenario<'_>) {
        self.attacks += 1;
        self.detected_attacks += u64::from(!attack.alerts.is_empty());
        let first = attack.first();
        if let Some(alert) = first
            && let Some(seconds) = attack.seconds_until(alert)
        {
            self.times_s.push(seconds);
            let since_arrival = (seconds - seconds_of(alert.publication_lag)).max(0.0);
            let (times, from_evidence) = match alert.pace {
                Pace::Events => (&mut self.times_by_events_s, &mut self.from_evidence_by_events_s),
                Pace::Hourly => (&mut self.times_by_the_hour_s, &mut self.from_evidence_by_the_hour_s),
            };
            times.push(since_arrival);
            from_evidence.extend(alert.seconds_from_evidence());
        }
        let in_all = attack.label.usd_by(attack.label.until);
        if in_all > 0.0 {
            let detected_at = first.and_then(|alert| alert.detected_at);
            self.usd_before_alert.push(detected_at.map_or(in_all, |at| attack.label.usd_by(at)));
            self.usd_in_all += in_all;
        }
    }

    pub(super) fn sum<'a>(tallies: impl IntoIterator<Item = &'a Self>) -> Self {
        let mut sum = Self::default();
        for tally in tallies {
            sum.alerts += tally.alerts;
            sum.true_alerts += tally.true_alerts;
            sum.attacks += tally.attacks;
            sum.detected_attacks += tally.detected_attacks;
            sum.clean_subscription_days += tally.clean_subscription_days;
            sum.times_s.extend(&tally.times_s);
            sum.times_by_events_s.extend(&tally.times_by_events_s);
            sum.times_by_the_hour_s.extend(&tally.times_by_the_hour_s);
            sum.from_evidence_by_events_s.extend(&tally.from_evidence_by_events_s);
            sum.from_evidence_by_the_hour_s.extend(&tally.from_evidence_by_the_hour_s);
            sum.usd_before_alert.extend(&tally.usd_before_alert);
            sum.usd_in_all += tally.usd_in_all;
        }
        sum
    }

    pub(super) fn figures(&self) -> Figures {
        let before_alert: f64 = self.usd_before_alert.iter().sum();
        Figures {
            precision: ratio(self.true_alerts, self.alerts),
            recall: ratio(self.detected_attacks, self.attacks),
            false_alerts_per_1000_clean_subscription_days: ratio(
                (self.alerts - self.true_alerts) * 1000,
                self.clean_subscription_days,
            ),
            median_time_to_detect_s: median(self.times_s.clone()),
            median_time_to_detect_by_events_s: median(self.times_by_events_s.clone()),
            median_time_to_detect_by_the_hour_s: median(self.times_by_the_hour_s.clone()),
            median_evidence_to_alert_by_events_s: median(self.from_evidence_by_events_s.clone()),
            median_evidence_to_alert_by_the_hour_s: median(self.from_evidence_by_the_hour_s.clone()),
            median_usd_before_alert: median(self.usd_before_alert.clone()),
            share_of_money_before_alert: (self.usd_in_all > 0.0).then(|| before_alert / self.usd_in_all),
        }
    }
}
