//! How the detectors fare: which failed, which are late, which have nothing to look at yet.

use std::time::Duration;

use alerts::Scope;
use chrono::{DateTime, TimeDelta, Utc};
use detect::Detector;
use serde_json::{Value, json};
use store::{DetectorHealth, StoreError};

use super::Instance;

/// A detector waits for its turn among the others, so it is late only once it has missed two runs and this much more.
const LATE_AFTER: TimeDelta = TimeDelta::minutes(5);

/// One part in so many of the time of one query goes to detectors at most; the rest is for the callers of the API.
const SHARE: u32 = 2;

/// How long after the start of a run the next one starts: the schedule, or so much longer that all detectors together,
/// were they as slow, would take their share of the time and no more.
pub(crate) fn interval(schedule: Duration, took: Duration, detectors: usize) -> Duration {
    let turns = u32::try_from(detectors).unwrap_or(u32::MAX).saturating_mul(SHARE);
    schedule.max(took.saturating_mul(turns))
}

/// How a detector fares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Its last run succeeded, and the next is not overdue.
    Ok,
    /// Its last run failed.
    Failed,
    /// It should have run again by now.
    Late,
    /// It never ran: nothing that it reads has come in, or nothing runs detectors.
    Waiting,
}

impl State {
    /// The state, as the API says it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Failed => "failed",
            Self::Late => "late",
            Self::Waiting => "waiting",
        }
    }
}

/// A detector, and what is known of its runs.
#[derive(Debug)]
pub struct Health<'a> {
    /// The detector.
    pub detector: &'a Detector,
    /// Its runs; `None` before the first.
    pub runs: Option<DetectorHealth>,
    /// How many detectors take turns.
    detectors: usize,
}

/// How all detectors fare, in the order of the catalogue. Runs are over all of a partner's events, so a scope narrower
/// than the partner sees none.
///
/// # Errors
///
/// [`StoreError`] if the runs cannot be read.
pub async fn health<'a>(instance: &'a Instance, scope: &Scope) -> Result<Vec<Health<'a>>, StoreError> {
    if *scope != instance.scope() {
        return Ok(Vec::new());
    }
    let mut runs = instance.store.detector_health(scope).await?;
    let detectors = instance.detectors.len();
    let mut of = |detector: &'a Detector| {
        let place = runs.iter().position(|known| known.last.detector_id == detector.manifest.id);
        Health { detector, runs: place.map(|place| runs.swap_remove(place)), detectors }
    };
    Ok(instance.detectors.iter().map(|detector| of(detector)).collect())
}

impl Health<'_> {
    /// When it is to run next; `None` if it never ran.
    #[must_use]
    pub fn next_due_at(&self) -> Option<DateTime<Utc>> {
        Some(self.runs.as_ref()?.last.started_at + self.interval()?)
    }

    /// How long after its last run the next is due: longer than its schedule if it is slow.
    fn interval(&self) -> Option<TimeDelta> {
        let took = self.runs.as_ref()?.last.duration_ms;
        let schedule = self.detector.manifest.schedule.to_std().ok()?;
        TimeDelta::from_std(interval(schedule, Duration::from_millis(took), self.detectors)).ok()
    }

    /// How it fares.
    #[must_use]
    pub fn state(&self, now: DateTime<Utc>) -> State {
        let (Some(runs), Some(due), Some(interval)) = (&self.runs, self.next_due_at(), self.interval())
        else {
            return State::Waiting;
        };
        let is_late = now > due + interval + LATE_AFTER;
        match &runs.last.error {
            Some(_) => State::Failed,
            None if is_late => State::Late,
            None => State::Ok,
        }
    }

    /// As the API shows it.
    #[must_use]
    pub fn to_json(&self, now: DateTime<Utc>) -> Value {
        let manifest = &self.detector.manifest;
        let runs = self.runs.as_ref();
        let (error, failed_at) = runs.and_then(|runs| runs.last_error.clone()).unzip();
        json!({
            "detectorId": manifest.id,
            "title": manifest.title,
            "state": self.state(now).as_str(),
            "scheduleSeconds": manifest.schedule.num_seconds(),
            "lastRunDateTime": runs.map(|runs| runs.last.started_at),
            "lastSuccessDateTime": runs.and_then(|runs| runs.succeeded_at),
            "lastDurationMs": runs.map(|runs| runs.last.duration_ms),
            "lastFindings": runs.map(|runs| runs.last.findings),
            "lastError": error,
            "lastErrorDateTime": failed_at,
            "nextDueDateTime": self.next_due_at(),
            "watermarkDateTime": runs.and_then(|runs| runs.watermark),
        })
    }
}
