//! `$batch`: runs the requests of one body on the same routes, without a network in between.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Extension, Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use futures::future::join_all;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde_json::{Map, Value, json};
use tower::ServiceExt as _;

use super::{Link, RequestIds, json_object};
use crate::app::batch::{Batch, Item};
use crate::auth::Caller;
use crate::error::{ApiError, Kind};

/// Largest body of a batch, in bytes; as Graph's.
const BATCH_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Largest reply to one request of a batch, in bytes: more than the largest page.
const REPLY_BYTES_MAX: usize = 64 * 1024 * 1024;

/// What may not stand in an address as it is. `%` may: it starts what is encoded already.
const UNSAFE: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'<')
    .add(b'>')
    .add(b'\\')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// The route of batches whose requests go to `inner`.
pub(super) fn routes(inner: Router) -> Router {
    // Some clients write the `$` of the segment as `%24`.
    let run = || post(run).fallback(only_post);
    Router::new().route("/beta/$batch", run()).route("/beta/%24batch", run()).with_state(Arc::new(inner))
}

async fn only_post(_: Method) -> ApiError {
    ApiError::method_not_allowed("POST")
}

/// Who calls, and what every request of the batch has from the batch itself.
#[derive(Clone)]
struct Shared {
    caller: Arc<Caller>,
    link: Link,
    ids: RequestIds,
}

/// `POST /beta/$batch`
async fn run(
    State(inner): State<Arc<Router>>,
    Extension(caller): Extension<Arc<Caller>>,
    Extension(link): Extension<Link>,
    Extension(ids): Extension<RequestIds>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Value>, ApiError> {
    if let Some(name) =
        [header::IF_MATCH, header::IF_NONE_MATCH].iter().find(|name| headers.contains_key(*name))
    {
        let message = format!("The header '{name}' belongs on a request of the batch, not on the batch.");
        return Err(ApiError::bad_request(message));
    }
    let body = json_object(&headers, body, BATCH_BYTES_MAX).await?;
    let batch = Batch::parse(&body).map_err(|error| ApiError::bad_request(error.to_string()))?;
    let waves = batch.waves().map_err(|error| ApiError::bad_request(error.to_string()))?;
    let shared = Shared { caller, link, ids };
    let mut replies: Vec<Option<Reply>> = batch.items.iter().map(|_| None).collect();
    for wave in waves {
        let done = join_all(wave.iter().map(|index| one(&inner, &shared, &batch, *index, &replies))).await;
        for (index, reply) in wave.into_iter().zip(done) {
            replies[index] = Some(reply);
        }
    }
    let responses: Vec<Value> = batch
        .items
        .iter()
        .zip(replies.into_iter().flatten())
        .map(|(item, reply)| {
            let Reply { status, headers, body } = reply;
            json!({"id": item.id, "status": status, "headers": headers, "body": body})
        })
        .collect();
    Ok(Json(json!({"responses": responses})))
}

struct Reply {
    status: u16,
    headers: Map<String, Value>,
    body: Value,
}

/// Runs one request, unless one that it depends on has failed.
async fn one(
    inner: &Router,
    shared: &Shared,
    batch: &Batch,
    index: usize,
    earlier: &[Option<Reply>],
) -> Reply {
    let item = &batch.items[index];
    let has_failed = |before: &&usize| earlier[**before].as_ref().is_none_or(|reply| reply.status >= 400);
    let response = match item.depends_on.iter().find(has_failed) {
        Some(before) => {
            let id = &batch.items[*before].id;
            let message =
                format!("Not run, because request '{id}' of the batch, on which it depends, failed.");
            ApiError::new(Kind::FailedDependency, message).into_response()
        }
        None => match request(item, shared) {
            // The routes answer every request; there is no error to pass on.
            Ok(request) => match inner.clone().oneshot(request).await {
                Ok(response) => response,
                Err(never) => match never {},
            },
            Err(error) => error.into_response(),
        },
    };
    reply(response, &shared.ids).await
}

/// The request that an item of a batch stands for.
fn request(item: &Item, shared: &Shared) -> Result<Request, ApiError> {
    let method = Method::from_bytes(item.method.as_bytes())
        .map_err(|_| ApiError::bad_request(format!("'{}' is not a method.", item.method)))?;
    let mut request = Request::new(body(item)?);
    *request.method_mut() = method;
    *request.uri_mut() = address(&item.url, &shared.link)?;
    for (name, value) in &item.headers {
        let wrong = || ApiError::bad_request(format!("'{name}' is not a header with a plain text."));
        let header = HeaderName::from_bytes(name.as_bytes()).map_err(|_| wrong())?;
        request.headers_mut().append(header, HeaderValue::from_str(value).map_err(|_| wrong())?);
    }
    let extensions = request.extensions_mut();
    extensions.insert(shared.caller.clone());
    extensions.insert(shared.link.clone());
    extensions.insert(shared.ids.clone());
    Ok(request)
}

/// The path and query under this server. An absolute address must be one of ours: some SDKs write it
/// out in full.
fn address(url: &str, link: &Link) -> Result<Uri, ApiError> {
    let is_absolute = url.contains("://") && !url.starts_with('/');
    let path = if is_absolute {
        let own = url.strip_prefix(link.origin()).filter(|rest| rest.starts_with("/beta/"));
        own.map(str::to_owned).ok_or_else(|| {
            let message = format!("The address '{}' does not start with {}/.", shown(url), link.beta());
            ApiError::bad_request(message)
        })?
    } else {
        // Microsoft's JavaScript client leaves the version in; no resource has its name.
        let path = url.trim_start_matches('/');
        format!("/beta/{}", path.strip_prefix("beta/").unwrap_or(path))
    };
    let encoded = utf8_percent_encode(&path, UNSAFE).to_string();
    let uri: Uri =
        encoded.parse().map_err(|_| ApiError::bad_request(format!("'{}' is not an address.", shown(url))))?;
    let decoded = percent_encoding::percent_decode_str(uri.path()).decode_utf8_lossy();
    if decoded.trim_end_matches('/').eq_ignore_ascii_case("/beta/$batch") {
        return Err(ApiError::bad_request("A batch cannot hold a batch."));
    }
    Ok(uri)
}

fn shown(url: &str) -> String {
    url.chars().take(200).filter(|c| !c.is_control()).collect()
}

/// A JSON body as it stands; a string under another media type is base64 of the bytes.
fn body(item: &Item) -> Result<Body, ApiError> {
    let Some(body) = &item.body else { return Ok(Body::empty()) };
    let media_type = item.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-type"));
    let is_json = media_type.is_some_and(|(_, kind)| kind.to_ascii_lowercase().contains("json"));
    match body {
        Value::String(text) if !is_json => {
            let bytes = URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).or_else(|_| STANDARD.decode(text));
            let bytes = bytes.map_err(|_| ApiError::bad_request("The body is a text but not base64url."))?;
            Ok(bytes.into())
        }
        body => Ok(body.to_string().into()),
    }
}

/// The reply as an entry of the batch's own.
async fn reply(mut response: Response, ids: &RequestIds) -> Reply {
    if let Some(error) = response.extensions_mut().remove::<Arc<ApiError>>() {
        response = error.reply(ids.request_id(), ids.client_request_id(), chrono::Utc::now());
    }
    let status = response.status().as_u16();
    let headers = response.headers().clone();
    let bytes = match axum::body::to_bytes(response.into_body(), REPLY_BYTES_MAX).await {
        Ok(bytes) => bytes,
        Err(error) => {
            let error =
                ApiError::internal(anyhow::Error::new(error).context("reading a reply inside a batch"));
            let body = error.body(ids.request_id(), ids.client_request_id(), chrono::Utc::now());
            return Reply { status: error.status().as_u16(), headers: Map::new(), body };
        }
    };
    let media_type = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or("");
    let body = if bytes.is_empty() {
        Value::Null
    } else if media_type.starts_with("application/json") {
        serde_json::from_slice(&bytes).unwrap_or(Value::Null)
    } else if media_type.starts_with("text/") {
        String::from_utf8_lossy(&bytes).into_owned().into()
    } else {
        URL_SAFE_NO_PAD.encode(&bytes).into()
    };
    Reply { status, headers: shown_headers(&headers), body }
}

fn shown_headers(headers: &HeaderMap) -> Map<String, Value> {
    let text = |(name, value): (&HeaderName, &HeaderValue)| {
        Some((title_case(name.as_str()), Value::from(value.to_str().ok()?)))
    };
    headers.iter().filter(|(name, _)| **name != header::CONTENT_LENGTH).filter_map(text).collect()
}

/// `retry-after` as `Retry-After`: some clients look headers of batches up with case.
fn title_case(name: &str) -> String {
    match name {
        "etag" => return "ETag".to_owned(),
        "odata-version" => return "OData-Version".to_owned(),
        _ => {}
    }
    let mut is_start = true;
    let raised = name.chars().map(|c| {
        let shown = if is_start { c.to_ascii_uppercase() } else { c };
        is_start = c == '-';
        shown
    });
    raised.collect()
}
