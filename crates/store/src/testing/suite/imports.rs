//! Importing alerts.

use std::sync::Arc;

use alerts::{Origin, Status};
use odata::checked::Comparison;

use super::{customer, ids, import_time, partner, put, query, seen};
use crate::testing::{AlertBuilder, compare, finding, time};
use crate::{Imported, Store, StoreError};

pub async fn an_import_can_be_repeated<S: Store>(store: Arc<S>) {
    let alerts = [AlertBuilder::new("p", "a").build(), AlertBuilder::new("p", "b").build()];
    let import = async |alerts: &[alerts::Alert]| {
        store.import_alerts(&partner("p"), alerts, import_time()).await.unwrap()
    };
    assert_eq!(import(&alerts).await, Imported { added: 2, ..Imported::default() });
    assert_eq!(import(&alerts).await, Imported { unchanged: 2, ..Imported::default() });

    let resolved = AlertBuilder::new("p", "b").with(|body| body.status = Status::Resolved).build();
    let changed = [alerts[0].clone(), resolved, AlertBuilder::new("p", "c").build()];
    assert_eq!(import(&changed).await, Imported { added: 1, replaced: 1, unchanged: 1 });
    let filter = compare("status", Comparison::Eq, "resolved");
    assert_eq!(ids(&*store, &partner("p"), &query(Some(filter), Vec::new())).await, "b");
}

pub async fn an_import_keeps_where_an_alert_came_from<S: Store>(store: Arc<S>) {
    let incident = finding("p", "pool", "2031-02-03T05:00:00Z");
    let now = time("2031-02-03T06:00:00Z");
    let recorded = store.record_findings(&partner("p"), std::slice::from_ref(&incident), now).await.unwrap();
    let mut back = recorded.raised[0].clone();
    back.origin = Origin::Imported;
    let imported = store.import_alerts(&partner("p"), std::slice::from_ref(&back), now).await.unwrap();
    assert_eq!(imported.unchanged, 1, "an alert that was exported and comes back");

    back.body.description = Some("edited".to_owned());
    let imported = store.import_alerts(&partner("p"), &[back], now).await.unwrap();
    assert_eq!(imported.replaced, 1);
    let later = finding("p", "pool", "2031-02-03T07:00:00Z");
    let recorded = store.record_findings(&partner("p"), &[later], now).await.unwrap();
    assert_eq!(recorded.continued.len(), 1, "its incident still finds it");
}

pub async fn an_import_takes_nothing_from_another_scope<S: Store>(store: Arc<S>) {
    put(&*store, &[AlertBuilder::new("p", "a").of("c1", None).build()]).await;
    let check = async |scope, alert: AlertBuilder| {
        let alerts = [AlertBuilder::new("p", "z").of("c2", None).build(), alert.build()];
        let refused = store.import_alerts(&scope, &alerts, import_time()).await;
        assert!(matches!(refused, Err(StoreError::OutOfScope { .. })), "{refused:?}");
        assert!(seen(&*store, &partner("p"), "z").await.is_none(), "all or none");
    };
    check(partner("p"), AlertBuilder::new("q", "b")).await;
    check(customer("p", "c2"), AlertBuilder::new("p", "b").of("c1", None)).await;
    check(customer("p", "c2"), AlertBuilder::new("p", "a").of("c2", None)).await;
    let kept = seen(&*store, &partner("p"), "a").await.unwrap();
    assert_eq!(kept.customer_tenant_id.as_str(), "c1");
}

pub async fn an_import_of_what_cannot_be_kept_is_refused<S: Store>(store: Arc<S>) {
    let check = async |alert: AlertBuilder, expected: &str| {
        let alerts = [AlertBuilder::new("p", "z").build(), alert.build()];
        let refused = store.import_alerts(&partner("p"), &alerts, import_time()).await.unwrap_err();
        assert!(refused.to_string().starts_with(expected), "{refused}");
        assert!(seen(&*store, &partner("p"), "z").await.is_none(), "all or none");
    };
    let alert = || AlertBuilder::new("p", "a-1");
    let nul = alert().with(|body| body.description = Some("a\0b".to_owned()));
    check(nul, "alert a-1: description holds a NUL character").await;
    check(alert().detail("Odd", "x\0y"), "alert a-1: additionalDetails/Odd holds a NUL character").await;
    let late = alert().with(|body| body.detected_date_time = time("+10000-01-01T00:00:00Z"));
    check(late, "alert a-1: detectedDateTime is in the year 10000; years go from 1 to 9999").await;
}
