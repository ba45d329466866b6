//! `/security/partner/securityAlerts`: list, count, get, update.

use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value};

use super::Api;
use super::entity::{self, Link};
use crate::app::alert::{self, AlertError};
use crate::auth::Caller;
use crate::error::ApiError;

/// Largest body of an update, in bytes. Clients may send the whole alert back; ours stay below half.
const UPDATE_BYTES_MAX: usize = 256 * 1024;

/// `GET /security/partner/securityAlerts`
pub(crate) async fn list(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    caller.permissions.may_read()?;
    let link = Link::of(&headers)?;
    let list = alert::list(&*api.instance.store, &caller.scope, &query.unwrap_or_default()).await?;
    Ok(entity::collection(&link, &list))
}

/// `GET /security/partner/securityAlerts/$count`: a bare number.
pub(crate) async fn count(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    caller.permissions.may_read()?;
    let count = alert::count(&*api.instance.store, &caller.scope, &query.unwrap_or_default()).await?;
    let plain = HeaderValue::from_static("text/plain");
    Ok(([(header::CONTENT_TYPE, plain)], count.to_string()).into_response())
}

/// `GET /security/partner/securityAlerts/{id}`
pub(crate) async fn show(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    id: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let id = readable(id)?;
    // Some clients write the `$` of the segment as `%24`, which the router takes for an id.
    if id == "$count" {
        return count(State(api), Extension(caller), RawQuery(query)).await;
    }
    caller.permissions.may_read()?;
    let link = Link::of(&headers)?;
    let found = alert::show(&*api.instance.store, &caller.scope, &id, &query.unwrap_or_default()).await?;
    Ok(entity::single(&link, &found))
}

/// `PATCH /security/partner/securityAlerts/{id}`
pub(crate) async fn update(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    id: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
    body: Body,
) -> Result<Response, ApiError> {
    caller.permissions.may_write()?;
    let id = readable(id)?;
    let link = Link::of(&headers)?;
    let properties = json_object(&headers, body).await?;
    let now = chrono::Utc::now();
    let query = query.unwrap_or_default();
    let changed =
        alert::update(&*api.instance.store, &caller.scope, &id, &query, &properties, &caller.name, now)
            .await?;
    Ok(entity::single(&link, &changed))
}

/// The id in the path. Bytes that are no text are an id that no alert has.
fn readable(id: Result<Path<String>, PathRejection>) -> Result<String, ApiError> {
    match id {
        Ok(Path(id)) => Ok(id),
        Err(_) => Err(AlertError::NotFound("(unreadable)".to_owned()).into()),
    }
}

/// The body as a JSON object.
async fn json_object(headers: &HeaderMap, body: Body) -> Result<Map<String, Value>, ApiError> {
    let media_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    let is_json =
        media_type.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"));
    if !is_json {
        return Err(ApiError::UnsupportedMediaType { found: media_type.to_owned() });
    }
    let bytes = read(body).await?;
    match serde_json::from_slice::<Value>(&bytes) {
        Ok(Value::Object(properties)) => Ok(properties),
        Ok(_) => Err(ApiError::BadBody {
            message: "The body must be a JSON object such as {\"status\": \"investigating\"}.".to_owned(),
        }),
        Err(error) => Err(ApiError::BadBody { message: format!("The body is not valid JSON: {error}.") }),
    }
}

async fn read(body: Body) -> Result<axum::body::Bytes, ApiError> {
    axum::body::to_bytes(body, UPDATE_BYTES_MAX).await.map_err(|error| {
        let too_large = std::error::Error::source(&error)
            .is_some_and(|cause| cause.to_string().contains("length limit exceeded"));
        if too_large {
            ApiError::BodyTooLarge { limit_bytes: UPDATE_BYTES_MAX }
        } else {
            ApiError::BadBody { message: "The body broke off before its end.".to_owned() }
        }
    })
}
