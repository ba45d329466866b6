//! What is asked of alerts, and what comes back.

use alerts::Alert;
use chrono::{DateTime, Utc};
use odata::Position;
use odata::checked::{Filter, Search, SortKey};

/// An alert as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertBody {
    /// The JSON text, ready to be sent. It does not hold what stands beside it here.
    pub json: String,
    /// 1 at first, one more with each change; what the `ETag` is made of.
    pub version: u64,
    /// When it last changed here; the property `lastModifiedDateTime`.
    pub modified_at: DateTime<Utc>,
}

/// Which alerts to list, in which order.
#[derive(Debug, Clone, PartialEq)]
pub struct AlertQuery {
    /// Which alerts; all if `None`.
    pub filter: Option<Filter>,
    /// What to find in their texts; anything if `None`.
    pub search: Option<Search>,
    /// Sort keys; the store adds the id as the last tie-break.
    pub order: Vec<SortKey>,
    /// How many alerts at most; at least 1.
    pub limit: usize,
    /// How many alerts of the order to pass over first.
    pub skip: u64,
    /// Start after this position instead of at the first alert.
    pub after: Option<Position>,
}

/// One page of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct AlertPage {
    /// The alerts.
    pub alerts: Vec<AlertBody>,
    /// Where the next page starts; `None` on the last.
    pub next: Option<Position>,
}

/// Which version of an alert a change is meant for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExpectedVersion {
    /// Whichever there is.
    Any,
    /// One of these.
    OneOf(Vec<u64>),
}

impl ExpectedVersion {
    /// Whether the change is meant for this version.
    #[must_use]
    pub fn admits(&self, version: u64) -> bool {
        match self {
            Self::Any => true,
            Self::OneOf(versions) => versions.contains(&version),
        }
    }
}

/// What became of a change of status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatusOutcome {
    /// The alert was changed, and the change is in its activity log.
    Changed,
    /// The alert was so already; nothing changed.
    Unchanged,
    /// The alert has another version than the change is meant for; nothing changed.
    VersionDiffers,
}

/// A change of status, done or not.
#[derive(Debug, Clone, PartialEq)]
pub struct StatusChanged {
    /// What became of it.
    pub outcome: StatusOutcome,
    /// The alert as it is now.
    pub body: AlertBody,
}

/// What a set of findings did.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Recorded {
    /// Alerts that were raised, in order.
    pub raised: Vec<Alert>,
    /// Alerts that went on and read differently now, in order, each once.
    pub continued: Vec<Alert>,
    /// Findings that said nothing new.
    pub unchanged: usize,
}

/// What an import did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Imported {
    /// Alerts that were not there before.
    pub added: usize,
    /// Alerts that were there and differed.
    pub replaced: usize,
    /// Alerts that were there already, to the letter.
    pub unchanged: usize,
}
