use proptest::prelude::*;

use super::*;

const WEEKLY: Shape = Shape { period: 7, history: 42 };

fn values(values: impl IntoIterator<Item = f64>) -> Vec<Day> {
    values.into_iter().map(Day::Value).collect()
}

/// The score of the last day.
fn last(days: &[Day]) -> Score {
    *score_series(days, WEEKLY).last().unwrap()
}

/// `days` days of a week's rhythm around a level that grows by a factor a day, with a little noise.
fn estate(days: usize, growth_per_day: f64) -> Vec<f64> {
    let week = [1.0, 1.05, 0.98, 1.02, 1.0, 0.4, 0.35];
    (0..days)
        .map(|day| {
            let noise = 1.0 + 0.03 * ((day * 7919 % 13) as f64 - 6.0) / 6.0;
            100.0 * week[day % 7] * growth_per_day.powi(day as i32) * noise
        })
        .collect()
}

#[test]
fn a_week_with_its_rhythm_is_expected() {
    for score in score_series(&values(estate(80, 1.0)), WEEKLY).iter().skip(21) {
        assert!(score.score.abs() < 4.0, "{score:?}");
    }
}

#[test]
fn growth_is_followed() {
    for score in score_series(&values(estate(80, 1.02)), WEEKLY).iter().skip(21) {
        assert!(score.score < 6.0, "{score:?}");
    }
}

#[test]
fn a_spike_stands_out_and_does_not_hide_the_next() {
    let mut series = estate(60, 1.0);
    series[50] *= 8.0;
    series[59] *= 8.0;
    let scores = score_series(&values(series), WEEKLY);
    assert!(scores[50].score > 20.0, "{:?}", scores[50]);
    assert!(scores[59].score > 20.0, "{:?}", scores[59]);
    let after = scores[57];
    assert!(after.score.abs() < 6.0, "the same day a week after the spike: {after:?}");
}

#[test]
fn a_weekly_job_is_expected_on_its_day_only() {
    let job = |day: usize| if day % 7 == 3 { 500.0 } else { 100.0 };
    let on_its_day = last(&values((0..46).map(job)));
    assert!(on_its_day.score.abs() < 1.0, "{on_its_day:?}");
    let mut elsewhere: Vec<f64> = (0..44).map(job).collect();
    elsewhere.push(500.0);
    assert!(last(&values(elsewhere)).score > 20.0);
}

#[test]
fn a_gradual_rise_is_learnt_within_days() {
    let rising = (0..56).map(|day: i32| 100.0 + 20.0 * f64::from((day - 35).clamp(0, 10)));
    for score in &score_series(&values(rising), WEEKLY)[28..] {
        let expected = score.expected.unwrap();
        assert!(expected > 75.0 && expected < 400.0, "{score:?}");
    }
}

#[test]
fn absent_days_are_zero_once_the_series_has_begun() {
    let mut days = vec![Day::Absent; 10];
    assert_eq!(last(&days).history_days, 0);
    days.push(Day::Value(5.0));
    days.extend([Day::Absent; 4]);
    days.push(Day::Value(5.0));
    let score = last(&days);
    assert_eq!(score.history_days, 5);
    assert_eq!(score.expected, Some(0.0));
    assert_eq!(score.score, SCORE_MAX);
}

#[test]
fn unknown_days_take_no_part() {
    let mut days = values(estate(50, 1.0));
    for day in &mut days[40..44] {
        *day = Day::Unknown;
    }
    assert!(last(&days).score.abs() < 4.0);
    days.push(Day::Unknown);
    assert_eq!(last(&days).score, 0.0);
}

#[test]
fn without_history_there_is_no_expectation() {
    let score = last(&values([9.0]));
    assert_eq!(score, Score { expected: None, spread: 0.0, score: 0.0, history_days: 0 });
}

fn any_day() -> impl Strategy<Value = Day> {
    prop_oneof![
        1 => Just(Day::Absent),
        1 => Just(Day::Unknown),
        6 => any::<f64>().prop_map(Day::Value),
        6 => (0.0..1e6).prop_map(Day::Value),
    ]
}

fn any_shape() -> impl Strategy<Value = Shape> {
    (0usize..40, 0usize..80).prop_map(|(period, history)| Shape { period, history })
}

proptest! {
    #[test]
    fn every_number_is_finite(days in prop::collection::vec(any_day(), 0..90), shape in any_shape()) {
        for score in score_series(&days, shape) {
            prop_assert!(score.expected.is_none_or(f64::is_finite), "{:?}", score);
            prop_assert!(score.spread.is_finite() && score.spread >= 0.0, "{:?}", score);
            prop_assert!(score.score.abs() <= SCORE_MAX, "{:?}", score);
        }
    }

    #[test]
    fn later_days_never_change_earlier_scores(
        days in prop::collection::vec(any_day(), 1..90), cut in 0usize..90, shape in any_shape()
    ) {
        let cut = cut.min(days.len());
        let whole = score_series(&days, shape);
        prop_assert_eq!(&whole[..cut], &score_series(&days[..cut], shape)[..]);
    }

    #[test]
    fn days_before_the_history_never_change_a_score(
        days in prop::collection::vec(any_day(), 1..90), shape in any_shape()
    ) {
        let kept = &days[days.len().saturating_sub(shape.history + 1)..];
        let (whole, kept) = (score_series(&days, shape), score_series(kept, shape));
        prop_assert_eq!(whole.last(), kept.last());
    }

    #[test]
    fn another_currency_gives_the_same_scores(
        amounts in prop::collection::vec(0.01..1e5, 1..70), rate in prop::sample::select(vec![0.25, 2.0, 1024.0])
    ) {
        // Powers of two, so that rounding is the same on both sides.
        let here = score_series(&values(amounts.iter().copied()), WEEKLY);
        let there = score_series(&values(amounts.iter().map(|amount| amount * rate)), WEEKLY);
        for (here, there) in here.iter().zip(&there) {
            prop_assert_eq!(here.score, there.score);
            prop_assert_eq!(here.expected.map(|expected| expected * rate), there.expected);
        }
    }

    #[test]
    fn a_constant_series_scores_nothing(amount in -1e6..1e6, days in 1usize..90) {
        for score in score_series(&vec![Day::Value(amount); days], WEEKLY) {
            prop_assert!(score.score.abs() < 1e-9, "{:?}", score);
        }
    }
}
