//! Which part of a file or object comes next.
//!
//! Files are of two sorts. *Lines*: JSON with one record a line, which may grow; each complete line is delivered
//! once, in pieces, from where the last piece ended. *Whole*: everything else, delivered again, in full, when it
//! changed. Which sort a `.json` file is, its first line tells.
//!
//! Growth is told from replacement by a fingerprint of the bytes before the offset. A file that changed and did
//! not grow, or whose fingerprint differs, is read from its start.

use std::path::PathBuf;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use chrono::{DateTime, Utc};
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tempfile::TempPath;

use crate::Span;

/// So many bytes before the offset must be as they were for growth to be growth.
const FINGERPRINT_BYTES: u64 = 1024;
/// Endings of names of files that may hold one record a line and grow.
const GROWING: [&str; 3] = [".json", ".jsonl", ".ndjson"];

/// Tells one state of a file or object from another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Version {
    /// In bytes.
    #[serde(rename = "s")]
    pub(crate) size: u64,
    /// What the keeper of the file changes with it: an ETag, or the time of the last change.
    #[serde(rename = "t")]
    pub(crate) tag: String,
}

/// What is saved of a file or object. The names are short: a large estate has a million of them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Position {
    /// The state of which everything was delivered; absent while there is more.
    #[serde(rename = "v", default, skip_serializing_if = "Option::is_none")]
    pub(crate) done: Option<Version>,
    /// For lines: up to where they were delivered, in bytes.
    #[serde(rename = "o", default, skip_serializing_if = "is_zero")]
    pub(crate) offset: u64,
    /// For lines: fingerprint of the bytes before the offset.
    #[serde(rename = "f", default, skip_serializing_if = "Option::is_none")]
    fingerprint: Option<String>,
    /// For lines: how many ends of lines stand before the offset.
    #[serde(rename = "l", default, skip_serializing_if = "is_zero")]
    lines: u64,
    /// For lines: the state in which the first of them were read. Pieces that continue each other have it in common,
    /// and what takes the place of the file has another.
    #[serde(rename = "b", default, skip_serializing_if = "String::is_empty")]
    begun: String,
}

/// Where in its file or object a piece begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Start {
    /// The byte, from 0.
    pub(crate) offset: u64,
    /// How many ends of lines stand before it.
    pub(crate) lines: u64,
    /// See [`Position::begun`].
    pub(crate) begun: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl Position {
    /// What was saved; what cannot be understood counts as nothing, and the file is read again.
    pub(crate) fn read(saved: Option<&Value>) -> Option<Self> {
        saved.and_then(|value| Self::deserialize(value).ok())
    }

    pub(crate) fn of_whole(version: Version) -> Self {
        Self { done: Some(version), ..Self::default() }
    }

    pub(crate) fn to_value(&self) -> Value {
        // Strings and numbers only, so this cannot fail; a null would be read as no position.
        serde_json::to_value(self).unwrap_or_default()
    }
}

impl Start {
    /// As it is told outside of this crate; `path` is the file, if it is one here.
    pub(crate) fn span(self, path: Option<PathBuf>) -> Span {
        Span { offset: self.offset, lines_before: self.lines, version: self.begun, path }
    }
}

/// Bytes of a file or object, with the state that they belong to.
#[derive(Debug)]
pub(crate) struct Part {
    /// The state from which they were read.
    pub(crate) version: Version,
    /// When it was last written.
    pub(crate) modified_at: Option<DateTime<Utc>>,
    /// The bytes, fewer than asked for only where the file ends.
    pub(crate) bytes: Bytes,
}

/// A file or object that is read in parts.
#[async_trait]
pub(crate) trait Readable: Sync {
    /// What stops a reading.
    type Error;

    /// Up to `length` bytes from `start`, which lies before the end as far as is known. `None`: it is gone, or
    /// is not what it was a moment ago; the next listing will tell.
    async fn part(&self, start: u64, length: u64) -> Result<Option<Part>, Self::Error>;

    /// From `start` to the end, or to the end of the line there, in a temporary file; with its length.
    async fn spool(&self, start: u64, one_line: bool) -> Result<Option<Spooled>, Self::Error>;
}

/// Bytes that went to a temporary file.
#[derive(Debug)]
pub(crate) struct Spooled {
    pub(crate) version: Version,
    pub(crate) modified_at: Option<DateTime<Utc>>,
    pub(crate) path: TempPath,
    pub(crate) length: u64,
    /// The last bytes, at most [`FINGERPRINT_BYTES`].
    pub(crate) ending: Bytes,
}

/// What to do with a file or object now.
#[derive(Debug)]
pub(crate) enum Next {
    /// A piece in memory, the position after it, and whether there is more at once.
    Piece { bytes: Bytes, start: Start, modified_at: Option<DateTime<Utc>>, position: Position, more: bool },
    /// A piece in a temporary file: a line too long for memory.
    Spooled { spooled: Spooled, start: Start, position: Position, more: bool },
    /// All of it, by whatever way is best.
    Whole,
    /// Nothing new, and nothing before it changes.
    Nothing,
    /// The end is being written; look again when it has changed or was quiet for a while.
    Unfinished,
}

/// What is known of whether somebody is still writing.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    /// What is there is a whole file: nobody is in the middle of writing it.
    pub(crate) is_whole: bool,
    /// Nobody will finish an unfinished last line.
    pub(crate) ends_here: bool,
}

/// Whether a file may hold lines and grow, by its name.
pub(crate) fn may_grow(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    GROWING.iter().any(|ending| name.ends_with(ending))
}

/// Which piece comes next.
///
/// `listed` is the file's state as the listing has it, `piece_bytes` the most to hold in memory.
pub(crate) async fn next<R: Readable>(
    name: &str,
    file: &R,
    listed: &Version,
    saved: Option<&Position>,
    patience: Patience,
    piece_bytes: usize,
) -> Result<Next, R::Error> {
    let quiet = patience.ends_here;
    if saved.is_some_and(|position| position.done.as_ref() == Some(listed)) || listed.size == 0 {
        return Ok(Next::Nothing);
    }
    let whole = if patience.is_whole { Next::Whole } else { Next::Unfinished };
    if !may_grow(name) {
        return Ok(whole);
    }
    if let Some(position) = saved.filter(|position| continues(position, listed))
        && let Some(next) = growth(file, position, quiet, piece_bytes).await?
    {
        return Ok(next);
    }
    let Some(part) = file.part(0, piece_bytes as u64).await? else { return Ok(Next::Unfinished) };
    if !starts_with_a_line(&part) {
        return Ok(whole);
    }
    let start = Start { offset: 0, lines: 0, begun: state_of(&part.version) };
    cut(file, start, &[], part, quiet).await
}

/// Whether the file may have grown since, from its size alone.
fn continues(position: &Position, listed: &Version) -> bool {
    let unfinished = position.done.is_none();
    position.offset > 0 && position.fingerprint.is_some() && (position.offset < listed.size || unfinished)
}

/// The next piece of a file that only grew; `None` if it did not.
async fn growth<R: Readable>(
    file: &R,
    position: &Position,
    quiet: bool,
    piece_bytes: usize,
) -> Result<Option<Next>, R::Error> {
    let before = position.offset.min(FINGERPRINT_BYTES);
    let start = position.offset - before;
    let Some(mut part) = file.part(start, before + piece_bytes as u64).await? else {
        return Ok(Some(Next::Unfinished));
    };
    if part.version.size < position.offset || (part.bytes.len() as u64) < before {
        return Ok(None);
    }
    let known = part.bytes.split_to(before as usize);
    // The last record may have come without its line's end. What follows must then be a line's end.
    let at_a_line = known.ends_with(b"\n") || part.bytes.first().is_none_or(u8::is_ascii_whitespace);
    if Some(fingerprint(&known)) != position.fingerprint || !at_a_line {
        return Ok(None);
    }
    if part.bytes.is_empty() {
        return Ok(Some(Next::Nothing));
    }
    let start = Start { offset: position.offset, lines: position.lines, begun: position.begun.clone() };
    cut(file, start, &known, part, quiet).await.map(Some)
}

/// Whether the first line is a JSON object of its own.
fn starts_with_a_line(part: &Part) -> bool {
    let bytes = &part.bytes;
    let is_all = bytes.len() as u64 >= part.version.size;
    let start =
        bytes.iter().position(|byte| !byte.is_ascii_whitespace() && !is_bom(*byte)).unwrap_or(bytes.len());
    let rest = &bytes[start..];
    match rest.iter().position(|byte| *byte == b'\n') {
        Some(end) => is_complete(&rest[..end]),
        None => is_all && is_complete(rest),
    }
}

/// The bytes of UTF-8's byte order mark, which some tools write first.
fn is_bom(byte: u8) -> bool {
    matches!(byte, 0xEF | 0xBB | 0xBF)
}

/// Whether this is one JSON object or array and nothing else. Numbers and words are left out on purpose: of them one
/// cannot tell whether more follows.
fn is_complete(line: &[u8]) -> bool {
    let line = line.trim_ascii();
    matches!(line.first(), Some(b'{' | b'[')) && serde_json::from_slice::<IgnoredAny>(line).is_ok()
}

/// Cuts a part at the end of its last complete line; `before` are the bytes before it, as many as the fingerprint
/// needs.
async fn cut<R: Readable>(
    file: &R,
    start: Start,
    before: &[u8],
    part: Part,
    quiet: bool,
) -> Result<Next, R::Error> {
    let Part { version, modified_at, mut bytes } = part;
    let reaches_the_end = start.offset + bytes.len() as u64 >= version.size;
    let line_end = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    if !reaches_the_end {
        if line_end == 0 {
            return long_line(file, start).await;
        }
        bytes.truncate(line_end);
        let position = position_after(&start, before, &bytes, None);
        return Ok(Next::Piece { bytes, start, modified_at, position, more: true });
    }
    let tail = &bytes[line_end..];
    let tail_is_whole = tail.trim_ascii().is_empty() || is_complete(tail);
    if tail_is_whole {
        let position = position_after(&start, before, &bytes, Some(version));
        return Ok(Next::Piece { bytes, start, modified_at, position, more: false });
    }
    let lines = bytes.slice(..line_end);
    if quiet {
        // A last line that nobody finishes: it is delivered as it is, so that the quarantine shows it. Should it be
        // finished after all, it comes again from its start.
        let position = position_after(&start, before, &lines, Some(version));
        return Ok(Next::Piece { bytes, start, modified_at, position, more: false });
    }
    if lines.is_empty() {
        return Ok(Next::Unfinished);
    }
    let position = position_after(&start, before, &lines, None);
    Ok(Next::Piece { bytes: lines, start, modified_at, position, more: false })
}

/// A line that is longer than a piece.
async fn long_line<R: Readable>(file: &R, start: Start) -> Result<Next, R::Error> {
    let Some(spooled) = file.spool(start.offset, true).await? else { return Ok(Next::Unfinished) };
    let end = start.offset + spooled.length;
    let more = end < spooled.version.size;
    let position = Position {
        done: (!more).then(|| spooled.version.clone()),
        offset: end,
        fingerprint: Some(fingerprint(&spooled.ending)),
        lines: start.lines + u64::from(spooled.ending.ends_with(b"\n")),
        begun: start.begun.clone(),
    };
    Ok(Next::Spooled { spooled, start, position, more })
}

fn position_after(start: &Start, before: &[u8], delivered: &[u8], done: Option<Version>) -> Position {
    let mut ending = BytesMut::with_capacity(2 * FINGERPRINT_BYTES as usize);
    ending.extend_from_slice(before);
    let kept = delivered.len().min(FINGERPRINT_BYTES as usize);
    ending.extend_from_slice(&delivered[delivered.len() - kept..]);
    Position {
        done,
        offset: start.offset + delivered.len() as u64,
        fingerprint: Some(fingerprint(&ending)),
        lines: start.lines + delivered.iter().filter(|byte| **byte == b'\n').count() as u64,
        begun: start.begun.clone(),
    }
}

/// A short name of a state, which another state of the same file does not have.
fn state_of(version: &Version) -> String {
    fingerprint(format!("{}:{}", version.size, version.tag).as_bytes())
}

/// A fingerprint of the last bytes before an offset, of at most [`FINGERPRINT_BYTES`]: 64 bits are enough to notice a
/// replaced file, which nobody makes on purpose to deceive us.
fn fingerprint(bytes: &[u8]) -> String {
    let start = bytes.len().saturating_sub(FINGERPRINT_BYTES as usize);
    let mut hex = blake3::hash(&bytes[start..]).to_hex().to_string();
    hex.truncate(16);
    hex
}

/// The last bytes of a stream, kept while it passes.
#[derive(Debug, Default)]
pub(crate) struct Ending(BytesMut);

impl Ending {
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        let kept = bytes.len().min(FINGERPRINT_BYTES as usize);
        self.0.extend_from_slice(&bytes[bytes.len() - kept..]);
        let surplus = self.0.len().saturating_sub(FINGERPRINT_BYTES as usize);
        let _ = self.0.split_to(surplus);
    }

    pub(crate) fn take(self) -> Bytes {
        self.0.freeze()
    }
}
