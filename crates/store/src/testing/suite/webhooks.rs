//! Webhook registrations of Partner Center's kind, and deliveries on their way.

use std::sync::Arc;

use chrono::TimeDelta;
use uuid::Uuid;

use super::{customer, partner, reseller};
use crate::testing::time;
use crate::{
    ChangePosition, DeliveryState, Store, StoreError, WebhookAttempt, WebhookDelivery, WebhookRegistration,
    WebhookTarget,
};

const NOON: &str = "2031-02-03T12:00:00Z";

fn target(url: &str) -> WebhookTarget {
    WebhookTarget { url: url.to_owned(), events: vec!["test-created".to_owned(), "other".to_owned()] }
}

fn registration(id: u128, url: &str) -> WebhookRegistration {
    WebhookRegistration { subscriber_id: Uuid::from_u128(id), target: target(url) }
}

fn delivery(id: u128, created_at: &str) -> WebhookDelivery {
    WebhookDelivery {
        id: Uuid::from_u128(id),
        event: "test-created".to_owned(),
        body: format!("{{\"number\": {id}}}"),
        url: "https://a.example".to_owned(),
        created_at: time(created_at),
        state: DeliveryState::Waiting(time(created_at)),
    }
}

fn at(sequence: i64) -> ChangePosition {
    ChangePosition { epoch: 0, sequence }
}

pub async fn a_partner_has_one_webhook_registration<S: Store>(store: Arc<S>) {
    let p = partner("p");
    assert_eq!(store.change_webhook_registration(&p, &target("https://a.example")).await.unwrap(), None);
    assert!(store.add_webhook_registration(&p, &registration(1, "https://a.example"), at(7)).await.unwrap());
    assert!(!store.add_webhook_registration(&p, &registration(2, "https://b.example"), at(8)).await.unwrap());
    let q = partner("q");
    assert!(store.add_webhook_registration(&q, &registration(3, "https://q.example"), at(9)).await.unwrap());

    let changed = registration(1, "https://c.example");
    let found = store.change_webhook_registration(&p, &target("https://c.example")).await.unwrap();
    assert_eq!(found.as_ref(), Some(&changed));
    assert_eq!(store.webhook_registration(&p).await.unwrap(), Some(changed.clone()));
    assert_eq!(
        store.webhook_registrations().await.unwrap(),
        [(p, changed, at(7)), (q, registration(3, "https://q.example"), at(9))]
    );

    for scope in [customer("p", "c"), reseller("p", "r")] {
        assert_eq!(store.webhook_registration(&scope).await.unwrap(), None);
        for refused in [
            store.add_webhook_registration(&scope, &registration(4, "https://a.example"), at(0)).await.err(),
            store.change_webhook_registration(&scope, &target("https://a.example")).await.err(),
            store.add_webhook_delivery(&scope, &delivery(1, NOON), 9, time(NOON)).await.err(),
        ] {
            assert!(matches!(refused, Some(StoreError::OutOfScope { .. })), "{scope:?}: {refused:?}");
        }
    }
}

pub async fn changes_become_webhook_deliveries_once<S: Store>(store: Arc<S>) {
    let p = partner("p");
    store.add_webhook_registration(&p, &registration(1, "https://a.example"), at(7)).await.unwrap();
    assert!(store.fan_out_webhook(&p, at(7), at(9), &[delivery(1, NOON), delivery(2, NOON)]).await.unwrap());
    // Another server that has seen the same changes comes too late.
    assert!(!store.fan_out_webhook(&p, at(7), at(9), &[delivery(3, NOON)]).await.unwrap());
    assert_eq!(store.webhook_registrations().await.unwrap()[0].2, at(9));
    assert_eq!(store.webhook_delivery(&p, Uuid::from_u128(3)).await.unwrap(), None);
    let (found, attempts) = store.webhook_delivery(&p, Uuid::from_u128(2)).await.unwrap().unwrap();
    assert_eq!((found, attempts), (delivery(2, NOON), vec![]));
    for scope in [partner("q"), customer("p", "c")] {
        assert_eq!(store.webhook_delivery(&scope, Uuid::from_u128(2)).await.unwrap(), None, "{scope:?}");
    }
}

pub async fn webhook_deliveries_of_an_event_are_limited<S: Store>(store: Arc<S>) {
    let p = partner("p");
    let add = |id: u128, at: &'static str, since: &'static str| {
        let (store, p) = (store.clone(), partner("p"));
        async move { store.add_webhook_delivery(&p, &delivery(id, at), 2, time(since)).await.unwrap() }
    };
    assert!(add(1, "2031-02-03T12:00:00Z", "2031-02-03T11:59:00Z").await);
    assert!(add(2, "2031-02-03T12:00:30Z", "2031-02-03T11:59:30Z").await);
    assert!(!add(3, "2031-02-03T12:00:59Z", "2031-02-03T11:59:59Z").await);
    assert!(add(4, "2031-02-03T12:01:00Z", "2031-02-03T12:00:00Z").await);
    let other = WebhookDelivery { event: "other".to_owned(), ..delivery(5, NOON) };
    assert!(store.add_webhook_delivery(&p, &other, 2, time("2031-02-03T12:00:00Z")).await.unwrap());
}

pub async fn a_webhook_delivery_is_leased_tried_and_settled<S: Store>(store: Arc<S>) {
    let p = partner("p");
    let (noon, lease) = (time(NOON), TimeDelta::minutes(5));
    store.add_webhook_registration(&p, &registration(1, "https://a.example"), at(0)).await.unwrap();
    for id in [1, 2] {
        store.add_webhook_delivery(&p, &delivery(id, NOON), 9, noon).await.unwrap();
    }
    assert_eq!(store.lease_webhook_deliveries(noon - lease, noon, 9).await.unwrap(), []);
    let first = store.lease_webhook_deliveries(noon, noon + lease, 1).await.unwrap();
    let second = store.lease_webhook_deliveries(noon, noon + lease, 9).await.unwrap();
    assert_eq!((first.len(), second.len()), (1, 1));
    assert_ne!(first[0].id, second[0].id);
    assert_eq!(store.lease_webhook_deliveries(noon, noon + lease, 9).await.unwrap(), []);

    // One fails and waits; whoever was to send the other is gone.
    let later = noon + TimeDelta::seconds(10);
    let failed = WebhookAttempt {
        response_code: String::new(),
        response_message: "no connection".to_owned(),
        system_error: true,
        at: noon,
        state: DeliveryState::Waiting(later),
    };
    store.note_webhook_attempt(&first[0], &failed).await.unwrap();
    let again = store.lease_webhook_deliveries(later, later + lease, 9).await.unwrap();
    assert_eq!(again.iter().map(|due| (due.id, due.attempts)).collect::<Vec<_>>(), [(first[0].id, 1)]);
    let abandoned = store.lease_webhook_deliveries(noon + lease, noon + lease + lease, 9).await.unwrap();
    assert_eq!(abandoned.iter().map(|due| due.id).collect::<Vec<_>>(), [second[0].id]);

    let taken = WebhookAttempt {
        response_code: "OK".to_owned(),
        response_message: String::new(),
        system_error: false,
        at: later,
        state: DeliveryState::Completed,
    };
    store.note_webhook_attempt(&again[0], &taken).await.unwrap();
    let (found, attempts) = store.webhook_delivery(&p, first[0].id).await.unwrap().unwrap();
    assert_eq!(found.state, DeliveryState::Completed);
    let shown: Vec<_> = attempts.iter().map(|attempt| (attempt.response_code.as_str(), attempt.at)).collect();
    assert_eq!(shown, [("", noon), ("OK", later)]);

    // What waits follows the receiver to its new place.
    store.change_webhook_registration(&p, &target("https://b.example")).await.unwrap();
    let moved = store.lease_webhook_deliveries(noon + lease * 3, noon + lease * 4, 9).await.unwrap();
    assert_eq!(moved.iter().map(|due| due.url.as_str()).collect::<Vec<_>>(), ["https://b.example"]);

    assert_eq!(store.forget_webhook_deliveries(noon).await.unwrap(), 0);
    assert_eq!(store.forget_webhook_deliveries(later).await.unwrap(), 2);
    assert_eq!(store.webhook_delivery(&p, first[0].id).await.unwrap(), None);
}
