//! How far figures could be off by the choice of estates.

use serde::Serialize;

use super::figures::{Figures, Tally};
use crate::dice::Dice;

/// How often estates are drawn anew.
const DRAWS: usize = 2_000;

/// The middle 95 % of each figure, lowest and highest, when as many estates are drawn from those at hand, with
/// repetition. `None` for a figure that some draws do not have.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[expect(missing_docs, reason = "the fields of Figures")]
pub struct Intervals {
    pub precision: Option<[f64; 2]>,
    pub recall: Option<[f64; 2]>,
    pub false_alerts_per_1000_clean_subscription_days: Option<[f64; 2]>,
    pub median_time_to_detect_s: Option<[f64; 2]>,
    pub median_time_to_detect_by_events_s: Option<[f64; 2]>,
    pub median_time_to_detect_by_the_hour_s: Option<[f64; 2]>,
    pub median_evidence_to_alert_by_events_s: Option<[f64; 2]>,
    pub median_evidence_to_alert_by_the_hour_s: Option<[f64; 2]>,
    pub median_usd_before_alert: Option<[f64; 2]>,
    pub share_of_money_before_alert: Option<[f64; 2]>,
}

/// By the bootstrap over whole estates: what happens within one belongs together. `None` for less than two.
pub(super) fn of(tallies: &[Tally]) -> Option<Intervals> {
    if tallies.len() < 2 {
        return None;
    }
    let mut dice = Dice::new(0, "draws of estates", tallies.len() as u64);
    let draws: Vec<Figures> = (0..DRAWS)
        .map(|_| Tally::sum((0..tallies.len()).map(|_| &tallies[dice.below(tallies.len())])).figures())
        .collect();
    let middle = |figure: fn(&Figures) -> Option<f64>| {
        let mut values: Vec<f64> = draws.iter().map(figure).collect::<Option<_>>()?;
        values.sort_by(f64::total_cmp);
        Some([values[DRAWS / 40], values[DRAWS - 1 - DRAWS / 40]])
    };
    Some(Intervals {
        precision: middle(|figures| figures.precision),
        recall: middle(|figures| figures.recall),
        false_alerts_per_1000_clean_subscription_days: middle(|figures| {
            figures.false_alerts_per_1000_clean_subscription_days
        }),
        median_time_to_detect_s: middle(|figures| figures.median_time_to_detect_s),
        median_time_to_detect_by_events_s: middle(|figures| figures.median_time_to_detect_by_events_s),
        median_time_to_detect_by_the_hour_s: middle(|figures| figures.median_time_to_detect_by_the_hour_s),
        median_evidence_to_alert_by_events_s: middle(|figures| figures.median_evidence_to_alert_by_events_s),
        median_evidence_to_alert_by_the_hour_s: middle(|figures| {
            figures.median_evidence_to_alert_by_the_hour_s
        }),
        median_usd_before_alert: middle(|figures| figures.median_usd_before_alert),
        share_of_money_before_alert: middle(|figures| figures.share_of_money_before_alert),
    })
}
