//! What could not be read, and why.

use crate::schema::Kind;

/// How much of a rejected record's text is kept, in bytes.
///
/// Enough for any record that was once whole; a file that is refused as a whole is still on disk.
pub const KEPT_BYTES_MAX: usize = 256 * 1024;

/// A record, or a whole file, that was not taken in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    /// The file it came from, as it was named.
    pub file: String,
    /// The line it starts on, from 1.
    pub line: u64,
    /// The kind it seemed to be, if that could be told.
    pub kind: Option<Kind>,
    /// What is wrong with it and how to mend it, in one sentence.
    pub reason: String,
    /// Its text, up to [`KEPT_BYTES_MAX`]; bytes that are no UTF-8 are replaced.
    pub record: String,
    /// Whether that is all that is needed to read it again. A line of a CSV needs the lines before it, a
    /// tuple the record around it, and a file that was refused as a whole the file.
    pub is_complete: bool,
}

/// The text to keep of a record.
pub(crate) fn kept(text: &[u8]) -> String {
    if text.len() <= KEPT_BYTES_MAX {
        return String::from_utf8_lossy(text).into_owned();
    }
    let mut kept = String::from_utf8_lossy(&text[..KEPT_BYTES_MAX]).into_owned();
    kept.push('…');
    kept
}
