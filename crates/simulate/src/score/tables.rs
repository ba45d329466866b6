//! How each kind of scenario fares, and each detector.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::matches::{Matches, Scenario};
use super::{Pace, ScoredAlert, median, ratio};

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

/// How one detector fares.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DetectorScores {
    /// Its id.
    pub detector_id: String,
    /// Alerts that it raised.
    pub alerts: u64,
    /// Those that belong to no attack.
    pub false_alerts: u64,
    /// True alerts among all of its alerts.
    pub precision: Option<f64>,
    /// Attacks of which it told.
    pub attacks: u64,
    /// Attacks of which it told first.
    pub attacks_told_first: u64,
    /// Attacks of which nobody else told.
    pub attacks_told_alone: u64,
    /// Seconds from an attack's first event to this detector's first alert of it, the median.
    pub median_time_to_detect_s: Option<f64>,
}

/// An attack that was found, and what told of it first.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FoundAttack {
    /// The trial, counted from 1.
    pub trial: u64,
    /// The attack's name in that trial.
    pub scenario: String,
    /// Whose alert came first; `None` if no time is known of any of its alerts.
    pub detector_id: Option<String>,
    /// How soon that detector can know.
    pub pace: Option<Pace>,
    /// Seconds from the first event to that alert.
    pub time_to_detect_s: Option<f64>,
    /// Seconds from the arrival of the oldest record that the alert names as evidence.
    pub evidence_to_alert_s: Option<f64>,
}

pub(super) fn found(trials: &[Matches<'_>]) -> Vec<FoundAttack> {
    let of_trial = |(place, matches): (usize, &Matches<'_>)| -> Vec<FoundAttack> {
        let found = matches.attacks().filter(|attack| !attack.alerts.is_empty());
        let line = |attack: &Scenario<'_>| {
            let first = attack.first();
            FoundAttack {
                trial: place as u64 + 1,
                scenario: attack.label.scenario.clone(),
                detector_id: first.map(|alert| alert.detector_id.clone()),
                pace: first.map(|alert| alert.pace),
                time_to_detect_s: attack.time_to_detect_s(),
                evidence_to_alert_s: first.and_then(ScoredAlert::seconds_from_evidence),
            }
        };
        found.map(line).collect()
    };
    trials.iter().enumerate().flat_map(of_trial).collect()
}

pub(super) fn kinds(trials: &[Matches<'_>]) -> Vec<KindScores> {
    let mut by_kind: BTreeMap<(&str, bool), Vec<(usize, &Scenario<'_>)>> = BTreeMap::new();
    for (trial, matches) in trials.iter().enumerate() {
        for scenario in &matches.scenarios {
            let kind = (scenario.label.kind.as_str(), scenario.label.malicious);
            by_kind.entry(kind).or_default().push((trial, scenario));
        }
    }
    let line = |((kind, malicious), scenarios): ((&str, bool), Vec<(usize, &Scenario<'_>)>)| {
        let alerted = scenarios.iter().filter(|(_, scenario)| !scenario.alerts.is_empty()).count() as u64;
        // An alert may belong to two scenarios of a kind.
        let own: BTreeSet<(usize, usize)> = scenarios
            .iter()
            .flat_map(|(trial, scenario)| scenario.alerts.iter().map(|(place, _)| (*trial, *place)))
            .collect();
        let times = scenarios.iter().filter_map(|(_, scenario)| scenario.time_to_detect_s());
        KindScores {
            kind: kind.to_owned(),
            malicious,
            scenarios: scenarios.len() as u64,
            alerted,
            alerts: own.len() as u64,
            recall: if malicious { ratio(alerted, scenarios.len() as u64) } else { None },
            median_time_to_detect_s: if malicious { median(times.collect()) } else { None },
        }
    };
    by_kind.into_iter().map(line).collect()
}

#[derive(Default)]
struct Told {
    alerts: u64,
    false_alerts: u64,
    attacks: u64,
    first: u64,
    alone: u64,
    times_s: Vec<f64>,
}

pub(super) fn detectors(trials: &[Matches<'_>]) -> Vec<DetectorScores> {
    let mut told: BTreeMap<&str, Told> = BTreeMap::new();
    for matches in trials {
        for (alert, is_true) in matches.trial.alerts.iter().zip(&matches.is_true) {
            let own = told.entry(&alert.detector_id).or_default();
            own.alerts += 1;
            own.false_alerts += u64::from(!is_true);
        }
        for attack in matches.attacks() {
            let first = attack.first().map(|alert| alert.detector_id.as_str());
            let mut times: BTreeMap<&str, Option<f64>> = BTreeMap::new();
            for (_, alert) in &attack.alerts {
                let time = attack.seconds_until(alert);
                let known = times.entry(&alert.detector_id).or_insert(time);
                *known = match (*known, time) {
                    (Some(one), Some(other)) => Some(one.min(other)),
                    (one, other) => one.or(other),
                };
            }
            let alone = times.len() == 1;
            for (detector, time) in times {
                let own = told.entry(detector).or_default();
                own.attacks += 1;
                own.first += u64::from(first == Some(detector));
                own.alone += u64::from(alone);
                own.times_s.extend(time);
            }
        }
    }
    let line = |(detector, told): (&str, Told)| DetectorScores {
        detector_id: detector.to_owned(),
        alerts: told.alerts,
        false_alerts: told.false_alerts,
        precision: ratio(told.alerts - told.false_alerts, told.alerts),
        attacks: told.attacks,
        attacks_told_first: told.first,
        attacks_told_alone: told.alone,
        median_time_to_detect_s: median(told.times_s),
    };
    told.into_iter().map(line).collect()
}
