//! Reads one input from its first byte to its last: the front door of the crate.

use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::atomic::AtomicU64;

use alerts::PartnerTenantId;
use chrono::{DateTime, Utc};

use crate::cost;
use crate::discover::InputFile;
use crate::json::document;
use crate::open::{Content, open};
use crate::output::{EventBatch, Failure, Output};
use crate::rejected::Rejected;
use crate::schema::Kind;

/// What every event of a reading has in common.
#[derive(Debug, Clone)]
pub struct Reading<'a> {
    /// Whose customers the events are of.
    pub partner_tenant_id: &'a PartnerTenantId,
    /// When the events came in.
    pub arrived_at: DateTime<Utc>,
    /// How many events make a batch; the last one of a kind may have fewer. 0 counts as 1.
    pub rows_per_batch: usize,
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
    /// Flow records without a single tuple; they are not counted in `read`.
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
/// it. Memory stays bounded by one record and one batch a kind; cost files add up to about 40 bytes a
/// line, since equal lines must be told apart.
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
    let source = File::open(path).map_err(|source| IngestError::Open { path: path.clone(), source })?;
    let name = path.display().to_string();
    read_stream(&name, source, reading, progress, sink).map_err(|failure| match failure {
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
    read_stream(name, bytes, reading, &AtomicU64::new(0), sink).map_err(|failure| match failure {
        Failure::Read(source) => IngestError::Read { path: PathBuf::from(name), source },
        Failure::Stopped(Stop(cause)) => IngestError::Stopped(cause),
    })
}

fn read_stream(
    name: &str,
    source: impl Read,
    reading: &Reading<'_>,
    progress: &AtomicU64,
    sink: &mut dyn FnMut(Item) -> Result<(), Stop>,
) -> Result<FileSummary, Failure> {
    let input = open(source, progress).map_err(Failure::Read)?;
    let mut output = Output::new(name, reading, sink);
    match input.content {
        Content::Empty => {}
        Content::Json => document::read(input.bytes, &mut output)?,
        Content::Text => cost::read_csv(input.bytes, &input.head, &mut output)?,
        Content::Unreadable(why) => output.reject_part(1, None, why.to_owned(), &[])?,
    }
    output.finish()
}
