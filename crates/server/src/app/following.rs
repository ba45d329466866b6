//! Taking in what a source delivers: events first, positions after.
//!
//! Deliveries of a batch are read side by side and share commits. Positions are saved once all of the
//! batch is in the lake, so that a crash in between brings deliveries again, which are duplicates then.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures::{FutureExt as _, StreamExt as _, TryStreamExt as _, stream};
use ingest::{
    EventBatch, Extent, FilePiece, FileSummary, InputFile, Item, KeptPiece, Listed, QuarantineWriter,
    Reading, Statement, Stop,
};
use sources::{Batch, Content, Delivery, Span};
use store::{SourceNote, StoreError};
use tokio::runtime::Handle;

use super::Instance;
use super::ingestion::{self, IngestionError};
use super::intake::{Intake, IntakeError, Parcel, Rejections, Room};

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
        let (summary, rejections) = read.map_err(failed)?;
        self.tally.rejected.fetch_add(summary.rejected, Ordering::Relaxed);
        rejections.note(&self.instance, None, now).await?;
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

/// What a reading thread needs of a delivery.
struct Piece {
    /// The source, and the delivery's key in it.
    source: String,
    key: String,
    /// For people.
    name: String,
    text: Text,
    extent: Extent,
    /// What the manifest beside it says, if it is listed there.
    listed: Option<Listed>,
    /// Which lines of its file or object it has, if it is not all of one.
    span: Option<Span>,
    bytes: u64,
    modified_at: DateTime<Utc>,
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
        let file = |path: &Path| InputFile { path: path.to_owned(), size_bytes: bytes };
        let text = match &delivery.content {
            Content::Bytes(bytes) => Text::Bytes(bytes.clone()),
            Content::File(path) => Text::File(file(path)),
            Content::Temporary(path) => Text::Copy(file(path)),
        };
        Self {
            source: source.to_owned(),
            key: delivery.key.clone(),
            name: delivery.name.clone(),
            text,
            extent: if delivery.is_whole { Extent::File } else { Extent::Piece },
            listed: listed(delivery, bytes, now),
            span: delivery.span.clone(),
            bytes,
            modified_at: delivery.modified_at.unwrap_or(now),
        }
    }

    /// The statement that its costs are part of: all pieces of a file are one. `None` has the reader find out more
    /// by itself, of a whole file on disk.
    fn statement(&self) -> Option<Statement> {
        match (&self.span, &self.text) {
            (Some(span), _) => {
                let piece = FilePiece {
                    container: &self.source,
                    name: &self.key,
                    version: &span.version,
                    offset: span.offset,
                    path: span.path.as_deref(),
                };
                Some(Statement::of_piece(&piece, self.modified_at))
            }
            (None, Text::File(_)) => None,
            (None, Text::Bytes(_) | Text::Copy(_)) => Some(match self.listed {
                Some(listed) => listed.statement,
                None => Statement::of_blob(&self.source, &self.key, self.bytes, self.modified_at),
            }),
        }
    }

    /// A writer for what is rejected of it.
    fn quarantine(&self, folder: &Path, statement: Option<&Statement>) -> io::Result<QuarantineWriter> {
        if let (Some(span), Some(statement)) = (&self.span, statement)
            && let Some(file) = &span.path
        {
            let text = match &self.text {
                Text::Bytes(bytes) => bytes.clone(),
                Text::File(copy) | Text::Copy(copy) => std::fs::read(&copy.path)?.into(),
            };
            let piece = KeptPiece::new(span.offset, span.lines_before, &text, statement);
            return Ok(QuarantineWriter::of_piece(folder, file, piece));
        }
        Ok(match &self.text {
            Text::File(file) => QuarantineWriter::new(folder, file),
            Text::Copy(_) | Text::Bytes(_) => QuarantineWriter::of_stream(folder, &self.name, self.bytes),
        })
    }
}

/// What the manifest beside an object says of it.
fn listed(delivery: &Delivery, bytes: u64, now: DateTime<Utc>) -> Option<Listed> {
    let manifest = delivery.manifest.as_ref().filter(|_| delivery.is_whole)?;
    let text = std::str::from_utf8(&manifest.text).ok()?;
    Listed::find(text, &manifest.part, bytes, delivery.modified_at.unwrap_or(now))
}

/// Reads deliveries in a thread of its own.
struct Reader {
    follower: Follower,
    runtime: Handle,
    now: DateTime<Utc>,
}

impl Reader {
    /// What was read, and what of it was rejected.
    fn read(&self, piece: &Piece) -> Result<(FileSummary, Rejections), IngestionError> {
        let instance = &self.follower.instance;
        let folder = instance.data_dir.quarantine();
        let statement = piece.statement();
        let lines_before = piece.span.as_ref().map_or(0, |span| span.lines_before);
        // Made with the first rejection: most pieces have none.
        let mut quarantine = None;
        let mut gathered = Gathered { reader: self, batches: Vec::new(), rows: 0 };
        let mut rejections = Rejections::default();
        let mut sink = |item| match item {
            Item::Batch(batch) => gathered.add(batch),
            Item::Rejected(mut rejected) => {
                rejections.add(rejected.kind);
                rejected.line += lines_before;
                let writer = match &mut quarantine {
                    Some(writer) => writer,
                    none => none.insert(piece.quarantine(&folder, statement.as_ref()).map_err(stop)?),
                };
                writer.add(&rejected).map_err(stop)
            }
        };
        let reading = Reading {
            extent: piece.extent,
            statement,
            is_amortized: piece.listed.and_then(|listed| listed.is_amortized),
            ..ingestion::reading(instance, self.now)
        };
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
        quarantine.map(QuarantineWriter::finish).transpose()?;
        Ok((summary, rejections))
    }
}

fn stop(error: impl std::error::Error + Send + Sync + 'static) -> Stop {
    Stop(Box::new(error))
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
