//! Bodies of requests.

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, header};
use serde_json::{Map, Value};

use crate::error::{ApiError, Kind};

/// The body as a JSON object of at most so many bytes.
///
/// # Errors
///
/// [`ApiError`] if it is too large, breaks off, is not sent as JSON or is something else.
pub async fn json_object(
    headers: &HeaderMap,
    body: Body,
    limit_bytes: usize,
) -> Result<Map<String, Value>, ApiError> {
    let media_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    let is_json =
        media_type.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"));
    if !is_json {
        let message = format!(
            "The body must be sent as application/json; the Content-Type header says '{media_type}'."
        );
        return Err(ApiError::new(Kind::UnsupportedMediaType, message));
    }
    let bytes = read(body, limit_bytes).await?;
    match serde_json::from_slice::<Value>(&bytes) {
        Ok(Value::Object(properties)) => Ok(properties),
        Ok(_) => Err(ApiError::bad_request(
            "The body must be a JSON object such as {\"status\": \"investigating\"}.",
        )),
        Err(error) => Err(ApiError::bad_request(format!("The body is not valid JSON: {error}."))),
    }
}

/// The body, of at most so many bytes.
///
/// # Errors
///
/// [`ApiError`] if it is larger or breaks off.
pub async fn read(body: Body, limit_bytes: usize) -> Result<Bytes, ApiError> {
    axum::body::to_bytes(body, limit_bytes).await.map_err(|error| {
        let too_large = std::error::Error::source(&error)
            .is_some_and(|cause| cause.to_string().contains("length limit exceeded"));
        if too_large {
            ApiError::new(Kind::TooLarge, format!("The body may have at most {limit_bytes} bytes."))
        } else {
            ApiError::bad_request("The body broke off before its end.")
        }
    })
}

/// Refuses a body in an encoding that nothing here undoes. `also` is undone by the handler.
pub(super) fn check_encoding(headers: &HeaderMap, also: &str) -> Result<(), ApiError> {
    let encoding = headers.get(header::CONTENT_ENCODING).and_then(|value| value.to_str().ok());
    match encoding.map(str::trim) {
        None | Some("") => Ok(()),
        Some(known) if ["gzip", "identity", also].iter().any(|name| known.eq_ignore_ascii_case(name)) => {
            Ok(())
        }
        Some(other) => {
            let message =
                format!("The body's Content-Encoding '{other}' is not supported; send gzip or none.");
            Err(ApiError::new(Kind::UnsupportedMediaType, message))
        }
    }
}
