//! Runs each detector by the schedule of its manifest.
//!
//! A run is safe to repeat: it starts where the last successful one ended, and the same findings
//! change nothing. So a crash in the middle costs a repeated run and nothing else, and two servers on
//! one store would only do the work twice.

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::Utc;
use detect::Detector;
use tokio::task::JoinSet;

use crate::app::Instance;
use crate::app::detection::{self, Clock, DetectionReport, Period};
use crate::app::health::interval;

/// Starts all detectors, each in a task of its own; dropping the set stops them.
#[must_use]
pub(crate) fn start(instance: &Arc<Instance>) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    // One query at a time: detectors share the machine with the callers of the API.
    let turn = Arc::new(tokio::sync::Semaphore::new(1));
    for detector in &instance.detectors {
        tasks.spawn(repeat(instance.clone(), detector.clone(), turn.clone()));
    }
    tasks
}

async fn repeat(instance: Arc<Instance>, detector: Arc<Detector>, turn: Arc<tokio::sync::Semaphore>) {
    let every = detector.manifest.schedule.to_std().unwrap_or(Duration::from_secs(300));
    loop {
        let took = {
            let _turn = turn.acquire().await.expect("the semaphore is never closed");
            let started = Instant::now();
            run(&instance, &detector).await;
            started.elapsed()
        };
        tokio::time::sleep(rest(every, took, instance.detectors.len())).await;
    }
}

/// How long a detector rests after a run.
fn rest(every: Duration, took: Duration, detectors: usize) -> Duration {
    interval(every, took, detectors).saturating_sub(took)
}

async fn run(instance: &Instance, detector: &Detector) {
    let id = &detector.manifest.id;
    let mut report = DetectionReport::default();
    let period = Period::default();
    match detection::run_detector(instance, detector, period, Clock::Real, Utc::now(), &mut report).await {
        Ok(()) => {
            for alert in &report.raised {
                tracing::info!(alert.id = %alert.body.id, detector.id = %id, subscription.id = %alert.body.subscription_id,
                    "Alert {} raised by {id}", alert.body.id);
            }
        }
        Err(error) => tracing::error!(detector.id = %id, error = ?error, "Detector {id} could not run"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slow_detectors_rest_longer() {
        let check = |every_s, took_ms, detectors, expected_ms| {
            let rested = rest(Duration::from_secs(every_s), Duration::from_millis(took_ms), detectors);
            assert_eq!(rested, Duration::from_millis(expected_ms), "{every_s} {took_ms} {detectors}");
        };
        // Nothing came in: the schedule holds.
        check(60, 2, 40, 59_998);
        check(60, 750, 40, 59_250);
        // Forty runs of three seconds take two minutes, every four minutes.
        check(60, 3_000, 40, 237_000);
        check(3_600, 3_000, 40, 3_597_000);
        check(60, 3_000, 1, 57_000);
    }
}
