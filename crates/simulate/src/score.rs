//! How good alerts are, measured against labels.
//!
//! An alert counts for every scenario of its subscription whose time overlaps the time of the alert's
//! evidence; an alert of no single subscription (that with the nil GUID) for those of its customer. It is true if one of those is an attack, and false otherwise: harmless scenarios are in the
//! labels to be asked about, not to excuse an alert. Values that have no meaning (the precision of no
//! alerts) are `None`.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use crate::labels::Label;
use crate::summary::SubscriptionDays;

/// The subscription of alerts that are about a tenant.
const NO_SUBSCRIPTION: &str = "00000000-0000-0000-0000-000000000000";

/// What scoring needs to know of an alert.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScoredAlert {
    /// Graph's `alertType`.
    pub alert_type: String,
    /// The customer's tenant, in any letter case.
    pub customer_tenant_id: String,
    /// The Azure subscription, in any letter case; the nil GUID if the alert is about the tenant.
    pub subscription_id: String,
    /// The oldest evidence.
    pub first_observed_at: DateTime<Utc>,
    /// The youngest evidence.
    pub last_observed_at: DateTime<Utc>,
    /// When the alert was raised.
    pub detected_at: DateTime<Utc>,
}

impl ScoredAlert {
    /// Whether it counts for a scenario.
    #[must_use]
    pub fn counts_for(&self, label: &Label) -> bool {
        let same = |one: &str, other: &str| one.eq_ignore_ascii_case(other);
        let is_there = if self.subscription_id == NO_SUBSCRIPTION {
            same(&self.customer_tenant_id, &label.customer_tenant)
        } else {
            same(&self.subscription_id, &label.subscription)
        };
        is_there && self.first_observed_at <= label.until && self.last_observed_at >= label.from
    }
}

/// How good the alerts are.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Scores {
    /// True alerts among all alerts; `None` without alerts.
    pub precision: Option<f64>,
    /// Detected attacks among all attacks; `None` without attacks.
    pub recall: Option<f64>,
    /// Seconds from an attack's first event to its first alert, the median of all detected attacks.
    pub median_time_to_detect_s: Option<f64>,
    /// False alerts for each 1,000 days of a subscription without attack; `None` without such days.
    pub false_alerts_per_1000_clean_subscription_days: Option<f64>,
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
    /// Attacks without an alert, by name.
    pub missed: Vec<String>,
}

/// How one kind of scenario fares.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct KindScores {
    /// The kind, as labels call it.
    pub kind: String,
    /// Whether it is an attack.
    pub malicious: bool,
    /// How many there are.
    pub scenarios: u64,
    /// How many have at least one alert. For a harmless kind, fewer is better.
    pub alerted: u64,
    /// Alerts that belong to it.
    pub alerts: u64,
    /// Detected attacks among all of this kind; `None` for a harmless kind.
    pub recall: Option<f64>,
    /// Seconds from first event to first alert, the median; `None` for a harmless kind.
    pub median_time_to_detect_s: Option<f64>,
}

/// Scores alerts against labels. `clean_subscription_days` comes from [`clean_subscription_days`].
#[must_use]
pub fn score(labels: &[Label], alerts: &[ScoredAlert], clean_subscription_days: u64) -> Scores {
    let matches = Matches::new(labels, alerts);
    let attacks: Vec<usize> = (0..labels.len()).filter(|index| labels[*index].malicious).collect();
    let detected: Vec<usize> =
        attacks.iter().copied().filter(|index| !matches.of_label[*index].is_empty()).collect();
    let true_alerts = matches.is_true.iter().filter(|is_true| **is_true).count();
    let false_alerts = alerts.len() - true_alerts;
    Scores {
        precision: ratio(true_alerts, alerts.len()),
        recall: ratio(detected.len(), attacks.len()),
        median_time_to_detect_s: median(matches.times_to_detect(labels, alerts, &detected)),
        false_alerts_per_1000_clean_subscription_days: match clean_subscription_days {
            0 => None,
            days => Some(false_alerts as f64 * 1000.0 / days as f64),
        },
        true_alerts: true_alerts as u64,
        false_alerts: false_alerts as u64,
        attacks: attacks.len() as u64,
        detected_attacks: detected.len() as u64,
        clean_subscription_days,
        kinds: kinds(labels, alerts, &matches),
        missed: attacks
            .iter()
            .filter(|index| matches.of_label[**index].is_empty())
            .map(|index| labels[*index].scenario.clone())
            .collect(),
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

/// Which alerts belong to which labels, by index.
struct Matches {
    of_label: Vec<Vec<usize>>,
    is_true: Vec<bool>,
}

impl Matches {
    fn new(labels: &[Label], alerts: &[ScoredAlert]) -> Self {
        let mut by_subscription: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        let mut by_customer: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (index, label) in labels.iter().enumerate() {
            by_subscription.entry(label.subscription.to_lowercase()).or_default().push(index);
            by_customer.entry(label.customer_tenant.to_lowercase()).or_default().push(index);
        }
        let mut of_label = vec![Vec::new(); labels.len()];
        let mut is_true = vec![false; alerts.len()];
        for (alert_index, alert) in alerts.iter().enumerate() {
            let candidates = match alert.subscription_id.as_str() {
                NO_SUBSCRIPTION => by_customer.get(&alert.customer_tenant_id.to_lowercase()),
                subscription => by_subscription.get(&subscription.to_lowercase()),
            };
            for label_index in candidates.into_iter().flatten() {
                let label = &labels[*label_index];
                if alert.counts_for(label) {
                    of_label[*label_index].push(alert_index);
                    is_true[alert_index] |= label.malicious;
                }
            }
        }
        Self { of_label, is_true }
    }

    /// Seconds to the first alert, for labels that have one. An alert that was raised before the attack
    /// began (its evidence merely reaches into it) took no time.
    fn times_to_detect(&self, labels: &[Label], alerts: &[ScoredAlert], detected: &[usize]) -> Vec<f64> {
        let time = |index: &usize| {
            let first_alert_at =
                self.of_label[*index].iter().map(|alert| alerts[*alert].detected_at).min()?;
            let taken = first_alert_at - labels[*index].first_event;
            Some((taken.num_milliseconds() as f64 / 1000.0).max(0.0))
        };
        detected.iter().filter_map(time).collect()
    }
}

fn kinds(labels: &[Label], alerts: &[ScoredAlert], matches: &Matches) -> Vec<KindScores> {
    let mut by_kind: BTreeMap<(&str, bool), Vec<usize>> = BTreeMap::new();
    for (index, label) in labels.iter().enumerate() {
        by_kind.entry((&label.kind, label.malicious)).or_default().push(index);
    }
    let line = |((kind, malicious), indices): ((&str, bool), Vec<usize>)| {
        let alerted: Vec<usize> =
            indices.iter().copied().filter(|index| !matches.of_label[*index].is_empty()).collect();
        let own: BTreeSet<usize> =
            indices.iter().flat_map(|index| matches.of_label[*index].iter().copied()).collect();
        KindScores {
            kind: kind.to_owned(),
            malicious,
            scenarios: indices.len() as u64,
            alerted: alerted.len() as u64,
            alerts: own.len() as u64,
            recall: if malicious { ratio(alerted.len(), indices.len()) } else { None },
            median_time_to_detect_s: if malicious {
                median(matches.times_to_detect(labels, alerts, &alerted))
            } else {
                None
            },
        }
    };
    by_kind.into_iter().map(line).collect()
}

fn ratio(part: usize, whole: usize) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// The middle value; of an even number of values, the mean of the middle two.
fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => None,
        odd if odd % 2 == 1 => Some(values[middle]),
        _ => Some((values[middle - 1] + values[middle]) / 2.0),
    }
}

#[cfg(test)]
mod tests;
