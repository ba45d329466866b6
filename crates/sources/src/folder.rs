//! A folder whose files are followed, or one file.
//!
//! The folder is listed again and again instead of asking the system for events: those are not sent for network
//! shares, which is where most exports are dropped, and are lost when their queue is full. A listing costs one call
//! a file.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use tempfile::NamedTempFile;

use crate::pieces::{self, Ending, Next, Part, Patience, Position, Readable, Spooled, Version};
use crate::{Batch, Content, Delivery, Limits, Positions, Source, SourceError};

/// Files with these endings are being written by somebody who will rename them.
const TEMPORARY: [&str; 7] = [".tmp", ".temp", ".part", ".partial", ".crdownload", ".swp", "~"];
/// Folders in folders are entered this deep; a loop of mounts ends here.
const DEPTH_MAX: usize = 64;
/// A file that could not be read is tried again after this time.
const FAILED_WAIT: Duration = Duration::from_secs(60);
/// A batch has no more files than this, so that positions are saved now and then.
const FILES_A_BATCH: usize = 256;

/// Follows the files below a folder, or the one file that the path names.
///
/// Hidden files and folders (a leading dot), temporary names and what is neither file nor folder are left out, unless
/// it is the file that was named. Links to files are followed, links to folders are not.
#[derive(Debug)]
pub struct Folder {
    root: PathBuf,
    /// The root was a file when it was last seen.
    is_file: bool,
    every: Duration,
    settle: Duration,
    limits: Limits,
    /// Found by the last listing and not yet looked at.
    waiting: VecDeque<Found>,
    /// What was seen of files that are not finished: since when they are as they are.
    watched: HashMap<String, Watched>,
    /// Folders that could not be read, to say so once.
    unreadable: BTreeSet<PathBuf>,
    /// Files that could not be read, and when that was last tried.
    failed: HashMap<String, Instant>,
}

#[derive(Debug, Clone)]
struct Found {
    key: String,
    path: PathBuf,
    version: Version,
    modified_at: Option<DateTime<Utc>>,
}

#[derive(Debug)]
struct Watched {
    version: Version,
    since: Instant,
    /// Already looked at in this state, before and after it was quiet.
    looked: bool,
    looked_when_quiet: bool,
}

/// One listing.
#[derive(Debug, Default)]
struct Listing {
    /// The root is a file itself.
    is_file: bool,
    files: Vec<Found>,
    /// Folders that could not be listed, with the system's answer; nothing is known of what is in them.
    unreadable: Vec<(PathBuf, io::Error)>,
}

impl Folder {
    /// Follows `root`, a folder that is listed every `every`, or a file that is looked at as often. A file that cannot be cut at its lines is read once it did not change for
    /// `settle`.
    #[must_use]
    pub fn new(root: PathBuf, every: Duration, settle: Duration, limits: Limits) -> Self {
        Self {
            root,
            is_file: false,
            every,
            settle,
            limits,
            waiting: VecDeque::new(),
            watched: HashMap::new(),
            unreadable: BTreeSet::new(),
            failed: HashMap::new(),
        }
    }

    async fn list(&mut self, saved: &Positions, batch: &mut Batch) -> Result<(), SourceError> {
        let root = self.root.clone();
        let listing = tokio::task::spawn_blocking(move || list(&root))
            .await
            .map_err(|error| self.unavailable(error))?;
        let listing = listing.map_err(|error| self.refused(error))?;
        self.is_file = listing.is_file;
        self.tell_unreadable(&listing, batch);
        let keys: BTreeSet<&str> = listing.files.iter().map(|file| file.key.as_str()).collect();
        let unknown: Vec<String> =
            listing.unreadable.iter().map(|(path, _)| key_of(&self.root, path)).collect();
        let is_unknown = |key: &str| unknown.iter().any(|folder| Path::new(key).starts_with(folder));
        let gone = |key: &&String| !keys.contains(key.as_str()) && !is_unknown(key);
        batch.forget.extend(saved.keys().filter(gone).cloned());
        self.watched.retain(|key, _| keys.contains(key.as_str()));
        self.failed.retain(|key, _| keys.contains(key.as_str()));
        self.waiting = listing.files.into();
        Ok(())
    }

    /// Says once of each folder that it cannot be read.
    fn tell_unreadable(&mut self, listing: &Listing, batch: &mut Batch) {
        let now: BTreeSet<PathBuf> = listing.unreadable.iter().map(|(path, _)| path.clone()).collect();
        for (path, error) in &listing.unreadable {
            if !self.unreadable.contains(path) {
                batch.notices.push(format!("{} cannot be listed and is left out: {error}", path.display()));
            }
        }
        self.unreadable = now;
    }

    fn place(&self) -> String {
        let noun = if self.is_file { "file" } else { "folder" };
        format!("the {noun} {}", self.root.display())
    }

    fn unavailable(&self, cause: impl Into<crate::error::Cause>) -> SourceError {
        SourceError::unavailable(self.place(), "look whether the disk or share is mounted and answers", cause)
    }

    fn refused(&self, error: io::Error) -> SourceError {
        let place = self.place();
        match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => SourceError::Missing {
                place,
                mend: "create it, mount it, or correct its path in the settings".to_owned(),
            },
            io::ErrorKind::PermissionDenied => SourceError::Refused {
                place,
                mend: "let the user that runs this program read and enter it".to_owned(),
                cause: error.into(),
            },
            _ => self.unavailable(error),
        }
    }

    /// Whether the file is quiet, and whether it was looked at in this state without finding anything to deliver.
    fn watch(&mut self, found: &Found) -> (bool, bool) {
        let now = Instant::now();
        let fresh = || Watched {
            version: found.version.clone(),
            since: now,
            looked: false,
            looked_when_quiet: false,
        };
        let watched = self.watched.entry(found.key.clone()).or_insert_with(fresh);
        if watched.version != found.version {
            *watched = fresh();
        }
        let quiet = now.duration_since(watched.since) >= self.settle;
        (quiet, if quiet { watched.looked_when_quiet } else { watched.looked })
    }

    /// Remembers that there was nothing to deliver. What is delivered is not remembered: it may not be saved.
    fn mark_looked(&mut self, key: &str, quiet: bool) {
        if let Some(watched) = self.watched.get_mut(key) {
            watched.looked = true;
            watched.looked_when_quiet |= quiet;
        }
    }

    /// Says once that a file cannot be read; it is tried again after a while.
    fn tell_failure(&mut self, found: &Found, error: &io::Error, batch: &mut Batch) {
        if self.failed.insert(found.key.clone(), Instant::now()).is_none() {
            batch.notices.push(format!("{} cannot be read and is left out: {error}", found.path.display()));
        }
    }

    fn failed_lately(&self, key: &str) -> bool {
        self.failed.get(key).is_some_and(|at| at.elapsed() < FAILED_WAIT)
    }

    async fn look(&mut self, found: &Found, saved: &Positions) -> Result<Option<Delivery>, io::Error> {
        let position = Position::read(saved.get(&found.key));
        if position.as_ref().is_some_and(|position| position.done.as_ref() == Some(&found.version)) {
            self.watched.remove(&found.key);
            return Ok(None);
        }
        let (quiet, looked) = self.watch(found);
        if looked || self.failed_lately(&found.key) {
            return Ok(None);
        }
        let file = LocalFile { path: found.path.clone() };
        let piece = self.limits.piece_bytes;
        let patience = Patience { is_whole: quiet, ends_here: quiet };
        let next =
            pieces::next(&found.key, &file, &found.version, position.as_ref(), patience, piece).await?;
        let (content, start, modified_at, position, more) = match next {
            Next::Nothing | Next::Unfinished => {
                self.mark_looked(&found.key, quiet);
                return Ok(None);
            }
            Next::Piece { bytes, start, modified_at, position, more } => {
                (Content::Bytes(bytes), Some(start), modified_at, position, more)
            }
            Next::Spooled { spooled, start, position, more } => {
                (Content::Temporary(spooled.path), Some(start), spooled.modified_at, position, more)
            }
            Next::Whole => {
                let position = Position::of_whole(found.version.clone());
                (Content::File(found.path.clone()), None, found.modified_at, position, false)
            }
        };
        self.failed.remove(&found.key);
        if more {
            self.waiting.push_front(found.clone());
        }
        let name = found.path.display().to_string();
        Ok(Some(Delivery {
            key: found.key.clone(),
            name,
            content,
            modified_at,
            is_whole: start.is_none(),
            manifest: None,
            span: start.map(|start| start.span(Some(found.path.clone()))),
            position: position.to_value(),
        }))
    }
}

#[async_trait]
impl Source for Folder {
    async fn poll(&mut self, saved: &Positions) -> Result<Batch, SourceError> {
        let mut batch = Batch::default();
        if self.waiting.is_empty() {
            self.list(saved, &mut batch).await?;
        }
        let mut held = 0;
        while let Some(found) = self.waiting.pop_front() {
            match self.look(&found, saved).await {
                Ok(Some(delivery)) => {
                    held += delivery.content.memory_bytes();
                    batch.deliveries.push(delivery);
                    // The rest of this file can only be read once this piece's position is saved.
                    let same_file_is_next = self.waiting.front().is_some_and(|next| next.key == found.key);
                    if held >= self.limits.batch_bytes
                        || same_file_is_next
                        || batch.deliveries.len() >= FILES_A_BATCH
                    {
                        break;
                    }
                }
                Ok(None) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => self.tell_failure(&found, &error, &mut batch),
            }
        }
        batch.more = !self.waiting.is_empty();
        Ok(batch)
    }

    fn pause(&self) -> Duration {
        self.every
    }
}

/// The key of a path: relative to the root, with `/`. Bytes that are not UTF-8 are escaped.
fn key_of(root: &Path, path: &Path) -> String {
    let relative = path.strip_prefix(root).unwrap_or(path);
    let part = |part: std::path::Component<'_>| match part.as_os_str().to_str() {
        Some(text) => text.to_owned(),
        None => part.as_os_str().as_encoded_bytes().escape_ascii().to_string(),
    };
    relative.components().map(part).collect::<Vec<_>>().join("/")
}

fn list(root: &Path) -> io::Result<Listing> {
    if let Some(found) = look_at(root.parent().unwrap_or(root), root.to_path_buf()) {
        return Ok(Listing { is_file: true, files: vec![found], unreadable: Vec::new() });
    }
    let mut listing = Listing::default();
    let mut folders = vec![(root.to_path_buf(), 0)];
    while let Some((folder, depth)) = folders.pop() {
        let entries = match fs::read_dir(&folder).and_then(Iterator::collect::<io::Result<Vec<_>>>) {
            Ok(entries) => entries,
            Err(error) if depth == 0 => return Err(error),
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => {
                listing.unreadable.push((folder, error));
                continue;
            }
        };
        for entry in entries {
            let name = entry.file_name();
            if is_left_out(&name.to_string_lossy()) {
                continue;
            }
            let path = entry.path();
            let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
            if is_folder && depth < DEPTH_MAX {
                folders.push((path, depth + 1));
            } else if !is_folder && let Some(found) = look_at(root, path) {
                listing.files.push(found);
            }
        }
    }
    listing.files.sort_by(|a, b| a.key.cmp(&b.key));
    Ok(listing)
}

fn is_left_out(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    name.starts_with(['.', '~']) || TEMPORARY.iter().any(|ending| lower.ends_with(ending))
}

/// `None` for what is gone, or no file.
fn look_at(root: &Path, path: PathBuf) -> Option<Found> {
    let metadata = fs::metadata(&path).ok().filter(fs::Metadata::is_file)?;
    let (version, modified_at) = state(&metadata);
    Some(Found { key: key_of(root, &path), path, version, modified_at })
}

/// Size and time of change.
fn state(metadata: &fs::Metadata) -> (Version, Option<DateTime<Utc>>) {
    let modified_at = metadata.modified().ok().map(DateTime::<Utc>::from);
    let tag = modified_at.map_or_else(String::new, |at| at.timestamp_micros().to_string());
    (Version { size: metadata.len(), tag }, modified_at)
}

struct LocalFile {
    path: PathBuf,
}

impl LocalFile {
    async fn blocking<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Path) -> io::Result<T> + Send + 'static,
    ) -> io::Result<Option<T>> {
        let path = self.path.clone();
        let result = tokio::task::spawn_blocking(move || read(&path)).await.map_err(io::Error::other)?;
        match result {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            other => other.map(Some),
        }
    }
}

#[async_trait]
impl Readable for LocalFile {
    type Error = io::Error;

    async fn part(&self, start: u64, length: u64) -> io::Result<Option<Part>> {
        self.blocking(move |path| {
            let mut file = File::open(path)?;
            // The state is taken before the bytes: what is written in between is read again later.
            let (version, modified_at) = state(&file.metadata()?);
            file.seek(SeekFrom::Start(start))?;
            let length = length.min(version.size.saturating_sub(start));
            let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or_default());
            file.take(length).read_to_end(&mut bytes)?;
            Ok(Part { version, modified_at, bytes: Bytes::from(bytes) })
        })
        .await
    }

    async fn spool(&self, start: u64, one_line: bool) -> io::Result<Option<Spooled>> {
        self.blocking(move |path| {
            let mut file = File::open(path)?;
            let (version, modified_at) = state(&file.metadata()?);
            file.seek(SeekFrom::Start(start))?;
            let mut rest = BufReader::with_capacity(1 << 20, file.take(version.size.saturating_sub(start)));
            let mut spool = NamedTempFile::new()?;
            let (length, ending) = copy(&mut rest, &mut spool, one_line)?;
            Ok(Spooled { version, modified_at, path: spool.into_temp_path(), length, ending })
        })
        .await
    }
}

/// Copies to the end, or to the first line's end; gives the length and the last bytes.
fn copy(from: &mut impl BufRead, to: &mut impl Write, one_line: bool) -> io::Result<(u64, Bytes)> {
    let mut length = 0;
    let mut ending = Ending::default();
    loop {
        let buffer = from.fill_buf()?;
        let line_end = if one_line { buffer.iter().position(|byte| *byte == b'\n') } else { None };
        let taken = line_end.map_or(buffer.len(), |end| end + 1);
        if taken == 0 {
            break;
        }
        to.write_all(&buffer[..taken])?;
        ending.push(&buffer[..taken]);
        from.consume(taken);
        length += taken as u64;
        if line_end.is_some() {
            break;
        }
    }
    to.flush()?;
    Ok((length, ending.take()))
}
