//! Changes to the directory: users, groups, applications, roles, policies.

use serde_json::value::RawValue;

use super::tenant;
use crate::address::without_port;
use crate::event_id::{Canonical, EventId};
use crate::json::envelope::Envelope;
use crate::json::loose::{Text, list, loose, nested, read_or_empty, unfold};
use crate::read::Reading;
use crate::resource::parts;
use crate::time::Instant;

/// A normalised audit record; see the columns of the schema.
pub(crate) struct AuditEvent<'a> {
    pub(crate) event_id: EventId,
    pub(crate) event_at: Instant,
    pub(crate) customer_tenant_id: Option<String>,
    pub(crate) subscription_id: Option<String>,
    pub(crate) resource_id: Option<String>,
    pub(crate) operation: String,
    pub(crate) category: Option<String>,
    pub(crate) operation_type: Option<String>,
    pub(crate) result: Option<String>,
    pub(crate) result_reason: Option<String>,
    pub(crate) logged_by: Option<String>,
    pub(crate) actor: Actor,
    pub(crate) target: Target,
    pub(crate) correlation_id: Option<String>,
    pub(crate) properties: &'a str,
}

/// Who changed something.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Actor {
    pub(crate) kind: Option<&'static str>,
    pub(crate) name: Option<String>,
    pub(crate) id: Option<String>,
    pub(crate) app_id: Option<String>,
    pub(crate) ip: Option<String>,
}

/// The first thing that was changed, and the role that was granted or taken away.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) kind: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) id: Option<String>,
    pub(crate) role: Option<String>,
}

loose! {
    /// Graph's `directoryAudit`.
    struct DirectoryAudit {
        id: Text<'a> = "id",
        activity_date_time: Text<'a> = "activitydatetime",
        activity_display_name: Text<'a> = "activitydisplayname",
        operation_name: Text<'a> = "operationname",
        category: Text<'a> = "category",
        operation_type: Text<'a> = "operationtype" | "aadoperationtype",
        result: Text<'a> = "result",
        result_reason: Text<'a> = "resultreason" | "resultdescription",
        logged_by_service: Text<'a> = "loggedbyservice",
        initiated_by: Option<&'a RawValue> = "initiatedby",
        target_resources: Option<&'a RawValue> = "targetresources",
        correlation_id: Text<'a> = "correlationid",
        // Not a member of Graph's object; here so that all of Entra's records name it alike.
        resource_tenant_id: Text<'a> = "resourcetenantid",
    }
}

loose! {
    /// Who changed something: one of the two.
    struct InitiatedBy {
        user: User<'a> = "user",
        app: App<'a> = "app",
    }
}

loose! {
    /// A person.
    struct User {
        id: Text<'a> = "id",
        user_principal_name: Text<'a> = "userprincipalname",
        display_name: Text<'a> = "displayname",
        ip_address: Text<'a> = "ipaddress",
    }
}

loose! {
    /// An application.
    struct App {
        app_id: Text<'a> = "appid",
        service_principal_id: Text<'a> = "serviceprincipalid",
        display_name: Text<'a> = "displayname",
        service_principal_name: Text<'a> = "serviceprincipalname",
    }
}

loose! {
    /// Something that was changed.
    struct TargetResource {
        id: Text<'a> = "id",
        display_name: Text<'a> = "displayname",
        user_principal_name: Text<'a> = "userprincipalname",
        type_name: Text<'a> = "type",
        modified_properties: Option<&'a RawValue> = "modifiedproperties",
    }
}

loose! {
    /// What of it was changed; the values are JSON text, often quoted twice.
    struct ModifiedProperty {
        display_name: Text<'a> = "displayname",
        old_value: Option<&'a RawValue> = "oldvalue",
        new_value: Option<&'a RawValue> = "newvalue",
    }
}

/// Reads the object of an audit record, and from its wrapper what that lacks.
pub(super) fn read<'p>(
    record: &Envelope<'_>,
    object: &str,
    properties: &'p str,
    canonical: &mut Canonical,
    reading: &Reading<'_>,
) -> Result<AuditEvent<'p>, String> {
    let audit: DirectoryAudit<'_> = read_or_empty(object);
    let time = audit.activity_date_time.get().or(record.time.get()).or(record.time_generated.get());
    let event_at = Instant::of_record(time, "neither `activityDateTime` nor `time` is there")?;
    let operation =
        audit.activity_display_name.get().or(record.operation_name.get()).or(audit.operation_name.get());
    let operation = operation
        .ok_or("no `activityDisplayName`, so nothing says what was done; export the record again with it")?;

    // Changes of roles on subscriptions name their path; the path of a tenant says nothing more.
    let path = record.resource_id.lower().filter(|path| !path.starts_with("/tenants/"));
    let subscription_id = path.as_deref().and_then(|path| parts(path).subscription_id).map(ToOwned::to_owned);
    let result = audit.result.lower().or_else(|| record.result_type.lower());

    let mut event = AuditEvent {
        event_id: [0; 16],
        event_at,
        customer_tenant_id: tenant(record, &audit.resource_tenant_id),
        subscription_id,
        resource_id: path,
        operation: operation.to_lowercase(),
        // The wrapper's is that of the log, `AuditLogs`; Graph's own says more.
        category: audit.category.lower().or_else(|| record.category.lower()),
        operation_type: audit.operation_type.lower(),
        result,
        result_reason: audit.result_reason.shown(),
        logged_by: audit.logged_by_service.lower(),
        actor: actor(record, &audit),
        target: target(&audit),
        correlation_id: audit.correlation_id.lower().or_else(|| record.correlation_id.lower()),
        properties,
    };
    event.event_id = hash(canonical, &event, audit.id.get(), reading);
    Ok(event)
}

fn hash(form: &mut Canonical, event: &AuditEvent<'_>, id: Option<&str>, reading: &Reading<'_>) -> EventId {
    form.start("audit")
        .text(Some(reading.partner_tenant_id.as_str()))
        .number(event.event_at.micros)
        .number(i64::from(event.event_at.nanos_beyond))
        .folded(id)
        .text(event.customer_tenant_id.as_deref().filter(|_| id.is_none()))
        .text(Some(&event.operation))
        .text(event.result.as_deref())
        .text(event.correlation_id.as_deref())
        .text(event.actor.id.as_deref())
        .text(event.actor.app_id.as_deref())
        .text(event.actor.ip.as_deref())
        .text(event.target.id.as_deref())
        .folded(event.target.role.as_deref())
        .folded(Some(event.properties).filter(|_| id.is_none()));
    form.id()
}

fn actor(record: &Envelope<'_>, audit: &DirectoryAudit<'_>) -> Actor {
    let text = nested(audit.initiated_by);
    let by: InitiatedBy<'_> = read_or_empty(&text);
    let address = by.user.ip_address.get().or(record.caller_ip_address.get());
    let ip = address.and_then(without_port);
    let is_user = by.user.id.get().or(by.user.user_principal_name.get()).is_some();
    if is_user {
        return Actor {
            kind: Some("user"),
            name: by.user.user_principal_name.lower().or_else(|| by.user.display_name.shown()),
            id: by.user.id.lower(),
            app_id: None,
            ip,
        };
    }
    let name = by.app.display_name.shown().or_else(|| by.app.service_principal_name.shown());
    let is_app = name.is_some() || by.app.app_id.get().or(by.app.service_principal_id.get()).is_some();
    // In the export's wrapper `identity` is a display name.
    let bare_name = || Some(record.identity.text()).filter(|text| !text.starts_with(['{', '[']));
    let bare_name =
        || bare_name().filter(|text| !matches!(&**text, "" | "null")).map(|text| text.into_owned());
    Actor {
        kind: is_app.then_some("app"),
        name: name.or_else(bare_name),
        id: by.app.service_principal_id.lower(),
        app_id: by.app.app_id.lower(),
        ip,
    }
}

fn target(audit: &DirectoryAudit<'_>) -> Target {
    let text = nested(audit.target_resources);
    let resources: Vec<TargetResource<'_>> = list(&text);
    let role = resources.iter().find_map(role);
    let Some(first) = resources.first() else { return Target::default() };
    Target {
        kind: first.type_name.lower(),
        name: first.user_principal_name.lower().or_else(|| first.display_name.shown()),
        id: first.id.lower(),
        role,
    }
}

/// The role that the change names, by its display name.
fn role(resource: &TargetResource<'_>) -> Option<String> {
    let text = nested(resource.modified_properties);
    let modified: Vec<ModifiedProperty<'_>> = list(&text);
    let named = |property: &&ModifiedProperty<'_>| {
        property.display_name.get().is_some_and(|name| name.eq_ignore_ascii_case("Role.DisplayName"))
    };
    let property = modified.iter().find(named)?;
    let value = |raw: Option<&RawValue>| {
        let text = unfold(raw?.get()).into_owned();
        (!matches!(text.as_str(), "" | "null")).then_some(text)
    };
    value(property.new_value).or_else(|| value(property.old_value))
}
