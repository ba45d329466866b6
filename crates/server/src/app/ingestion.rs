//! Taking records in: files become events in the lake, entries of the directory, and a quarantine.
//!
//! Reading runs in a thread of its own and hands batches over a short channel, so that parsing and
//! writing overlap and memory stays bounded however large the files are. A chunk that is in the lake
//! stays there if a later one fails; taking the files in again then stores the rest.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use arrow_array::RecordBatch;
use chrono::{DateTime, Utc};
use datafusion::arrow::compute::BatchCoalescer;
use datafusion::arrow::error::ArrowError;
use ingest::schema::Kind;
use ingest::{
    EventBatch, FileSummary, IngestError, InputFile, Item, QuarantineError, QuarantineWriter, Reading,
    Rejected, SeenSubscription, Stop, UnreadableQuarantine,
};
use lake::LakeError;
use store::StoreError;
use tokio::runtime::Runtime;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::Instance;
use super::intake::{self, Brought, Rejections, Tally};

/// How many events the reader puts into a batch.
const ROWS_PER_BATCH: usize = 16 * 1024;

/// How much of a kind is gathered before it is written, in rows and in bytes. Each write leaves one file
/// for each day that it touches, so small writes make many small files; and a write takes about three
/// times its size in memory.
const ROWS_PER_APPEND: usize = 384 * 1024;
const BYTES_PER_APPEND: usize = 24 * 1024 * 1024;

/// How many writes may be under way: while one is encoded, the next is checked and sorted.
const WRITES_UNDER_WAY: usize = 3;

/// How many batches the reader may be ahead of the writer.
const BATCHES_AHEAD: usize = 4;

/// How many commits may pass before it is noted for whom they brought something: about ten seconds' worth.
const COMMITS_PER_NOTE: usize = 32;

/// How many threads there are for what blocks, where files are taken in and nothing else is done: the one that reads, those
/// in which Delta waits for its log, one a write under way, and the rest to read and write files for them.
const BLOCKING_THREADS: usize = 8;

/// How many rejections the report names; all of them are in the quarantine.
const REJECTED_NAMED: usize = 100;

/// What stops an ingest. What was stored before stays.
#[derive(Debug, thiserror::Error)]
pub enum IngestionError {
    /// A file cannot be read.
    #[error(transparent)]
    Read(#[from] IngestError),
    /// Some records that were met are nowhere; a fault of the program.
    #[error(
        "{met} records were met, and {accounted} are stored, known or in the quarantine; this is a fault of the program, \
         please report it with the files"
    )]
    Unaccounted {
        /// Records met.
        met: u64,
        /// Records stored, known and quarantined.
        accounted: u64,
    },
    /// Events cannot be stored.
    #[error("events cannot be stored")]
    Lake(#[from] LakeError),
    /// Events cannot be gathered; their parser broke the schema.
    #[error("events cannot be gathered into batches")]
    Gather(#[source] ArrowError),
    /// Rejected records cannot be kept.
    #[error("rejected records cannot be kept")]
    Quarantine(#[from] QuarantineError),
    /// Records that were rejected before cannot be read back.
    #[error("quarantined records cannot be read")]
    Unreadable(#[from] UnreadableQuarantine),
    /// What was read again cannot be taken out of the quarantine; reading it once more does no harm.
    #[error("{} is done with, but cannot be removed", .0.display())]
    Remove(PathBuf, #[source] io::Error),
    /// The directory of subscriptions, or the note that events came in, cannot be written.
    #[error("what came in cannot be noted in the alert store")]
    Store(#[from] StoreError),
    /// The writing task died.
    #[error("the writer stopped without a result")]
    WriterDied(#[source] tokio::task::JoinError),
    /// The reading thread died.
    #[error("the reader stopped without a result")]
    ReaderDied(#[source] tokio::task::JoinError),
}

/// Whether it failed because a disk is full.
#[must_use]
pub fn is_disk_full(error: &IngestionError) -> bool {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = cause {
        let is_of_the_system =
            error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::StorageFull);
        // SQLite says it in words only, once it is behind the store's interface.
        if is_of_the_system || error.to_string().contains("disk is full") {
            return true;
        }
        cause = error.source();
    }
    false
}

/// What an ingest did.
#[derive(Debug, Default)]
pub struct IngestReport {
    /// How many files were read.
    pub files: usize,
    /// All records met, as the reader counted them. A flow record counts by its tuples.
    pub read: u64,
    /// What holds no records: flow records without tuples, empty lists, manifests.
    pub empty: u64,
    /// What became of the records of each kind.
    pub by_kind: BTreeMap<Kind, Counts>,
    /// How many records were rejected.
    pub quarantined: u64,
    /// Of which kinds those seemed to be.
    pub(super) rejections: Rejections,
    /// The first rejections.
    pub rejected: Vec<Rejection>,
    /// Where all rejections are, if there are any.
    pub quarantine: Option<PathBuf>,
}

/// What became of the records of one kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Events that are new.
    pub stored: u64,
    /// Events that were there already.
    pub duplicates: u64,
}

/// A record that was not taken in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    /// The file it came from.
    pub file: String,
    /// The line it starts on, from 1.
    pub line: u64,
    /// What is wrong with it and how to mend it.
    pub reason: String,
}

impl IngestReport {
    /// What became of the records, all together: stored, duplicate or quarantined.
    #[must_use]
    pub fn accounted(&self) -> u64 {
        self.stored() + self.duplicates() + self.quarantined
    }

    /// Events that are new.
    #[must_use]
    pub fn stored(&self) -> u64 {
        self.by_kind.values().map(|counts| counts.stored).sum()
    }

    /// Events that were there already.
    #[must_use]
    pub fn duplicates(&self) -> u64 {
        self.by_kind.values().map(|counts| counts.duplicates).sum()
    }

    /// Counts an input that was read; gives the file in the quarantine that holds what was rejected, if anything was.
    pub(super) fn finish_input(
        &mut self,
        summary: &FileSummary,
        quarantine: QuarantineWriter,
        instance: &Instance,
    ) -> Result<Option<PathBuf>, IngestionError> {
        self.files += 1;
        self.read += summary.read;
        self.empty += summary.empty;
        self.quarantined += summary.rejected;
        let kept = quarantine.finish()?;
        if kept.is_some() {
            self.quarantine = Some(instance.data_dir.quarantine());
        }
        Ok(kept)
    }

    /// Names a rejection, if not too many are named already.
    pub(super) fn note(&mut self, rejection: Rejection) {
        if self.rejected.len() < REJECTED_NAMED {
            self.rejected.push(rejection);
        }
    }
}

/// The runtime for a process that takes in files, once, and does nothing else: whatever else waits in threads that block
/// could take all of them from the writes that it waits for.
///
/// Delta reads the files of its log all at once, each in a thread of its own as far as there are threads, and each
/// thread keeps the memory that it allocated: with few of them, a file of 4 GiB is taken in with 60 to 90 MB less.
///
/// # Errors
///
/// The system's, if it has no more threads.
pub fn runtime() -> io::Result<Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().max_blocking_threads(BLOCKING_THREADS).build()
}

/// Takes in files. `progress` grows by the bytes read.
///
/// # Errors
///
/// [`IngestionError`]; what was stored before it stays, and the files can be taken in again.
pub async fn ingest(
    instance: Arc<Instance>,
    files: Vec<InputFile>,
    now: DateTime<Utc>,
    progress: Arc<AtomicU64>,
) -> Result<IngestReport, IngestionError> {
    let reading_instance = instance.clone();
    let report = store_what_is_read(&instance, now, move |to_writer| {
        let mut report = IngestReport::default();
        for file in &files {
            read_input(&reading_instance, file, now, &progress, to_writer, &mut report)?;
        }
        Ok(report)
    })
    .await?;
    report.rejections.note(&instance, None, now).await?;
    let (met, accounted) = (report.read, report.accounted());
    if met == accounted { Ok(report) } else { Err(IngestionError::Unaccounted { met, accounted }) }
}

/// Stores the batches that `read` gives, which runs in a thread of its own.
pub(super) async fn store_what_is_read(
    instance: &Arc<Instance>,
    now: DateTime<Utc>,
    read: impl FnOnce(&mpsc::Sender<EventBatch>) -> Result<IngestReport, IngestionError> + Send + 'static,
) -> Result<IngestReport, IngestionError> {
    let (to_writer, mut batches) = mpsc::channel(BATCHES_AHEAD);
    let reader = tokio::task::spawn_blocking(move || read(&to_writer));

    let mut writer = Writer::new(instance.clone(), now);
    let mut written = Ok(());
    while let Some(batch) = batches.recv().await {
        written = writer.take(batch).await;
        if written.is_err() {
            break;
        }
    }
    // A reader whose channel is closed stops at its next batch.
    drop(batches);
    let read = reader.await.map_err(IngestionError::ReaderDied);
    if written.is_ok() {
        written = writer.flush().await;
    }
    // What is stored is noted, also if something else failed.
    let settled = writer.settle(0).await;
    let noted = writer.tally.note(instance, now).await;
    written?;
    let mut report = read??;
    settled?;
    noted?;
    report.by_kind = writer.counts;
    Ok(report)
}

/// Reads an input file; gives the file in the quarantine that holds what was rejected, if anything was.
pub(super) fn read_input(
    instance: &Instance,
    file: &InputFile,
    now: DateTime<Utc>,
    progress: &AtomicU64,
    to_writer: &mpsc::Sender<EventBatch>,
    report: &mut IngestReport,
) -> Result<Option<PathBuf>, IngestionError> {
    let mut quarantine = QuarantineWriter::new(&instance.data_dir.quarantine(), file);
    let summary = ingest::read_file(file, &reading(instance, now), progress, &mut |item| match item {
        Item::Batch(batch) => send(to_writer, batch),
        Item::Rejected(rejected) => {
            quarantine.add(&rejected).map_err(|error| Stop(Box::new(error)))?;
            let Rejected { file, line, kind, reason, .. } = rejected;
            report.rejections.add(kind);
            report.note(Rejection { file, line, reason });
            Ok(())
        }
    })?;
    report.finish_input(&summary, quarantine, instance)
}

/// Of a file; what comes in pieces says so itself.
pub(crate) fn reading(instance: &Instance, now: DateTime<Utc>) -> Reading<'_> {
    Reading::new(&instance.partner, now, ROWS_PER_BATCH)
}

pub(super) fn send(to_writer: &mpsc::Sender<EventBatch>, batch: EventBatch) -> Result<(), Stop> {
    to_writer.blocking_send(batch).map_err(|error| Stop(Box::new(error)))
}

/// Gathers batches and writes them in large chunks.
///
/// Every file ends with a batch of its own, often a small one in buffers that are much larger; so
/// small batches are copied together as they come.
///
/// While a chunk is written, the next is gathered: one core reads and the other writes.
struct Writer {
    instance: Arc<Instance>,
    now: DateTime<Utc>,
    pending: BTreeMap<Kind, Pending>,
    under_way: VecDeque<(Kind, Write)>,
    counts: BTreeMap<Kind, Counts>,
    tally: Tally,
    commits_to_note: usize,
}

/// A write under way.
type Write = JoinHandle<Result<Brought, IngestionError>>;

struct Pending {
    under_way: BatchCoalescer,
    whole: Vec<RecordBatch>,
    subscriptions: Vec<SeenSubscription>,
    rows: usize,
    bytes: usize,
}

impl Pending {
    /// For batches as one that the reader gave.
    fn for_batches_like(batch: &RecordBatch) -> Self {
        let under_way = BatchCoalescer::new(batch.schema(), ROWS_PER_BATCH)
            .with_biggest_coalesce_batch_size(Some(ROWS_PER_BATCH / 2));
        Self { under_way, whole: Vec::new(), subscriptions: Vec::new(), rows: 0, bytes: 0 }
    }

    fn push(&mut self, batch: RecordBatch, subscriptions: Vec<SeenSubscription>) -> Result<(), ArrowError> {
        self.rows += batch.num_rows();
        self.subscriptions.extend(subscriptions);
        self.under_way.push_batch(batch)?;
        self.collect();
        Ok(())
    }

    fn collect(&mut self) {
        while let Some(batch) = self.under_way.next_completed_batch() {
            self.bytes += batch.get_array_memory_size();
            self.whole.push(batch);
        }
    }

    fn is_full(&self) -> bool {
        self.rows >= ROWS_PER_APPEND || self.bytes >= BYTES_PER_APPEND
    }

    fn finish(mut self, kind: Kind) -> Result<Vec<EventBatch>, ArrowError> {
        self.under_way.finish_buffered_batch()?;
        self.collect();
        let batch = |rows| EventBatch { kind, rows, subscriptions: Vec::new() };
        let mut batches: Vec<EventBatch> = self.whole.into_iter().map(batch).collect();
        if let Some(first) = batches.first_mut() {
            first.subscriptions = self.subscriptions;
        }
        Ok(batches)
    }
}

impl Writer {
    fn new(instance: Arc<Instance>, now: DateTime<Utc>) -> Self {
        let counts = Kind::ALL.into_iter().map(|kind| (kind, Counts::default())).collect();
        Self {
            instance,
            now,
            pending: BTreeMap::new(),
            under_way: VecDeque::new(),
            counts,
            tally: Tally::default(),
            commits_to_note: 0,
        }
    }

    async fn take(&mut self, batch: EventBatch) -> Result<(), IngestionError> {
        let pending = self.pending.entry(batch.kind);
        let pending = pending.or_insert_with(|| Pending::for_batches_like(&batch.rows));
        pending.push(batch.rows, batch.subscriptions).map_err(IngestionError::Gather)?;
        if pending.is_full() { self.write(batch.kind).await } else { Ok(()) }
    }

    async fn flush(&mut self) -> Result<(), IngestionError> {
        for kind in Kind::ALL {
            self.write(kind).await?;
        }
        Ok(())
    }

    /// Starts to write what was gathered of a kind, once there is room for another write.
    async fn write(&mut self, kind: Kind) -> Result<(), IngestionError> {
        let Some(pending) = self.pending.remove(&kind) else { return Ok(()) };
        let batches = pending.finish(kind).map_err(IngestionError::Gather)?;
        self.settle(WRITES_UNDER_WAY - 1).await?;
        let instance = self.instance.clone();
        let write = tokio::spawn(async move { intake::append(&instance, kind, batches).await });
        self.under_way.push_back((kind, write));
        Ok(())
    }

    /// Waits for the oldest writes, until no more than `left` are under way.
    async fn settle(&mut self, left: usize) -> Result<(), IngestionError> {
        let mut failure = None;
        while self.under_way.len() > left
            && let Some((kind, write)) = self.under_way.pop_front()
        {
            match write.await.map_err(IngestionError::WriterDied).and_then(|written| written) {
                Ok(brought) => self.count(kind, brought),
                Err(error) => failure = failure.or(Some(error)),
            }
        }
        if let Some(error) = failure {
            return Err(error);
        }
        if self.commits_to_note >= COMMITS_PER_NOTE {
            self.commits_to_note = 0;
            self.tally.note(&self.instance, self.now).await?;
        }
        Ok(())
    }

    fn count(&mut self, kind: Kind, brought: Brought) {
        let counts = self.counts.entry(kind).or_default();
        for stored in brought.stored {
            counts.stored += stored.new;
            counts.duplicates += stored.rows - stored.new;
        }
        self.tally.add(brought.arrivals);
        self.commits_to_note += 1;
    }
}
