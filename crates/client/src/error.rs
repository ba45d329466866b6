//! What can go wrong between this client and a server.

use std::error::Error as _;
use std::time::Duration;

use crate::GraphError;

/// Why a request has no result.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address of the server cannot be used.
    #[error(
        "'{address}' is not the address of a server: {reason}; write one like https://graph.microsoft.com"
    )]
    Address {
        /// What was given.
        address: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A token would cross the network for all to read.
    #[error(
        "{origin} is not encrypted and not on this machine, so the token could be read on the way; use https, or allow plain HTTP"
    )]
    Unencrypted {
        /// Scheme, host and port of the server.
        origin: String,
    },
    /// The token cannot stand in a header.
    #[error("the access token {reason}; give one word, as the issuer printed it")]
    Token {
        /// What is wrong with it; never the token.
        reason: &'static str,
    },
    /// The extra CA certificate cannot be read.
    #[error(
        "no certificate in the CA file; it must hold one or more in PEM form (-----BEGIN CERTIFICATE-----)"
    )]
    CaCertificate,
    /// TLS cannot be set up on this machine.
    #[error("setting up TLS failed; are the system's CA certificates installed?")]
    Tls(#[source] reqwest::Error),
    /// The server's certificate is not trusted.
    #[error(
        "the certificate of {origin} is not trusted; if the server is yours, give the certificate of its CA"
    )]
    Certificate {
        /// Scheme, host and port of the server.
        origin: String,
        /// What TLS says.
        #[source]
        cause: reqwest::Error,
    },
    /// No connection, or it broke.
    #[error("{origin} cannot be reached; check the address and that the server runs")]
    Unreachable {
        /// Scheme, host and port of the server.
        origin: String,
        /// What the network says.
        #[source]
        cause: reqwest::Error,
    },
    /// No complete reply in time.
    #[error("{origin} did not answer within {} s", limit.as_secs_f64())]
    Timeout {
        /// Scheme, host and port of the server.
        origin: String,
        /// How long one request may take.
        limit: Duration,
    },
    /// The server refused.
    #[error(transparent)]
    Refused(Box<GraphError>),
    /// The server sends its clients elsewhere. The token must not follow by itself.
    #[error("{origin} redirects to {to}; if that is right, give it as the address")]
    Redirect {
        /// Scheme, host and port of the server.
        origin: String,
        /// Where to, without the query.
        to: String,
    },
    /// A link leads to another origin, where the token must not go.
    #[error(
        "the server sent a link to {link}, which does not belong to {origin}; the token is not sent there"
    )]
    ForeignLink {
        /// The link, without its query.
        link: String,
        /// Scheme, host and port of the server.
        origin: String,
    },
    /// A page names itself as the next one, so the list would never end.
    #[error("{origin} sent a page whose next link leads to the same page")]
    EndlessPages {
        /// Scheme, host and port of the server.
        origin: String,
    },
    /// The reply is not what Graph would send.
    #[error("{origin} did not answer as Microsoft Graph does; is this the address of such a server?")]
    NotGraph {
        /// Scheme, host and port of the server.
        origin: String,
        /// What could not be read.
        #[source]
        cause: serde_json::Error,
    },
    /// The reply is larger than any page should be.
    #[error("{origin} sent more than {limit_bytes} bytes; ask for a smaller page")]
    TooLarge {
        /// Scheme, host and port of the server.
        origin: String,
        /// How large a reply may be.
        limit_bytes: usize,
    },
    /// An id that cannot stand in a path.
    #[error("'{0}' is not the id of an alert")]
    AlertId(String),
    /// A text that cannot be an ETag.
    #[error("'{0}' is not an ETag; give it as the server sent it, such as W/\"5\"")]
    ETag(String),
}

impl Error {
    /// The server's refusal, if that is what went wrong.
    #[must_use]
    pub fn refusal(&self) -> Option<&GraphError> {
        match self {
            Self::Refused(refusal) => Some(refusal),
            _ => None,
        }
    }

    /// A failure of the transport. URLs are cut off: they hold filters and page tokens.
    pub(crate) fn transport(error: reqwest::Error, origin: String, limit: Duration) -> Self {
        let cause = error.without_url();
        if cause.is_timeout() {
            Self::Timeout { origin, limit }
        } else if is_about_certificate(&cause) {
            Self::Certificate { origin, cause }
        } else {
            Self::Unreachable { origin, cause }
        }
    }
}

/// Whether TLS ended because of the server's certificate. The TLS library's error type is wrapped in
/// ones of the layers between, so its text is what can be seen of it.
fn is_about_certificate(error: &reqwest::Error) -> bool {
    let mut cause = error.source();
    while let Some(error) = cause {
        if error.to_string().starts_with("invalid peer certificate") {
            return true;
        }
        cause = error.source();
    }
    false
}
