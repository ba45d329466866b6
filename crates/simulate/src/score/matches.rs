//! Which alerts belong to which scenarios.

use std::collections::BTreeMap;

use alerts::SubscriptionId;

use super::{ScoredAlert, Trial, seconds_of};
use crate::labels::Label;

impl ScoredAlert {
    /// Whether it counts for a scenario.
    #[must_use]
    pub fn counts_for(&self, label: &Label) -> bool {
        let same = |one: &str, other: &str| one.eq_ignore_ascii_case(other);
        let is_there = if self.subscription_id == SubscriptionId::NONE {
            same(&self.customer_tenant_id, &label.customer_tenant)
        } else {
            same(&self.subscription_id, &label.subscription)
        };
        is_there && self.first_observed_at <= label.until && self.last_observed_at >= label.from
    }
}

impl ScoredAlert {
    /// Seconds from the arrival of its oldest evidence to the alert; `None` if its time is not known.
    pub(super) fn seconds_from_evidence(&self) -> Option<f64> {
        let arrived_at = self.first_observed_at + self.publication_lag;
        Some(seconds_of(self.detected_at? - arrived_at).max(0.0))
    }
}

/// A trial, with what belongs together.
pub(super) struct Matches<'a> {
    pub(super) trial: &'a Trial,
    pub(super) scenarios: Vec<Scenario<'a>>,
    /// Of each alert, whether it belongs to an attack.
    pub(super) is_true: Vec<bool>,
}

/// A scenario and its alerts.
pub(super) struct Scenario<'a> {
    pub(super) label: &'a Label,
    /// With their places among the alerts of the trial.
    pub(super) alerts: Vec<(usize, &'a ScoredAlert)>,
}

impl<'a> Matches<'a> {
    pub(super) fn new(trial: &'a Trial) -> Self {
        let mut scenarios: Vec<Scenario<'a>> =
            trial.labels.iter().map(|label| Scenario { label, alerts: Vec::new() }).collect();
        let mut by_subscription: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        let mut by_customer: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (place, label) in trial.labels.iter().enumerate() {
            by_subscription.entry(label.subscription.to_lowercase()).or_default().push(place);
            by_customer.entry(label.customer_tenant.to_lowercase()).or_default().push(place);
        }
        let mut is_true = vec![false; trial.alerts.len()];
        for (place, alert) in trial.alerts.iter().enumerate() {
            let candidates = match alert.subscription_id.as_str() {
                SubscriptionId::NONE => by_customer.get(&alert.customer_tenant_id.to_lowercase()),
                subscription => by_subscription.get(&subscription.to_lowercase()),
            };
            for candidate in candidates.into_iter().flatten() {
                let scenario = &mut scenarios[*candidate];
                if alert.counts_for(scenario.label) {
                    scenario.alerts.push((place, alert));
                    is_true[place] |= scenario.label.malicious;
                }
            }
        }
        Self { trial, scenarios, is_true }
    }

    pub(super) fn attacks(&self) -> impl Iterator<Item = &Scenario<'a>> {
        self.scenarios.iter().filter(|scenario| scenario.label.malicious)
    }
}

impl<'a> Scenario<'a> {
    /// The alert that was raised first, among those of which it is known when.
    pub(super) fn first(&self) -> Option<&'a ScoredAlert> {
        let known = self.alerts.iter().filter(|(_, alert)| alert.detected_at.is_some());
        known.min_by_key(|(_, alert)| alert.detected_at).map(|(_, alert)| *alert)
    }

    /// Seconds from the first event to the first alert. An alert that was raised before the attack began (its
    /// evidence merely reaches into it) took no time.
    pub(super) fn time_to_detect_s(&self) -> Option<f64> {
        self.first().and_then(|alert| self.seconds_until(alert))
    }

    pub(super) fn seconds_until(&self, alert: &ScoredAlert) -> Option<f64> {
        Some(seconds_of(alert.detected_at? - self.label.first_event).max(0.0))
    }
}
