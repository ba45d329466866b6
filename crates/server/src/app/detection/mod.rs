//! Running detectors, and what their findings do to the alerts.

mod events;
mod plan;
mod prepared;

use std::error::Error as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use alerts::{Alert, Finding};
use chrono::{DateTime, TimeDelta, Utc};
use detect::Detector;
use futures::StreamExt as _;
use lake::LakeError;
use store::{DetectorRun, StoreError};

use self::plan::{Plan, Planner};
use self::prepared::Prepared;
use super::{Instance, tuning};

pub(super) use self::events::hold;
pub use self::events::{Events, RunError};
pub(super) use self::plan::slices;

/// What stops a detection as a whole. A detector that fails does not.
#[derive(Debug, thiserror::Error)]
pub enum DetectionError {
    /// The alerts cannot be read or written.
    #[error("the alert store failed during detection")]
    Store(#[from] StoreError),
    /// The events cannot be read.
    #[error("the event lake failed during detection")]
    Lake(#[from] LakeError),
}

/// Which events to look at.
#[derive(Debug, Clone, Copy, Default)]
pub struct Period {
    /// Where to start; where each detector left off, if not given.
    pub since: Option<DateTime<Utc>>,
    /// Where to end; at the moment of the run, if not given.
    pub until: Option<DateTime<Utc>>,
}

impl Period {
    /// Whether the caller named a bound; otherwise each detector goes on where it left off.
    fn is_asked_for(&self) -> bool {
        self.since.is_some() || self.until.is_some()
    }
}

/// When the alerts are said to have been made.
#[derive(Debug, Clone, Copy)]
pub enum Clock {
    /// When the run is, for all of them: the truth of a live system.
    Real,
    /// When a detector that runs on time would have made them: so long after the last evidence.
    /// For simulated estates, whose past nobody has watched.
    AsIfWatched(TimeDelta),
}

/// What a detection did.
#[derive(Debug, Default)]
pub struct DetectionReport {
    /// Alerts that were raised.
    pub raised: Vec<Alert>,
    /// Alerts that went on.
    pub continued: Vec<Alert>,
    /// How many findings the operator's rules silenced.
    pub silenced: usize,
    /// Every run, failed ones included.
    pub runs: Vec<DetectorRun>,
}

impl DetectionReport {
    /// The runs that failed.
    pub fn failures(&self) -> impl Iterator<Item = &DetectorRun> {
        self.runs.iter().filter(|run| run.error.is_some())
    }
}

/// How far a detection is, in slices of time that detectors look at.
#[derive(Debug, Default)]
pub struct Progress {
    /// How many there are; 0 until that is known.
    pub total: AtomicU64,
    /// How many were looked at.
    pub done: AtomicU64,
}

/// Runs all detectors of the instance once.
///
/// A period that is given is looked at as asked and leaves the watermarks alone; otherwise each
/// detector goes on where its last successful run ended, less its overlap, or earlier if older events
/// have come in since.
///
/// # Errors
///
/// [`DetectionError`] if events or alerts cannot be reached. A detector that fails is in the report.
pub async fn detect(
    instance: &Instance,
    period: Period,
    clock: Clock,
    now: DateTime<Utc>,
) -> Result<DetectionReport, DetectionError> {
    detect_watched(instance, period, clock, now, &Progress::default()).await
}

/// As [`detect()`]; `progress` tells how far it is.
///
/// # Errors
///
/// As [`detect()`].
pub async fn detect_watched(
    instance: &Instance,
    period: Period,
    clock: Clock,
    now: DateTime<Utc>,
    progress: &Progress,
) -> Result<DetectionReport, DetectionError> {
    // Planning a query keeps one processor busy, so several are under way.
    let abreast = std::thread::available_parallelism().map_or(1, usize::from);
    run_round(instance, &instance.detectors, abreast, period, clock, now, progress).await
}

/// As [`detect()`], for some detectors, one after the other: they share the machine with others.
///
/// # Errors
///
/// As [`detect()`].
pub(crate) async fn detect_with(
    instance: &Instance,
    detectors: &[Arc<Detector>],
    now: DateTime<Utc>,
) -> Result<DetectionReport, DetectionError> {
    let (period, progress) = (Period::default(), Progress::default());
    run_round(instance, detectors, 1, period, Clock::Real, now, &progress).await
}

async fn run_round(
    instance: &Instance,
    detectors: &[Arc<Detector>],
    abreast: usize,
    period: Period,
    clock: Clock,
    now: DateTime<Utc>,
    progress: &Progress,
) -> Result<DetectionReport, DetectionError> {
    let mut planner = Planner::new(instance, period, now).await?;
    let mut plans = Vec::new();
    for detector in detectors {
        plans.extend(planner.plan(detector).await?);
    }
    let total = plans.iter().map(|plan| plan.slices.len() as u64).sum();
    progress.total.store(total, Ordering::Relaxed);
    let mut report = DetectionReport::default();
    let events = Events::of(instance);
    let prepared = Prepared::of(&events, &plans, abreast).await;
    let looks = plans.into_iter().map(|plan| look(&events, &prepared, plan, now, &progress.done));
    // What they find is written in turn.
    let mut looks = futures::stream::iter(looks).buffered(abreast);
    while let Some(look) = looks.next().await {
        settle(instance, look, period, clock, now, &mut report).await?;
    }
    progress.done.store(total, Ordering::Relaxed);
    Ok(report)
}

/// A look of a detector at the events, before anything is written.
struct Look {
    run: DetectorRun,
    findings: Vec<Finding>,
    /// The number of the last arrival that it could see.
    last_arrival: u64,
}

/// Lets a detector look, slice by slice, so that memory is bounded by a slice and the lookback. The same events give the
/// same findings, however time is cut.
async fn look(
    events: &Events<'_>,
    prepared: &Prepared,
    plan: Plan,
    now: DateTime<Utc>,
    slices_done: &AtomicU64,
) -> Look {
    let started = Instant::now();
    let mut run = DetectorRun {
        detector_id: plan.detector.manifest.id.clone(),
        since: plan.window.since,
        until: plan.window.until,
        started_at: now,
        duration_ms: 0,
        findings: 0,
        error: None,
    };
    let mut findings = Vec::new();
    for slice in &plan.slices {
        match prepared.findings(events, &plan.detector, slice).await {
            Ok(found) => findings.extend(found),
            Err(error) => {
                let error = explain(&error);
                tracing::error!(detector.id = %run.detector_id, %error, "Detector {} failed", run.detector_id);
                // Half of what there is to find is no finding.
                findings.clear();
                run.error = Some(error);
                break;
            }
        }
        slices_done.fetch_add(1, Ordering::Relaxed);
    }
    run.findings = findings.len();
    let took = started.elapsed() + prepared.took(&run.detector_id);
    run.duration_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    let (id, findings_count, ms) = (&run.detector_id, run.findings, run.duration_ms);
    tracing::debug!(detector.id = %id, findings = findings_count, "Detector {id} looked for {ms} ms");
    Look { run, findings, last_arrival: plan.last_arrival }
}

/// Lets what was found change alerts, and notes the run.
async fn settle(
    instance: &Instance,
    look: Look,
    period: Period,
    clock: Clock,
    now: DateTime<Utc>,
    report: &mut DetectionReport,
) -> Result<(), DetectionError> {
    let sorted = tuning::sort(instance, look.findings, now).await?;
    report.silenced += sorted.silenced.len();
    let (raised, continued) = record(instance, &sorted.kept, clock, now).await?;
    report.raised.extend(raised);
    report.continued.extend(continued);
    if !period.is_asked_for() {
        instance.store.record_run(&instance.scope(), &look.run, look.last_arrival).await?;
    }
    report.runs.push(look.run);
    Ok(())
}

/// Lets findings raise or continue alerts.
async fn record(
    instance: &Instance,
    findings: &[Finding],
    clock: Clock,
    now: DateTime<Utc>,
) -> Result<(Vec<Alert>, Vec<Alert>), StoreError> {
    let scope = instance.scope();
    match clock {
        Clock::Real => {
            let recorded = instance.store.record_findings(&scope, findings, now).await?;
            Ok((recorded.raised, recorded.continued))
        }
        Clock::AsIfWatched(delay) => {
            let mut sorted: Vec<&Finding> = findings.iter().collect();
            sorted.sort_by_key(|finding| finding.last_observed_at);
            let (mut raised, mut continued) = (Vec::new(), Vec::new());
            for finding in sorted {
                // Evidence of this minute would date an alert ahead of the clock.
                let then = now.min(finding.last_observed_at + delay);
                let recorded =
                    instance.store.record_findings(&scope, std::slice::from_ref(finding), then).await?;
                raised.extend(recorded.raised);
                continued.extend(recorded.continued);
            }
            Ok((raised, continued))
        }
    }
}

/// An error with its causes in one line.
fn explain(error: &RunError) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
