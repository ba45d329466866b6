//! `$format`: which form the answer has.

use crate::error::{ErrorKind, QueryError, QueryOption};
use crate::source::{Source, Span};

/// How much control information the answer has: OData JSON format 4.01, section 3.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MetadataLevel {
    /// Counts and links to the next page only.
    None,
    /// What a client cannot compute.
    #[default]
    Minimal,
    /// All of it.
    Full,
}

/// Reads the text of `$format`: `json` or `application/json`, perhaps with parameters of that media type.
/// `None` if it says nothing of metadata. What the other parameters ask for is how the answer is anyway.
///
/// # Errors
/// Another format, or a parameter that JSON has not or that cannot be granted.
pub fn parse_format(text: &str) -> Result<Option<MetadataLevel>, QueryError> {
    let source = Source { option: QueryOption::Format, text };
    let all = Span { start: 0, end: text.len() };
    let mut parts = text.split(';').map(str::trim);
    let kind = parts.next().unwrap_or_default();
    if !kind.eq_ignore_ascii_case("json") && !kind.eq_ignore_ascii_case("application/json") {
        let error = source.unsupported(all, format_args!("format {}", source.quote(all)));
        return Err(error.with_hint("use json"));
    }
    let mut level = None;
    for part in parts {
        let malformed = || {
            let message = format!("expected name=value but found '{}'", crate::error::shown(part));
            source.error(ErrorKind::Malformed, all, message)
        };
        let (name, value) = part.split_once('=').ok_or_else(malformed)?;
        let (name, value) = (name.trim().to_ascii_lowercase(), value.trim().to_ascii_lowercase());
        let value = value.trim_matches('"');
        let bare = name.strip_prefix("odata.").unwrap_or(&name);
        match (bare, value) {
            ("metadata", "none") => level = Some(MetadataLevel::None),
            ("metadata", "minimal") => level = Some(MetadataLevel::Minimal),
            ("metadata", "full") => level = Some(MetadataLevel::Full),
            ("streaming", "true" | "false")
            | ("ieee754compatible", "false")
            | ("charset", "utf-8" | "utf8") => {}
            // With IEEE754Compatible=true counts would have to be texts.
            _ => {
                let what = format!("parameter '{}' of a format", crate::error::shown(part));
                let error = source.unsupported(all, what);
                return Err(error.with_hint(
                    "use odata.metadata=none, minimal or full; IEEE754Compatible=false; charset=utf-8",
                ));
            }
        }
    }
    Ok(level)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_the_format() {
        let check = |text: &str, expected: Option<MetadataLevel>| {
            assert_eq!(parse_format(text), Ok(expected), "{text}");
        };
        check("json", None);
        check("JSON", None);
        check("application/json", None);
        check("application/json;odata.metadata=none", Some(MetadataLevel::None));
        check("application/json; metadata=Full", Some(MetadataLevel::Full));
        check(
            "json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8",
            Some(MetadataLevel::Minimal),
        );
    }

    #[test]
    fn other_formats_and_parameters_are_refused_by_name() {
        let check = |text: &str, expected: &str| {
            assert_eq!(parse_format(text).unwrap_err().to_string(), expected, "{text}");
        };
        check("atom", "$format: format 'atom' is not supported here at 0; use json");
        check("xml", "$format: format 'xml' is not supported here at 0; use json");
        check("", "$format: format the end is not supported here at 0; use json");
        let hint = "use odata.metadata=none, minimal or full; IEEE754Compatible=false; charset=utf-8";
        for part in ["odata.metadata=much", "IEEE754Compatible=true", "charset=latin1", "q=1"] {
            check(
                &format!("json;{part}"),
                &format!("$format: parameter '{part}' of a format is not supported here at 0; {hint}"),
            );
        }
        check("json;", "$format: expected name=value but found '' at 0");
    }
}
