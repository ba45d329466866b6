//! What describes the API to programs: the service document, `$metadata` and the OpenAPI document.
//!
//! They say nothing of anybody's data, and Microsoft Graph gives its `$metadata` to everyone, so none
//! of them wants a token.

use std::sync::LazyLock;

use ::edm::{Version, json, xml};
use axum::extract::RawQuery;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Router};
use odata::{QueryOption, QueryOptions};
use serde_json::{Value, json};

use super::negotiate::preferred;
use super::{Link, only_get};
use crate::error::{ApiError, Kind};
use crate::{edm, openapi};

const ODATA_VERSION: HeaderName = HeaderName::from_static("odata-version");
const ODATA_MAX_VERSION: HeaderName = HeaderName::from_static("odata-maxversion");
const XML: HeaderValue = HeaderValue::from_static("application/xml");
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// The two representations of `$metadata`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Xml,
    Json,
}

/// The routes that want no caller.
pub fn open_routes() -> Router {
    Router::new()
        .route("/beta", get(service).fallback(only_get))
        .route("/beta/", get(service).fallback(only_get))
        .route("/beta/$metadata", get(metadata).fallback(only_get))
        // Some clients write the `$` of the segment as `%24`.
        .route("/beta/%24metadata", get(metadata).fallback(only_get))
        .route("/beta/openapi.json", get(openapi).fallback(only_get))
}

/// `GET /beta/`: what the service has at its root.
async fn service(
    Extension(link): Extension<Link>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    match format(&headers, query.as_deref(), &[("application/json", Format::Json)])? {
        Format::Json => {}
        Format::Xml => return Err(not_acceptable("application/json")),
    }
    let (_, container) = edm::document().container().expect("the description has a container");
    let entry = |name: &str, kind: &str| json!({"name": name, "kind": kind, "url": name});
    let sets = container.sets.iter().map(|set| entry(set.name, "EntitySet"));
    let singletons = container.singletons.iter().map(|one| entry(one.name, "Singleton"));
    let body = json!({
        "@odata.context": format!("{}/$metadata", link.beta()),
        "value": sets.chain(singletons).collect::<Vec<Value>>(),
    });
    Ok(respond(JSON, Version::V4_0, body.to_string()))
}

/// `GET /beta/$metadata`
async fn metadata(headers: HeaderMap, RawQuery(query): RawQuery) -> Result<Response, ApiError> {
    static XML_4_0: LazyLock<String> = LazyLock::new(|| xml::write(edm::document(), Version::V4_0));
    static XML_4_01: LazyLock<String> = LazyLock::new(|| xml::write(edm::document(), Version::V4_01));
    static JSON_4_01: LazyLock<String> = LazyLock::new(|| json::write(edm::document()).to_string());

    let offers = [("application/xml", Format::Xml), ("application/json", Format::Json)];
    let takes_4_01 = headers.get(ODATA_MAX_VERSION).is_none_or(|version| version.as_bytes() != b"4.0");
    match format(&headers, query.as_deref(), &offers)? {
        Format::Xml if takes_4_01 => Ok(respond(XML, Version::V4_01, XML_4_01.as_str())),
        Format::Xml => Ok(respond(XML, Version::V4_0, XML_4_0.as_str())),
        Format::Json if takes_4_01 => Ok(respond(JSON, Version::V4_01, JSON_4_01.as_str())),
        Format::Json => Err(ApiError::new(
            Kind::NotAcceptable,
            "OData 4.0 has $metadata only as application/xml; OData-MaxVersion 4.01 allows application/json.",
        )),
    }
}

/// `GET /beta/openapi.json`
async fn openapi(Extension(link): Extension<Link>) -> Response {
    let document = openapi::document(link.origin());
    ([(header::CONTENT_TYPE, JSON)], document.to_string()).into_response()
}

/// The format that `$format` names, or else the `Accept` header.
fn format(
    headers: &HeaderMap,
    query: Option<&str>,
    offers: &[(&'static str, Format)],
) -> Result<Format, ApiError> {
    let names = || offers.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(" or ");
    let bad_request = |error: odata::QueryError| ApiError::bad_request(error.to_string());
    let options = QueryOptions::parse(query.unwrap_or_default()).map_err(bad_request)?;
    options.allow_only(&[QueryOption::Format]).map_err(bad_request)?;
    let Some(asked) = options.text(QueryOption::Format) else {
        return preferred(headers, offers).ok_or_else(|| not_acceptable(&names()));
    };
    let kind = asked.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let offer =
        offers.iter().find(|(name, _)| *name == kind || name.strip_prefix("application/") == Some(&kind));
    offer.map(|(_, format)| *format).ok_or_else(|| not_acceptable(&names()))
}

fn not_acceptable(there_is: &str) -> ApiError {
    ApiError::new(Kind::NotAcceptable, format!("This resource is there only as {there_is}."))
}

fn respond(media_type: HeaderValue, version: Version, body: impl Into<axum::body::Body>) -> Response {
    let version = HeaderValue::from_static(version.as_str());
    let headers = [(header::CONTENT_TYPE, media_type), (ODATA_VERSION, version)];
    (headers, body.into()).into_response()
}
