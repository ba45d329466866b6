//! Records: taking them in, where they come from, and for whom they come.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use super::super::super::operation::Operation;
use super::super::super::parts::id;
use super::*;
use crate::auth::{INGEST, READ, READ_WRITE};
use crate::error::Kind;

const TAG: &str = "records";

pub(super) fn operations() -> Vec<Operation> {
    vec![push(), sources(), coverage(), customers(), notices()]
}

fn kind() -> Value {
    json!({"type": "string"})
}

fn push() -> Operation {
    let rejected = object(json!({"line": count(), "reason": text()}));
    let schema = object(json!({
        "read": count(), "stored": count(), "duplicates": count(), "quarantined": count(), "empty": count(),
        "rejected": list_of(rejected),
    }));
    let example =
        json!({"read": 1, "stored": 1, "duplicates": 0, "quarantined": 0, "empty": 0, "rejected": []});
    let record = json!({"records": [{
        "time": TIME, "operationName": "MICROSOFT.COMPUTE/VIRTUALMACHINES/WRITE", "resultType": "Success",
        "resourceId": format!("/SUBSCRIPTIONS/{SUBSCRIPTION}/RESOURCEGROUPS/RG/PROVIDERS/MICROSOFT.COMPUTE/VIRTUALMACHINES/VM1"),
    }]});
    Operation::new(Method::POST, "/ingest/v1/{kind}", "pushRecords", TAG, "Push records")
        .describe("Records in any of the forms that `tenantwatch ingest` reads, also CSV and compressed; answered once they are stored. A customer's own key takes the place of a token.")
        .needs(&[INGEST])
        .parameter(path("kind", "The kind of record, such as activity or cost; any for whatever they are.", "any"))
        .parameter(query("statement", "The statement of costs that the records are a part of.", json!({"type": "string", "minLength": 1, "maxLength": 200}), json!("2031-02")))
        .parameter(query("part", "Which part of the statement, from 0.", count(), json!(1)))
        .parameter(query("stated", "When the statement was made.", time(), json!("2025-10-01T00:00:00Z")))
        .body(json!({}), record)
        .gives_json(StatusCode::OK, "What became of them.", schema, example)
        .fails(&[Kind::NotFound, Kind::Unavailable { retry_after_s: 1 }])
}

fn sources() -> Operation {
    let source = object(json!({
        "name": text(), "type": text(), "state": {"type": "string", "enum": ["ok", "failing"]},
        "lastPolledDateTime": maybe(time()), "lastSuccessDateTime": maybe(time()), "lastError": maybe(text()),
        "lastErrorDateTime": maybe(time()), "objects": count(), "records": count(), "bytes": count(),
    }));
    let example = json!({
        "name": "exports", "type": "folder", "state": "ok", "lastPolledDateTime": TIME, "lastSuccessDateTime": TIME,
        "lastError": null, "lastErrorDateTime": null, "objects": 12, "records": 3400, "bytes": 1_200_000,
    });
    Operation::get("/tenantwatch/v1/sources", "listSources", TAG, "List the sources")
        .describe(
            "What the server follows, and how each fares. Empty for a token that sees only some customers.",
        )
        .needs(&[READ, READ_WRITE])
        .gives_json(StatusCode::OK, "The sources.", value_of(source), json!({"value": [example]}))
}

fn coverage() -> Operation {
    let entry = object(json!({
        "kind": text(), "customerTenantId": maybe(text()), "subscriptionId": maybe(text()),
        "firstEventDateTime": maybe(time()), "lastEventDateTime": maybe(time()), "lastArrivalDateTime": time(),
        "lagSeconds": maybe(json!({"type": "integer"})), "eventsPerDay": number(), "stored": count(),
        "duplicates": count(), "rejected": count(), "silent": flag(),
    }));
    let example = json!({
        "kind": "activity", "customerTenantId": CUSTOMER, "subscriptionId": SUBSCRIPTION, "firstEventDateTime": TIME,
        "lastEventDateTime": TIME, "lastArrivalDateTime": TIME, "lagSeconds": 120, "eventsPerDay": 340.0,
        "stored": 12_000, "duplicates": 0, "rejected": 0, "silent": false,
    });
    Operation::get("/tenantwatch/v1/coverage", "listCoverage", TAG, "List what came, for whom")
        .describe(
            "For each kind of record and each subscription: how fresh, how much, and whether it fell silent.",
        )
        .needs(&[READ, READ_WRITE])
        .parameter(query("kind", "Only this kind.", kind(), json!("activity")))
        .parameter(query("customer", "Only this customer.", id(128), json!(CUSTOMER)))
        .parameter(query("silent", "Only those that are, or are not, silent.", flag(), json!(true)))
        .parameter(top())
        .gives_json(StatusCode::OK, "What came.", page_of(entry), json!({"value": [example]}))
}

fn customers() -> Operation {
    let customer = object(json!({
        "customerTenantId": text(), "name": maybe(text()), "domain": maybe(text()), "resellerTenantId": maybe(text()),
        "resellerMpnId": maybe(text()), "country": maybe(text()), "subscriptions": count(),
        "importedDateTime": maybe(time()), "seen": flag(),
    }));
    let example = json!({
        "customerTenantId": CUSTOMER, "name": "Contoso", "domain": "contoso.example", "resellerTenantId": null,
        "resellerMpnId": null, "country": "NO", "subscriptions": 2, "importedDateTime": TIME, "seen": true,
    });
    Operation::get("/tenantwatch/v1/customers", "listCustomers", TAG, "List the customers")
        .describe("The customers of an imported list, and whether anything ever came of them.")
        .needs(&[READ, READ_WRITE])
        .parameter(query(
            "seen",
            "Only those of which something, or nothing, ever came.",
            flag(),
            json!(false),
        ))
        .parameter(query(
            "kind",
            "What `seen` is about; any kind if nothing is said.",
            kind(),
            json!("activity"),
        ))
        .parameter(query("after", "Only those after this tenant.", id(128), json!(CUSTOMER)))
        .parameter(top())
        .gives_json(StatusCode::OK, "The customers.", page_of(customer), json!({"value": [example]}))
}

fn notices() -> Operation {
    let notice = object(json!({"kind": text(), "subject": text(), "text": text(), "raisedDateTime": time()}));
    let example = json!({"kind": "silent", "subject": CUSTOMER, "text": "Contoso sends no activity log.", "raisedDateTime": TIME});
    Operation::get("/tenantwatch/v1/notices", "listNotices", TAG, "List the notices to the operator")
        .describe("What is open: who fell silent or never sent anything, which source fails.")
        .needs(&[READ, READ_WRITE])
        .gives_json(StatusCode::OK, "The notices.", value_of(notice), json!({"value": [example]}))
}
