//! What is asked of alerts, and what comes back.

use alerts::{Alert, ChangeOutcome};
use odata::Position;
use odata::checked::{Filter, SortKey};

/// The JSON text of an alert, ready to be sent.
pub type AlertBody = String;

/// Which alerts to list, in which order.
#[derive(Debug, Clone, PartialEq)]
pub struct AlertQuery {
    /// Which alerts; all if `None`.
    pub filter: Option<Filter>,
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

/// A change of status, done.
#[derive(Debug, Clone, PartialEq)]
pub struct StatusChanged {
    /// Whether anything changed.
    pub outcome: ChangeOutcome,
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
