//! The door through which a running server takes records in: what comes from many at once is committed
//! together.
//!
//! A commit costs about the same for one event as for a thousand, and leaves a file for each day. So
//! parcels that come within a moment of each other share a commit a kind, and each is acknowledged when
//! the events are in the lake, not before. Who hands in too much at once is told to wait: see [`Room`].

mod arrivals;
pub(crate) mod customer;
mod group;
mod origin;
mod owners;
mod rejections;
mod room;
mod storing;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use ingest::EventBatch;
use ingest::schema::Kind;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

pub(crate) use self::arrivals::Tally;
pub(crate) use self::owners::Owned;
pub use self::owners::Owners;
pub use self::rejections::Rejections;
pub use self::room::{Room, Space};
pub(crate) use self::storing::{Brought, Stored, append, store};
use super::Instance;
use super::ingestion::{Counts, IngestionError};

/// How many parcels wait for the next commit; more wait at the door.
const PARCELS_WAITING: usize = 1024;

/// Events that are to be acknowledged together.
#[derive(Debug)]
pub struct Parcel {
    /// The events, of any kinds.
    pub batches: Vec<EventBatch>,
    /// How long others may be waited for, to share the commit.
    pub patience: Duration,
    /// The room that it takes, free again once it is stored.
    pub space: Option<Space>,
}

/// Why a parcel was not stored. What of it is in the lake nevertheless is recognised as a duplicate when
/// it is handed in again.
#[derive(Debug, Clone, thiserror::Error)]
pub enum IntakeError {
    /// Storing failed; the other parcels of the same commit failed with it.
    #[error("the events could not be stored")]
    Failed(#[source] Arc<IngestionError>),
    /// The server is stopping.
    #[error("the server is stopping; hand the events in again once it is back")]
    Stopping,
}

/// What became of the events of a parcel.
pub type Receipt = BTreeMap<Kind, Counts>;

/// The door. Cheap to clone; when the last clone is gone, what was handed in is stored and the work ends.
#[derive(Debug, Clone)]
pub struct Intake {
    parcels: mpsc::Sender<(Parcel, oneshot::Sender<Result<Receipt, IntakeError>>)>,
}

impl Intake {
    /// Opens the door to an instance's lake.
    #[must_use]
    pub fn open(instance: Arc<Instance>) -> (Self, JoinHandle<()>) {
        let (parcels, waiting) = mpsc::channel(PARCELS_WAITING);
        (Self { parcels }, tokio::spawn(group::store_all(instance, waiting)))
    }

    /// Stores a parcel; returns when all of it is in the lake.
    ///
    /// # Errors
    ///
    /// [`IntakeError`]; then it can be handed in again.
    pub async fn take(&self, parcel: Parcel) -> Result<Receipt, IntakeError> {
        let (acknowledge, acknowledged) = oneshot::channel();
        self.parcels.send((parcel, acknowledge)).await.map_err(|_| IntakeError::Stopping)?;
        acknowledged.await.map_err(|_| IntakeError::Stopping)?
    }
}
