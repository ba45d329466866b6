//! Reads one object, in parts or as a whole.

use std::io::{self, Write};

use async_trait::async_trait;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures::StreamExt;
use object_store::path::Path;
use object_store::{Error, GetOptions, GetRange, GetResult, ObjectMeta, ObjectStore, ObjectStoreExt};
use tempfile::NamedTempFile;

use super::Found;
use crate::Content;
use crate::pieces::{self, Ending, Next, Part, Patience, Position, Readable, Spooled, Start, Version};

/// A piece of an object.
#[derive(Debug)]
pub(super) struct Piece {
    pub(super) content: Content,
    /// Where it begins, if it is a piece of lines.
    pub(super) start: Option<Start>,
    pub(super) modified_at: Option<DateTime<Utc>>,
    pub(super) position: Position,
    pub(super) more: bool,
}

/// The state of an object. Listings and replies write the same ETag with and without quotes.
pub(super) fn version(object: &ObjectMeta) -> Version {
    let tag = match &object.e_tag {
        Some(tag) => tag.trim_start_matches("W/").trim_matches('"').to_owned(),
        None => object.last_modified.timestamp_millis().to_string(),
    };
    Version { size: object.size, tag }
}

/// The next piece of an object; `None` if there is nothing to deliver in this state.
pub(super) async fn read(
    store: &dyn ObjectStore,
    found: &Found,
    position: Option<&Position>,
    quiet: bool,
    piece_bytes: usize,
) -> Result<Option<Piece>, Error> {
    let path = Path::parse(&found.key)?;
    let object = Object { store, path, listed_size: found.version.size };
    // Objects are written in one go, or grow by whole writes.
    let patience = Patience { is_whole: true, ends_here: quiet };
    let next = pieces::next(&found.key, &object, &found.version, position, patience, piece_bytes).await?;
    match next {
        Next::Nothing | Next::Unfinished => Ok(None),
        Next::Piece { bytes, start, modified_at, position, more } => Ok(Some(Piece {
            content: Content::Bytes(bytes),
            start: Some(start),
            modified_at,
            position,
            more,
        })),
        Next::Spooled { spooled, start, position, more } => {
            Ok(Some(from_spool(spooled, Some(start), position, more)))
        }
        Next::Whole => object.whole(piece_bytes).await,
    }
}

fn from_spool(spooled: Spooled, start: Option<Start>, position: Position, more: bool) -> Piece {
    let modified_at = spooled.modified_at;
    Piece { content: Content::Temporary(spooled.path), start, modified_at, position, more }
}

struct Object<'a> {
    store: &'a dyn ObjectStore,
    path: Path,
    listed_size: u64,
}

impl Object<'_> {
    async fn whole(&self, piece_bytes: usize) -> Result<Option<Piece>, Error> {
        if self.listed_size > piece_bytes as u64 {
            let Some(spooled) = self.spool(0, false).await? else { return Ok(None) };
            let position = Position::of_whole(spooled.version.clone());
            return Ok(Some(from_spool(spooled, None, position, false)));
        }
        let Some(result) = self.get(None).await? else { return Ok(None) };
        let (version, modified_at) = (version(&result.meta), Some(result.meta.last_modified));
        let bytes = result.bytes().await?;
        let position = Position::of_whole(version);
        Ok(Some(Piece { content: Content::Bytes(bytes), start: None, modified_at, position, more: false }))
    }

    /// `None`: the object is gone, or is shorter than the listing says.
    async fn get(&self, range: Option<GetRange>) -> Result<Option<GetResult>, Error> {
        let options = GetOptions { range, ..GetOptions::default() };
        match self.store.get_opts(&self.path, options).await {
            Ok(result) => Ok(Some(result)),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => match self.store.head(&self.path).await {
                Ok(now) if now.size < self.listed_size => Ok(None),
                Err(Error::NotFound { .. }) => Ok(None),
                _ => Err(error),
            },
        }
    }
}

#[async_trait]
impl Readable for Object<'_> {
    type Error = Error;

    async fn part(&self, start: u64, length: u64) -> Result<Option<Part>, Error> {
        // All bytes of one reply are of one state, which the reply names; the listing's may be older by now.
        let range = GetRange::Bounded(start..start.saturating_add(length));
        let Some(result) = self.get(Some(range)).await? else { return Ok(None) };
        let (version, modified_at) = (version(&result.meta), Some(result.meta.last_modified));
        Ok(Some(Part { version, modified_at, bytes: result.bytes().await? }))
    }

    async fn spool(&self, start: u64, one_line: bool) -> Result<Option<Spooled>, Error> {
        let Some(result) = self.get((start > 0).then_some(GetRange::Offset(start))).await? else {
            return Ok(None);
        };
        let (version, modified_at) = (version(&result.meta), Some(result.meta.last_modified));
        let mut bytes = result.into_stream();
        let mut file = NamedTempFile::new().map_err(temporary_file)?;
        let (mut length, mut ending) = (0, Ending::default());
        while let Some(chunk) = bytes.next().await {
            let mut chunk: Bytes = chunk?;
            let line_end = if one_line { chunk.iter().position(|byte| *byte == b'\n') } else { None };
            chunk.truncate(line_end.map_or(chunk.len(), |end| end + 1));
            length += chunk.len() as u64;
            ending.push(&chunk);
            file = write(file, chunk).await.map_err(temporary_file)?;
            if line_end.is_some() {
                break;
            }
        }
        Ok(Some(Spooled { version, modified_at, path: file.into_temp_path(), length, ending: ending.take() }))
    }
}

/// Writes without holding up other tasks.
async fn write(mut file: NamedTempFile, chunk: Bytes) -> io::Result<NamedTempFile> {
    let written = tokio::task::spawn_blocking(move || file.write_all(&chunk).map(|()| file)).await;
    written.map_err(io::Error::other)?
}

fn temporary_file(error: io::Error) -> Error {
    Error::Generic { store: "temporary file", source: error.into() }
}
