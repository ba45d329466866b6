//! The tests that every store must pass, each on a store of its own. [`crate::store_suite`] lists them.
#![expect(missing_docs, reason = "each test is named for the sentence that it shows")]
#![expect(clippy::missing_panics_doc, clippy::unwrap_used, reason = "tests fail by panicking")]

mod changes;
mod directory;
mod facts;
mod feed;
mod findings;
mod imports;
mod lists;
mod money;
mod scopes;
mod searches;
mod sources;
mod subscriptions;
mod tuning;
mod user_filters;
mod webhooks;

pub use changes::*;
pub use directory::*;
pub use facts::*;
pub use feed::*;
pub use findings::*;
pub use imports::*;
pub use lists::*;
pub use money::*;
pub use scopes::*;
pub use searches::*;
pub use sources::*;
pub use subscriptions::*;
pub use tuning::*;
pub use user_filters::*;
pub use webhooks::*;

use alerts::{Alert, AlertId, PartnerSecurityAlert, Scope, SubscriptionId};
use chrono::{DateTime, Utc};
use odata::checked::{Filter, SortKey};

use crate::testing::time;
use crate::{AlertBody, AlertQuery, Store};

pub(super) fn partner(partner: &str) -> Scope {
    Scope::Partner(partner.parse().unwrap())
}

pub(super) fn reseller(partner: &str, reseller: &str) -> Scope {
    Scope::Reseller(partner.parse().unwrap(), reseller.parse().unwrap())
}

pub(super) fn customer(partner: &str, customer: &str) -> Scope {
    Scope::Customer(partner.parse().unwrap(), customer.parse().unwrap())
}

pub(super) fn id(text: &str) -> AlertId {
    text.parse().unwrap()
}

/// The subscription of an alert that is about a tenant.
pub(super) fn nil() -> SubscriptionId {
    SubscriptionId::NONE.parse().unwrap()
}

/// A query for everything that the filter leaves, in that order.
pub(super) fn query(filter: Option<Filter>, order: Vec<SortKey>) -> AlertQuery {
    AlertQuery { filter, search: None, order, limit: 1_000, skip: 0, after: None }
}

/// The ids that a query gives, with spaces between them.
pub(super) async fn ids<S: Store>(store: &S, scope: &Scope, query: &AlertQuery) -> String {
    let page = store.list_alerts(scope, query).await.unwrap();
    page.alerts.iter().map(|body| parsed(body).id.to_string()).collect::<Vec<_>>().join(" ")
}

/// When tests import alerts: after they were detected.
pub(super) fn import_time() -> DateTime<Utc> {
    time("2031-02-03T04:30:00Z")
}

/// Imports alerts, all of one partner.
pub(super) async fn put<S: Store>(store: &S, alerts: &[Alert]) {
    let scope = Scope::Partner(alerts[0].partner_tenant_id.clone());
    let imported = store.import_alerts(&scope, alerts, import_time()).await.unwrap();
    assert_eq!(imported.added, alerts.len());
}

/// The alert as the scope sees it.
pub(super) async fn seen<S: Store>(store: &S, scope: &Scope, alert: &str) -> Option<PartnerSecurityAlert> {
    store.alert(scope, &id(alert)).await.unwrap().map(|body| parsed(&body))
}

pub(super) fn parsed(body: &AlertBody) -> PartnerSecurityAlert {
    serde_json::from_str(&body.json).unwrap()
}
