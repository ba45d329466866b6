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
