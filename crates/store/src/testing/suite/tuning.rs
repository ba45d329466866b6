//! What the operator says of findings, and what it silenced.

use std::collections::BTreeMap;
use std::sync::Arc;

use alerts::{About, Confidence, DetectorSetting, Effect, Finding, Severity, Silenced, TuningRule};
use chrono::TimeDelta;
use serde_json::{Map, Value};

use super::{customer, partner, reseller};
use crate::testing::time;
use crate::{SilencedQuery, Store, StoreError};

const NOON: &str = "2031-02-03T12:00:00Z";

fn rule(id: &str, about: About, effect: Effect) -> TuningRule {
    TuningRule {
        id: id.to_owned(),
        about,
        effect,
        reason: "the nightly build".to_owned(),
        author: "ann@partner.example".to_owned(),
        created_at: time(NOON),
        ended_at: None,
    }
}

pub async fn a_tuning_rule_is_kept_as_it_was_made_and_ended_once<S: Store>(store: Arc<S>) {
    let (p, noon) = (partner("p"), time(NOON));
    let full = About {
        detector_id: Some("crypto_mining".to_owned()),
        customer_tenant_id: Some("c1".parse().unwrap()),
        subscription_id: Some("s1".parse().unwrap()),
        grouping_key: Some("caller_id=u".to_owned()),
        evidence: BTreeMap::from([("Caller".to_owned(), vec!["a".to_owned(), "b".to_owned()])]),
        from: Some(noon),
        until: Some(noon + TimeDelta::days(7)),
    };
    let first = rule("1", full, Effect::Silence);
    let second = rule(
        "2",
        About { detector_id: Some("d".to_owned()), ..About::default() },
        Effect::Severity(Severity::Low),
    );
    for rule in [&first, &second] {
        store.add_tuning_rule(&p, rule).await.unwrap();
    }
    assert_eq!(store.tuning_rules(&p, false).await.unwrap(), [first.clone(), second.clone()]);
    let of_customer = store.tuning_rules(&customer("p", "c1"), false).await.unwrap();
    assert_eq!(of_customer, std::slice::from_ref(&first));
    assert!(store.tuning_rules(&customer("p", "c2"), true).await.unwrap().is_empty());
    assert!(store.tuning_rules(&reseller("p", "r1"), true).await.unwrap().is_empty());
    assert!(store.tuning_rules(&partner("q"), true).await.unwrap().is_empty());

    assert!(!store.end_tuning_rule(&partner("q"), "1", noon).await.unwrap());
    assert!(store.end_tuning_rule(&p, "1", noon).await.unwrap());
    assert!(store.end_tuning_rule(&p, "1", noon + TimeDelta::days(1)).await.unwrap(), "again");
    assert!(!store.end_tuning_rule(&p, "3", noon).await.unwrap());
    assert_eq!(store.tuning_rules(&p, false).await.unwrap(), [second]);
    let ended = &store.tuning_rules(&p, true).await.unwrap()[0];
    assert_eq!(*ended, TuningRule { ended_at: Some(noon), ..first.clone() });
    for refused in [
        store.add_tuning_rule(&customer("p", "c1"), &first).await.map(|()| true),
        store.end_tuning_rule(&customer("p", "c1"), "2", noon).await,
    ] {
        assert!(matches!(refused, Err(StoreError::OutOfScope { .. })));
    }
}

pub async fn a_number_of_a_detector_is_chosen_and_taken_back<S: Store>(store: Arc<S>) {
    let (p, noon) = (partner("p"), time(NOON));
    let setting = |name: &str, customer: Option<&str>, value: f64| DetectorSetting {
        detector_id: "d".to_owned(),
        name: name.to_owned(),
        customer_tenant_id: customer.map(|id| id.parse().unwrap()),
        subscription_id: None,
        value,
        reason: "known".to_owned(),
        author: "ann".to_owned(),
        changed_at: noon,
    };
    for chosen in [setting("b", None, 1.0), setting("a", Some("c1"), 2.5), setting("b", None, 3.0)] {
        store.set_detector_setting(&p, &chosen).await.unwrap();
    }
    let expected = [setting("a", Some("c1"), 2.5), setting("b", None, 3.0)];
    assert_eq!(store.detector_settings(&p).await.unwrap(), expected);
    assert!(store.detector_settings(&partner("q")).await.unwrap().is_empty());
    assert!(store.detector_settings(&customer("p", "c1")).await.unwrap().is_empty());
    assert!(!store.unset_detector_setting(&p, &setting("a", None, 0.0)).await.unwrap());
    assert!(store.unset_detector_setting(&p, &setting("b", None, 0.0)).await.unwrap());
    assert_eq!(store.detector_settings(&p).await.unwrap(), [setting("a", Some("c1"), 2.5)]);
    let refused = store.set_detector_setting(&customer("p", "c1"), &setting("a", Some("c1"), 9.0)).await;
    assert!(matches!(refused, Err(StoreError::OutOfScope { .. })));
}

pub async fn what_is_silenced_is_one_entry_for_each_incident_and_rule<S: Store>(store: Arc<S>) {
    let (p, noon) = (partner("p"), time(NOON));
    let silenced = |subscription: &str, hour: i64, words: &str, rule: &str| {
        let at = noon + TimeDelta::hours(hour);
        let finding = Finding {
            detector_id: "d".to_owned(),
            alert_type: "T".to_owned(),
            title: "t".to_owned(),
            description: words.to_owned(),
            severity: Severity::High,
            confidence: Confidence::Low,
            partner_tenant_id: "p".parse().unwrap(),
            customer_tenant_id: (subscription == "s1").then(|| "c1".parse().unwrap()),
            reseller_tenant_id: None,
            subscription_id: subscription.parse().unwrap(),
            grouping_key: "caller_id=u".to_owned(),
            first_observed_at: at,
            last_observed_at: at + TimeDelta::minutes(5),
            resources: vec!["/subscriptions/s1/vm".parse().unwrap()],
            details: Map::from_iter([("Machines".to_owned(), Value::from("3"))]),
        };
        let (rule_id, reason) = (rule.to_owned(), "known".to_owned());
        Silenced { finding, rule_id, reason, first_at: at, last_at: at }
    };
    let all = [
        silenced("s1", 1, "one", "r1"),
        silenced("s1", 3, "three", "r1"),
        silenced("s1", 2, "two", "r1"),
        silenced("s1", 1, "one", "r2"),
        silenced("s2", 4, "four", "r1"),
    ];
    store.note_silenced(&p, &all[..3]).await.unwrap();
    store.note_silenced(&p, &all[1..]).await.unwrap();

    let found = async |scope, query: SilencedQuery| {
        let found = store.silenced(&scope, &query).await.unwrap();
        let one = |one: &Silenced| {
            format!("{} {} {}", one.finding.subscription_id, one.rule_id, one.finding.description)
        };
        found.iter().map(one).collect::<Vec<_>>().join(", ")
    };
    let everything = SilencedQuery::default;
    assert_eq!(found(p.clone(), everything()).await, "s2 r1 four, s1 r1 three, s1 r2 one");
    let of_rule = SilencedQuery { rule_id: Some("r2".to_owned()), ..everything() };
    assert_eq!(found(p.clone(), of_rule).await, "s1 r2 one");
    let of_subscription =
        SilencedQuery { subscription_id: "s1".parse().ok(), limit: Some(1), ..everything() };
    assert_eq!(found(p.clone(), of_subscription).await, "s1 r1 three");
    let of_detector = SilencedQuery { detector_id: Some("e".to_owned()), ..everything() };
    assert_eq!(found(p.clone(), of_detector).await, "");
    assert_eq!(found(customer("p", "c1"), everything()).await, "s1 r1 three, s1 r2 one");
    assert_eq!(found(reseller("p", "r1"), everything()).await, "");
    assert_eq!(found(partner("q"), everything()).await, "");

    let known = store.silenced(&p, &everything()).await.unwrap().remove(1);
    let hour = |hour: i64| noon + TimeDelta::hours(hour);
    assert_eq!((known.first_at, known.last_at), (hour(1), hour(3)));
    let mut expected = all[1].finding.clone();
    expected.first_observed_at = hour(1);
    assert_eq!(known.finding, expected, "the latest, since the first was observed");
}
