//! The Numenta Anomaly Benchmark (NAB).
//!
//! [`read`] takes in a folder: series, and the windows in which people say that something was wrong.
//! A scorer gives each point of each series a score; a [`Sweep`] tries every threshold over all series at
//! once and keeps the best one for each [`Profile`] of costs. [`evaluate`] does all of it with the scorer
//! that Tenantwatch uses.

mod corpus;
mod report;
mod sweep;

use std::path::Path;

pub use corpus::{NabError, Series, read};
pub use report::{FileReport, Report};
pub use sweep::{Outcome, PROFILES, Profile, Scored, Sweep, probation};

/// Scores the folder with the series scorer of Tenantwatch, in its default settings for every file.
///
/// # Errors
///
/// When the folder, one of its series or its labels cannot be read; the error names the file and the line.
pub fn evaluate(folder: &Path) -> Result<Report, NabError> {
    let corpus = read(folder)?;
    let scores: Vec<Vec<f64>> = corpus.iter().map(|series| anomaly_scores(&series.points)).collect();
    Ok(Report::new(&corpus, &scores))
}

fn anomaly_scores(points: &[(i64, f64)]) -> Vec<f64> {
    series::score(points).iter().map(|scored| scored.score).collect()
}
