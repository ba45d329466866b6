//! The scores, for people and for programs.

use std::fmt;

use chrono::TimeDelta;
use serde::Serialize;
use simulate::{Scores, Trial, score};

use super::trial::{Compared, Runs};

/// The scores of the detectors, and of each baseline.
#[derive(Serialize)]
pub(super) struct Report<'a> {
    #[serde(flatten)]
    own: Scores,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    baselines: Vec<Baseline>,
    #[serde(skip)]
    trials: &'a [Compared],
}

#[derive(Serialize)]
struct Baseline {
    detector_id: String,
    title: String,
    #[serde(flatten)]
    scores: Scores,
}

impl<'a> Report<'a> {
    pub(super) fn new(runs: &Runs, trials: &'a [Compared]) -> Self {
        let own: Vec<Trial> = trials.iter().map(|trial| trial.own.clone()).collect();
        let baselines = runs.baselines.iter().enumerate().map(|(place, detector)| {
            let own: Vec<Trial> = trials.iter().map(|trial| trial.baselines[place].clone()).collect();
            Baseline {
                detector_id: detector.manifest.id.clone(),
                title: detector.manifest.title.clone(),
                scores: score(&own),
            }
        });
        Self { own: score(&own), baselines: baselines.collect(), trials }
    }
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut lines = figures(&self.own);
        lines.extend(self.baselines.iter().map(beside));
        for trial in self.trials {
            lines.extend(misses(&trial.own));
        }
        f.write_str(&lines.join("\n"))
    }
}

fn share(value: f64) -> String {
    format!("{value:.3}")
}

fn time(seconds: f64) -> String {
    let time = TimeDelta::seconds(seconds as i64);
    format!("{} h {:02} min", time.num_hours(), time.num_minutes() % 60)
}

fn money(usd: f64) -> String {
    format!("{usd:.0} USD")
}

fn figures(scores: &Scores) -> Vec<String> {
    type Line = (&'static str, fn(f64) -> String, Option<f64>, Option<[f64; 2]>);
    let (own, spread) = (&scores.figures, scores.intervals.as_ref());
    let lines: [Line; 10] = [
        ("precision", share, own.precision, spread.and_then(|spread| spread.precision)),
        ("recall", share, own.recall, spread.and_then(|spread| spread.recall)),
        (
            "median time to detect",
            time,
            own.median_time_to_detect_s,
            spread.and_then(|spread| spread.median_time_to_detect_s),
        ),
        (
            "  by events, from the first record's arrival",
            time,
            own.median_time_to_detect_by_events_s,
            spread.and_then(|spread| spread.median_time_to_detect_by_events_s),
        ),
        (
            "  by costs and flows, from its arrival",
            time,
            own.median_time_to_detect_by_the_hour_s,
            spread.and_then(|spread| spread.median_time_to_detect_by_the_hour_s),
        ),
        (
            "  by events, from its own evidence's arrival",
            time,
            own.median_evidence_to_alert_by_events_s,
            spread.and_then(|spread| spread.median_evidence_to_alert_by_events_s),
        ),
        (
            "  by costs and flows, from that",
            time,
            own.median_evidence_to_alert_by_the_hour_s,
            spread.and_then(|spread| spread.median_evidence_to_alert_by_the_hour_s),
        ),
        (
            "false alerts per 1,000 clean subscription-days",
            share,
            own.false_alerts_per_1000_clean_subscription_days,
            spread.and_then(|spread| spread.false_alerts_per_1000_clean_subscription_days),
        ),
        (
            "median cost of an attack before its alert",
            money,
            own.median_usd_before_alert,
            spread.and_then(|spread| spread.median_usd_before_alert),
        ),
        (
            "share of all cost of attacks before alerts",
            share,
            own.share_of_money_before_alert,
            spread.and_then(|spread| spread.share_of_money_before_alert),
        ),
    ];
    let line = |(what, show, value, interval): Line| {
        let value = value.map_or("undefined".to_owned(), show);
        let interval = interval
            .map_or(String::new(), |[low, high]| format!("   95 % interval {} to {}", show(low), show(high)));
        format!("{what:<46} {value}{interval}")
    };
    lines.into_iter().map(line).collect()
}

fn beside(baseline: &Baseline) -> String {
    let show = |value: Option<f64>| value.map_or("undefined".to_owned(), share);
    let figures = &baseline.scores.figures;
    format!(
        "beside  {}: precision {}, recall {}, {} false alerts per 1,000 clean subscription-days, median time to detect {}",
        baseline.detector_id,
        show(figures.precision),
        show(figures.recall),
        show(figures.false_alerts_per_1000_clean_subscription_days),
        figures.median_time_to_detect_s.map_or("undefined".to_owned(), time),
    )
}

/// Names the attacks that were missed and the alerts that were false, so that a reader can look.
fn misses(trial: &Trial) -> Vec<String> {
    let mut lines = Vec::new();
    for label in trial.labels.iter().filter(|label| label.malicious) {
        if !trial.alerts.iter().any(|alert| alert.counts_for(label)) {
            lines.push(format!("missed  {} in {} from {}", label.scenario, label.subscription, label.from));
        }
    }
    for alert in &trial.alerts {
        let mut labels = trial.labels.iter().filter(|label| alert.counts_for(label));
        if !labels.clone().any(|label| label.malicious) {
            let scenario = labels.next().map_or("nothing", |label| &label.scenario);
            lines.push(format!(
                "false   {} in {} from {} ({scenario})",
                alert.alert_type, alert.subscription_id, alert.first_observed_at
            ));
        }
    }
    lines
}
