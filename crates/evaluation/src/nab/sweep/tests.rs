use super::*;

/// A series of this many points with these windows.
fn series(points: usize, windows: &[(usize, usize)]) -> Series {
    Series {
        name: "a/b.csv".to_owned(),
        points: (0..points as i64).map(|n| (n * 300, 0.0)).collect(),
        windows: windows.iter().map(|(first, last)| *first..=*last).collect(),
    }
}

/// Scores of 1 at these points and 0 elsewhere.
fn alerts(points: usize, at: &[usize]) -> Vec<f64> {
    (0..points).map(|n| f64::from(u8::from(at.contains(&n)))).collect()
}

/// The score of alerts at these points, for the standard profile.
fn standard(points: usize, windows: &[(usize, usize)], at: &[usize]) -> f64 {
    let (series, scores) = (series(points, windows), alerts(points, at));
    Sweep::new(&[(&series, &scores)]).at(&PROFILES[0], 1.0).score
}

fn near(actual: f64, expected: f64) {
    assert!((actual - expected).abs() < 1e-6, "{actual} is not {expected}");
}

#[test]
fn probation_is_a_part_and_bounded() {
    assert_eq!([0, 6, 100, 4032, 5000, 22_695].map(probation), [0, 0, 15, 604, 750, 750]);
}

#[test]
fn silence_is_zero_and_perfection_a_hundred() {
    let windows = [(20, 29), (50, 59)];
    near(standard(100, &windows, &[]), 0.0);
    near(standard(100, &windows, &[20, 50]), 100.0);
    for profile in PROFILES {
        let (series, scores) = (series(100, &windows), alerts(100, &[20, 50]));
        let best = Sweep::new(&[(&series, &scores)]).best(&profile);
        near(best.score, 100.0);
        assert_eq!((best.windows_found, best.false_alerts, best.threshold), (2, 0, Some(1.0)));
    }
}

#[test]
fn the_first_alert_of_a_window_counts_and_no_other() {
    // Halfway through ten points: the sigmoid of 2.5 over that of 5. One window of two is half of the scale.
    let halfway = 0.848_283_639_957_513 / 0.986_614_298_151_430;
    near(standard(100, &[(20, 29)], &[25]), 50.0 * (1.0 + halfway));
    near(standard(100, &[(20, 29)], &[25, 26, 29]), 50.0 * (1.0 + halfway));
    // The last point is a tenth of a window before the end.
    near(standard(100, &[(20, 29)], &[29]), 50.0 * (1.0 + 0.244_918_662_403_709 / 0.986_614_298_151_430));
}

#[test]
fn a_false_alert_costs_more_the_farther_behind_a_window() {
    let cost = |at: usize| standard(100, &[(20, 30)], &[20]) - standard(100, &[(20, 30)], &[20, at]);
    // Before any window, and three widths behind one: all of 0.11, on a scale of two.
    near(cost(16), 5.5);
    near(cost(60), 5.5);
    // A tenth and a whole width behind.
    near(cost(31), 5.5 * 0.244_918_662_403_709);
    near(cost(40), 5.5 * 0.986_614_298_151_430);
}

#[test]
fn nothing_counts_in_the_probation() {
    near(standard(100, &[(20, 29)], &[0, 5, 14, 20]), 100.0);
    // A window that is over by then cannot be missed.
    near(standard(100, &[(3, 8), (20, 29)], &[20]), 100.0);
    // One that reaches beyond it can.
    near(standard(100, &[(3, 18), (20, 29)], &[20]), 50.0);
}

#[test]
fn profiles_weigh_mistakes_differently() {
    let (series, scores) = (series(100, &[(20, 29), (50, 59)]), alerts(100, &[16, 20]));
    let sweep = Sweep::new(&[(&series, &scores)]);
    let scores = PROFILES.map(|profile| sweep.at(&profile, 1.0).score);
    // (1 - 1 - 0.11 + 2) / 4, (1 - 1 - 0.22 + 2) / 4, (1 - 2 - 0.11 + 4) / 6
    for (actual, expected) in scores.into_iter().zip([47.25, 44.5, 100.0 * 2.89 / 6.0]) {
        near(actual, expected);
    }
}

#[test]
fn one_threshold_serves_all_series() {
    let series = series(100, &[(20, 29)]);
    let mut loud = alerts(100, &[20]);
    let mut quiet: Vec<f64> = alerts(100, &[]);
    quiet[20] = 0.4;
    // What finds the window of the second series makes false alerts of the first.
    for point in loud.iter_mut().skip(60) {
        *point = 0.4;
    }
    let best = Sweep::new(&[(&series, &loud), (&series, &quiet)]).best(&PROFILES[0]);
    assert_eq!((best.threshold, best.windows_found, best.false_alerts), (Some(1.0), 1, 0));
    near(best.score, 50.0);
}

#[test]
fn it_is_best_to_be_silent_where_nothing_is_wrong() {
    let (series, scores) = (series(100, &[]), alerts(100, &[50]));
    let best = Sweep::new(&[(&series, &scores)]).best(&PROFILES[0]);
    assert_eq!(best, Outcome { score: 0.0, threshold: None, windows_found: 0, false_alerts: 0 });
}

#[test]
fn what_is_no_number_is_no_alert() {
    let series = series(100, &[(20, 29)]);
    let scores = vec![f64::NAN; 100];
    assert_eq!(Sweep::new(&[(&series, &scores)]).best(&PROFILES[0]).threshold, None);
    // Nor is a point without a score.
    assert_eq!(Sweep::new(&[(&series, &[])]).windows(), 1);
}
