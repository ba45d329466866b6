//! Where records come from, and for whom they come: sources, coverage, notices, customers.

use std::sync::Arc;

use alerts::{CustomerTenantId, Scope};
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::{Extension, Json};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use graph::ApiError;
use graph::auth::Caller;
use serde::Deserialize;
use serde_json::{Value, json};
use store::{Coverage, CoverageKey, CoverageQuery, CustomerQuery, KnownCustomer, Notice, SourceStatus};

use super::Api;
use crate::config::SilentAfter;

/// How many entries a page has, if not told, and at most.
const PAGE: u64 = 100;
const PAGE_MAX: u64 = 1000;

/// `GET /tenantwatch/v1/sources`
pub(crate) async fn list(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Arc<Caller>>,
) -> Result<Json<Value>, ApiError> {
    caller.permissions.may_read()?;
    let sources = api.instance.store.sources(&caller.scope).await.map_err(ApiError::internal)?;
    let sources: Vec<Value> = sources.iter().map(source).collect();
    Ok(Json(json!({ "value": sources })))
}

fn source(status: &SourceStatus) -> Value {
    let (error, error_at) = status.last_error.clone().unzip();
    json!({
        "name": status.name,
        "type": status.kind,
        "state": if status.is_failing() { "failing" } else { "ok" },
        "lastPolledDateTime": status.last_polled_at,
        "lastSuccessDateTime": status.last_success_at,
        "lastError": error,
        "lastErrorDateTime": error_at,
        "objects": status.objects,
        "records": status.records,
        "bytes": status.bytes,
    })
}

/// The options of `GET /tenantwatch/v1/coverage`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CoverageOptions {
    kind: Option<String>,
    customer: Option<CustomerTenantId>,
    silent: Option<bool>,
    top: Option<u64>,
    after: Option<String>,
}

/// `GET /tenantwatch/v1/coverage`
///
/// With `silent`, a page may have fewer entries than `top`, and none, and yet be followed by others.
pub(crate) async fn coverage(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Arc<Caller>>,
    options: Result<Query<CoverageOptions>, QueryRejection>,
) -> Result<Json<Value>, ApiError> {
    caller.permissions.may_read()?;
    let known = "The options are kind, customer, silent (true or false), top and after.";
    let options = super::options(options, known)?;
    let limit = options.top.unwrap_or(PAGE).clamp(1, PAGE_MAX);
    let after = options.after.as_deref().map(decode).transpose()?;
    let query = CoverageQuery {
        kind: options.kind.clone(),
        customer_tenant_id: options.customer.clone(),
        after,
        limit: Some(limit),
    };
    let found = api.instance.store.coverage(&caller.scope, &query).await.map_err(ApiError::internal)?;
    let now = Utc::now();
    let next = found
        .last()
        .filter(|_| found.len() as u64 == limit)
        .map(|last| next_link(&options, limit, &last.key()));
    let is_wanted = |entry: &&Value| options.silent.is_none_or(|silent| entry["silent"] == json!(silent));
    let entries: Vec<Value> = found.iter().map(|entry| describe(entry, &api.silent_after, now)).collect();
    let entries: Vec<&Value> = entries.iter().filter(is_wanted).collect();
    let mut reply = json!({ "value": entries });
    if let Some(next) = next {
        reply["nextLink"] = json!(next);
    }
    Ok(Json(reply))
}

/// One kind of record of one subscription, or of a customer.
pub(crate) fn describe(entry: &Coverage, silent_after: &SilentAfter, now: DateTime<Utc>) -> Value {
    let silent = silent_after.of(&entry.kind).is_some_and(|after| entry.is_silent(after, now));
    json!({
        "kind": entry.kind,
        "customerTenantId": entry.customer_tenant_id,
        "subscriptionId": entry.subscription_id,
        "firstEventDateTime": entry.first_event_at,
        "lastEventDateTime": entry.last_event_at,
        "lastArrivalDateTime": entry.last_arrived_at,
        "lagSeconds": entry.lag(now).map(|lag| lag.num_seconds()),
        "eventsPerDay": entry.events_per_day(now).round(),
        "stored": entry.stored,
        "duplicates": entry.duplicates,
        "rejected": entry.rejected,
        "silent": silent,
    })
}

fn next_link(options: &CoverageOptions, top: u64, last: &CoverageKey) -> String {
    let mut link = url::form_urlencoded::Serializer::new(String::from("/tenantwatch/v1/coverage?"));
    if let Some(kind) = &options.kind {
        link.append_pair("kind", kind);
    }
    if let Some(customer) = &options.customer {
        link.append_pair("customer", customer.as_str());
    }
    if let Some(silent) = options.silent {
        link.append_pair("silent", if silent { "true" } else { "false" });
    }
    link.append_pair("top", &top.to_string()).append_pair("after", &encode(last));
    link.finish()
}

fn encode(key: &CoverageKey) -> String {
    URL_SAFE_NO_PAD.encode([key.kind.as_str(), &key.customer, &key.subscription].join("\n"))
}

fn decode(text: &str) -> Result<CoverageKey, ApiError> {
    let decoded = URL_SAFE_NO_PAD.decode(text).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let parts: Vec<String> = decoded.unwrap_or_default().split('\n').map(str::to_owned).collect();
    let Ok([kind, customer, subscription]) = <[String; 3]>::try_from(parts) else {
        return Err(ApiError::bad_request(
            "The option after is not one of a nextLink; follow the link as it is.",
        ));
    };
    Ok(CoverageKey { kind, customer, subscription })
}

/// `GET /tenantwatch/v1/notices`: the open ones.
pub(crate) async fn notices(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Arc<Caller>>,
) -> Result<Json<Value>, ApiError> {
    caller.permissions.may_read()?;
    let notices = api.instance.store.notices(&caller.scope, false).await.map_err(ApiError::internal)?;
    let notices: Vec<Value> = notices.iter().map(notice).collect();
    Ok(Json(json!({ "value": notices })))
}

fn notice(notice: &Notice) -> Value {
    json!({
        "kind": notice.kind,
        "subject": notice.subject,
        "text": notice.text,
        "raisedDateTime": notice.raised_at,
    })
}

/// The options of `GET /tenantwatch/v1/customers`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CustomerOptions {
    seen: Option<bool>,
    kind: Option<String>,
    top: Option<u64>,
    after: Option<CustomerTenantId>,
}

/// `GET /tenantwatch/v1/customers`: with `seen=false` those of which nothing ever came, of `kind` if that is named.
pub(crate) async fn customers(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Arc<Caller>>,
    options: Result<Query<CustomerOptions>, QueryRejection>,
) -> Result<Json<Value>, ApiError> {
    caller.permissions.may_read()?;
    let options = super::options(options, "The options are seen (true or false), kind, top and after.")?;
    let limit = options.top.unwrap_or(PAGE).clamp(1, PAGE_MAX);
    let scope: &Scope = &caller.scope;
    let query = CustomerQuery {
        has_records: options.seen,
        kind: options.kind.clone(),
        after: options.after.clone(),
        limit: Some(limit),
    };
    let found = api.instance.store.customers(scope, &query).await.map_err(ApiError::internal)?;
    let mut reply = json!({ "value": found.iter().map(customer).collect::<Vec<Value>>() });
    if let Some(last) = found.last().filter(|_| found.len() as u64 == limit) {
        let mut link = url::form_urlencoded::Serializer::new(String::from("/tenantwatch/v1/customers?"));
        if let Some(seen) = options.seen {
            link.append_pair("seen", if seen { "true" } else { "false" });
        }
        if let Some(kind) = &options.kind {
            link.append_pair("kind", kind);
        }
        let last = last.customer.customer_tenant_id.as_str();
        link.append_pair("top", &limit.to_string()).append_pair("after", last);
        reply["nextLink"] = json!(link.finish());
    }
    Ok(Json(reply))
}

fn customer(known: &KnownCustomer) -> Value {
    let customer = &known.customer;
    json!({
        "customerTenantId": customer.customer_tenant_id,
        "name": customer.name,
        "domain": customer.domain,
        "resellerTenantId": customer.reseller_tenant_id,
        "resellerMpnId": customer.reseller_mpn_id,
        "country": customer.country,
        "subscriptions": known.subscriptions,
        "importedDateTime": known.imported_at,
        "seen": known.has_records,
    })
}
