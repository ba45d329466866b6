//! The scorer: one point in, one score out.

use crate::habit::{ASPECTS, Habit};
use crate::mean::Mean;
use crate::season::Season;
use crate::tail::Tail;

/// Values beyond this are cut, so that no sum or difference overflows.
const VALUE_MAX: f64 = 1e100;

/// Differences below this part of the usual size of values are what rounding leaves.
const ROUNDING: f64 = 1e-9;

/// Points that the level is a mean of, against which positions and levels are measured.
const LEVEL: f64 = 500.0;

/// The short and the long memory of each moving aspect, in points.
const JUMP: [f64; 2] = [12.0, 500.0];
const DRIFT: [f64; 2] = [96.0, 1000.0];
const UNREST: [f64; 2] = [96.0, 2000.0];

/// Unrest may grow or shrink by this factor at most, so that a series that stops moving has a bound.
const UNREST_MAX: f64 = 1e6;

/// A value between the expected low and high is within what this part of the history kept to.
const USUAL: f64 = 0.99;

/// The range is taken anew after this many points; it moves slowly.
const RANGE_EVERY: u32 = 16;

/// The median of the distances from the middle is this much smaller than the standard deviation, where values
/// are normally distributed.
const MEDIAN_TO_DEVIATION: f64 = 1.4826;

/// Deviations are cut to this many spreads.
const DEVIATION_MAX: f64 = 1000.0;

/// What may be said about a kind of series. The default says nothing, and suits most.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Config {
    /// Differences below this, in the unit of the values, are of no interest: one euro, say, so that a bill
    /// which is the same every day makes no alert of a cent. Zero, and what is no number, take every difference.
    pub smallest_change: f64,
}

/// From which side a point is strange.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Aspect {
    /// It is far from what was expected at its time.
    Position,
    /// It is far from the point before and from what the last three days had around its time.
    Novelty,
    /// The series lately moves more, or less, from point to point than it used to.
    Unrest,
    /// The level moved within about a dozen points.
    Jump,
    /// The level moved within about a hundred points.
    Drift,
}

impl Aspect {
    const ALL: [Self; ASPECTS] = [Self::Position, Self::Novelty, Self::Unrest, Self::Jump, Self::Drift];
}

/// What was to be expected.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Baseline {
    /// The value that was to be expected.
    pub expected: f64,
    /// From here…
    pub low: f64,
    /// …to here 99 of 100 points would lie, by the history.
    pub high: f64,
    /// The usual distance from the expectation, comparable to a standard deviation.
    pub spread: f64,
}

/// A point that was scored.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scored {
    /// 0 for nothing strange, towards 1 the stranger. Where nothing was strange lately, it is 1 minus the part of
    /// the history that was at least as strange as this; after an incident it is less for a while.
    pub score: f64,
    /// The aspect that says most, whatever the score.
    pub aspect: Aspect,
    /// What was to be expected; `None` without a history, and for a value that is no number.
    pub baseline: Option<Baseline>,
    /// The distance from the expectation in spreads, positive above it, within ±1000; 0 without a baseline.
    pub deviation: f64,
}

/// Scores a series point by point.
#[derive(Debug, Clone)]
pub struct Scorer {
    smallest_change: f64,
    season: Season,
    level: Mean,
    size: Mean,
    jump: [Mean; 2],
    drift: [Mean; 2],
    unrest: [Mean; 2],
    tails: [Tail; ASPECTS],
    habit: Habit,
    last: Option<f64>,
    points: u32,
    spread: f64,
    reach: f64,
}

impl Scorer {
    /// A scorer that has seen nothing.
    #[must_use]
    pub fn new(config: Config) -> Self {
        let smallest = config.smallest_change;
        Self {
            smallest_change: if smallest.is_finite() { smallest.max(0.0) } else { 0.0 },
            season: Season::new(),
            level: Mean::over(LEVEL),
            size: Mean::over(LEVEL),
            jump: JUMP.map(Mean::over),
            drift: DRIFT.map(Mean::over),
            unrest: UNREST.map(Mean::over),
            tails: std::array::from_fn(|_| Tail::new()),
            habit: Habit::new(),
            last: None,
            points: 0,
            spread: 0.0,
            reach: 0.0,
        }
    }

    /// Scores the next point: seconds since 1970 and its value.
    ///
    /// Points are to come in order of time. One that is out of order is scored as any other, but blurs the
    /// rhythm a little. A value that is no number, or infinite, is a missing one: it scores 0 and leaves no trace.
    pub fn push(&mut self, at_s: i64, value: f64) -> Scored {
        if !value.is_finite() {
            return Scored { score: 0.0, aspect: Aspect::Position, baseline: None, deviation: 0.0 };
        }
        let value = value.clamp(-VALUE_MAX, VALUE_MAX);
        let Some(last) = self.last else {
            self.begin(at_s, value);
            return Scored { score: 0.0, aspect: Aspect::Position, baseline: None, deviation: 0.0 };
        };

        let level = self.level.value();
        let expected = self.season.expect(at_s, level);
        let baseline = self.baseline(expected.value);
        let novelty = (value - last).abs().min(self.season.nearest(&expected, value));
        let floor = self.smallest_change.max(ROUNDING * self.size.value());
        let sizes = self.sizes(value, expected.value, last, novelty, floor);

        let mut surprises = [0.0; ASPECTS];
        for ((surprise, tail), size) in surprises.iter_mut().zip(&mut self.tails).zip(sizes) {
            *surprise = tail.surprise(size);
        }
        let (news, aspect) = self.habit.weigh(surprises);

        self.season.learn(&expected, value);
        self.level.add(value);
        self.size.add(value.abs());
        self.last = Some(value);
        self.measure();
        let deviation = match baseline.spread {
            _ if value == baseline.expected => 0.0,
            // A spread of zero makes an infinity of the right sign, which is cut.
            spread => ((value - baseline.expected) / spread).clamp(-DEVIATION_MAX, DEVIATION_MAX),
        };
        Scored {
            score: 1.0 - 10.0_f64.powf(-news),
            aspect: Aspect::ALL[aspect],
            baseline: Some(baseline),
            deviation,
        }
    }

    fn begin(&mut self, at_s: i64, value: f64) {
        let expected = self.season.expect(at_s, value);
        self.season.learn(&expected, value);
        self.level.add(value);
        self.size.add(value.abs());
        for mean in self.jump.iter_mut().chain(&mut self.drift) {
            mean.add(value);
        }
        self.last = Some(value);
    }

    /// How large the point is in each aspect, in the order of [`Aspect::ALL`].
    fn sizes(&mut self, value: f64, expected: f64, last: f64, novelty: f64, floor: f64) -> [f64; ASPECTS] {
        // Without its rhythm, the series is its level and what is left over.
        let rest = value - expected;
        let flat = self.level.value() + rest;
        let moved = |[short, long]: &mut [Mean; 2]| {
            let distance = (short.add(flat) - long.value()).abs();
            long.add(flat);
            distance
        };
        let (jump, drift) = (moved(&mut self.jump), moved(&mut self.drift));
        let above_floor = |size: f64| if size < floor { 0.0 } else { size };
        let step = above_floor((value - last).abs());
        let unrest = unrest(&mut self.unrest, step);
        [above_floor(rest.abs()), above_floor(novelty), unrest, above_floor(jump), above_floor(drift)]
    }

    fn baseline(&self, expected: f64) -> Baseline {
        Baseline { expected, low: expected - self.reach, high: expected + self.reach, spread: self.spread }
    }

    /// Takes spread and range from the distances so far.
    fn measure(&mut self) {
        let due = self.points < RANGE_EVERY || self.points.is_multiple_of(RANGE_EVERY);
        self.points = self.points.wrapping_add(1);
        if due {
            let positions = &self.tails[0];
            self.spread = MEDIAN_TO_DEVIATION * positions.exceeded_by(positions.total() / 2.0);
            self.reach = positions.exceeded_by(positions.total() * (1.0 - USUAL));
        }
    }
}

/// How much more, or less, a series moves lately than it used to, as a factor above 1.
fn unrest([short, long]: &mut [Mean; 2], step: f64) -> f64 {
    let usual = long.value();
    let now = short.add(step);
    long.add(step);
    if usual <= 0.0 {
        return 0.0;
    }
    let factor = now / usual;
    // A factor of zero makes an infinity here, which is cut.
    factor.max(1.0 / factor).min(UNREST_MAX)
}
