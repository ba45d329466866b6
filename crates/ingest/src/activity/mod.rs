//! Azure activity log, in the export shape (Event Hubs, storage), the REST shape (portal, API), and as rows
//! of the table AzureActivity of Log Analytics.
//!
//! All give the same event: the export is flat and in words of its own, REST nests `{value}` objects, and
//! the table has columns such as `OperationNameValue`, and the workspace as its `TenantId`.
//! Objects may come as JSON text in strings. `location` says where the event was processed, so the
//! region of the resource is taken from the request or response in `properties` only.
//!
//! The hash covers time (to 100 ns), resource, operation, status and sub-status, correlation, caller,
//! address, level and `properties`. It leaves out `eventDataId`, which the export lacks, so that the
//! shapes of an event agree as long as their `properties` do.

mod details;
mod identity;
mod rows;

use std::borrow::Cow;

use self::details::{Details, Properties};
use self::identity::Caller;
pub(crate) use self::identity::Identity;
pub(crate) use self::rows::ActivityRows;
use crate::address::without_port;
use crate::event_id::{Canonical, EventId};
use crate::json::envelope::Envelope;
use crate::json::loose::{Text, compact_into, loose, read_or_empty, unfold};
use crate::read::Reading;
use crate::resource::{id_word, lower, parts, resource_type};
use crate::time::Instant;
use crate::vm_size::VmSize;

/// A normalised activity event; see the columns of the schema.
pub(crate) struct ActivityEvent<'a> {
    pub(crate) event_id: EventId,
    pub(crate) event_at: Instant,
    pub(crate) customer_tenant_id: Option<Cow<'a, str>>,
    pub(crate) subscription_id: Option<Cow<'a, str>>,
    pub(crate) resource_id: Option<Cow<'a, str>>,
    pub(crate) resource_group: Option<Cow<'a, str>>,
    pub(crate) operation: Cow<'a, str>,
    pub(crate) resource_type: Option<Cow<'a, str>>,
    pub(crate) category: Option<Cow<'a, str>>,
    pub(crate) status: Option<Cow<'a, str>>,
    pub(crate) sub_status: Option<Cow<'a, str>>,
    pub(crate) level: Option<Cow<'a, str>>,
    pub(crate) caller: Caller,
    pub(crate) caller_origin: Option<&'static str>,
    pub(crate) caller_ip: Option<String>,
    pub(crate) correlation_id: Option<Cow<'a, str>>,
    pub(crate) details: Details,
    /// What the name of the machine's size says.
    pub(crate) machine: Option<VmSize>,
    pub(crate) properties: Option<&'a str>,
}

loose! {
    /// Where a REST record keeps the caller's address.
    struct HttpRequest {
        client_ip_address: Text<'a> = "clientipaddress",
    }
}

/// Reads activity records; keeps its buffers between them.
#[derive(Default)]
pub(crate) struct Parser {
    canonical: Canonical,
    properties: String,
}

impl Parser {
    /// Normalises a record, or says why it cannot be used.
    pub(crate) fn read<'s>(
        &'s mut self,
        record: &'s Envelope<'_>,
        reading: &Reading<'_>,
    ) -> Result<ActivityEvent<'s>, String> {
        let time = record.time.get().or(record.event_timestamp.get()).or(record.time_generated.get());
        let event_at = Instant::of_record(time, "neither `time` nor `eventTimestamp` is there")?;
        let operation =
            record.operation_name_value.get().or(record.operation_name.get()).ok_or(
                "no `operationName`, so nothing says what was done; export the record again with it",
            )?;

        let unfolded = record.properties_d.or(record.properties).map(|raw| unfold(raw.get()));
        let unfolded = unfolded.as_deref().unwrap_or_default();
        self.properties.clear();
        compact_into(&mut self.properties, unfolded);
        let properties: Properties<'_> = read_or_empty(unfolded);

        let named = record.own_resource_id.get().or(record.resource_id.get()).map(lower);
        let resource_id =
            named.or_else(|| properties.entity.get().map(|path| Cow::Owned(path.to_lowercase())));
        let path = resource_id.as_deref().unwrap_or_default();
        let in_path = parts(path);
        let subscription_id = record.subscription_id.get().and_then(id_word).or(in_path.subscription_id);
        let subscription_id = subscription_id.map(|id| Cow::Owned(id.to_lowercase()));
        let named_group = record.resource_group_name.get().or(record.resource_group.get());
        let resource_group = named_group.or(in_path.resource_group);
        let resource_group = resource_group.map(|group| Cow::Owned(group.to_lowercase()));
        let resource_type =
            resource_type(path).map(Cow::Owned).or_else(|| record.resource_type.get().map(lower));

        // In Log Analytics it is the workspace.
        let tenant = record.tenant_id.get().filter(|_| record.time_generated.get().is_none());
        let tenant = tenant.and_then(id_word).or_else(|| properties.root_tenant());
        let customer_tenant_id = tenant.map(|id| Cow::Owned(id.to_lowercase()));
        let details = Details::read(&properties, resource_type.as_deref().unwrap_or_default());
        let caller_ip = caller_address(record);
        let caller = Caller::read(record);
        let caller_origin = caller.origin(customer_tenant_id.as_deref(), reading.partner_tenant_id.as_str());

        let mut event = ActivityEvent {
            event_id: [0; 16],
            event_at,
            customer_tenant_id,
            subscription_id,
            resource_id,
            resource_group,
            operation: lower(operation),
            resource_type,
            category: record.category_value.get().or(record.category.get()).map(lower),
            status: first([&record.activity_status_value, &record.result_type, &record.status]).map(status),
            sub_status: first([
                &record.activity_substatus_value,
                &record.result_signature,
                &record.sub_status,
            ])
            .and_then(sub_status),
            level: record.level.get().map(level),
            caller,
            caller_origin,
            caller_ip,
            correlation_id: record.correlation_id.get().map(lower),
            machine: details.vm_size.as_deref().and_then(VmSize::parse),
            details,
            properties: (!matches!(self.properties.as_str(), "" | "null" | "{}")).then_some(&self.properties),
        };
        event.event_id = hash(&mut self.canonical, &event, reading);
        Ok(event)
    }
}

fn hash(form: &mut Canonical, event: &ActivityEvent<'_>, reading: &Reading<'_>) -> EventId {
    // A tenant tells records apart only where no subscription does: REST always names the tenant, the
    // export not always, and both are to agree.
    let tenant = event.customer_tenant_id.as_deref().filter(|_| event.subscription_id.is_none());
    form.start("activity")
        .text(Some(reading.partner_tenant_id.as_str()))
        .number(event.event_at.micros)
        .number(i64::from(event.event_at.nanos_beyond))
        .text(tenant)
        .text(event.subscription_id.as_deref())
        .folded(event.resource_id.as_deref())
        .text(Some(&event.operation))
        .text(event.status.as_deref())
        .text(event.sub_status.as_deref())
        .text(event.level.as_deref())
        .text(event.correlation_id.as_deref())
        .text(event.caller.id.as_deref())
        .text(event.caller.app_id.as_deref())
        .text(event.caller_ip.as_deref())
        .folded(event.properties)
        .id()
}

fn first<'t>(texts: [&'t Text<'_>; 3]) -> Option<&'t str> {
    texts.into_iter().find_map(Text::get)
}

fn caller_address(record: &Envelope<'_>) -> Option<String> {
    if let Some(address) = record.caller_ip_address.get() {
        return without_port(address);
    }
    let text = unfold(record.http_request?.get());
    let request: HttpRequest<'_> = read_or_empty(&text);
    request.client_ip_address.get().and_then(without_port)
}

/// One word for each status, whichever shape it comes from.
fn status(text: &str) -> Cow<'_, str> {
    known_status(text).map_or_else(|| lower(text), Cow::Borrowed)
}

fn known_status(text: &str) -> Option<&'static str> {
    const WORDS: &[(&str, &str)] = &[
        ("start", "started"),
        ("started", "started"),
        ("accept", "accepted"),
        ("accepted", "accepted"),
        ("success", "succeeded"),
        ("succeeded", "succeeded"),
        ("failure", "failed"),
        ("failed", "failed"),
    ];
    WORDS.iter().find(|(word, _)| text.eq_ignore_ascii_case(word)).map(|(_, status)| *status)
}

/// The finer status without the status before it: `Succeeded.Created` is `created`, `Started.` nothing.
fn sub_status(text: &str) -> Option<Cow<'_, str>> {
    let finer = match text.split_once('.') {
        Some((first, rest)) if known_status(first).is_some() => rest.trim(),
        _ => text,
    };
    (!finer.is_empty()).then(|| lower(finer))
}

/// One word for each level, which may come as a digit.
pub(crate) fn level(text: &str) -> Cow<'_, str> {
    match text {
        "1" => Cow::Borrowed("critical"),
        "2" => Cow::Borrowed("error"),
        "3" => Cow::Borrowed("warning"),
        "4" => Cow::Borrowed("information"),
        "5" => Cow::Borrowed("verbose"),
        _ if text.eq_ignore_ascii_case("informational") => Cow::Borrowed("information"),
        _ => lower(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_become_one() {
        let check = |text: &str, expected: &str| assert_eq!(status(text), expected, "{text}");
        check("Start", "started");
        check("Accepted", "accepted");
        check("SUCCESS", "succeeded");
        check("Failure", "failed");
        check("Active", "active");
        let check =
            |text: &str, expected: Option<&str>| assert_eq!(sub_status(text).as_deref(), expected, "{text}");
        check("Succeeded.Created", Some("created"));
        check("Started.", None);
        check("Failed.QuotaExceeded", Some("quotaexceeded"));
        check("200", Some("200"));
        check("v1.2", Some("v1.2"));
        let check = |text: &str, expected: &str| assert_eq!(level(text), expected, "{text}");
        check("4", "information");
        check("Informational", "information");
        check("Warning", "warning");
    }
}
