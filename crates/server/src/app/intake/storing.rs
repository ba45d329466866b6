//! Puts events of one kind into the lake, and tells those who must know.

use arrow_array::RecordBatch;
use arrow_array::cast::AsArray as _;
use arrow_array::types::TimestampMicrosecondType;
use chrono::{DateTime, Utc};
use datafusion::arrow::compute;
use ingest::schema::Kind;
use ingest::{EventBatch, SeenSubscription};
use store::{Arrival, Subscription};

use super::arrivals::arrivals;
use super::owners::Directory;
use super::{customer, origin};
use crate::app::Instance;
use crate::app::ingestion::IngestionError;

/// What became of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stored {
    /// How many rows it had.
    pub(crate) rows: u64,
    /// How many of them were not in the lake before.
    pub(crate) new: u64,
}

/// What a commit brought.
#[derive(Debug)]
pub(crate) struct Brought {
    /// What became of each batch.
    pub(crate) stored: Vec<Stored>,
    /// For whom; this is still to be noted in the coverage.
    pub(crate) arrivals: Vec<Arrival>,
}

/// Stores batches of one kind, all in one commit, and notes for whom they came; tells of each batch what became
/// of it.
///
/// # Errors
///
/// [`IngestionError`]; the events can be handed in again.
pub(crate) async fn store(
    instance: &Instance,
    kind: Kind,
    batches: Vec<EventBatch>,
    now: DateTime<Utc>,
) -> Result<Vec<Stored>, IngestionError> {
    let Brought { stored, arrivals } = append(instance, kind, batches).await?;
    instance.store.note_arrivals(&instance.scope(), &arrivals, now).await?;
    Ok(stored)
}

/// Stores batches of one kind, all in one commit.
///
/// Whose subscription it is goes to the directory before, and from there into events whose records do not
/// say. That events came in, for detectors to look at, is noted after, and also if all were there already: an
/// ingest that died between the two is repeated so.
///
/// # Errors
///
/// [`IngestionError`]; the events can be handed in again.
pub(crate) async fn append(
    instance: &Instance,
    kind: Kind,
    batches: Vec<EventBatch>,
) -> Result<Brought, IngestionError> {
    let (scope, store) = (instance.scope(), &instance.store);
    let (mut rows, seen): (Vec<RecordBatch>, Vec<Vec<SeenSubscription>>) =
        batches.into_iter().map(|batch| (batch.rows, batch.subscriptions)).unzip();
    let seen = seen.into_iter().flatten().map(entry).collect();
    instance.owners.learn(&**store, &scope, seen).await?;
    instance
        .owners
        .with(|directory| rows.iter_mut().for_each(|batch| complete(kind, batch, directory)))
        .await;
    let is_new = instance.lake.append_rows(kind, &rows).await?;
    if let Some(first) = rows.iter().filter_map(first_event).min() {
        store.note_arrival(&scope, kind.name(), first).await?;
    }
    let arrivals = arrivals(kind, &rows, &is_new);
    let mut marks = is_new.as_slice();
    let stored = rows.iter().map(|batch| {
        let (of_batch, rest) = marks.split_at(batch.num_rows());
        marks = rest;
        let new = of_batch.iter().filter(|is_new| **is_new).count();
        Stored { rows: of_batch.len() as u64, new: new as u64 }
    });
    Ok(Brought { stored: stored.collect(), arrivals })
}

/// Writes into a batch what the directory knows and its records do not say.
fn complete(kind: Kind, batch: &mut RecordBatch, directory: &Directory) {
    customer::fill(batch, |subscription| directory.customer_of(subscription?));
    if kind == Kind::Activity {
        origin::settle(batch, directory);
    }
}

/// When the earliest event of a batch happened.
fn first_event(batch: &RecordBatch) -> Option<DateTime<Utc>> {
    let times = batch.column_by_name("event_at")?.as_primitive_opt::<TimestampMicrosecondType>()?;
    compute::min(times).and_then(DateTime::from_timestamp_micros)
}

fn entry(seen: SeenSubscription) -> Subscription {
    Subscription {
        subscription_id: seen.subscription_id,
        name: seen.name,
        customer_tenant_id: seen.customer_tenant_id,
        customer_name: seen.customer_name,
        reseller_tenant_id: None,
    }
}
