//! What the operator says of findings, and what it silenced.

use std::collections::BTreeMap;
use std::sync::Arc;

use alerts::{About, CustomerTenantId, Scope, SubscriptionId};
use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::{Extension, Json};
use chrono::{DateTime, Utc};
use graph::ApiError;
use graph::auth::Caller;
use graph::error::Kind;
use graph::http::json_object;
use serde::Deserialize;
use serde_json::{Value, json};
use store::SilencedQuery;

use super::Api;
use crate::app::tuning::{new_rule, read_effect, rule_as_json, silenced_as_json};

/// How large a rule may be.
const RULE_BYTES_MAX: usize = 64 * 1024;

/// How many entries the list of what was silenced has, if not told, and at most.
const PAGE: u64 = 100;
const PAGE_MAX: u64 = 1000;

/// The reply to a method that the list of rules does not have.
pub(crate) async fn get_or_post(_: Method) -> ApiError {
    ApiError::method_not_allowed("GET, HEAD, POST")
}

/// The reply to a method that a rule does not have.
pub(crate) async fn only_delete(_: Method) -> ApiError {
    ApiError::method_not_allowed("DELETE")
}

/// The options of `GET /tenantwatch/v1/tuningRules`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListOptions {
    ended: Option<bool>,
}

/// `GET /tenantwatch/v1/tuningRules`: the rules that hold, oldest first; with `ended=true` also the others.
pub(crate) async fn list(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Arc<Caller>>,
    options: Result<Query<ListOptions>, QueryRejection>,
) -> Result<Json<Value>, ApiError> {
    caller.permissions.may_read()?;
    let options = super::options(options, "The option is ended (true or false).")?;
    let ended = options.ended.unwrap_or(false);
    let rules = api.instance.store.tuning_rules(&caller.scope, ended).await.map_err(ApiError::internal)?;
    let rules: Vec<Value> = rules.iter().map(rule_as_json).collect();
    Ok(Json(json!({ "value": rules })))
}

/// A rule as a caller writes it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Written {
    detector_id: Option<String>,
    customer_tenant_id: Option<CustomerTenantId>,
    subscription_id: Option<SubscriptionId>,
    grouping_key: Option<String>,
    #[serde(default)]
    evidence: BTreeMap<String, Vec<String>>,
    from_date_time: Option<DateTime<Utc>>,
    until_date_time: Option<DateTime<Utc>>,
    effect: String,
    reason: String,
}

/// `POST /tenantwatch/v1/tuningRules`
pub(crate) async fn add(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Arc<Caller>>,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<Value>), ApiError> {
    whole_partner_may_write(&caller)?;
    let body = json_object(&headers, body, RULE_BYTES_MAX).await?;
    let written: Written = serde_json::from_value(Value::Object(body))
        .map_err(|error| ApiError::bad_request(format!("The rule cannot be read: {error}.")))?;
    let effect = read_effect(&written.effect).map_err(ApiError::bad_request)?;
    let about = About {
        detector_id: written.detector_id,
        customer_tenant_id: written.customer_tenant_id,
        subscription_id: written.subscription_id,
        grouping_key: written.grouping_key,
        evidence: written.evidence,
        from: written.from_date_time,
        until: written.until_date_time,
    };
    let rule = new_rule(&api.instance, about, effect, &written.reason, &caller.name, Utc::now())
        .map_err(|unsound| ApiError::bad_request(format!("{unsound}.")))?;
    api.instance.store.add_tuning_rule(&caller.scope, &rule).await.map_err(ApiError::internal)?;
    Ok((StatusCode::CREATED, Json(rule_as_json(&rule))))
}

/// `DELETE /tenantwatch/v1/tuningRules/{id}`: takes a rule back; it stays listed with `ended=true`.
pub(crate) async fn end(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Arc<Caller>>,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    whole_partner_may_write(&caller)?;
    let ended = api.instance.store.end_tuning_rule(&caller.scope, &id, Utc::now()).await;
    if ended.map_err(ApiError::internal)? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(ApiError::not_found(format!("There is no tuning rule '{id}'.")))
    }
}

/// Rules and numbers change what all customers' alerts are, so whoever sees only some makes none.
pub(super) fn whole_partner_may_write(caller: &Caller) -> Result<(), ApiError> {
    caller.permissions.may_write()?;
    match caller.scope {
        Scope::Partner(_) => Ok(()),
        Scope::Reseller(..) | Scope::Customer(..) => {
            let message = "Tuning is the partner's to do; this token sees only some of its customers.";
            Err(ApiError::new(Kind::Forbidden, message))
        }
    }
}

/// The options of `GET /tenantwatch/v1/silenced`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SilencedOptions {
    detector: Option<String>,
    subscription: Option<SubscriptionId>,
    rule: Option<String>,
    top: Option<u64>,
}

/// `GET /tenantwatch/v1/silenced`: what rules silenced and why, the latest first.
pub(crate) async fn silenced(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Arc<Caller>>,
    options: Result<Query<SilencedOptions>, QueryRejection>,
) -> Result<Json<Value>, ApiError> {
    caller.permissions.may_read()?;
    let options = super::options(options, "The options are detector, subscription, rule and top.")?;
    let query = SilencedQuery {
        detector_id: options.detector,
        subscription_id: options.subscription,
        rule_id: options.rule,
        limit: Some(options.top.unwrap_or(PAGE).clamp(1, PAGE_MAX)),
    };
    let found = api.instance.store.silenced(&caller.scope, &query).await.map_err(ApiError::internal)?;
    let found: Vec<Value> = found.iter().map(silenced_as_json).collect();
    Ok(Json(json!({ "value": found })))
}
