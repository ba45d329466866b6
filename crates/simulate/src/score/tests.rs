use chrono::TimeDelta;

use super::*;

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
        customer_tenant_id: "T".to_owned(),
        subscription_id: subscription.to_owned(),
        first_observed_at: at(hours.0),
        last_observed_at: at(hours.1),
        detected_at: at(detected),
    }
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
        let scores = score(&case.labels, &case.alerts, case.clean_days);
        let name = case.name;
        assert_eq!((scores.true_alerts, scores.false_alerts, scores.detected_attacks), case.counts, "{name}");
        assert_eq!(scores.precision, case.precision, "{name}");
        assert_eq!(scores.recall, case.recall, "{name}");
        assert_eq!(scores.median_time_to_detect_s, case.time_to_detect_s, "{name}");
        assert_eq!(scores.false_alerts_per_1000_clean_subscription_days, case.false_rate, "{name}");
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
    let scores = score(&labels, &alerts, 10);
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
    let json = serde_json::to_value(score(&[], &[], 0)).unwrap();
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
    let scores = score(&labels, &[alert(NO_SUBSCRIPTION, (2, 3), 4)], 0);
    assert_eq!((scores.true_alerts, scores.false_alerts, scores.missed), (1, 0, vec!["other".to_owned()]));
}
