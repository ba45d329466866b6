//! Pages: one reply of a list, and the links that lead from one to the next.

use futures::stream::{self, Stream};
use serde::Deserialize;
use serde_json::Value;
use url::Url;

use crate::{Client, Error};

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The alerts, in the server's order. May be empty even if pages follow.
    pub alerts: Vec<T>,
    /// How many alerts there are in all, if it was asked and the server says so.
    pub count: Option<u64>,
    /// Whether pages follow.
    pub is_last: bool,
}

/// A page as it comes, for lists and delta queries alike.
#[derive(Debug, Deserialize)]
pub(crate) struct RawPage {
    pub value: Vec<Value>,
    #[serde(default, rename = "@odata.count")]
    pub count: Option<u64>,
    #[serde(default, rename = "@odata.nextLink")]
    pub next_link: Option<String>,
    #[serde(default, rename = "@odata.deltaLink")]
    pub delta_link: Option<String>,
}

/// Where a walk through pages stands.
struct Walk {
    client: Client,
    preference: Option<String>,
    next: Option<Url>,
}

/// Follows next links from `first` to the last page. After an error there is nothing more.
pub(crate) fn pages(
    client: Client,
    first: Url,
    preference: Option<String>,
) -> impl Stream<Item = Result<RawPage, Error>> + Send {
    let walk = Walk { client, preference, next: Some(first) };
    stream::try_unfold(walk, |mut walk| async move {
        let Some(url) = walk.next.take() else { return Ok(None) };
        let page: RawPage = walk.client.read(&url, walk.preference.as_deref()).await?.json()?;
        if let Some(link) = &page.next_link {
            let next = walk.client.address.follow(&url, link)?;
            if next == url {
                return Err(Error::EndlessPages { origin: walk.client.address.origin() });
            }
            walk.next = Some(next);
        }
        Ok(Some((page, walk)))
    })
}
