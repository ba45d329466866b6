//! One reply, read whole and within bounds.

use reqwest::header::{ETAG, HeaderMap, LOCATION};
use reqwest::{Response, StatusCode};
use serde::de::DeserializeOwned;

use crate::Error;
use crate::address::shown;
use crate::graph_error::{Attempt, GraphError};

/// How large a reply may be, unpacked: a page of 1,000 large alerts has a few megabytes.
pub(crate) const REPLY_LIMIT_BYTES: usize = 64 * 1024 * 1024;

/// A reply that says that all went well.
#[derive(Debug)]
pub(crate) struct Reply {
    origin: String,
    headers: HeaderMap,
    body: Vec<u8>,
}

/// What the error of a request needs to know of it.
pub(crate) struct Asked {
    pub origin: String,
    pub client_request_id: String,
    pub attempt: Attempt,
}

impl Reply {
    /// Sorts a reply: body, refusal or redirect.
    pub(crate) fn sort(
        status: StatusCode,
        headers: HeaderMap,
        body: Vec<u8>,
        asked: Asked,
    ) -> Result<Self, Error> {
        if status.is_success() {
            return Ok(Self { origin: asked.origin, headers, body });
        }
        if status.is_redirection()
            && let Some(to) = headers.get(LOCATION)
        {
            let to = shown(&String::from_utf8_lossy(to.as_bytes()));
            return Err(Error::Redirect { origin: asked.origin, to });
        }
        let refusal = GraphError::read(status, &headers, &body, asked.client_request_id, asked.attempt);
        Err(Error::Refused(Box::new(refusal)))
    }

    /// The body as `T`.
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, Error> {
        serde_json::from_slice(&self.body)
            .map_err(|cause| Error::NotGraph { origin: self.origin.clone(), cause })
    }

    /// Whether the server said nothing but that it was done.
    pub(crate) fn is_empty(&self) -> bool {
        self.body.is_empty()
    }

    /// The `ETag` header.
    pub(crate) fn etag(&self) -> Option<String> {
        Some(self.headers.get(ETAG)?.to_str().ok()?.to_owned())
    }
}

/// The unpacked body; `None` if it is larger than the limit.
pub(crate) async fn body(response: &mut Response) -> reqwest::Result<Option<Vec<u8>>> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > REPLY_LIMIT_BYTES {
            return Ok(None);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Some(body))
}
