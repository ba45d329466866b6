//! Alerts as Graph writes them: control information, and the stored JSON in between.
//!
//! At the usual level the stored JSON is sent as it is, with a few bytes before it. Only a selection, or
//! the full level, has it read and written again.

use std::fmt::Write as _;

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use odata::model::Type;
use odata::{MetadataLevel, Selection};
use serde_json::{Map, Value};
use store::AlertBody;

use super::Link;
use super::etag::etag;
use crate::app::alerts::{AlertList, Changes, DeltaLink, LAST_MODIFIED, Removed, wire_time};

const ODATA_VERSION: HeaderName = HeaderName::from_static("odata-version");

/// The path of the alerts under the API's own.
pub(super) const SET: &str = "security/partner/securityAlerts";

/// How alerts are written in one reply.
pub(super) struct Form<'a> {
    pub(super) link: &'a Link,
    pub(super) level: MetadataLevel,
    pub(super) selection: Option<&'a Selection>,
    /// Whether the id is shown even if it is not selected, as in delta replies.
    pub(super) always_id: bool,
}

/// One alert.
pub(super) fn single(form: &Form<'_>, body: &AlertBody) -> Response {
    let mut text = String::with_capacity(body.json.len() + 256);
    text.push('{');
    if form.level != MetadataLevel::None {
        push_member(&mut text, "@odata.context", &form.context("/$entity"));
    }
    form.push_members(&mut text, body);
    text.push('}');
    let mut response = respond(form.level, text);
    if let Ok(tag) = HeaderValue::from_str(&etag(body.version)) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response
}

/// A page of alerts.
pub(super) fn collection(form: &Form<'_>, list: &AlertList) -> Response {
    let next = list.next_query.as_deref().map(|query| ("@odata.nextLink", form.link_to(SET, query)));
    let link = next.map_or_else(Vec::new, |next| vec![next]);
    respond(form.level, form.list(list.count, &link, &list.alerts, &[]))
}

/// A page of changes.
pub(super) fn delta(form: &Form<'_>, changes: &Changes) -> Response {
    let path = format!("{SET}/delta()");
    let link = match &changes.link {
        DeltaLink::Next(query) => ("@odata.nextLink", form.link_to(&path, query)),
        DeltaLink::Delta(query) => ("@odata.deltaLink", form.link_to(&path, query)),
    };
    respond(form.level, form.list(None, &[link], &changes.alerts, &changes.removed))
}

impl Form<'_> {
    fn link_to(&self, path: &str, query: &str) -> String {
        format!("{}/{path}?{query}", self.link.beta())
    }

    fn context(&self, suffix: &str) -> String {
        let list = self.selection.map(|selection| format!("({})", selection.context_list()));
        format!("{}/$metadata#{SET}{}{suffix}", self.link.beta(), list.unwrap_or_default())
    }

    fn list(
        &self,
        count: Option<u64>,
        links: &[(&str, String)],
        alerts: &[AlertBody],
        removed: &[Removed],
    ) -> String {
        let size: usize = alerts.iter().map(|alert| alert.json.len() + 32).sum();
        let mut text = String::with_capacity(size + 1024);
        text.push('{');
        if self.level != MetadataLevel::None {
            push_member(&mut text, "@odata.context", &self.context(""));
        }
        if let Some(count) = count {
            push_name(&mut text, "@odata.count");
            text.push_str(&count.to_string());
        }
        for (name, link) in links {
            push_member(&mut text, name, link);
        }
        push_name(&mut text, "value");
        text.push('[');
        for (index, alert) in alerts.iter().enumerate() {
            text.push_str(if index > 0 { ",{" } else { "{" });
            self.push_members(&mut text, alert);
            text.push('}');
        }
        for (index, gone) in removed.iter().enumerate() {
            let reason = if gone.is_deleted { "deleted" } else { "changed" };
            text.push_str(if index > 0 || !alerts.is_empty() { ",{" } else { "{" });
            push_member(&mut text, "id", gone.id.as_str());
            push_name(&mut text, "@removed");
            text.push_str(&format!("{{\"reason\":\"{reason}\"}}}}"));
        }
        text.push_str("]}");
        text
    }

    /// The members of one alert's object.
    fn push_members(&self, text: &mut String, body: &AlertBody) {
        if self.level == MetadataLevel::Full {
            self.push_identity(text, body);
        }
        if self.level != MetadataLevel::None {
            push_etag(text, body.version);
        }
        if self.selection.is_none() && self.level != MetadataLevel::Full {
            push_object(text, &body.json);
            return;
        }
        let mut alert: Value = serde_json::from_str(&body.json).expect("a stored alert is JSON");
        if let (Some(selection), Value::Object(members)) = (self.selection, &mut alert) {
            members.insert(LAST_MODIFIED.to_owned(), wire_time(body.modified_at).into());
            let id = members.get("id").filter(|_| self.always_id).cloned();
            selection.apply(&mut alert);
            if let (Some(id), Value::Object(members)) = (id, &mut alert)
                && !members.contains_key("id")
            {
                members.shift_insert(0, "id".to_owned(), id);
            }
        }
        if let (MetadataLevel::Full, Value::Object(members)) = (self.level, &mut alert) {
            *members = with_types(std::mem::take(members));
        }
        push_object(text, &alert.to_string());
    }

    /// What the full level says of an entity beside its properties.
    fn push_identity(&self, text: &mut String, body: &AlertBody) {
        let alert: Value = serde_json::from_str(&body.json).expect("a stored alert is JSON");
        let id = alert["id"].as_str().unwrap_or_default().replace('\'', "''");
        let encoded = percent_encoding::utf8_percent_encode(&id, percent_encoding::NON_ALPHANUMERIC);
        let path = format!("{SET}('{}')", encoded.to_string().replace("%2D", "-"));
        push_member(text, "@odata.type", &format!("#{}", store::alert_model().name));
        push_member(text, "@odata.id", &format!("{}/{path}", self.link.beta()));
        push_member(text, "@odata.editLink", &path);
    }
}

/// Puts the type before each property whose JSON does not tell it.
fn with_types(members: Map<String, Value>) -> Map<String, Value> {
    let mut typed = Map::new();
    for (name, value) in members {
        let declared = store::alert_model().property(&name).map(|property| property.ty);
        let shown = match declared {
            Some(Type::DateTimeOffset) if !value.is_null() => Some("#DateTimeOffset".to_owned()),
            Some(Type::Enum(enumeration)) if !value.is_null() => Some(format!("#{}", enumeration.name)),
            Some(Type::Complex(structure)) if !value.is_null() => Some(format!("#{}", structure.name)),
            Some(Type::Collection(item)) => Some(format!("#Collection({})", item.name)),
            _ => None,
        };
        if let Some(shown) = shown {
            typed.insert(format!("{name}@odata.type"), shown.into());
        }
        typed.insert(name, value);
    }
    typed
}

/// Adds the members of a JSON object to the object that the text is in the middle of.
fn push_object(text: &mut String, object: &str) {
    let members = object.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).unwrap_or_default();
    if !members.is_empty() {
        push_comma(text);
        text.push_str(members);
    }
}

fn push_member(text: &mut String, name: &str, value: &str) {
    push_name(text, name);
    push_text(text, value);
}

/// As `push_member(text, "@odata.etag", &etag(version))`, which a page does for each alert.
fn push_etag(text: &mut String, version: u64) {
    push_name(text, "@odata.etag");
    // Writing to a string cannot fail.
    let _ = write!(text, "\"W/\\\"{version}\\\"\"");
}

fn push_name(text: &mut String, name: &str) {
    push_comma(text);
    text.push('"');
    text.push_str(name);
    text.push_str("\":");
}

fn push_comma(text: &mut String) {
    if !text.ends_with('{') {
        text.push(',');
    }
}

/// A JSON string; most need no escaping.
fn push_text(text: &mut String, value: &str) {
    if value.bytes().all(|byte| byte >= b' ' && byte != b'"' && byte != b'\\') {
        text.push('"');
        text.push_str(value);
        text.push('"');
    } else {
        text.push_str(&Value::from(value).to_string());
    }
}

/// A reply with these headers of Graph's.
pub(super) fn respond(level: MetadataLevel, text: String) -> Response {
    let mut headers = HeaderMap::with_capacity(4);
    headers.insert(header::CONTENT_TYPE, media_type(level));
    headers.insert(ODATA_VERSION, HeaderValue::from_static("4.0"));
    (headers, text).into_response()
}

/// As Graph sends it.
fn media_type(level: MetadataLevel) -> HeaderValue {
    HeaderValue::from_static(match level {
        MetadataLevel::None => {
            "application/json;odata.metadata=none;odata.streaming=true;IEEE754Compatible=false;charset=utf-8"
        }
        MetadataLevel::Minimal => {
            "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8"
        }
        MetadataLevel::Full => {
            "application/json;odata.metadata=full;odata.streaming=true;IEEE754Compatible=false;charset=utf-8"
        }
    })
}
