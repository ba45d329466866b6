//! The lines of a CSV, in portions that are read on several threads if there are many.

use std::io::Read;

use csv::ByteRecord;

use super::csv::{LineReader, Lines};
use super::line::Normaliser;
use crate::output::{Failure, Output};
use crate::portions::{Cutter, Reader, read_side_by_side};

/// How many lines are read at a time. A file that has no more is read where it is cut.
const LINES_PER_PORTION: usize = 1024;

/// Why a file cannot be read to its end, and the line where it is so.
type Fault = (csv::Error, u64);

/// Lines in the order of the file.
#[derive(Default)]
pub(super) struct Portion {
    /// How many lines of the file stand before it.
    before: u128,
    /// The number of each line, and its fields; more than the lines there are.
    lines: Vec<(u64, ByteRecord)>,
    count: usize,
}

/// Reads all lines; gives why there are more that cannot be read, if there are.
pub(super) fn read<R: Read>(
    lines: &mut Lines<R>,
    reader: &LineReader<'_>,
    output: &mut Output<'_>,
) -> Result<Option<Fault>, Failure> {
    let mut cut = LinesCut { lines, count: 0, is_at_end: false, fault: None };
    let mut first = Portion::default();
    cut.fill(&mut first, output)?;
    if cut.is_at_end {
        reader.read(&first, &mut reader.state(), output)?;
    } else {
        read_side_by_side(first, &mut cut, reader, output)?;
    }
    Ok(cut.fault)
}

/// Cuts a file into portions; counts the lines as met.
struct LinesCut<'l, R> {
    lines: &'l mut Lines<R>,
    /// How many lines were cut.
    count: u128,
    is_at_end: bool,
    fault: Option<Fault>,
}

impl<R: Read> Cutter for LinesCut<'_, R> {
    type Portion = Portion;

    fn fill(&mut self, portion: &mut Portion, output: &mut Output<'_>) -> Result<bool, Failure> {
        portion.before = self.count;
        portion.count = 0;
        while portion.count < LINES_PER_PORTION && !self.is_at_end {
            match self.lines.next() {
                Ok(Some(line)) => portion.push(line, &mut self.lines.record),
                Ok(None) => self.is_at_end = true,
                Err(fault) => {
                    self.is_at_end = true;
                    self.fault = Some(fault);
                }
            }
        }
        self.count += portion.count as u128;
        output.met(portion.count as u64);
        Ok(portion.count > 0)
    }
}

impl Portion {
    /// Adds a line; gives the record of an earlier one in its place.
    fn push(&mut self, line: u64, record: &mut ByteRecord) {
        if self.lines.len() == self.count {
            self.lines.push((0, ByteRecord::new()));
        }
        let (number, place) = &mut self.lines[self.count];
        *number = line;
        std::mem::swap(place, record);
        self.count += 1;
    }
}

impl Reader for LineReader<'_> {
    type Portion = Portion;
    type State = Normaliser;

    fn state(&self) -> Normaliser {
        self.normaliser()
    }

    fn read(
        &self,
        portion: &Portion,
        normaliser: &mut Normaliser,
        output: &mut Output<'_>,
    ) -> Result<(), Failure> {
        normaliser.go_on_after(portion.before);
        let lines = &portion.lines[..portion.count];
        lines.iter().try_for_each(|(line, record)| self.read_line(*line, record, normaliser, output))
    }
}
