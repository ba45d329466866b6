//! Running detectors, and what their findings do to the alerts.

use std::error::Error;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use alerts::{Alert, Finding};
use chrono::{DateTime, TimeDelta, Utc};
use detect::{DetectError, Detector, Limits, Window};
use lake::LakeError;
use store::{Backlog, DetectorRun, StoreError};

use super::Instance;

/// The longest window that one query looks at. A first run over months of history is cut into such
/// slices; a scheduled run never reaches it.
const SLICE_MAX: TimeDelta = TimeDelta::days(10);

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
    // Events that come in from now on may make a window longer; then the bar is a little short.
    let mut ends = Vec::new();
    let mut total = 0;
    for detector in &instance.detectors {
        let backlog = backlog(instance, detector).await?;
        let window = window(instance, detector, period, &backlog, now).await?;
        total += window.map_or(0, |window| slices(&window).count() as u64);
        ends.push(total);
    }
    progress.total.store(total, Ordering::Relaxed);
    let mut report = DetectionReport::default();
    for (detector, end) in instance.detectors.iter().zip(ends) {
        run(instance, detector, period, clock, now, &mut report, &progress.done).await?;
        // Also when it failed half way.
        progress.done.store(end, Ordering::Relaxed);
    }
    Ok(report)
}

/// Runs one detector once; see [`detect()`].
///
/// # Errors
///
/// As [`detect()`].
pub async fn run_detector(
    instance: &Instance,
    detector: &Detector,
    period: Period,
    clock: Clock,
    now: DateTime<Utc>,
    report: &mut DetectionReport,
) -> Result<(), DetectionError> {
    run(instance, detector, period, clock, now, report, &AtomicU64::new(0)).await
}

async fn run(
    instance: &Instance,
    detector: &Detector,
    period: Period,
    clock: Clock,
    now: DateTime<Utc>,
    report: &mut DetectionReport,
    slices_done: &AtomicU64,
) -> Result<(), DetectionError> {
    // Before the events are opened: what comes in after this is left to the next run.
    let backlog = backlog(instance, detector).await?;
    let Some(window) = window(instance, detector, period, &backlog, now).await? else {
        return Ok(());
    };
    let started = Instant::now();
    let mut run = DetectorRun {
        detector_id: detector.manifest.id.clone(),
        since: window.since,
        until: window.until,
        started_at: now,
        duration_ms: 0,
        findings: 0,
        error: None,
    };
    match findings_in_slices(instance, detector, &window, slices_done).await {
        Ok(findings) => {
            run.findings = findings.len();
            let (raised, continued) = record(instance, &findings, clock, now).await?;
            report.raised.extend(raised);
            report.continued.extend(continued);
        }
        Err(error) => {
            let error = explain(&error);
            tracing::error!(detector.id = %run.detector_id, %error, "Detector {} failed", run.detector_id);
            run.error = Some(error);
        }
    }
    run.duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    let asked_for = period.since.is_some() || period.until.is_some();
    if !asked_for {
        instance.store.record_run(&instance.scope(), &run, backlog.last_arrival).await?;
    }
    report.runs.push(run);
    Ok(())
}

async fn backlog(instance: &Instance, detector: &Detector) -> Result<Backlog, StoreError> {
    let kinds: Vec<&str> = detector.manifest.inputs.iter().map(|kind| kind.name()).collect();
    instance.store.backlog(&instance.scope(), &detector.manifest.id, &kinds).await
}

/// The window of a run, or `None` if there are no events that it could look at.
///
/// It starts where the last run ended, less the overlap, or with the earliest event that has come in
/// since: exports come in days after what they tell of.
async fn window(
    instance: &Instance,
    detector: &Detector,
    period: Period,
    backlog: &Backlog,
    now: DateTime<Utc>,
) -> Result<Option<Window>, DetectionError> {
    let until = period.until.unwrap_or(now);
    let since = match (period.since, backlog.watermark) {
        (Some(since), _) => since,
        (None, Some(watermark)) => {
            let overlap = watermark - detector.manifest.overlap;
            backlog.late_since.map_or(overlap, |late| late.min(overlap))
        }
        (None, None) => match first_event(instance, detector).await? {
            Some(first) => first,
            None => return Ok(None),
        },
    };
    Ok((since < until).then(|| Window::new(since, until)))
}

async fn first_event(
    instance: &Instance,
    detector: &Detector,
) -> Result<Option<DateTime<Utc>>, DetectionError> {
    let mut first: Option<DateTime<Utc>> = None;
    for kind in &detector.manifest.inputs {
        if let Some((start, _)) = instance.lake.extent(*kind).await? {
            first = Some(first.map_or(start, |known| known.min(start)));
        }
    }
    Ok(first)
}

/// Why a detector gave no findings.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The events cannot be read.
    #[error("the events cannot be read")]
    Lake(#[from] LakeError),
    /// The query engine cannot be set up.
    #[error("the query engine cannot be set up")]
    Engine(#[source] Box<dyn Error + Send + Sync>),
    /// The query failed, or ran over its limits.
    #[error(transparent)]
    Query(#[from] DetectError),
}

/// What one detector finds in a window of any length, slice by slice, so that memory is bounded by a
/// slice and the lookback. The same events give the same findings, however time is cut.
async fn findings_in_slices(
    instance: &Instance,
    detector: &Detector,
    window: &Window,
    slices_done: &AtomicU64,
) -> Result<Vec<Finding>, RunError> {
    let mut all = Vec::new();
    for slice in slices(window) {
        all.extend(findings(instance, detector, &slice).await?);
        slices_done.fetch_add(1, Ordering::Relaxed);
    }
    Ok(all)
}

fn slices(window: &Window) -> impl Iterator<Item = Window> + '_ {
    let starts = std::iter::successors(Some(window.since), |since| Some(*since + SLICE_MAX));
    let starts = starts.take_while(|since| *since < window.until);
    starts.map(|since| Window { since, until: window.until.min(since + SLICE_MAX), ..*window })
}

/// What one detector finds in one window of the lake.
///
/// # Errors
///
/// [`RunError`] if the query fails or runs over its limits.
pub async fn findings(
    instance: &Instance,
    detector: &Detector,
    window: &Window,
) -> Result<Vec<Finding>, RunError> {
    let engine = |error: datafusion::error::DataFusionError| RunError::Engine(Box::new(error));
    let session = detect::session(Limits::default()).map_err(engine)?;
    instance.lake.register(&session).await?;
    instance.indicators.register(&session).map_err(engine)?;
    Ok(detector.run(&session, window, &instance.partner).await?)
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
