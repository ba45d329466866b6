//! Calling receivers: the handshake that shows that somebody wants the notifications, and deliveries.
//!
//! Redirects are not followed and no proxy is asked, since either would lead past the guard of
//! [`Reach`]. Of replies only the status counts, and of a handshake's the text.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Client, Response, StatusCode};
use url::Url;

use super::reach::{ForbiddenAddress, GuardedResolver, Reach, UrlError};

/// How much of a reply is read, in bytes. What is longer is cut off with the connection.
const REPLY_BYTES_MAX: usize = 64 * 1024;

/// How long receivers may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// For the answer to a handshake.
    pub handshake: Duration,
    /// For the first delivery of a notification.
    pub first: Duration,
    /// For each later one.
    pub retry: Duration,
}

impl Default for Patience {
    /// As Graph documents them.
    fn default() -> Self {
        Self {
            handshake: Duration::from_secs(10),
            first: Duration::from_secs(3),
            retry: Duration::from_secs(10),
        }
    }
}

/// Calls receivers.
pub struct Receivers {
    client: Client,
    reach: Arc<Reach>,
    /// How long they may take.
    pub patience: Patience,
}

/// Why a handshake failed. The text is for the caller; what the receiver said is not in it, as it may be
/// of a place that only this server reaches.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HandshakeError {
    /// The URL is none that is called.
    #[error("its URL {0}")]
    Url(#[from] UrlError),
    /// There was no connection.
    #[error("no connection was made, or it broke off")]
    Unreachable,
    /// There was no answer in time.
    #[error("there was no answer within {0} ms")]
    Late(u128),
    /// The answer has another status.
    #[error("it answered with status {0}, where 200 was expected")]
    Status(u16),
    /// The answer is of another type.
    #[error("its answer is not of Content-Type text/plain")]
    MediaType,
    /// The answer is another text.
    #[error("its answer is not the decoded validation token alone")]
    Token,
}

/// What came of a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    /// The receiver took it: a status of 2xx in time.
    Taken,
    /// The receiver is there and did not take this: any other status, but those of [`Delivery::Failed`].
    Refused(StatusCode),
    /// The receiver, or something on the way to it, is not working now.
    Failed(String),
}

impl Receivers {
    /// Calls those within reach.
    ///
    /// # Errors
    ///
    /// [`reqwest::Error`] if the machine offers no root certificates to judge https by.
    pub fn new(reach: Reach, patience: Patience) -> Result<Self, reqwest::Error> {
        let reach = Arc::new(reach);
        let client = Client::builder()
            .dns_resolver(Arc::new(GuardedResolver(reach.clone())))
            .redirect(Policy::none())
            .no_proxy()
            .gzip(false)
            .user_agent(concat!("tenantwatch/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Self { client, reach, patience })
    }

    /// The URL, if its text is one that may be called.
    ///
    /// # Errors
    ///
    /// [`UrlError`], for the caller.
    pub fn check(&self, url: &str) -> Result<Url, UrlError> {
        self.reach.url(url)
    }

    /// Asks a receiver whether it wants notifications: it must send the token back, decoded.
    ///
    /// # Errors
    ///
    /// [`HandshakeError`], for the caller.
    pub async fn shake_hands(&self, url: &str, token: &str) -> Result<(), HandshakeError> {
        let mut url = self.check(url)?;
        url.query_pairs_mut().append_pair("validationToken", token);
        let request = self
            .client
            .post(url)
            .header(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"))
            .timeout(self.patience.handshake)
            .body("");
        let failed = |error: reqwest::Error| match forbidden(&error) {
            Some(address) => HandshakeError::Url(address.into()),
            None if error.is_timeout() => HandshakeError::Late(self.patience.handshake.as_millis()),
            None => HandshakeError::Unreachable,
        };
        let response = request.send().await.map_err(failed)?;
        if response.status() != StatusCode::OK {
            return Err(HandshakeError::Status(response.status().as_u16()));
        }
        let media_type = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let is_plain = media_type
            .and_then(|value| value.split(';').next())
            .is_some_and(|kind| kind.trim().eq_ignore_ascii_case("text/plain"));
        if !is_plain {
            return Err(HandshakeError::MediaType);
        }
        let text = read(response).await.map_err(failed)?;
        if text == token.as_bytes() { Ok(()) } else { Err(HandshakeError::Token) }
    }

    /// Sends a body of JSON.
    pub async fn deliver(&self, url: &str, body: String, patience: Duration) -> Delivery {
        let url = match self.check(url) {
            Ok(url) => url,
            // The operator may have narrowed the reach since, and may widen it again.
            Err(error) => return Delivery::Failed(format!("the URL {error}")),
        };
        let request = self
            .client
            .post(url)
            .header(CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"))
            .timeout(patience)
            .body(body);
        let response = match request.send().await {
            Ok(response) => response,
            Err(error) => return Delivery::Failed(failure(&error)),
        };
        let status = response.status();
        if status.is_success() {
            // The rest is read only so that the connection can serve again.
            drop(read(response).await);
            return Delivery::Taken;
        }
        match status {
            StatusCode::REQUEST_TIMEOUT
            | StatusCode::TOO_MANY_REQUESTS
            | StatusCode::BAD_GATEWAY
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::GATEWAY_TIMEOUT => Delivery::Failed(format!("status {}", status.as_u16())),
            _ => Delivery::Refused(status),
        }
    }
}

impl Receivers {
    /// Sends a body of JSON with headers of its own; gives the status, or why there is none.
    ///
    /// # Errors
    ///
    /// What failed, for the log and the subscriber, without the URL.
    pub async fn post(
        &self,
        url: &str,
        headers: HeaderMap,
        body: String,
        patience: Duration,
    ) -> Result<StatusCode, String> {
        let url = self.check(url).map_err(|error| format!("the URL {error}"))?;
        let request = self
            .client
            .post(url)
            .header(CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"))
            .headers(headers)
            .timeout(patience)
            .body(body);
        let response = request.send().await.map_err(|error| failure(&error))?;
        let status = response.status();
        drop(read(response).await);
        Ok(status)
    }
}

async fn read(mut response: Response) -> Result<Vec<u8>, reqwest::Error> {
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > REPLY_BYTES_MAX {
            break;
        }
    }
    Ok(bytes)
}

fn causes<'a>(error: &'a reqwest::Error) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(error.source(), |cause| (*cause).source())
}

fn forbidden(error: &reqwest::Error) -> Option<ForbiddenAddress> {
    causes(error).find_map(|cause| cause.downcast_ref::<ForbiddenAddress>()).cloned()
}

/// What failed, for the log: without the URL, whose query may hold a secret.
fn failure(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "no answer in time".to_owned();
    }
    causes(error).last().map_or_else(|| "no connection".to_owned(), ToString::to_string)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_name_that_leads_inside_is_not_called() {
        let receivers = Receivers::new(Reach::default(), Patience::default()).unwrap();
        let refused = receivers.shake_hands("https://localhost:1/", "token").await.unwrap_err();
        assert!(matches!(refused, HandshakeError::Url(UrlError::Address(_))), "{refused}");
        let failed = receivers.deliver("https://localhost:1/", String::new(), Duration::from_secs(1)).await;
        let Delivery::Failed(reason) = failed else { panic!("{failed:?}") };
        assert!(reason.contains("no address of the public internet"), "{reason}");
    }
}
