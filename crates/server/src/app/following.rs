//! Taking in what a source delivers: events first, positions after.
//!
//! Deliveries of a batch are read side by side and share commits. Positions are saved once all of the
//! batch is in the lake, so that a crash in between brings deliveries again, which are duplicates then.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures::{FutureExt as _, StreamExt as _, TryStreamExt as _, stream};
use ingest::{EventBatch, FileSummary, InputFile, Item, QuarantineWriter, Reading, Statement, Stop};
use sources::{Batch, Content, Delivery};
use store::{Arrival, SourceNote, StoreError};
use tokio::runtime::Handle;

use super::Instance;
use super::ingestion::{self, IngestionError};
use super::intake::{Intake, IntakeError, Parcel, Room};

/// How many deliveries are read at once.
const AT_ONCE: usize = 4;

/// How many events of a delivery are gathered before they are handed in.
const ROWS_PER_PARCEL: usize = 128 * 1024;

/// How long a delivery waits for others to share its commit. Nobody waits for the reply.
const PATIENCE: Duration = Duration::from_millis(250);

/// Why a batch could not be taken in. Its positions are not saved then, so it comes again.
#[derive(Debug, thiserror::Error)]
pub enum FollowError {
    /// A delivery could not be read, or its rejected records not kept.
    #[error("{name} cannot be taken in")]
    Delivery {
        /// What it is called.
        name: String,
        /// Why.
        #[source]
        cause: IngestionError,
    },
    /// The events could not be stored.
    #[error(transparent)]
    Intake(#[from] IntakeError),
    /// The reader of a delivery died.
    #[error("the reader stopped without a result")]
    ReaderDied(#[from] tokio::task::JoinError),
    /// What was done cannot be noted.
    #[error("the positions of the source cannot be saved")]
    Store(#[from] StoreError),
}

/// Where what is delivered goes.
#[derive(Clone)]
pub struct Follower {
    /// The installation.
    pub instance: Arc<Instance>,
    /// The door to its lake.
    pub intake: Intake,
    /// How much may be on its way at once.
    pub room: Room,
    /// What was taken in so far.
    pub tally: Arc<Tally>,
}

/// What was taken in, counted while it happens.
#[derive(Debug, Default)]
pub struct Tally {
    /// Bytes read, of files as they are on disk.
    pub bytes: AtomicU64,
    /// Events that are new.
    pub stored: AtomicU64,
    /// Events that were there already.
    pub duplicates: AtomicU64,
    /// Records that could not be read.
    pub rejected: AtomicU64,
    /// Nobody waits for the rest: whoever reads stops at the next batch of events.
    pub stop: AtomicBool,
}

/// What was taken in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Taken {
    /// Bytes read, of files as they are on disk.
    pub bytes: u64,
    /// Events that are new.
    pub stored: u64,
    /// Events that were there already.
    pub duplicates: u64,
    /// Records that could not be read; they are in the quarantine.
    pub quarantined: u64,
}

impl Tally {
    /// What was taken in so far.
    #[must_use]
    pub fn taken(&self) -> Taken {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Taken {
            bytes: count(&self.bytes),
            stored: count(&self.stored),
            duplicates: count(&self.duplicates),
            quarantined: count(&self.rejected),
        }
    }
}

impl Taken {
    /// All records met.
    #[must_use]
    pub fn read(&self) -> u64 {
        self.stored + self.duplicates + self.quarantined
    }

    /// What was taken in since it was `before`.
    #[must_use]
    pub fn since(&self, before: &Self) -> Self {
        Self {
            bytes: self.bytes - before.bytes,
            stored: self.stored - before.stored,
            duplicates: self.duplicates - before.duplicates,
            quarantined: self.quarantined - before.quarantined,
        }
    }
}

impl Follower {
    /// Takes in a batch of a source, then saves how far it was read; gives what was taken in.
    ///
    /// # Errors
    ///
    /// [`FollowError`]; the batch will come again.
    pub async fn take_in(&self, source: &str, batch: &Batch) -> Result<SourceNote, FollowError> {
        let work: Vec<_> =
            batch.deliveries.iter().map(|delivery| self.take_in_delivery(source, delivery).boxed()).collect();
        let mut results = stream::iter(work).buffered(AT_ONCE);
        let mut taken = SourceNote::default();
        while let Some(one) = results.try_next().await? {
            taken.objects += one.objects;
            taken.records += one.records;
            taken.bytes += one.bytes;
        }
        drop(results);
        let delivered = batch.deliveries.iter().map(|delivery| (&delivery.key, &delivery.position));
        let saved = batch.save.iter().map(|(key, position)| (key, position));
        let positions: Vec<(String, Option<String>)> = delivered
            .chain(saved)
            .map(|(key, position)| (key.clone(), Some(position.to_string())))
            .chain(batch.forget.iter().map(|key| (key.clone(), None)))
            .collect();
        if !positions.is_empty() {
            self.instance.store.save_positions(&self.instance.scope(), source, &positions).await?;
        }
        Ok(taken)
    }

    async fn take_in_delivery(&self, source: &str, delivery: &Delivery) -> Result<SourceNote, FollowError> {
        let now = Utc::now();
        let bytes = size(&delivery.content).map_err(|cause| unreadable(delivery, cause))?;
        let _space = self.room.take(delivery.content.memory_bytes()).await;
        let failed = |cause| FollowError::Delivery { name: delivery.name.clone(), cause };
        let piece = Piece::of(source, delivery, bytes, now);
        let reader = Reader { follower: self.clone(), runtime: Handle::current(), now };
        let read = tokio::task::spawn_blocking(move || reader.read(&piece)).await?;
        let (summary, rejected_kind) = read.map_err(failed)?;
        self.tally.rejected.fetch_add(summary.rejected, Ordering::Relaxed);
        if summary.rejected > 0 {
            let arrival = rejected(rejected_kind, summary.rejected);
            self.instance.store.note_arrivals(&self.instance.scope(), &[arrival], now).await?;
        }
        Ok(SourceNote { objects: 1, records: summary.read, bytes, error: None })
    }
}

fn unreadable(delivery: &Delivery, source: io::Error) -> FollowError {
    let path = delivery.content.path().map(ToOwned::to_owned).unwrap_or_default();
    let cause = IngestionError::Read(ingest::IngestError::Open { path, source });
    FollowError::Delivery { name: delivery.name.clone(), cause }
}

fn size(content: &Content) -> io::Result<u64> {
    match content {
        Content::Bytes(bytes) => Ok(bytes.len() as u64),
        Content::File(_) | Content::Temporary(_) => {
            Ok(content.path().map(std::fs::metadata).transpose()?.map_or(0, |found| found.len()))
        }
    }
}

/// Records that could not be read, of nobody known.
fn rejected(kind: Option<&'static str>, count: u64) -> Arrival {
    Arrival {
        kind: kind.unwrap_or("unknown").to_owned(),
        customer_tenant_id: None,
        subscription_id: None,
        first_event_at: None,
        last_event_at: None,
        stored: 0,
        duplicates: 0,
        rejected: count,
    }
}

/// What a reading thread needs of a delivery.
struct Piece {
    name: String,
    text: Text,
    statement: Option<Statement>,
}

enum Text {
    Bytes(bytes::Bytes),
    /// A file of the source itself: its rejected records can be read again from there.
    File(InputFile),
    /// A copy that is about to go.
    Copy(InputFile),
}

impl Piece {
    fn of(source: &str, delivery: &Delivery, bytes: u64, now: DateTime<Utc>) -> Self {
        let file = |path: &std::path::Path| InputFile { path: path.to_owned(), size_bytes: bytes };
        let text = match &delivery.content {
            Content::Bytes(bytes) => Text::Bytes(bytes.clone()),
            Content::File(path) => Text::File(file(path)),
            Content::Temporary(path) => Text::Copy(file(path)),
        };
        // Of a file on disk the reader finds out more by itself.
        let statement = (!matches!(text, Text::File(_)))
            .then(|| Statement::of_blob(source, &delivery.key, bytes, delivery.modified_at.unwrap_or(now)));
        Self { name: delivery.name.clone(), text, statement }
    }
}

/// Reads deliveries in a thread of its own.
struct Reader {
    follower: Follower,
    runtime: Handle,
    now: DateTime<Utc>,
}

impl Reader {
    /// What was read, and the kind of the first rejected record.
    fn read(&self, piece: &Piece) -> Result<(FileSummary, Option<&'static str>), IngestionError> {
        let instance = &self.follower.instance;
        let folder = instance.data_dir.quarantine();
        let mut quarantine = match &piece.text {
            Text::File(file) => QuarantineWriter::new(&folder, file),
            Text::Copy(file) => QuarantineWriter::of_stream(&folder, &piece.name, file.size_bytes),
            Text::Bytes(bytes) => QuarantineWriter::of_stream(&folder, &piece.name, bytes.len() as u64),
        };
        let mut gathered = Gathered { reader: self, batches: Vec::new(), rows: 0 };
        let mut rejected_kind = None;
        let mut sink = |item| match item {
            Item::Batch(batch) => gathered.add(batch),
            Item::Rejected(rejected) => {
                rejected_kind = rejected_kind.or(rejected.kind.map(ingest::schema::Kind::name));
                quarantine.add(&rejected).map_err(|error| Stop(Box::new(error)))
            }
        };
        let reading = Reading { statement: piece.statement, ..ingestion::reading(instance, self.now) };
        let summary = match &piece.text {
            Text::Bytes(bytes) => {
                let summary = ingest::read_bytes(&piece.name, bytes, &reading, &mut sink)?;
                self.follower.tally.bytes.fetch_add(bytes.len() as u64, Ordering::Relaxed);
                summary
            }
            Text::File(file) | Text::Copy(file) => {
                ingest::read_file(file, &reading, &self.follower.tally.bytes, &mut sink)?
            }
        };
        gathered
            .hand_in()
            .map_err(|Stop(cause)| IngestionError::Read(ingest::IngestError::Stopped(cause)))?;
        quarantine.finish()?;
        Ok((summary, rejected_kind))
    }
}

/// Events of a delivery on their way to the door.
struct Gathered<'a> {
    reader: &'a Reader,
    batches: Vec<EventBatch>,
    rows: usize,
}

impl Gathered<'_> {
    fn add(&mut self, batch: EventBatch) -> Result<(), Stop> {
        if self.reader.follower.tally.stop.load(Ordering::Relaxed) {
            return Err(Stop(Box::new(IntakeError::Stopping)));
        }
        self.rows += batch.rows.num_rows();
        self.batches.push(batch);
        if self.rows >= ROWS_PER_PARCEL { self.hand_in() } else { Ok(()) }
    }

    /// Waits until the events are in the lake, which keeps memory bounded.
    fn hand_in(&mut self) -> Result<(), Stop> {
        if self.batches.is_empty() {
            return Ok(());
        }
        self.rows = 0;
        let batches = std::mem::take(&mut self.batches);
        let parcel = Parcel { batches, patience: PATIENCE, space: None };
        let follower = &self.reader.follower;
        let taken = self.reader.runtime.block_on(follower.intake.take(parcel));
        for counts in taken.map_err(|error| Stop(Box::new(error)))?.values() {
            follower.tally.stored.fetch_add(counts.stored, Ordering::Relaxed);
            follower.tally.duplicates.fetch_add(counts.duplicates, Ordering::Relaxed);
        }
        Ok(())
    }
}
