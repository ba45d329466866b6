//! Reads one input from its first byte to its last: the front door of the crate.

use std::fs::File;
use std::io::{self, Read, Seek};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicU64;

use alerts::PartnerTenantId;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use parquet::file::reader::ChunkReader;

use crate::cost::{self, Text};
use crate::discover::InputFile;
use crate::json::document;
use crate::open::{Content, Input, is_parquet, open};
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
    /// Whether the input is a file, or a piece of a stream.
    pub extent: Extent,
    /// The statement that cost lines are part of, where the caller knows it: one for each input. `None` has
    /// it found out: of a file from its path, its manifest and itself, of bytes from their content.
    pub statement: Option<Statement>,
    /// Whether its costs are amortised or actual, where the caller knows, as from a manifest. `None` has the
    /// manifest, the path and the lines tell.
    pub is_amortized: Option<bool>,
}

impl<'a> Reading<'a> {
    /// Of a file, of which nothing more is known.
    #[must_use]
    pub fn new(
        partner_tenant_id: &'a PartnerTenantId,
        arrived_at: DateTime<Utc>,
        rows_per_batch: usize,
    ) -> Self {
        Self {
            partner_tenant_id,
            arrived_at,
            rows_per_batch,
            extent: Extent::File,
            statement: None,
            is_amortized: None,
        }
    }
}

/// How much an input is, which decides what becomes of one in which nothing is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// A file or an object, all of it. If none of its first hundred records is known, it is none of ours, and is
    /// refused with one rejection: whoever named it still has it.
    File,
    /// A piece of a stream: messages, lines of a file that grows, the body of a request. It does not come again,
    /// so each record that is not known is rejected by itself, and reading goes on to the end.
    Piece,
}

/// One thing that reading gives to its sink. Batches of a kind come when they are full, and large inputs are read on
/// several threads, so that a rejection may come before or after what stands around it in the file.
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
    /// All records met, counted where they are met and not where they end up. A file that is refused as a whole
    /// counts as one, and so does the rest of an input that cannot be read on.
    pub read: u64,
    /// Events given to the sink, by kind in the order of [`Kind::ALL`].
    pub by_kind: [u64; Kind::ALL.len()],
    /// Rejections given to the sink; a file refused as a whole is one.
    pub rejected: u64,
    /// Flow records without a single tuple, wrappers without a record, and manifests; they are not counted in
    /// `read`.
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
    /// A record that was met came out neither as an event nor as a rejection. Better to stop than to lose it.
    #[error(
        "{}: {met} records were met, and {accounted} are accounted for; this is a fault of the program, please \
         report it with the file", path.display()
    )]
    Unaccounted {
        /// The file.
        path: PathBuf,
        /// Records met.
        met: u64,
        /// Events and rejections given to the sink.
        accounted: u64,
    },
}

/// Reads a file and gives its events and rejections to the sink.
///
/// `progress` grows by the bytes taken from the file, up to its size on disk; another thread may show
/// it. Memory stays bounded by some records and one batch a kind and thread (up to 64 MiB of input each, beside one
/// record); of Parquet, by one page a column. The sink is called on the calling thread.
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
    read().map_err(|failure| error(path, failure))
}

/// Reads bytes in memory, such as a request's body, as [`read_file`] reads a file; `name` stands for the
/// file in rejections.
///
/// # Errors
/// [`IngestError::Stopped`], and [`IngestError::Unaccounted`].
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
    read.map_err(|failure| error(Path::new(name), failure))
}

fn error(path: &Path, failure: Failure) -> IngestError {
    let path = path.to_owned();
    match failure {
        Failure::Read(source) => IngestError::Read { path, source },
        Failure::Stopped(Stop(cause)) => IngestError::Stopped(cause),
        Failure::Unaccounted { met, accounted } => IngestError::Unaccounted { path, met, accounted },
    }
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
    let input = open(source, output.reading.extent, progress).map_err(Failure::Read)?;
    match input.content {
        Content::Empty => {}
        Content::Json => document::read(input.bytes, &mut output)?,
        Content::Text => read_text(input, &mut output)?,
        Content::Unreadable(why) => output.refuse(1, None, why.into_owned(), &[])?,
    }
    output.finish()
}

/// Reads text that does not start as JSON: a CSV, or a piece of a stream whose first line is damaged.
fn read_text(input: Input<'_>, output: &mut Output<'_>) -> Result<(), Failure> {
    let text = Text::of(input.bytes).map_err(Failure::Read)?;
    let is_of_lines =
        output.reading.extent == Extent::Piece && !text.is_of_costs() && text.may_have_records();
    if is_of_lines {
        document::read(text.into_bytes(), output)
    } else {
        cost::read_csv(text, &input.head, output)
    }
}
