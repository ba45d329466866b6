//! Money at risk, and prices.

use std::sync::Arc;

use alerts::money::{
    Amount, Basis, Currency, MachinePrice, MoneyAtRisk, Part, PriceSource, Priority, State, Total,
};
use alerts::{Status, StatusChange};
use chrono::{DateTime, TimeDelta, Utc};

use super::{customer, id, parsed, partner, put, reseller};
use crate::testing::{AlertBuilder, time};
use crate::{
    CurrencyTotal, ExpectedVersion, MoneyDue, MoneyNote, MoneyOrder, MoneyQuery, ObservedPrices, PriceQuery,
    Store, StoreError,
};

const NOON: &str = "2031-02-03T12:00:00Z";

fn code(text: &str) -> Currency {
    text.parse().unwrap()
}

fn units(units: i64) -> Amount {
    Amount::of_micros(units * 1_000_000)
}

/// Money in currencies, each with what it was so far, by the hour, and how much of these counts in sums.
fn money(totals: &[(&str, i64, i64, i64, i64)]) -> MoneyAtRisk {
    let total =
        |(currency, so_far, per_hour, counted_so_far, counted_per_hour): &(&str, i64, i64, i64, i64)| Total {
            currency: code(currency),
            so_far: units(*so_far),
            billed: Amount::ZERO,
            per_hour: units(*per_hour),
            counted_so_far: units(*counted_so_far),
            counted_per_hour: units(*counted_per_hour),
        };
    MoneyAtRisk {
        as_of: time(NOON),
        totals: totals.iter().map(total).collect(),
        parts: Vec::new(),
        more_parts: 0,
    }
}

fn note(alert: &str, version: u64, at: DateTime<Utc>, money: MoneyAtRisk) -> MoneyNote {
    MoneyNote { alert_id: id(alert), alert_version: version, is_open: true, reckoned_at: at, money }
}

/// An alert of customer `c1` or `c2`, of reseller `r` if it is `c1`, on the subscription of its first letter.
fn alert(name: &str, customer: &str, hours_old: i64) -> AlertBuilder {
    let seen = time(NOON) - TimeDelta::hours(hours_old);
    AlertBuilder::new("p", name).of(customer, (customer == "c1").then_some("r")).with(|body| {
        body.subscription_id = name[..1].parse().unwrap();
        body.detected_date_time = seen;
        body.first_observed_date_time = Some(seen);
        body.last_observed_date_time = Some(seen);
    })
}

async fn resolve<S: Store>(store: &S, alert: &str) {
    let change = StatusChange { to: Status::Resolved, reason: None };
    let any = ExpectedVersion::Any;
    store.change_status(&partner("p"), &id(alert), change, &any, "ann", time(NOON)).await.unwrap().unwrap();
}

/// The entries of a list: alert, currency, and the figure by which it is sorted.
async fn listed<S: Store>(store: &S, scope: &alerts::Scope, query: &MoneyQuery) -> String {
    let list = store.list_money(scope, query).await.unwrap();
    let words = list.iter().map(|entry| {
        let total = entry.money.totals.iter().find(|total| total.currency == entry.currency).unwrap();
        let figure = match query.order {
            MoneyOrder::PerHour => total.per_hour,
            MoneyOrder::SoFar => total.so_far,
        };
        format!("{} {}{figure}", parsed(&entry.body).id, entry.currency)
    });
    words.collect::<Vec<_>>().join(", ")
}

pub async fn alerts_are_listed_by_their_money_within_a_scope<S: Store>(store: Arc<S>) {
    let (p, noon) = (partner("p"), time(NOON));
    put(
        &*store,
        &[
            alert("s1", "c1", 5).build(),
            alert("s2", "c1", 4).build(),
            alert("t1", "c2", 3).build(),
            alert("t2", "c2", 2).build(),
        ],
    )
    .await;
    // Ten kronor are a dollar; of euros nothing is known.
    let worth = vec![(code("NOK"), Amount::of_micros(100_000)), (code("USD"), units(1))];
    store.observe_prices(&p, &ObservedPrices { prices: Vec::new(), worth }, noon).await.unwrap();
    let notes = [
        note("s1", 1, noon, money(&[("NOK", 500, 90, 500, 90)])),
        note("s2", 1, noon, money(&[("NOK", 300, 90, 0, 0), ("USD", 40, 3, 40, 3)])),
        note("t1", 1, noon - TimeDelta::minutes(3), money(&[("EUR", 20, 7, 20, 7)])),
        note("t2", 1, noon, money(&[])),
    ];
    store.note_money(&p, &notes).await.unwrap();
    store.note_money(&p, &notes).await.unwrap();

    let by = |order| MoneyQuery { order, ..MoneyQuery::default() };
    let (by_hour, by_sum) = (by(MoneyOrder::PerHour), by(MoneyOrder::SoFar));
    let all = "s1 NOK90.00, s2 NOK90.00, t1 EUR7.00, s2 USD3.00";
    assert_eq!(listed(&*store, &p, &by_hour).await, all, "by worth, then by the sum");
    assert_eq!(listed(&*store, &p, &by_sum).await, "s1 NOK500.00, s2 USD40.00, s2 NOK300.00, t1 EUR20.00");
    let in_dollars = MoneyQuery { currency: Some(code("USD")), ..by(MoneyOrder::PerHour) };
    assert_eq!(listed(&*store, &p, &in_dollars).await, "s2 USD3.00");
    for (scope, expected) in [
        (customer("p", "c2"), "t1 EUR7.00"),
        (reseller("p", "r"), "s1 NOK90.00, s2 NOK90.00, s2 USD3.00"),
        (customer("p", "c3"), ""),
        (partner("q"), ""),
    ] {
        assert_eq!(listed(&*store, &scope, &by_hour).await, expected, "{scope:?}");
    }

    // Page by page.
    let (mut pages, mut after) = (Vec::new(), None);
    loop {
        let query = MoneyQuery { after: after.take(), limit: Some(1), ..by(MoneyOrder::PerHour) };
        let Some(last) = store.list_money(&p, &query).await.unwrap().pop() else { break };
        pages.push(listed(&*store, &p, &query).await);
        after = Some(last.position);
    }
    assert_eq!(pages.join(", "), all);

    let total = |currency, so_far, per_hour, alerts| CurrencyTotal {
        currency: code(currency),
        so_far: units(so_far),
        per_hour: units(per_hour),
        alerts,
    };
    let totals = store.money_totals(&p).await.unwrap();
    assert_eq!(totals.currencies, [total("EUR", 20, 7, 1), total("NOK", 500, 90, 2), total("USD", 40, 3, 1)]);
    assert_eq!((totals.unpriced_alerts, totals.oldest_reckoned_at), (0, Some(noon - TimeDelta::minutes(3))));
    let of_customer = store.money_totals(&customer("p", "c2")).await.unwrap();
    assert_eq!(of_customer.currencies, [total("EUR", 20, 7, 1)]);
    assert!(store.money_totals(&partner("q")).await.unwrap().currencies.is_empty());

    // What is resolved leaves list and sums at once, and keeps its figures.
    resolve(&*store, "s1").await;
    assert_eq!(listed(&*store, &p, &by_hour).await, "s2 NOK90.00, t1 EUR7.00, s2 USD3.00");
    assert_eq!(store.money_totals(&p).await.unwrap().currencies[1], total("NOK", 0, 0, 1));
    assert_eq!(store.money_at_risk(&p, &id("s1")).await.unwrap(), Some(notes[0].money.clone()));
}

pub async fn what_an_alert_costs_is_shown_to_whom_it_is_of<S: Store>(store: Arc<S>) {
    let (p, noon) = (partner("p"), time(NOON));
    put(&*store, &[alert("s1", "c1", 5).build()]).await;
    assert_eq!(store.money_at_risk(&p, &id("s1")).await.unwrap(), None, "never reckoned");
    let mut known = money(&[("EUR", 2, 1, 2, 1)]);
    let part = Part {
        resource: "/subscriptions/s/vm".to_owned(),
        machines: "1 × odd".to_owned(),
        state: State::Running,
        from: noon,
        until: None,
        currency: None,
        so_far: Amount::ZERO,
        billed: Amount::ZERO,
        per_hour: Amount::ZERO,
        basis: vec![Basis::Observed],
    };
    known.parts.push(part);
    store.note_money(&p, &[note("s1", 1, noon, known.clone())]).await.unwrap();
    for (scope, expected) in [
        (p.clone(), Some(&known)),
        (customer("p", "c1"), Some(&known)),
        (reseller("p", "r"), Some(&known)),
        (customer("p", "c2"), None),
        (reseller("p", "other"), None),
        (partner("q"), None),
    ] {
        assert_eq!(store.money_at_risk(&scope, &id("s1")).await.unwrap().as_ref(), expected, "{scope:?}");
    }
    assert_eq!(store.money_totals(&p).await.unwrap().unpriced_alerts, 1);
    let refused = store.note_money(&customer("p", "c1"), &[note("s1", 1, noon, known)]).await;
    assert!(matches!(refused, Err(StoreError::OutOfScope { .. })));
}

pub async fn alerts_are_due_by_their_age_and_when_they_change<S: Store>(store: Arc<S>) {
    let (p, noon) = (partner("p"), time(NOON));
    put(
        &*store,
        &[
            alert("a1", "c1", 1).build(),
            alert("a2", "c1", 2).build(),
            alert("b1", "c1", 100).build(),
            alert("d1", "c1", 1_000).build(),
            alert("n1", "c1", 1).with(|body| body.subscription_id = super::nil()).build(),
        ],
    )
    .await;
    let due = async |minutes: i64, subscriptions: u32| {
        let due = MoneyDue {
            now: noon + TimeDelta::minutes(minutes),
            ages: [(TimeDelta::days(3), TimeDelta::minutes(5)), (TimeDelta::days(14), TimeDelta::hours(1))],
            oldest_every: TimeDelta::days(1),
            subscriptions,
        };
        let found = store.money_due(&p, &due).await.unwrap();
        found.iter().map(|due| parsed(&due.body).id.to_string()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(
        due(0, 10).await,
        "a2 a1 b1 d1",
        "of a subscription the oldest first; a tenant's alert is none"
    );
    assert_eq!(due(0, 1).await, "a2 a1", "those of the latest evidence first");
    let reckon = async |alerts: &[(&str, u64)]| {
        let notes: Vec<_> =
            alerts.iter().map(|(alert, version)| note(alert, *version, noon, money(&[]))).collect();
        store.note_money(&p, &notes).await.unwrap();
    };
    reckon(&[("a1", 1), ("a2", 1), ("b1", 1), ("d1", 1)]).await;
    assert_eq!(due(5, 10).await, "");
    assert_eq!(due(6, 10).await, "a2 a1");
    assert_eq!(due(61, 10).await, "a2 a1 b1");
    assert_eq!(due(24 * 60 + 1, 10).await, "a2 a1 b1 d1");

    // One that was resolved is reckoned a last time, with those that are left.
    resolve(&*store, "a2").await;
    assert_eq!(due(0, 10).await, "a2 a1");
    let closed = MoneyNote { is_open: false, ..note("a2", 2, noon, money(&[])) };
    store.note_money(&p, &[closed]).await.unwrap();
    reckon(&[("a1", 1)]).await;
    assert_eq!(due(0, 10).await, "");
    assert_eq!(due(6, 10).await, "a1");

    let everything = MoneyDue {
        now: noon,
        ages: [(TimeDelta::zero(), TimeDelta::zero()); 2],
        oldest_every: TimeDelta::zero(),
        subscriptions: 9,
    };
    for narrower in [customer("p", "c1"), reseller("p", "r"), partner("q")] {
        assert_eq!(store.money_due(&narrower, &everything).await.unwrap(), []);
    }
}

pub async fn prices_are_observed_and_imported<S: Store>(store: Arc<S>) {
    let (p, noon) = (partner("p"), time(NOON));
    let price = |source, size: &str, region: &str, micros| MachinePrice {
        source,
        currency: code("EUR"),
        size: size.to_owned(),
        region: region.to_owned(),
        priority: Priority::Spot,
        per_hour: Amount::of_micros(micros),
        lines: u64::from(source == PriceSource::Observed) * 7,
    };
    use PriceSource::{Observed, RateCard};
    assert_eq!(store.prices_observed_at(&p).await.unwrap(), None);
    let observe = async |prices: Vec<MachinePrice>| {
        let observed = ObservedPrices { prices, worth: vec![(code("EUR"), units(1))] };
        store.observe_prices(&p, &observed, noon).await.unwrap();
    };
    observe(vec![price(Observed, "standard_a", "r1", 1), price(Observed, "standard_b", "r1", 2)]).await;
    observe(vec![price(Observed, "standard_b", "", 3)]).await;
    assert_eq!(store.prices_observed_at(&p).await.unwrap(), Some(noon));
    store.import_prices(&p, &[price(RateCard, "standard_a", "r1", 4)], noon).await.unwrap();
    let newer = [price(RateCard, "standard_a", "r1", 5), price(RateCard, "standard_a", "r2", 6)];
    store.import_prices(&p, &newer, noon).await.unwrap();

    let all = PriceQuery::default();
    let expected = [price(Observed, "standard_b", "", 3), newer[0].clone(), newer[1].clone()];
    assert_eq!(
        store.prices(&p, &all).await.unwrap(),
        expected,
        "bills in place of bills, a card price by price"
    );
    let some = PriceQuery { sizes: Some(vec!["standard_b".to_owned(), "other".to_owned()]), ..all.clone() };
    assert_eq!(store.prices(&p, &some).await.unwrap(), &expected[..1]);
    let first = PriceQuery { source: Some(RateCard), limit: Some(1), ..all.clone() };
    assert_eq!(store.prices(&p, &first).await.unwrap(), &newer[..1]);
    assert_eq!(store.prices(&p, &PriceQuery { sizes: Some(Vec::new()), ..all.clone() }).await.unwrap(), []);
    for narrower in [customer("p", "c1"), reseller("p", "r"), partner("q")] {
        assert_eq!(store.prices(&narrower, &all).await.unwrap(), [], "{narrower:?}");
    }
    let refused = store.import_prices(&customer("p", "c1"), &newer, noon).await;
    assert!(matches!(refused, Err(StoreError::OutOfScope { .. })));
    assert_eq!(store.forget_prices(&p, RateCard).await.unwrap(), 2);
    assert_eq!(store.prices(&p, &all).await.unwrap(), &expected[..1]);
}
