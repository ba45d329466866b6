//! Calls the webhooks of the older Partner Center API.

use std::sync::Arc;

use chrono::Utc;
use graph::Graph;
use graph::webhooks::{self, Deliveries};
use tokio::task::JoinSet;
use uuid::Uuid;

/// Starts the deliveries, if webhooks are on; dropping the set stops them, and loses nothing.
pub(crate) fn start(graph: &Graph) -> Option<JoinSet<()>> {
    let deliveries = Deliveries {
        store: graph.store.clone(),
        receivers: graph.notifications.receivers.clone(),
        webhooks: graph.webhooks.clone()?,
        now: Arc::new(Utc::now),
        new_id: Arc::new(Uuid::new_v4),
    };
    Some(webhooks::start(deliveries))
}
