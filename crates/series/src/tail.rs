//! How rare a number is among all that came before.
//!
//! Counts in buckets, four for each doubling, stand for the history: adding and asking cost the same
//! whatever its length. Counts are halved now and then, so that what was usual long ago weighs less.
//!
//! A number beyond all of them is no rarer by rank alone than one just above the largest. How much rarer it is
//! follows from how fast the upper tenth thinned out: in a calm series a little beyond is a lot, in a wild one
//! it is next to nothing.

/// Buckets for each doubling, as a power of two: the leading bits of a number's mantissa.
const BITS: u32 = 2;

/// Buckets; they reach from 2^-64 to 2^64.
const BUCKETS: usize = 512;

/// The bits of the lower bound of the lowest bucket.
const LOWEST: u64 = (1023 - 64) << BITS;

/// Buckets whose sum is kept too, so that counting what lies above adds few numbers.
const GROUP: usize = 32;

/// What a number counts when it comes in. Whole numbers can be summed several at a time, which floating ones cannot;
/// halved four times, it is forgotten.
const ONE: u32 = 8;

/// With fewer numbers than this, nothing can be said.
const HISTORY_MIN: u32 = 20 * ONE;

/// After this many numbers, all counts are halved.
const HALVED_AFTER: u32 = 5000;

/// Numbers of the history count as being as large from this part of a number on. A rhythm that repeats to
/// the last digit would else set a record each day, each by nothing but what its means still settle.
const ALIKE: f64 = 0.999;

/// The part of the history from which the tail is drawn out beyond the largest number.
const TAIL: f64 = 0.1;

/// In a short history it is drawn from this many, because two or three show nothing of a shape.
const TAIL_MIN: f64 = 8.0;

/// Even if the upper tenth is all but equal, the tail thins out no faster than with this power.
const POWER_MAX: f64 = 20.0;

/// Ten to the power of minus this is the chance of the first move of a series that never moved, beside the
/// length of its history.
const FIRST_MOVE: f64 = 1.0;

#[derive(Debug, Clone)]
pub(crate) struct Tail {
    counts: Box<[u32; BUCKETS]>,
    groups: [u32; BUCKETS / GROUP],
    total: u32,
    largest: f64,
    since_halved: u32,
}

impl Tail {
    pub(crate) fn new() -> Self {
        Self {
            counts: Box::new([0; BUCKETS]),
            groups: [0; BUCKETS / GROUP],
            total: 0,
            largest: 0.0,
            since_halved: 0,
        }
    }

    /// Takes a number in, which is not below zero, and gives the surprise that it was: minus the decimal
    /// logarithm of the part of the history that was at least as large.
    pub(crate) fn surprise(&mut self, number: f64) -> f64 {
        let bucket = bucket(number);
        let surprise = if self.total < HISTORY_MIN { 0.0 } else { self.rarity(number * ALIKE) };
        self.add(number, bucket);
        surprise
    }

    fn rarity(&self, number: f64) -> f64 {
        let bucket = bucket(number);
        let history = self.total() + 1.0;
        if number <= self.largest {
            let group = bucket / GROUP;
            let above = self.groups[group + 1..].iter().sum::<u32>()
                + self.counts[bucket + 1..(group + 1) * GROUP].iter().sum::<u32>();
            let (low, high) = (lower(bucket), lower(bucket + 1));
            // Within the bucket, numbers are taken to be evenly spread; zeros are all alike.
            let part = if bucket == 0 { 1.0 } else { ((high - number) / (high - low)).clamp(0.0, 1.0) };
            let as_large = numbers(above) + numbers(self.counts[bucket]) * part;
            return (history / (as_large + 1.0)).log10();
        }
        if self.largest <= 0.0 {
            return history.log10() + FIRST_MOVE;
        }
        let tail = (self.total() * TAIL).max(TAIL_MIN);
        let start = self.exceeded_by(tail).max(self.largest * 1e-3);
        let power = tail.log10() / (self.largest / start).max(1.05).log10();
        history.log10() + power.clamp(0.0, POWER_MAX) * (number / self.largest).log10()
    }

    /// About the number that this many of the history are at least as large as.
    pub(crate) fn exceeded_by(&self, count: f64) -> f64 {
        let mut above = 0.0;
        for group in (0..self.groups.len()).rev() {
            let with_group = above + numbers(self.groups[group]);
            if with_group < count {
                above = with_group;
                continue;
            }
            for bucket in (group * GROUP..(group + 1) * GROUP).rev() {
                above += numbers(self.counts[bucket]);
                if above >= count {
                    return lower(bucket);
                }
            }
        }
        0.0
    }

    /// How many numbers the history has, less what is forgotten.
    pub(crate) fn total(&self) -> f64 {
        numbers(self.total)
    }

    fn add(&mut self, number: f64, bucket: usize) {
        self.counts[bucket] += ONE;
        self.groups[bucket / GROUP] += ONE;
        self.total += ONE;
        self.largest = self.largest.max(number);
        self.since_halved += 1;
        if self.since_halved == HALVED_AFTER {
            self.halve();
        }
    }

    fn halve(&mut self) {
        self.since_halved = 0;
        for count in self.counts.iter_mut() {
            *count /= 2;
        }
        for (sum, counts) in self.groups.iter_mut().zip(self.counts.chunks_exact(GROUP)) {
            *sum = counts.iter().sum();
        }
        self.total = self.groups.iter().sum();
        // With what is forgotten, the largest is too.
        let top = self.counts.iter().rposition(|count| *count > 0).unwrap_or(0);
        self.largest = self.largest.min(lower(top + 1));
    }
}

/// How many numbers a count stands for.
fn numbers(count: u32) -> f64 {
    f64::from(count) / f64::from(ONE)
}

/// The bucket of a number: its exponent and the leading bits of its mantissa. Zero has the lowest.
fn bucket(number: f64) -> usize {
    let leading = number.to_bits() >> (f64::MANTISSA_DIGITS - 1 - BITS);
    (leading.saturating_sub(LOWEST) as usize).min(BUCKETS - 1)
}

/// The least number of a bucket.
fn lower(bucket: usize) -> f64 {
    if bucket == 0 {
        return 0.0;
    }
    f64::from_bits((bucket as u64 + LOWEST) << (f64::MANTISSA_DIGITS - 1 - BITS))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tail_of(numbers: impl IntoIterator<Item = f64>) -> Tail {
        let mut tail = Tail::new();
        for number in numbers {
            tail.surprise(number);
        }
        tail
    }

    #[test]
    fn a_bucket_begins_at_its_lower_bound() {
        for number in [1e-12, 0.3, 1.0, 1.24, 1.25, 7.0, 1e6, 1e15] {
            let bucket = bucket(number);
            assert!(lower(bucket) <= number && number < lower(bucket + 1), "{number}");
        }
        assert_eq!(bucket(0.0), 0);
        assert_eq!(bucket(1e-300), 0);
        assert_eq!(bucket(1e300), BUCKETS - 1);
    }

    #[test]
    fn the_surprise_is_the_rank_as_a_power_of_ten() {
        let mut tail = tail_of((1..=999).map(f64::from));
        // A hundred of a thousand are as large, give or take the width of a bucket.
        assert!((tail.clone().surprise(900.0) - 1.0).abs() < 0.1);
        assert!(tail.clone().surprise(0.5) < 0.001);
        // At the top the width of a bucket is many numbers: it knows that they are rare, not how rare.
        assert!((1.5..3.1).contains(&tail.surprise(999.0)));
    }

    #[test]
    fn beyond_the_largest_it_depends_on_how_the_tail_thins() {
        let calm = tail_of((0..1000).map(|n| 10.0 + f64::from(n % 10) / 10.0)).surprise(20.0);
        let wild = tail_of((1..1000).map(|n| 1000.0 / f64::from(n))).surprise(1900.0);
        assert!(calm > 6.0, "{calm}");
        assert!((3.0..3.6).contains(&wild), "{wild}");
    }

    #[test]
    fn nothing_is_said_without_a_history() {
        assert_eq!(tail_of([1.0; 19]).surprise(1e9), 0.0);
        assert!(tail_of([1.0; 20]).surprise(1e9) > 1.0);
    }

    #[test]
    fn a_first_move_is_a_surprise() {
        assert!(tail_of([0.0; 100]).surprise(1e-9) > 2.9);
    }

    #[test]
    fn what_was_long_ago_is_forgotten() {
        let mut tail = tail_of((0..100).map(|_| 1000.0));
        for _ in 0..20 * HALVED_AFTER {
            tail.surprise(1.0);
        }
        assert!(tail.largest < 2.0);
        assert!(tail.total() < 2.5 * f64::from(HALVED_AFTER));
    }
}
