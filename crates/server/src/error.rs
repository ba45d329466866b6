//! What went wrong, as Microsoft Graph would say it: the only place that knows status codes.
//!
//! Graph's body is one `error` object with `code`, `message` and `innerError`; clients branch on the
//! code. What the caller reads and what the log keeps are different texts: an internal failure reads
//! "internal error" outside and carries the request id under which the log has the rest.

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::json;

use crate::app::alert::AlertError;
use crate::auth::verifier::TokenError;
use crate::auth::{APPLICATION_ID, Forbidden};

/// Why a request was not served.
#[derive(Debug)]
pub(crate) enum ApiError {
    /// The caller is not known.
    Unauthenticated(TokenError),
    /// The caller may not do this.
    Forbidden(Forbidden),
    /// Work on alerts failed.
    Alert(AlertError),
    /// The path leads nowhere.
    NoSuchPath {
        /// The path.
        path: String,
    },
    /// The path exists, but not with this method.
    MethodNotAllowed {
        /// The methods that it has, as in the `Allow` header.
        allow: &'static str,
    },
    /// The body is not what the operation takes.
    BadBody {
        /// What is wrong, where, and how to mend it.
        message: String,
    },
    /// The body is not JSON by its own header.
    UnsupportedMediaType {
        /// The header that was sent.
        found: String,
    },
    /// The body is larger than any that the operation takes.
    BodyTooLarge {
        /// How large it may be, in bytes.
        limit_bytes: usize,
    },
    /// The `Host` header cannot be put into a link.
    BadHost,
    /// Something failed that is not the caller's doing.
    Internal(anyhow::Error),
}

impl ApiError {
    fn status(&self) -> StatusCode {
        match self {
            Self::Unauthenticated(_) => StatusCode::UNAUTHORIZED,
            Self::Forbidden(_) => StatusCode::FORBIDDEN,
            Self::NoSuchPath { .. } => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed { .. } => StatusCode::METHOD_NOT_ALLOWED,
            Self::BadBody { .. } | Self::BadHost => StatusCode::BAD_REQUEST,
            Self::UnsupportedMediaType { .. } => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::BodyTooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Alert(error) => match error {
                AlertError::NotFound(_) => StatusCode::NOT_FOUND,
                AlertError::Query(_) | AlertError::Change(_) | AlertError::Unsupported(_) => {
                    StatusCode::BAD_REQUEST
                }
                AlertError::Store(_) => StatusCode::INTERNAL_SERVER_ERROR,
            },
        }
    }

    /// Graph's word for the error, on which clients branch.
    fn code(&self) -> &'static str {
        match self {
            Self::Unauthenticated(_) => "InvalidAuthenticationToken",
            Self::Forbidden(_) => "Forbidden",
            Self::NoSuchPath { .. } => "ResourceNotFound",
            Self::MethodNotAllowed { .. } => "methodNotAllowed",
            Self::BadBody { .. } | Self::BadHost => "BadRequest",
            Self::UnsupportedMediaType { .. } => "unsupportedMediaType",
            Self::BodyTooLarge { .. } => "requestEntityTooLarge",
            Self::Internal(_) => "generalException",
            Self::Alert(error) => match error {
                AlertError::NotFound(_) => "ResourceNotFound",
                AlertError::Query(_) | AlertError::Change(_) => "BadRequest",
                AlertError::Unsupported(_) => "notSupported",
                AlertError::Store(_) => "generalException",
            },
        }
    }

    fn message(&self) -> String {
        match self {
            Self::Unauthenticated(error) => error.to_string(),
            Self::Forbidden(error) => error.to_string(),
            Self::NoSuchPath { path } => format!("Resource not found for the path '{path}'."),
            Self::MethodNotAllowed { allow } => format!("This resource takes only {allow}."),
            Self::BadBody { message } => message.clone(),
            Self::BadHost => "The Host header is missing or malformed.".to_owned(),
            Self::UnsupportedMediaType { found } => {
                format!("The body must be sent as application/json; the Content-Type header says '{found}'.")
            }
            Self::BodyTooLarge { limit_bytes } => format!("The body may have at most {limit_bytes} bytes."),
            Self::Internal(_) | Self::Alert(AlertError::Store(_)) => {
                "Internal error. The server's log has the cause under this request id.".to_owned()
            }
            Self::Alert(error) => error.to_string(),
        }
    }

    /// The reply, with Graph's body.
    pub(crate) fn reply(&self, request_id: &str, client_request_id: &str, now: DateTime<Utc>) -> Response {
        match self {
            Self::Alert(AlertError::Store(error)) => log_failure(request_id, error),
            Self::Internal(error) => log_failure(request_id, error),
            _ => {}
        }
        let body = json!({"error": {
            "code": self.code(),
            "message": self.message(),
            "innerError": {
                "date": now.to_rfc3339_opts(SecondsFormat::Secs, true),
                "request-id": request_id,
                "client-request-id": client_request_id,
            },
        }});
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Self::Unauthenticated(error) = self {
            headers.insert(header::WWW_AUTHENTICATE, challenge(*error));
        }
        if let Self::MethodNotAllowed { allow } = self {
            headers.insert(header::ALLOW, HeaderValue::from_static(allow));
        }
        (self.status(), headers, body.to_string()).into_response()
    }
}

fn log_failure(request_id: &str, cause: &dyn std::fmt::Debug) {
    tracing::error!(request.id = request_id, ?cause, "Request {request_id} failed inside");
}

/// The challenge of a 401, in the form that Microsoft's client libraries parse.
fn challenge(error: TokenError) -> HeaderValue {
    let mut text = format!(
        "Bearer realm=\"\", authorization_uri=\"https://login.microsoftonline.com/common/oauth2/authorize\", client_id=\"{APPLICATION_ID}\""
    );
    if error != TokenError::Empty {
        text.push_str(&format!(", error=\"invalid_token\", error_description=\"{error}\""));
    }
    HeaderValue::from_str(&text).expect("the texts of token errors are plain ASCII")
}

/// The error travels in the reply's extensions to the outermost layer, which knows the request id.
impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        response.extensions_mut().insert(std::sync::Arc::new(self));
        response
    }
}

impl From<AlertError> for ApiError {
    fn from(error: AlertError) -> Self {
        Self::Alert(error)
    }
}

impl From<Forbidden> for ApiError {
    fn from(error: Forbidden) -> Self {
        Self::Forbidden(error)
    }
}
