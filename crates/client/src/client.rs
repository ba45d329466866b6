//! The client: one server, one token, and what can be asked.

use std::fmt;
use std::time::Duration;

use alerts::{AlertId, StatusChange};
use futures::stream::{Stream, StreamExt as _};
use reqwest::Method;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue, IF_MATCH};
use secrecy::SecretString;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use url::Url;
use uuid::Uuid;

use crate::address::Address;
use crate::graph_error::Attempt;
use crate::page::pages;
use crate::reply::{self, Asked, REPLY_LIMIT_BYTES, Reply};
use crate::retry::{Patience, Sleep};
use crate::{Builder, Error, ListOptions, Page};

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const PREFER: HeaderName = HeaderName::from_static("prefer");
const CLIENT_REQUEST_ID: HeaderName = HeaderName::from_static("client-request-id");

/// The path of the alerts below the base.
const ALERTS: [&str; 3] = ["security", "partner", "securityAlerts"];

/// A client of one server, with one token. Cheap to clone; clones share their connections.
///
/// A server that is busy is asked again, as often and as late as [`Builder`] says. A change that was
/// repeated is harmless: the same status again changes nothing. With an ETag, though, a change whose
/// first reply got lost may end in "changed meanwhile".
#[derive(Clone)]
pub struct Client {
    pub(crate) http: reqwest::Client,
    pub(crate) address: Address,
    pub(crate) authorization: HeaderValue,
    pub(crate) timeout: Duration,
    pub(crate) patience: Patience,
    pub(crate) sleep: Sleep,
}

/// One alert, and the ETag of the state in which it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entity<T> {
    /// The alert.
    pub alert: T,
    /// For `If-Match`; `None` if the server has no ETags.
    pub etag: Option<String>,
}

/// One request, ready to be sent as often as needed.
struct Request<'a> {
    method: Method,
    url: &'a Url,
    headers: Vec<(HeaderName, HeaderValue)>,
    body: Option<String>,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("base", &self.address.base().as_str()).finish_non_exhaustive()
    }
}

impl Client {
    /// A client of the server at `address`, such as `https://graph.microsoft.com`. The path `/beta` is
    /// added if it is missing.
    ///
    /// # Errors
    ///
    /// As [`Builder::build`].
    pub fn new(address: &str, token: SecretString) -> Result<Self, Error> {
        Self::builder(address, token).build()
    }

    /// A client that is told more.
    pub fn builder(address: &str, token: SecretString) -> Builder {
        Builder::new(address, token)
    }

    /// Lists alerts, page by page, as far as the caller reads.
    ///
    /// After an error the stream is over. Errors are those of the requests: [`Error::Refused`] with the
    /// server's words, [`Error::ForeignLink`], [`Error::Unreachable`] and their like.
    pub fn list<T: DeserializeOwned + Send>(
        &self,
        options: &ListOptions,
    ) -> impl Stream<Item = Result<Page<T>, Error>> + Send + use<T> {
        let client = self.clone();
        let first = options.on(self.alerts_url(&[]));
        pages(self.clone(), first, options.preference()).map(move |page| {
            let page = page?;
            let alerts = page.value.into_iter().map(|value| client.typed(value)).collect::<Result<_, _>>()?;
            Ok(Page { alerts, count: page.count, is_last: page.next_link.is_none() })
        })
    }

    /// One alert, with all properties or the selected ones.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`], with [`crate::GraphError::is_not_found`] if there is none; those of any request.
    pub async fn get<T: DeserializeOwned>(
        &self,
        id: &AlertId,
        select: &[String],
    ) -> Result<Entity<T>, Error> {
        let options = ListOptions { select: select.to_vec(), ..ListOptions::default() };
        let url = options.on(self.alert_url(id)?);
        self.entity(&self.read(&url, None).await?)
    }

    /// Changes the status of an alert, and returns the alert as it is then.
    ///
    /// With `if_match`, an ETag, only if nobody changed it since.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`], with [`crate::GraphError::is_stale`] if the ETag is not the alert's any more;
    /// those of any request.
    pub async fn update<T: DeserializeOwned>(
        &self,
        id: &AlertId,
        change: &StatusChange,
        if_match: Option<&str>,
    ) -> Result<Entity<T>, Error> {
        let mut body = Map::from_iter([("status".to_owned(), Value::from(change.to.as_str()))]);
        if let Some(reason) = change.reason {
            body.insert("resolvedReason".to_owned(), reason.as_str().into());
        }
        let url = self.alert_url(id)?;
        let mut headers = vec![(CONTENT_TYPE, JSON)];
        if let Some(etag) = if_match {
            let value =
                HeaderValue::from_str(etag).map_err(|_| Error::ETag(etag.escape_debug().collect()))?;
            headers.push((IF_MATCH, value));
        }
        let body = Some(Value::Object(body).to_string());
        let reply = self.send(&Request { method: Method::PATCH, url: &url, headers, body }).await?;
        if reply.is_empty() {
            return self.get(id, &[]).await;
        }
        self.entity(&reply)
    }

    /// Reads a URL of this server.
    pub(crate) async fn read(&self, url: &Url, preference: Option<&str>) -> Result<Reply, Error> {
        let preference = preference.and_then(|text| HeaderValue::from_str(text).ok());
        let headers = preference.map(|value| (PREFER, value)).into_iter().collect();
        self.send(&Request { method: Method::GET, url, headers, body: None }).await
    }

    /// The URL of the alerts, or of something below them.
    pub(crate) fn alerts_url(&self, below: &[&str]) -> Url {
        self.address.below(&[&ALERTS, below].concat())
    }

    /// A value of a reply as `T`.
    ///
    /// # Errors
    ///
    /// [`Error::NotGraph`].
    pub(crate) fn typed<T: DeserializeOwned>(&self, value: Value) -> Result<T, Error> {
        serde_json::from_value(value)
            .map_err(|cause| Error::NotGraph { origin: self.address.origin(), cause })
    }

    fn alert_url(&self, id: &AlertId) -> Result<Url, Error> {
        // As a path segment these two mean another path, encoded or not.
        if matches!(id.as_str(), "." | "..") {
            return Err(Error::AlertId(id.to_string()));
        }
        Ok(self.alerts_url(&[id.as_str()]))
    }

    fn entity<T: DeserializeOwned>(&self, reply: &Reply) -> Result<Entity<T>, Error> {
        let body: Value = reply.json()?;
        let etag = body.get("@odata.etag").and_then(Value::as_str).map(str::to_owned);
        Ok(Entity { etag: etag.or_else(|| reply.etag()), alert: self.typed(body)? })
    }

    /// Sends a request until the server is not too busy, or patience ends; then its last refusal is the
    /// error.
    async fn send(&self, request: &Request<'_>) -> Result<Reply, Error> {
        let mut sent = 0;
        loop {
            let result = self.send_once(request).await;
            sent += 1;
            match &result {
                Err(Error::Refused(refusal)) => match self.patience.wait(refusal, sent) {
                    Some(wait) => (self.sleep)(wait).await,
                    None => return result,
                },
                Ok(_) | Err(_) => return result,
            }
        }
    }

    async fn send_once(&self, request: &Request<'_>) -> Result<Reply, Error> {
        let client_request_id = Uuid::new_v4().to_string();
        let mut sent = self
            .http
            .request(request.method.clone(), request.url.clone())
            .header(AUTHORIZATION, self.authorization.clone())
            .header(ACCEPT, JSON)
            .header(CLIENT_REQUEST_ID, &client_request_id);
        for (name, value) in &request.headers {
            sent = sent.header(name, value);
        }
        if let Some(body) = &request.body {
            sent = sent.body(body.clone());
        }
        let origin = self.address.origin();
        let failed = |error| Error::transport(error, self.address.origin(), self.timeout);
        let mut response = sent.send().await.map_err(failed)?;
        let (status, headers) = (response.status(), response.headers().clone());
        let Some(body) = reply::body(&mut response).await.map_err(failed)? else {
            return Err(Error::TooLarge { origin, limit_bytes: REPLY_LIMIT_BYTES });
        };
        let attempt =
            Attempt { writes: request.method != Method::GET, microsoft: self.address.is_microsoft() };
        Reply::sort(status, headers, body, Asked { origin, client_request_id, attempt })
    }
}
