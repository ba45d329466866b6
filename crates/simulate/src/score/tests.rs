use alerts::SubscriptionId;
use chrono::TimeDelta;

use super::*;
use crate::labels::Spend;

fn at(hour: i64) -> DateTime<Utc> {
    "2026-03-01T00:00:00Z".parse::<DateTime<Utc>>().unwrap() + TimeDelta::hours(hour)
}

fn label(scenario: &str, kind: &str, malicious: bool, subscription: &str, hours: (i64, i64)) -> Label {
    Label {
        scenario: scenario.to_owned(),
        kind: kind.to_owned(),
        malicious,
        customer_tenant: "t".to_owned(),
        subscription: subscription.to_owned(),
        from: at(hours.0),
        until: at(hours.1),
        first_event: at(hours.0),
        principals: vec![],
        resources: vec![],
        spend: vec![],
    }
}

fn attack(scenario: &str, subscription: &str, hours: (i64, i64)) -> Label {
    label(scenario, "fleet", true, subscription, hours)
}

fn harmless(scenario: &str, subscription: &str, hours: (i64, i64)) -> Label {
    label(scenario, "move", false, subscription, hours)
}

/// Evidence in the given hours; detected in the hour given last.
fn alert(subscription: &str, hours: (i64, i64), detected: i64) -> ScoredAlert {
    ScoredAlert {
        alert_type: "VM_AnomalousDeployment".to_owned(),
        detector_id: "vm".to_owned(),
        pace: Pace::Events,
        publication_lag: TimeDelta::minutes(5),
        customer_tenant_id: "T".to_owned(),
        subscription_id: subscription.to_owned(),
        first_observed_at: at(hours.0),
        last_observed_at: at(hours.1),
        detected_at: Some(at(detected)),
    }
}

/// One trial.
fn scores(labels: &[Label], alerts: &[ScoredAlert], clean_subscription_days: u64) -> Scores {
    score(&[Trial { labels: labels.to_vec(), alerts: alerts.to_vec(), clean_subscription_days }])
}

#[test]
fn alerts_are_scored_against_labels() {
    struct Case {
        name: &'static str,
        labels: Vec<Label>,
        alerts: Vec<ScoredAlert>,
        clean_days: u64,
        /// True and false alerts, detected attacks.
        counts: (u64, u64, u64),
        precision: Option<f64>,
        recall: Option<f64>,
        time_to_detect_s: Option<f64>,
        false_rate: Option<f64>,
    }
    let cases = [
        Case {
            name: "nothing at all has no ratios",
            labels: vec![],
            alerts: vec![],
            clean_days: 0,
            counts: (0, 0, 0),
            precision: None,
            recall: None,
            time_to_detect_s: None,
            false_rate: None,
        },
        Case {
            name: "a missed attack",
            labels: vec![attack("a", "s1", (10, 20))],
            alerts: vec![],
            clean_days: 100,
            counts: (0, 0, 0),
            precision: None,
            recall: Some(0.0),
            time_to_detect_s: None,
            false_rate: Some(0.0),
        },
        Case {
            name: "a hit, in another letter case, and the first of two alerts counts",
            labels: vec![attack("a", "S1", (10, 20))],
            alerts: vec![alert("s1", (15, 16), 17), alert("s1", (10, 11), 12)],
            clean_days: 100,
            counts: (2, 0, 1),
            precision: Some(1.0),
            recall: Some(1.0),
            time_to_detect_s: Some(7200.0),
            false_rate: Some(0.0),
        },
        Case {
            name: "times that touch overlap, times beside do not",
            labels: vec![attack("a", "s1", (10, 20))],
            alerts: vec![alert("s1", (5, 10), 11), alert("s1", (20, 22), 22), alert("s1", (21, 22), 22)],
            clean_days: 500,
            counts: (2, 1, 1),
            precision: Some(2.0 / 3.0),
            recall: Some(1.0),
            time_to_detect_s: Some(3600.0),
            false_rate: Some(2.0),
        },
        Case {
            name: "another subscription does not count",
            labels: vec![attack("a", "s1", (10, 20))],
            alerts: vec![alert("s2", (10, 20), 21)],
            clean_days: 1000,
            counts: (0, 1, 0),
            precision: Some(0.0),
            recall: Some(0.0),
            time_to_detect_s: None,
            false_rate: Some(1.0),
        },
        Case {
            name: "a look-alike does not excuse an alert",
            labels: vec![harmless("h", "s1", (10, 20))],
            alerts: vec![alert("s1", (10, 20), 21)],
            clean_days: 10,
            counts: (0, 1, 0),
            precision: Some(0.0),
            recall: None,
            time_to_detect_s: None,
            false_rate: Some(100.0),
        },
        Case {
            name: "an alert over an attack and a look-alike is true",
            labels: vec![harmless("h", "s1", (0, 20)), attack("a", "s1", (15, 30))],
            alerts: vec![alert("s1", (18, 19), 19)],
            clean_days: 10,
            counts: (1, 0, 1),
            precision: Some(1.0),
            recall: Some(1.0),
            time_to_detect_s: Some(4.0 * 3600.0),
            false_rate: Some(0.0),
        },
        Case {
            name: "the median of two is their mean; an alert before the attack took no time",
            labels: vec![attack("a", "s1", (10, 20)), attack("b", "s2", (10, 20)), attack("c", "s3", (1, 2))],
            alerts: vec![alert("s1", (9, 10), 9), alert("s2", (10, 13), 14)],
            clean_days: 10,
            counts: (2, 0, 2),
            precision: Some(1.0),
            recall: Some(2.0 / 3.0),
            time_to_detect_s: Some(7200.0),
            false_rate: Some(0.0),
        },
    ];
    for case in cases {
        let scores = scores(&case.labels, &case.alerts, case.clean_days);
        let name = case.name;
        assert_eq!((scores.true_alerts, scores.false_alerts, scores.detected_attacks), case.counts, "{name}");
        assert_eq!(scores.figures.precision, case.precision, "{name}");
        assert_eq!(scores.figures.recall, case.recall, "{name}");
        assert_eq!(scores.figures.median_time_to_detect_s, case.time_to_detect_s, "{name}");
        assert_eq!(scores.figures.false_alerts_per_1000_clean_subscription_days, case.false_rate, "{name}");
    }
}

#[test]
fn every_kind_has_its_line() {
    let labels = [
        attack("a", "s1", (10, 20)),
        attack("b", "s2", (10, 20)),
        harmless("h", "s3", (10, 20)),
        label("m", "mining", true, "s4", (0, 1)),
    ];
    let alerts = [alert("s1", (10, 11), 13), alert("s1", (12, 13), 14), alert("s3", (10, 11), 12)];
    let scores = scores(&labels, &alerts, 10);
    let line = |kind: &str, malicious, scenarios, alerted, alerts, recall, time| KindScores {
        kind: kind.to_owned(),
        malicious,
        scenarios,
        alerted,
        alerts,
        recall,
        median_time_to_detect_s: time,
    };
    assert_eq!(
        scores.kinds,
        [
            line("fleet", true, 2, 1, 2, Some(0.5), Some(10_800.0)),
            line("mining", true, 1, 0, 0, Some(0.0), None),
            line("move", false, 1, 1, 1, None, None),
        ]
    );
    assert_eq!(scores.missed, ["b", "m"]);
}

#[test]
fn undefined_scores_are_null_in_json() {
    let json = serde_json::to_value(scores(&[], &[], 0)).unwrap();
    for key in
        ["precision", "recall", "median_time_to_detect_s", "false_alerts_per_1000_clean_subscription_days"]
    {
        assert_eq!(json.get(key), Some(&serde_json::Value::Null), "{key}");
    }
}

#[test]
fn clean_days_are_those_that_no_attack_touches() {
    let subscription = |id: &str, first: &str, last: &str| SubscriptionDays {
        customer_tenant: "t".to_owned(),
        subscription: id.to_owned(),
        first_day: first.parse().unwrap(),
        last_day: last.parse().unwrap(),
    };
    let subscriptions = [
        subscription("s1", "2026-02-20", "2026-03-10"),
        subscription("s2", "2026-03-01", "2026-03-10"),
        subscription("s3", "2026-03-05", "2026-03-05"),
    ];
    let check = |labels: &[Label], expected| {
        assert_eq!(clean_subscription_days(&subscriptions, labels), expected);
    };
    check(&[], 19 + 10 + 1);
    // Two days, in another letter case.
    check(&[attack("a", "S1", (20, 30))], 17 + 10 + 1);
    // Overlapping attacks are not counted twice; look-alikes do not count.
    check(
        &[attack("a", "s2", (0, 40)), attack("b", "s2", (30, 50)), harmless("h", "s3", (0, 500))],
        19 + 7 + 1,
    );
}

#[test]
fn an_alert_of_no_subscription_counts_for_its_customer() {
    let mut elsewhere = attack("other", "s2", (0, 10));
    elsewhere.customer_tenant = "u".to_owned();
    let labels = [attack("own", "s1", (0, 10)), elsewhere];
    let scores = scores(&labels, &[alert(SubscriptionId::NONE, (2, 3), 4)], 0);
    assert_eq!((scores.true_alerts, scores.false_alerts, scores.missed), (1, 0, vec!["other".to_owned()]));
}

#[test]
fn time_from_arrival_is_told_apart_by_pace() {
    let labels = [attack("a", "s1", (10, 20)), attack("b", "s2", (10, 20)), attack("c", "s3", (10, 20))];
    let hourly = ScoredAlert {
        pace: Pace::Hourly,
        publication_lag: TimeDelta::hours(36),
        detector_id: "cost".to_owned(),
        ..alert("s2", (10, 20), 50)
    };
    // The detector of costs is not the first here, so its time does not count.
    let later = ScoredAlert { subscription_id: "s1".to_owned(), ..hourly.clone() };
    let unknown = ScoredAlert { detected_at: None, ..alert("s3", (10, 11), 11) };
    let figures = scores(&labels, &[alert("s1", (10, 11), 11), hourly, later, unknown], 0).figures;
    assert_eq!(figures.median_time_to_detect_by_events_s, Some(55.0 * 60.0));
    assert_eq!(figures.median_time_to_detect_by_the_hour_s, Some(4.0 * 3600.0));
    assert_eq!(figures.median_time_to_detect_s, Some((3600.0 + 40.0 * 3600.0) / 2.0));
    assert_eq!(figures.recall, Some(1.0), "an alert of unknown time is an alert");
}

#[test]
fn time_from_evidence_leaves_out_what_came_before() {
    let labels = [attack("a", "s1", (10, 20)), attack("b", "s2", (10, 20)), attack("c", "s3", (10, 20))];
    let hourly = ScoredAlert {
        pace: Pace::Hourly,
        publication_lag: TimeDelta::minutes(30),
        detector_id: "flow".to_owned(),
        ..alert("s2", (14, 16), 16)
    };
    // What is found before its record could be read took no time; a later alert of the attack does not count.
    let at_once = ScoredAlert { publication_lag: TimeDelta::hours(2), ..alert("s3", (17, 18), 18) };
    let alerts = [alert("s1", (14, 15), 15), alert("s1", (10, 16), 16), hourly, at_once];
    let scores = scores(&labels, &alerts, 0);
    assert_eq!(scores.figures.median_time_to_detect_by_events_s, Some((295.0 + 360.0) / 2.0 * 60.0));
    assert_eq!(scores.figures.median_evidence_to_alert_by_events_s, Some(55.0 * 60.0 / 2.0));
    assert_eq!(scores.figures.median_evidence_to_alert_by_the_hour_s, Some(90.0 * 60.0));

    let found = |scenario: &str, detector: &str, pace, hours: f64, minutes: f64| FoundAttack {
        trial: 1,
        scenario: scenario.to_owned(),
        detector_id: Some(detector.to_owned()),
        pace: Some(pace),
        time_to_detect_s: Some(hours * 3600.0),
        evidence_to_alert_s: Some(minutes * 60.0),
    };
    let expected = [
        found("a", "vm", Pace::Events, 5.0, 55.0),
        found("b", "flow", Pace::Hourly, 6.0, 90.0),
        found("c", "vm", Pace::Events, 8.0, 0.0),
    ];
    assert_eq!(scores.found, expected);
}

#[test]
fn money_runs_until_the_first_alert() {
    let spending = |scenario, subscription| Label {
        spend: vec![
            Spend { from: at(10), until: at(20), usd_per_hour: 3.0 },
            Spend { from: at(15), until: at(20), usd_per_hour: 7.0 },
        ],
        ..attack(scenario, subscription, (10, 20))
    };
    let labels = [
        spending("found", "s1"),
        spending("missed", "s2"),
        spending("before", "s3"),
        attack("free", "s4", (10, 20)),
    ];
    let alerts = [alert("s1", (10, 16), 16), alert("s3", (5, 11), 5), alert("s4", (10, 11), 11)];
    let figures = scores(&labels, &alerts, 0).figures;
    // Six hours of 3 and one of 7; all of it; nothing.
    assert_eq!(figures.median_usd_before_alert, Some(25.0));
    assert_eq!(figures.share_of_money_before_alert, Some((25.0 + 65.0) / (3.0 * 65.0)));
    let free = scores(&labels[3..], &[], 0).figures;
    assert_eq!((free.median_usd_before_alert, free.share_of_money_before_alert), (None, None));
}

#[test]
fn every_detector_has_its_line() {
    let of = |detector: &str, alert: ScoredAlert| ScoredAlert { detector_id: detector.to_owned(), ..alert };
    let labels = [attack("a", "s1", (10, 20)), attack("b", "s2", (10, 20))];
    let alerts = [
        of("vm", alert("s1", (10, 11), 14)),
        of("vm", alert("s1", (12, 13), 13)),
        of("cost", alert("s1", (10, 11), 12)),
        of("cost", alert("s2", (10, 11), 15)),
        of("cost", alert("s9", (10, 11), 12)),
    ];
    let line =
        |id: &str, (alerts, false_alerts): (u64, u64), (told, first, alone): (u64, u64, u64), hours: f64| {
            DetectorScores {
                detector_id: id.to_owned(),
                alerts,
                false_alerts,
                precision: Some((alerts - false_alerts) as f64 / alerts as f64),
                attacks: told,
                attacks_told_first: first,
                attacks_told_alone: alone,
                median_time_to_detect_s: Some(hours * 3600.0),
            }
        };
    let expected = [line("cost", (3, 1), (2, 2, 1), 3.5), line("vm", (2, 0), (1, 0, 0), 3.0)];
    assert_eq!(scores(&labels, &alerts, 0).detectors, expected);
}

#[test]
fn estates_do_not_mix_and_their_spread_is_the_interval() {
    let trial = |alerts: Vec<ScoredAlert>| Trial {
        labels: vec![attack("a", "s1", (10, 20))],
        alerts,
        clean_subscription_days: 100,
    };
    let found = trial(vec![alert("s1", (10, 11), 12)]);
    let all_found = score(&vec![found.clone(); 20]);
    assert_eq!(all_found.intervals.unwrap().recall, Some([1.0, 1.0]));
    assert_eq!(score(std::slice::from_ref(&found)).intervals, None, "one estate has no spread");

    let mut mixed = vec![found; 10];
    mixed.extend(vec![trial(Vec::new()); 10]);
    let scores = score(&mixed);
    assert_eq!((scores.trials, scores.attacks, scores.detected_attacks), (20, 20, 10));
    // Of 20 fair draws, 95 % give 6 to 14.
    let [low, high] = scores.intervals.unwrap().recall.unwrap();
    assert!((0.25..=0.35).contains(&low) && (0.65..=0.75).contains(&high), "{low} {high}");
    assert_eq!(score(&mixed), scores, "the same draws each time");
}
