//! What is printed.

use std::fmt;

use serde::Serialize;

use super::corpus::Series;
use super::sweep::{Outcome, PROFILES, Sweep};

/// The scores of a corpus, and what became of each file.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// How many windows there are to find.
    pub windows: usize,
    /// How many points were scored.
    pub points: usize,
    /// With the standard profile.
    pub standard: Outcome,
    /// With the profile that punishes false alerts more.
    #[serde(rename = "reward_low_FP_rate")]
    pub low_fp: Outcome,
    /// With the profile that punishes missed windows more.
    #[serde(rename = "reward_low_FN_rate")]
    pub low_fn: Outcome,
    /// Each file at the threshold of the standard profile.
    pub files: Vec<FileReport>,
}

/// One file at the threshold that is best for all.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FileReport {
    /// `folder/file.csv`.
    pub name: String,
    /// Its score alone. Negative where false alerts cost more than was found; 0 where there are no windows.
    pub score: f64,
    /// How many windows it has.
    pub windows: usize,
    /// How many of them have an alert.
    pub windows_found: usize,
    /// Alerts outside windows.
    pub false_alerts: usize,
}

impl Report {
    /// Scores a corpus by the scores of its points, which are in the order of the corpus.
    #[must_use]
    pub fn new(corpus: &[Series], scores: &[Vec<f64>]) -> Self {
        let scored: Vec<_> = corpus.iter().zip(scores.iter().map(Vec::as_slice)).collect();
        let sweep = Sweep::new(&scored);
        let [standard, low_fp, low_fn] = PROFILES.map(|profile| sweep.best(&profile));
        let threshold = standard.threshold.unwrap_or(f64::INFINITY);
        let file = |scored: &(&Series, &[f64])| {
            let sweep = Sweep::new(std::slice::from_ref(scored));
            let outcome = sweep.at(&PROFILES[0], threshold);
            FileReport {
                name: scored.0.name.clone(),
                score: outcome.score,
                windows: sweep.windows(),
                windows_found: outcome.windows_found,
                false_alerts: outcome.false_alerts,
            }
        };
        Self {
            windows: sweep.windows(),
            points: corpus.iter().map(|series| series.points.len()).sum(),
            standard,
            low_fp,
            low_fn,
            files: scored.iter().map(file).collect(),
        }
    }
}

/// A table for people.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} files, {} points, {} windows", self.files.len(), self.points, self.windows)?;
        writeln!(f)?;
        writeln!(f, "profile                score  windows found  false alerts  threshold")?;
        for (profile, outcome) in PROFILES.iter().zip([&self.standard, &self.low_fp, &self.low_fn]) {
            let threshold = outcome.threshold.map_or("none".to_owned(), |value| format!("{value:.4}"));
            writeln!(
                f,
                "{:<20} {:>7.2}  {:>13}  {:>12}  {threshold:>9}",
                profile.name, outcome.score, outcome.windows_found, outcome.false_alerts
            )?;
        }
        writeln!(f)?;
        writeln!(f, "At the threshold of the standard profile:")?;
        writeln!(f, "  score  windows  found  false  file")?;
        for file in &self.files {
            writeln!(
                f,
                "{:>7.2}  {:>7}  {:>5}  {:>5}  {}",
                file.score, file.windows, file.windows_found, file.false_alerts, file.name
            )?;
        }
        Ok(())
    }
}
