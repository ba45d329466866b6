//! Reads one input from its first byte to its last: the front door of the crate.

use std::fs::File;
use std::io::{self, Read, Seek};
use std::path::PathBuf;
use std::sync::atomic::AtomicU64;

use alerts::PartnerTenantId;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use parquet::file::reader::ChunkReader;

use crate::cost;
use crate::discover::InputFile;
use crate::json::document;
use crate::open::{Content, is_parquet, open};
use crate::output::{EventBatch, Failure, Output, Source};
use crate::rejected::Rejected;
use crate::schema::Kind;
use crate::statement::Statement;

/// What every event of a reading has in common.
#[derive(Debug, Clone)]
pub struct Reading<'a> {
    /// Whose customers the events are of.
    pub partner_tenant_id: &'a PartnerTenantId,
    /// When the events came in.
    pub arrived_at: DateTime<Utc>,
    /// How many events make a batch; the last one of a kind may have fewer. 0 counts as 1.
    pub rows_per_batch: usize,
    /// The statement that cost lines are part of, where the caller knows it: one for each input. `None` has
    /// it found out: of a file from its path, its manifest and itself, of bytes from their content.
    pub statement: Option<Statement>,
}

/// One thing that reading gives to its sink, in the order in which it is met. Batches of a kind come
/// when they are full, so a rejection may come before rows that stand before it in the file.
#[derive(Debug, Clone)]
pub enum Item {
    /// Events to be stored.
    Batch(EventBatch),
    /// Something that is not taken in, to be kept apart.
    Rejected(Rejected),
}

/// Returned by a sink that wants no more, with the cause.
#[derive(Debug)]
pub struct Stop(pub Box<dyn std::error::Error + Send + Sync>);

/// What became of an input's records. A flow record counts by its tuples.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FileSummary {
    /// All records met: those stored and those rejected.
    pub read: u64,
    /// Events given to the sink, by kind in the order of [`Kind::ALL`].
    pub by_kind: [u64; Kind::ALL.len()],
    /// Rejections given to the sink; a file refused as a whole is one.
    pub rejected: u64,
    /// Flow records without a single tuple, and manifests; they are not counted in `read`.
    pub empty: u64,
}

impl FileSummary {
    /// Events of all kinds given to the sink.
    #[must_use]
    pub fn stored(&self) -> u64 {
        self.by_kind.iter().sum()
    }

    /// Events of one kind given to the sink.
    #[must_use]
    pub fn rows(&self, kind: Kind) -> u64 {
        self.by_kind[kind as usize]
    }
}

/// Why an input could not be read to its end. What it holds is never a reason: that is rejected.
#[derive(Debug, thiserror::Error)]
pub enum IngestError {
    /// The file could not be opened.
    #[error("cannot open {}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The system failed while the file was read.
    #[error("cannot read on in {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The sink stopped the reading.
    #[error("the events could not be handed on")]
    Stopped(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Reads a file and gives its events and rejections to the sink.
///
/// `progress` grows by the bytes taken from the file, up to its size on disk; another thread may show
/// it. Memory stays bounded by one record and one batch a kind; of Parquet, by one page a column.
///
/// # Errors
/// See [`IngestError`]. Items that were given to the sink before stay valid.
pub fn read_file(
    file: &InputFile,
    reading: &Reading<'_>,
    progress: &AtomicU64,
    sink: &mut dyn FnMut(Item) -> Result<(), Stop>,
) -> Result<FileSummary, IngestError> {
    let path = &file.path;
    let mut source = File::open(path).map_err(|source| IngestError::Open { path: path.clone(), source })?;
    let name = path.display().to_string();
    let output = Output::new(&name, Source::File(file), reading, sink);
    let read = || match starts_as_parquet(&mut source).map_err(Failure::Read)? {
        true => read_parquet(source, file.size_bytes, progress, output),
        false => read_stream(source, progress, output),
    };
    read().map_err(|failure| match failure {
        Failure::Read(source) => IngestError::Read { path: path.clone(), source },
        Failure::Stopped(Stop(cause)) => IngestError::Stopped(cause),
    })
}

/// Reads bytes in memory, such as a request's body, as [`read_file`] reads a file; `name` stands for the
/// file in rejections.
///
/// # Errors
/// Only [`IngestError::Stopped`].
pub fn read_bytes(
    name: &str,
    bytes: &[u8],
    reading: &Reading<'_>,
    sink: &mut dyn FnMut(Item) -> Result<(), Stop>,
) -> Result<FileSummary, IngestError> {
    let output = Output::new(name, Source::Bytes(bytes), reading, sink);
    let progress = AtomicU64::new(0);
    let read = if is_parquet(bytes) {
        read_parquet(Bytes::copy_from_slice(bytes), bytes.len() as u64, &progress, output)
    } else {
        read_stream(bytes, &progress, output)
    };
    read.map_err(|failure| match failure {
        Failure::Read(source) => IngestError::Read { path: PathBuf::from(name), source },
        Failure::Stopped(Stop(cause)) => IngestError::Stopped(cause),
    })
}

/// Looks at the first bytes of a file, and goes back to its start.
fn starts_as_parquet(file: &mut File) -> io::Result<bool> {
    let mut start = Vec::with_capacity(4);
    file.by_ref().take(4).read_to_end(&mut start)?;
    file.rewind()?;
    Ok(is_parquet(&start))
}

fn read_parquet<R: ChunkReader + 'static>(
    source: R,
    size_bytes: u64,
    progress: &AtomicU64,
    mut output: Output<'_>,
) -> Result<FileSummary, Failure> {
    cost::read_parquet(source, size_bytes, progress, &mut output)?;
    output.finish()
}

fn read_stream(
    source: impl Read,
    progress: &AtomicU64,
    mut output: Output<'_>,
) -> Result<FileSummary, Failure> {
    let input = open(source, progress).map_err(Failure::Read)?;
    match input.content {
        Content::Empty => {}
        Content::Json => document::read(input.bytes, &mut output)?,
        Content::Text => cost::read_csv(input.bytes, &input.head, &mut output)?,
        Content::Unreadable(why) => output.reject_part(1, None, why.to_owned(), &[])?,
    }
    output.finish()
}
