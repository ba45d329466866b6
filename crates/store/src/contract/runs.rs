//! Runs of detectors.

use alerts::Scope;
use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::{Backlog, DetectorHealth, DetectorRun, StoreError};

/// What detectors have looked at, and what they have still to.
#[async_trait]
pub trait RunStore: Send + Sync + 'static {
    /// Notes that events of a kind are in the lake now, the earliest of which happened at this time.
    ///
    /// Call it after they are: a run that starts in between would count them as seen.
    async fn note_arrival(
        &self,
        scope: &Scope,
        kind: &str,
        first_event_at: DateTime<Utc>,
    ) -> Result<(), StoreError>;

    /// What a detector that reads these kinds has still to look at.
    async fn backlog(&self, scope: &Scope, detector_id: &str, kinds: &[&str]) -> Result<Backlog, StoreError>;

    /// Notes how a detector run ended. One that succeeded moves the watermark, and has seen all arrivals
    /// up to that number, which is the one of the [`Backlog`] that it started from.
    async fn record_run(
        &self,
        scope: &Scope,
        run: &DetectorRun,
        arrivals_seen: u64,
    ) -> Result<(), StoreError>;

    /// The last run of every detector, by detector id.
    async fn last_runs(&self, scope: &Scope) -> Result<Vec<DetectorRun>, StoreError>;

    /// How every detector that ever ran fares, by detector id. A scope narrower than the partner sees none.
    async fn detector_health(&self, scope: &Scope) -> Result<Vec<DetectorHealth>, StoreError>;
}
