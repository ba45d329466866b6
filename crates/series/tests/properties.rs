//! What holds for every series.

use proptest::prelude::*;
use series::{Config, Scored, Scorer, score};

/// Values of every kind, wild ones and none among them.
fn value() -> impl Strategy<Value = f64> {
    prop_oneof![
        8 => -1e3..1e3,
        2 => Just(0.0),
        1 => any::<f64>(),
        1 => prop_oneof![Just(f64::NAN), Just(f64::INFINITY), Just(f64::NEG_INFINITY), Just(f64::MAX)],
    ]
}

/// Series with any times: regular, irregular, repeated, out of order.
fn points() -> impl Strategy<Value = Vec<(i64, f64)>> {
    let time = prop_oneof![6 => 0..10_000_000_i64, 1 => any::<i64>()];
    prop::collection::vec((time, value()), 0..400)
}

/// Calm series that repeat each day, in hours.
fn calm() -> impl Strategy<Value = Vec<(i64, f64)>> {
    prop::collection::vec(-1.0..1.0, 300..600).prop_map(|noise: Vec<f64>| {
        let hour = |n: usize| if n % 24 < 8 { 20.0 } else { 100.0 };
        noise.iter().enumerate().map(|(n, noise)| (n as i64 * 3600, hour(n) + noise)).collect()
    })
}

/// Equal to the bit, so that it holds for what is no number too.
fn text(scored: &[Scored]) -> String {
    format!("{scored:?}")
}

proptest! {
    #[test]
    fn every_point_has_a_score_between_0_and_1(points in points()) {
        let scored = score(&points);
        prop_assert_eq!(scored.len(), points.len());
        for scored in scored {
            prop_assert!((0.0..=1.0).contains(&scored.score), "{scored:?}");
            prop_assert!((-1000.0..=1000.0).contains(&scored.deviation), "{scored:?}");
            if let Some(baseline) = scored.baseline {
                prop_assert!(baseline.low <= baseline.expected && baseline.expected <= baseline.high);
                prop_assert!(baseline.spread >= 0.0);
            }
        }
    }

    #[test]
    fn later_points_change_nothing(points in points(), cut in 0..400_usize) {
        let cut = cut.min(points.len());
        prop_assert_eq!(text(&score(&points[..cut])), text(&score(&points)[..cut]));
    }

    #[test]
    fn missing_values_leave_no_trace(points in calm(), missing in prop::collection::vec(0..300_usize, 1..9)) {
        let mut gappy = points.clone();
        for at in &missing {
            gappy[*at].1 = f64::NAN;
        }
        let without: Vec<(i64, f64)> = gappy.iter().copied().filter(|(_, value)| !value.is_nan()).collect();
        let known: Vec<Scored> = score(&gappy)
            .into_iter()
            .zip(&gappy)
            .filter(|(_, (_, value))| !value.is_nan())
            .map(|(scored, _)| scored)
            .collect();
        prop_assert_eq!(text(&known), text(&score(&without)));
    }

    /// Powers of two change no digit, so what is compared is the logic and not the rounding.
    #[test]
    fn the_unit_of_the_values_does_not_matter(points in calm(), power in -8..8_i32) {
        let factor = 2.0_f64.powi(power);
        let scaled: Vec<(i64, f64)> = points.iter().map(|(at, value)| (*at, value * factor)).collect();
        let scores = |points: &[(i64, f64)]| -> Vec<f64> { score(points).iter().map(|scored| scored.score).collect() };
        for (a, b) in scores(&points).into_iter().zip(scores(&scaled)) {
            prop_assert!((a - b).abs() < 1e-9, "{a} {b}");
        }
    }

    #[test]
    fn a_spike_beyond_everything_is_an_alert(points in calm(), spike in 300.0..1e6) {
        let mut points = points;
        let end = points.len() - 1;
        points[end].1 = spike;
        let scored = score(&points)[end];
        prop_assert!(scored.score > 0.99, "{scored:?}");
        prop_assert!(scored.baseline.is_some_and(|baseline| baseline.high < spike));
        prop_assert!(scored.deviation > 5.0);
    }

    #[test]
    fn a_series_that_never_moves_has_no_anomaly(value in -1e9..1e9, step in 1..200_000_i64) {
        let points: Vec<(i64, f64)> = (0..500).map(|n| (n * step, value)).collect();
        prop_assert!(score(&points).iter().all(|scored| scored.score == 0.0));
    }

    #[test]
    fn changes_of_no_interest_are_none(noise in prop::collection::vec(-0.4..0.4, 300)) {
        let mut scorer = Scorer::new(Config { smallest_change: 1.0 });
        for (n, noise) in noise.into_iter().enumerate() {
            prop_assert_eq!(scorer.push(n as i64 * 86_400, 100.0 + noise).score, 0.0);
        }
        prop_assert!(scorer.push(300 * 86_400, 150.0).score > 0.97);
    }
}
