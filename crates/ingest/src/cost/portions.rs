//! The lines of a large file, read on several threads.
//!
//! The calling thread cuts the file into portions of lines and counts them; others normalise the lines and make
//! batches, each its own. What comes out goes to the sink on the calling thread. A line's place in the file is known
//! when it is cut, so that its id is the same whoever reads it; only the order of batches is left to chance.

use std::io::Read;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::thread::{self, available_parallelism};

use csv::ByteRecord;

use super::csv::{Lines, Reader};
use super::line::Normaliser;
use crate::output::{Failure, Output};
use crate::read::{FileSummary, Item, Stop};

/// How many lines are read at a time. A file that has no more is read where it is cut.
const LINES_PER_PORTION: usize = 1024;
/// More threads than this would wait for the one that cuts.
const THREADS_MAX: usize = 4;

/// Why a file cannot be read to its end, and the line where it is so.
type Fault = (csv::Error, u64);

/// Lines in the order of the file. Kept and filled again, so that its memory is taken once.
#[derive(Default)]
struct Portion {
    /// How many lines of the file stand before it.
    before: u128,
    /// The number of each line, and its fields; more than the lines there are.
    lines: Vec<(u64, ByteRecord)>,
    count: usize,
}

/// What a thread says.
enum Told {
    Item(Item),
    /// It has read a portion.
    Done(Portion),
}

/// Reads all lines; gives why there are more that cannot be read, if there are.
pub(super) fn read<R: Read>(
    lines: &mut Lines<R>,
    reader: &Reader<'_>,
    output: &mut Output<'_>,
) -> Result<Option<Fault>, Failure> {
    let mut cutter = Cutter { lines, cut: 0, is_at_end: false, fault: None };
    let mut first = Portion::default();
    cutter.fill(&mut first, output);
    if cutter.is_at_end {
        first.read(reader, &mut reader.normaliser(), output)?;
    } else {
        read_side_by_side(first, &mut cutter, reader, output)?;
    }
    Ok(cutter.fault)
}

fn read_side_by_side<R: Read>(
    first: Portion,
    cutter: &mut Cutter<'_, R>,
    reader: &Reader<'_>,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let threads = available_parallelism().map_or(1, usize::from).min(THREADS_MAX);
    let (to_threads, portions) = sync_channel::<Portion>(threads);
    let (tell, told) = sync_channel(threads);
    let portions = Mutex::new(portions);
    // A thread that waits for a portion holds the lock: the others would wait too.
    let next_portion = || portions.lock().unwrap_or_else(PoisonError::into_inner).recv();
    let place = output.place();
    let read = |tell: SyncSender<Told>| {
        let mut sink = |item| tell.send(Told::Item(item)).map_err(|_| Stop("the reading has stopped".into()));
        let mut output = Output::at(place, &mut sink);
        let mut normaliser = reader.normaliser();
        while let Ok(portion) = next_portion() {
            portion.read(reader, &mut normaliser, &mut output)?;
            if tell.send(Told::Done(portion)).is_err() {
                break;
            }
        }
        output.into_counts()
    };
    thread::scope(|scope| {
        let read = &read;
        let start = |_| {
            let tell = tell.clone();
            scope.spawn(move || read(tell))
        };
        let threads: Vec<_> = (0..threads).map(start).collect();
        drop(tell);
        let handed_over = hand_over(first, cutter, to_threads, told, output);
        for thread in threads {
            let counts: Result<FileSummary, Failure> =
                thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            // A thread fails only because the sink took no more, which was told above.
            if let Ok(counts) = counts {
                output.add_counts(&counts);
            }
        }
        handed_over
    })
}

/// Hands portions to the threads, and what they say to the sink, until all is read or the sink wants no more.
/// Returning ends the threads.
fn hand_over<R: Read>(
    first: Portion,
    cutter: &mut Cutter<'_, R>,
    to_threads: SyncSender<Portion>,
    told: Receiver<Told>,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let mut spare = Vec::new();
    let mut next = Some(first);
    while let Some(portion) = next {
        match to_threads.try_send(portion) {
            Ok(()) => {
                let mut portion: Portion = spare.pop().unwrap_or_default();
                cutter.fill(&mut portion, output);
                next = (portion.count > 0).then_some(portion);
            }
            Err(TrySendError::Full(portion)) => {
                next = Some(portion);
                match told.recv() {
                    Ok(Told::Item(item)) => output.pass(item)?,
                    Ok(Told::Done(portion)) => spare.push(portion),
                    Err(_) => break,
                }
            }
            // All threads are gone; why is told where they are joined.
            Err(TrySendError::Disconnected(_)) => break,
        }
    }
    drop(to_threads);
    told.iter().try_for_each(|told| match told {
        Told::Item(item) => output.pass(item),
        Told::Done(_) => Ok(()),
    })
}

/// Cuts a file into portions.
struct Cutter<'l, R> {
    lines: &'l mut Lines<R>,
    /// How many lines were cut.
    cut: u128,
    is_at_end: bool,
    fault: Option<Fault>,
}

impl<R: Read> Cutter<'_, R> {
    /// Fills a portion with the next lines, which count as met; with none at the end.
    fn fill(&mut self, portion: &mut Portion, output: &mut Output<'_>) {
        portion.before = self.cut;
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
        self.cut += portion.count as u128;
        output.met(portion.count as u64);
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

    fn read(
        &self,
        reader: &Reader<'_>,
        normaliser: &mut Normaliser,
        output: &mut Output<'_>,
    ) -> Result<(), Failure> {
        normaliser.go_on_after(self.before);
        self.lines[..self.count]
            .iter()
            .try_for_each(|(line, record)| reader.read(*line, record, normaliser, output))
    }
}
