//! What went wrong, as Microsoft Graph would say it: the only place that knows status codes.
//!
//! Graph's body is one `error` object with `code`, `message` and `innerError`; clients branch on the
//! code. What the caller reads and what the log keeps are different texts: an internal failure reads
//! "internal error" outside and carries the request id under which the log has the rest.

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};

use crate::app::alerts::AlertError;
use crate::app::fraud_events::FraudEventError;
use crate::app::score::ScoreError;
use crate::app::subscriptions::SubscriptionError;
use crate::app::webhooks::{WebhookError, test_period_s};
use crate::auth::verifier::TokenError;
use crate::auth::{APPLICATION_ID, Forbidden};

/// Why a request was not served.
#[derive(Debug)]
pub struct ApiError {
    kind: Kind,
    message: String,
    cause: Option<anyhow::Error>,
}

/// What sort of error it is. Each has one status and one code of Graph's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// The query, the body or the change is wrong.
    BadRequest,
    /// It is understood but not offered.
    NotSupported,
    /// The receiver of a subscription did not answer as it should.
    NotValidated,
    /// The caller is not known.
    Unauthenticated(TokenError),
    /// The caller may not do this.
    Forbidden,
    /// There is no such thing, or it is not the caller's to see.
    NotFound,
    /// The path exists, but not with this method; the methods that it has, as in the `Allow` header.
    MethodNotAllowed(&'static str),
    /// The `Accept` header asks for a form that there is not.
    NotAcceptable,
    /// It is there already.
    Conflict,
    /// The state that the token stands for is no longer kept; the link that starts afresh.
    Gone {
        /// The whole link, for the `Location` header.
        restart: String,
    },
    /// The entity is not in the version that `If-Match` names.
    PreconditionFailed,
    /// The body is larger than any that the operation takes.
    TooLarge,
    /// The body is not in a form that the operation takes, by its own headers.
    UnsupportedMediaType,
    /// A request of the same batch on which this one depends has failed.
    FailedDependency,
    /// The caller sends more than its share.
    Throttled {
        /// After how many seconds to try again; at least 1.
        retry_after_s: u64,
    },
    /// It cannot be done now, and can later.
    Unavailable {
        /// After how many seconds to try again; at least 1.
        retry_after_s: u64,
    },
    /// Something failed that is not the caller's doing.
    Internal,
}

impl Kind {
    fn status(&self) -> StatusCode {
        match self {
            Self::BadRequest | Self::NotSupported | Self::NotValidated => StatusCode::BAD_REQUEST,
            Self::Unauthenticated(_) => StatusCode::UNAUTHORIZED,
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed(_) => StatusCode::METHOD_NOT_ALLOWED,
            Self::NotAcceptable => StatusCode::NOT_ACCEPTABLE,
            Self::Conflict => StatusCode::CONFLICT,
            Self::Gone { .. } => StatusCode::GONE,
            Self::PreconditionFailed => StatusCode::PRECONDITION_FAILED,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::FailedDependency => StatusCode::FAILED_DEPENDENCY,
            Self::Throttled { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::Unavailable { .. } => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// Graph's word for the error, on which clients branch.
    fn code(&self) -> &'static str {
        match self {
            Self::BadRequest => "BadRequest",
            Self::NotSupported => "notSupported",
            Self::NotValidated => "ValidationError",
            Self::Unauthenticated(_) => "InvalidAuthenticationToken",
            Self::Forbidden => "Forbidden",
            Self::NotFound => "ResourceNotFound",
            Self::MethodNotAllowed(_) => "methodNotAllowed",
            Self::NotAcceptable => "notAcceptable",
            Self::Conflict => "nameAlreadyExists",
            Self::Gone { .. } => "syncStateNotFound",
            Self::PreconditionFailed => "resourceModified",
            Self::TooLarge => "requestEntityTooLarge",
            Self::UnsupportedMediaType => "unsupportedMediaType",
            Self::FailedDependency => "failedDependency",
            Self::Throttled { .. } => "TooManyRequests",
            Self::Unavailable { .. } => "serviceNotAvailable",
            Self::Internal => "generalException",
        }
    }

    /// Partner Center's code for the error. Where its table has none that fits, the status.
    /// Source: its developer page "Partner Center REST error codes".
    fn partner_center_code(&self) -> String {
        let code = match self {
            Self::BadRequest | Self::NotValidated | Self::NotSupported => "800002",
            Self::Unauthenticated(TokenError::Empty) => "800001",
            Self::Unauthenticated(_) => "400",
            Self::Forbidden => "2032",
            Self::NotFound => "1000",
            Self::Internal => "800003",
            Self::MethodNotAllowed(_)
            | Self::NotAcceptable
            | Self::Conflict
            | Self::Gone { .. }
            | Self::PreconditionFailed
            | Self::TooLarge
            | Self::UnsupportedMediaType
            | Self::FailedDependency
            | Self::Unavailable { .. }
            | Self::Throttled { .. } => return self.status().as_u16().to_string(),
        };
        code.to_owned()
    }

    fn headers(&self, message: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        match self {
            Self::Unauthenticated(error) => {
                headers.insert(header::WWW_AUTHENTICATE, challenge(*error, message));
            }
            Self::MethodNotAllowed(allow) => {
                headers.insert(header::ALLOW, HeaderValue::from_static(allow));
            }
            Self::Gone { restart } => {
                if !restart.is_empty()
                    && let Ok(location) = HeaderValue::from_str(restart)
                {
                    headers.insert(header::LOCATION, location);
                }
            }
            Self::Throttled { retry_after_s } | Self::Unavailable { retry_after_s } => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from(*retry_after_s));
            }
            _ => {}
        }
        headers
    }
}

impl ApiError {
    /// An error of that kind; the message says what is wrong, where, and how to mend it.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), cause: None }
    }

    /// The body or the query is wrong.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(Kind::BadRequest, message)
    }

    /// There is no such thing.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(Kind::NotFound, message)
    }

    /// The path leads nowhere.
    #[must_use]
    pub fn no_such_path(path: &str) -> Self {
        Self::not_found(format!("Resource not found for the path '{path}'."))
    }

    /// The path exists, but only with the methods named.
    #[must_use]
    pub fn method_not_allowed(allow: &'static str) -> Self {
        Self::new(Kind::MethodNotAllowed(allow), format!("This resource takes only {allow}."))
    }

    /// The state that a token stands for is no longer kept; `restart` is the whole link that starts afresh.
    pub fn gone(message: impl Into<String>, restart: String) -> Self {
        Self::new(Kind::Gone { restart }, message)
    }

    /// Something failed that is not the caller's doing. The log gets the cause, the caller does not.
    pub fn internal(cause: impl Into<anyhow::Error>) -> Self {
        let message = "Internal error. The server's log has the cause under this request id.";
        Self { kind: Kind::Internal, message: message.to_owned(), cause: Some(cause.into()) }
    }

    /// What sort of error it is.
    #[must_use]
    pub fn kind(&self) -> &Kind {
        &self.kind
    }

    /// The status of the reply.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.kind.status()
    }

    /// Graph's body.
    #[must_use]
    pub fn body(&self, request_id: &str, client_request_id: &str, now: DateTime<Utc>) -> Value {
        json!({"error": {
            "code": self.kind.code(),
            "message": self.message,
            "innerError": {
                "date": now.to_rfc3339_opts(SecondsFormat::Secs, true),
                "request-id": request_id,
                "client-request-id": client_request_id,
            },
        }})
    }

    /// The reply, with Graph's body. An internal failure goes to the log.
    #[must_use]
    pub fn reply(&self, request_id: &str, client_request_id: &str, now: DateTime<Utc>) -> Response {
        self.log(request_id);
        let body = self.body(request_id, client_request_id, now);
        (self.status(), self.kind.headers(&self.message), body.to_string()).into_response()
    }
}

impl ApiError {
    /// Partner Center's body.
    #[must_use]
    pub fn partner_center_body(&self) -> Value {
        json!({
            "code": self.kind.partner_center_code(),
            "description": self.message,
            "data": [],
            "source": "Tenantwatch",
        })
    }

    /// The reply with Partner Center's body. An internal failure goes to the log.
    #[must_use]
    pub fn partner_center_reply(&self, request_id: &str) -> Response {
        self.log(request_id);
        let body = self.partner_center_body();
        (self.status(), self.kind.headers(&self.message), body.to_string()).into_response()
    }

    fn log(&self, request_id: &str) {
        if let Some(cause) = &self.cause {
            tracing::error!(request.id = request_id, ?cause, "Request {request_id} failed inside");
        }
    }
}

/// The challenge of a 401, in the form that Microsoft's client libraries parse.
fn challenge(error: TokenError, description: &str) -> HeaderValue {
    let mut text = format!(
        "Bearer realm=\"\", authorization_uri=\"https://login.microsoftonline.com/common/oauth2/authorize\", client_id=\"{APPLICATION_ID}\""
    );
    if error != TokenError::Empty {
        text.push_str(&format!(", error=\"invalid_token\", error_description=\"{description}\""));
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

impl From<TokenError> for ApiError {
    fn from(error: TokenError) -> Self {
        Self::new(Kind::Unauthenticated(error), error.to_string())
    }
}

impl From<Forbidden> for ApiError {
    fn from(error: Forbidden) -> Self {
        Self::new(Kind::Forbidden, error.to_string())
    }
}

impl From<AlertError> for ApiError {
    fn from(error: AlertError) -> Self {
        let kind = match &error {
            AlertError::NotFound(_) => Kind::NotFound,
            AlertError::Query(_) | AlertError::Change(_) => Kind::BadRequest,
            AlertError::Unsupported(_) => Kind::NotSupported,
            AlertError::VersionDiffers => Kind::PreconditionFailed,
            AlertError::ChangesGone { .. } => Kind::Gone { restart: String::new() },
            AlertError::Store(_) => return Self::internal(error),
        };
        Self::new(kind, error.to_string())
    }
}

impl From<ScoreError> for ApiError {
    fn from(error: ScoreError) -> Self {
        let kind = match &error {
            ScoreError::NotFound { .. } | ScoreError::NoScore => Kind::NotFound,
            ScoreError::Query(_) => Kind::BadRequest,
            ScoreError::Store(_) => return Self::internal(error),
        };
        Self::new(kind, error.to_string())
    }
}

impl From<FraudEventError> for ApiError {
    fn from(error: FraudEventError) -> Self {
        let kind = match &error {
            FraudEventError::Request(_) | FraudEventError::TooMany => Kind::BadRequest,
            FraudEventError::NotFound { .. } => Kind::NotFound,
            FraudEventError::Store(_) => return Self::internal(error),
        };
        Self::new(kind, error.to_string())
    }
}

impl From<SubscriptionError> for ApiError {
    fn from(error: SubscriptionError) -> Self {
        let kind = match &error {
            SubscriptionError::NotFound(_) | SubscriptionError::NoSuchAlert(_) => Kind::NotFound,
            SubscriptionError::Property(_) => Kind::BadRequest,
            SubscriptionError::Handshake { .. } => Kind::NotValidated,
            SubscriptionError::LimitReached(_) => Kind::Forbidden,
            SubscriptionError::Store(_) => return Self::internal(error),
        };
        Self::new(kind, error.to_string())
    }
}

impl From<WebhookError> for ApiError {
    fn from(error: WebhookError) -> Self {
        let kind = match &error {
            WebhookError::Off => Kind::NotSupported,
            WebhookError::NarrowScope => Kind::Forbidden,
            WebhookError::NoRegistration | WebhookError::NoSuchTest(_) => Kind::NotFound,
            WebhookError::Registered => Kind::Conflict,
            WebhookError::Request(_) | WebhookError::Url(_) | WebhookError::NoTests => Kind::BadRequest,
            WebhookError::TooManyTests => Kind::Throttled { retry_after_s: test_period_s() },
            WebhookError::Store(_) => return Self::internal(error),
        };
        Self::new(kind, error.to_string())
    }
}
