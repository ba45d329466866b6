//! Chance, from a seed alone.
//!
//! Every part of the estate rolls its own dice, named by purpose and number. So a customer comes out
//! the same whoever is generated before it, and a new scenario does not change the days around it.
//! Nothing here goes through the platform's maths library (logarithms, cosines), whose last digit
//! differs between machines.

use chrono::{DateTime, TimeDelta, Utc};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use uuid::Uuid;

/// One stream of chance.
pub(crate) struct Dice(ChaCha8Rng);

impl Dice {
    /// The stream for one purpose and number under a seed.
    pub(crate) fn new(seed: u64, purpose: &str, number: u64) -> Self {
        let mut key = [0_u8; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        key[8..16].copy_from_slice(&number.to_le_bytes());
        key[16..24].copy_from_slice(&fnv1a(purpose.as_bytes()).to_le_bytes());
        Self(ChaCha8Rng::from_seed(key))
    }

    /// A number from 0 to `n - 1`. The bias of the multiplication is below 2⁻³² for any `n` used here.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        assert!(n > 0, "a choice needs at least one option");
        ((u128::from(self.0.next_u64()) * n as u128) >> 64) as usize
    }

    /// A whole number from `low` to `high`, both included; `low` if the range is empty.
    pub(crate) fn between(&mut self, low: i64, high: i64) -> i64 {
        if high <= low { low } else { low + self.below((high - low) as usize + 1) as i64 }
    }

    /// A number in `[0, 1)`.
    pub(crate) fn share(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// A number in `[low, high)`.
    pub(crate) fn real(&mut self, low: f64, high: f64) -> f64 {
        low + self.share() * (high - low)
    }

    /// Whether something of this probability happens.
    pub(crate) fn chance(&mut self, probability: f64) -> bool {
        self.share() < probability
    }

    /// One of the options. There must be at least one.
    pub(crate) fn pick<T: Clone>(&mut self, options: &[T]) -> T {
        options[self.below(options.len())].clone()
    }

    /// `n` different options in random order, or all of them if there are fewer.
    pub(crate) fn sample<T: Clone>(&mut self, options: &[T], n: usize) -> Vec<T> {
        let mut left = options.to_vec();
        let mut taken = Vec::with_capacity(n.min(left.len()));
        while taken.len() < n && !left.is_empty() {
            let index = self.below(left.len());
            taken.push(left.swap_remove(index));
        }
        taken
    }

    /// A bell-shaped number with mean 0 and standard deviation 1, never beyond ±4.9: the sum of eight
    /// uniform ones, which is near enough to a normal one for daily noise.
    pub(crate) fn bell(&mut self) -> f64 {
        let sum: f64 = (0..8).map(|_| self.share()).sum();
        (sum - 4.0) * (12.0_f64 / 8.0).sqrt()
    }

    /// How often something happens that happens `mean` times on average.
    pub(crate) fn count(&mut self, mean: f64) -> usize {
        (mean * self.real(0.6, 1.4) + self.share()) as usize
    }

    /// A size of long-tailed distribution: mostly near 1, a tenth above 3, never above `max`.
    pub(crate) fn long_tailed(&mut self, max: f64) -> f64 {
        (1.0 / (1.0 - self.share()).sqrt()).min(max)
    }

    /// A random GUID.
    pub(crate) fn guid(&mut self) -> Uuid {
        let mut bytes = [0_u8; 16];
        self.0.fill_bytes(&mut bytes);
        uuid::Builder::from_random_bytes(bytes).into_uuid()
    }

    /// A moment from `from` to `until`, to the microsecond; `from` if the span is empty.
    pub(crate) fn moment(&mut self, from: DateTime<Utc>, until: DateTime<Utc>) -> DateTime<Utc> {
        let span_us = (until - from).num_microseconds().unwrap_or(0);
        from + TimeDelta::microseconds(self.between(0, span_us))
    }

    /// A span of this many seconds, to the microsecond.
    pub(crate) fn seconds(&mut self, low: f64, high: f64) -> TimeDelta {
        TimeDelta::microseconds((self.real(low, high) * 1e6) as i64)
    }
}

/// Rounds to so many decimals, so that files hold no digits that nobody measures.
pub(crate) fn rounded(value: f64, decimals: i32) -> f64 {
    let scale = [1.0, 10.0, 100.0, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8][decimals.clamp(0, 8) as usize];
    (value * scale).round() / scale
}

fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_differ_by_seed_purpose_and_number_only() {
        let first = |seed, purpose, number| Dice::new(seed, purpose, number).guid();
        assert_eq!(first(1, "a", 1), first(1, "a", 1));
        assert_ne!(first(1, "a", 1), first(2, "a", 1));
        assert_ne!(first(1, "a", 1), first(1, "b", 1));
        assert_ne!(first(1, "a", 1), first(1, "a", 2));
    }

    #[test]
    fn numbers_stay_in_their_ranges() {
        let mut dice = Dice::new(7, "ranges", 0);
        let mut bells = Vec::new();
        for _ in 0..10_000 {
            assert!((3..=9).contains(&dice.between(3, 9)));
            assert!((0.5..2.0).contains(&dice.real(0.5, 2.0)));
            assert!((1.0..=20.0).contains(&dice.long_tailed(20.0)));
            bells.push(dice.bell());
        }
        assert_eq!(dice.between(5, 5), 5);
        assert_eq!(dice.between(5, 1), 5);
        let mean = bells.iter().sum::<f64>() / bells.len() as f64;
        let variance = bells.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / bells.len() as f64;
        assert!(mean.abs() < 0.05, "{mean}");
        assert!((variance - 1.0).abs() < 0.1, "{variance}");
    }

    #[test]
    fn a_sample_has_no_repeats() {
        let mut dice = Dice::new(7, "sample", 0);
        let mut taken = dice.sample(&[1, 2, 3, 4, 5], 9);
        taken.sort_unstable();
        assert_eq!(taken, [1, 2, 3, 4, 5]);
        assert_eq!(dice.sample(&[1, 2, 3], 2).len(), 2);
        assert!(dice.sample::<u8>(&[], 2).is_empty());
    }
}
