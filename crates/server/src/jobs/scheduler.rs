//! Runs each detector by the schedule of its manifest.
//!
//! A run is safe to repeat: it starts where the last successful one ended, and the same findings
//! change nothing. So a crash in the middle costs a repeated run and nothing else, and two servers on
//! one store would only do the work twice.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use alerts::Origin;
use chrono::Utc;
use detect::Detector;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::app::Instance;
use crate::app::detection;
use crate::app::health::interval;

/// How long a round waits for detectors that are due soon: those that run together share what they read.
const GATHERED: Duration = Duration::from_secs(5);

/// Starts the rounds in which detectors run; dropping the set stops them.
#[must_use]
pub(crate) fn start(instance: &Arc<Instance>) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    tasks.spawn(repeat(instance.clone()));
    tasks
}

async fn repeat(instance: Arc<Instance>) {
    let start = Instant::now();
    let mut due: Vec<(Instant, Arc<Detector>)> =
        instance.detectors.iter().map(|detector| (start, detector.clone())).collect();
    while let Some(first) = due.iter().map(|(at, _)| *at).min() {
        tokio::time::sleep_until(first).await;
        let begun = Instant::now();
        let of_round = |at: Instant| at <= begun + GATHERED;
        let round: Vec<_> =
            due.iter().filter(|(at, _)| of_round(*at)).map(|(_, detector)| detector.clone()).collect();
        let took = run(&instance, &round).await;
        for (at, detector) in due.iter_mut().filter(|(at, _)| of_round(*at)) {
            let every = detector.manifest.schedule.to_std().unwrap_or(Duration::from_secs(300));
            let took = took.get(&detector.manifest.id).copied().unwrap_or_default();
            *at = begun + interval(every, took, instance.detectors.len());
        }
    }
}

/// Runs some detectors, and tells how long each took.
async fn run(instance: &Instance, detectors: &[Arc<Detector>]) -> HashMap<String, Duration> {
    match detection::detect_with(instance, detectors, Utc::now()).await {
        Ok(report) => {
            for alert in &report.raised {
                let (id, Origin::Detector { detector_id, .. }) = (&alert.body.id, &alert.origin) else {
                    continue;
                };
                tracing::info!(alert.id = %id, detector.id = %detector_id, subscription.id = %alert.body.subscription_id,
                    "Alert {id} raised by {detector_id}");
            }
            let took = |run: &store::DetectorRun| Duration::from_millis(run.duration_ms);
            report.runs.iter().map(|run| (run.detector_id.clone(), took(run))).collect()
        }
        Err(error) => {
            tracing::error!(error = ?error, "The detectors could not run");
            HashMap::new()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slow_detectors_rest_longer() {
        let check = |every_s, took_ms, detectors, expected_ms| {
            let next = interval(Duration::from_secs(every_s), Duration::from_millis(took_ms), detectors);
            assert_eq!(next, Duration::from_millis(expected_ms), "{every_s} {took_ms} {detectors}");
        };
        // Nothing came in: the schedule holds.
        check(60, 2, 40, 60_000);
        check(60, 750, 40, 60_000);
        // Forty runs of three seconds take two minutes, every four minutes.
        check(60, 3_000, 40, 240_000);
        check(3_600, 3_000, 40, 3_600_000);
        check(60, 3_000, 1, 60_000);
    }
}
