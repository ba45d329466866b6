//! Runs of detectors.

use chrono::{DateTime, Utc};

/// One run of one detector.
#[derive(Debug, Clone, PartialEq)]
pub struct DetectorRun {
    /// The detector's id, as in its manifest.
    pub detector_id: String,
    /// Start of the events it looked at.
    pub since: DateTime<Utc>,
    /// End of the events it looked at; the new watermark if it succeeded.
    pub until: DateTime<Utc>,
    /// When it started.
    pub started_at: DateTime<Utc>,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
    /// How many findings it gave.
    pub findings: usize,
    /// Why it failed, if it did.
    pub error: Option<String>,
}

/// How a detector fares.
#[derive(Debug, Clone, PartialEq)]
pub struct DetectorHealth {
    /// Its last run.
    pub last: DetectorRun,
    /// When its last run that succeeded started; `None` if none did.
    pub succeeded_at: Option<DateTime<Utc>>,
    /// Why its last run that failed did, and when that started; it stays after one that succeeded.
    pub last_error: Option<(String, DateTime<Utc>)>,
    /// Up to where runs that succeeded have seen the events; `None` before the first of them.
    pub watermark: Option<DateTime<Utc>>,
}

/// What a detector has still to look at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Backlog {
    /// Up to where runs that succeeded have seen the events; `None` before the first of them.
    pub watermark: Option<DateTime<Utc>>,
    /// The earliest event that came in since the last of them; may lie long before the watermark.
    pub late_since: Option<DateTime<Utc>>,
    /// The number of the last arrival.
    pub last_arrival: u64,
}
