//! Delta queries: what changed since the last time.
//!
//! The last page of a delta query has a link that stands for "all that was seen so far". Whoever keeps
//! it asks only for what came later. Source: `concepts/delta-query-overview.md` of
//! microsoftgraph/microsoft-graph-docs-contrib.

use alerts::AlertId;
use futures::stream::{Stream, StreamExt as _};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::page::{RawPage, pages};
use crate::{Client, Error, ListOptions};

/// Where a delta query begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeltaStart {
    /// With every alert there is.
    Everything(ListOptions),
    /// After what an earlier query saw: its [`DeltaPage::delta_link`].
    After(String),
}

/// One page of a delta query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeltaPage<T> {
    /// What changed, in the server's order. One alert may come more than once; the last word counts.
    pub changes: Vec<Change<T>>,
    /// Where the next delta query begins; only the last page has it.
    pub delta_link: Option<String>,
}

/// One change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change<T> {
    /// The alert is new, or is now like this.
    Present(T),
    /// The alert is gone, or no longer for this caller's eyes.
    Removed {
        /// Which alert.
        id: AlertId,
        /// Why: `deleted` (may come back) or `changed` in Graph's words, if told.
        reason: Option<String>,
    },
}

/// What stands in a page for an alert that is gone.
#[derive(Deserialize)]
struct Removed {
    id: AlertId,
    #[serde(rename = "@removed")]
    removed: Reason,
}

#[derive(Deserialize)]
struct Reason {
    #[serde(default)]
    reason: Option<String>,
}

impl Client {
    /// Asks what changed, page by page.
    ///
    /// A refusal with [`crate::GraphError::needs_resync`] means that the link is too old: begin with
    /// [`DeltaStart::Everything`].
    ///
    /// # Errors
    ///
    /// [`Error::ForeignLink`] if the link is another server's; the stream has the errors of the requests.
    pub fn delta<T: DeserializeOwned + Send>(
        &self,
        start: DeltaStart,
    ) -> Result<impl Stream<Item = Result<DeltaPage<T>, Error>> + Send + use<T>, Error> {
        let delta = self.alerts_url(&["delta()"]);
        let (first, preference) = match start {
            DeltaStart::Everything(options) => (options.on(delta), options.preference()),
            DeltaStart::After(link) => (self.address.follow(&delta, &link)?, None),
        };
        let client = self.clone();
        Ok(pages(self.clone(), first, preference).map(move |page| read(&client, page?)))
    }
}

fn read<T: DeserializeOwned>(client: &Client, page: RawPage) -> Result<DeltaPage<T>, Error> {
    let changes = page.value.into_iter().map(|value| change(client, value)).collect::<Result<_, _>>()?;
    Ok(DeltaPage { changes, delta_link: page.delta_link })
}

fn change<T: DeserializeOwned>(client: &Client, value: Value) -> Result<Change<T>, Error> {
    if value.get("@removed").is_none() {
        return Ok(Change::Present(client.typed(value)?));
    }
    let Removed { id, removed } = client.typed(value)?;
    Ok(Change::Removed { id, reason: removed.reason })
}
