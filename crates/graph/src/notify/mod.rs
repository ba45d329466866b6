//! Change notifications: telling receivers of changes to alerts, as Microsoft Graph does.
//!
//! A [`NotificationSubscription`](store::NotificationSubscription) says who wants to hear of what. The
//! store's log of changes is the outbox: [`store::NotificationOutbox::fan_out`] turns what a subscription
//! has not seen yet into notifications, in the transaction that moves its position, so none is lost or
//! made twice. The [`Courier`] leases what is due, sends it ([`receivers`]), and settles it: delivered is
//! deleted, failed waits ([`backoff`]), and what no attempt of four hours could deliver is dropped and
//! told as `missed`.
//!
//! Delivery is at least once: a crash between sending and settling sends again, with the same
//! notification id. Notifications of one alert reach a subscription in order; different alerts do not
//! wait for each other. Several servers may share one store: a lease keeps them from sending the same
//! notification at the same time. Order rests on the lease, losing nothing does not.

pub mod backoff;
mod courier;
pub mod encryption;
mod payload;
pub mod reach;
pub mod receivers;
#[cfg(test)]
pub(crate) mod tests;

use std::sync::Arc;
use std::time::Duration;

use alerts::PartnerTenantId;
use chrono::{DateTime, Utc};
use store::Store;
use tokio::sync::Notify;
use tokio::task::JoinSet;

pub use courier::Courier;
use receivers::Receivers;

/// How often the store is asked what is due. Other servers on the same store may have written.
const POLL: Duration = Duration::from_secs(1);

/// Signs the token that shows a receiver who sent encrypted resource data: for that application, of that
/// partner, from that time on.
pub type SignToken =
    Arc<dyn Fn(&PartnerTenantId, &str, DateTime<Utc>) -> Result<String, anyhow::Error> + Send + Sync>;

/// Tells the time.
pub type Clock = Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>;

/// Fills bytes by chance.
pub type FillRandom = Arc<dyn Fn(&mut [u8]) + Send + Sync>;

/// What the courier works with.
#[derive(Clone)]
pub struct Office {
    /// The notifications, and the alerts that some of them carry.
    pub store: Arc<dyn Store>,
    /// Where they go.
    pub receivers: Arc<Receivers>,
    /// Signs validation tokens.
    pub sign: SignToken,
    /// What time it is.
    pub now: Clock,
    /// Gives chance that is good enough for keys.
    pub fill_random: FillRandom,
}

/// Starts the deliveries of this server; dropping the set stops them, and loses nothing.
///
/// `wake` is told of local changes, so that they go out at once; those of other servers are found within
/// a second.
#[must_use]
pub fn start(office: Office, wake: Arc<Notify>) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        let mut courier = Courier::new(office);
        loop {
            if let Err(error) = courier.collect().await {
                tracing::error!(error = ?anyhow::Error::from(error), "Notifications could not be collected");
            }
            tokio::select! {
                () = wake.notified() => {}
                () = tokio::time::sleep(POLL) => {}
                () = courier.returned() => {}
            }
        }
    });
    tasks
}
