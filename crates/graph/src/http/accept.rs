//! Which form of JSON the client asks for, in `Accept` or `$format`.

use axum::http::{HeaderMap, header};
use odata::MetadataLevel;

use crate::error::{ApiError, Kind};

/// The level of control information: that of `$format` if the query has one, else that of `Accept`.
///
/// # Errors
///
/// [`ApiError`] (406) if `Accept` allows no form of JSON that there is.
pub(super) fn metadata_level(
    headers: &HeaderMap,
    format: Option<MetadataLevel>,
) -> Result<MetadataLevel, ApiError> {
    if let Some(level) = format {
        return Ok(level);
    }
    let texts: Vec<&str> =
        headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok()).collect();
    let ranges: Vec<&str> = texts
        .iter()
        .flat_map(|text| text.split(','))
        .map(str::trim)
        .filter(|range| !range.is_empty())
        .collect();
    if ranges.is_empty() {
        return Ok(MetadataLevel::Minimal);
    }
    let mut best: Option<(f32, MetadataLevel)> = None;
    for (quality, level) in ranges.iter().filter_map(|range| acceptable(range)) {
        if quality > 0.0 && best.is_none_or(|(known, _)| quality > known) {
            best = Some((quality, level));
        }
    }
    best.map(|(_, level)| level).ok_or_else(|| {
        let shown: String = texts.join(", ").chars().take(200).collect();
        let message = format!(
            "There is no reply in the form '{shown}'; accept application/json, with odata.metadata=none, minimal or full."
        );
        ApiError::new(Kind::NotAcceptable, message)
    })
}

/// The quality and level of one media range; `None` if we have nothing in it.
fn acceptable(range: &str) -> Option<(f32, MetadataLevel)> {
    let mut parts = range.split(';').map(str::trim);
    let kind = parts.next()?.to_ascii_lowercase();
    if !["application/json", "application/*", "*/*"].contains(&kind.as_str()) {
        return None;
    }
    let (mut quality, mut level) = (1.0, MetadataLevel::Minimal);
    for part in parts {
        let (name, value) = part.split_once('=')?;
        let value = value.trim().trim_matches('"').to_ascii_lowercase();
        let name = name.trim().to_ascii_lowercase();
        match name.strip_prefix("odata.").unwrap_or(&name) {
            "q" => quality = value.parse().ok()?,
            "metadata" => {
                level = match value.as_str() {
                    "none" => MetadataLevel::None,
                    "minimal" => MetadataLevel::Minimal,
                    "full" => MetadataLevel::Full,
                    _ => return None,
                }
            }
            // Whether numbers are texts, and whether the reply comes in pieces: it may either way.
            "streaming" if value == "true" || value == "false" => {}
            "ieee754compatible" if value == "false" => {}
            "charset" if value == "utf-8" => {}
            _ => return None,
        }
    }
    Some((quality, level))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn the_best_acceptable_form_is_taken() {
        let check = |accept: &'static str, expected: Option<MetadataLevel>| {
            let headers = HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_static(accept))]);
            assert_eq!(metadata_level(&headers, None).ok(), expected, "{accept}");
        };
        check("", Some(MetadataLevel::Minimal));
        check("*/*", Some(MetadataLevel::Minimal));
        check("application/json", Some(MetadataLevel::Minimal));
        check("application/json;odata.metadata=full", Some(MetadataLevel::Full));
        check("application/json; metadata=none; odata.streaming=true", Some(MetadataLevel::None));
        check("text/html, application/json;q=0.5", Some(MetadataLevel::Minimal));
        check("*/*;q=0.1, application/json;odata.metadata=none", Some(MetadataLevel::None));
        check("application/xml", None);
        check("application/json;q=0", None);
        check("application/json;unknown=1", None);
        check("application/json;odata.metadata=some", None);
        assert_eq!(metadata_level(&HeaderMap::new(), None).ok(), Some(MetadataLevel::Minimal));
        let xml = HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_static("application/xml"))]);
        assert_eq!(metadata_level(&xml, Some(MetadataLevel::Full)).ok(), Some(MetadataLevel::Full));
    }
}
