//! The bytes of a delivery: in memory, or in a file.

use std::fs::File;
use std::io::{self, Cursor, Read};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use tempfile::TempPath;

/// The bytes of a delivery.
#[derive(Debug)]
pub enum Content {
    /// In memory.
    Bytes(Bytes),
    /// A file of the source itself, to be read and left alone.
    File(PathBuf),
    /// A temporary file; it is removed when this is dropped.
    Temporary(TempPath),
}

impl Content {
    /// Opens the bytes for reading.
    ///
    /// # Errors
    /// What the system says when a file cannot be opened; a file of a folder may be gone by now.
    pub fn open(&self) -> io::Result<Box<dyn Read + Send>> {
        match self {
            Self::Bytes(bytes) => Ok(Box::new(Cursor::new(bytes.clone()))),
            Self::File(path) => Ok(Box::new(File::open(path)?)),
            Self::Temporary(path) => Ok(Box::new(File::open(path)?)),
        }
    }

    /// Where the bytes are, if in a file.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::Bytes(_) => None,
            Self::File(path) => Some(path),
            Self::Temporary(path) => Some(path),
        }
    }

    /// How many bytes are held in memory.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        match self {
            Self::Bytes(bytes) => bytes.len(),
            Self::File(_) | Self::Temporary(_) => 0,
        }
    }
}
