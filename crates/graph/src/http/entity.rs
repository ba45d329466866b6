//! Alerts as Graph writes them: context, count, next link, and the stored JSON in between.

use std::borrow::Cow;

use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use odata::Selection;
use serde_json::Value;

use super::Link;
use crate::app::alerts::{AlertList, AlertReply};

const ODATA_VERSION: HeaderName = HeaderName::from_static("odata-version");

/// As Graph sends it.
const MEDIA_TYPE: HeaderValue = HeaderValue::from_static(
    "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8",
);

const SET: &str = "security/partner/securityAlerts";

fn context(link: &Link, selection: Option<&Selection>, suffix: &str) -> String {
    let list = selection.map(|selection| format!("({})", selection.context_list())).unwrap_or_default();
    format!("{}/$metadata#{SET}{list}{suffix}", link.beta())
}

/// The reply with one alert.
pub(super) fn single(link: &Link, reply: &AlertReply) -> Response {
    let context = quoted(&context(link, reply.selection.as_ref(), "/$entity"));
    let alert = selected(reply.selection.as_ref(), &reply.body);
    // The stored JSON is an object; the context goes before its first property.
    let rest = alert.strip_prefix('{').expect("a stored alert is a JSON object");
    let comma = if rest.starts_with('}') { "" } else { "," };
    respond(format!("{{\"@odata.context\":{context}{comma}{rest}"))
}

/// The reply with a page of alerts.
pub(super) fn collection(link: &Link, list: &AlertList) -> Response {
    let size: usize = list.alerts.iter().map(String::len).sum();
    let mut text = String::with_capacity(size + 1024);
    text.push_str("{\"@odata.context\":");
    text.push_str(&quoted(&context(link, list.selection.as_ref(), "")));
    if let Some(count) = list.count {
        text.push_str(&format!(",\"@odata.count\":{count}"));
    }
    if let Some(query) = &list.next_query {
        let next = format!("{}/{SET}?{query}", link.beta());
        text.push_str(",\"@odata.nextLink\":");
        text.push_str(&quoted(&next));
    }
    text.push_str(",\"value\":[");
    for (index, body) in list.alerts.iter().enumerate() {
        if index > 0 {
            text.push(',');
        }
        text.push_str(&selected(list.selection.as_ref(), body));
    }
    text.push_str("]}");
    respond(text)
}

fn selected<'a>(selection: Option<&Selection>, body: &'a str) -> Cow<'a, str> {
    let Some(selection) = selection else { return body.into() };
    let mut alert: Value = serde_json::from_str(body).expect("a stored alert is JSON");
    selection.apply(&mut alert);
    alert.to_string().into()
}

fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

/// A reply with that JSON, and the headers that Graph's JSON has.
pub(super) fn respond(text: String) -> Response {
    let version = HeaderValue::from_static("4.0");
    ([(header::CONTENT_TYPE, MEDIA_TYPE), (ODATA_VERSION, version)], text).into_response()
}
