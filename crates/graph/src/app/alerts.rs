//! What callers do with alerts: list, count, look at one, change its status.

use std::sync::LazyLock;

use alerts::{AlertId, LifecycleError, ResolvedReason, Scope, Status, StatusChange};
use chrono::{DateTime, Utc};
use odata::{Limits, Model, QueryError, QueryOption, QueryOptions, Selection};
use serde_json::{Map, Value};
use store::{AlertQuery, ExpectedVersion, Store, StoreError};

/// How many alerts a page holds if the caller does not say.
const PAGE_SIZE: u32 = 100;

/// The properties that an update may change; Microsoft documents these two.
const STATUS: &str = "status";
const RESOLVED_REASON: &str = "resolvedReason";

/// What alerts can be asked.
static MODEL: LazyLock<Model> = LazyLock::new(|| Model {
    entity: store::alert_model(),
    default_orderby: "detectedDateTime desc",
    // Microsoft's overview page writes the plural; everything else has the singular.
    namespace_aliases: &[("microsoft.graph.partners.security", "microsoft.graph.partner.security")],
});

static LIMITS: LazyLock<Limits> = LazyLock::new(Limits::default);

/// What can go wrong when a caller works on alerts. Knows nothing of HTTP.
#[derive(Debug, thiserror::Error)]
pub enum AlertError {
    /// No such alert in the caller's scope. An alert of somebody else reads the same, on purpose.
    #[error("Alert '{0}' does not exist.")]
    NotFound(String),
    /// The query is wrong.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// The change is wrong.
    #[error(transparent)]
    Change(#[from] ChangeError),
    /// The query asks for something that the store cannot do.
    #[error("{0}")]
    Unsupported(String),
    /// The store failed.
    #[error("the alert store failed")]
    Store(#[source] StoreError),
}

/// What can be wrong with a change.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChangeError {
    /// The status is missing.
    #[error("Property 'status' is required; set it to active, investigating or resolved.")]
    StatusMissing,
    /// A value is of the wrong type.
    #[error("Property '{property}' must be a string, not {found}.")]
    NotAString {
        /// The property.
        property: &'static str,
        /// What was sent instead.
        found: String,
    },
    /// A value is no member of its enumeration.
    #[error("Property '{property}': {cause}.")]
    NotAMember {
        /// The property.
        property: &'static str,
        /// Which member, and which are allowed.
        cause: alerts::UnknownMember,
    },
    /// The alert has no such property.
    #[error("Property '{0}' does not exist on microsoft.graph.partner.security.partnerSecurityAlert.")]
    UnknownProperty(String),
    /// The property is not for callers to change.
    #[error("Property '{0}' cannot be changed; only status and resolvedReason can.")]
    ReadOnly(String),
    /// The change contradicts itself.
    #[error("{0}.")]
    Lifecycle(#[from] LifecycleError),
}

impl From<StoreError> for AlertError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Lifecycle(error) => Self::Change(error.into()),
            StoreError::Unsupported(what) => Self::Unsupported(what),
            other => Self::Store(other),
        }
    }
}

/// One page of alerts.
#[derive(Debug)]
pub struct AlertList {
    /// The stored JSON of each alert, whole.
    pub alerts: Vec<String>,
    /// Which properties to show; all if `None`.
    pub selection: Option<Selection>,
    /// How many alerts the filter leaves, if the caller asked.
    pub count: Option<u64>,
    /// The query string of the next page; `None` on the last.
    pub next_query: Option<String>,
}

/// One alert.
#[derive(Debug)]
pub struct AlertReply {
    /// The stored JSON, whole.
    pub body: String,
    /// Which properties to show; all if `None`.
    pub selection: Option<Selection>,
}

/// Lists alerts by the raw query string of the request.
///
/// # Errors
///
/// [`AlertError::Query`] with option, position and token; [`AlertError::Store`].
pub async fn list(store: &dyn Store, scope: &Scope, raw_query: &str) -> Result<AlertList, AlertError> {
    let options = QueryOptions::parse(raw_query)?;
    let query = options.check(&MODEL, &LIMITS)?;
    let count = match query.count {
        true => Some(store.count_alerts(scope, query.filter.as_ref(), None).await?),
        false => None,
    };
    let selection = query.select.clone();
    let limit = query.top.unwrap_or(PAGE_SIZE) as usize;
    if limit == 0 {
        return Ok(AlertList { alerts: Vec::new(), selection, count, next_query: None });
    }
    let page = store
        .list_alerts(
            scope,
            &AlertQuery {
                filter: query.filter.clone(),
                search: None,
                order: query.order.clone(),
                limit,
                skip: query.skip,
                after: query.after.clone(),
            },
        )
        .await?;
    let next_query = match page.next {
        Some(next) => Some(options.next_link_query(&query.page_token(&next, &LIMITS)?)),
        None => None,
    };
    Ok(AlertList {
        alerts: page.alerts.into_iter().map(|alert| alert.json).collect(),
        selection,
        count,
        next_query,
    })
}

/// Counts alerts by the raw query string of the request; only a filter makes sense there.
///
/// # Errors
///
/// As [`list`].
pub async fn count(store: &dyn Store, scope: &Scope, raw_query: &str) -> Result<u64, AlertError> {
    let options = QueryOptions::parse(raw_query)?;
    options.allow_only(&[QueryOption::Filter])?;
    let query = options.check(&MODEL, &LIMITS)?;
    Ok(store.count_alerts(scope, query.filter.as_ref(), None).await?)
}

/// One alert.
///
/// # Errors
///
/// [`AlertError::NotFound`] if the scope has no such alert; [`AlertError::Query`].
pub async fn show(
    store: &dyn Store,
    scope: &Scope,
    id: &str,
    raw_query: &str,
) -> Result<AlertReply, AlertError> {
    let selection = QueryOptions::parse(raw_query)?.check_for_entity(&MODEL, &LIMITS)?;
    let body = stored(store, scope, &known_id(id)?).await?;
    Ok(AlertReply { body, selection })
}

/// Changes the status of an alert in the name of `by`.
///
/// Clients send whole alerts back, so a property that cannot be changed may stand in the body with the
/// value that it has.
///
/// # Errors
///
/// [`AlertError::Change`] that names the property; [`AlertError::NotFound`]; [`AlertError::Query`].
pub async fn update(
    store: &dyn Store,
    scope: &Scope,
    id: &str,
    raw_query: &str,
    properties: &Map<String, Value>,
    by: &str,
    now: DateTime<Utc>,
) -> Result<AlertReply, AlertError> {
    let selection = QueryOptions::parse(raw_query)?.check_for_entity(&MODEL, &LIMITS)?;
    let id = known_id(id)?;
    let change = status_change(properties)?;
    let others: Vec<_> = properties.iter().filter(|(name, _)| !is_writable(name)).collect();
    if !others.is_empty() {
        let current: Map<String, Value> = serde_json::from_str(&stored(store, scope, &id).await?)
            .map_err(|error| StoreError::Damaged { what: format!("alert {id}: {error}") })?;
        others.into_iter().try_for_each(|(name, value)| check_unchanged(&current, name, value))?;
    }
    match store.change_status(scope, &id, change, &ExpectedVersion::Any, by, now).await? {
        Some(changed) => Ok(AlertReply { body: changed.body.json, selection }),
        None => Err(AlertError::NotFound(id.to_string())),
    }
}

fn is_writable(name: &str) -> bool {
    name == STATUS || name == RESOLVED_REASON
}

/// A text that cannot be an id is one that no alert has.
fn known_id(id: &str) -> Result<AlertId, AlertError> {
    id.parse().map_err(|_| AlertError::NotFound(id.chars().take(200).filter(|c| !c.is_control()).collect()))
}

async fn stored(store: &dyn Store, scope: &Scope, id: &AlertId) -> Result<String, AlertError> {
    store.alert(scope, id).await?.map(|alert| alert.json).ok_or_else(|| AlertError::NotFound(id.to_string()))
}

fn status_change(properties: &Map<String, Value>) -> Result<StatusChange, ChangeError> {
    let to = text(properties, STATUS)?
        .ok_or(ChangeError::StatusMissing)?
        .parse::<Status>()
        .map_err(|cause| ChangeError::NotAMember { property: STATUS, cause })?;
    let reason = text(properties, RESOLVED_REASON)?
        .map(str::parse::<ResolvedReason>)
        .transpose()
        .map_err(|cause| ChangeError::NotAMember { property: RESOLVED_REASON, cause })?;
    Ok(StatusChange { to, reason })
}

/// A property's text; `None` if it is absent or null.
fn text<'a>(
    properties: &'a Map<String, Value>,
    property: &'static str,
) -> Result<Option<&'a str>, ChangeError> {
    match properties.get(property) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(other) => {
            Err(ChangeError::NotAString { property, found: other.to_string().chars().take(60).collect() })
        }
    }
}

fn check_unchanged(current: &Map<String, Value>, name: &str, value: &Value) -> Result<(), ChangeError> {
    // Control information, such as `@odata.type`, is no property.
    if name.contains('@') {
        return Ok(());
    }
    match current.get(name) {
        None => Err(ChangeError::UnknownProperty(name.to_owned())),
        Some(known) if same(known, value) => Ok(()),
        Some(_) => Err(ChangeError::ReadOnly(name.to_owned())),
    }
}

/// Whether two values say the same. Times may be written in several ways, and open types and
/// collections may carry control information.
fn same(known: &Value, sent: &Value) -> bool {
    let time = |value: &Value| value.as_str().and_then(|text| text.parse::<DateTime<Utc>>().ok());
    match (known, sent) {
        (Value::Object(known), Value::Object(sent)) => {
            let plain = |map: &Map<String, Value>| map.keys().filter(|key| !key.contains('@')).count();
            plain(known) == plain(sent)
                && sent
                    .iter()
                    .filter(|(key, _)| !key.contains('@'))
                    .all(|(key, value)| known.get(key).is_some_and(|known| same(known, value)))
        }
        (Value::Array(known), Value::Array(sent)) => {
            known.len() == sent.len() && known.iter().zip(sent).all(|(known, sent)| same(known, sent))
        }
        _ => known == sent || time(known).is_some_and(|at| Some(at) == time(sent)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn change(body: Value) -> Result<StatusChange, String> {
        status_change(body.as_object().unwrap()).map_err(|error| error.to_string())
    }

    #[test]
    fn a_change_is_read_and_what_is_wrong_is_named() {
        let resolved = StatusChange { to: Status::Resolved, reason: Some(ResolvedReason::Fraud) };
        assert_eq!(change(json!({"status": "resolved", "resolvedReason": "fraud"})), Ok(resolved));
        let active = StatusChange { to: Status::Active, reason: None };
        assert_eq!(change(json!({"status": "active", "resolvedReason": null})), Ok(active));

        let check = |body: Value, expected: &str| assert_eq!(change(body), Err(expected.to_owned()));
        check(json!({}), "Property 'status' is required; set it to active, investigating or resolved.");
        check(
            json!({"status": null}),
            "Property 'status' is required; set it to active, investigating or resolved.",
        );
        check(json!({"status": 7}), "Property 'status' must be a string, not 7.");
        check(
            json!({"status": "done"}),
            "Property 'status': 'done' is not a member of microsoft.graph.partner.security.securityAlertStatus; use one of active, resolved, investigating.",
        );
        check(
            json!({"status": "resolved", "resolvedReason": "bored"}),
            "Property 'resolvedReason': 'bored' is not a member of microsoft.graph.partner.security.securityAlertResolvedReason; use one of legitimate, ignore, fraud.",
        );
    }

    #[test]
    fn what_cannot_be_changed_may_be_sent_back_as_it_is() {
        let current = json!({
            "severity": "high", "detectedDateTime": "2031-02-03T04:05:06Z",
            "additionalDetails": {"VmCount": "3"}, "affectedResources": [{"resourceId": "/a"}], "isTest": false
        });
        let check = |name: &str, value: Value, expected: Option<&str>| {
            let found = check_unchanged(current.as_object().unwrap(), name, &value)
                .err()
                .map(|error| error.to_string());
            assert_eq!(found.as_deref(), expected, "{name}");
        };
        check("severity", json!("high"), None);
        check(
            "severity",
            json!("low"),
            Some("Property 'severity' cannot be changed; only status and resolvedReason can."),
        );
        check("detectedDateTime", json!("2031-02-03T04:05:06.000+00:00"), None);
        check("additionalDetails", json!({"@odata.type": "#x", "VmCount": "3"}), None);
        check(
            "additionalDetails",
            json!({"VmCount": "4"}),
            Some("Property 'additionalDetails' cannot be changed; only status and resolvedReason can."),
        );
        check("affectedResources", json!([{"resourceId": "/a"}]), None);
        check(
            "affectedResources",
            json!([]),
            Some("Property 'affectedResources' cannot be changed; only status and resolvedReason can."),
        );
        check("@odata.type", json!("#anything"), None);
        check(
            "colour",
            json!("red"),
            Some(
                "Property 'colour' does not exist on microsoft.graph.partner.security.partnerSecurityAlert.",
            ),
        );
    }
}
