//! Opens an input: plain or gzip, told apart by the first bytes, never by the name.
//!
//! What comes out is a stream of decompressed bytes and a look at its beginning. Bytes are counted
//! before decompression, so that progress can be measured against the size of the file.

use std::io::{self, BufRead, BufReader, Read};
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::bufread::MultiGzDecoder;

/// How much of the content is looked at to tell what it is.
const HEAD_BYTES: usize = 1024;
/// Size of one read from the file.
const READ_BYTES: usize = 128 * 1024;

/// What the first bytes of an input say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Content {
    /// Nothing at all, or only white space.
    Empty,
    /// Starts with `{` or `[`.
    Json,
    /// Some other text.
    Text,
    /// Something that is not read; says what and how to mend it.
    Unreadable(&'static str),
}

/// An open input.
pub(crate) struct Input<'a> {
    /// The bytes after decompression, from the first one on (after a UTF-8 byte order mark).
    pub(crate) bytes: Box<dyn BufRead + 'a>,
    /// What they seem to be.
    pub(crate) content: Content,
    /// The beginning of the bytes, for a rejection of the whole input.
    pub(crate) head: Vec<u8>,
}

/// Whether a file that starts so is Parquet, which is not read as a stream.
pub(crate) fn is_parquet(start: &[u8]) -> bool {
    start.starts_with(b"PAR1")
}

/// Opens a stream; `progress` grows by the bytes taken from it.
///
/// # Errors
/// Only what the system reports. Damaged gzip is not an error here: it is met while reading.
pub(crate) fn open<'a>(source: impl Read + 'a, progress: &'a AtomicU64) -> io::Result<Input<'a>> {
    let mut raw = BufReader::with_capacity(READ_BYTES, Counted { source, progress });
    let is_gzip = raw.fill_buf()?.starts_with(&[0x1f, 0x8b]);
    if is_gzip { look(MultiGzDecoder::new(raw)) } else { look(raw) }
}

fn look<'a>(mut source: impl Read + 'a) -> io::Result<Input<'a>> {
    let mut head = Vec::with_capacity(HEAD_BYTES);
    let fault = match source.by_ref().take(HEAD_BYTES as u64).read_to_end(&mut head) {
        Ok(_) => None,
        Err(error) if is_of_the_system(&error) => return Err(error),
        Err(error) => Some(error),
    };
    if head.starts_with(&[0xef, 0xbb, 0xbf]) {
        head.drain(..3);
    }
    let content = if fault.is_some() && head.is_empty() {
        Content::Unreadable("the gzip data is damaged from the start; copy the file again")
    } else {
        content(&head)
    };
    // The fault, if any, comes again after what could be read.
    let rest = Rest { fault, source };
    let bytes = Box::new(BufReader::with_capacity(READ_BYTES, io::Cursor::new(head.clone()).chain(rest)));
    Ok(Input { bytes, content, head })
}

/// Whether the error comes from the system (a disk, a network), not from damaged compressed data.
pub(crate) fn is_of_the_system(error: &io::Error) -> bool {
    error.raw_os_error().is_some()
}

fn content(head: &[u8]) -> Content {
    const BINARY: &[(&[u8], &str)] = &[
        (b"PK\x03\x04", "this is a zip archive; unpack it and ingest the files inside"),
        (b"PAR1", "this is a Parquet file inside gzip; unpack it"),
        (b"\x1f\x8b", "this is gzip inside gzip; unpack it once"),
        (b"\x28\xb5\x2f\xfd", "this is compressed with zstd, which is not read yet; use gzip"),
        (b"\xff\xfe", "this is UTF-16 text; save it as UTF-8"),
        (b"\xfe\xff", "this is UTF-16 text; save it as UTF-8"),
    ];
    if let Some((_, advice)) = BINARY.iter().find(|(magic, _)| head.starts_with(magic)) {
        return Content::Unreadable(advice);
    }
    if head.contains(&0) {
        return Content::Unreadable("not a known kind: this is binary data, not text");
    }
    match head.iter().find(|byte| !byte.is_ascii_whitespace()) {
        None if head.len() < HEAD_BYTES => Content::Empty,
        None => Content::Text,
        Some(b'{' | b'[') => Content::Json,
        Some(_) => Content::Text,
    }
}

/// Counts what goes through.
struct Counted<'a, R> {
    source: R,
    progress: &'a AtomicU64,
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.source.read(buffer)?;
        self.progress.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

/// The stream after its head; repeats the fault met while reading the head.
pub(crate) struct Rest<R> {
    pub(crate) fault: Option<io::Error>,
    pub(crate) source: R,
}

impl<R: Read> Read for Rest<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.fault.take() {
            Some(fault) => Err(fault),
            None => self.source.read(buffer),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn content_is_told_by_the_first_bytes() {
        let check = |bytes: &[u8], expected: Content| {
            let progress = AtomicU64::new(0);
            assert_eq!(open(bytes, &progress).unwrap().content, expected, "{bytes:?}");
        };
        check(b"", Content::Empty);
        check(b" \r\n\t", Content::Empty);
        check(b"\n {\"a\":1}", Content::Json);
        check(b"[]", Content::Json);
        check(b"\xef\xbb\xbf[]", Content::Json);
        check(b"Date,Cost", Content::Text);
        check(&gzip(b"{}"), Content::Json);
        let unreadable = |bytes: &[u8], part: &str| {
            let progress = AtomicU64::new(0);
            let content = open(bytes, &progress).unwrap().content;
            assert!(matches!(content, Content::Unreadable(why) if why.contains(part)), "{content:?}");
        };
        unreadable(b"PK\x03\x04rest", "zip archive");
        unreadable(&gzip(b"PAR1"), "Parquet file inside gzip");
        unreadable(b"{\0}", "binary");
        unreadable(&gzip(&gzip(b"{}")), "gzip inside gzip");
        unreadable(&[0x1f, 0x8b, 1, 2, 3], "damaged");
    }

    #[test]
    fn several_gzip_members_are_one_stream() {
        let bytes = [gzip(b"{\"a\":1}\n"), gzip(b"{\"b\":2}\n")].concat();
        let progress = AtomicU64::new(0);
        let mut text = String::new();
        open(&bytes[..], &progress).unwrap().bytes.read_to_string(&mut text).unwrap();
        assert_eq!(text, "{\"a\":1}\n{\"b\":2}\n");
        assert_eq!(progress.into_inner(), bytes.len() as u64);
    }

    #[test]
    fn cut_gzip_gives_what_is_there_and_then_the_fault() {
        // Noise that does not compress, so that half of the bytes hold half of the content.
        let noise: Vec<u8> =
            (0..200_000u32).map(|n| b'a' + (n.wrapping_mul(2_654_435_761) >> 27) as u8).collect();
        let bytes = gzip(&noise);
        let progress = AtomicU64::new(0);
        let mut read = Vec::new();
        let error =
            open(&bytes[..bytes.len() / 2], &progress).unwrap().bytes.read_to_end(&mut read).unwrap_err();
        assert!(!is_of_the_system(&error));
        assert!(!read.is_empty() && noise.starts_with(&read));
    }
}
