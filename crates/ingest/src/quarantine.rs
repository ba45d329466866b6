//! Keeps what was rejected: one file of JSON lines for each input file that had rejections.
//!
//! The name is made of the input's name and a hash of the rejected content. The same input rejected
//! again gives the same file with the same bytes, so a second ingest changes nothing. A file appears
//! whole or not at all: it is written under a hidden name and renamed.
//!
//! After a mend, what is complete is read again from here, and the rest from the input, if that is still
//! there and as long as it was. Of an input that was read in pieces, as a file that grows is, the piece is read
//! again, if its bytes are still the same.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::discover::InputFile;
use crate::rejected::Rejected;
use crate::statement::Statement;

/// Longest part of the input's name that goes into the quarantine file's name.
const NAME_CHARS_MAX: usize = 100;

/// Writes the rejections of one input file.
#[derive(Debug)]
pub struct QuarantineWriter {
    folder: PathBuf,
    name: String,
    input: InputFile,
    piece: Option<KeptPiece>,
    open: Option<Partial>,
}

/// The file under its hidden name; removed if it is not finished.
#[derive(Debug)]
struct Partial {
    path: PathBuf,
    file: BufWriter<File>,
    hash: blake3::Hasher,
}

/// A quarantine file could not be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write quarantine file {}", path.display())]
pub struct QuarantineError {
    /// The file.
    pub path: PathBuf,
    /// What the system said.
    #[source]
    pub source: io::Error,
}

/// A quarantine file, or a line of it, could not be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot read quarantine file {}, line {line}", path.display())]
pub struct UnreadableQuarantine {
    /// The file.
    pub path: PathBuf,
    /// The line, from 1; 0 if the file could not be opened.
    pub line: u64,
    /// What the system or the JSON parser said.
    #[source]
    pub source: io::Error,
}

/// A rejection as it is kept: one line of a quarantine file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// The input that it came from, with its whole path.
    pub file: PathBuf,
    /// How long the input was, in bytes on disk; of a piece, up to the piece's end.
    #[serde(default)]
    pub file_bytes: u64,
    /// The piece of the input that it was read with, if that was not all of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub piece: Option<KeptPiece>,
    /// The line that the record starts on, from 1.
    pub line: u64,
    /// The kind that it seemed to be.
    pub kind: Option<String>,
    /// What is wrong with it and how to mend it.
    pub reason: String,
    /// Whether `record` is all that is needed to read it again.
    #[serde(default)]
    pub complete: bool,
    /// Its text.
    pub record: String,
}

/// A piece of a file, with all that is needed to read it again as it was read before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptPiece {
    /// The byte that it begins at.
    pub offset: u64,
    /// How long it is.
    pub bytes: u64,
    /// How many ends of lines stand before it.
    pub lines_before: u64,
    /// Tells whether the bytes are still the same.
    hash: String,
    /// The statement of costs that it is part of.
    statement_id: String,
    statement_part: String,
    stated_at: DateTime<Utc>,
}

impl KeptPiece {
    /// The piece that begins at `offset`, after so many ends of lines.
    #[must_use]
    pub fn new(offset: u64, lines_before: u64, text: &[u8], statement: &Statement) -> Self {
        Self {
            offset,
            bytes: text.len() as u64,
            lines_before,
            hash: blake3::hash(text).to_hex().to_string(),
            statement_id: hex_of(statement.id),
            statement_part: hex_of(statement.part),
            stated_at: statement.stated_at,
        }
    }

    /// Reads its bytes again; `None` if they are not there any more.
    ///
    /// # Errors
    /// The file is there and cannot be read.
    pub fn read(&self, file: &Path) -> io::Result<Option<Vec<u8>>> {
        let mut file = match File::open(file) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        file.seek(SeekFrom::Start(self.offset))?;
        let mut text = Vec::new();
        file.take(self.bytes).read_to_end(&mut text)?;
        Ok((blake3::hash(&text).to_hex().as_str() == self.hash).then_some(text))
    }

    /// The statement of costs that it is part of; `None` if somebody damaged the quarantine's file.
    #[must_use]
    pub fn statement(&self) -> Option<Statement> {
        let (id, part) = (bytes_of(&self.statement_id)?, bytes_of(&self.statement_part)?);
        Some(Statement { id, part, stated_at: self.stated_at })
    }
}

fn hex_of(bytes: [u8; 16]) -> String {
    format!("{:032x}", u128::from_be_bytes(bytes))
}

fn bytes_of(hex: &str) -> Option<[u8; 16]> {
    u128::from_str_radix(hex, 16).ok().map(u128::to_be_bytes)
}

/// The rejections in a quarantine file, line by line.
///
/// # Errors
/// The file, or the line, cannot be read; then nothing follows.
pub fn read_quarantine(
    path: &Path,
) -> Result<impl Iterator<Item = Result<Kept, UnreadableQuarantine>>, UnreadableQuarantine> {
    let unreadable = {
        let path = path.to_owned();
        move |line: u64, source| UnreadableQuarantine { path: path.clone(), line, source }
    };
    let file = File::open(path).map_err(|source| unreadable(0, source))?;
    let lines = (1..).zip(BufReader::new(file).lines());
    Ok(lines.map(move |(number, line)| {
        line.and_then(|line| serde_json::from_str(&line).map_err(io::Error::from))
            .map_err(|source| unreadable(number, source))
    }))
}

/// The quarantine files in a folder, by name; none if it is not there.
///
/// # Errors
/// The folder cannot be read.
pub fn quarantine_files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry?.path();
        // Hidden ones are being written.
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.ends_with(".ndjson") && !name.starts_with('.') {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

impl QuarantineWriter {
    /// A writer for the rejections of `input`, into `folder`. Nothing is written before the first one.
    #[must_use]
    pub fn new(folder: &Path, input: &InputFile) -> Self {
        let path = &input.path;
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
        let name = safe_name(&name);
        // Who retries may stand in another folder.
        let whole_path = std::path::absolute(path).unwrap_or_else(|_| path.clone());
        let input = InputFile { path: whole_path, size_bytes: input.size_bytes };
        Self { folder: folder.to_owned(), name, input, piece: None, open: None }
    }

    /// A writer for the rejections of a piece of a file.
    #[must_use]
    pub fn of_piece(folder: &Path, file: &Path, piece: KeptPiece) -> Self {
        let input = InputFile { path: file.to_owned(), size_bytes: piece.offset + piece.bytes };
        Self { piece: Some(piece), ..Self::new(folder, &input) }
    }

    /// A writer for the rejections of something that is no file, such as a request of so many bytes.
    #[must_use]
    pub fn of_stream(folder: &Path, origin: &str, bytes: u64) -> Self {
        let input = InputFile { path: PathBuf::from(origin), size_bytes: bytes };
        Self { folder: folder.to_owned(), name: safe_name(origin), input, piece: None, open: None }
    }

    /// Adds a rejection.
    ///
    /// # Errors
    /// The folder or the file cannot be written.
    pub fn add(&mut self, rejected: &Rejected) -> Result<(), QuarantineError> {
        self.keep(&Kept {
            file: self.input.path.clone(),
            file_bytes: self.input.size_bytes,
            piece: self.piece.clone(),
            line: rejected.line,
            kind: rejected.kind.map(|kind| kind.name().to_owned()),
            reason: rejected.reason.clone(),
            complete: rejected.is_complete,
            record: rejected.record.clone(),
        })
    }

    /// Adds a rejection as it was kept before.
    ///
    /// # Errors
    /// The folder or the file cannot be written.
    pub fn keep(&mut self, kept: &Kept) -> Result<(), QuarantineError> {
        let partial = match &mut self.open {
            Some(partial) => partial,
            closed => closed.insert(Partial::create(&self.folder, &self.name)?),
        };
        let written = serde_json::to_vec(kept).map_err(io::Error::from).and_then(|mut line| {
            line.push(b'\n');
            partial.hash.update(&line);
            partial.file.write_all(&line)
        });
        written.map_err(|source| QuarantineError { path: partial.path.clone(), source })
    }

    /// Puts the file in place; `None` if nothing was rejected.
    ///
    /// # Errors
    /// The file cannot be written or renamed.
    pub fn finish(mut self) -> Result<Option<PathBuf>, QuarantineError> {
        let Some(mut partial) = self.open.take() else { return Ok(None) };
        let hash = partial.hash.finalize().to_hex();
        let path = self.folder.join(format!("{}.{}.ndjson", self.name, &hash[..16]));
        let placed = partial
            .file
            .flush()
            .and_then(|()| partial.file.get_ref().sync_all())
            .and_then(|()| fs::rename(&partial.path, &path));
        match placed {
            Ok(()) => Ok(Some(path)),
            Err(source) => Err(QuarantineError { path, source }),
        }
    }
}

/// A name that any file may have.
fn safe_name(name: &str) -> String {
    let safe = |character: char| {
        if character.is_alphanumeric() || "._-".contains(character) { character } else { '_' }
    };
    name.trim_start_matches('.').chars().take(NAME_CHARS_MAX).map(safe).collect()
}

/// Tells the files apart that one process writes at once.
static PARTIALS: AtomicU64 = AtomicU64::new(0);

impl Partial {
    fn create(folder: &Path, name: &str) -> Result<Self, QuarantineError> {
        // The process id keeps two processes that read the same file apart.
        let number = PARTIALS.fetch_add(1, Ordering::Relaxed);
        let path = folder.join(format!(".{name}.{}.{number}.partial", std::process::id()));
        let file = fs::create_dir_all(folder).and_then(|()| File::create(&path));
        match file {
            Ok(file) => Ok(Self { path, file: BufWriter::new(file), hash: blake3::Hasher::new() }),
            Err(source) => Err(QuarantineError { path, source }),
        }
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        // After the rename there is nothing left to remove, and a leftover does no harm.
        let _ = fs::remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::Kind;

    fn rejected(line: u64, record: &str) -> Rejected {
        Rejected {
            file: "in/log.json".to_owned(),
            line,
            kind: Some(Kind::Flow),
            reason: "no usable time".to_owned(),
            record: record.to_owned(),
            is_complete: true,
        }
    }

    fn input(path: &str) -> InputFile {
        InputFile { path: PathBuf::from(path), size_bytes: 7 }
    }

    fn write(folder: &Path, records: &[&str]) -> Option<PathBuf> {
        let mut writer = QuarantineWriter::new(folder, &input("/in/log.json"));
        for (at, record) in records.iter().enumerate() {
            writer.add(&rejected(at as u64 + 1, record)).unwrap();
        }
        writer.finish().unwrap()
    }

    #[test]
    fn the_same_rejections_make_the_same_file() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join("quarantine");
        let first = write(&folder, &["{\"a\":\n", "b"]).unwrap();
        let text = fs::read_to_string(&first).unwrap();
        insta::assert_snapshot!(text, @r#"
        {"file":"/in/log.json","file_bytes":7,"line":1,"kind":"flow","reason":"no usable time","complete":true,"record":"{\"a\":\n"}
        {"file":"/in/log.json","file_bytes":7,"line":2,"kind":"flow","reason":"no usable time","complete":true,"record":"b"}
        "#);
        assert_eq!(write(&folder, &["{\"a\":\n", "b"]).unwrap(), first);
        assert_eq!(fs::read_to_string(&first).unwrap(), text);
        assert_ne!(write(&folder, &["c"]).unwrap(), first);
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 2, "nothing unfinished is left");
    }

    #[test]
    fn what_is_kept_is_read_back() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(quarantine_files(&folder.path().join("none")).unwrap(), Vec::<PathBuf>::new());
        let path = write(folder.path(), &["{\"a\":\n", "b"]).unwrap();
        fs::write(folder.path().join(".x.1.partial"), "").unwrap();
        assert_eq!(quarantine_files(folder.path()).unwrap(), std::slice::from_ref(&path));
        let kept: Vec<Kept> = read_quarantine(&path).unwrap().map(Result::unwrap).collect();
        assert_eq!(kept.len(), 2);
        assert_eq!((kept[1].line, kept[1].record.as_str(), kept[1].complete), (2, "b", true));
        let mut again = QuarantineWriter::new(folder.path(), &input("/in/log.json"));
        kept.iter().for_each(|kept| again.keep(kept).unwrap());
        assert_eq!(again.finish().unwrap().unwrap(), path, "the same lines make the same file");

        // Files of earlier builds say less, and so are read from their inputs.
        fs::write(
            &path,
            "{\"file\":\"a\",\"line\":1,\"kind\":null,\"reason\":\"r\",\"record\":\"x\"}\nodd\n",
        )
        .unwrap();
        let mut kept = read_quarantine(&path).unwrap();
        assert!(!kept.next().unwrap().unwrap().complete);
        assert_eq!(kept.next().unwrap().unwrap_err().line, 2);
    }

    #[test]
    fn a_piece_is_read_again_while_its_bytes_are_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("log.json");
        fs::write(&file, "one\ntwo\nthree\n").unwrap();
        let statement = Statement::of_sender("", "s", b"1", DateTime::UNIX_EPOCH);
        let piece = KeptPiece::new(4, 1, b"two\n", &statement);
        let mut writer = QuarantineWriter::of_piece(&folder.path().join("q"), &file, piece.clone());
        writer.add(&rejected(2, "two")).unwrap();
        let kept = read_quarantine(&writer.finish().unwrap().unwrap()).unwrap().next().unwrap().unwrap();
        assert_eq!((kept.file_bytes, kept.piece.as_ref()), (8, Some(&piece)));
        let piece = kept.piece.unwrap();
        assert_eq!(piece.statement(), Some(statement));
        assert_eq!(piece.read(&file).unwrap().as_deref(), Some(&b"two\n"[..]));
        fs::write(&file, "one\ntwo\nthree\nfour\n").unwrap();
        assert!(piece.read(&file).unwrap().is_some(), "growth changes nothing");
        for other in ["one\nTWO\nthree\n", "one\n", ""] {
            fs::write(&file, other).unwrap();
            assert_eq!(piece.read(&file).unwrap(), None, "{other:?}");
        }
        fs::remove_file(&file).unwrap();
        assert_eq!(piece.read(&file).unwrap(), None);
    }

    #[test]
    fn nothing_rejected_nothing_written() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(write(&folder.path().join("quarantine"), &[]), None);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_writer_that_is_dropped_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let mut writer = QuarantineWriter::new(folder.path(), &input("a b/../x?.csv"));
        writer.add(&rejected(1, "x")).unwrap();
        drop(writer);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
