//! Entra's audit log: the diagnostic export, and Graph's `directoryAudit`.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::estate::Customer;
use crate::records::activity::export_time;
use crate::records::entra::{ExportRecord, directory_id, exported_at, lines, page};
use crate::script::{Actor, Change, DirectoryAct, Target};

/// The container of the export.
pub(crate) const CONTAINER: &str = "insights-logs-auditlogs";

/// The name space of ids that follow from other ids.
const ID_SPACE: Uuid = Uuid::from_u128(0x61e0_93fd_52a8_4c0d_8a8e_0f3b_77d1_cc03);

/// Writes changes as lines. What is after `end` has not happened yet and is left out. Returns the number of
/// records; none leaves `out` empty.
pub(crate) fn export(
    customer: &Customer,
    acts: &[DirectoryAct],
    end: DateTime<Utc>,
    out: &mut Vec<u8>,
) -> serde_json::Result<u64> {
    let happened = acts.iter().filter(|act| act.at < end);
    lines(happened.map(|act| exported(customer, act, end)), out)
}

/// Writes changes as a page of Graph's, otherwise as [`export`].
///
/// Graph's object does not say whose directory it is; whoever fetches it for many customers adds
/// `resourceTenantId`, by the name that sign-ins have for it.
pub(crate) fn graph(
    customer: &Customer,
    acts: &[DirectoryAct],
    end: DateTime<Utc>,
    out: &mut Vec<u8>,
) -> serde_json::Result<u64> {
    let happened = acts.iter().filter(|act| act.at < end);
    let objects = happened.map(|act| {
        let mut object = object(customer, act);
        object["resourceTenantId"] = json!(customer.tenant_id);
        object
    });
    page("directoryAudits", objects, out)
}

fn exported<'a>(customer: &'a Customer, act: &'a DirectoryAct, end: DateTime<Utc>) -> ExportRecord<'a> {
    let (identity, address) = match &act.actor {
        Actor::Person(caller) => {
            let user = customer.directory.user(&caller.principal);
            (user.map(|user| user.name.as_str()), caller.address.as_deref())
        }
        Actor::Application(_, name) => (Some(name.as_str()), None),
        Actor::Service(name) => (Some(*name), None),
    };
    ExportRecord {
        time: exported_at(act.at, act.id, end),
        resource_id: directory_id(customer),
        operation_name: act.activity,
        operation_version: "1.0",
        category: "AuditLogs",
        tenant_id: &customer.tenant_id,
        result_type: None,
        result_signature: "None",
        result_description: act.failure,
        duration_ms: 0,
        caller_ip_address: address,
        correlation_id: act.correlation,
        identity,
        level: 4,
        location: None,
        properties: object(customer, act),
    }
}

/// Graph's `directoryAudit`.
fn object(customer: &Customer, act: &DirectoryAct) -> Value {
    let prefix = if act.service == "Core Directory" { "Directory" } else { act.service };
    let details: Vec<Value> =
        act.details.iter().map(|(key, value)| json!({"key": key, "value": value})).collect();
    json!({
        "id": format!("{prefix}_{}_{}", act.correlation, act.id.simple()),
        "activityDateTime": export_time(act.at),
        "activityDisplayName": act.activity,
        "category": act.category,
        "correlationId": act.correlation,
        "loggedByService": act.service,
        "operationType": act.operation,
        "result": if act.failure.is_some() { "failure" } else { "success" },
        "resultReason": act.failure.unwrap_or_default(),
        "initiatedBy": initiated_by(customer, &act.actor),
        "targetResources": act.targets.iter().map(target_resource).collect::<Vec<_>>(),
        "additionalDetails": details,
    })
}

/// Of an application only its service principal is told: records that operators published have no `appId`,
/// whatever the documentation shows.
fn initiated_by(customer: &Customer, actor: &Actor) -> Value {
    let app = |name: &str, service_principal_id: Uuid| {
        json!({
            "app": {
                "appId": null,
                "displayName": name,
                "servicePrincipalId": service_principal_id,
                "servicePrincipalName": null,
            },
            "user": null,
        })
    };
    match actor {
        Actor::Person(caller) => json!({
            "user": {
                "id": caller.principal.object_id,
                "displayName": null,
                "userPrincipalName": caller.principal.caller,
                "ipAddress": caller.address,
                "roles": [],
            },
            "app": null,
        }),
        Actor::Application(principal, name) => app(name, principal.object_id),
        Actor::Service(name) => {
            app(name, Uuid::new_v5(&ID_SPACE, format!("{}/{name}", customer.tenant_id).as_bytes()))
        }
    }
}

fn target_resource(target: &Target) -> Value {
    let changes: Vec<Value> = target
        .changes
        .iter()
        .map(|Change { name, old, new }| json!({"displayName": name, "oldValue": old, "newValue": new}))
        .collect();
    json!({
        "id": target.id,
        "displayName": target.name,
        "type": target.kind,
        "userPrincipalName": target.principal_name,
        "groupType": (target.kind == "Group").then_some("azureAD"),
        "modifiedProperties": changes,
    })
}
