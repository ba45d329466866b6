//! What is usual at this time of the day, and of the week.
//!
//! The day is cut into slots of the series' usual step, and so is the week. Each slot keeps its last three
//! values; their median is what the slot foretells, so one strange day does not spoil the next. Level, day and
//! week compete: whichever has foretold the series best of late speaks. A series without rhythm has its
//! level win, and one with it needs no setting to say so. A series of days has seven slots a week.

use crate::mean::Mean;

const DAY_S: i64 = 86_400;
const WEEK_S: i64 = 7 * DAY_S;

/// The usual step is the median of this many.
const STEPS: usize = 24;

/// A finer step has several points share a slot, which bounds the tables.
const STEP_S_MIN: i64 = 60;

/// The memory of who foretold best, in points.
const CONTEST: f64 = 1000.0;

/// What the last three values of a slot were; NaN is none.
type Slot = [f64; 3];

const EMPTY: Slot = [f64::NAN; 3];

/// What a series is to be compared with at one time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Expected {
    /// What the winner of the contest foretells.
    pub(crate) value: f64,
    foretold: [f64; 3],
    place: Option<Place>,
}

#[derive(Debug, Clone, Copy)]
struct Place {
    day: usize,
    week: usize,
}

#[derive(Debug, Clone)]
pub(crate) struct Season {
    first_s: Option<i64>,
    last_s: i64,
    /// The first steps, until there are enough of them.
    steps: Vec<i64>,
    day: Vec<Slot>,
    week: Vec<Slot>,
    /// The mean error of the level, of the day and of the week.
    errors: [Mean; 3],
}

impl Season {
    pub(crate) fn new() -> Self {
        Self {
            first_s: None,
            last_s: 0,
            steps: Vec::new(),
            day: Vec::new(),
            week: Vec::new(),
            errors: [Mean::over(CONTEST), Mean::over(CONTEST), Mean::over(CONTEST)],
        }
    }

    /// What is to be expected at a time of a series that has this level.
    pub(crate) fn expect(&mut self, at_s: i64, level: f64) -> Expected {
        self.watch_steps(at_s);
        let Some(place) = self.place(at_s) else {
            return Expected { value: level, foretold: [level; 3], place: None };
        };
        let usual = |slot: &Slot| median(slot).unwrap_or(level);
        let foretold = [level, usual(&self.day[place.day]), usual(&self.week[place.week])];
        let [level_error, day_error, week_error] = [0, 1, 2].map(|who| self.errors[who].value());
        // Before it has values of its own, a rhythm errs exactly as the level does, and the level speaks.
        let value = if week_error < day_error && week_error < level_error {
            foretold[2]
        } else if day_error < level_error {
            foretold[1]
        } else {
            level
        };
        Expected { value, foretold, place: Some(place) }
    }

    /// The distance of a value from the nearest of what the last three days had around this time, infinite
    /// without any. The week is left out: the more a value may be like, the less is ever new.
    pub(crate) fn nearest(&self, expected: &Expected, value: f64) -> f64 {
        let Some(place) = expected.place else {
            return f64::INFINITY;
        };
        let slots = self.day.len();
        // What happens each day may come a slot early or late.
        let around = [(place.day + slots - 1) % slots, place.day, (place.day + 1) % slots];
        let days = around.iter().flat_map(|slot| self.day[*slot]);
        // `min` passes over what is not there.
        days.fold(f64::INFINITY, |nearest, had| nearest.min((value - had).abs()))
    }

    /// Takes in what the value was.
    pub(crate) fn learn(&mut self, expected: &Expected, value: f64) {
        for (error, foretold) in self.errors.iter_mut().zip(expected.foretold) {
            error.add((value - foretold).abs());
        }
        if let Some(place) = expected.place {
            for slot in [&mut self.day[place.day], &mut self.week[place.week]] {
                *slot = [slot[1], slot[2], value];
            }
        }
    }

    fn watch_steps(&mut self, at_s: i64) {
        let known = !self.day.is_empty();
        if known {
            return;
        }
        if self.first_s.is_none() {
            self.first_s = Some(at_s);
        } else if at_s > self.last_s {
            self.steps.push(at_s.saturating_sub(self.last_s));
        }
        self.last_s = at_s;
        if self.steps.len() == STEPS {
            let (_, step, _) = self.steps.select_nth_unstable(STEPS / 2);
            let step = (*step).clamp(STEP_S_MIN, WEEK_S);
            let slots = |period: i64| ((period + step / 2) / step).max(1) as usize;
            self.day = vec![EMPTY; slots(DAY_S)];
            self.week = vec![EMPTY; slots(WEEK_S)];
            self.steps = Vec::new();
        }
    }

    fn place(&self, at_s: i64) -> Option<Place> {
        let first = self.first_s.filter(|_| !self.day.is_empty())?;
        let slot = |period: i64, slots: usize| {
            // Counted from the middle of the first point's slot, so that a little early or late is the same slot.
            let since = (at_s.rem_euclid(period) - first.rem_euclid(period)) as f64;
            let slot = (since * slots as f64 / period as f64).round() as i64;
            slot.rem_euclid(slots as i64) as usize
        };
        Some(Place { day: slot(DAY_S, self.day.len()), week: slot(WEEK_S, self.week.len()) })
    }
}

/// The median of what is there, the middle of two. Values come in from the right.
fn median(slot: &Slot) -> Option<f64> {
    let [a, b, c] = *slot;
    if c.is_nan() {
        None
    } else if b.is_nan() {
        Some(c)
    } else if a.is_nan() {
        Some(f64::midpoint(b, c))
    } else {
        Some(a.min(b).max(a.max(b).min(c)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_of_what_is_there() {
        let none = f64::NAN;
        for (slot, expected) in [
            ([none, none, none], None),
            ([none, none, 5.0], Some(5.0)),
            ([none, 7.0, 5.0], Some(6.0)),
            ([9.0, 7.0, 5.0], Some(7.0)),
            ([1.0, 7.0, 5.0], Some(5.0)),
            ([9.0, 7.0, 8.0], Some(8.0)),
        ] {
            assert_eq!(median(&slot), expected, "{slot:?}");
        }
    }

    /// Learns a series, and gives what is expected after it.
    fn after(step_s: i64, points: i64, value: impl Fn(i64) -> f64) -> f64 {
        let mut season = Season::new();
        for n in 0..points {
            let expected = season.expect(n * step_s, 10.0);
            season.learn(&expected, value(n));
        }
        season.expect(points * step_s, 10.0).value
    }

    #[test]
    fn a_rhythm_of_the_day_is_found() {
        let night = |n: i64| if n % 24 < 8 { 2.0 } else { 20.0 };
        assert_eq!(after(3600, 24 * 10, night), 2.0);
        assert_eq!(after(3600, 24 * 10 + 12, night), 20.0);
    }

    #[test]
    fn a_rhythm_of_the_week_is_found_in_days() {
        let weekend = |n: i64| if n % 7 >= 5 { 2.0 } else { 20.0 };
        assert_eq!(after(DAY_S, 7 * 10, weekend), 20.0);
        assert_eq!(after(DAY_S, 7 * 10 + 5, weekend), 2.0);
    }

    #[test]
    fn without_a_rhythm_the_level_speaks() {
        let chance = |n: i64| 10.0 + ((n * 7919) % 101 - 50) as f64 / 10.0;
        assert_eq!(after(3600, 1000, chance), 10.0);
    }

    #[test]
    fn any_time_has_a_place() {
        let mut season = Season::new();
        for at_s in (0..40).map(|n| n * 300).chain([i64::MIN, -1, i64::MAX, 5]) {
            let expected = season.expect(at_s, 1.0);
            season.learn(&expected, 1.0);
            assert!(season.nearest(&expected, 1.0) >= 0.0);
        }
    }
}
