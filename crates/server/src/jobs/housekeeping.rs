//! What is done every hour: forgetting what nobody can ask for any more, and noting the day's score.

use std::sync::Arc;
use std::time::Duration;

use alerts::score::ResponseTimeTarget;
use chrono::{TimeDelta, Utc};
use graph::app::score::take_snapshot;
use tokio::task::JoinSet;

use crate::app::Instance;

const EVERY: Duration = Duration::from_secs(60 * 60);

/// How long changes of alerts are kept: a little longer than the tokens that ask for them hold.
const CHANGES_KEPT: TimeDelta = TimeDelta::days(31);

/// Starts the work; dropping the set stops it.
#[must_use]
pub(crate) fn start(instance: &Arc<Instance>, target: ResponseTimeTarget) -> JoinSet<()> {
    let instance = instance.clone();
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        let mut tick = tokio::time::interval(EVERY);
        loop {
            tick.tick().await;
            forget_changes(&instance).await;
            note_score(&instance, &target).await;
        }
    });
    tasks
}

async fn note_score(instance: &Instance, target: &ResponseTimeTarget) {
    if let Err(error) = take_snapshot(&*instance.store, &instance.scope(), target, Utc::now()).await {
        tracing::error!(error = ?anyhow::Error::from(error), "The security score could not be noted");
    }
}

async fn forget_changes(instance: &Instance) {
    let before = Utc::now() - CHANGES_KEPT;
    loop {
        match instance.store.prune_changes(before).await {
            Ok(0) => return,
            Ok(forgotten) => tracing::debug!(forgotten, "Forgot old changes of alerts"),
            Err(error) => {
                tracing::error!(error = ?anyhow::Error::from(error), "Old changes of alerts could not be forgotten");
                return;
            }
        }
    }
}
