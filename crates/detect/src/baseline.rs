//! A robust seasonal baseline: what was to be expected of a day, and how far the day is from it.
//!
//! Everything is a median, so that a few wild days in the history, an attack of last week among
//! them, hardly move the baseline:
//!
//! - the level is the median of the last period;
//! - the trend is the median difference between days one period apart, so the rhythm of the week
//!   cancels out; it carries the level from the middle of the last period to today, within bounds;
//! - the rhythm is the median of how the same day of earlier periods stood to the days around it;
//! - the spread is the median absolute deviation (MAD) of the differences one period apart, with a
//!   floor, because a bill that is the same every day would else make an alarm of every cent.
//!
//! It is causal: the score of a day depends on that day and the days before it within `history`, and
//! on nothing else. So it does not matter where a series starts, as long as the history is there.
//!
//! The crates that exist do other things: `augurs` compares series with each other (its outlier
//! detectors) or fits a whole series at once (MSTL), where later days change earlier scores.

/// How a series is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// Days after which the rhythm repeats: 7 for weeks. At least 1.
    pub period: usize,
    /// How many days before a day its baseline is taken from.
    pub history: usize,
}

/// One day of a series.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Day {
    /// Nothing is on record: zero, if the series had begun by then.
    Absent,
    /// There should be a value, but it is not known; the day takes no part.
    Unknown,
    /// The value.
    Value(f64),
}

/// How a day stands to its baseline.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Score {
    /// What was to be expected; `None` without any history.
    pub expected: Option<f64>,
    /// The usual distance from the expectation: comparable to a standard deviation.
    pub spread: f64,
    /// The distance of the day in spreads, positive above the expectation; within ±[`SCORE_MAX`].
    pub score: f64,
    /// How many days of history there were, at most [`Shape::history`].
    pub history_days: usize,
}

/// The bound of a score. A series that never moved has no spread; its first move scores this.
pub const SCORE_MAX: f64 = 1000.0;

/// The spread is at least this part of the expectation.
const SPREAD_FLOOR: f64 = 0.05;

/// The MAD of normally distributed values is this much smaller than their standard deviation.
const MAD_TO_DEVIATION: f64 = 1.4826;

/// The trend moves the level by at most this part of it.
const DRIFT_MAX: f64 = 0.5;

/// Amounts beyond this are cut, so that no sum or product overflows.
const AMOUNT_MAX: f64 = 1e100;

/// Scores every day of a series, in order.
#[must_use]
pub fn score_series(days: &[Day], shape: Shape) -> Vec<Score> {
    let days: Vec<Day> = days.iter().map(|day| readable(*day)).collect();
    (0..days.len())
        .map(|today| {
            let history = &days[today.saturating_sub(shape.history)..today];
            score(history, days[today], shape.period.max(1))
        })
        .collect()
}

/// A value that is no number is not known; a vast one is cut.
fn readable(day: Day) -> Day {
    match day {
        Day::Value(value) if value.is_nan() => Day::Unknown,
        Day::Value(value) => Day::Value(value.clamp(-AMOUNT_MAX, AMOUNT_MAX)),
        Day::Absent | Day::Unknown => day,
    }
}

fn score(history: &[Day], today: Day, period: usize) -> Score {
    let history = begun(history);
    let history_days = history.len();
    let Some(Baseline { expected, spread }) = baseline(&history, period) else {
        return Score { expected: None, spread: 0.0, score: 0.0, history_days };
    };
    let score = match today {
        Day::Unknown => 0.0,
        Day::Absent => distance(0.0, expected, spread),
        Day::Value(value) => distance(value, expected, spread),
    };
    Score { expected: Some(expected), spread, score, history_days }
}

/// The history from its first day on record; absent days after that are zero.
fn begun(history: &[Day]) -> Vec<Option<f64>> {
    history
        .iter()
        .skip_while(|day| **day == Day::Absent)
        .map(|day| match day {
            Day::Absent => Some(0.0),
            Day::Unknown => None,
            Day::Value(value) => Some(*value),
        })
        .collect()
}

fn distance(value: f64, expected: f64, spread: f64) -> f64 {
    let away = value - expected;
    if away == 0.0 {
        return 0.0;
    }
    // A spread of zero gives an infinity of the right sign here, which the clamp makes the bound.
    (away / spread).clamp(-SCORE_MAX, SCORE_MAX)
}

struct Baseline {
    expected: f64,
    spread: f64,
}

fn baseline(history: &[Option<f64>], period: usize) -> Option<Baseline> {
    let typical = median(known(history))?;
    let (expected, spread) = if history.len() < 2 * period {
        (typical, MAD_TO_DEVIATION * mad(known(history), typical))
    } else {
        seasonal(history, period, typical)
    };
    // What was never below zero is not expected to be.
    let never_negative = known(history).iter().all(|value| *value >= 0.0);
    let expected = if never_negative { expected.max(0.0) } else { expected };
    Some(Baseline { expected, spread: spread.max(SPREAD_FLOOR * expected.abs()) })
}

/// Expectation and spread from at least two periods of history.
fn seasonal(history: &[Option<f64>], period: usize, typical: f64) -> (f64, f64) {
    let days = history.len();
    let level = median(known(&history[days - period..])).unwrap_or(typical);

    let steps: Vec<f64> =
        (period..days).filter_map(|day| Some(history[day]? - history[day - period]?)).collect();
    let step = median(steps.clone()).unwrap_or(0.0);
    let bound = DRIFT_MAX * level.abs();
    // The last period's median stands for its middle, which is this far back.
    let middle = (period as f64 + 1.0) / 2.0;
    let drift = (step / period as f64 * middle).clamp(-bound, bound);

    // A rhythm grows and shrinks with its level, within bounds.
    let growth = if typical == 0.0 { 1.0 } else { (level / typical).clamp(0.5, 2.0) };
    let rhythm = rhythm(history, period).unwrap_or(0.0);
    // Two days differ by the noise of both, hence the root of two.
    let spread = MAD_TO_DEVIATION * mad(steps, step) / std::f64::consts::SQRT_2;
    (level + drift + growth * rhythm, spread)
}

/// How days at today's place in the period usually stand to the days around them.
fn rhythm(history: &[Option<f64>], period: usize) -> Option<f64> {
    let days = history.len();
    let half = period / 2;
    let deviations = (1..=days / period)
        .filter_map(|periods_ago| {
            let day = days - periods_ago * period;
            let around = &history[day.saturating_sub(half)..(day + half + 1).min(days)];
            Some(history[day]? - median(known(around))?)
        })
        .collect();
    median(deviations)
}

fn known(history: &[Option<f64>]) -> Vec<f64> {
    history.iter().flatten().copied().collect()
}

/// The median absolute deviation from a centre.
fn mad(mut values: Vec<f64>, centre: f64) -> f64 {
    for value in &mut values {
        *value = (*value - centre).abs();
    }
    median(values).unwrap_or(0.0)
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    let middle = values.len() / 2;
    let even = values.len().is_multiple_of(2);
    if values.is_empty() {
        return None;
    }
    let (below, upper, _) = values.select_nth_unstable_by(middle, f64::total_cmp);
    let upper = *upper;
    if !even {
        return Some(upper);
    }
    let lower = below.iter().copied().max_by(f64::total_cmp).unwrap_or(upper);
    Some(lower / 2.0 + upper / 2.0)
}

#[cfg(test)]
mod tests;
