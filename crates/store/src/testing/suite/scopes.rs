//! Nobody sees or changes what lies outside the scope.

use std::sync::Arc;

use alerts::{Scope, Status, StatusChange};

use super::{customer, id, ids, parsed, partner, put, query, reseller};
use crate::testing::{AlertBuilder, compare, time};
use crate::{ExpectedVersion, Store, default_order};
use odata::checked::Comparison;

/// Two partners whose ids, customers and resellers are called alike on purpose.
async fn estate<S: Store>(store: &S) {
    let estate = |partner: &str| {
        [
            AlertBuilder::new(partner, "direct").of("c1", None).build(),
            AlertBuilder::new(partner, "by-r1").of("c1", Some("r1")).build(),
            AlertBuilder::new(partner, "by-r2").of("c2", Some("r2")).build(),
        ]
    };
    put(store, &estate("p")).await;
    put(store, &estate("q")[..2]).await;
}

/// Each scope and the ids it covers.
fn matrix() -> Vec<(Scope, Vec<&'static str>)> {
    vec![
        (partner("p"), vec!["by-r1", "by-r2", "direct"]),
        (partner("q"), vec!["by-r1", "direct"]),
        (partner("nobody"), vec![]),
        (reseller("p", "r1"), vec!["by-r1"]),
        (reseller("p", "r2"), vec!["by-r2"]),
        (reseller("q", "r2"), vec![]),
        (reseller("p", "c1"), vec![]),
        (customer("p", "c1"), vec!["by-r1", "direct"]),
        (customer("p", "c2"), vec!["by-r2"]),
        (customer("q", "c2"), vec![]),
        (customer("p", "r1"), vec![]),
    ]
}

pub async fn a_scope_sees_its_own_alerts_and_no_others<S: Store>(store: Arc<S>) {
    estate(&*store).await;
    for (scope, covered) in matrix() {
        let all = query(None, Vec::new());
        assert_eq!(ids(&*store, &scope, &all).await, covered.join(" "), "{scope:?}");
        // A filter that names other tenants does not widen the scope.
        let wide = compare("customerTenantId", Comparison::Ne, "x");
        let wide = query(Some(wide), default_order());
        assert_eq!(ids(&*store, &scope, &wide).await.split_whitespace().count(), covered.len(), "{scope:?}");
        let count = store.count_alerts(&scope, None, None).await.unwrap();
        assert_eq!(count, covered.len() as u64, "{scope:?}");
        for alert in ["direct", "by-r1", "by-r2"] {
            let body = store.alert(&scope, &id(alert)).await.unwrap();
            assert_eq!(body.is_some(), covered.contains(&alert), "{scope:?} {alert}");
        }
    }
}

pub async fn a_scope_changes_only_its_own_alerts<S: Store>(store: Arc<S>) {
    estate(&*store).await;
    let change = StatusChange { to: Status::Investigating, reason: None };
    let at = time("2031-02-03T05:00:00Z");
    for (scope, covered) in matrix() {
        for alert in ["direct", "by-r1", "by-r2"] {
            let changed = store
                .change_status(&scope, &id(alert), change, &ExpectedVersion::Any, "ann", at)
                .await
                .unwrap();
            assert_eq!(changed.is_some(), covered.contains(&alert), "{scope:?} {alert}");
        }
    }
    let other = store.alert(&partner("q"), &id("direct")).await.unwrap().unwrap();
    assert_eq!(parsed(&other).activity_logs.len(), 1, "changed once, by its own partner");
}
