//! Opens an input: plain, gzip or zstd, told apart by the first bytes, never by the name.
//!
//! What comes out is a stream of decompressed bytes and a look at its beginning. Bytes are counted
//! before decompression, so that progress can be measured against the size of the file.

use std::borrow::Cow;
use std::io::{self, BufRead, BufReader, Read};
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::bufread::MultiGzDecoder;
use memchr::memmem;

use crate::read::Extent;

/// How much of the content is looked at to tell what it is.
const HEAD_BYTES: usize = 1024;
/// Size of one read from the file.
const READ_BYTES: usize = 128 * 1024;
/// The most that zstd may look back over, as a power of two: 128 MiB, which it then holds in memory. It is the most
/// that its own tool writes or reads unless it is told otherwise; the usual levels look back 8 MiB at most.
const ZSTD_WINDOW_LOG_MAX: u32 = 27;

const GZIP: &[u8] = b"\x1f\x8b";
const ZSTD: &[u8] = b"\x28\xb5\x2f\xfd";

/// What the first bytes of an input say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Content {
    /// Nothing at all, or only white space.
    Empty,
    /// Starts with `{` or `[`.
    Json,
    /// Some other text.
    Text,
    /// Something that is not read; says what and how to mend it.
    Unreadable(Cow<'static, str>),
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
/// Only what the system reports. Damaged compressed data is not an error here: it is met while reading.
pub(crate) fn open<'a>(
    source: impl Read + 'a,
    extent: Extent,
    progress: &'a AtomicU64,
) -> io::Result<Input<'a>> {
    let mut raw = BufReader::with_capacity(READ_BYTES, Counted { source, progress });
    let start = raw.fill_buf()?;
    if start.starts_with(GZIP) {
        look(MultiGzDecoder::new(raw), extent)
    } else if start.starts_with(ZSTD) {
        let mut decoder = zstd::Decoder::with_buffer(raw)?;
        decoder.window_log_max(ZSTD_WINDOW_LOG_MAX)?;
        look(decoder, extent)
    } else {
        look(raw, extent)
    }
}

fn look<'a>(mut source: impl Read + 'a, extent: Extent) -> io::Result<Input<'a>> {
    let mut head = Vec::with_capacity(HEAD_BYTES);
    let fault = match source.by_ref().take(HEAD_BYTES as u64).read_to_end(&mut head) {
        Ok(_) => None,
        Err(error) if is_of_the_system(&error) => return Err(error),
        Err(error) => Some(error),
    };
    if head.starts_with(&[0xef, 0xbb, 0xbf]) {
        head.drain(..3);
    }
    let content = match &fault {
        Some(fault) if head.is_empty() => Content::Unreadable(Cow::Owned(format!(
            "the compressed data is damaged from the start ({fault}); copy the file again"
        ))),
        _ => content(&head, extent),
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

fn content(head: &[u8], extent: Extent) -> Content {
    const BINARY: &[(&[u8], &str)] = &[
        (b"PK\x03\x04", "this is a zip archive; unpack it and ingest the files inside"),
        (b"PAR1", "this is a Parquet file that was compressed as a whole; unpack it"),
        (GZIP, "this is gzip inside compressed data; unpack it once"),
        (ZSTD, "this is zstd inside compressed data; unpack it once"),
        (b"\xff\xfe", "this is UTF-16 text; save it as UTF-8"),
        (b"\xfe\xff", "this is UTF-16 text; save it as UTF-8"),
    ];
    // What begins a piece of a stream may be damaged, such as the zeros that a crash leaves in a file that was growing;
    // the lines after it are to be read.
    let has_lines = extent == Extent::Piece && memmem::find(head, b"\n{").is_some();
    if let Some((_, advice)) = BINARY.iter().find(|(magic, _)| !has_lines && head.starts_with(magic)) {
        return Content::Unreadable(Cow::Borrowed(advice));
    }
    if extent == Extent::File && head.contains(&0) {
        return Content::Unreadable(Cow::Borrowed("not a known kind: this is binary data, not text"));
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

    fn open_file<'a>(bytes: &'a [u8], progress: &'a AtomicU64) -> Input<'a> {
        open(bytes, Extent::File, progress).unwrap()
    }

    fn zstd(bytes: &[u8]) -> Vec<u8> {
        ::zstd::encode_all(bytes, 3).unwrap()
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn content_is_told_by_the_first_bytes() {
        let check = |bytes: &[u8], expected: Content| {
            let progress = AtomicU64::new(0);
            assert_eq!(open_file(bytes, &progress).content, expected, "{bytes:?}");
        };
        check(b"", Content::Empty);
        check(b" \r\n\t", Content::Empty);
        check(b"\n {\"a\":1}", Content::Json);
        check(b"[]", Content::Json);
        check(b"\xef\xbb\xbf[]", Content::Json);
        check(b"Date,Cost", Content::Text);
        check(&gzip(b"{}"), Content::Json);
        check(&zstd(b"{}"), Content::Json);
        check(&zstd(b"Date,Cost"), Content::Text);
        let unreadable = |bytes: &[u8], part: &str| {
            let progress = AtomicU64::new(0);
            let content = open_file(bytes, &progress).content;
            assert!(matches!(&content, Content::Unreadable(why) if why.contains(part)), "{content:?}");
        };
        unreadable(b"PK\x03\x04rest", "zip archive");
        unreadable(&gzip(b"PAR1"), "Parquet file that was compressed");
        unreadable(b"{\0}", "binary");
        unreadable(&gzip(&gzip(b"{}")), "gzip inside compressed data");
        unreadable(&zstd(&gzip(b"{}")), "gzip inside compressed data");
        unreadable(&gzip(&zstd(b"{}")), "zstd inside compressed data");
        unreadable(&[0x1f, 0x8b, 1, 2, 3], "damaged");
        unreadable(&[0x28, 0xb5, 0x2f, 0xfd, 0xff, 0xff], "damaged");
    }

    #[test]
    fn several_members_are_one_stream() {
        for compress in [gzip, zstd] {
            let bytes = [compress(b"{\"a\":1}\n"), compress(b"{\"b\":2}\n")].concat();
            let progress = AtomicU64::new(0);
            let mut text = String::new();
            open_file(&bytes, &progress).bytes.read_to_string(&mut text).unwrap();
            assert_eq!(text, "{\"a\":1}\n{\"b\":2}\n");
            assert_eq!(progress.into_inner(), bytes.len() as u64);
        }
    }

    #[test]
    fn what_is_cut_gives_what_is_there_and_then_the_fault() {
        // Noise that does not compress, so that half of the bytes hold half of the content.
        let mut state = 1u32;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        };
        let noise: Vec<u8> = (0..600_000).map(|_| next()).collect();
        for bytes in [gzip(&noise), zstd(&noise)] {
            let progress = AtomicU64::new(0);
            let mut read = Vec::new();
            let input = open_file(&bytes[..bytes.len() / 2], &progress);
            let error = { input }.bytes.read_to_end(&mut read).unwrap_err();
            assert!(!is_of_the_system(&error));
            assert!(!read.is_empty() && noise.starts_with(&read));
        }
    }

    #[test]
    fn a_window_beyond_the_limit_is_refused_before_it_is_allocated() {
        let of_window = |log: u32| {
            let mut encoder = ::zstd::Encoder::new(Vec::new(), 1).unwrap();
            encoder.long_distance_matching(true).unwrap();
            encoder.window_log(log).unwrap();
            encoder.write_all(b"{\"a\":1}\n").unwrap();
            encoder.finish().unwrap()
        };
        let progress = AtomicU64::new(0);
        let bytes = of_window(ZSTD_WINDOW_LOG_MAX);
        assert_eq!(open_file(&bytes, &progress).content, Content::Json);
        let bytes = of_window(ZSTD_WINDOW_LOG_MAX + 1);
        let content = open_file(&bytes, &progress).content;
        assert!(matches!(&content, Content::Unreadable(why) if why.contains("memory")), "{content:?}");
    }

    #[test]
    fn the_beginning_of_a_piece_decides_nothing_about_its_lines() {
        let check = |bytes: &[u8], expected: Content| {
            let progress = AtomicU64::new(0);
            assert_eq!(open(bytes, Extent::Piece, &progress).unwrap().content, expected, "{bytes:?}");
        };
        check(b"\0\0\0\n{}", Content::Text);
        check(b"\xff\xfe\n{}", Content::Text);
        check(b"{\"a\":\"\0\"}\n{}", Content::Json);
        let progress = AtomicU64::new(0);
        let zip = open(&b"PK\x03\x04rest"[..], Extent::Piece, &progress).unwrap().content;
        assert!(matches!(zip, Content::Unreadable(_)));
    }
}
