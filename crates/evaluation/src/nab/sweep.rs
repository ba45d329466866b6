//! What alerts are worth.
//!
//! The first part of a series is probation: nothing there counts. In a window the best alert counts once, the
//! more the earlier; a window without one costs. An alert outside costs more the farther behind the last
//! window it is, and the whole weight before any window. The worth of a place is a sigmoid of its distance
//! to the window's end, in window widths: almost 1 at the window's start, 0 at its end, almost -1 one width later.
//!
//! The sum is put on a scale where a detector that says nothing has 0 and one that says exactly the first
//! point of each window has 100.

use std::cmp::Reverse;

use serde::Serialize;

use super::corpus::Series;

/// What mistakes cost, when a window that is found at its start is worth 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Profile {
    /// NAB's name for it.
    pub name: &'static str,
    /// What a false alert costs.
    pub false_alert: f64,
    /// What a missed window costs.
    pub missed_window: f64,
}

/// The profiles that NAB publishes, the standard one first.
pub const PROFILES: [Profile; 3] = [
    Profile { name: "standard", false_alert: 0.11, missed_window: 1.0 },
    Profile { name: "reward_low_FP_rate", false_alert: 0.22, missed_window: 1.0 },
    Profile { name: "reward_low_FN_rate", false_alert: 0.11, missed_window: 2.0 },
];

/// The part of a series that is probation, in percent.
const PROBATION_PERCENT: usize = 15;

/// Longer series have no longer probation than one of this many points.
const PROBATION_POINTS_MAX: usize = 5000;

/// From this many window widths behind a window on, an alert costs the whole weight.
const FAR_BEHIND: f64 = 3.0;

/// How many points at the start of a series do not count.
#[must_use]
pub fn probation(points: usize) -> usize {
    points.min(PROBATION_POINTS_MAX) * PROBATION_PERCENT / 100
}

/// The worth of a place: the sigmoid between 1 and -1, falling, with 0 at the end of a window.
fn worth(place: f64) -> f64 {
    if place >= FAR_BEHIND { -1.0 } else { 2.0 / (1.0 + (5.0 * place).exp()) - 1.0 }
}

/// A series with the score of each of its points.
pub type Scored<'a> = (&'a Series, &'a [f64]);

/// What an alert at a point would mean.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Meaning {
    /// It finds a window, and has this worth.
    Found { window: usize, worth: f64 },
    /// It is false; the worth is below or at zero, and to be weighed.
    False { worth: f64 },
}

/// How well scores do with one profile at one threshold.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Outcome {
    /// 0 for a detector that says nothing, 100 for a perfect one; below zero if silence is better.
    /// Without any window in the corpus there is no scale, and it is 0.
    pub score: f64,
    /// Points that score at least this are alerts; `None` if it is best to have none.
    pub threshold: Option<f64>,
    /// Windows with an alert.
    pub windows_found: usize,
    /// Points outside all windows that are alerts.
    pub false_alerts: usize,
}

/// Every point that counts, by descending score.
#[derive(Debug)]
pub struct Sweep {
    points: Vec<(f64, Meaning)>,
    windows: usize,
}

impl Sweep {
    /// Orders the points of all series. Scores that are no numbers are no alerts at any threshold; so are
    /// points without a score.
    #[must_use]
    pub fn new(corpus: &[Scored<'_>]) -> Self {
        let mut sweep = Self { points: Vec::new(), windows: 0 };
        for (series, scores) in corpus {
            sweep.add(series, scores);
        }
        sweep.points.sort_by(|(a, _), (b, _)| b.total_cmp(a));
        sweep
    }

    /// How many windows there are to find.
    #[must_use]
    pub fn windows(&self) -> usize {
        self.windows
    }

    fn add(&mut self, series: &Series, scores: &[f64]) {
        let probation = probation(series.points.len());
        let mut windows = series.windows.iter().peekable();
        // The last window that is over: its end and its number of points.
        let mut behind: Option<(usize, usize)> = None;
        for (index, score) in (0..series.points.len()).zip(scores) {
            while let Some(over) = windows.next_if(|window| *window.end() < index) {
                behind = Some((*over.end(), over.end() - over.start() + 1));
                // A window that is over in the probation cannot be found.
                self.windows += usize::from(*over.end() >= probation);
            }
            if index < probation || score.is_nan() {
                continue;
            }
            let current = windows.peek().filter(|window| window.contains(&index));
            let meaning = match (current, behind) {
                (Some(window), _) => {
                    let width = window.end() - window.start() + 1;
                    let to_end = window.end() + 1 - index;
                    let worth = worth(-(to_end as f64) / width as f64) / worth(-1.0);
                    Meaning::Found { window: self.windows, worth }
                }
                (None, None) => Meaning::False { worth: -1.0 },
                (None, Some((end, width))) => {
                    // A window of one point would divide by zero.
                    let widths = (index - end) as f64 / (width - 1).max(1) as f64;
                    Meaning::False { worth: worth(widths) }
                }
            };
            self.points.push((*score, meaning));
        }
        self.windows += windows.filter(|window| *window.end() >= probation).count();
    }

    /// The outcome with the threshold that is best for the profile.
    #[must_use]
    pub fn best(&self, profile: &Profile) -> Outcome {
        let outcomes = self.outcomes(profile);
        // Of equal scores the higher threshold, which is the earlier, is taken: fewer alerts.
        let best = outcomes
            .into_iter()
            .enumerate()
            .max_by(|(i, a), (j, b)| a.score.total_cmp(&b.score).then(Reverse(i).cmp(&Reverse(j))));
        best.map_or(NOTHING, |(_, outcome)| outcome)
    }

    /// The outcome with a threshold that was chosen before.
    #[must_use]
    pub fn at(&self, profile: &Profile, threshold: f64) -> Outcome {
        let outcomes = self.outcomes(profile);
        let reached = |outcome: &&Outcome| outcome.threshold.is_none_or(|lowest| lowest >= threshold);
        let outcome = outcomes.iter().take_while(reached).last().copied().unwrap_or(NOTHING);
        Outcome { threshold: Some(threshold), ..outcome }
    }

    /// One outcome for each threshold that makes a difference, from the highest, which is none at all.
    fn outcomes(&self, profile: &Profile) -> Vec<Outcome> {
        let mut found: Vec<Option<f64>> = vec![None; self.windows];
        let perfect = self.windows as f64;
        let silent = -profile.missed_window * perfect;
        let mut sum = silent;
        let mut current = NOTHING;
        let mut outcomes = vec![current];
        let mut points = self.points.iter().peekable();
        while let Some((score, meaning)) = points.next() {
            match *meaning {
                Meaning::False { worth } => {
                    sum += worth * profile.false_alert;
                    current.false_alerts += 1;
                }
                Meaning::Found { window, worth } => {
                    let before = found[window].unwrap_or(-profile.missed_window);
                    current.windows_found += usize::from(found[window].is_none());
                    if worth > before {
                        sum += worth - before;
                        found[window] = Some(worth);
                    }
                }
            }
            let last_of_its_score = points.peek().is_none_or(|(next, _)| next != score);
            if last_of_its_score {
                let scale = perfect - silent;
                current.score = if scale > 0.0 { 100.0 * (sum - silent) / scale } else { 0.0 };
                current.threshold = Some(*score);
                outcomes.push(current);
            }
        }
        outcomes
    }
}

/// No alert at all.
const NOTHING: Outcome = Outcome { score: 0.0, threshold: None, windows_found: 0, false_alerts: 0 };

#[cfg(test)]
mod tests;
