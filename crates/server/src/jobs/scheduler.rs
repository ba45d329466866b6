//! Runs each detector by the schedule of its manifest.
//!
//! A run is safe to repeat: it starts where the last successful one ended, and the same findings
//! change nothing. So a crash in the middle costs a repeated run and nothing else, and two servers on
//! one store would only do the work twice.

use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use detect::Detector;
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;

use crate::app::Instance;
use crate::app::detection::{self, Clock, DetectionReport, Period};

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
    let mut tick = tokio::time::interval(every);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        let _turn = turn.acquire().await.expect("the semaphore is never closed");
        run(&instance, &detector).await;
    }
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
