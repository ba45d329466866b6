//! The path that a subscription watches.

use std::borrow::Cow;

use alerts::AlertId;
use percent_encoding::percent_decode_str;

const ALERTS: [&str; 3] = ["security", "partner", "securityAlerts"];

/// Why a path cannot be watched. The text completes "Property 'resource' …".
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ResourceError {
    /// It starts with scheme and host, or with the version.
    #[error("must be a path such as security/partner/securityAlerts, without the address before it")]
    Address,
    /// It has a query.
    #[error(
        "may hold no query options such as '{0}'; subscribe to security/partner/securityAlerts and \
         look at each alert"
    )]
    Query(String),
    /// It is something else.
    #[error(
        "is '{0}', which cannot be watched; use security/partner/securityAlerts, or \
         security/partner/securityAlerts/{{id}} for one alert"
    )]
    Unknown(String),
}

/// What a subscription watches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WatchedResource {
    /// As the subscriber wrote it.
    pub text: String,
    /// The only alert; all if `None`.
    pub alert_id: Option<AlertId>,
}

impl WatchedResource {
    /// Reads a path: all alerts, or one, as `/{id}` or `('{id}')`; with or without a slash before it,
    /// and in any case but for the id.
    ///
    /// # Errors
    ///
    /// [`ResourceError`], for the caller.
    pub fn read(text: &str) -> Result<Self, ResourceError> {
        let shown = || text.chars().take(200).filter(|c| !c.is_control()).collect();
        let path = text.strip_prefix('/').unwrap_or(text);
        if path.contains("://") || starts_with_version(path) {
            return Err(ResourceError::Address);
        }
        // A key in quotes may hold any character, a question mark too.
        if let Some((before, query)) = path.split_once('?')
            && !before.contains('\'')
        {
            return Err(ResourceError::Query(query.chars().take(100).filter(|c| !c.is_control()).collect()));
        }
        let rest = after_alerts(path).ok_or_else(|| ResourceError::Unknown(shown()))?;
        let alert_id = match rest {
            "" | "/" => None,
            _ => Some(key(rest).ok_or_else(|| ResourceError::Unknown(shown()))?),
        };
        Ok(Self { text: text.to_owned(), alert_id })
    }
}

fn starts_with_version(path: &str) -> bool {
    path.split('/')
        .next()
        .is_some_and(|first| ["beta", "v1.0"].contains(&first.to_ascii_lowercase().as_str()))
}

/// What comes after the path of all alerts, if the path is theirs.
fn after_alerts(path: &str) -> Option<&str> {
    let mut rest = path;
    for (index, segment) in ALERTS.iter().enumerate() {
        let (found, after) = rest.split_at_checked(segment.len())?;
        if !found.eq_ignore_ascii_case(segment) {
            return None;
        }
        let is_last = index + 1 == ALERTS.len();
        rest = if is_last { after } else { after.strip_prefix('/')? };
    }
    Some(rest)
}

/// The id in `/{id}` or `('{id}')`.
fn key(rest: &str) -> Option<AlertId> {
    let id: Cow<'_, str> = match rest.strip_prefix('/') {
        Some(segment) => {
            if segment.contains('/') {
                return None;
            }
            percent_decode_str(segment).decode_utf8().ok()?
        }
        None => {
            let quoted = rest.strip_prefix("('")?.strip_suffix("')")?;
            let unquoted = quoted.replace("''", "\u{0}");
            if unquoted.contains('\'') {
                return None;
            }
            unquoted.replace('\u{0}', "'").into()
        }
    };
    id.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_alerts_or_one_can_be_watched() {
        let check = |text: &str, expected: Option<&str>| {
            let read = WatchedResource::read(text).unwrap();
            assert_eq!(read.alert_id.as_ref().map(AlertId::as_str), expected, "{text}");
            assert_eq!(read.text, text);
        };
        check("security/partner/securityAlerts", None);
        check("/security/partner/securityAlerts", None);
        check("/security/partner/securityalerts/", None);
        check("Security/Partner/SecurityAlerts/AbC-1", Some("AbC-1"));
        check("security/partner/securityAlerts/a%2Fb", Some("a/b"));
        check("security/partner/securityAlerts('AbC-1')", Some("AbC-1"));
        check("security/partner/securityAlerts('it''s?')", Some("it's?"));
    }

    #[test]
    fn anything_else_is_refused_by_name() {
        let check = |text: &str, expected: &str| {
            let error = WatchedResource::read(text).unwrap_err().to_string();
            assert!(error.contains(expected), "{text}: {error}");
        };
        check("https://graph.microsoft.com/beta/security/partner/securityAlerts", "without the address");
        check("/beta/security/partner/securityAlerts", "without the address");
        check("security/partner/securityAlerts?$filter=severity eq 'high'", "'$filter=severity eq 'high''");
        check("security/partner/securityAlerts?$select=id", "'$select=id'");
        for text in [
            "",
            "/",
            "security/alerts",
            "security/partner",
            "security/partner/securityAlertsX",
            "security/partner/securityAlerts//",
            "security/partner/securityAlerts/a/b",
            "security/partner/securityAlerts('a",
            "security/partner/securityAlerts('a'b')",
            "security/partner/securityAlerts('')",
            "security/partner/securityAlerts(a)",
            "ä/ö/ü",
            "users",
        ] {
            check(text, "cannot be watched");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_breaks_the_reader(text in ".{0,80}") {
            let _ = WatchedResource::read(&text);
        }
    }
}
