//! Alerts as Graph writes them: context, count, next link, and the stored JSON in between.

use std::borrow::Cow;

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use odata::Selection;
use serde_json::Value;

use crate::app::alert::{AlertList, AlertReply};
use crate::error::ApiError;

const ODATA_VERSION: HeaderName = HeaderName::from_static("odata-version");

/// As Graph sends it.
const MEDIA_TYPE: HeaderValue = HeaderValue::from_static(
    "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8",
);

const SET: &str = "security/partner/securityAlerts";

/// Where the client found this server: the start of every link in a reply.
pub(crate) struct Link(String);

impl Link {
    /// From the `Host` header that the client sent, since links must lead back the way it came.
    ///
    /// # Errors
    ///
    /// [`ApiError::BadHost`] if there is none, or it could not stand in a link.
    pub(crate) fn of(headers: &HeaderMap) -> Result<Self, ApiError> {
        let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).ok_or(ApiError::BadHost)?;
        let plausible = |c: char| c.is_ascii_alphanumeric() || ".-:[]_".contains(c);
        if host.is_empty() || host.len() > 255 || !host.chars().all(plausible) {
            return Err(ApiError::BadHost);
        }
        Ok(Self(format!("http://{host}/beta")))
    }

    fn context(&self, selection: Option<&Selection>, suffix: &str) -> String {
        let list = selection.map(|selection| format!("({})", selection.context_list())).unwrap_or_default();
        format!("{}/$metadata#{SET}{list}{suffix}", self.0)
    }
}

/// The reply with one alert.
pub(crate) fn single(link: &Link, reply: &AlertReply) -> Response {
    let context = quoted(&link.context(reply.selection.as_ref(), "/$entity"));
    let alert = selected(reply.selection.as_ref(), &reply.body);
    // The stored JSON is an object; the context goes before its first property.
    let rest = alert.strip_prefix('{').expect("a stored alert is a JSON object");
    let comma = if rest.starts_with('}') { "" } else { "," };
    respond(format!("{{\"@odata.context\":{context}{comma}{rest}"))
}

/// The reply with a page of alerts.
pub(crate) fn collection(link: &Link, list: &AlertList) -> Response {
    let size: usize = list.alerts.iter().map(String::len).sum();
    let mut text = String::with_capacity(size + 1024);
    text.push_str("{\"@odata.context\":");
    text.push_str(&quoted(&link.context(list.selection.as_ref(), "")));
    if let Some(count) = list.count {
        text.push_str(&format!(",\"@odata.count\":{count}"));
    }
    if let Some(query) = &list.next_query {
        let next = format!("{}/{SET}?{query}", link.0);
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

fn respond(text: String) -> Response {
    let version = HeaderValue::from_static("4.0");
    ([(header::CONTENT_TYPE, MEDIA_TYPE), (ODATA_VERSION, version)], text).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_start_with_the_host_that_the_client_used() {
        let of = |host: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, HeaderValue::from_static(host));
            Link::of(&headers).ok().map(|link| link.0)
        };
        assert_eq!(of("127.0.0.1:8080").as_deref(), Some("http://127.0.0.1:8080/beta"));
        assert_eq!(of("[::1]:8080").as_deref(), Some("http://[::1]:8080/beta"));
        assert_eq!(of("evil.example/path?"), None);
        assert_eq!(of(""), None);
        assert!(Link::of(&HeaderMap::new()).is_err());
    }
}
