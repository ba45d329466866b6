//! What callers ask of fraud events: the query string and the body, with names in any case.

use alerts::{AlertId, ResolvedReason, Status, StatusChange, SubscriptionId};
use serde_json::{Map, Value};
use url::form_urlencoded;

use super::event::{self, EventsModel, NO_REASON};
use super::{EVENTS_MAX, FraudEventError};

/// Which events.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct EventQuery {
    pub(super) status: Option<Status>,
    pub(super) subscription_id: Option<SubscriptionId>,
    pub(super) event_type: Option<String>,
    pub(super) page: Option<EventPage>,
}

/// Which page of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct EventPage {
    /// Events on a page, from 1.
    pub(super) size: usize,
    /// Which page, from 1.
    pub(super) number: u64,
}

impl EventQuery {
    /// Reads a raw query string.
    pub(super) fn read(raw_query: &str, model: EventsModel) -> Result<Self, FraudEventError> {
        let mut query = Self::default();
        let (mut size, mut number) = (None, None);
        for (name, value) in form_urlencoded::parse(raw_query.as_bytes()) {
            let name = known_parameter(&name, model)?;
            match name {
                "EventStatus" => query.status = Some(status(name, &value)?),
                "SubscriptionId" => query.subscription_id = Some(subscription_id(&value)?),
                "EventType" if value.is_empty() => {
                    return Err(bad("Parameter 'EventType' must not be empty; leave it out for all types."));
                }
                "EventType" => query.event_type = Some(value.into_owned()),
                "PageSize" => size = Some(positive(name, &value)?),
                _ => number = Some(positive(name, &value)?),
            }
        }
        query.page = match (size, number) {
            (None, None) => None,
            (Some(size), Some(number)) => Some(EventPage { size: page_size(size)?, number }),
            _ => return Err(bad("PageSize and PageNumber go together; give both or none.")),
        };
        Ok(query)
    }
}

const PARAMETERS: &[&str] = &["EventStatus", "SubscriptionId"];
const NEW_PARAMETERS: &[&str] = &["EventType", "PageSize", "PageNumber"];

fn known_parameter(name: &str, model: EventsModel) -> Result<&'static str, FraudEventError> {
    let find = |names: &'static [&'static str]| names.iter().find(|known| known.eq_ignore_ascii_case(name));
    match (find(PARAMETERS), find(NEW_PARAMETERS)) {
        (Some(known), _) => Ok(known),
        (None, Some(known)) if model == EventsModel::New => Ok(known),
        (None, Some(known)) => {
            Err(bad(format!("Parameter '{known}' is available only with the header X-NewEventsModel: true.")))
        }
        (None, None) => Err(bad(format!(
            "Parameter '{}' is unknown; use EventStatus, SubscriptionId, EventType, PageSize or PageNumber.",
            shown(name)
        ))),
    }
}

fn positive(name: &str, value: &str) -> Result<u64, FraudEventError> {
    let number = value.parse::<u32>().ok().filter(|number| *number > 0);
    let number = number.ok_or_else(|| {
        bad(format!("Parameter '{name}' must be a whole number from 1, not '{}'.", shown(value)))
    })?;
    Ok(number.into())
}

fn page_size(size: u64) -> Result<usize, FraudEventError> {
    match usize::try_from(size) {
        Ok(size) if size <= EVENTS_MAX => Ok(size),
        _ => Err(bad(format!("Parameter 'PageSize' may be {EVENTS_MAX} at most, not {size}."))),
    }
}

/// Reads a subscription's id, also the one in the path.
pub(super) fn subscription_id(text: &str) -> Result<SubscriptionId, FraudEventError> {
    text.parse().map_err(|error| bad(format!("SubscriptionId: {error}.")))
}

fn status(name: &str, text: &str) -> Result<Status, FraudEventError> {
    // The page on updates asks for `Resolve` and sends `Resolved`.
    if text.eq_ignore_ascii_case("resolve") {
        return Ok(Status::Resolved);
    }
    let settable = [Status::Active, Status::Investigating, Status::Resolved];
    settable.into_iter().find(|known| event::status(*known).eq_ignore_ascii_case(text)).ok_or_else(|| {
        bad(format!("'{name}' must be Active, Investigating or Resolved, not '{}'.", shown(text)))
    })
}

/// What is to become of which events of a subscription.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct EventChange {
    /// Which; all of the subscription if empty.
    pub(super) ids: Vec<AlertId>,
    pub(super) change: StatusChange,
}

impl EventChange {
    /// Reads the body of an update.
    pub(super) fn read(body: &Map<String, Value>) -> Result<Self, FraudEventError> {
        let (mut ids, mut status_text, mut reason_text) = (Vec::new(), None, None);
        for (name, value) in body {
            match name.to_ascii_lowercase().as_str() {
                "eventids" => ids = event_ids(value)?,
                "eventstatus" => status_text = text("EventStatus", value)?,
                "resolvedreason" => reason_text = text("ResolvedReason", value)?,
                _ => {
                    return Err(bad(format!(
                        "Property '{}' is unknown; use EventIds, EventStatus and ResolvedReason.",
                        shown(name)
                    )));
                }
            }
        }
        let status_text = status_text.ok_or_else(|| {
            bad("Property 'EventStatus' is required; set it to Active, Investigating or Resolved.")
        })?;
        let to = status("EventStatus", status_text)?;
        let reason = reason_text.map(reason).transpose()?.flatten();
        // Microsoft's page demands a reason with every status and gives it a meaning with one.
        let reason = reason.filter(|_| to == Status::Resolved);
        Ok(Self { ids, change: StatusChange { to, reason } })
    }
}

fn event_ids(value: &Value) -> Result<Vec<AlertId>, FraudEventError> {
    let wrong = || bad("Property 'EventIds' must be an array of strings; leave it empty to mean all events.");
    match value {
        Value::Null => Ok(Vec::new()),
        Value::Array(ids) if ids.len() > EVENTS_MAX => {
            Err(bad(format!("Property 'EventIds' may hold {EVENTS_MAX} ids at most, not {}.", ids.len())))
        }
        Value::Array(ids) => ids
            .iter()
            .map(|id| {
                let text = id.as_str().ok_or_else(wrong)?;
                text.parse().map_err(|error| bad(format!("Property 'EventIds': {error}.")))
            })
            .collect(),
        _ => Err(wrong()),
    }
}

fn text<'a>(name: &str, value: &'a Value) -> Result<Option<&'a str>, FraudEventError> {
    match value {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text)),
        other => Err(bad(format!("Property '{name}' must be a string, not {}.", shown(&other.to_string())))),
    }
}

fn reason(text: &str) -> Result<Option<ResolvedReason>, FraudEventError> {
    if text.is_empty() || text.eq_ignore_ascii_case(NO_REASON) {
        return Ok(None);
    }
    let settable = [ResolvedReason::Fraud, ResolvedReason::Ignore, ResolvedReason::Legitimate];
    let found = settable.into_iter().find(|known| event::reason(*known).eq_ignore_ascii_case(text));
    found.map(Some).ok_or_else(|| {
        bad(format!("'ResolvedReason' must be Fraud, Ignore or Legitimate, not '{}'.", shown(text)))
    })
}

fn bad(message: impl Into<String>) -> FraudEventError {
    FraudEventError::Request(message.into())
}

/// The caller's text as a message may repeat it.
fn shown(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(60).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn queries_are_read_in_any_case() {
        let check = |raw: &str, model: EventsModel, expected: &str| {
            let found = match EventQuery::read(raw, model) {
                Ok(query) => format!(
                    "{} {} {} {:?}",
                    query.status.map_or("-", Status::as_str),
                    query.subscription_id.as_ref().map_or("-", SubscriptionId::as_str),
                    query.event_type.as_deref().unwrap_or("-"),
                    query.page.map(|page| (page.size, page.number))
                ),
                Err(error) => error.to_string(),
            };
            assert_eq!(found, expected, "{raw}");
        };
        use EventsModel::{New, Old};
        check("", Old, "- - - None");
        check("EventStatus=Active&SubscriptionId=S-1", Old, "active s-1 - None");
        check("eventstatus=RESOLVED&subscriptionID=s%2D1", Old, "resolved s-1 - None");
        check("EventStatus=Resolve", New, "resolved - - None");
        check(
            "EventType=UsageAnomalyDetection&PageSize=5&PageNumber=2",
            New,
            "- - UsageAnomalyDetection Some((5, 2))",
        );
        check(
            "EventStatus=Done",
            Old,
            "'EventStatus' must be Active, Investigating or Resolved, not 'Done'.",
        );
        check(
            "PageSize=5&PageNumber=2",
            Old,
            "Parameter 'PageSize' is available only with the header X-NewEventsModel: true.",
        );
        check("PageSize=5", New, "PageSize and PageNumber go together; give both or none.");
        check("PageSize=0&PageNumber=1", New, "Parameter 'PageSize' must be a whole number from 1, not '0'.");
        check("PageSize=10001&PageNumber=1", New, "Parameter 'PageSize' may be 10000 at most, not 10001.");
        check("EventType=", New, "Parameter 'EventType' must not be empty; leave it out for all types.");
        check("SubscriptionId=", New, "SubscriptionId: subscription id is empty.");
        check(
            "$filter=x",
            New,
            "Parameter '$filter' is unknown; use EventStatus, SubscriptionId, EventType, PageSize or PageNumber.",
        );
    }

    #[test]
    fn changes_are_read_in_any_case() {
        let check = |body: Value, expected: &str| {
            let found = match EventChange::read(body.as_object().unwrap()) {
                Ok(change) => format!(
                    "{} {} {}",
                    change.ids.iter().map(AlertId::as_str).collect::<Vec<_>>().join("+"),
                    change.change.to,
                    change.change.reason.map_or("-", ResolvedReason::as_str)
                ),
                Err(error) => error.to_string(),
            };
            assert_eq!(found, expected, "{body}");
        };
        check(
            json!({"EventIds": ["a", "b"], "EventStatus": "Resolved", "ResolvedReason": "Fraud"}),
            "a+b resolved fraud",
        );
        check(
            json!({"eventids": [], "eventstatus": "resolve", "resolvedreason": "IGNORE"}),
            " resolved ignore",
        );
        check(json!({"EventStatus": "Resolved", "ResolvedReason": "Legitimate"}), " resolved legitimate");
        check(json!({"EventIds": null, "EventStatus": "Resolved", "ResolvedReason": "None"}), " resolved -");
        check(json!({"EventStatus": "Investigating", "ResolvedReason": "Fraud"}), " investigating -");
        check(json!({"EventStatus": "Active", "ResolvedReason": null}), " active -");
        check(json!({}), "Property 'EventStatus' is required; set it to Active, Investigating or Resolved.");
        check(json!({"EventStatus": 3}), "Property 'EventStatus' must be a string, not 3.");
        check(
            json!({"EventStatus": "Resolved", "ResolvedReason": "Bored"}),
            "'ResolvedReason' must be Fraud, Ignore or Legitimate, not 'Bored'.",
        );
        check(
            json!({"EventIds": "a", "EventStatus": "Active"}),
            "Property 'EventIds' must be an array of strings; leave it empty to mean all events.",
        );
        check(
            json!({"EventIds": ["a b"], "EventStatus": "Active"}),
            "Property 'EventIds': alert id holds white space.",
        );
        check(
            json!({"Comment": "x", "EventStatus": "Active"}),
            "Property 'Comment' is unknown; use EventIds, EventStatus and ResolvedReason.",
        );
    }
}
