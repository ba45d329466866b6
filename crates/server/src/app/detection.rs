//! Running detectors, and what their findings do to the alerts.

use std::error::Error;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use alerts::{Alert, Finding};
use chrono::{DateTime, TimeDelta, Utc};
use detect::{DetectError, Detector, Limits, Window};
use futures::StreamExt as _;
use lake::LakeError;
use store::{Backlog, DetectorRun, StoreError};

use super::{Instance, tuning};

/// The longest window that one query looks at. A first run over months of history is cut into such
/// slices; a scheduled run never reaches it.
const SLICE_MAX: TimeDelta = TimeDelta::days(10);

/// How many events of a table's whole history may be looked at at once.
const ROWS_AT_ONCE: u64 = 1_000_000;

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
    // Events that come in from now on may make a window longer; then the bar is a little short.
    let mut total = 0;
    for detector in &instance.detectors {
        let backlog = backlog(instance, detector).await?;
        let window = window(instance, detector, period, &backlog, now).await?;
        if let Some(window) = window {
            let slice = slice_length(instance, detector, &window).await?;
            total += slices(&window, slice).count() as u64;
        }
    }
    progress.total.store(total, Ordering::Relaxed);
    let mut report = DetectionReport::default();
    // Planning a query keeps one processor busy, so several are under way; what they find is written in turn.
    let looks =
        instance.detectors.iter().map(|detector| look(instance, detector, period, now, &progress.done));
    let abreast = std::thread::available_parallelism().map_or(1, usize::from);
    let mut looks = futures::stream::iter(looks).buffered(abreast);
    while let Some(look) = looks.next().await {
        if let Some(look) = look? {
            settle(instance, look, period, clock, now, &mut report).await?;
        }
    }
    progress.done.store(total, Ordering::Relaxed);
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
    match look(instance, detector, period, now, &AtomicU64::new(0)).await? {
        Some(look) => settle(instance, look, period, clock, now, report).await,
        None => Ok(()),
    }
}

/// A look of a detector at the events, before anything is written.
struct Look {
    run: DetectorRun,
    findings: Vec<Finding>,
    /// The number of the last arrival that it could see.
    last_arrival: u64,
}

/// Lets a detector look; `None` if there is nothing to look at.
async fn look(
    instance: &Instance,
    detector: &Detector,
    period: Period,
    now: DateTime<Utc>,
    slices_done: &AtomicU64,
) -> Result<Option<Look>, DetectionError> {
    // Before the events are opened: what comes in after this is left to the next run.
    let backlog = backlog(instance, detector).await?;
    let Some(window) = window(instance, detector, period, &backlog, now).await? else {
        return Ok(None);
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
    let mut findings = Vec::new();
    if let (false, Some(watermark), None) = (period.is_asked_for(), backlog.watermark, backlog.late_since) {
        // Nothing that it reads has come in since, so there is nothing to find. The watermark stays: what comes with a
        // time that lies ahead is looked at once something comes after it.
        (run.since, run.until) = (watermark, watermark);
    } else {
        let detector = &detector.with_settings(&instance.store.detector_settings(&instance.scope()).await?);
        match findings_in_slices(instance, detector, &window, slices_done).await {
            Ok(found) => findings = found,
            Err(error) => {
                let error = explain(&error);
                tracing::error!(detector.id = %run.detector_id, %error, "Detector {} failed", run.detector_id);
                run.error = Some(error);
            }
        }
    }
    run.findings = findings.len();
    run.duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    Ok(Some(Look { run, findings, last_arrival: backlog.last_arrival }))
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
    /// The rules or the directory cannot be read.
    #[error("the alert store cannot be read")]
    Store(#[from] StoreError),
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
    let length = slice_length(instance, detector, window).await?;
    for slice in slices(window, length) {
        all.extend(findings(instance, detector, &slice).await?);
        slices_done.fetch_add(1, Ordering::Relaxed);
    }
    Ok(all)
}

/// What one detector finds in a window of any length; see [`findings`].
///
/// # Errors
///
/// [`RunError`] if a query fails or runs over its limits.
pub async fn findings_of_period(
    instance: &Instance,
    detector: &Detector,
    window: &Window,
) -> Result<Vec<Finding>, RunError> {
    findings_in_slices(instance, detector, window, &AtomicU64::new(0)).await
}

fn slices(window: &Window, length: TimeDelta) -> impl Iterator<Item = Window> + '_ {
    let starts = std::iter::successors(Some(window.since), move |since| Some(*since + length));
    let starts = starts.take_while(|since| *since < window.until);
    starts.map(move |since| Window { since, until: window.until.min(since + length), ..*window })
}

/// How long the slices of a window are: where there are few events, all of it.
async fn slice_length(
    instance: &Instance,
    detector: &Detector,
    window: &Window,
) -> Result<TimeDelta, LakeError> {
    let whole = window.until - window.since;
    if whole <= SLICE_MAX {
        return Ok(SLICE_MAX);
    }
    let mut rows = 0;
    for kind in &detector.manifest.inputs {
        rows += instance.lake.summary(*kind).await?.rows;
    }
    Ok(if rows <= ROWS_AT_ONCE { whole } else { SLICE_MAX })
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
