//! Where records come from: folders, containers in Azure and S3, and Event Hubs.
//!
//! A [`Source`] is polled. It answers with a [`Batch`] of [`Delivery`]s: named pieces of bytes, each with a
//! position under a key. Whoever polls stores the records first and saves the positions after, and hands
//! what was saved to the next poll. A source keeps nothing that a restart would miss, so a piece whose position
//! was not saved comes again: at least once. Storing an event once is the lake's work, by content.
//!
//! What this crate does not know: formats of records (it looks at bytes only to cut at the end of a
//! line), the lake, the store, HTTP.

mod content;
mod environment;
mod error;
mod event_hubs;
mod folder;
mod objects;
mod pieces;
mod settings;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use serde_json::Value;

pub use content::Content;
pub use environment::Environment;
pub use error::SourceError;
pub use event_hubs::{ClientSecret, EventHubs, EventHubsAccess, TokenProvider};
pub use folder::Folder;
pub use objects::{Objects, ObjectsOptions};
pub use settings::{
    AzureBlobSettings, EventHubsAuth, EventHubsSettings, FolderSettings, S3Settings, SourceSettings, StartAt,
    open,
};

/// What was saved of a source: key (path of a file or object, or topic and partition) to position.
pub type Positions = BTreeMap<String, Value>;

/// A place that records come from.
#[async_trait]
pub trait Source: Send {
    /// The next pieces after the positions in `saved`, which is all that was saved of this source, and only
    /// what belongs to committed data. An empty batch means that there is nothing new now; the caller then
    /// waits for [`Source::pause`] and polls again.
    ///
    /// # Errors
    /// [`SourceError`]; after a transient one polling again later may succeed.
    async fn poll(&mut self, saved: &Positions) -> Result<Batch, SourceError>;

    /// How long to wait after a poll whose batch had no [`Batch::more`].
    fn pause(&self) -> Duration;
}

/// What one poll found.
#[derive(Debug, Default)]
pub struct Batch {
    /// In the order in which they are to be taken in. Together about as many bytes as [`Limits::batch_bytes`].
    pub deliveries: Vec<Delivery>,
    /// Positions that belong to no delivery, to be saved once all of `deliveries` are committed.
    pub save: Vec<(String, Value)>,
    /// Keys whose positions are of no use any more: the file is gone, or too old to be looked at again.
    pub forget: Vec<String>,
    /// What a person should know and cannot see from an error: messages that expired unread, an object left out.
    pub notices: Vec<String>,
    /// There is more to read at once; poll again without a pause.
    pub more: bool,
}

/// A piece of bytes to be taken in as if it were a file.
#[derive(Debug)]
pub struct Delivery {
    /// Under which its position is saved. A batch may have several deliveries of one key; the position of the
    /// last counts.
    pub key: String,
    /// For people: what the quarantine names as the origin.
    pub name: String,
    /// The bytes.
    pub content: Content,
    /// When the file, the object or the last message was written, as its keeper says.
    pub modified_at: Option<DateTime<Utc>>,
    /// All of a file or object, as it is now. Otherwise it is a piece of something that grows, or messages, and
    /// what stands in it does not come again.
    pub is_whole: bool,
    /// The manifest beside an object, if there is one. Of a file, whoever reads it looks for it.
    pub manifest: Option<Manifest>,
    /// Which lines these are, where a file or object is read by lines; `None` for all of one, and for messages.
    pub span: Option<Span>,
    /// To be saved under `key` once the piece is committed, and not before.
    pub position: Value,
}

/// What an export writes beside its parts once they are all there. It may say when they were made, and what they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// Its bytes.
    pub text: Bytes,
    /// The name of the delivered object below the folder that the manifest lies in, with `/` between folders.
    pub part: String,
}

/// Which lines of a file or object a piece has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// The byte that the piece begins at, from 0. A piece that comes again begins at the same byte.
    pub offset: u64,
    /// How many ends of lines stand before that byte.
    pub lines_before: u64,
    /// The same for all pieces that continue each other, however the file grew in between; another one for what takes
    /// the place of the file under its name.
    pub version: String,
    /// The file, where it is one that this machine can open.
    pub path: Option<PathBuf>,
}

/// How much a poll may hold in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The largest piece held in memory, in bytes; what cannot be cut and is larger goes through a temporary file.
    pub piece_bytes: usize,
    /// A poll stops adding pieces once they have so many bytes together.
    pub batch_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { piece_bytes: 32 << 20, batch_bytes: 64 << 20 }
    }
}
