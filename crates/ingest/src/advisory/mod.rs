//! Service Health: what Microsoft tells the owners of a subscription of security, outages and maintenance.
//!
//! Three sources: records of the activity log of the category ServiceHealth, in all its shapes; the events of
//! the REST interface `Microsoft.ResourceHealth`; and the table ServiceHealthResources of Resource Graph. The
//! first has the members of its communication (`incidentType`, `stage`, `trackingId`), the others those of
//! the event (`eventType`, `status`), in other letter case each.
//!
//! The hash covers the time, the tracking id, subscription, type, status, title and communication. So the
//! shapes of an activity record agree, and REST and Resource Graph do; a record of the activity log and the
//! event that it tells of have other times, and are two rows with one `tracking_id`.

mod plain;
mod rows;

use serde_json::value::RawValue;

use self::plain::plain_text;
pub(crate) use self::rows::AdvisoryRows;
use crate::activity::level;
use crate::event_id::{Canonical, EventId};
use crate::json::envelope::Envelope;
use crate::json::kept::keep;
use crate::json::loose::{Many, Text, list, loose, nested, read_or_empty};
use crate::place::Place;
use crate::read::Reading;
use crate::regions::region_id;
use crate::time::Instant;

loose! {
    /// Outer members beside those of the envelope.
    struct Outer {
        name: Text<'a> = "name",
    }
}

loose! {
    /// The communication or event, in the spellings of all sources.
    struct Event {
        // Some exports nest the communication once more.
        event_properties: Option<&'a RawValue> = "eventproperties",
        tracking_id: Text<'a> = "trackingid",
        event_type: Text<'a> = "incidenttype" | "eventtype",
        stage: Text<'a> = "stage",
        status: Text<'a> = "status",
        level: Text<'a> = "eventlevel" | "level",
        english_title: Text<'a> = "defaultlanguagetitle",
        title: Text<'a> = "title",
        english_content: Text<'a> = "defaultlanguagecontent",
        content: Text<'a> = "communication" | "summary",
        description: Text<'a> = "description",
        communication_id: Text<'a> = "communicationid",
        service: Text<'a> = "service",
        region: Text<'a> = "region",
        impacted: Option<&'a RawValue> = "impactedservices" | "impact",
        starts_at: Text<'a> = "impactstarttime",
        ends_at: Text<'a> = "impactmitigationtime",
        updated_at: Text<'a> = "lastupdatetime",
    }
}

loose! {
    /// A service and where it is impacted.
    struct Impact {
        service: Text<'a> = "servicename" | "impactedservice",
        regions: Many<ImpactedRegion<'a>> = "impactedregions",
    }
}

loose! {
    /// A region that is impacted.
    struct ImpactedRegion {
        name: Text<'a> = "regionname" | "impactedregion",
    }
}

/// Outer members that have a column, or say only what the record is.
const KNOWN: &[&str] = &[
    "time",
    "eventtimestamp",
    "resourceid",
    "operationname",
    "category",
    "correlationid",
    "level",
    "resulttype",
    "subscriptionid",
    "tenantid",
    "status",
    "properties",
    "id",
    "name",
    "type",
    "resourcegroup",
];

/// A normalised advisory; see the columns of the schema.
pub(crate) struct AdvisoryEvent<'a> {
    pub(crate) event_id: EventId,
    pub(crate) event_at: Instant,
    pub(crate) place: Place,
    pub(crate) tracking_id: Option<String>,
    pub(crate) advisory_type: Option<String>,
    pub(crate) status: Option<String>,
    pub(crate) level: Option<String>,
    pub(crate) title: Option<String>,
    pub(crate) summary: Option<String>,
    pub(crate) services: Option<String>,
    pub(crate) regions: Option<String>,
    pub(crate) starts_at: Option<i64>,
    pub(crate) ends_at: Option<i64>,
    pub(crate) updated_at: Option<i64>,
    pub(crate) correlation_id: Option<String>,
    pub(crate) properties: &'a str,
}

/// Reads advisories; keeps its buffers between them.
#[derive(Default)]
pub(crate) struct Parser {
    canonical: Canonical,
    properties: String,
}

impl Parser {
    /// Normalises a record, or says why it cannot be used. `text` is the whole record.
    pub(crate) fn read<'s>(
        &'s mut self,
        record: &Envelope<'_>,
        text: &str,
        reading: &Reading<'_>,
    ) -> Result<AdvisoryEvent<'s>, String> {
        let inner = nested(record.properties_d.or(record.properties));
        let outermost: Event<'_> = read_or_empty(&inner);
        let nested_once_more = nested(outermost.event_properties);
        let event: Event<'_> =
            if nested_once_more.starts_with('{') { read_or_empty(&nested_once_more) } else { outermost };
        let outer: Outer<'_> = read_or_empty(text);

        let of_record = record.time.get().or(record.event_timestamp.get()).or(record.time_generated.get());
        // REST and Resource Graph tell the type; a record of the activity log has a time of its own.
        let is_event = record.type_name.get().is_some_and(|name| name.contains('/'));
        let of_event = event.updated_at.get().or(event.starts_at.get()).filter(|_| is_event);
        let event_at = Instant::of_record(
            of_record.or(of_event),
            "neither `time` nor `eventTimestamp` nor `lastUpdateTime` is there",
        )?;
        // Of the REST interface it is the name of the event.
        let tracking_id = event.tracking_id.lower().or_else(|| outer.name.lower().filter(|_| is_event));
        let title = event.english_title.get().or(event.title.get()).map(plain_text);
        keep(&mut self.properties, text, &inner, KNOWN);

        let summary = event.english_content.get().or(event.content.get()).or(event.description.get());
        let (services, regions) = impacts(&event);
        // Without a resource the activity log names the subscription.
        let path = record.own_resource_id.get().or(record.resource_id.get()).or(record.id.get());
        let micros = |text: &Text<'_>| text.get().and_then(Instant::parse).map(|at| at.micros);
        let mut advisory = AdvisoryEvent {
            event_id: [0; 16],
            event_at,
            place: Place::of(record, path),
            tracking_id,
            advisory_type: advisory_type(record, &event),
            status: status(record, &event),
            level: event.level.get().or(record.level.get()).map(|text| level(text).into_owned()),
            title,
            summary: summary.map(plain_text),
            services,
            regions,
            starts_at: micros(&event.starts_at),
            ends_at: micros(&event.ends_at),
            updated_at: micros(&event.updated_at).or(of_record.map(|_| event_at.micros)),
            correlation_id: record.correlation_id.lower(),
            properties: &self.properties,
        };
        advisory.event_id = hash(&mut self.canonical, &advisory, event.communication_id.get(), reading);
        Ok(advisory)
    }
}

fn hash(
    form: &mut Canonical,
    event: &AdvisoryEvent<'_>,
    communication_id: Option<&str>,
    reading: &Reading<'_>,
) -> EventId {
    let tenant = event.place.customer_tenant_id.as_deref().filter(|_| event.place.subscription_id.is_none());
    form.start("advisory")
        .text(Some(reading.partner_tenant_id.as_str()))
        .number(event.event_at.micros)
        .number(i64::from(event.event_at.nanos_beyond))
        .text(event.tracking_id.as_deref())
        .text(event.place.subscription_id.as_deref())
        .text(tenant)
        .text(event.advisory_type.as_deref())
        .text(event.status.as_deref())
        .folded(event.title.as_deref())
        .folded(communication_id)
        // What cannot be tracked is told apart by all that it says.
        .folded(Some(event.properties).filter(|_| event.tracking_id.is_none()))
        .id()
}

/// One word for each type, whichever source it comes from.
fn advisory_type(record: &Envelope<'_>, event: &Event<'_>) -> Option<String> {
    const WORDS: &[(&str, &str)] = &[
        ("incident", "incident"),
        ("serviceissue", "incident"),
        ("maintenance", "maintenance"),
        ("plannedmaintenance", "maintenance"),
        ("information", "informational"),
        ("informational", "informational"),
        ("healthadvisory", "informational"),
        ("security", "security"),
        ("securityadvisory", "security"),
        ("billing", "billing"),
        ("billingupdate", "billing"),
        ("billingadvisory", "billing"),
    ];
    // `Microsoft.ServiceHealth/incident/action`
    let operation = record.operation_name_value.get().or(record.operation_name.get());
    let of_operation = operation.and_then(|name| name.split('/').nth(1));
    let told = event.event_type.get().or(of_operation)?.to_lowercase();
    let known = WORDS.iter().find(|(word, _)| *word == told);
    Some(known.map_or(told, |(_, word)| (*word).to_owned()))
}

/// The stage of the communication says more than the status of the record.
fn status(record: &Envelope<'_>, event: &Event<'_>) -> Option<String> {
    let texts =
        [&event.stage, &event.status, &record.activity_status_value, &record.result_type, &record.status];
    texts.into_iter().find_map(Text::lower)
}

/// Services and region ids, each once, with commas between.
fn impacts(event: &Event<'_>) -> (Option<String>, Option<String>) {
    let text = nested(event.impacted);
    let impacts: Vec<Impact<'_>> = list(&text);
    let (mut services, mut regions) = (Vec::new(), Vec::new());
    let add = |list: &mut Vec<String>, text: String| {
        if !list.contains(&text) {
            list.push(text);
        }
    };
    for impact in &impacts {
        if let Some(service) = impact.service.shown() {
            add(&mut services, service);
        }
        for region in impact.regions.0.iter().filter_map(|region| region.name.get().and_then(region_id)) {
            add(&mut regions, region.into_owned());
        }
    }
    if services.is_empty() {
        services.extend(event.service.shown());
    }
    if regions.is_empty() {
        let named = event.region.get().unwrap_or_default().split(',').filter_map(region_id);
        regions.extend(named.map(String::from));
    }
    let joined = |texts: Vec<String>| (!texts.is_empty()).then(|| texts.join(","));
    (joined(services), joined(regions))
}
