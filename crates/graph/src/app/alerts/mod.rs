//! What callers do with alerts: list, count, look at one, follow changes, change the status.

mod change;
mod delta;
mod read;

use std::sync::LazyLock;

use alerts::{AlertId, Scope};
use chrono::{DateTime, SecondsFormat, Utc};
use odata::query::CheckContext;
use odata::{Limits, MetadataLevel, Model, QueryError, QueryOption, QueryOptions, Seal, Selection, TokenKey};
use store::{AlertBody, Store, StoreError};

pub use change::{ChangeError, update};
pub use delta::{Changes, DeltaLink, Removed, changes};
pub use read::{AlertList, count, list, show};

/// The property that says when an alert last changed here. It is ours, so it is shown only to those who
/// select it.
pub const LAST_MODIFIED: &str = "lastModifiedDateTime";

/// How many alerts a page holds if the caller does not say.
const PAGE_SIZE: u32 = 100;

/// What alerts can be asked.
static MODEL: LazyLock<Model> = LazyLock::new(|| Model {
    entity: store::alert_model(),
    default_orderby: "detectedDateTime desc",
    // Microsoft's overview page writes the plural; everything else has the singular.
    namespace_aliases: &[("microsoft.graph.partners.security", "microsoft.graph.partner.security")],
    searchable: store::searchable_properties(),
});

static LIMITS: LazyLock<Limits> = LazyLock::new(Limits::default);

/// Where a caller's work is done: the alerts, the part of them that is the caller's, and the moment.
#[derive(Clone, Copy)]
pub struct Desk<'a> {
    /// The alerts.
    pub store: &'a dyn Store,
    /// Whose alerts the caller may see.
    pub scope: &'a Scope,
    /// What links to next pages are signed with.
    pub tokens: &'a TokenKey,
    /// Now.
    pub now: DateTime<Utc>,
}

/// What can go wrong when a caller works on alerts. Knows nothing of HTTP.
#[derive(Debug, thiserror::Error)]
pub enum AlertError {
    /// No such alert in the caller's scope. An alert of somebody else reads the same, on purpose.
    #[error("Alert '{0}' does not exist.")]
    NotFound(String),
    /// The query is wrong.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// The change is wrong.
    #[error(transparent)]
    Change(#[from] ChangeError),
    /// The alert is not in the version that the change is meant for.
    #[error("The alert has changed since; read it again and send its new ETag in If-Match.")]
    VersionDiffers,
    /// The changes since the token was given are no longer all known.
    #[error("The changes since this token was given are no longer kept; read all alerts again.")]
    ChangesGone {
        /// The query string that starts again.
        restart: String,
    },
    /// The query asks for something that the store cannot do.
    #[error("{0}")]
    Unsupported(String),
    /// The store failed.
    #[error("the alert store failed")]
    Store(#[source] StoreError),
}

impl From<StoreError> for AlertError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Lifecycle(error) => Self::Change(error.into()),
            StoreError::Unsupported(what) => Self::Unsupported(what),
            other => Self::Store(other),
        }
    }
}

/// One alert.
#[derive(Debug)]
pub struct AlertReply {
    /// The alert, whole.
    pub body: AlertBody,
    /// Which properties to show; all if `None`.
    pub selection: Option<Selection>,
    /// How much metadata the caller wants, if the query says so.
    pub metadata: Option<MetadataLevel>,
}

/// A time as Graph writes it.
#[must_use]
pub fn wire_time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

/// Who may bring a token back: whoever may see the same alerts.
pub(crate) fn token_context(scope: &Scope) -> Vec<u8> {
    let (partner, kind, within) = match scope {
        Scope::Partner(partner) => (partner, 'p', ""),
        Scope::Reseller(partner, reseller) => (partner, 'r', reseller.as_str()),
        Scope::Customer(partner, customer) => (partner, 'c', customer.as_str()),
    };
    format!("{}\n{kind}\n{within}", partner.as_str()).into_bytes()
}

fn seal<'a>(desk: &Desk<'a>, context: &'a [u8]) -> Seal<'a> {
    Seal { key: desk.tokens, context }
}

/// Whether alerts can be asked this, by the raw query string.
#[must_use]
pub fn is_admitted(raw_query: &str) -> bool {
    let key = TokenKey::new([0; 32]);
    let seal = Seal { key: &key, context: &[] };
    let context = CheckContext { model: &MODEL, limits: &LIMITS, now: DateTime::UNIX_EPOCH, seal };
    QueryOptions::parse(raw_query).and_then(|options| options.check(&context)).is_ok()
}

/// The level that the query asks for. `json` alone means the usual one, whatever `Accept` says.
fn asked_level(options: &QueryOptions, parsed: Option<MetadataLevel>) -> Option<MetadataLevel> {
    parsed.or_else(|| options.text(QueryOption::Format).map(|_| MetadataLevel::Minimal))
}

/// A text that cannot be an id is one that no alert has.
fn known_id(id: &str) -> Result<AlertId, AlertError> {
    id.parse().map_err(|_| AlertError::NotFound(id.chars().take(200).filter(|c| !c.is_control()).collect()))
}

async fn stored(desk: &Desk<'_>, id: &AlertId) -> Result<AlertBody, AlertError> {
    desk.store.alert(desk.scope, id).await?.ok_or_else(|| AlertError::NotFound(id.to_string()))
}
