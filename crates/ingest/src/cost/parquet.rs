//! Cost records as rows of Parquet.
//!
//! Columns are read batch by batch, of those that are known. What the file declares is looked over first
//! ([`super::thrift`]), and reading runs in a thread of its own: the library's checks end in a panic for some
//! damage, which then ends that thread and no more.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType, UInt8Type, UInt16Type,
    UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};
use arrow_schema::{DataType, TimeUnit};
use chrono::DateTime;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder,
};
use parquet::errors::ParquetError;
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::reader::ChunkReader;

use super::headers::{ALIASES, Column, Columns, Family};
use super::line::Normaliser;
use super::record::{Record, amount_of_text, told};
use super::thrift::{PageHeader, page_header, skip_struct};
use super::{Dataset, Signs};
use crate::open::is_of_the_system;
use crate::output::{Failure, Output};
use crate::schema::Kind;
use crate::time::Instant;

/// Rows of one batch; with its texts it is held twice, here and in the reader.
const ROWS_PER_BATCH: usize = 8192;
/// Files of a million columns or row groups have a larger footer; exports of costs have a few kilobytes.
const FOOTER_BYTES_MAX: usize = 64 * 1024 * 1024;
/// A page may grow to this size, or to so many times its own: what is declared is allocated.
const PAGE_BYTES: i64 = 16 * 1024 * 1024;
const PAGE_GROWTH: i64 = 1024;
const PAGE_BYTES_MAX: i64 = 1024 * 1024 * 1024;
/// The header of a page is this long or shorter, but for statistics with long texts.
const PAGE_HEADER_BYTES: usize = 512;
const PAGE_HEADER_BYTES_MAX: usize = 1024 * 1024;

const UNKNOWN: &str = "not a known kind: a Parquet file without the columns of a cost export (a date, and a cost \
                       or a quantity)";
const DAY_MICROS: i64 = 86_400_000_000;

/// Why a file cannot be read on.
enum Fault {
    /// The system failed.
    System(io::Error),
    /// It is none of costs; the reason.
    Foreign(String),
    /// It is damaged; the reason.
    Damaged(String),
}

/// What the reading thread sends.
enum Message {
    /// First of all: whose columns they are, and how many rows there should be.
    Start(Family, u64),
    Rows(Table),
}

/// Reads all rows of a Parquet file of `size_bytes` bytes, and lets `progress` grow by them.
pub(crate) fn read_parquet<R: ChunkReader + 'static>(
    source: R,
    size_bytes: u64,
    progress: &AtomicU64,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let (to_here, messages) = sync_channel(1);
    let reader = thread::Builder::new().name("parquet".to_owned()).spawn(move || read_rows(source, &to_here));
    let reader = reader.map_err(Failure::Read)?;
    let mut rows = Rows { normaliser: None, read: 0, declared: 0, family: Family::CostManagement };
    let mut counted = 0;
    for message in messages {
        match message {
            Message::Start(family, declared) => {
                rows.declared = declared;
                rows.family = family;
            }
            Message::Rows(table) => {
                rows.take(&table, output)?;
                let share = (rows.read as f64 / rows.declared.max(1) as f64).min(1.0);
                let by_now = (share * size_bytes as f64) as u64;
                progress.fetch_add(by_now - counted, Ordering::Relaxed);
                counted = by_now;
            }
        }
    }
    progress.fetch_add(size_bytes - counted, Ordering::Relaxed);
    let outcome =
        reader.join().unwrap_or_else(|_| Err(Fault::Damaged("its data contradicts itself".to_owned())));
    let line = rows.read + 1;
    match outcome {
        Ok(()) if rows.read == rows.declared => Ok(()),
        Ok(()) => {
            let reason = format!(
                "the Parquet file says that it has {} rows, but has {}; export it again",
                rows.declared, rows.read
            );
            output.refuse(line, Some(Kind::Cost), reason, &[])
        }
        Err(Fault::System(error)) => Err(Failure::Read(error)),
        Err(Fault::Foreign(reason)) => output.refuse(1, None, reason, &[]),
        Err(Fault::Damaged(what)) => {
            let reason = format!("the Parquet file cannot be read from row {line} on: {what}; copy it again");
            output.refuse(line, Some(Kind::Cost), reason, &[])
        }
    }
}

/// Rows as they come.
struct Rows {
    normaliser: Option<Normaliser>,
    family: Family,
    read: u64,
    declared: u64,
}

impl Rows {
    fn take(&mut self, table: &Table, output: &mut Output<'_>) -> Result<(), Failure> {
        let rows = (0..table.rows).map(|at| Row { table, at, family: self.family });
        let normaliser = self.normaliser.get_or_insert_with(|| {
            let origin = output.origin();
            let dataset = match origin.is_amortized {
                None => {
                    let mut signs = Signs::default();
                    rows.clone().for_each(|row| signs.look(&row));
                    signs.dataset()
                }
                Some(true) => Dataset::Amortized,
                Some(false) => Dataset::Actual,
            };
            Normaliser::new(dataset, origin.statement)
        });
        output.met(table.rows as u64);
        for row in rows {
            self.read += 1;
            match normaliser.read(&row) {
                Ok(event) => output.take(&event)?,
                Err(reason) => {
                    output.reject_part(self.read, Some(Kind::Cost), reason, row.as_json().as_bytes())?;
                }
            }
        }
        Ok(())
    }
}

/// Reads all rows and sends them.
fn read_rows<R: ChunkReader + 'static>(source: R, to: &SyncSender<Message>) -> Result<(), Fault> {
    check_footer(&source)?;
    // The types of Parquet itself are few; those of Arrow, which a writer may add, are many.
    let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
    let metadata = ArrowReaderMetadata::load(&source, options)?;
    let fields = metadata.schema().fields().clone();
    let columns = Columns::find(fields.iter().map(|field| field.name().as_bytes()))
        .ok_or_else(|| Fault::Foreign(UNKNOWN.to_owned()))?;
    let places = Column::all().map(|column| columns.place(column)).collect::<Vec<_>>();
    let mut roots: Vec<usize> = places.iter().copied().flatten().collect();
    roots.sort_unstable();
    roots.dedup();
    for root in &roots {
        let field = &fields[*root];
        if !is_read(field.data_type()) {
            let (name, kind) = (field.name(), field.data_type());
            return Err(Fault::Foreign(format!(
                "column `{name}` of the Parquet file has type {kind}, which is not read; export as CSV"
            )));
        }
    }
    let schema = metadata.metadata().file_metadata().schema_descr_ptr();
    let mask = ProjectionMask::roots(&schema, roots.iter().copied());
    let declared = check_pages(&source, &metadata, &mask)?;
    if to.send(Message::Start(columns.family, declared)).is_err() {
        return Ok(());
    }
    let batches = ParquetRecordBatchReaderBuilder::new_with_metadata(source, metadata)
        .with_projection(mask)
        .with_batch_size(ROWS_PER_BATCH)
        .build()?;
    for batch in batches {
        let batch = batch.map_err(|error| Fault::Damaged(error.to_string()))?;
        let table = Table::new(&batch, &places, &roots);
        // Who reads may want no more.
        if to.send(Message::Rows(table)).is_err() {
            break;
        }
    }
    Ok(())
}

impl From<ParquetError> for Fault {
    fn from(error: ParquetError) -> Self {
        match error {
            ParquetError::External(cause) => match cause.downcast::<io::Error>() {
                Ok(cause) if is_of_the_system(&cause) => Self::System(*cause),
                Ok(cause) => Self::Damaged(cause.to_string()),
                Err(cause) => Self::Damaged(cause.to_string()),
            },
            other => Self::Damaged(other.to_string()),
        }
    }
}

/// Holds what the footer declares against its length.
fn check_footer(source: &impl ChunkReader) -> Result<(), Fault> {
    let damaged = |what: &str| Fault::Damaged(what.to_owned());
    let size = source.len();
    if size < 12 {
        return Err(damaged("it is too short"));
    }
    let tail = source.get_bytes(size - 8, 8)?;
    let length = u32::from_le_bytes([tail[0], tail[1], tail[2], tail[3]]) as usize;
    match &tail[4..] {
        b"PAR1" => {}
        b"PARE" => {
            return Err(Fault::Foreign("this Parquet file is encrypted; export it without".to_owned()));
        }
        _ => return Err(damaged("it has no footer, as if it were cut")),
    }
    if length as u64 > size - 12 || length > FOOTER_BYTES_MAX {
        return Err(damaged("its footer has an impossible length"));
    }
    let footer = source.get_bytes(size - 8 - length as u64, length)?;
    skip_struct(&footer).ok_or_else(|| damaged("its footer is damaged"))
}

/// Holds what row groups and pages declare against what is there; gives the number of rows declared.
fn check_pages(
    source: &impl ChunkReader,
    metadata: &ArrowReaderMetadata,
    mask: &ProjectionMask,
) -> Result<u64, Fault> {
    let damaged = || Fault::Damaged("a row group is not where it should be".to_owned());
    let mut rows = 0u64;
    for group in metadata.metadata().row_groups() {
        let of_group = u64::try_from(group.num_rows()).map_err(|_| damaged())?;
        rows = rows.checked_add(of_group).ok_or_else(damaged)?;
        for (leaf, chunk) in group.columns().iter().enumerate() {
            if mask.leaf_included(leaf) {
                check_chunk(source, chunk, of_group)?;
            }
        }
    }
    Ok(rows)
}

/// Walks along the pages of a column chunk.
fn check_chunk(source: &impl ChunkReader, chunk: &ColumnChunkMetaData, rows: u64) -> Result<(), Fault> {
    let damaged =
        |what: &str| Fault::Damaged(format!("in column `{}`, {what}", chunk.column_path().string()));
    let unsigned = |number: i64| u64::try_from(number).map_err(|_| damaged("a size is negative"));
    let start = unsigned(chunk.dictionary_page_offset().unwrap_or_else(|| chunk.data_page_offset()))?;
    let length = unsigned(chunk.compressed_size())?;
    let end = start.checked_add(length).filter(|end| *end <= source.len());
    let end = end.ok_or_else(|| damaged("its pages lie beyond the end of the file"))?;
    // Columns of costs are flat: a value a row.
    if unsigned(chunk.num_values())? != rows {
        return Err(damaged("there are more or fewer values than rows"));
    }
    let mut at = start;
    let mut values = 0;
    while at < end && values < rows {
        let header = header_at(source, at, end)?.ok_or_else(|| damaged("the header of a page is damaged"))?;
        let (body, grown) = (header.compressed_bytes, header.uncompressed_bytes);
        at = u64::try_from(body)
            .ok()
            .and_then(|body| at.checked_add(header.header_bytes as u64)?.checked_add(body))
            .filter(|at| *at <= end)
            .ok_or_else(|| damaged("a page is longer than what is there"))?;
        let may_grow_to = body.saturating_mul(PAGE_GROWTH).clamp(PAGE_BYTES, PAGE_BYTES_MAX);
        if !(0..=may_grow_to).contains(&grown) {
            return Err(damaged("a page would grow beyond all measure"));
        }
        let declared = unsigned(header.values)?;
        if header.is_dictionary {
            if declared > grown as u64 {
                return Err(damaged("a dictionary has more values than bytes"));
            }
        } else {
            values = values
                .checked_add(declared)
                .filter(|values| *values <= rows)
                .ok_or_else(|| damaged("there are more values than rows"))?;
        }
    }
    Ok(())
}

/// The header of the page that starts at a place.
fn header_at(source: &impl ChunkReader, at: u64, end: u64) -> Result<Option<PageHeader>, Fault> {
    for most in [PAGE_HEADER_BYTES, PAGE_HEADER_BYTES_MAX] {
        let length = usize::try_from(end - at).map_or(most, |left| left.min(most));
        let header = page_header(&source.get_bytes(at, length)?);
        if header.is_some() || length < most {
            return Ok(header);
        }
    }
    Ok(None)
}

/// One batch, by column.
struct Table {
    rows: usize,
    values: Vec<Option<Values>>,
}

/// The values of a column.
enum Values {
    Text(StringArray),
    Amount(Float64Array),
    /// Microseconds since 1970.
    Time(Int64Array),
}

impl Table {
    /// `places` are those of the columns among all of the file, `roots` the ones in the batch.
    fn new(batch: &RecordBatch, places: &[Option<usize>], roots: &[usize]) -> Self {
        let values = Column::all().zip(places).map(|(column, place)| {
            let place = roots.binary_search(&(*place)?).ok()?;
            Some(values_of(column, batch.columns().get(place)?))
        });
        Self { rows: batch.num_rows(), values: values.collect() }
    }
}

/// Types that costs may have.
fn is_read(kind: &DataType) -> bool {
    use DataType::{
        Binary, Boolean, Date32, Decimal128, Float32, Float64, Int8, Int16, Int32, Int64, Timestamp, UInt8,
        UInt16, UInt32, UInt64, Utf8,
    };
    matches!(
        kind,
        Utf8 | Binary
            | Boolean
            | Date32
            | Decimal128(..)
            | Float32
            | Float64
            | Int8
            | Int16
            | Int32
            | Int64
            | Timestamp(..)
            | UInt8
            | UInt16
            | UInt32
            | UInt64
    )
}

fn values_of(column: Column, array: &ArrayRef) -> Values {
    if let Some(text) = array.as_string_opt::<i32>() {
        return Values::Text(text.clone());
    }
    if column == Column::Date
        && let Some(times) = times(array)
    {
        return Values::Time(times);
    }
    if column.is_amount()
        && let Some(amounts) = amounts(array)
    {
        return Values::Amount(amounts);
    }
    Values::Text(texts(array))
}

fn amounts(array: &ArrayRef) -> Option<Float64Array> {
    macro_rules! widened {
        ($kind:ty) => {
            array.as_primitive::<$kind>().unary(|number| number as f64)
        };
    }
    Some(match array.data_type() {
        DataType::Float64 => array.as_primitive::<Float64Type>().clone(),
        DataType::Float32 => widened!(Float32Type),
        DataType::Int8 => widened!(Int8Type),
        DataType::Int16 => widened!(Int16Type),
        DataType::Int32 => widened!(Int32Type),
        DataType::Int64 => widened!(Int64Type),
        DataType::UInt8 => widened!(UInt8Type),
        DataType::UInt16 => widened!(UInt16Type),
        DataType::UInt32 => widened!(UInt32Type),
        DataType::UInt64 => widened!(UInt64Type),
        DataType::Decimal128(_, scale) => {
            let unit = 10f64.powi(i32::from(*scale));
            array.as_primitive::<Decimal128Type>().unary(|number| number as f64 / unit)
        }
        _ => return None,
    })
}

fn times(array: &ArrayRef) -> Option<Int64Array> {
    Some(match array.data_type() {
        DataType::Date32 => array.as_primitive::<Date32Type>().unary(|day| i64::from(day) * DAY_MICROS),
        DataType::Timestamp(TimeUnit::Millisecond, _) => {
            array.as_primitive::<TimestampMillisecondType>().unary(|millis| millis.saturating_mul(1000))
        }
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            array.as_primitive::<TimestampMicrosecondType>().unary(|micros| micros)
        }
        DataType::Timestamp(TimeUnit::Nanosecond, _) => {
            array.as_primitive::<TimestampNanosecondType>().unary(|nanos| nanos.div_euclid(1000))
        }
        _ => return None,
    })
}

/// Other values as texts.
fn texts(array: &ArrayRef) -> StringArray {
    if let Some(bytes) = array.as_binary_opt::<i32>() {
        // Some writers do not say that their bytes are text.
        return bytes.iter().map(|bytes| Some(String::from_utf8_lossy(bytes?).into_owned())).collect();
    }
    if let Some(values) = array.as_boolean_opt() {
        return values.iter().map(|value| Some(value?.to_string())).collect();
    }
    if let Some(times) = times(array) {
        let shown = |micros: i64| DateTime::from_timestamp_micros(micros).map(|time| time.to_rfc3339());
        return times.iter().map(|micros| shown(micros?)).collect();
    }
    match amounts(array) {
        Some(amounts) => amounts.iter().map(|amount| Some(amount?.to_string())).collect(),
        None => StringArray::new_null(array.len()),
    }
}

/// One row.
#[derive(Clone, Copy)]
struct Row<'a> {
    table: &'a Table,
    at: usize,
    family: Family,
}

impl<'a> Row<'a> {
    fn values(&self, column: Column) -> Option<&'a Values> {
        self.table.values[column as usize].as_ref()
    }

    /// What was read of the row, for the quarantine.
    fn as_json(&self) -> String {
        let mut object = serde_json::Map::new();
        for (column, names) in ALIASES {
            let text = match self.values(*column) {
                Some(Values::Amount(amounts)) if amounts.is_valid(self.at) => {
                    amounts.value(self.at).to_string()
                }
                Some(Values::Time(times)) if times.is_valid(self.at) => times.value(self.at).to_string(),
                Some(Values::Text(texts)) if texts.is_valid(self.at) => texts.value(self.at).to_owned(),
                _ => continue,
            };
            object.insert(names[0].to_owned(), text.into());
        }
        serde_json::Value::Object(object).to_string()
    }
}

impl<'a> Record<'a> for Row<'a> {
    fn family(&self) -> Family {
        self.family
    }

    fn has(&self, column: Column) -> bool {
        self.values(column).is_some()
    }

    fn text(&self, column: Column) -> Option<&'a str> {
        match self.values(column)? {
            Values::Text(texts) if texts.is_valid(self.at) => told(texts.value(self.at)),
            _ => None,
        }
    }

    fn time(&self, column: Column) -> Option<Option<Instant>> {
        match self.values(column)? {
            Values::Time(times) if times.is_valid(self.at) => {
                Some(Instant::from_micros(times.value(self.at), 0))
            }
            _ => None,
        }
    }

    fn amount(&self, column: Column) -> Result<Option<f64>, String> {
        match self.values(column) {
            Some(Values::Amount(amounts)) if amounts.is_valid(self.at) => {
                let amount = amounts.value(self.at);
                let reason =
                    || format!("`{amount}` in the {column:?} column is no number that can be counted");
                if amount.is_finite() { Ok(Some(amount)) } else { Err(reason()) }
            }
            Some(Values::Text(_)) => amount_of_text(self.text(column), column),
            _ => Ok(None),
        }
    }
}
