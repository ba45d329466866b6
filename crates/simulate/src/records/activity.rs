//! The Azure activity log, in three shapes.
//!
//! Fields and pitfalls follow the documented export and REST schemas: seven fractional digits, ids and
//! operations in upper case, requests and replies as JSON inside a string, several records an action.

use std::borrow::Cow;

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::estate::{ActivityShape, Customer, Subscription};
use crate::script::{Action, Outcome};

/// The name space of ids that follow from other ids.
const ID_SPACE: Uuid = Uuid::from_u128(0x8a1d_4c5e_0f6b_4b7a_9d38_51c2_0e77_aa01);

/// One record of an action.
struct Step<'a> {
    action: &'a Action,
    at: DateTime<Utc>,
    status: Status,
    signature: Cow<'static, str>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Status {
    Start,
    Accept,
    Success,
    Failure,
}

impl Status {
    /// The export's word.
    fn exported(self) -> &'static str {
        match self {
            Self::Start => "Start",
            Self::Accept => "Accept",
            Self::Success => "Success",
            Self::Failure => "Failure",
        }
    }

    /// The REST interface's word for the same.
    fn rest(self) -> &'static str {
        match self {
            Self::Start => "Started",
            Self::Accept => "Accepted",
            Self::Success => "Succeeded",
            Self::Failure => "Failed",
        }
    }
}

/// Writes a day's actions of a subscription in the customer's shape. Records after `end` have not
/// happened yet and are left out. Returns the number of records; none leaves `out` empty.
pub(crate) fn write(
    customer: &Customer,
    subscription: &Subscription,
    actions: &[Action],
    end: DateTime<Utc>,
    out: &mut Vec<u8>,
) -> serde_json::Result<u64> {
    let mut steps: Vec<Step<'_>> = actions.iter().flat_map(steps).filter(|step| step.at < end).collect();
    steps.sort_by_key(|step| step.at);
    if steps.is_empty() {
        return Ok(0);
    }
    let writer = Writer { customer, subscription };
    match customer.activity_shape {
        ActivityShape::Lines => {
            for step in &steps {
                serde_json::to_writer(&mut *out, &writer.exported(step))?;
                out.push(b'\n');
            }
        }
        ActivityShape::Records => {
            let records = steps.iter().map(|step| writer.exported(step)).collect();
            serde_json::to_writer(&mut *out, &Records { records })?;
        }
        ActivityShape::Rest => {
            let value = steps.iter().map(|step| writer.rest(step)).collect();
            serde_json::to_writer(&mut *out, &Values { value })?;
        }
    }
    Ok(steps.len() as u64)
}

/// The wrapper of an event hub's messages.
#[derive(Serialize)]
struct Records<T> {
    records: Vec<T>,
}

/// The wrapper of a REST page.
#[derive(Serialize)]
struct Values<T> {
    value: Vec<T>,
}

fn steps(action: &Action) -> Vec<Step<'_>> {
    let step = |at, status, signature: &str| Step {
        action,
        at,
        status,
        signature: Cow::Owned(signature.to_owned()),
    };
    let settled = action.settled_at();
    let start = step(action.at, Status::Start, "Started.");
    match &action.outcome {
        Outcome::Done => vec![start, step(settled, Status::Success, "Succeeded.OK")],
        Outcome::Accepted { created } => {
            let accepted_at = action.at + (action.took / 4).min(TimeDelta::milliseconds(1_700));
            let signature = if *created { "Accepted.Created" } else { "Accepted.OK" };
            let settled_signature = if *created { "Succeeded.Created" } else { "Succeeded.OK" };
            vec![
                start,
                step(accepted_at, Status::Accept, signature),
                step(settled, Status::Success, settled_signature),
            ]
        }
        Outcome::Failed(failure) => {
            vec![start, step(settled, Status::Failure, &format!("Failed.{}", failure.http))]
        }
        Outcome::Noted => vec![step(action.at, Status::Success, "Succeeded.OK")],
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ExportRecord<'a> {
    time: String,
    resource_id: String,
    operation_name: String,
    category: &'a str,
    result_type: &'static str,
    result_signature: &'a str,
    duration_ms: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    caller_ip_address: Option<&'a str>,
    correlation_id: Uuid,
    #[serde(skip_serializing_if = "Option::is_none")]
    identity: Option<ExportIdentity<'a>>,
    level: &'static str,
    location: &'static str,
    tenant_id: &'a str,
    properties: Map<String, Value>,
}

/// The identity: an object, or in some pipelines its text.
#[derive(Serialize)]
#[serde(untagged)]
enum ExportIdentity<'a> {
    Object(Identity<'a>),
    Text(String),
}

#[derive(Serialize)]
struct Identity<'a> {
    authorization: Authorization<'a>,
    claims: &'a RawValue,
}

#[derive(Serialize)]
struct Authorization<'a> {
    scope: &'a str,
    action: &'a str,
    evidence: Evidence<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Evidence<'a> {
    role: &'a str,
    principal_id: String,
    principal_type: &'a str,
}

#[derive(Serialize)]
struct Localised<'a> {
    value: &'a str,
    #[serde(rename = "localizedValue")]
    localised: &'a str,
}

impl<'a> From<&'a str> for Localised<'a> {
    fn from(value: &'a str) -> Self {
        Self { value, localised: value }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RestRecord<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    authorization: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    caller: Option<&'a str>,
    channels: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    claims: Option<&'a RawValue>,
    correlation_id: Uuid,
    description: &'static str,
    event_data_id: Uuid,
    event_name: Localised<'a>,
    category: Localised<'a>,
    event_timestamp: String,
    id: String,
    level: &'static str,
    operation_id: Uuid,
    operation_name: Localised<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource_group_name: Option<&'a str>,
    resource_id: &'a str,
    status: Localised<'a>,
    sub_status: Localised<'a>,
    submission_timestamp: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    subscription_id: Option<&'a str>,
    tenant_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    http_request: Option<Value>,
    properties: Map<String, Value>,
}

struct Writer<'a> {
    customer: &'a Customer,
    subscription: &'a Subscription,
}

impl<'a> Writer<'a> {
    fn exported(&self, step: &'a Step<'a>) -> ExportRecord<'a> {
        let action = step.action;
        let by_pipeline = self.customer.activity_shape == ActivityShape::Records;
        let cased = |text: &str| if self.customer.upper_case { text.to_uppercase() } else { text.to_owned() };
        ExportRecord {
            time: if by_pipeline { pipeline_time(step.at) } else { export_time(step.at) },
            resource_id: cased(&action.resource),
            operation_name: cased(action.operation),
            category: action.category,
            result_type: step.status.exported(),
            result_signature: &step.signature,
            duration_ms: "0",
            caller_ip_address: action.caller.as_ref().and_then(|caller| caller.address.as_deref()),
            correlation_id: action.correlation,
            identity: self.identity(action).map(|identity| match by_pipeline {
                true => ExportIdentity::Text(serde_json::to_string(&identity).unwrap_or_default()),
                false => ExportIdentity::Object(identity),
            }),
            level: level(step.status),
            location: "global",
            tenant_id: &self.customer.tenant_id,
            properties: self.properties(step),
        }
    }

    fn identity(&self, action: &'a Action) -> Option<Identity<'a>> {
        let principal = &action.caller.as_ref()?.principal;
        let evidence = Evidence {
            role: principal.role,
            principal_id: principal.object_id.simple().to_string(),
            principal_type: principal.principal_type,
        };
        Some(Identity {
            authorization: Authorization { scope: &action.resource, action: action.operation, evidence },
            claims: &principal.claims,
        })
    }

    /// What differs between the records of an action: the request comes with the start, the reply with
    /// the acceptance, or with the success if nothing is accepted first, the reason with the failure.
    fn properties(&self, step: &Step<'_>) -> Map<String, Value> {
        let action = step.action;
        let mut properties = Map::new();
        properties.insert("eventCategory".to_owned(), json!(action.category));
        properties.insert("entity".to_owned(), json!(action.resource));
        let mut add = |name: &str, value: &str| {
            properties.insert(name.to_owned(), json!(value));
        };
        if let Some(ticket) = &action.change_ticket {
            add("changeTicket", ticket);
        }
        if let Some(message) = &action.message {
            add("message", message);
        }
        match (step.status, &action.outcome) {
            (Status::Start, _) => {
                if let Some(request) = &action.request {
                    add("requestbody", request);
                }
            }
            (Status::Accept, outcome) => {
                let created = *outcome == Outcome::Accepted { created: true };
                add("statusCode", if created { "Created" } else { "OK" });
                if let Some(response) = &action.response {
                    add("responseBody", response);
                }
            }
            (Status::Failure, Outcome::Failed(failure)) => {
                let reason = json!({"error": {"code": failure.code, "message": failure.message}});
                add("statusCode", failure.http);
                add("statusMessage", &reason.to_string());
            }
            (Status::Success | Status::Failure, outcome) => {
                add("statusCode", "OK");
                if let (Outcome::Done, Some(response)) = (outcome, &action.response) {
                    add("responseBody", response);
                }
            }
        }
        properties
    }

    fn rest(&self, step: &'a Step<'a>) -> RestRecord<'a> {
        let action = step.action;
        let principal = action.caller.as_ref().map(|caller| &caller.principal);
        let address = action.caller.as_ref().and_then(|caller| caller.address.as_deref());
        let event = format!("{}/{}/{}", action.correlation, action.resource, step.at.timestamp_micros());
        let event_data_id = Uuid::new_v5(&ID_SPACE, event.as_bytes());
        let is_start = step.status == Status::Start;
        RestRecord {
            authorization: principal.map(|principal| {
                json!({"action": action.operation, "scope": action.resource, "role": principal.role})
            }),
            caller: principal.map(|principal| principal.caller.as_str()),
            channels: "Operation",
            claims: principal.map(|principal| &*principal.claims),
            correlation_id: action.correlation,
            description: "",
            event_data_id,
            event_name: if is_start { "BeginRequest".into() } else { "EndRequest".into() },
            category: action.category.into(),
            event_timestamp: export_time(step.at),
            id: format!("{}/events/{event_data_id}/ticks/{}", action.resource, step.at.timestamp_micros()),
            level: level(step.status),
            operation_id: action.correlation,
            operation_name: action.operation.into(),
            resource_group_name: resource_group(&action.resource),
            resource_id: &action.resource,
            status: step.status.rest().into(),
            sub_status: step.signature.split_once('.').map_or("", |(_, detail)| detail).into(),
            submission_timestamp: export_time(step.at + TimeDelta::seconds(135)),
            // Not every record is about a subscription: who may touch all of them is settled above them.
            subscription_id: action
                .resource
                .starts_with("/subscriptions/")
                .then_some(self.subscription.id.as_str()),
            tenant_id: &self.customer.tenant_id,
            http_request: address.map(|address| {
                json!({"clientRequestId": event_data_id, "clientIpAddress": address, "method": "PUT"})
            }),
            properties: self.properties(step),
        }
    }
}

/// The group in a path. Roles, budgets and settings of a whole subscription have none.
fn resource_group(resource: &str) -> Option<&str> {
    let mut parts = resource.split('/').skip(3);
    (parts.next()? == "resourceGroups").then(|| parts.next()).flatten()
}

fn level(status: Status) -> &'static str {
    if status == Status::Failure { "Error" } else { "Information" }
}

/// `2031-02-03T04:05:06.7890120Z`: seven digits, as .NET counts.
pub(super) fn export_time(at: DateTime<Utc>) -> String {
    format!("{}0Z", at.format("%Y-%m-%dT%H:%M:%S%.6f"))
}

/// `2031-02-03 04:05:06.789`: what is left of it after some pipelines.
fn pipeline_time(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%M:%S%.3f").to_string()
}
