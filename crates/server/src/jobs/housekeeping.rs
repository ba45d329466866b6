//! Forgets what nobody can ask for any more.

use std::sync::Arc;
use std::time::Duration;

use chrono::{TimeDelta, Utc};
use tokio::task::JoinSet;

use crate::app::Instance;

const EVERY: Duration = Duration::from_secs(60 * 60);

/// How long changes of alerts are kept: a little longer than the tokens that ask for them hold.
const CHANGES_KEPT: TimeDelta = TimeDelta::days(31);

/// Starts the work; dropping the set stops it.
#[must_use]
pub(crate) fn start(instance: &Arc<Instance>) -> JoinSet<()> {
    let instance = instance.clone();
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        let mut tick = tokio::time::interval(EVERY);
        loop {
            tick.tick().await;
            forget_changes(&instance).await;
        }
    });
    tasks
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
