//! Alerts of Microsoft Defender for Cloud.
//!
//! REST and Resource Graph wrap the alert as `properties`; the continuous export to Event Hubs sends it bare,
//! with members in Pascal case; Log Analytics has it as rows of the table SecurityAlert, whose columns have
//! names of their own (`AlertName`, `AlertSeverity`, `StartTime`), and lists as JSON text.
//!
//! The hash covers the alert's id, its status, severity, and begin and end, which all shapes agree on: an
//! alert that was updated is a new row with the same `alert_id`. Alerts without an id are told apart by all
//! of their text.

mod rows;

use serde_json::Value;
use serde_json::value::RawValue;

pub(crate) use self::rows::SecurityAlertRows;
use crate::address::without_port;
use crate::event_id::{Canonical, EventId};
use crate::json::envelope::Envelope;
use crate::json::kept::keep;
use crate::json::loose::{Many, Text, compact, list, loose, nested, read_or_empty};
use crate::place::Place;
use crate::read::Reading;
use crate::resource::id_word;
use crate::time::Instant;

loose! {
    /// An alert, in the spellings of all shapes.
    struct Alert {
        system_alert_id: Text<'a> = "systemalertid",
        alert_type: Text<'a> = "alerttype",
        title: Text<'a> = "alertdisplayname" | "displayname",
        name: Text<'a> = "alertname",
        description: Text<'a> = "description",
        severity: Text<'a> = "severity" | "alertseverity",
        status: Text<'a> = "status",
        intent: Text<'a> = "intent" | "tactics",
        techniques: Option<&'a RawValue> = "techniques",
        product: Text<'a> = "productname",
        vendor: Text<'a> = "vendorname",
        generated_at: Text<'a> = "timegeneratedutc" | "timegenerated",
        processed_at: Text<'a> = "processingendtimeutc" | "processingendtime",
        started_at: Text<'a> = "starttimeutc" | "starttime",
        ended_at: Text<'a> = "endtimeutc" | "endtime",
        compromised_entity: Text<'a> = "compromisedentity",
        entities: Option<&'a RawValue> = "entities",
        remediation: Option<&'a RawValue> = "remediationsteps",
        uri: Text<'a> = "alerturi" | "alertlink",
        resources: Option<&'a RawValue> = "resourceidentifiers",
        azure_resource_id: Text<'a> = "azureresourceid" | "resourceid",
        azure_subscription_id: Text<'a> = "azureresourcesubscriptionid",
    }
}

loose! {
    /// What the alert is about: a resource, or a tenant.
    struct ResourceIdentifier {
        azure_resource_id: Text<'a> = "azureresourceid",
        tenant_id: Text<'a> = "aadtenantid",
    }
}

loose! {
    /// Outer members of the wrapper beside those of the envelope.
    struct Outer {
        name: Text<'a> = "name",
    }
}

/// Outer members of the wrapper that have a column.
const KNOWN: &[&str] = &["id", "name", "type", "properties", "tenantid", "subscriptionid", "resourcegroup"];

/// A normalised alert; see the columns of the schema.
pub(crate) struct SecurityAlertEvent<'a> {
    pub(crate) event_id: EventId,
    pub(crate) event_at: Instant,
    pub(crate) place: Place,
    pub(crate) alert_id: Option<String>,
    pub(crate) alert_type: Option<String>,
    pub(crate) title: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) severity: Option<String>,
    pub(crate) status: Option<String>,
    pub(crate) tactics: Option<String>,
    pub(crate) techniques: Option<String>,
    pub(crate) product: Option<String>,
    pub(crate) vendor: Option<String>,
    pub(crate) started_at: Option<i64>,
    pub(crate) ended_at: Option<i64>,
    pub(crate) compromised_entity: Option<String>,
    pub(crate) entities: Option<String>,
    pub(crate) ips: Option<String>,
    pub(crate) remediation: Option<String>,
    pub(crate) alert_uri: Option<String>,
    pub(crate) properties: &'a str,
}

/// Reads alerts; keeps its buffers between them.
#[derive(Default)]
pub(crate) struct Parser {
    canonical: Canonical,
    properties: String,
}

impl Parser {
    /// Normalises an alert, or says why it cannot be used. `text` is the whole record.
    pub(crate) fn read<'s>(
        &'s mut self,
        record: &Envelope<'_>,
        text: &str,
        reading: &Reading<'_>,
    ) -> Result<SecurityAlertEvent<'s>, String> {
        let inner = nested(record.properties);
        let object = if inner.starts_with('{') { &*inner } else { text };
        let alert: Alert<'_> = read_or_empty(object);
        let times = [&alert.generated_at, &alert.processed_at, &alert.started_at];
        let event_at = Instant::of_record(
            times.into_iter().find_map(Text::get),
            "neither `timeGeneratedUtc` nor `startTimeUtc` is there",
        )?;
        let outer: Outer<'_> = read_or_empty(text);
        let alert_id = alert.system_alert_id.lower().or_else(|| outer.name.lower());
        if alert_id.is_none() && alert.title.get().or(alert.name.get()).or(alert.alert_type.get()).is_none() {
            return Err("neither `systemAlertId` nor `alertDisplayName` nor `alertType`, so nothing says what the alert \
                        is; export it again"
                .to_owned());
        }
        keep(&mut self.properties, text, &inner, KNOWN);

        let entities = compact(alert.entities);
        let micros = |text: &Text<'_>| text.get().and_then(Instant::parse).map(|at| at.micros);
        let mut event = SecurityAlertEvent {
            event_id: [0; 16],
            event_at,
            place: place(record, &alert),
            alert_id,
            alert_type: alert.alert_type.lower(),
            title: alert.title.shown().or_else(|| alert.name.shown()),
            description: alert.description.shown(),
            severity: alert.severity.lower(),
            status: alert
                .status
                .lower()
                .map(|status| if status == "new" { "active".to_owned() } else { status }),
            tactics: words(alert.intent.get()),
            techniques: words(Some(steps(alert.techniques).join(",").as_str())),
            product: alert.product.shown(),
            vendor: alert.vendor.shown(),
            started_at: micros(&alert.started_at),
            ended_at: micros(&alert.ended_at),
            compromised_entity: alert.compromised_entity.shown(),
            ips: entities.as_deref().and_then(addresses),
            entities,
            remediation: Some(steps(alert.remediation).join("\n")).filter(|steps| !steps.is_empty()),
            alert_uri: alert.uri.shown(),
            properties: &self.properties,
        };
        event.event_id = hash(&mut self.canonical, &event, reading);
        Ok(event)
    }
}

fn hash(form: &mut Canonical, event: &SecurityAlertEvent<'_>, reading: &Reading<'_>) -> EventId {
    let has_id = event.alert_id.is_some();
    form.start("security_alert")
        .text(Some(reading.partner_tenant_id.as_str()))
        .text(event.alert_id.as_deref())
        .text(event.status.as_deref())
        .text(event.severity.as_deref())
        .number(event.started_at.unwrap_or_default())
        .number(event.ended_at.unwrap_or_default())
        .number(if has_id { 0 } else { event.event_at.micros })
        .folded(Some(event.properties).filter(|_| !has_id))
        .id()
}

/// The resource that was attacked; the alert's own path names at least the subscription.
fn place(record: &Envelope<'_>, alert: &Alert<'_>) -> Place {
    let text = nested(alert.resources);
    let identifiers: Vec<ResourceIdentifier<'_>> = list(&text);
    let attacked =
        identifiers.iter().find_map(|one| one.azure_resource_id.get()).or(alert.azure_resource_id.get());
    let mut place = Place::of(record, attacked.or(record.id.get()));
    let tenant = identifiers.iter().find_map(|one| one.tenant_id.get()).and_then(id_word);
    // A bare alert names the workspace as its tenant.
    let of_wrapper = place.customer_tenant_id.take().filter(|_| record.type_name.get().is_some());
    place.customer_tenant_id = tenant.map(str::to_lowercase).or(of_wrapper);
    place.subscription_id = place.subscription_id.or_else(|| alert.azure_subscription_id.lower());
    place
}

/// Words of a list that may come as one text or as JSON text: `execution,persistence`, in lower case.
fn words(text: Option<&str>) -> Option<String> {
    let is_between = |c: char| c == ',' || c.is_whitespace() || matches!(c, '[' | ']' | '"');
    let words: Vec<_> =
        text?.split(is_between).filter(|word| !word.is_empty()).map(str::to_lowercase).collect();
    (!words.is_empty()).then(|| words.join(","))
}

/// The texts of a list, which may come as JSON text, or of a single text.
fn steps(raw: Option<&RawValue>) -> Vec<String> {
    let Some(raw) = raw else { return Vec::new() };
    let text = nested(Some(raw));
    if text.starts_with('[') {
        let steps: Many<Text<'_>> = serde_json::from_str(&text).unwrap_or_default();
        return steps.0.iter().filter_map(Text::shown).collect();
    }
    if matches!(&*text, "" | "null") { Vec::new() } else { vec![text.into_owned()] }
}

/// The addresses among the entities, each once, with commas between.
fn addresses(entities: &str) -> Option<String> {
    let value: Value = serde_json::from_str(entities).ok()?;
    let mut found = Vec::new();
    addresses_in(&value, &mut found);
    (!found.is_empty()).then(|| found.join(","))
}

fn addresses_in(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| addresses_in(item, found)),
        Value::Object(members) => {
            for (name, member) in members {
                let text = member.as_str().filter(|_| name.eq_ignore_ascii_case("address"));
                found.extend(text.and_then(without_port).filter(|address| !found.contains(address)));
                addresses_in(member, found);
            }
        }
        _ => {}
    }
}
