//! Notification subscriptions, the notifications on their way, and secrets.

use std::collections::BTreeMap;
use std::sync::Arc;

use alerts::{Scope, Status, StatusChange};
use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::{customer, id, import_time, partner, put, reseller};
use crate::testing::{AlertBuilder, time};
use crate::{
    ChangeTypes, EncryptionCertificate, ExpectedVersion, Lease, NotificationEvent, NotificationSubscription,
    Outcome, Parcel, Renewal, Store, Subscriber, SubscriptionChange,
};

/// When these tests begin.
fn start() -> DateTime<Utc> {
    time("2031-02-03T05:00:00Z")
}

fn after(minutes: i64) -> DateTime<Utc> {
    start() + TimeDelta::minutes(minutes)
}

fn subscription(number: u128, scope: Scope) -> NotificationSubscription {
    NotificationSubscription {
        id: Uuid::from_u128(number),
        scope,
        application_id: "app".to_owned(),
        creator_id: "ann".to_owned(),
        resource: "security/partner/securityAlerts".to_owned(),
        alert_id: None,
        change_types: ChangeTypes::new([NotificationEvent::Created, NotificationEvent::Updated]).unwrap(),
        notification_url: "https://receiver.example/changes".to_owned(),
        lifecycle_notification_url: Some("https://receiver.example/life".to_owned()),
        client_state: Some("state".to_owned()),
        expires_at: after(600),
        reauthorize_at: Some(after(540)),
        encryption: None,
        latest_supported_tls_version: None,
        created_at: start(),
    }
}

fn subscriber(scope: Scope, application: &str, user: Option<&str>) -> Subscriber {
    Subscriber { scope, application_id: application.to_owned(), user_id: user.map(str::to_owned) }
}

async fn add<S: Store>(store: &S, subscription: &NotificationSubscription) {
    assert!(store.add_notification_subscription(subscription, 10).await.unwrap());
}

/// Turns all changes into notifications.
async fn fan_out<S: Store>(store: &S, now: DateTime<Utc>) {
    for key in store.notification_work(now, 100).await.unwrap().behind {
        while store.fan_out(&key, now, 2).await.unwrap() {}
    }
}

fn lease_of(number: u128, now: DateTime<Utc>) -> Lease {
    Lease { id: Uuid::from_u128(number), until: now + TimeDelta::minutes(1) }
}

async fn take<S: Store>(
    store: &S,
    subscription: &NotificationSubscription,
    lease: &Lease,
    now: DateTime<Utc>,
) -> Option<Parcel> {
    store.lease_notifications(&subscription.key(), lease, now, 100).await.unwrap()
}

/// What a parcel holds, in few words.
fn held(parcel: Option<&Parcel>) -> String {
    let words = parcel.iter().flat_map(|parcel| &parcel.notifications).map(|notification| {
        let alert = notification
            .alert_id
            .as_ref()
            .map_or(String::new(), |id| format!(" {id}:{}", notification.version));
        format!("{}{alert}", notification.event.name())
    });
    words.collect::<Vec<_>>().join(", ")
}

/// Leases what is due and settles all of it alike; says what it was.
async fn settle<S: Store>(
    store: &S,
    subscription: &NotificationSubscription,
    now: DateTime<Utc>,
    outcome: Outcome,
) -> String {
    let lease = Lease { id: Uuid::new_v4(), until: now + TimeDelta::minutes(1) };
    let Some(parcel) = take(store, subscription, &lease, now).await else { return String::new() };
    let outcomes: Vec<_> = parcel.notifications.iter().map(|held| (held.number, outcome)).collect();
    store.settle_notifications(&subscription.key(), &lease, &outcomes, now).await.unwrap();
    held(Some(&parcel))
}

async fn deliver<S: Store>(store: &S, subscription: &NotificationSubscription, now: DateTime<Utc>) -> String {
    settle(store, subscription, now, Outcome::Delivered).await
}

async fn set_status<S: Store>(store: &S, alert: &str, to: Status) {
    let change = StatusChange { to, reason: None };
    let (scope, id) = (partner("p"), id(alert));
    store.change_status(&scope, &id, change, &ExpectedVersion::Any, "ann", start()).await.unwrap().unwrap();
}

fn alert(name: &str) -> AlertBuilder {
    AlertBuilder::new("p", name).of("c1", Some("r1"))
}

pub async fn a_subscriber_sees_its_own_subscriptions_and_no_others<S: Store>(store: Arc<S>) {
    let whole = subscription(1, partner("p"));
    let narrow = NotificationSubscription {
        alert_id: Some(id("a")),
        lifecycle_notification_url: None,
        client_state: None,
        reauthorize_at: None,
        encryption: Some(EncryptionCertificate { certificate: "MII".to_owned(), id: "cert".to_owned() }),
        latest_supported_tls_version: Some("v1_3".to_owned()),
        created_at: after(1),
        ..subscription(2, reseller("p", "r1"))
    };
    add(&*store, &whole).await;
    add(&*store, &narrow).await;
    let seen = |subscriber: Subscriber, now: DateTime<Utc>| {
        let store = store.clone();
        async move { store.notification_subscriptions(&subscriber, now).await.unwrap() }
    };
    assert_eq!(
        seen(subscriber(partner("p"), "app", Some("ann")), after(2)).await,
        std::slice::from_ref(&whole)
    );
    assert_eq!(
        seen(subscriber(reseller("p", "r1"), "app", None), after(2)).await,
        std::slice::from_ref(&narrow)
    );
    for (stranger, now) in [
        (subscriber(partner("p"), "app", Some("bob")), after(2)),
        (subscriber(partner("p"), "other", Some("ann")), after(2)),
        (subscriber(partner("q"), "app", Some("ann")), after(2)),
        (subscriber(customer("p", "c1"), "app", Some("ann")), after(2)),
        (subscriber(reseller("p", "r2"), "app", Some("ann")), after(2)),
        (subscriber(partner("p"), "app", Some("ann")), after(600)),
    ] {
        assert_eq!(seen(stranger.clone(), now).await, []);
        assert_eq!(store.notification_subscription(&stranger, whole.id, now).await.unwrap(), None);
        let change = SubscriptionChange::default();
        let changed = store.change_notification_subscription(&stranger, whole.id, &change, now).await;
        assert_eq!(changed.unwrap(), None);
        assert!(!store.remove_notification_subscription(&stranger, whole.id, now).await.unwrap());
    }
    let own = subscriber(partner("p"), "app", Some("ann"));
    assert!(store.remove_notification_subscription(&own, whole.id, after(2)).await.unwrap());
    assert_eq!(seen(own, after(2)).await, []);
}

pub async fn a_subscription_is_changed_where_asked<S: Store>(store: Arc<S>) {
    let first = subscription(1, partner("p"));
    add(&*store, &first).await;
    let own = subscriber(partner("p"), "app", Some("ann"));
    let change = |change: SubscriptionChange| {
        let (store, own, id) = (store.clone(), own.clone(), first.id);
        async move { store.change_notification_subscription(&own, id, &change, after(1)).await.unwrap().unwrap() }
    };
    assert_eq!(change(SubscriptionChange::default()).await, first);
    let renewal = Renewal { expires_at: after(900), reauthorize_at: Some(after(800)) };
    let renewed = NotificationSubscription {
        expires_at: after(900),
        reauthorize_at: Some(after(800)),
        ..first.clone()
    };
    assert_eq!(change(SubscriptionChange { renewal: Some(renewal), encryption: None }).await, renewed);
    let encryption = EncryptionCertificate { certificate: "MII".to_owned(), id: "cert".to_owned() };
    let encrypted = NotificationSubscription { encryption: Some(encryption.clone()), ..renewed };
    assert_eq!(change(SubscriptionChange { renewal: None, encryption: Some(encryption) }).await, encrypted);
}

pub async fn an_application_has_so_many_subscriptions_and_no_more<S: Store>(store: Arc<S>) {
    let add = |subscription: NotificationSubscription| {
        let store = store.clone();
        async move { store.add_notification_subscription(&subscription, 2).await.unwrap() }
    };
    assert!(add(subscription(1, partner("p"))).await);
    assert!(add(subscription(2, reseller("p", "r1"))).await);
    assert!(!add(subscription(3, partner("p"))).await);
    assert!(add(subscription(4, partner("q"))).await, "each partner counts for itself");
    let other =
        NotificationSubscription { application_id: "other".to_owned(), ..subscription(5, partner("p")) };
    assert!(add(other).await);
    // Those that have expired do not count.
    let later = NotificationSubscription { created_at: after(600), ..subscription(6, partner("p")) };
    assert!(add(later).await);
}

pub async fn a_subscription_is_told_of_its_changes_once<S: Store>(store: Arc<S>) {
    put(&*store, &[alert("before").build()]).await;
    let created = ChangeTypes::new([NotificationEvent::Created]).unwrap();
    let all = subscription(1, partner("p"));
    let only_created = NotificationSubscription { change_types: created, ..subscription(2, partner("p")) };
    let one_alert = NotificationSubscription { alert_id: Some(id("b")), ..subscription(3, partner("p")) };
    let of_reseller = subscription(4, reseller("p", "r1"));
    let of_customer = subscription(5, customer("p", "c2"));
    let of_other = subscription(6, partner("q"));
    for new in [&all, &only_created, &one_alert, &of_reseller, &of_customer, &of_other] {
        add(&*store, new).await;
    }
    assert_eq!(store.notification_work(after(1), 100).await.unwrap().due, []);
    put(&*store, &[alert("a").build(), AlertBuilder::new("p", "b").of("c2", None).build()]).await;
    set_status(&*store, "a", Status::Investigating).await;
    set_status(&*store, "b", Status::Investigating).await;
    fan_out(&*store, after(1)).await;
    let work = store.notification_work(after(1), 100).await.unwrap();
    assert_eq!(work.behind, []);
    assert_eq!(work.due.len(), 5);
    for (subscription, expected) in [
        (&all, ["created a:1, created b:1", "updated a:2, updated b:2", ""]),
        (&only_created, ["created a:1, created b:1", "", ""]),
        (&one_alert, ["created b:1", "updated b:2", ""]),
        (&of_reseller, ["created a:1", "updated a:2", ""]),
        (&of_customer, ["created b:1", "updated b:2", ""]),
        (&of_other, ["", "", ""]),
    ] {
        for round in expected {
            assert_eq!(
                deliver(&*store, subscription, after(1)).await,
                round,
                "{}",
                subscription.scope.partner()
            );
        }
    }
    assert_eq!(store.notification_work(after(1), 100).await.unwrap(), Default::default());
}

pub async fn notifications_of_one_alert_wait_for_each_other<S: Store>(store: Arc<S>) {
    let told = subscription(1, partner("p"));
    add(&*store, &told).await;
    put(&*store, &[alert("a").build(), alert("b").build()]).await;
    set_status(&*store, "a", Status::Investigating).await;
    fan_out(&*store, after(1)).await;
    let lease = lease_of(1, after(1));
    let parcel = take(&*store, &told, &lease, after(1)).await.unwrap();
    assert_eq!(parcel.subscription, told);
    assert_eq!(held(Some(&parcel)), "created a:1, created b:1");
    let outcomes = [
        (parcel.notifications[0].number, Outcome::Failed { again_at: after(5) }),
        (parcel.notifications[1].number, Outcome::Delivered),
    ];
    store.settle_notifications(&told.key(), &lease, &outcomes, after(1)).await.unwrap();

    // Another alert does not wait; the next change of the same alert does.
    set_status(&*store, "b", Status::Investigating).await;
    fan_out(&*store, after(2)).await;
    assert_eq!(deliver(&*store, &told, after(2)).await, "updated b:2");
    assert_eq!(deliver(&*store, &told, after(4)).await, "");
    assert_eq!(store.notification_work(after(4), 100).await.unwrap().due, []);
    assert_eq!(store.notification_work(after(5), 100).await.unwrap().due, [told.key()]);
    let lease = lease_of(2, after(5));
    let again = take(&*store, &told, &lease, after(5)).await.unwrap();
    assert_eq!(held(Some(&again)), "created a:1");
    let first = &again.notifications[0];
    assert_eq!((first.attempts, first.first_failed_at), (1, Some(after(1))));
    let outcomes = [(first.number, Outcome::Delivered)];
    store.settle_notifications(&told.key(), &lease, &outcomes, after(5)).await.unwrap();
    let next = take(&*store, &told, &lease_of(3, after(5)), after(5)).await.unwrap();
    assert_eq!(held(Some(&next)), "updated a:2");
    let next = &next.notifications[0];
    assert_eq!((next.attempts, next.first_failed_at), (0, Some(after(1))), "it has waited since then");
}

pub async fn what_is_leased_is_left_alone_until_the_lease_ends<S: Store>(store: Arc<S>) {
    let told = subscription(1, partner("p"));
    add(&*store, &told).await;
    put(&*store, &[alert("a").build()]).await;
    fan_out(&*store, after(1)).await;
    let (lost, kept) = (lease_of(1, after(1)), lease_of(2, after(3)));
    let number = take(&*store, &told, &lost, after(1)).await.unwrap().notifications[0].number;
    assert_eq!(take(&*store, &told, &kept, after(1)).await, None);
    assert_eq!(store.notification_work(after(1), 100).await.unwrap().due, []);
    assert_eq!(held(take(&*store, &told, &kept, after(3)).await.as_ref()), "created a:1");

    // Who lost the lease settles nothing.
    for outcome in [
        Outcome::Delivered,
        Outcome::Failed { again_at: after(100) },
        Outcome::GivenUp { with_failed_by: after(100) },
    ] {
        store.settle_notifications(&told.key(), &lost, &[(number, outcome)], after(3)).await.unwrap();
    }
    assert_eq!(deliver(&*store, &told, after(5)).await, "created a:1");
    assert_eq!(deliver(&*store, &told, after(5)).await, "");
}

pub async fn what_is_given_up_is_told_as_missed_once<S: Store>(store: Arc<S>) {
    let told = subscription(1, partner("p"));
    let silent =
        NotificationSubscription { lifecycle_notification_url: None, ..subscription(2, partner("p")) };
    add(&*store, &told).await;
    add(&*store, &silent).await;
    put(&*store, &[alert("a").build(), alert("b").build()]).await;
    set_status(&*store, "a", Status::Investigating).await;
    fan_out(&*store, after(1)).await;
    for subscription in [&told, &silent] {
        let failed = Outcome::Failed { again_at: after(240) };
        assert_eq!(settle(&*store, subscription, after(1), failed).await, "created a:1, created b:1");
    }
    // What comes later waits behind what failed, but has not waited as long.
    set_status(&*store, "a", Status::Active).await;
    fan_out(&*store, after(2)).await;
    let given_up = Outcome::GivenUp { with_failed_by: after(1) };
    assert_eq!(settle(&*store, &told, after(240), given_up).await, "created a:1, created b:1");
    assert_eq!(deliver(&*store, &told, after(240)).await, "updated a:3, missed");
    assert_eq!(settle(&*store, &silent, after(240), given_up).await, "created a:1, created b:1");
    assert_eq!(deliver(&*store, &silent, after(240)).await, "updated a:3");

    // That something was missed may itself not be told; then no more is said of it.
    set_status(&*store, "b", Status::Investigating).await;
    fan_out(&*store, after(241)).await;
    let given_up = Outcome::GivenUp { with_failed_by: after(241) };
    assert_eq!(settle(&*store, &told, after(241), given_up).await, "updated b:2");
    assert_eq!(settle(&*store, &told, after(241), given_up).await, "missed");
    assert_eq!(deliver(&*store, &told, after(241)).await, "");
}

pub async fn a_subscription_is_told_of_its_end<S: Store>(store: Arc<S>) {
    let told = subscription(1, partner("p"));
    let silent = NotificationSubscription {
        lifecycle_notification_url: None,
        reauthorize_at: None,
        ..subscription(2, partner("p"))
    };
    add(&*store, &told).await;
    add(&*store, &silent).await;
    let tend = |now: DateTime<Utc>| {
        let store = store.clone();
        async move {
            let keys = store.notification_work(now, 100).await.unwrap().to_tend;
            for key in &keys {
                store.tend_notification_subscription(key, now).await.unwrap();
            }
            keys.len()
        }
    };
    assert_eq!(tend(after(539)).await, 0);
    assert_eq!(tend(after(540)).await, 1);
    assert_eq!(tend(after(540)).await, 0, "the reminder comes once");
    // A confirmation makes a reminder that waits needless.
    let own = subscriber(partner("p"), "app", None);
    let confirm = SubscriptionChange::default();
    store.change_notification_subscription(&own, told.id, &confirm, after(541)).await.unwrap().unwrap();
    assert_eq!(deliver(&*store, &told, after(541)).await, "");
    let renewal = Some(Renewal { expires_at: after(600), reauthorize_at: Some(after(550)) });
    let renew = SubscriptionChange { renewal, encryption: None };
    store.change_notification_subscription(&own, told.id, &renew, after(541)).await.unwrap().unwrap();
    assert_eq!(tend(after(550)).await, 1);
    assert_eq!(deliver(&*store, &told, after(550)).await, "reauthorizationRequired");

    put(&*store, &[alert("a").build()]).await;
    fan_out(&*store, after(599)).await;
    assert_eq!(tend(after(600)).await, 2);
    assert_eq!(tend(after(600)).await, 0);
    set_status(&*store, "a", Status::Investigating).await;
    assert_eq!(store.notification_work(after(600), 100).await.unwrap().behind, []);
    assert!(!store.fan_out(&told.key(), after(600), 10).await.unwrap());
    assert_eq!(store.notification_subscriptions(&own, after(600)).await.unwrap(), []);
    assert_eq!(deliver(&*store, &silent, after(600)).await, "");
    assert_eq!(deliver(&*store, &told, after(600)).await, "subscriptionRemoved");
    assert_eq!(store.notification_work(after(700), 100).await.unwrap(), Default::default());
}

/// Several servers work on one store while alerts come in.
pub async fn servers_that_share_a_store_send_each_notification_once_and_in_order<S: Store>(store: Arc<S>) {
    const ALERTS: usize = 12;
    const CHANGES: usize = 4;
    let told = subscription(1, partner("p"));
    add(&*store, &told).await;
    let (writing, written) = tokio::sync::watch::channel(false);
    let sent = Arc::new(std::sync::Mutex::new(Vec::new()));
    let servers: Vec<_> = (0..3)
        .map(|_| {
            let (store, told, sent, written) = (store.clone(), told.clone(), sent.clone(), written.clone());
            tokio::spawn(async move {
                loop {
                    let all_written = *written.borrow();
                    fan_out(&*store, after(1)).await;
                    let lease = Lease { id: Uuid::new_v4(), until: after(2) };
                    let parcel = store.lease_notifications(&told.key(), &lease, after(1), 3).await.unwrap();
                    let Some(parcel) = parcel else {
                        let work = store.notification_work(after(1), 100).await.unwrap();
                        let has_all = sent.lock().unwrap().len() >= ALERTS * (CHANGES + 1);
                        if all_written && has_all && work.behind.is_empty() && work.due.is_empty() {
                            return;
                        }
                        tokio::task::yield_now().await;
                        continue;
                    };
                    sent.lock().unwrap().extend(parcel.notifications.iter().cloned());
                    tokio::task::yield_now().await;
                    let outcomes: Vec<_> =
                        parcel.notifications.iter().map(|held| (held.number, Outcome::Delivered)).collect();
                    store.settle_notifications(&told.key(), &lease, &outcomes, after(1)).await.unwrap();
                }
            })
        })
        .collect();
    let alerts: Vec<_> = (0..ALERTS).map(|number| alert(&format!("a{number}")).build()).collect();
    store.import_alerts(&partner("p"), &alerts, import_time()).await.unwrap();
    for change in 0..CHANGES {
        let to = if change % 2 == 0 { Status::Investigating } else { Status::Active };
        for number in 0..ALERTS {
            set_status(&*store, &format!("a{number}"), to).await;
        }
    }
    writing.send(true).unwrap();
    for server in servers {
        server.await.unwrap();
    }
    let mut versions: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for notification in sent.lock().unwrap().iter() {
        let alert = notification.alert_id.as_ref().unwrap().to_string();
        versions.entry(alert).or_default().push(notification.version);
    }
    assert_eq!(versions.len(), ALERTS);
    let expected: Vec<u64> = (1..=CHANGES as u64 + 1).collect();
    assert!(versions.values().all(|seen| *seen == expected), "{versions:?}");
}

pub async fn a_secret_is_kept_as_it_was_first<S: Store>(store: Arc<S>) {
    let first = store.secret("tokens", &[0, 255, 7]).await.unwrap();
    assert_eq!(first, [0, 255, 7]);
    assert_eq!(store.secret("tokens", &[1]).await.unwrap(), first);
    assert_eq!(store.secret("other", &[1]).await.unwrap(), [1]);
}
