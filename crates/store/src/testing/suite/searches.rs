//! Finding alerts by their words.

use std::sync::Arc;

use alerts::{AffectedResource, Status, StatusChange};
use odata::checked::{Comparison, Search};

use super::{customer, id, ids, import_time, partner, put};
use crate::testing::{AlertBuilder, compare, term, term_in, time};
use crate::{AlertQuery, ExpectedVersion, Store};

fn everything(search: Search) -> AlertQuery {
    AlertQuery { filter: None, search: Some(search), order: Vec::new(), limit: 100, skip: 0, after: None }
}

async fn three<S: Store>(store: &S) {
    let resource = |path: &str| AffectedResource::azure(path.parse().unwrap());
    put(
        store,
        &[
            AlertBuilder::new("p", "a1")
                .of("c1", None)
                .with(|body| {
                    body.display_name = "Mining pool".to_owned();
                    body.description = Some("A machine talks to a mining pool.".to_owned());
                    body.affected_resources =
                        vec![resource("/subscriptions/s1/resourceGroups/rg-west_1/providers/vm.one")];
                })
                .detail("MiningPool_IP", "[\"192.0.2.7\"]")
                .build(),
            AlertBuilder::new("p", "a2")
                .of("c2", None)
                .with(|body| {
                    body.display_name = "Unusual machines".to_owned();
                    body.affected_resources = vec![resource("/subscriptions/s2/pool")];
                })
                .detail("VmCount", 12)
                .build(),
            AlertBuilder::new("p", "a3")
                .of("c2", None)
                .with(|body| body.description = Some("Ärger in Köln; pool of mining".to_owned()))
                .build(),
        ],
    )
    .await;
}

pub async fn a_search_finds_words_and_phrases<S: Store>(store: Arc<S>) {
    three(&*store).await;
    let and = |left: Search, right: Search| Search::And(Box::new(left), Box::new(right));
    let or = |left: Search, right: Search| Search::Or(Box::new(left), Box::new(right));
    let not = |inner: Search| Search::Not(Box::new(inner));
    for (search, expected) in [
        (term("mining"), "a1 a3"),
        (term("MINING"), "a1 a3"),
        (term("min"), ""),
        (term("mining pool"), "a1"),
        (term("pool"), "a1 a2 a3"),
        (term("machine"), "a1"),
        (term("ÄRGER"), "a3"),
        (term("arger"), ""),
        (term("köln"), "a3"),
        (term("vm"), "a1"),
        (term("rg-west_1"), "a1"),
        (term("west/1"), "a1"),
        (term("192.0.2.7"), "a1"),
        (term("12"), "a2"),
        (term("vmcount"), ""),
        (term("azureresource"), "a1 a2"),
        (term("it's \"quoted\" AND (odd* NEAR"), ""),
        (term_in("displayName", "pool"), "a1"),
        (term_in("description", "pool"), "a1 a3"),
        (term_in("affectedResources", "pool"), "a2"),
        (term_in("additionalDetails", "2"), "a1"),
        (and(term("mining"), term("köln")), "a3"),
        (or(term("vm"), term("12")), "a1 a2"),
        (not(term("mining")), "a2"),
        (and(term("pool"), not(term_in("displayName", "pool"))), "a2 a3"),
    ] {
        let found = ids(&*store, &partner("p"), &everything(search.clone())).await;
        assert_eq!(found, expected, "{search:?}");
        let count = store.count_alerts(&partner("p"), None, Some(&search)).await.unwrap();
        assert_eq!(count, expected.split_whitespace().count() as u64, "{search:?}");
    }
}

/// Some databases find what very many alerts have in another way than what few have.
pub async fn a_search_for_what_thousands_have_finds_the_same<S: Store>(store: Arc<S>) {
    let alerts: Vec<_> = (0..4_200)
        .map(|number| {
            let id = format!("a{number:04}");
            let words = if number % 1_000 == 7 { "Mining pool, rarely" } else { "Mining pool" };
            let customer = if number % 2_000 == 7 { "c1" } else { "c2" };
            let built = AlertBuilder::new("p", &id).of(customer, None);
            built.with(|body| body.display_name = words.to_owned()).build()
        })
        .collect();
    put(&*store, &alerts).await;
    let and = |left: Search, right: Search| Search::And(Box::new(left), Box::new(right));
    let not = |inner: Search| Search::Not(Box::new(inner));
    let rare = "a0007 a1007 a2007";
    for (scope, search, first_three, count) in [
        (partner("p"), term("mining"), "a0000 a0001 a0002", 4_200),
        (partner("p"), term("rarely"), rare, 5),
        (partner("p"), and(term("mining"), term("rarely")), rare, 5),
        (partner("p"), and(term("mining pool"), term("pool rarely")), rare, 5),
        (partner("p"), and(not(term("mining")), term("rarely")), "", 0),
        (partner("p"), and(term("pool"), not(term("rarely"))), "a0000 a0001 a0002", 4_195),
        (customer("p", "c1"), term("mining"), "a0007 a2007 a4007", 3),
    ] {
        let query = AlertQuery { limit: 3, ..everything(search.clone()) };
        let found = ids(&*store, &scope, &query).await;
        let counted = store.count_alerts(&scope, None, Some(&search)).await.unwrap();
        assert_eq!((found.as_str(), counted), (first_three, count), "{search:?}");
    }
}

pub async fn a_search_stays_within_scope_and_filter<S: Store>(store: Arc<S>) {
    three(&*store).await;
    put(&*store, &[AlertBuilder::new("q", "a9").with(|body| body.display_name = "pool".to_owned()).build()])
        .await;
    let pool = everything(term("pool"));
    assert_eq!(ids(&*store, &partner("q"), &pool).await, "a9");
    assert_eq!(ids(&*store, &customer("p", "c2"), &pool).await, "a2 a3");
    let only = compare("id", Comparison::Ne, "a2");
    assert_eq!(
        ids(&*store, &partner("p"), &AlertQuery { filter: Some(only.clone()), ..pool }).await,
        "a1 a3"
    );
    let count = store.count_alerts(&customer("p", "c2"), Some(&only), Some(&term("pool"))).await.unwrap();
    assert_eq!(count, 1);
}

pub async fn a_search_finds_what_an_alert_says_now<S: Store>(store: Arc<S>) {
    three(&*store).await;
    let change = StatusChange { to: Status::Investigating, reason: None };
    let at = time("2031-02-03T05:00:00Z");
    store
        .change_status(&partner("p"), &id("a2"), change, &ExpectedVersion::Any, "ann", at)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(ids(&*store, &partner("p"), &everything(term("unusual"))).await, "a2 a3");

    let renamed = AlertBuilder::new("p", "a2")
        .of("c2", None)
        .with(|body| body.display_name = "Strange machines".to_owned())
        .detail("VmCount", 13);
    store.import_alerts(&partner("p"), &[renamed.build()], import_time()).await.unwrap();
    for (word, expected) in [("strange", "a2"), ("unusual", "a3"), ("12", ""), ("13", "a2"), ("s2", "")] {
        assert_eq!(ids(&*store, &partner("p"), &everything(term(word))).await, expected, "{word}");
    }
}
