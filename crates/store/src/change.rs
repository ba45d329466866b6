//! Changes of alerts, in the order in which they were made.

use alerts::AlertId;
use chrono::{DateTime, Utc};

/// A place in the log of changes: after one change, and before the next.
///
/// Positions are compared as pairs, and mean something only in the store that gave them. The first of
/// all is zero in both parts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChangePosition {
    /// Orders transactions that overlap; 0 in a store where they do not.
    pub epoch: i64,
    /// Orders the changes of one epoch.
    pub sequence: i64,
}

/// What happened to an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeKind {
    /// It was not there before.
    Created,
    /// It reads differently now.
    Updated,
    /// It is no longer there, or no longer in the scope that asks.
    Deleted,
}

/// One change of one alert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The alert.
    pub alert_id: AlertId,
    /// What happened to it.
    pub kind: ChangeKind,
    /// The version that the change gave it.
    pub version: u64,
    /// When, as in the alert's `lastModifiedDateTime` of then.
    pub at: DateTime<Utc>,
    /// The place in the log after this change.
    pub position: ChangePosition,
}

/// Some changes after a position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangePage {
    /// The changes, oldest first; an alert may be among them more than once.
    pub changes: Vec<Change>,
    /// Where to go on. At the end of the log this may be further than the last change of the page.
    pub position: ChangePosition,
    /// Whether there may be more after it already.
    pub more: bool,
}
