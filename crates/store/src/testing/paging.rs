//! Following the pages of a list while others write.
//!
//! Pages are parts of a list that changes while it is read, so an alert whose sort keys change meanwhile
//! may come at both places, or at none. So may one that changes at all, if the order asks when alerts were
//! changed: what is changed at that moment is left out. Every other alert comes once.

use std::cmp::Ordering;

use alerts::{Alert, Scope, Status, StatusChange};
use odata::checked::{Direction, SortKey};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::Value;
use tokio::runtime::Runtime;

use super::properties::{bodies, check, filled, fresh_partner, id, parsed};
use super::{generate, in_order, sort_key, time};
use crate::sql::reads;
use crate::{AlertQuery, ExpectedVersion, Store};

/// A list that is read page by page, and what others write meanwhile.
#[derive(Debug)]
pub struct Race {
    /// The alerts at first.
    alerts: Vec<Alert>,
    order: Vec<SortKey>,
    limit: usize,
    /// What is written after each page, before the next one is asked for.
    between: Vec<Vec<Write>>,
    /// What two others write at the same time.
    meanwhile: [Vec<Write>; 2],
}

impl Race {
    /// The first page.
    fn query(&self) -> AlertQuery {
        let (order, limit) = (self.order.clone(), self.limit);
        AlertQuery { filter: None, search: None, order, limit, skip: 0, after: None }
    }
}

/// What another writes.
#[derive(Debug, Clone)]
enum Write {
    /// Moves one of the alerts that were there at first, counted around, to another status.
    Status(usize, Status),
    /// Brings a new alert, whose id begins so, to stand anywhere among the others.
    Insert(String, Box<Alert>),
}

/// [`pages_give_steady_alerts_once`] for so many random cases.
///
/// # Panics
///
/// If they do not; shows the smallest case that was found.
pub fn pages_are_whole_while_others_write<S: Store>(runtime: &Runtime, store: &S, cases: u32) {
    check(cases, &race(), |race| runtime.block_on(pages_give_steady_alerts_once(store, &race)));
}

fn race() -> impl Strategy<Value = Race> {
    (
        generate::alerts("p".to_owned(), 16),
        order(),
        1_usize..8,
        vec(vec(write(), 0..3), 0..8),
        [vec(write(), 0..6), vec(write(), 0..6)],
    )
        .prop_map(|(alerts, order, limit, between, meanwhile)| Race {
            alerts,
            order,
            limit,
            between,
            meanwhile,
        })
}

/// Any order; often one by what a change of status changes.
fn order() -> impl Strategy<Value = Vec<SortKey>> {
    let changing = vec!["status", "resolvedBy", "resolvedOnDateTime", "lastModifiedDateTime"];
    let direction = select(vec![Direction::Ascending, Direction::Descending]);
    let by_changing = (select(changing), direction).prop_map(|(name, way)| sort_key(name, way));
    let by_changing = (by_changing, generate::order())
        .prop_map(|(first, others)| [first].into_iter().chain(others).take(3).collect());
    prop_oneof![2 => generate::order(), 1 => by_changing]
}

fn write() -> impl Strategy<Value = Write> {
    let to = select(vec![Status::Active, Status::Investigating, Status::Resolved]);
    let new = generate::alerts("p".to_owned(), 1).prop_filter_map("one alert", |mut one| one.pop());
    prop_oneof![
        3 => (0_usize..16, to).prop_map(|(index, to)| Write::Status(index, to)),
        1 => ("[0-2]-[0-9]{1,6}", new).prop_map(|(prefix, alert)| Write::Insert(prefix, Box::new(alert))),
    ]
}

/// Following the pages while others write gives every alert once that was there at first and whose sort
/// keys stay, no new alert twice, and all in order.
///
/// # Panics
///
/// If it does not.
pub async fn pages_give_steady_alerts_once<S: Store>(store: &S, race: &Race) {
    // A case that shrinks must not find the alerts of its larger forms.
    let partner = fresh_partner();
    let alerts: Vec<Alert> = race.alerts.iter().map(|alert| owned(alert, &partner)).collect();
    let Some(scope) = filled(store, &alerts).await else { return };
    let first = bodies(store, &scope).await;
    let writer = |name| Writer { store, scope: &scope, first: &first, name, versions: Vec::new() };
    let [one, other] = &race.meanwhile;
    let ((found, here), one, other) = futures::join!(
        read(race, writer("between")),
        writer("one").write_all(one),
        writer("other").write_all(other),
    );
    let versions = [here, one, other].concat();

    let order = &race.order;
    let is_in_order = found.windows(2).all(|pair| in_order(order, &pair[0], &pair[1]) == Ordering::Less);
    assert!(is_in_order, "{order:?}: {:?}", found.iter().map(id).collect::<Vec<_>>());
    let asks_for_changes = reads::query_reads(&race.query(), "modified_at");
    let is_steady = |alert: &Value| {
        let mut own = versions.iter().filter(|version| version["id"] == alert["id"]);
        own.all(|version| !asks_for_changes && in_order(order, alert, version) == Ordering::Equal)
    };
    let count = |alert: &Value| found.iter().filter(|body| body["id"] == alert["id"]).count();
    for alert in first.iter().filter(|alert| is_steady(alert)) {
        assert_eq!(count(alert), 1, "{} by {order:?}", id(alert));
    }
    let is_new = |alert: &&Value| first.iter().all(|known| known["id"] != alert["id"]);
    for alert in found.iter().filter(is_new) {
        assert_eq!(count(alert), 1, "{}, which is new, by {order:?}", id(alert));
    }
}

/// Follows the pages to the last; gives the alerts as they were shown, and as they were written between.
async fn read<S: Store>(race: &Race, mut between: Writer<'_, S>) -> (Vec<Value>, Vec<Value>) {
    let mut writes = race.between.iter();
    let mut query = race.query();
    let mut found = Vec::new();
    loop {
        let page = between.store.list_alerts(between.scope, &query).await;
        let page = page.expect("an order over properties is answered");
        assert!(page.alerts.len() <= race.limit);
        found.extend(page.alerts.iter().map(parsed));
        query.after = page.next;
        if query.after.is_none() {
            return (found, between.versions);
        }
        for write in writes.next().into_iter().flatten() {
            between.write(write).await;
        }
    }
}

fn owned(alert: &Alert, partner: &str) -> Alert {
    Alert { partner_tenant_id: partner.parse().expect("a partner tenant id"), ..alert.clone() }
}

/// One who writes.
struct Writer<'a, S> {
    store: &'a S,
    scope: &'a Scope,
    /// The alerts that were there at first.
    first: &'a [Value],
    name: &'static str,
    /// The alerts that were changed, as they were after each change.
    versions: Vec<Value>,
}

impl<S: Store> Writer<'_, S> {
    async fn write_all(mut self, writes: &[Write]) -> Vec<Value> {
        for write in writes {
            self.write(write).await;
        }
        self.versions
    }

    async fn write(&mut self, write: &Write) {
        let now = time("2031-02-03T05:00:00Z");
        match write {
            Write::Status(index, to) => {
                let id = id(&self.first[index % self.first.len()]).parse().expect("an alert id");
                let change = StatusChange { to: *to, reason: None };
                let any = ExpectedVersion::Any;
                let changed = self.store.change_status(self.scope, &id, change, &any, self.name, now).await;
                let changed = changed.expect("the status can be set").expect("the alert is there");
                self.versions.push(parsed(&changed.body));
            }
            Write::Insert(prefix, alert) => {
                let mut alert = owned(alert, self.scope.partner().as_str());
                alert.body.id = format!("{prefix}-{}", self.name).parse().expect("an alert id");
                let imported = self.store.import_alerts(self.scope, &[alert], now).await;
                imported.expect("alerts of the scope can be imported");
            }
        }
    }
}
