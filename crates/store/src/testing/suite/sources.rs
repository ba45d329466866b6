//! Sources of records, what came of them, and whose it is.

use std::sync::Arc;

use alerts::Scope;
use chrono::TimeDelta;

use super::{customer, partner, reseller};
use crate::testing::time;
use crate::{
    Arrival, CoverageQuery, Customer, CustomerQuery, CustomerSubscription, CustomersImported, IngestKey,
    KnownCustomer, Notice, Owner, SourceNote, Store, StoreError, Subscription,
};

const NOON: &str = "2031-02-03T12:00:00Z";

pub async fn one_server_at_a_time_reads_a_source<S: Store>(store: Arc<S>) {
    let (p, noon) = (partner("p"), time(NOON));
    let minute = TimeDelta::minutes(1);
    for (holder, now, granted) in [
        ("a", noon, true),
        ("a", noon + minute / 2, true),
        ("b", noon + minute, false),
        ("b", noon + minute * 3 / 2, true),
        ("a", noon + minute * 2, false),
    ] {
        let until = now + minute;
        let answer = store.lease_source(&p, "exports", "folder", holder, now, until).await.unwrap();
        assert_eq!(answer, granted, "{holder} at {now}");
    }
    assert!(store.lease_source(&partner("q"), "exports", "folder", "a", noon, noon).await.unwrap());
    let refused = store.lease_source(&customer("p", "c1"), "exports", "folder", "a", noon, noon).await;
    assert!(matches!(refused, Err(StoreError::OutOfScope { .. })));
}

pub async fn positions_of_a_source_are_kept_and_forgotten<S: Store>(store: Arc<S>) {
    let p = partner("p");
    let save = async |source: &str, positions: &[(&str, Option<&str>)]| {
        let positions: Vec<_> =
            positions.iter().map(|(key, at)| ((*key).to_owned(), at.map(str::to_owned))).collect();
        store.save_positions(&p, source, &positions).await.unwrap();
    };
    save("a", &[("x", Some("1")), ("y", Some("{}"))]).await;
    save("b", &[("x", Some("7"))]).await;
    save("a", &[("x", Some("2")), ("y", None), ("z", None)]).await;
    let positions = store.positions(&p, "a").await.unwrap();
    assert_eq!(positions.into_iter().collect::<Vec<_>>(), [("x".to_owned(), "2".to_owned())]);
    assert_eq!(store.positions(&p, "b").await.unwrap().len(), 1);
    assert!(store.positions(&partner("q"), "a").await.unwrap().is_empty());
    assert!(store.positions(&customer("p", "c1"), "a").await.unwrap().is_empty());
}

pub async fn a_source_tells_how_it_fares<S: Store>(store: Arc<S>) {
    let (p, noon) = (partner("p"), time(NOON));
    let minute = TimeDelta::minutes(1);
    assert!(store.lease_source(&p, "exports", "folder", "a", noon, noon).await.unwrap());
    let taken = SourceNote { objects: 2, records: 30, bytes: 400, error: None };
    let failed = SourceNote { error: Some("no such folder".to_owned()), ..SourceNote::default() };
    let mut fares = Vec::new();
    for (after, note) in [(1, &taken), (2, &failed), (3, &taken)] {
        store.note_source(&p, "exports", note, noon + minute * after).await.unwrap();
        let status = store.sources(&p).await.unwrap().remove(0);
        fares.push((status.is_failing(), status.records, status.last_success_at));
    }
    let at = |after| Some(noon + minute * after);
    assert_eq!(fares, [(false, 30, at(1)), (true, 30, at(1)), (false, 60, at(3))]);
    let status = store.sources(&p).await.unwrap().remove(0);
    assert_eq!((status.name.as_str(), status.kind.as_str()), ("exports", "folder"));
    assert_eq!(status.last_error, Some(("no such folder".to_owned(), noon + minute * 2)));
    assert!(store.sources(&reseller("p", "r1")).await.unwrap().is_empty());
}

fn arrival(kind: &str, customer: Option<&str>, at: &str, stored: u64) -> Arrival {
    Arrival {
        kind: kind.to_owned(),
        customer_tenant_id: customer.map(|id| id.parse().unwrap()),
        subscription_id: customer.map(|id| format!("s-{id}").parse().unwrap()),
        first_event_at: Some(time(at)),
        last_event_at: Some(time(at)),
        stored,
        duplicates: 1,
        rejected: 0,
    }
}

pub async fn what_comes_in_adds_up<S: Store>(store: Arc<S>) {
    let (p, noon) = (partner("p"), time(NOON));
    let day = TimeDelta::days(1);
    for (after, at, stored) in [
        (TimeDelta::zero(), "2031-02-03T11:00:00Z", 10),
        (TimeDelta::zero(), "2031-02-03T10:00:00Z", 5),
        (day, "2031-02-04T11:00:00Z", 7),
        (day * 2, "2031-02-04T11:30:00Z", 0),
    ] {
        store.note_arrivals(&p, &[arrival("activity", Some("c1"), at, stored)], noon + after).await.unwrap();
    }
    let found = store.coverage(&p, &CoverageQuery::default()).await.unwrap().remove(0);
    assert_eq!(found.first_event_at, Some(time("2031-02-03T10:00:00Z")));
    assert_eq!(found.last_event_at, Some(time("2031-02-04T11:30:00Z")));
    assert_eq!((found.first_arrived_at, found.last_arrived_at), (noon, noon + day), "duplicates are no news");
    assert_eq!((found.stored, found.duplicates, found.arrivals), (22, 4, 3));
    assert_eq!((found.on_day, found.on_day_before), (0, 7));
    let unread = Arrival {
        first_event_at: None,
        last_event_at: None,
        duplicates: 0,
        rejected: 2,
        ..arrival("activity", Some("c1"), NOON, 0)
    };
    store.note_arrivals(&p, &[unread], noon + day * 3).await.unwrap();
    let found = store.coverage(&p, &CoverageQuery::default()).await.unwrap().remove(0);
    assert_eq!((found.rejected, found.last_event_at), (2, Some(time("2031-02-04T11:30:00Z"))));
    let later = noon + day * 9;
    store.note_arrivals(&p, &[arrival("activity", Some("c1"), NOON, 3)], later).await.unwrap();
    let found = store.coverage(&p, &CoverageQuery::default()).await.unwrap().remove(0);
    assert_eq!((found.on_day, found.on_day_before), (3, 0));
}

pub async fn coverage_is_shown_to_whom_it_is_of<S: Store>(store: Arc<S>) {
    let (p, noon) = (partner("p"), time(NOON));
    let subscription = |customer: &str, reseller: &str| Subscription {
        subscription_id: format!("s-{customer}").parse().unwrap(),
        name: None,
        customer_tenant_id: Some(customer.parse().unwrap()),
        customer_name: None,
        reseller_tenant_id: Some(reseller.parse().unwrap()),
    };
    store.learn_subscriptions(&p, &[subscription("c1", "r1"), subscription("c2", "r2")]).await.unwrap();
    let arrivals = [
        arrival("cost", Some("c1"), NOON, 1),
        arrival("activity", Some("c1"), NOON, 1),
        arrival("activity", Some("c2"), NOON, 2),
        arrival("activity", None, NOON, 4),
    ];
    store.note_arrivals(&p, &arrivals, noon).await.unwrap();
    let shown = async |scope: Scope, query: CoverageQuery| {
        let found = store.coverage(&scope, &query).await.unwrap();
        found.into_iter().map(|entry| entry.key()).map(|key| (key.kind, key.customer)).collect::<Vec<_>>()
    };
    let entry = |kind: &str, customer: &str| (kind.to_owned(), customer.to_owned());
    let all = [entry("activity", ""), entry("activity", "c1"), entry("activity", "c2"), entry("cost", "c1")];
    assert_eq!(shown(p.clone(), CoverageQuery::default()).await, all);
    assert_eq!(shown(partner("q"), CoverageQuery::default()).await, []);
    let own = [all[1].clone(), all[3].clone()];
    assert_eq!(shown(customer("p", "c1"), CoverageQuery::default()).await, own);
    assert_eq!(shown(reseller("p", "r1"), CoverageQuery::default()).await, own);
    assert_eq!(shown(reseller("p", "r3"), CoverageQuery::default()).await, []);
    let of_cost = CoverageQuery { kind: Some("cost".to_owned()), ..CoverageQuery::default() };
    assert_eq!(shown(p.clone(), of_cost).await, all[3..]);

    // Page by page.
    let (mut paged, mut after) = (Vec::new(), None);
    loop {
        let query = CoverageQuery { after, limit: Some(1), ..CoverageQuery::default() };
        let Some(next) = store.coverage(&p, &query).await.unwrap().pop() else { break };
        after = Some(next.key());
        paged.push(next.key());
    }
    assert_eq!(paged.len(), 4);
    assert!(paged.is_sorted());

    let totals = store.totals(&p).await.unwrap();
    let counts: Vec<_> =
        totals.iter().map(|kind| (kind.kind.as_str(), kind.stored, kind.duplicates)).collect();
    assert_eq!(counts, [("activity", 7, 3), ("cost", 1, 1)]);
    assert!(store.totals(&customer("p", "c1")).await.unwrap().is_empty());
}

fn known(customer: &str, name: Option<&str>, reseller: Option<&str>) -> Customer {
    Customer {
        customer_tenant_id: customer.parse().unwrap(),
        name: name.map(str::to_owned),
        domain: None,
        reseller_tenant_id: reseller.map(|id| id.parse().unwrap()),
        reseller_mpn_id: None,
        country: None,
    }
}

pub async fn imported_customers_win_over_records<S: Store>(store: Arc<S>) {
    let p = partner("p");
    let seen = |id: &str, name: &str| Subscription {
        subscription_id: id.parse().unwrap(),
        name: None,
        customer_tenant_id: Some("c1".parse().unwrap()),
        customer_name: Some(name.to_owned()),
        reseller_tenant_id: None,
    };
    store.learn_subscriptions(&p, &[seen("s1", "CONTOSO")]).await.unwrap();
    let at = time(NOON);
    let contoso = known("c1", Some("Contoso"), Some("r1"));
    let imported = store.import_customers(&p, std::slice::from_ref(&contoso), &[], at).await.unwrap();
    assert_eq!(imported, CustomersImported { new: 1, ..CustomersImported::default() });
    store.learn_subscriptions(&p, &[seen("s1", "CONTOSO"), seen("s2", "CONTOSO")]).await.unwrap();
    for id in ["s1", "s2"] {
        let entry = store.subscription(&reseller("p", "r1"), &id.parse().unwrap()).await.unwrap().unwrap();
        assert_eq!(entry.customer_name.as_deref(), Some("Contoso"), "{id}");
    }
    let again = [known("c1", None, None), known("c2", None, None), known("c1", Some("Contoso Ltd"), None)];
    let imported = store.import_customers(&p, &again, &[], at + TimeDelta::days(1)).await.unwrap();
    assert_eq!(imported, CustomersImported { new: 1, changed: 1, unchanged: 1, subscriptions: 0 });
    let listed = async |scope: Scope, after: Option<&str>| {
        let query = CustomerQuery { after: after.map(|id| id.parse().unwrap()), ..CustomerQuery::default() };
        store.customers(&scope, &query).await.unwrap()
    };
    let all = listed(p.clone(), None).await;
    let whole = |customer, imported_at, subscriptions| KnownCustomer {
        customer,
        imported_at: Some(imported_at),
        subscriptions,
        has_records: false,
    };
    let expected = [
        whole(known("c1", Some("Contoso Ltd"), Some("r1")), at, 2),
        whole(known("c2", None, None), at + TimeDelta::days(1), 0),
    ];
    assert_eq!(all, expected);
    assert_eq!(listed(p.clone(), Some("c1")).await, all[1..]);
    assert_eq!(listed(reseller("p", "r1"), None).await, all[..1]);
    assert_eq!(listed(customer("p", "c2"), None).await, all[1..]);
    let mut owners = store.owners(&p).await.unwrap();
    owners.sort();
    assert_eq!(owners, [owner("s1", "c1", false), owner("s2", "c1", false)]);
    let pairs = store.resellers(&p).await.unwrap();
    assert_eq!(pairs, [("c1".parse().unwrap(), "r1".parse().unwrap())]);
    for narrow in [reseller("p", "r1"), customer("p", "c1"), partner("q")] {
        assert!(store.resellers(&narrow).await.unwrap().is_empty(), "{narrow:?}");
    }
    assert!(store.import_customers(&reseller("p", "r1"), &[contoso], &[], at).await.is_err());
}

fn owner(subscription: &str, customer: &str, is_imported: bool) -> Owner {
    Owner {
        subscription_id: subscription.parse().unwrap(),
        customer_tenant_id: customer.parse().unwrap(),
        is_imported,
    }
}

pub async fn imported_subscriptions_win_over_records<S: Store>(store: Arc<S>) {
    let p = partner("p");
    let told = |id: &str, name: Option<&str>, customer: &str| CustomerSubscription {
        subscription_id: id.parse().unwrap(),
        name: name.map(str::to_owned),
        customer_tenant_id: customer.parse().unwrap(),
    };
    let record = |id: &str, name: &str, customer: &str| Subscription {
        subscription_id: id.parse().unwrap(),
        name: Some(name.to_owned()),
        customer_tenant_id: Some(customer.parse().unwrap()),
        customer_name: Some(format!("NAME OF {customer}")),
        reseller_tenant_id: None,
    };
    store.learn_subscriptions(&p, &[record("s1", "DEV", "c2")]).await.unwrap();
    let customers = [known("c1", Some("Contoso"), Some("r1")), known("c2", None, None)];
    let subscriptions = [told("s1", Some("Dev"), "c1"), told("s2", None, "c1"), told("s3", None, "nobody")];
    let import = async || store.import_customers(&p, &customers, &subscriptions, time(NOON)).await.unwrap();
    assert_eq!(import().await, CustomersImported { new: 2, changed: 0, unchanged: 0, subscriptions: 2 });
    assert_eq!(import().await, CustomersImported { unchanged: 2, ..CustomersImported::default() });

    // Records do not take a subscription away, and complete what the import left out.
    store.learn_subscriptions(&p, &[record("s1", "OTHER", "c2"), record("s2", "Test", "c1")]).await.unwrap();
    let entry = async |id: &str| {
        let entry = store.subscription(&p, &id.parse().unwrap()).await.unwrap().unwrap();
        let texts = [entry.name, entry.customer_tenant_id.map(|id| id.to_string()), entry.customer_name];
        (texts.map(Option::unwrap_or_default), entry.reseller_tenant_id.map(|id| id.to_string()))
    };
    let is = |texts: [&str; 3]| (texts.map(str::to_owned), Some("r1".to_owned()));
    assert_eq!(entry("s1").await, is(["Dev", "c1", "Contoso"]));
    assert_eq!(entry("s2").await, is(["Test", "c1", "Contoso"]));
    assert_eq!(store.subscription(&p, &"s3".parse().unwrap()).await.unwrap(), None, "of no known customer");
    let mut owners = store.owners(&p).await.unwrap();
    owners.sort();
    assert_eq!(owners, [owner("s1", "c1", true), owner("s2", "c1", true)]);

    // A later import moves it.
    store.import_customers(&p, &[], &[told("s1", None, "c2")], time(NOON)).await.unwrap();
    let moved = store.subscription(&p, &"s1".parse().unwrap()).await.unwrap().unwrap();
    assert_eq!(moved.customer_tenant_id, Some("c2".parse().unwrap()));
    assert_eq!(
        (moved.name.as_deref(), moved.customer_name, moved.reseller_tenant_id),
        (Some("Dev"), None, None)
    );
}

pub async fn customers_without_records_are_found<S: Store>(store: Arc<S>) {
    let (p, noon) = (partner("p"), time(NOON));
    let customers = ["c1", "c2", "c3", "c4"].map(|id| known(id, None, None));
    store.import_customers(&p, &customers, &[], noon).await.unwrap();
    let unread = Arrival { duplicates: 0, rejected: 3, ..arrival("activity", Some("c3"), NOON, 0) };
    let arrivals = [arrival("activity", Some("c1"), NOON, 1), arrival("cost", Some("c2"), NOON, 1), unread];
    store.note_arrivals(&p, &arrivals, noon).await.unwrap();
    let found = async |scope: Scope, has_records: bool, kind: Option<&str>, limit: Option<u64>| {
        let kind = kind.map(str::to_owned);
        let query = CustomerQuery { has_records: Some(has_records), kind, limit, after: None };
        let found = store.customers(&scope, &query).await.unwrap();
        assert!(found.iter().all(|entry| entry.has_records == has_records));
        found.iter().map(|entry| entry.customer.customer_tenant_id.to_string()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(found(p.clone(), false, None, None).await, "c3 c4", "what could not be read is no record");
    assert_eq!(found(p.clone(), true, None, None).await, "c1 c2");
    assert_eq!(found(p.clone(), false, Some("cost"), None).await, "c1 c3 c4");
    assert_eq!(found(p.clone(), false, Some("cost"), Some(2)).await, "c1 c3");
    assert_eq!(found(customer("p", "c4"), false, None, None).await, "c4");
    assert_eq!(found(partner("q"), false, None, None).await, "");
}

pub async fn an_ingest_key_is_found_by_its_hash_alone<S: Store>(store: Arc<S>) {
    let (p, noon) = (partner("p"), time(NOON));
    let key = |id: &str, customer: &str| IngestKey {
        id: id.to_owned(),
        partner_tenant_id: "p".parse().unwrap(),
        customer_tenant_id: customer.parse().unwrap(),
        name: Some("collector".to_owned()),
        kinds: vec!["activity".to_owned(), "flow".to_owned()],
        created_at: noon,
        expires_at: Some(noon + TimeDelta::days(1)),
        revoked_at: None,
        last_used_at: None,
    };
    store.add_ingest_key(&p, &key("1", "c1"), b"hash of 1").await.unwrap();
    store.add_ingest_key(&p, &key("2", "c2"), b"hash of 2").await.unwrap();
    assert_eq!(store.ingest_key(b"hash of 1").await.unwrap(), Some(key("1", "c1")));
    assert_eq!(store.ingest_key(b"hash of 3").await.unwrap(), None);
    assert_eq!(store.ingest_keys(&p).await.unwrap().len(), 2);
    assert_eq!(store.ingest_keys(&customer("p", "c2")).await.unwrap(), [key("2", "c2")]);
    assert!(store.ingest_keys(&reseller("p", "r1")).await.unwrap().is_empty());
    assert!(store.ingest_keys(&partner("q")).await.unwrap().is_empty());

    store.note_ingest_key_use(&p, "1", noon).await.unwrap();
    assert!(!store.revoke_ingest_key(&customer("p", "c2"), "1", noon).await.unwrap());
    assert!(store.revoke_ingest_key(&p, "1", noon).await.unwrap());
    assert!(store.revoke_ingest_key(&p, "1", noon + TimeDelta::days(1)).await.unwrap(), "again");
    let ended = store.ingest_key(b"hash of 1").await.unwrap().unwrap();
    assert_eq!((ended.revoked_at, ended.last_used_at, ended.holds(noon)), (Some(noon), Some(noon), false));
    let other = store.ingest_key(b"hash of 2").await.unwrap().unwrap();
    assert!(other.holds(noon) && !other.holds(noon + TimeDelta::days(1)));
    let refused = store.add_ingest_key(&customer("p", "c2"), &key("3", "c1"), b"hash of 3").await;
    assert!(matches!(refused, Err(StoreError::OutOfScope { .. })));
}

pub async fn a_notice_is_open_until_it_is_cleared<S: Store>(store: Arc<S>) {
    let (p, noon) = (partner("p"), time(NOON));
    let hour = TimeDelta::hours(1);
    let notice = |text: &str, at| Notice {
        kind: "silent_customer".to_owned(),
        subject: "c1".to_owned(),
        text: text.to_owned(),
        raised_at: at,
        cleared_at: None,
    };
    assert!(store.raise_notice(&p, &notice("quiet for a day", noon)).await.unwrap());
    assert!(!store.raise_notice(&p, &notice("quiet for two days", noon + hour)).await.unwrap());
    assert_eq!(store.notices(&p, false).await.unwrap(), [notice("quiet for two days", noon)]);
    assert!(store.clear_notice(&p, "silent_customer", "c1", noon + hour).await.unwrap());
    assert!(!store.clear_notice(&p, "silent_customer", "c1", noon + hour).await.unwrap());
    assert!(store.notices(&p, false).await.unwrap().is_empty());
    let over = Notice { cleared_at: Some(noon + hour), ..notice("quiet for two days", noon) };
    assert_eq!(store.notices(&p, true).await.unwrap(), [over]);
    assert!(store.raise_notice(&p, &notice("quiet again", noon + hour * 2)).await.unwrap());
    assert_eq!(store.notices(&p, true).await.unwrap(), [notice("quiet again", noon + hour * 2)]);
    assert!(store.notices(&customer("p", "c1"), true).await.unwrap().is_empty());
}
