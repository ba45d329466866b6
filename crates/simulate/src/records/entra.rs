//! What Entra's sign-in and audit logs have in common: the wrapper of the diagnostic export, one record a
//! line, and Graph's pages.

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use crate::estate::Customer;
use crate::records::activity::export_time;

/// A record of the diagnostic export. What Graph shows stands in `properties`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ExportRecord<'a> {
    pub(super) time: String,
    pub(super) resource_id: String,
    pub(super) operation_name: &'a str,
    pub(super) operation_version: &'static str,
    pub(super) category: &'static str,
    pub(super) tenant_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) result_type: Option<String>,
    pub(super) result_signature: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) result_description: Option<&'a str>,
    pub(super) duration_ms: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) caller_ip_address: Option<&'a str>,
    pub(super) correlation_id: Uuid,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) identity: Option<&'a str>,
    #[serde(rename = "Level")]
    pub(super) level: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) location: Option<&'a str>,
    pub(super) properties: Value,
}

/// When the export writes a record: some minutes after it happened, and by the end of what has happened.
pub(super) fn exported_at(at: DateTime<Utc>, id: Uuid, end: DateTime<Utc>) -> String {
    let lag = TimeDelta::milliseconds(45_000 + (id.as_u128() % 240_000) as i64);
    export_time((at + lag).min(end - TimeDelta::milliseconds(1)).max(at))
}

/// Path of a directory, as its own logs name it.
pub(super) fn directory_id(customer: &Customer) -> String {
    format!("/tenants/{}/providers/Microsoft.aadiam", customer.tenant_id)
}

/// Writes records one a line. Returns their number.
pub(super) fn lines<T: Serialize>(
    records: impl Iterator<Item = T>,
    out: &mut Vec<u8>,
) -> serde_json::Result<u64> {
    let mut count = 0;
    for record in records {
        serde_json::to_writer(&mut *out, &record)?;
        out.push(b'\n');
        count += 1;
    }
    Ok(count)
}

/// Writes a page of Graph's. Returns the number of its objects; none leaves `out` empty.
pub(super) fn page(
    collection: &str,
    objects: impl Iterator<Item = Value>,
    out: &mut Vec<u8>,
) -> serde_json::Result<u64> {
    #[derive(Serialize)]
    struct Page {
        #[serde(rename = "@odata.context")]
        context: String,
        value: Vec<Value>,
    }
    let value: Vec<Value> = objects.collect();
    let count = value.len() as u64;
    if count > 0 {
        let context = format!("https://graph.microsoft.com/beta/$metadata#auditLogs/{collection}");
        serde_json::to_writer(out, &Page { context, value })?;
    }
    Ok(count)
}
