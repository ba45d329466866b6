//! Says how strange each point of a series of numbers is.
//!
//! A [`Scorer`] takes the points in order and gives each a score between 0 and 1, together with what was
//! to be expected. It is causal: a score depends on that point and the ones before it, on nothing else, so
//! a series scored as it grows and the same series scored afterwards have the same scores. It needs no
//! settings, no training and no knowledge of what the numbers are.
//!
//! 1. `season` learns the rhythm of the day and of the week, and uses it only where it has foretold the
//!    series better than its plain level has.
//! 2. `scorer` looks at the point from five sides, the [`Aspect`]s: how far it is from what was expected, how
//!    far from anything recent, whether the series is wilder or calmer than usual, whether its level moved
//!    quickly or slowly.
//! 3. `tail` puts each of these numbers among all that the series had before: what part of them was at least
//!    as large? That makes aspects, and series of any unit and shape, comparable.
//! 4. `habit` remembers what was strange lately, so that one incident is one high score at its beginning
//!    instead of a hundred.
//!
//! Missing points, irregular steps, values that are no numbers and series that never move are all in order;
//! nothing panics. A point costs the same whatever the length of the series.
//!
//! The crate knows nothing of SQL, files or labels. The crates that exist do other things: `augurs` fits whole
//! series, where later points change earlier scores; random cut forests have no baseline to explain an alert
//! with, and their published figures on the same files are lower (docs/detection.md).

mod habit;
mod mean;
mod scorer;
mod season;
mod tail;

pub use scorer::{Aspect, Baseline, Config, Scored, Scorer};

/// The score from which on a point is worth an alert, if one has nothing to choose it by.
///
/// It is near where costs balance on the public benchmark and on generated series alike, see docs/detection.md.
pub const ALERT_SCORE: f64 = 0.97;

/// Scores a whole series with the default settings: seconds since 1970 and values, in order of time.
///
/// ```
/// let mut points: Vec<(i64, f64)> = (0..200).map(|day| (day * 86_400, 100.0 + (day % 7) as f64)).collect();
/// points.push((200 * 86_400, 900.0));
/// let scored = series::score(&points);
/// assert!(scored[200].score > series::ALERT_SCORE);
/// assert!(scored[200].baseline.is_some_and(|baseline| baseline.high < 900.0));
/// assert!(scored[150].score < series::ALERT_SCORE);
/// ```
#[must_use]
pub fn score(points: &[(i64, f64)]) -> Vec<Scored> {
    let mut scorer = Scorer::new(Config::default());
    points.iter().map(|(at, value)| scorer.push(*at, *value)).collect()
}
