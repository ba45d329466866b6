//! Partner Center's fraud events, the interface before Graph's: the same alerts in other words.
//!
//! Two calls: list events, and change the status of some or all events of a subscription. Microsoft's
//! pages leave gaps; what is chosen in them is in `docs/partner-center.md`.

mod event;
mod request;

use std::collections::HashMap;

use alerts::{AlertId, PartnerSecurityAlert, Scope, Status, SubscriptionId};
use chrono::{DateTime, Utc};
use odata::checked::{Comparison, Direction, Filter, Literal, Operand, PropertyPath, Root, SortKey};
use odata::model::Type;
use serde_json::{Map, Value};
use store::{AlertQuery, ExpectedVersion, Store, StoreError, Subscription};

pub use event::EventsModel;
pub(crate) use event::status as status_name;
use request::{EventChange, EventPage, EventQuery};

/// How many events a reply holds at most: about 20 MB. The old model has no pages, and to cut it short
/// would hide alerts.
pub(crate) const EVENTS_MAX: usize = 10_000;

/// What can go wrong with fraud events. Knows nothing of HTTP.
#[derive(Debug, thiserror::Error)]
pub enum FraudEventError {
    /// The query or the body is wrong.
    #[error("{0}")]
    Request(String),
    /// The subscription has no such event in the caller's scope.
    #[error("Subscription '{subscription_id}' has no event '{event_id}'.")]
    NotFound {
        /// The subscription.
        subscription_id: SubscriptionId,
        /// The event.
        event_id: AlertId,
    },
    /// There are more events than a reply holds.
    #[error(
        "There are more than {EVENTS_MAX} such events. Ask for those of one SubscriptionId or EventStatus, or page with X-NewEventsModel: true, PageSize and PageNumber."
    )]
    TooMany,
    /// The store failed.
    #[error("the alert store failed")]
    Store(#[from] StoreError),
}

/// The events that the raw query string asks for, the newest first.
///
/// # Errors
///
/// [`FraudEventError::Request`] that names the parameter; [`FraudEventError::TooMany`].
pub async fn list(
    store: &dyn Store,
    scope: &Scope,
    raw_query: &str,
    model: EventsModel,
) -> Result<Vec<Value>, FraudEventError> {
    let query = EventQuery::read(raw_query, model)?;
    let filters = [
        query.subscription_id.as_ref().map(|id| equals("subscriptionId", text(id.as_str()))),
        query.status.map(is_status),
        query.event_type.as_deref().map(|event_type| {
            Filter::In(property("alertType"), event::alert_types(event_type).into_iter().map(text).collect())
        }),
    ];
    let filter = filters.into_iter().flatten().reduce(|a, b| Filter::And(Box::new(a), Box::new(b)));
    let alerts = match query.page {
        Some(page) => alerts_on(store, scope, filter, page).await?,
        None => all_alerts(store, scope, filter).await?,
    };
    shown(store, scope, alerts, model).await
}

/// Changes events of a subscription in the name of `by`; gives all that were meant, as they are now.
///
/// Each event is changed for itself. Where the call means all events of the subscription, those that
/// have the status already are left alone, with the reason that they have.
///
/// # Errors
///
/// [`FraudEventError::Request`] that names the property; [`FraudEventError::NotFound`] if an event is not
/// one of the subscription, and then none is changed.
pub async fn update(
    store: &dyn Store,
    scope: &Scope,
    update: &EventUpdate<'_>,
) -> Result<Vec<Value>, FraudEventError> {
    let subscription_id = request::subscription_id(update.subscription_id)?;
    let EventChange { ids, change } = EventChange::read(update.body)?;
    let meant = if ids.is_empty() {
        all_alerts(store, scope, Some(equals("subscriptionId", text(subscription_id.as_str())))).await?
    } else {
        named_alerts(store, scope, &subscription_id, &ids).await?
    };
    let mut changed = Vec::with_capacity(meant.len());
    for alert in meant {
        if ids.is_empty() && alert.status == change.to {
            changed.push(alert);
            continue;
        }
        let done = store
            .change_status(scope, &alert.id, change, &ExpectedVersion::Any, update.by, update.at)
            .await?;
        // An alert that is gone by now has nothing to show.
        if let Some(done) = done {
            changed.push(read(&done.body.json)?);
        }
    }
    shown(store, scope, changed, update.model).await
}

/// A request to change events.
#[derive(Debug, Clone, Copy)]
pub struct EventUpdate<'a> {
    /// The subscription, as the path has it.
    pub subscription_id: &'a str,
    /// The body.
    pub body: &'a Map<String, Value>,
    /// In whose name.
    pub by: &'a str,
    /// When.
    pub at: DateTime<Utc>,
    /// In which shape to reply.
    pub model: EventsModel,
}

async fn alerts_on(
    store: &dyn Store,
    scope: &Scope,
    filter: Option<Filter>,
    page: EventPage,
) -> Result<Vec<PartnerSecurityAlert>, FraudEventError> {
    let skip = (page.number - 1).saturating_mul(page.size as u64);
    let found = store.list_alerts(scope, &newest(filter, page.size, skip)).await?;
    found.alerts.iter().map(|alert| Ok(read(&alert.json)?)).collect()
}

async fn all_alerts(
    store: &dyn Store,
    scope: &Scope,
    filter: Option<Filter>,
) -> Result<Vec<PartnerSecurityAlert>, FraudEventError> {
    let found = store.list_alerts(scope, &newest(filter, EVENTS_MAX, 0)).await?;
    if found.next.is_some() {
        return Err(FraudEventError::TooMany);
    }
    found.alerts.iter().map(|alert| Ok(read(&alert.json)?)).collect()
}

async fn named_alerts(
    store: &dyn Store,
    scope: &Scope,
    subscription_id: &SubscriptionId,
    ids: &[AlertId],
) -> Result<Vec<PartnerSecurityAlert>, FraudEventError> {
    let mut alerts: Vec<PartnerSecurityAlert> = Vec::with_capacity(ids.len());
    for id in ids {
        if alerts.iter().any(|known| known.id == *id) {
            continue;
        }
        let alert = match store.alert(scope, id).await? {
            Some(alert) => Some(read(&alert.json)?),
            None => None,
        };
        let alert = alert.filter(|alert| alert.subscription_id == *subscription_id);
        alerts.push(alert.ok_or_else(|| FraudEventError::NotFound {
            subscription_id: subscription_id.clone(),
            event_id: id.clone(),
        })?);
    }
    Ok(alerts)
}

/// Writes alerts as events, with the names that the directory knows.
async fn shown(
    store: &dyn Store,
    scope: &Scope,
    alerts: Vec<PartnerSecurityAlert>,
    model: EventsModel,
) -> Result<Vec<Value>, FraudEventError> {
    let mut directory: HashMap<SubscriptionId, Option<Subscription>> = HashMap::new();
    let mut events = Vec::with_capacity(alerts.len());
    for alert in alerts {
        let id = &alert.subscription_id;
        if !directory.contains_key(id) {
            directory.insert(id.clone(), store.subscription(scope, id).await?);
        }
        let known = directory.get(id).and_then(Option::as_ref);
        events.push(event::event(&alert, scope.partner(), known, model));
    }
    Ok(events)
}

fn newest(filter: Option<Filter>, limit: usize, skip: u64) -> AlertQuery {
    let by = property("detectedDateTime");
    AlertQuery {
        filter,
        search: None,
        order: vec![SortKey { by, direction: Direction::Descending }],
        limit,
        skip,
        after: None,
    }
}

fn is_status(status: Status) -> Filter {
    let path = path("status");
    let literal = match path.ty {
        Type::Enum(members) => {
            let index = members.members.iter().position(|member| *member == status.as_str());
            index.map_or(Literal::Null, |index| Literal::Enum(members, index))
        }
        _ => text(status.as_str()),
    };
    Filter::Compare(Operand::Property(path), Comparison::Eq, Operand::Literal(literal))
}

fn equals(name: &str, literal: Literal) -> Filter {
    Filter::Compare(property(name), Comparison::Eq, Operand::Literal(literal))
}

fn property(name: &str) -> Operand {
    Operand::Property(path(name))
}

fn path(name: &str) -> PropertyPath {
    let declared = store::alert_model().property(name).expect("the alert has the properties named here");
    PropertyPath {
        root: Root::Entity,
        segments: vec![name.to_owned()],
        ty: declared.ty,
        nullable: declared.nullable,
    }
}

fn text(text: &str) -> Literal {
    Literal::String(text.to_owned())
}

fn read(json: &str) -> Result<PartnerSecurityAlert, StoreError> {
    serde_json::from_str(json).map_err(|error| StoreError::Damaged { what: format!("an alert: {error}") })
}
