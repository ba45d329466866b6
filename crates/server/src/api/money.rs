//! What alerts cost: one, and all open ones, the most first.

use std::sync::Arc;

use alerts::AlertId;
use alerts::money::Currency;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::{Extension, Json};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use graph::ApiError;
use graph::auth::Caller;
use serde::Deserialize;
use serde_json::{Value, json};
use store::{MoneyOrder, MoneyPosition, MoneyQuery};

use super::Api;
use crate::app::money::{entry_as_json, money_as_json, totals_as_json};

/// How many entries a page has, if not told, and at most.
const PAGE: u64 = 100;
const PAGE_MAX: u64 = 1000;

/// `GET /tenantwatch/v1/alerts/{id}/moneyAtRisk`
pub(crate) async fn one(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Arc<Caller>>,
    Path(id): Path<String>,
) -> Result<Json<Value>, ApiError> {
    caller.permissions.may_read()?;
    let none = || ApiError::not_found(format!("There is no alert '{id}'."));
    let id: AlertId = id.parse().map_err(|_| none())?;
    let store = &api.instance.store;
    store.alert(&caller.scope, &id).await.map_err(ApiError::internal)?.ok_or_else(none)?;
    let money = store.money_at_risk(&caller.scope, &id).await.map_err(ApiError::internal)?;
    Ok(Json(money_as_json(id.as_str(), money.as_ref())))
}

/// The options of `GET /tenantwatch/v1/moneyAtRisk`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct ListOptions {
    currency: Option<Currency>,
    order_by: Option<OrderBy>,
    top: Option<u64>,
    after: Option<String>,
}

/// By what the list is sorted.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "camelCase")]
enum OrderBy {
    PerHour,
    SoFar,
}

/// `GET /tenantwatch/v1/moneyAtRisk`: the sums over open alerts, and these alerts, the most first.
pub(crate) async fn list(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Arc<Caller>>,
    options: Result<Query<ListOptions>, QueryRejection>,
) -> Result<Json<Value>, ApiError> {
    caller.permissions.may_read()?;
    let known = "The options are currency, orderBy (perHour or soFar), top and after.";
    let options = super::options(options, known)?;
    let limit = options.top.unwrap_or(PAGE).clamp(1, PAGE_MAX);
    let query = MoneyQuery {
        currency: options.currency.clone(),
        order: match options.order_by {
            None | Some(OrderBy::PerHour) => MoneyOrder::PerHour,
            Some(OrderBy::SoFar) => MoneyOrder::SoFar,
        },
        after: options.after.as_deref().map(decode).transpose()?,
        limit: Some(limit),
    };
    let store = &api.instance.store;
    let totals = store.money_totals(&caller.scope).await.map_err(ApiError::internal)?;
    let found = store.list_money(&caller.scope, &query).await.map_err(ApiError::internal)?;
    let entries: Vec<Value> =
        found.iter().map(entry_as_json).collect::<Result<_, _>>().map_err(ApiError::internal)?;
    let mut reply = json!({ "totals": totals_as_json(&totals), "value": entries });
    if let Some(last) = found.last().filter(|_| found.len() as u64 == limit) {
        reply["nextLink"] = json!(next_link(&query, limit, &last.position));
    }
    Ok(Json(reply))
}

fn next_link(query: &MoneyQuery, top: u64, last: &MoneyPosition) -> String {
    let mut link = url::form_urlencoded::Serializer::new(String::from("/tenantwatch/v1/moneyAtRisk?"));
    if let Some(currency) = &query.currency {
        link.append_pair("currency", currency.as_str());
    }
    if query.order == MoneyOrder::SoFar {
        link.append_pair("orderBy", "soFar");
    }
    link.append_pair("top", &top.to_string()).append_pair("after", &encode(last));
    link.finish()
}

fn encode(position: &MoneyPosition) -> String {
    let MoneyPosition { first, second, alert_id, currency } = position;
    URL_SAFE_NO_PAD.encode(format!("{first}\n{second}\n{currency}\n{alert_id}"))
}

fn decode(text: &str) -> Result<MoneyPosition, ApiError> {
    let wrong =
        || ApiError::bad_request("The option after is not one of a nextLink; follow the link as it is.");
    let decoded = URL_SAFE_NO_PAD.decode(text).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let decoded = decoded.ok_or_else(wrong)?;
    let parts: Vec<&str> = decoded.splitn(4, '\n').collect();
    let [first, second, currency, alert_id] = parts.as_slice() else { return Err(wrong()) };
    Ok(MoneyPosition {
        first: first.parse().map_err(|_| wrong())?,
        second: second.parse().map_err(|_| wrong())?,
        alert_id: (*alert_id).to_owned(),
        currency: (*currency).to_owned(),
    })
}
