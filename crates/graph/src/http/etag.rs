//! Entity tags: the version of an alert, as clients see it (RFC 9110, section 8.8.3).
//!
//! They are weak, as OData advises: the same version may be written with more or fewer properties.

use axum::http::{HeaderMap, HeaderName, header};
use store::ExpectedVersion;

use crate::error::ApiError;

/// The tag of a version, with its quotes.
#[must_use]
pub fn etag(version: u64) -> String {
    format!("W/\"{version}\"")
}

/// The tags of one header.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Tags {
    /// `*`
    Any,
    /// The versions that they stand for. A tag that never was one of ours stands for none.
    Versions(Vec<u64>),
}

/// The versions in which `If-Match` and `If-None-Match` allow a change.
///
/// # Errors
///
/// [`ApiError`] if a tag has no quotes, or `If-None-Match` is sent, with which no change of an alert that
/// exists makes sense.
pub(super) fn expected_version(headers: &HeaderMap) -> Result<ExpectedVersion, ApiError> {
    if tags(headers, &header::IF_NONE_MATCH)?.is_some() {
        return Err(ApiError::bad_request(
            "If-None-Match is for reading; send If-Match with the alert's ETag to change just that version.",
        ));
    }
    Ok(match tags(headers, &header::IF_MATCH)? {
        None | Some(Tags::Any) => ExpectedVersion::Any,
        Some(Tags::Versions(versions)) => ExpectedVersion::OneOf(versions),
    })
}

/// Whether the client has this version already, by `If-None-Match`.
pub(super) fn is_known(headers: &HeaderMap, version: u64) -> Result<bool, ApiError> {
    Ok(match tags(headers, &header::IF_NONE_MATCH)? {
        None => false,
        Some(Tags::Any) => true,
        Some(Tags::Versions(versions)) => versions.contains(&version),
    })
}

fn tags(headers: &HeaderMap, name: &HeaderName) -> Result<Option<Tags>, ApiError> {
    let mut versions = Vec::new();
    let mut is_sent = false;
    for value in headers.get_all(name) {
        is_sent = true;
        let malformed = || {
            let shown = String::from_utf8_lossy(value.as_bytes()).chars().take(100).collect::<String>();
            ApiError::bad_request(format!("{name}: '{shown}' is not an ETag such as W/\"3\", or *."))
        };
        for tag in value.to_str().map_err(|_| malformed())?.split(',').map(str::trim) {
            if tag == "*" {
                return Ok(Some(Tags::Any));
            }
            // Compared weakly, as OData has it.
            let quoted = tag.strip_prefix("W/").unwrap_or(tag);
            let opaque =
                quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).ok_or_else(malformed)?;
            if opaque.contains('"') {
                return Err(malformed());
            }
            versions.extend(opaque.parse::<u64>().ok());
        }
    }
    Ok(is_sent.then_some(Tags::Versions(versions)))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn headers(name: HeaderName, values: &[&'static str]) -> HeaderMap {
        values.iter().map(|value| (name.clone(), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn a_change_may_name_the_versions_it_expects() {
        let check = |values: &[&'static str], expected: ExpectedVersion| {
            assert_eq!(expected_version(&headers(header::IF_MATCH, values)).unwrap(), expected, "{values:?}");
        };
        check(&[], ExpectedVersion::Any);
        check(&["*"], ExpectedVersion::Any);
        check(&["W/\"3\""], ExpectedVersion::OneOf(vec![3]));
        check(&["\"3\", W/\"4\"", "\"9\""], ExpectedVersion::OneOf(vec![3, 4, 9]));
        check(&["\"JzEtVGFzaw==\""], ExpectedVersion::OneOf(vec![]));
        for malformed in ["3", "W/3", "\"3", "\"a\"b\"", ""] {
            let headers = HeaderMap::from_iter([(header::IF_MATCH, HeaderValue::from_static(malformed))]);
            assert!(expected_version(&headers).is_err(), "{malformed}");
        }
        assert!(expected_version(&headers(header::IF_NONE_MATCH, &["*"])).is_err());
    }

    #[test]
    fn a_reader_may_name_the_version_it_has() {
        let check = |values: &[&'static str], expected: bool| {
            assert_eq!(is_known(&headers(header::IF_NONE_MATCH, values), 3).unwrap(), expected, "{values:?}");
        };
        check(&[], false);
        check(&["W/\"3\""], true);
        check(&["\"2\",\"3\""], true);
        check(&["\"2\""], false);
        check(&["*"], true);
    }
}
