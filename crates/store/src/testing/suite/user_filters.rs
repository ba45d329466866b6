//! Filters from their text to the alerts that they leave, through all stages.

use std::sync::Arc;

use alerts::{ActivityLog, AffectedResource, Alert, Confidence, ResolvedReason, Severity, Status};
use odata::checked::Comparison::{Eq, Ne};
use odata::checked::{Arithmetic, Direction, Filter, Function, Literal, Operand, TextTest};

use super::{ids, partner, put, query};
use crate::testing::{AlertBuilder, checked, compare, evaluate, operand, sort_key, time, value};
use crate::{Store, StoreError};

fn resource(id: &str, kind: &str) -> AffectedResource {
    AffectedResource { resource_id: id.parse().unwrap(), resource_type: kind.to_owned() }
}

fn activity(from: Status, to: Status, by: &str, at: &str) -> ActivityLog {
    ActivityLog { status_from: from, status_to: to, updated_by: by.to_owned(), updated_date_time: time(at) }
}

fn four() -> [Alert; 4] {
    use Status::{Active, Investigating, Resolved};
    let (ann, bob) = ("ann@partner.example", "Bob@partner.example");
    let a1 = AlertBuilder::new("p", "a1").of("c1", Some("r1")).with(|body| {
        body.alert_type = "CryptoMining".to_owned();
        body.display_name = "Mining pool contacted".to_owned();
        body.description = Some("VM talks to a mining pool".to_owned());
        (body.severity, body.confidence_level) = (Severity::High, Confidence::High);
        body.subscription_id = "s1".parse().unwrap();
        body.detected_date_time = time("2031-02-01T04:00:00Z");
        body.first_observed_date_time = Some(time("2031-01-31T22:30:00.25Z"));
        body.last_observed_date_time = Some(time("2031-02-01T03:30:00Z"));
        body.affected_resources = vec![
            resource("/subscriptions/s1/vm/web-1", "AzureResource"),
            resource("/subscriptions/s1/vm/web-2", "AzureResource"),
        ];
    });
    let a2 = AlertBuilder::new("p", "a2").of("c1", None).with(|body| {
        body.display_name = "Ungewöhnliche Maschinen".to_owned();
        body.status = Investigating;
        body.subscription_id = "s1".parse().unwrap();
        body.detected_date_time = time("2031-02-02T00:00:00Z");
        body.first_observed_date_time = Some(time("2031-02-01T23:00:00Z"));
        body.last_observed_date_time = Some(time("2031-02-02T00:00:00Z"));
        body.is_test = None;
        body.affected_resources = vec![resource("/subscriptions/s1/vm/été-1", "AzureResource")];
        body.activity_logs = vec![activity(Active, Investigating, ann, "2031-02-02T01:00:00.5Z")];
    });
    let a3 = AlertBuilder::new("p", "a3").of("c2", None).with(|body| {
        body.display_name = "O'Brien's machine".to_owned();
        body.description = Some("Pools of miners".to_owned());
        (body.severity, body.confidence_level, body.status) = (Severity::Low, Confidence::Low, Resolved);
        body.subscription_id = "s2".parse().unwrap();
        body.detected_date_time = time("2031-02-02T23:59:59.999999Z");
        body.resolved_by = Some(bob.to_owned());
        body.resolved_on_date_time = Some(time("2031-02-03T12:00:00Z"));
        body.resolved_reason = Some(ResolvedReason::Ignore);
        body.is_test = Some(true);
        body.activity_logs = vec![
            activity(Active, Investigating, ann, "2031-02-03T08:00:00Z"),
            activity(Investigating, Resolved, bob, "2031-02-03T12:00:00.1234567Z"),
        ];
    });
    let a4 = AlertBuilder::new("p", "a4").of("c2", Some("r1")).with(|body| {
        body.alert_type = "CryptoMining".to_owned();
        body.display_name = "100 % CPU_load".to_owned();
        body.description = Some(String::new());
        body.severity = Severity::Informational;
        (body.confidence_level, body.status) = (Confidence::High, Resolved);
        body.subscription_id = "s2".parse().unwrap();
        body.detected_date_time = time("2030-12-31T23:59:59Z");
        body.resolved_by = Some(ann.to_owned());
        body.resolved_on_date_time = Some(time("2031-01-01T00:30:00Z"));
        body.resolved_reason = Some(ResolvedReason::Fraud);
        body.affected_resources = vec![
            resource("/subscriptions/s2/vm/web-1", "AzureResource"),
            resource("/subscriptions/s2/disk/d1", "AzureDisk"),
        ];
        body.activity_logs = vec![activity(Active, Resolved, ann, "2031-01-01T00:30:00Z")];
    });
    let details = a1.detail("VmCount", "12").detail("Region", "westeurope");
    [details.build(), a2.build(), a3.detail("VmCount", "9").build(), a4.build()]
}

pub async fn filters_of_users_leave_what_they_say<S: Store>(store: Arc<S>) {
    let alerts = four();
    put(&*store, &alerts).await;
    let lines = include_str!("filters.txt").lines();
    let cases = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    for case in cases {
        let (text, expected) = case.rsplit_once(" =>").unwrap();
        let (filter, expected) = (checked(text), expected.trim());
        let meant: Vec<&str> = alerts
            .iter()
            .filter(|alert| evaluate(&filter, &serde_json::to_value(&alert.body).unwrap()) == Some(true))
            .map(|alert| alert.body.id.as_str())
            .collect();
        assert_eq!(meant.join(" "), expected, "the specification: {text}");
        let found = ids(&*store, &partner("p"), &query(Some(filter.clone()), Vec::new())).await;
        assert_eq!(found, expected, "{text}");
        let count = store.count_alerts(&partner("p"), Some(&filter), None).await.unwrap();
        assert_eq!(count, expected.split_whitespace().count() as u64, "{text}");
    }
}

pub async fn texts_are_alike_only_to_the_letter<S: Store>(store: Arc<S>) {
    let long = "x".repeat(100_000);
    let alike = ["a", "A", "a ", " a", "á", "a\u{301}", "a\u{fffd}", &long];
    let alerts: Vec<Alert> = alike
        .iter()
        .enumerate()
        .map(|(n, text)| {
            let alert = AlertBuilder::new("p", &format!("a{n}"));
            alert.with(|body| body.display_name = (*text).to_owned()).detail("Name", *text).build()
        })
        .collect();
    put(&*store, &alerts).await;
    for property in ["displayName", "additionalDetails/Name"] {
        for (n, text) in alike.iter().enumerate() {
            let filter = compare(property, Eq, text);
            let found = ids(&*store, &partner("p"), &query(Some(filter), Vec::new())).await;
            assert_eq!(found, format!("a{n}"), "{property}");
        }
        let order = vec![sort_key(property, Direction::Ascending)];
        let found = ids(&*store, &partner("p"), &query(None, order)).await;
        assert_eq!(found, "a3 a1 a0 a2 a5 a6 a7 a4", "{property}");
    }
}

pub async fn a_filter_by_nul_is_refused<S: Store>(store: Arc<S>) {
    let nul = || value(Literal::String("a\0b".to_owned()));
    let name = || operand("displayName");
    let concat = Operand::Call(Function::Concat, vec![name(), nul()]);
    for filter in [
        Filter::Compare(name(), Eq, nul()),
        Filter::In(name(), vec![Literal::Null, Literal::String("\0".to_owned())]),
        Filter::Text(TextTest::Contains, name(), nul()),
        Filter::Compare(concat, Eq, value(Literal::String("a".to_owned()))),
    ] {
        let refused = store.count_alerts(&partner("p"), Some(&filter), None).await;
        assert!(matches!(refused, Err(StoreError::Unsupported(_))), "{filter:?}: {refused:?}");
    }
}

/// A condition that is a value, in one that is a value, and so on: what is asked must not double with
/// each level.
pub async fn deep_filters_are_answered<S: Store>(store: Arc<S>) {
    put(&*store, &four()).await;
    let truth = |condition: Filter| Operand::Condition(Box::new(condition));
    let upper = |text: Operand| Operand::Call(Function::ToUpper, vec![text]);
    let mut same = compare("description", Ne, "null");
    let mut name = operand("displayName");
    let mut rest = Operand::Call(Function::Length, vec![operand("displayName")]);
    for _ in 0..40 {
        let divisor = Box::new(value(Literal::Double(1000.5)));
        rest = Operand::Arithmetic(Box::new(rest), Arithmetic::Mod, divisor);
        same = Filter::Compare(truth(same), Eq, truth(Filter::Is(operand("isTest"))));
        name = Operand::Call(Function::Substring, vec![upper(name), value(Literal::Int(0))]);
    }
    // The first asks each of 40 times whether it is as `isTest` says; null differs from both.
    for (filter, expected) in [
        (Filter::Not(Box::new(same)), "a2"),
        (Filter::Compare(name, Eq, value(Literal::String("O'BRIEN'S MACHINE".to_owned()))), "a3"),
        (Filter::Compare(rest, Eq, value(Literal::Int(17))), "a3"),
    ] {
        let found = ids(&*store, &partner("p"), &query(Some(filter.clone()), Vec::new())).await;
        let meant = four();
        let meant: Vec<&str> = meant
            .iter()
            .filter(|alert| evaluate(&filter, &serde_json::to_value(&alert.body).unwrap()) == Some(true))
            .map(|alert| alert.body.id.as_str())
            .collect();
        assert_eq!((found.as_str(), meant.join(" ").as_str()), (expected, expected));
    }
}
