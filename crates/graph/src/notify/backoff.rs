//! When a notification that was not taken is sent again.
//!
//! The wait doubles with each attempt, up to a limit, and is spread by chance so that what failed
//! together does not come back as one wave. The last attempt falls on the end of the window, so nothing
//! is dropped that was not tried then.

use chrono::{DateTime, TimeDelta, Utc};

/// How long a notification is retried after its first attempt failed; Graph's documented four hours.
pub const RETRY_WINDOW: TimeDelta = TimeDelta::hours(4);

/// The wait after the first attempt; Graph does not publish its own.
const WAIT_FIRST: TimeDelta = TimeDelta::seconds(10);

/// The longest wait. A receiver that comes back hears of everything within this time.
const WAIT_MAX: TimeDelta = TimeDelta::minutes(15);

/// When to try again, or `None` if the window is over.
///
/// `attempts` counts those made, the one that failed now included. `chance` is any number, and spreads
/// the wait over its upper half.
#[must_use]
pub fn next_attempt(
    attempts: u32,
    first_failed_at: DateTime<Utc>,
    now: DateTime<Utc>,
    chance: u32,
) -> Option<DateTime<Utc>> {
    let end = first_failed_at + RETRY_WINDOW;
    if now >= end {
        return None;
    }
    let doublings = attempts.saturating_sub(1).min(20);
    let wait = WAIT_FIRST.checked_mul(1 << doublings).map_or(WAIT_MAX, |wait| wait.min(WAIT_MAX));
    let half = wait / 2;
    let spread = TimeDelta::milliseconds(i64::from(chance) % (half.num_milliseconds() + 1));
    Some((now + half + spread).min(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_a_limit_and_the_last_attempt_is_at_the_end_of_the_window() {
        let start: DateTime<Utc> = "2031-02-03T00:00:00Z".parse().unwrap();
        let schedule = |chance: u32| {
            let (mut waits, mut now, mut attempts) = (Vec::new(), start, 1);
            while let Some(at) = next_attempt(attempts, start, now, chance) {
                waits.push((at - now).num_seconds());
                (now, attempts) = (at, attempts + 1);
            }
            assert_eq!(now, start + RETRY_WINDOW);
            waits
        };
        let longest = schedule(450_000);
        assert!(longest.iter().all(|wait| *wait <= 900), "{longest:?}");
        let shortest = schedule(0);
        assert_eq!(shortest[..9], [5, 10, 20, 40, 80, 160, 320, 450, 450]);
        assert!(shortest.len() < 45, "{}", shortest.len());
    }

    #[test]
    fn no_number_of_attempts_is_too_many() {
        let start: DateTime<Utc> = "2031-02-03T00:00:00Z".parse().unwrap();
        for attempts in [0, 1, 31, 32, 64, u32::MAX] {
            assert!(next_attempt(attempts, start, start, u32::MAX).is_some());
        }
    }
}
