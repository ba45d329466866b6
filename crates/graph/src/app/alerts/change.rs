//! Changing the status of an alert.

use alerts::{LifecycleError, ResolvedReason, Status, StatusChange};
use chrono::{DateTime, Utc};
use odata::QueryOptions;
use serde_json::{Map, Value};
use store::{ExpectedVersion, StatusOutcome, StoreError};

use super::{AlertError, AlertReply, Desk, LIMITS, MODEL, asked_level, known_id, stored};

/// The properties that an update may change; Microsoft documents these two.
const STATUS: &str = "status";
const RESOLVED_REASON: &str = "resolvedReason";

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

/// Changes the status of an alert in the name of `by`.
///
/// Clients send whole alerts back, so a property that cannot be changed may stand in the body with the
/// value that it has.
///
/// # Errors
///
/// [`AlertError::Change`] that names the property; [`AlertError::NotFound`]; [`AlertError::Query`];
/// [`AlertError::VersionDiffers`], and then nothing is changed.
pub async fn update(
    desk: &Desk<'_>,
    id: &str,
    raw_query: &str,
    properties: &Map<String, Value>,
    expected: &ExpectedVersion,
    by: &str,
) -> Result<AlertReply, AlertError> {
    let options = QueryOptions::parse(raw_query)?;
    let (selection, metadata) = options.check_for_entity(&MODEL, &LIMITS)?;
    let metadata = asked_level(&options, metadata);
    let id = known_id(id)?;
    let change = status_change(properties)?;
    let others: Vec<_> = properties.iter().filter(|(name, _)| !is_writable(name)).collect();
    if !others.is_empty() {
        let body = stored(desk, &id).await?;
        let mut current: Map<String, Value> = serde_json::from_str(&body.json)
            .map_err(|error| StoreError::Damaged { what: format!("alert {id}: {error}") })?;
        current.insert(super::LAST_MODIFIED.to_owned(), super::wire_time(body.modified_at).into());
        others.into_iter().try_for_each(|(name, value)| check_unchanged(&current, name, value))?;
    }
    let changed = desk.store.change_status(desk.scope, &id, change, expected, by, desk.now).await?;
    let changed = changed.ok_or_else(|| AlertError::NotFound(id.to_string()))?;
    match changed.outcome {
        StatusOutcome::Changed | StatusOutcome::Unchanged => {
            Ok(AlertReply { body: changed.body, selection, metadata })
        }
        StatusOutcome::VersionDiffers => Err(AlertError::VersionDiffers),
    }
}

fn is_writable(name: &str) -> bool {
    name == STATUS || name == RESOLVED_REASON
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
