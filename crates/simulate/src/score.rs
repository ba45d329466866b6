//! How good alerts are, measured against labels.
//!
//! An alert counts for every scenario of its subscription whose time overlaps the time of the alert's
//! evidence; an alert of no single subscription (that with the nil GUID) for those of its customer. It is
//! true if one of those is an attack, and false otherwise: harmless scenarios are in the labels to be asked
//! about, not to excuse an alert. Values that have no meaning (the precision of no alerts) are `None`.
//!
//! A [`Trial`] is one estate with its labels and alerts. Over several, each figure has an interval.

mod figures;
mod intervals;
mod matches;
mod tables;

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::labels::Label;
use crate::summary::SubscriptionDays;

pub use figures::Figures;
pub use intervals::Intervals;
use matches::Matches;
pub use tables::{DetectorScores, FoundAttack, KindScores};

/// How soon a detector can know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Pace {
    /// From single events, which come within minutes.
    Events,
    /// From costs or flows, which come by the hour or the day.
    Hourly,
}

/// What scoring needs to know of an alert.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScoredAlert {
    /// Graph's `alertType`.
    pub alert_type: String,
    /// Who raised it.
    pub detector_id: String,
    /// How soon that can know.
    pub pace: Pace,
    /// How long after an event its record can be read, of the kinds of record that the detector reads.
    pub publication_lag: TimeDelta,
    /// The customer's tenant, in any letter case.
    pub customer_tenant_id: String,
    /// The Azure subscription, in any letter case; the nil GUID if the alert is about the tenant.
    pub subscription_id: String,
    /// The oldest evidence.
    pub first_observed_at: DateTime<Utc>,
    /// The youngest evidence.
    pub last_observed_at: DateTime<Utc>,
    /// When the alert was raised; `None` if that was not looked for.
    pub detected_at: Option<DateTime<Utc>>,
}

/// One estate, or one installation: what happened in it, and what was alerted.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Trial {
    /// What happened.
    pub labels: Vec<Label>,
    /// What was alerted.
    pub alerts: Vec<ScoredAlert>,
    /// Days of subscriptions without attack, from [`clean_subscription_days`].
    pub clean_subscription_days: u64,
}

/// How good the alerts are.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Scores {
    /// The figures over all trials.
    #[serde(flatten)]
    pub figures: Figures,
    /// 95 % intervals of the figures; `None` for a single trial.
    pub intervals: Option<Intervals>,
    /// Estates.
    pub trials: u64,
    /// Alerts that belong to an attack.
    pub true_alerts: u64,
    /// Alerts that do not.
    pub false_alerts: u64,
    /// Attacks.
    pub attacks: u64,
    /// Attacks with at least one alert.
    pub detected_attacks: u64,
    /// Days of subscriptions without attack.
    pub clean_subscription_days: u64,
    /// One line for each kind of scenario, in the order of names.
    pub kinds: Vec<KindScores>,
    /// One line for each detector that raised anything, in the order of names.
    pub detectors: Vec<DetectorScores>,
    /// One line for each attack that was found, trial by trial.
    pub found: Vec<FoundAttack>,
    /// Attacks without an alert, by name.
    pub missed: Vec<String>,
}

/// Scores alerts against labels.
#[must_use]
pub fn score(trials: &[Trial]) -> Scores {
    let matches: Vec<Matches<'_>> = trials.iter().map(Matches::new).collect();
    let tallies: Vec<figures::Tally> = matches.iter().map(figures::Tally::of).collect();
    let total = figures::Tally::sum(&tallies);
    let missed = matches.iter().flat_map(Matches::attacks).filter(|attack| attack.alerts.is_empty());
    Scores {
        figures: total.figures(),
        intervals: intervals::of(&tallies),
        trials: trials.len() as u64,
        true_alerts: total.true_alerts,
        false_alerts: total.alerts - total.true_alerts,
        attacks: total.attacks,
        detected_attacks: total.detected_attacks,
        clean_subscription_days: total.clean_subscription_days,
        kinds: tables::kinds(&matches),
        detectors: tables::detectors(&matches),
        found: tables::found(&matches),
        missed: missed.map(|attack| attack.label.scenario.clone()).collect(),
    }
}

/// Days of subscriptions that no attack touches.
#[must_use]
pub fn clean_subscription_days(subscriptions: &[SubscriptionDays], labels: &[Label]) -> u64 {
    let mut attacks: BTreeMap<String, Vec<&Label>> = BTreeMap::new();
    for label in labels.iter().filter(|label| label.malicious) {
        attacks.entry(label.subscription.to_lowercase()).or_default().push(label);
    }
    let none = Vec::new();
    let clean_days = |subscription: &SubscriptionDays| {
        let attacks = attacks.get(&subscription.subscription.to_lowercase()).unwrap_or(&none);
        let days = subscription.first_day.iter_days().take_while(|day| *day <= subscription.last_day);
        days.filter(|day| !attacks.iter().any(|attack| touches(attack, *day))).count() as u64
    };
    subscriptions.iter().map(clean_days).sum()
}

fn touches(label: &Label, day: NaiveDate) -> bool {
    (label.from.date_naive()..=label.until.date_naive()).contains(&day)
}

fn ratio(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

fn seconds_of(time: TimeDelta) -> f64 {
    time.num_milliseconds() as f64 / 1000.0
}

/// The middle value; of an even number of values, the mean of the middle two.
fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => None,
        odd if odd % 2 == 1 => Some(values[middle]),
        _ => Some(f64::midpoint(values[middle - 1], values[middle])),
    }
}

#[cfg(test)]
mod tests;
