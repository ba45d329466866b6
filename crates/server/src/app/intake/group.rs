//! Gathers parcels and stores them together.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::Utc;
use ingest::schema::Kind;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use super::{IntakeError, Parcel, Receipt, Stored, store};
use crate::app::Instance;
use crate::app::ingestion::IngestionError;

/// How many rows of all kinds go into one commit at most; a parcel is never cut.
const ROWS_PER_GROUP: usize = 512 * 1024;

type Acknowledge = oneshot::Sender<Result<Receipt, IntakeError>>;

/// Stores what comes until nobody can hand anything in any more.
pub(super) async fn store_all(instance: Arc<Instance>, mut waiting: mpsc::Receiver<(Parcel, Acknowledge)>) {
    while let Some((parcel, acknowledge)) = waiting.recv().await {
        let mut deadline = Instant::now() + parcel.patience;
        let mut group = Group::default();
        group.add(parcel, acknowledge);
        while group.rows < ROWS_PER_GROUP {
            let Ok(Some((parcel, acknowledge))) = tokio::time::timeout_at(deadline, waiting.recv()).await
            else {
                break;
            };
            deadline = deadline.min(Instant::now() + parcel.patience);
            group.add(parcel, acknowledge);
        }
        group.store(&instance).await;
    }
}

/// Parcels that share their commits.
#[derive(Default)]
struct Group {
    rows: usize,
    by_kind: BTreeMap<Kind, Vec<ingest::EventBatch>>,
    /// For each batch of a kind, the parcel that it is of.
    owners: BTreeMap<Kind, Vec<usize>>,
    parcels: Vec<Waiting>,
}

struct Waiting {
    acknowledge: Acknowledge,
    receipt: Receipt,
    _space: Option<super::Space>,
}

impl Group {
    fn add(&mut self, parcel: Parcel, acknowledge: Acknowledge) {
        let owner = self.parcels.len();
        for batch in parcel.batches {
            self.rows += batch.rows.num_rows();
            self.owners.entry(batch.kind).or_default().push(owner);
            self.by_kind.entry(batch.kind).or_default().push(batch);
        }
        let waiting = Waiting { acknowledge, receipt: Receipt::new(), _space: parcel.space };
        self.parcels.push(waiting);
    }

    /// Stores each kind by a commit of its own, all at once, and tells who waits.
    async fn store(mut self, instance: &Arc<Instance>) {
        let now = Utc::now();
        let mut commits = Vec::new();
        for (kind, batches) in std::mem::take(&mut self.by_kind) {
            let instance = instance.clone();
            let commit = tokio::spawn(async move { store(&instance, kind, batches, now).await });
            commits.push((kind, commit));
        }
        let mut failed: Option<Arc<IngestionError>> = None;
        for (kind, commit) in commits {
            match commit.await.map_err(IngestionError::WriterDied).and_then(|stored| stored) {
                Ok(stored) => self.note(kind, &stored),
                Err(error) => failed = Some(Arc::new(error)),
            }
        }
        if let Some(error) = &failed {
            tracing::error!(error = ?error, parcels = self.parcels.len(), "Events could not be stored; their senders were told");
        }
        for waiting in self.parcels {
            let result = match &failed {
                None => Ok(waiting.receipt),
                Some(error) => Err(IntakeError::Failed(error.clone())),
            };
            // Who no longer waits has lost interest; the events are stored all the same.
            let _ = waiting.acknowledge.send(result);
        }
    }

    fn note(&mut self, kind: Kind, stored: &[Stored]) {
        for (owner, stored) in self.owners.remove(&kind).unwrap_or_default().into_iter().zip(stored) {
            let counts = self.parcels[owner].receipt.entry(kind).or_default();
            counts.stored += stored.new;
            counts.duplicates += stored.rows - stored.new;
        }
    }
}
