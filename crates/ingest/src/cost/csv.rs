//! Cost records as lines of a CSV.

use std::cell::Cell;
use std::io::{self, BufRead, Read};
use std::rc::Rc;

use csv::ByteRecord;
use memchr::memmem;

use super::headers::{Column, Columns, Family};
use super::line::Normaliser;
use super::portions;
use super::record::{Record, told};
use super::{Dataset, Signs};
use crate::open::{Rest, is_of_the_system};
use crate::output::{Failure, Output};
use crate::read::Extent;
use crate::schema::Kind;
use crate::statement::Statement;

/// A line larger than this is refused; a quote that is never closed would take the rest of the file.
const LINE_BYTES_MAX: usize = 1024 * 1024;
/// Old portals put a title and a blank line before the header.
const LINES_BEFORE_HEADER_MAX: usize = 5;
/// As much as the source has ready at most, so that it need not be copied twice.
const BUFFER_BYTES: usize = 256 * 1024;
/// How much of a file is looked through for signs of its dataset.
const SAMPLE_BYTES: usize = 256 * 1024;

const UNKNOWN: &str = "not a known kind: neither JSON records nor a CSV with the columns of a cost export \
                       (a date, and a cost or a quantity)";

/// A text, of which the beginning was read.
pub(crate) struct Text<R> {
    /// The beginning.
    sample: Vec<u8>,
    /// What follows; a fault of its data comes again after the beginning.
    rest: Rest<R>,
}

impl<R: BufRead> Text<R> {
    /// Reads the beginning.
    pub(crate) fn of(mut source: R) -> io::Result<Self> {
        let mut sample = Vec::with_capacity(SAMPLE_BYTES);
        let fault = match source.by_ref().take(SAMPLE_BYTES as u64).read_to_end(&mut sample) {
            Ok(_) => None,
            Err(error) if is_of_the_system(&error) => return Err(error),
            Err(error) => Some(error),
        };
        Ok(Self { sample, rest: Rest { fault, source } })
    }

    /// Whether it has the header of a cost export.
    pub(crate) fn is_of_costs(&self) -> bool {
        matches!(Lines::new(&self.sample[..]).find_header(), Ok(Some(_)))
    }

    /// Whether a line of it may be a record of JSON.
    pub(crate) fn may_have_records(&self) -> bool {
        self.sample.len() == SAMPLE_BYTES || memmem::find(&self.sample, b"\n{").is_some()
    }

    /// All of it.
    pub(crate) fn into_bytes(self) -> impl Read {
        io::Cursor::new(self.sample).chain(self.rest)
    }
}

/// Reads all lines of a CSV; `head` is its beginning, kept if a file is refused as a whole.
pub(crate) fn read_csv(
    text: Text<impl BufRead>,
    head: &[u8],
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let Text { sample, rest } = text;
    let mut lines = Lines::new(io::Cursor::new(&sample[..]).chain(rest));
    let columns = match lines.find_header() {
        Ok(Some(columns)) => columns,
        Ok(None) => return foreign(&sample, head, output),
        Err(error) => return ended_early(error, 1, output),
    };
    let origin = output.origin();
    let dataset = match (columns.family, origin.is_amortized) {
        (Family::CostManagement, None) => told_by_lines(&sample),
        (_, Some(true)) => Dataset::Amortized,
        _ => Dataset::Actual,
    };
    let reader = LineReader { columns: &columns, dataset, statement: origin.statement };
    match portions::read(&mut lines, &reader, output)? {
        Some((error, line)) => ended_early(error, line, output),
        None => Ok(()),
    }
}

/// What reads lines whose columns are known.
pub(super) struct LineReader<'c> {
    columns: &'c Columns,
    dataset: Dataset,
    statement: Statement,
}

impl LineReader<'_> {
    pub(super) fn normaliser(&self) -> Normaliser {
        Normaliser::new(self.dataset, self.statement)
    }

    /// Takes or rejects one line, which was counted as met.
    pub(super) fn read_line(
        &self,
        line: u64,
        record: &ByteRecord,
        normaliser: &mut Normaliser,
        output: &mut Output<'_>,
    ) -> Result<(), Failure> {
        output.passed(record.as_slice().len())?;
        let reason = match Line::new(self.columns, record) {
            Ok(fields) => match normaliser.read(&fields) {
                Ok(event) => return output.take(&event),
                Err(reason) => reason,
            },
            Err(reason) => {
                normaliser.pass_over();
                reason
            }
        };
        output.reject_part(line, Some(Kind::Cost), reason, &as_csv(record))
    }
}

/// There is no header: a file is refused as a whole, with its head to tell it by; a piece of a stream is kept.
fn foreign(sample: &[u8], head: &[u8], output: &mut Output<'_>) -> Result<(), Failure> {
    match output.reading.extent {
        Extent::File => output.refuse(1, None, UNKNOWN.to_owned(), head),
        Extent::Piece => {
            output.met(1);
            output.reject(1, None, UNKNOWN.to_owned(), sample)
        }
    }
}

/// The dataset of Cost Management whose signs the first lines bear.
fn told_by_lines(sample: &[u8]) -> Dataset {
    let mut lines = Lines::new(sample);
    let Ok(Some(columns)) = lines.find_header() else { return Dataset::Actual };
    let mut signs = Signs::default();
    // The last line may be cut, and an error is met again when the file is read.
    while let Ok(Some(_)) = lines.next() {
        if let Ok(line) = Line::new(&columns, &lines.record) {
            signs.look(&line);
        }
    }
    signs.dataset()
}

/// The lines of a stream.
pub(super) struct Lines<R> {
    csv: csv::Reader<Guarded<R>>,
    pub(super) record: ByteRecord,
    since_line: Rc<Cell<usize>>,
}

impl<R: Read> Lines<R> {
    fn new(source: R) -> Self {
        let since_line = Rc::new(Cell::new(0));
        let guarded = Guarded { source, since_line: Rc::clone(&since_line) };
        let csv = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .buffer_capacity(BUFFER_BYTES)
            .from_reader(guarded);
        Self { csv, record: ByteRecord::new(), since_line }
    }

    fn find_header(&mut self) -> Result<Option<Columns>, csv::Error> {
        for _ in 0..=LINES_BEFORE_HEADER_MAX {
            self.since_line.set(0);
            if !self.csv.read_byte_record(&mut self.record)? {
                break;
            }
            let columns = Columns::find(self.record.iter());
            if columns.is_some() {
                return Ok(columns);
            }
        }
        Ok(None)
    }

    /// Reads the next line that is not blank into `record`, and gives its number.
    pub(super) fn next(&mut self) -> Result<Option<u64>, (csv::Error, u64)> {
        loop {
            self.since_line.set(0);
            let place = self.csv.position().line();
            match self.csv.read_byte_record(&mut self.record) {
                Ok(true) => {}
                Ok(false) => return Ok(None),
                Err(error) => return Err((error, place)),
            }
            let is_blank = self.record.iter().all(|field| field.trim_ascii().is_empty());
            if !is_blank {
                return Ok(Some(self.record.position().map_or(place, csv::Position::line)));
            }
        }
    }
}

/// A line by column.
struct Line<'a> {
    columns: &'a Columns,
    record: &'a ByteRecord,
    /// All fields, one after the other.
    text: &'a str,
}

impl<'a> Line<'a> {
    fn new(columns: &'a Columns, record: &'a ByteRecord) -> Result<Self, String> {
        if record.len() != columns.width {
            let width = columns.width;
            return Err(format!(
                "the line has {} fields, the header {width}; is a quote missing?",
                record.len()
            ));
        }
        match std::str::from_utf8(record.as_slice()) {
            Ok(text) => Ok(Self { columns, record, text }),
            Err(_) => Err("the line is not UTF-8 text; save the file as UTF-8".to_owned()),
        }
    }
}

impl<'a> Record<'a> for Line<'a> {
    fn family(&self) -> Family {
        self.columns.family
    }

    fn has(&self, column: Column) -> bool {
        self.columns.place(column).is_some()
    }

    #[inline]
    fn text(&self, column: Column) -> Option<&'a str> {
        // Fields were checked together; one that is cut within a character by a comma reads as blank.
        told(self.text.get(self.record.range(self.columns.place(column)?)?)?)
    }
}

/// What follows cannot be read: one rejection for all of it.
fn ended_early(error: csv::Error, line: u64, output: &mut Output<'_>) -> Result<(), Failure> {
    match error.into_kind() {
        csv::ErrorKind::Io(error) if is_of_the_system(&error) => Err(Failure::Read(error)),
        csv::ErrorKind::Io(error) => {
            let reason = format!("the file cannot be read from this line on: {error}");
            output.refuse(line, Some(Kind::Cost), reason, &[])
        }
        other => output.refuse(line, Some(Kind::Cost), format!("not valid CSV: {other:?}"), &[]),
    }
}

/// A record written as CSV again, for the quarantine: fields as read, quotes where needed.
fn as_csv(record: &ByteRecord) -> Vec<u8> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let written = writer.write_byte_record(record).map_err(csv::Error::into_kind);
    let bytes = writer.into_inner().unwrap_or_default();
    if written.is_err() { record.as_slice().to_vec() } else { bytes }
}

/// Refuses to give more for one line than a line may have.
struct Guarded<R> {
    source: R,
    since_line: Rc<Cell<usize>>,
}

impl<R: Read> Read for Guarded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.since_line.get() > LINE_BYTES_MAX {
            return Err(io::Error::other("a line is longer than 1 MiB; is a quote not closed?"));
        }
        let read = self.source.read(buffer)?;
        self.since_line.set(self.since_line.get() + read);
        Ok(read)
    }
}
