//! What a server says when it refuses: Graph's error body. The one place that knows status codes.
//!
//! Source: `concepts/errors.md` of microsoftgraph/microsoft-graph-docs-contrib. Code decides, never the
//! message.

use std::fmt;
use std::time::Duration;

use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use serde::Deserialize;

use crate::retry::retry_after;

/// How much of an answer that is no error body is repeated, in characters.
const EXCERPT_CHARS: usize = 200;

/// A refusal of the server.
///
/// Its text is the server's message, the code, and how to mend it where that is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GraphError {
    /// HTTP status.
    pub status: u16,
    /// Graph's code, such as `InvalidAuthenticationToken`; empty if the server sent none.
    pub code: String,
    /// The server's words.
    pub message: String,
    /// The server's name of this request, for its operators.
    pub request_id: Option<String>,
    /// Our name of this request, sent along as `client-request-id`.
    pub client_request_id: String,
    /// How long the server asks to wait.
    pub retry_after: Option<Duration>,
    /// What was attempted, which decides what mends it.
    pub(crate) attempt: Attempt,
}

/// What a request was for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Attempt {
    /// Whether it changes an alert.
    pub writes: bool,
    /// Whether the server is Microsoft's own.
    pub microsoft: bool,
}

#[derive(Deserialize)]
struct Body {
    error: Inner,
}

#[derive(Deserialize)]
struct Inner {
    #[serde(default)]
    code: Option<String>,
    #[serde(default)]
    message: Option<String>,
    /// Documented in lower case, sent in camel case.
    #[serde(default, alias = "innererror", rename = "innerError")]
    inner: Option<Ids>,
}

#[derive(Deserialize)]
struct Ids {
    #[serde(default, rename = "request-id")]
    request_id: Option<String>,
}

impl GraphError {
    /// Reads a refusal. A body that is none of Graph's, such as a proxy's page, is quoted.
    pub(crate) fn read(
        status: StatusCode,
        headers: &HeaderMap,
        body: &[u8],
        client_request_id: String,
        attempt: Attempt,
    ) -> Self {
        let header_id = headers.get("request-id").and_then(|id| id.to_str().ok()).map(str::to_owned);
        let (code, message, body_id) = match serde_json::from_slice::<Body>(body) {
            Ok(Body { error }) => (
                error.code.unwrap_or_default(),
                error.message.unwrap_or_default(),
                error.inner.and_then(|inner| inner.request_id),
            ),
            Err(_) => (String::new(), excerpt(body), None),
        };
        let message = if message.is_empty() {
            status.canonical_reason().unwrap_or("the server gave no reason").to_owned()
        } else {
            message
        };
        Self {
            status: status.as_u16(),
            code,
            message,
            request_id: header_id.or(body_id),
            client_request_id,
            retry_after: retry_after(headers),
            attempt,
        }
    }

    /// Whether the same request may succeed later: the caller is throttled, or the server overloaded.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        matches!(self.status, 429 | 503)
    }

    /// Whether the alert was changed since the ETag that was sent.
    #[must_use]
    pub fn is_stale(&self) -> bool {
        self.status == 412
    }

    /// Whether there is no such alert, or none that the token opens.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        self.status == 404
    }

    /// Whether a delta link is too old, so that the delta query must begin anew.
    #[must_use]
    pub fn needs_resync(&self) -> bool {
        self.status == 410
    }

    /// What the caller can do about it, if that is known.
    #[must_use]
    pub fn remedy(&self) -> Option<String> {
        let permission = match self.attempt.writes {
            true => "PartnerSecurity.ReadWrite.All",
            false => "PartnerSecurity.Read.All",
        };
        Some(match self.status {
            401 if self.attempt.microsoft => {
                format!("get a new access token for Microsoft Graph with the permission {permission}")
            }
            401 => {
                format!("get a new token; the development issuer's: tenantwatch token --scope {permission}")
            }
            403 => format!("the token needs the permission {permission}"),
            410 => "start the delta query anew".to_owned(),
            412 => "the alert was changed meanwhile; read it again, then decide again".to_owned(),
            429 | 503 => match self.retry_after {
                Some(wait) => format!("try again in {} s", wait.as_secs()),
                None => "try again later".to_owned(),
            },
            _ => return None,
        })
    }
}

impl fmt::Display for GraphError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let message = printable(self.message.trim_end_matches('.'));
        write!(f, "{message} ({}", self.status)?;
        if !self.code.is_empty() {
            write!(f, " {}", printable(&self.code))?;
        }
        if let Some(id) = &self.request_id {
            write!(f, ", request-id {}", printable(id))?;
        }
        f.write_str(")")?;
        match self.remedy() {
            Some(remedy) => write!(f, "; {remedy}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for GraphError {}

/// A server's text without the control characters that could steer a terminal.
fn printable(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}

/// The start of a body that is no error body, on one line.
fn excerpt(body: &[u8]) -> String {
    // A character has four bytes at most, so no more of the body needs to be looked at.
    let start = &body[..body.len().min(EXCERPT_CHARS * 4)];
    let text = String::from_utf8_lossy(start);
    text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(EXCERPT_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const READ: Attempt = Attempt { writes: false, microsoft: false };
    const WRITE: Attempt = Attempt { writes: true, microsoft: false };
    const GRAPH: Attempt = Attempt { writes: false, microsoft: true };

    #[test]
    fn refusals_say_what_who_and_how_to_mend_it() {
        let check = |status: u16, body: &str, attempt: Attempt, expected: &str| {
            let headers = HeaderMap::from_iter([(reqwest::header::RETRY_AFTER, "7".parse().unwrap())]);
            let status = StatusCode::from_u16(status).unwrap();
            let error = GraphError::read(status, &headers, body.as_bytes(), "c-1".into(), attempt);
            assert_eq!(error.to_string(), expected);
        };
        let expired = r#"{"error":{"code":"InvalidAuthenticationToken","message":"The token is expired.","innerError":{"date":"2031-02-03T04:05:06","request-id":"r-1","client-request-id":"c-1"}}}"#;
        check(
            401,
            expired,
            READ,
            "The token is expired (401 InvalidAuthenticationToken, request-id r-1); get a new token; the development issuer's: tenantwatch token --scope PartnerSecurity.Read.All",
        );
        check(
            401,
            expired,
            GRAPH,
            "The token is expired (401 InvalidAuthenticationToken, request-id r-1); get a new access token for Microsoft Graph with the permission PartnerSecurity.Read.All",
        );
        check(
            403,
            r#"{"error":{"code":"Forbidden","message":"Missing scopes."}}"#,
            WRITE,
            "Missing scopes (403 Forbidden); the token needs the permission PartnerSecurity.ReadWrite.All",
        );
        check(
            400,
            r#"{"error":{"code":"BadRequest","message":"$filter: unknown property","innererror":{"request-id":"r-2"}}}"#,
            READ,
            "$filter: unknown property (400 BadRequest, request-id r-2)",
        );
        check(
            412,
            r#"{"error":{"code":"","message":"ETag mismatch"}}"#,
            WRITE,
            "ETag mismatch (412); the alert was changed meanwhile; read it again, then decide again",
        );
        check(429, "", READ, "Too Many Requests (429); try again in 7 s");
        check(
            502,
            "<html>\n  <b>Bad\tGateway</b>\x1b[2J</html>",
            READ,
            "<html> <b>Bad Gateway</b>[2J</html> (502)",
        );
        check(500, r#"{"error":{"code":null,"message":null}}"#, READ, "Internal Server Error (500)");
        check(599, "", READ, "the server gave no reason (599)");
    }

    #[test]
    fn long_answers_are_cut() {
        let body = "ä".repeat(5_000);
        let error = GraphError::read(
            StatusCode::BAD_GATEWAY,
            &HeaderMap::new(),
            body.as_bytes(),
            String::new(),
            READ,
        );
        assert_eq!(error.message.chars().count(), EXCERPT_CHARS);
    }
}
