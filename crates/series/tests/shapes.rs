//! Series as they are met: what should be found, how soon, and how often there is a false alarm.

use series::{ALERT_SCORE, Aspect, Scored, score};

const HOUR_S: i64 = 3600;
const DAY_S: i64 = 24 * HOUR_S;

/// Noise that is the same in every run, about normal, with a deviation of 1.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> f64 {
        let mut uniform = || {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            (self.0 >> 11) as f64 / (1_u64 << 53) as f64
        };
        (0..12).map(|_| uniform()).sum::<f64>() - 6.0
    }
}

/// A series of this many points, each made from its number and noise.
fn series(step_s: i64, points: usize, mut value: impl FnMut(usize, f64) -> f64) -> Vec<Scored> {
    let mut noise = Noise(88_172_645_463_325_252);
    let points: Vec<(i64, f64)> = (0..points).map(|n| (n as i64 * step_s, value(n, noise.next()))).collect();
    score(&points)
}

/// The points that are alerts.
fn alerts(scored: &[Scored]) -> Vec<usize> {
    (0..scored.len()).filter(|n| scored[*n].score >= ALERT_SCORE).collect()
}

/// The bill of a subscription: half of it at weekends, and a few percent of noise.
fn bill(day: usize, noise: f64) -> f64 {
    let week = if day % 7 >= 5 { 50.0 } else { 100.0 };
    week * (1.0 + 0.03 * noise)
}

#[test]
fn a_bill_that_steps_up_is_an_alert_on_its_first_day() {
    let scored = series(DAY_S, 240, |day, noise| bill(day, noise) + if day >= 200 { 150.0 } else { 0.0 });
    let alerts = alerts(&scored);
    assert!(alerts.contains(&200), "{alerts:?}");
    let early = alerts.iter().filter(|day| **day < 200).count();
    assert!(early <= 4, "{alerts:?}");
    let after = alerts.iter().filter(|day| **day > 200).count();
    assert!(after <= 3, "one incident, {alerts:?}");
}

#[test]
fn the_baseline_of_a_bill_knows_the_weekend() {
    let scored = series(DAY_S, 210, bill);
    let expected = |day: usize| scored[day].baseline.unwrap().expected;
    assert!((expected(203) - 100.0).abs() < 10.0, "{}", expected(203));
    assert!((expected(208) - 50.0).abs() < 10.0, "{}", expected(208));
}

#[test]
fn work_at_night_is_found_though_the_day_is_as_busy() {
    let busy = |hour: usize| (8..18).contains(&(hour % 24));
    let night = 30 * 24 + 2;
    let scored = series(HOUR_S, 31 * 24, |hour, noise| {
        let level = if busy(hour) || hour >= night { 80.0 } else { 5.0 };
        level + noise
    });
    let alerts = alerts(&scored);
    let found = alerts.iter().find(|hour| **hour >= night);
    assert!(found.is_some_and(|hour| *hour < night + 3), "{alerts:?}");
    assert!(alerts.iter().filter(|hour| **hour < night).count() <= 5, "{alerts:?}");
}

#[test]
fn a_series_that_falls_silent_is_found() {
    let scored = series(300, 4000, |n, noise| if n >= 3500 { 50.0 } else { 50.0 + 5.0 * noise });
    let first = alerts(&scored).into_iter().find(|n| *n >= 3500);
    // Each of its values is ordinary; that they no longer move shows after a while.
    assert!(first.is_some_and(|n| n < 3800), "{first:?}");
    assert!((3500..3800).any(|n| scored[n].aspect == Aspect::Unrest && scored[n].score > 0.9));
}

#[test]
fn spikes_that_are_usual_are_no_news() {
    let backup = |n: usize| n % 288 == 36;
    let scored = series(300, 14 * 288, |n, noise| if backup(n) { 90.0 + noise } else { 10.0 + noise });
    let late = alerts(&scored).into_iter().filter(|n| *n > 7 * 288 && backup(*n)).count();
    assert_eq!(late, 0);
}

#[test]
fn noise_is_seldom_an_alert() {
    for step_s in [60, 300, HOUR_S, DAY_S] {
        let alerts = alerts(&series(step_s, 5000, |_, noise| 20.0 + noise));
        assert!(alerts.len() <= 15, "{step_s}: {alerts:?}");
    }
}

#[test]
fn a_short_history_makes_no_alert_of_the_ordinary_but_of_the_vast() {
    let scored = series(DAY_S, 31, |day, noise| if day == 30 { 5000.0 } else { 100.0 + 5.0 * noise });
    let alerts = alerts(&scored);
    assert!(alerts.contains(&30) && alerts.len() <= 2, "{alerts:?}");
    assert_eq!(scored[0].baseline, None);
}

#[test]
fn gaps_and_irregular_steps_are_in_order() {
    let mut at_s = 0;
    let mut noise = Noise(7);
    let mut points = Vec::new();
    for n in 0..3000_i64 {
        at_s += 300 * (1 + n % 3) + if n % 500 == 499 { 2 * DAY_S } else { n % 7 };
        let busy = (8..18).contains(&(at_s % DAY_S / HOUR_S));
        points.push((at_s, if busy { 80.0 } else { 20.0 } + noise.next()));
    }
    let alerts = alerts(&score(&points));
    assert!(alerts.len() <= 25, "{alerts:?}");
    assert!(score(&[]).is_empty());
}
