//! Repeated texts become a column of a file as they are: each once, and numbers for the rows.
//!
//! Parquet's own writer is given plain texts and finds out itself which are the same, by a hash of each row's: for
//! some thirty columns of texts that is most of what it does. Batches have their texts told apart already, so here
//! only those that differ within a batch are looked up.

use arrow_array::cast::AsArray as _;
use arrow_array::types::Int32Type;
use arrow_array::{Array, ArrayRef, Int32Array, StringArray};
use bytes::Bytes;
use deltalake::parquet::basic::{Compression, Encoding};
use deltalake::parquet::column::page::{CompressedPage, Page, PageWriter as _};
use deltalake::parquet::column::writer::ColumnCloseResult;
use deltalake::parquet::errors::{ParquetError, Result};
use deltalake::parquet::file::metadata::{ColumnChunkMetaData, OffsetIndexBuilder};
use deltalake::parquet::file::writer::{SerializedPageWriter, TrackedWrite};
use deltalake::parquet::schema::types::ColumnDescPtr;
use hashbrown::HashMap;
use zstd::bulk::Compressor;

use super::hybrid::{encode, encode_run, width_of};
use crate::files::compression_level;

/// Texts of more bytes than this are no good as a dictionary: readers hold all of it to read one row.
const DICTIONARY_BYTES_MAX: usize = 1024 * 1024;

/// Rows of a page: what a reader skips or takes. As many as Parquet's own writer puts into one.
const PAGE_ROWS: usize = 20_000;

/// The texts of one batch.
struct Source<'a> {
    texts: &'a StringArray,
    /// The number of each row's text among the batch's.
    keys: &'a Int32Array,
    /// The place of each of the batch's texts in the chunk's dictionary, once a row has it.
    places: Vec<Option<u32>>,
}

/// The texts of one column over some rows.
#[derive(Default)]
struct Rows<'a> {
    /// Each text, once.
    texts: Vec<&'a str>,
    /// Places in `texts`, one for each row that has a text.
    places: Vec<u32>,
    /// 1 for each row that has a text, 0 for others.
    levels: Vec<u32>,
}

/// An encoded column of one row group.
pub(super) struct Chunk {
    pub(super) bytes: Bytes,
    pub(super) close: ColumnCloseResult,
}

/// Encodes the rows at `places`, each a batch and a row, of a column that `batches` hold as repeated texts. `None` if
/// one of them does not, or if too many texts differ.
pub(super) fn encode_repeated(
    column: &ColumnDescPtr,
    batches: &[&ArrayRef],
    places: &[(usize, usize)],
    compressor: &mut Compressor<'_>,
) -> Result<Option<Chunk>> {
    let Some(mut sources) = batches.iter().map(|batch| Source::of(batch)).collect::<Option<Vec<_>>>() else {
        return Ok(None);
    };
    match Rows::gather(&mut sources, places) {
        Some(rows) => write_chunk(column, &rows, compressor).map(Some),
        None => Ok(None),
    }
}

impl<'a> Source<'a> {
    fn of(batch: &'a ArrayRef) -> Option<Self> {
        let repeated = batch.as_dictionary_opt::<Int32Type>()?;
        let texts: &StringArray = repeated.values().as_string_opt()?;
        Some(Self { texts, keys: repeated.keys(), places: vec![None; texts.len()] })
    }
}

impl<'a> Rows<'a> {
    /// `None` if too many texts differ.
    fn gather(sources: &mut [Source<'a>], places: &[(usize, usize)]) -> Option<Self> {
        let mut rows = Self {
            places: Vec::with_capacity(places.len()),
            levels: Vec::with_capacity(places.len()),
            ..Self::default()
        };
        let mut known: HashMap<&str, u32> = HashMap::new();
        let mut bytes = 0;
        for (batch, row) in places {
            let source = &mut sources[*batch];
            let has_text = source.keys.is_valid(*row);
            rows.levels.push(u32::from(has_text));
            if !has_text {
                continue;
            }
            let key = source.keys.value(*row) as usize;
            let place = match source.places[key] {
                Some(place) => place,
                None => {
                    let text = source.texts.value(key);
                    let place = *known.entry(text).or_insert_with(|| {
                        rows.texts.push(text);
                        bytes += text.len();
                        rows.texts.len() as u32 - 1
                    });
                    if bytes > DICTIONARY_BYTES_MAX {
                        return None;
                    }
                    source.places[key] = Some(place);
                    place
                }
            };
            rows.places.push(place);
        }
        Some(rows)
    }

    fn dictionary(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.texts.iter().map(|text| 4 + text.len()).sum());
        for text in &self.texts {
            bytes.extend_from_slice(&(text.len() as u32).to_le_bytes());
            bytes.extend_from_slice(text.as_bytes());
        }
        bytes
    }
}

/// Pages on their way into a chunk.
struct Pages<'c, 'z> {
    sink: TrackedWrite<Vec<u8>>,
    compressor: &'c mut Compressor<'z>,
    uncompressed: usize,
    compressed: usize,
}

impl Pages<'_, '_> {
    fn compress(&mut self, page: &[u8]) -> Result<Bytes> {
        let packed = self.compressor.compress(page).map_err(|error| ParquetError::External(error.into()))?;
        Ok(packed.into())
    }

    /// Writes a page; gives its offset and its size with its header.
    fn write(&mut self, page: Page, uncompressed: usize) -> Result<(u64, usize)> {
        let page = CompressedPage::new(page, uncompressed);
        let spec = SerializedPageWriter::new(&mut self.sink).write_page(page)?;
        self.uncompressed += spec.uncompressed_size;
        self.compressed += spec.compressed_size;
        Ok((spec.offset, spec.compressed_size))
    }
}

fn write_chunk(column: &ColumnDescPtr, rows: &Rows<'_>, compressor: &mut Compressor<'_>) -> Result<Chunk> {
    let sink = TrackedWrite::new(Vec::new());
    let mut pages = Pages { sink, compressor, uncompressed: 0, compressed: 0 };
    let dictionary = rows.dictionary();
    let page = Page::DictionaryPage {
        buf: pages.compress(&dictionary)?,
        num_values: rows.texts.len() as u32,
        encoding: Encoding::PLAIN,
        is_sorted: false,
    };
    let (dictionary_offset, _) = pages.write(page, dictionary.len())?;

    let is_nullable = column.max_def_level() > 0;
    let width = width_of((rows.texts.len() as u32).saturating_sub(1));
    let mut offsets = OffsetIndexBuilder::new();
    let mut first_offset = None;
    let mut rest = &rows.places[..];
    for levels in rows.levels.chunks(PAGE_ROWS) {
        let with_text = levels.iter().filter(|level| **level == 1).count();
        let (of_page, after) = rest.split_at(with_text);
        rest = after;
        let body = body(is_nullable.then_some(levels), of_page, width);
        let page = Page::DataPage {
            buf: pages.compress(&body)?,
            num_values: levels.len() as u32,
            encoding: Encoding::RLE_DICTIONARY,
            def_level_encoding: Encoding::RLE,
            rep_level_encoding: Encoding::RLE,
            statistics: None,
        };
        let (offset, size) = pages.write(page, body.len())?;
        first_offset.get_or_insert(offset);
        offsets.append_row_count(levels.len() as i64);
        offsets.append_offset_and_size(offset as i64, size as i32);
    }
    let metadata = ColumnChunkMetaData::builder(column.clone())
        .set_compression(Compression::ZSTD(compression_level()))
        .set_encodings(vec![Encoding::PLAIN, Encoding::RLE, Encoding::RLE_DICTIONARY])
        .set_total_compressed_size(pages.compressed as i64)
        .set_total_uncompressed_size(pages.uncompressed as i64)
        .set_num_values(rows.levels.len() as i64)
        .set_dictionary_page_offset(Some(dictionary_offset as i64))
        .set_data_page_offset(first_offset.unwrap_or_default() as i64)
        .build()?;
    let close = ColumnCloseResult {
        bytes_written: pages.compressed as u64,
        rows_written: rows.levels.len() as u64,
        metadata,
        bloom_filter: None,
        column_index: None,
        offset_index: Some(offsets.build()),
    };
    Ok(Chunk { bytes: pages.sink.into_inner()?.into(), close })
}

/// What a page of data holds: which rows have a text, if some may have none, and the texts by their places.
fn body(levels: Option<&[u32]>, places: &[u32], width: u32) -> Vec<u8> {
    let mut body = Vec::new();
    if let Some(levels) = levels {
        body.extend_from_slice(&[0; 4]);
        match levels.first() {
            Some(level) if levels.len() == places.len() || places.is_empty() => {
                encode_run(*level, levels.len(), 1, &mut body);
            }
            _ => encode(levels, 1, &mut body),
        }
        let length = body.len() as u32 - 4;
        body[..4].copy_from_slice(&length.to_le_bytes());
    }
    body.push(width as u8);
    encode(places, width, &mut body);
    body
}
