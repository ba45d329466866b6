//! Keeps what was rejected: one file of JSON lines for each input file that had rejections.
//!
//! The name is made of the input's name and a hash of the rejected content. The same input rejected
//! again gives the same file with the same bytes, so a second ingest changes nothing. A file appears
//! whole or not at all: it is written under a hidden name and renamed.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::rejected::Rejected;

/// Longest part of the input's name that goes into the quarantine file's name.
const NAME_CHARS_MAX: usize = 100;

/// Writes the rejections of one input file.
#[derive(Debug)]
pub struct QuarantineWriter {
    folder: PathBuf,
    name: String,
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

/// One line of a quarantine file.
#[derive(Serialize)]
struct Line<'a> {
    file: &'a str,
    line: u64,
    kind: Option<&'static str>,
    reason: &'a str,
    record: &'a str,
}

impl QuarantineWriter {
    /// A writer for the rejections of `input`, into `folder`. Nothing is written before the first one.
    #[must_use]
    pub fn new(folder: &Path, input: &Path) -> Self {
        let name = input.file_name().unwrap_or(input.as_os_str()).to_string_lossy();
        let safe = |character: char| {
            if character.is_alphanumeric() || "._-".contains(character) { character } else { '_' }
        };
        let name = name.trim_start_matches('.').chars().take(NAME_CHARS_MAX).map(safe).collect();
        Self { folder: folder.to_owned(), name, open: None }
    }

    /// Adds a rejection.
    ///
    /// # Errors
    /// The folder or the file cannot be written.
    pub fn add(&mut self, rejected: &Rejected) -> Result<(), QuarantineError> {
        let partial = match &mut self.open {
            Some(partial) => partial,
            closed => closed.insert(Partial::create(&self.folder, &self.name)?),
        };
        let line = Line {
            file: &rejected.file,
            line: rejected.line,
            kind: rejected.kind.map(crate::schema::Kind::name),
            reason: &rejected.reason,
            record: &rejected.record,
        };
        let written = serde_json::to_vec(&line).map_err(io::Error::from).and_then(|mut line| {
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

impl Partial {
    fn create(folder: &Path, name: &str) -> Result<Self, QuarantineError> {
        // The process id keeps two processes that read the same file apart.
        let path = folder.join(format!(".{name}.{}.partial", std::process::id()));
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
        }
    }

    fn write(folder: &Path, records: &[&str]) -> Option<PathBuf> {
        let mut writer = QuarantineWriter::new(folder, Path::new("in/log.json"));
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
        {"file":"in/log.json","line":1,"kind":"flow","reason":"no usable time","record":"{\"a\":\n"}
        {"file":"in/log.json","line":2,"kind":"flow","reason":"no usable time","record":"b"}
        "#);
        assert_eq!(write(&folder, &["{\"a\":\n", "b"]).unwrap(), first);
        assert_eq!(fs::read_to_string(&first).unwrap(), text);
        assert_ne!(write(&folder, &["c"]).unwrap(), first);
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 2, "nothing unfinished is left");
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
        let mut writer = QuarantineWriter::new(folder.path(), Path::new("a b/../x?.csv"));
        writer.add(&rejected(1, "x")).unwrap();
        drop(writer);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
