//! Tells receivers of changes of alerts.

use std::sync::Arc;

use chrono::Utc;
use graph::Graph;
use graph::auth::issuer::Issuer;
use graph::notify::{self, Office};
use tokio::task::JoinSet;

/// Starts the deliveries; dropping the set stops them, and loses nothing.
#[must_use]
pub(crate) fn start(graph: &Graph, issuer: Arc<Issuer>) -> JoinSet<()> {
    let office = Office {
        store: graph.store.clone(),
        receivers: graph.notifications.receivers.clone(),
        sign: Arc::new(move |partner, application, now| {
            Ok(issuer.sign_validation(partner, application, now)?)
        }),
        now: Arc::new(Utc::now),
        fill_random: Arc::new(|bytes| {
            aws_lc_rs::rand::fill(bytes).expect("the system's source of randomness never fails")
        }),
    };
    notify::start(office, graph.notifications.wake.clone())
}
