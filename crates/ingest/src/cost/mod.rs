//! Cost Management exports of actual cost, as CSV.
//!
//! The columns have other names under other agreements (old EA, EA, MCA, CSP partner); one alias table
//! ([`headers`]) knows them. Dates are ISO or with slashes; of those the first line tells whether month
//! or day comes first. A month-to-date export states earlier days again, with another `statement_id`. Equal lines in one file are separate charges and are numbered.

mod headers;
mod line;
mod rows;

use std::cell::Cell;
use std::io::{self, BufRead, Read};
use std::rc::Rc;

use csv::ByteRecord;

use self::headers::{Columns, Header};
pub(crate) use self::line::CostEvent;
use self::line::LineReader;
pub(crate) use self::rows::CostRows;
use crate::open::is_of_the_system;
use crate::output::{Failure, Output};
use crate::schema::Kind;

/// A line larger than this is refused; a quote that is never closed would take the rest of the file.
const LINE_BYTES_MAX: usize = 1024 * 1024;
/// Old portals put a title and a blank line before the header.
const LINES_BEFORE_HEADER_MAX: usize = 5;

const UNKNOWN: &str = "not a known kind: neither JSON records nor a CSV with the columns of a cost export \
                       (a date, and a cost or a quantity)";

/// Reads all lines of a CSV stream; `head` is its beginning, kept if all of it is rejected.
pub(crate) fn read_csv(source: impl BufRead, head: &[u8], output: &mut Output<'_>) -> Result<(), Failure> {
    let since_line = Rc::new(Cell::new(0));
    let guarded = Guarded { source, since_line: Rc::clone(&since_line) };
    let mut csv = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .buffer_capacity(64 * 1024)
        .from_reader(guarded);
    let mut record = ByteRecord::new();
    let columns = match find_header(&mut csv, &mut record, &since_line) {
        Ok(Header::Cost(columns)) => columns,
        Ok(Header::Other(reason)) => return output.reject_part(1, None, reason.to_owned(), head),
        Err(error) => return ended_early(error, 1, output),
    };
    let mut reader = LineReader::new(*columns);
    loop {
        since_line.set(0);
        let place = csv.position().line();
        match csv.read_byte_record(&mut record) {
            Ok(true) => {}
            Ok(false) => return Ok(()),
            Err(error) => return ended_early(error, place, output),
        }
        let line = record.position().map_or(place, csv::Position::line);
        let is_blank = record.iter().all(|field| field.trim_ascii().is_empty());
        if is_blank {
            continue;
        }
        match reader.read(&record, output.reading) {
            Ok(event) => output.take(&event)?,
            Err(reason) => output.reject_part(line, Some(Kind::Cost), reason, &as_csv(&record))?,
        }
    }
}

fn find_header<R: Read>(
    csv: &mut csv::Reader<R>,
    record: &mut ByteRecord,
    since_line: &Cell<usize>,
) -> Result<Header, csv::Error> {
    let mut verdict = Header::Other(UNKNOWN);
    for _ in 0..=LINES_BEFORE_HEADER_MAX {
        since_line.set(0);
        if !csv.read_byte_record(record)? {
            break;
        }
        match Columns::find(record) {
            Some(header @ Header::Cost(_)) => return Ok(header),
            Some(other) => verdict = other,
            None => {}
        }
    }
    Ok(verdict)
}

/// What follows cannot be read: one rejection for all of it.
fn ended_early(error: csv::Error, line: u64, output: &mut Output<'_>) -> Result<(), Failure> {
    match error.into_kind() {
        csv::ErrorKind::Io(error) if is_of_the_system(&error) => Err(Failure::Read(error)),
        csv::ErrorKind::Io(error) => {
            let reason = format!("the file cannot be read from this line on: {error}");
            output.reject_part(line, Some(Kind::Cost), reason, &[])
        }
        other => output.reject_part(line, Some(Kind::Cost), format!("not valid CSV: {other:?}"), &[]),
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
