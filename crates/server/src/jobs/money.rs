//! Reckons what open alerts cost, soon after they change and every few minutes.

use std::sync::Arc;
use std::time::Duration;

use chrono::{TimeDelta, Utc};
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;

use crate::app::{Instance, money};

/// How often to look for work; where there is none that is two lookups.
const EVERY: Duration = Duration::from_secs(30);

/// Bills come in all day, and reading prices from them takes a while.
const OBSERVE_EVERY: TimeDelta = TimeDelta::hours(1);

/// Starts the work; dropping the set stops it.
#[must_use]
pub(crate) fn start(instance: &Arc<Instance>) -> JoinSet<()> {
    let instance = instance.clone();
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        let mut tick = tokio::time::interval(EVERY);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tick.tick().await;
            if let Err(error) = money::settle(&instance, OBSERVE_EVERY, Utc::now()).await {
                let error = anyhow::Error::from(error);
                tracing::error!(error = ?error, "Money at risk could not be reckoned");
            }
        }
    });
    tasks
}
