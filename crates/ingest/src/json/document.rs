//! Reads a JSON input: decides for each record what it is, and hands it to that kind's parser.
//!
//! An input may hold several kinds. As long as no record of a file was recognised, rejections wait: a file in
//! which nothing is known is refused as a whole, with one rejection, not record by record. Of a piece of a
//! stream each record is rejected by itself.

use std::io::Read;

use serde_json::value::RawValue;

use super::envelope::{Envelope, Shape, lists};
use super::frames::{Frame, Frames};
use crate::output::{Event, Failure, Output, Rows};
use crate::portions::{Cutter, Reader, read_side_by_side};
use crate::read::Extent;
use crate::{activity, advisory, cost, dns, entra, flow, inventory, security_alert};

/// After so many records of which none was recognised, the file is none of ours.
const UNKNOWN_RECORDS_MAX: usize = 100;
/// An input that is no larger is read on the calling thread.
const BYTES_READ_ALONE: usize = 1024 * 1024;
/// How much is read at a time of a larger one.
const BYTES_PER_PORTION: usize = 256 * 1024;
/// Wrappers in wrappers are followed this far.
const WRAPPERS_MAX: usize = 3;

const UNKNOWN: &str = "not a known kind: neither activity log, flow log, Entra log, DNS or firewall log, inventory, \
                       Service Health, alert nor cost export";

/// Reads all records of a JSON stream.
pub(crate) fn read(source: impl Read, output: &mut Output<'_>) -> Result<(), Failure> {
    let unrecognised = match output.reading.extent {
        Extent::File => Some(Vec::new()),
        Extent::Piece => None,
    };
    let mut parsers = Parsers::default();
    let mut document = Document { output, unrecognised, parsers: &mut parsers };
    let mut frames = Frames::new(source);
    let mut bytes = 0;
    while let Some(frame) = frames.next().map_err(Failure::Read)? {
        bytes += frames.text().len();
        document.frame(&frame, frames.text())?;
        if document.is_foreign() {
            break;
        }
        if bytes >= BYTES_READ_ALONE && document.can_be_shared() {
            document.finish()?;
            return read_rest(frames, output);
        }
    }
    document.finish()
}

/// Reads what is left of a large stream, on several threads.
fn read_rest(frames: Frames<impl Read>, output: &mut Output<'_>) -> Result<(), Failure> {
    let mut cut = FramesCut { frames, count: 0 };
    let mut first = Portion::default();
    if cut.fill(&mut first, output)? {
        read_side_by_side(first, &mut cut, &PortionReader, output)?;
    }
    Ok(())
}

/// Cuts a stream into portions.
struct FramesCut<R> {
    frames: Frames<R>,
    /// How many frames were cut.
    count: u64,
}

/// Frames in the order of the stream.
#[derive(Default)]
struct Portion {
    /// How many frames stand before it.
    before: u64,
    /// The frames, and where the text of each ends.
    frames: Vec<(Frame, usize)>,
    text: Vec<u8>,
}

impl<R: Read> Cutter for FramesCut<R> {
    type Portion = Portion;

    fn fill(&mut self, portion: &mut Portion, _: &mut Output<'_>) -> Result<bool, Failure> {
        portion.before = self.count;
        portion.frames.clear();
        portion.text.clear();
        while portion.text.len() < BYTES_PER_PORTION
            && let Some(frame) = self.frames.next().map_err(Failure::Read)?
        {
            portion.text.extend_from_slice(self.frames.text());
            portion.frames.push((frame, portion.text.len()));
        }
        self.count += portion.frames.len() as u64;
        Ok(!portion.frames.is_empty())
    }
}

struct PortionReader;

impl Reader for PortionReader {
    type Portion = Portion;
    type State = Parsers;

    fn state(&self) -> Parsers {
        Parsers::default()
    }

    fn read(&self, portion: &Portion, parsers: &mut Parsers, output: &mut Output<'_>) -> Result<(), Failure> {
        let mut document = Document { output, unrecognised: None, parsers };
        let mut start = 0;
        for (number, (frame, end)) in (portion.before..).zip(&portion.frames) {
            // Usage among other records is told apart by the frame, and by its place in that: a count of usage alone
            // would need all frames before.
            document.parsers.usage.go_on_after(u128::from(number) << 32);
            document.frame(frame, &portion.text[start..*end])?;
            start = *end;
        }
        document.finish()
    }
}

/// The parsers, with what they keep from record to record.
#[derive(Default)]
struct Parsers {
    activity: activity::Parser,
    flow: flow::Parser,
    entra: entra::Parser,
    usage: cost::UsageParser,
    dns: dns::Parser,
    inventory: inventory::Parser,
    advisory: advisory::Parser,
    security_alert: security_alert::Parser,
}

/// A stream, or a portion of one, under way.
struct Document<'o, 'a> {
    output: &'o mut Output<'a>,
    /// Rejections so far (line, reason, text) of a file of which no record was recognised; `None` otherwise.
    unrecognised: Option<Vec<(u64, String, Vec<u8>)>>,
    parsers: &'o mut Parsers,
}

impl Document<'_, '_> {
    fn frame(&mut self, frame: &Frame, text: &[u8]) -> Result<(), Failure> {
        self.output.passed(text.len())?;
        match &frame.damage {
            None => self.record(frame.line, text, 0),
            Some(reason) => self.unrecognised(frame.line, reason.clone(), text),
        }
    }

    /// Whether what follows is to be read in any order: the input is one of ours, and its records are not told apart by
    /// their place in it, as those of usage are. Flow records stay in their order, which is that of time, so that they
    /// are stored as they come: to sort them would take longer than several threads save.
    fn can_be_shared(&self) -> bool {
        let Self { parsers, unrecognised, .. } = self;
        unrecognised.is_none() && !parsers.usage.has_begun() && !parsers.flow.has_begun()
    }

    fn record(&mut self, line: u64, bytes: &[u8], wrappers: usize) -> Result<(), Failure> {
        let text = match std::str::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => {
                let reason = format!(
                    "not UTF-8 text: byte {} of the record is none; save it as UTF-8",
                    error.valid_up_to()
                );
                return self.unrecognised(line, reason, bytes);
            }
        };
        let envelope: Envelope<'_> = match serde_json::from_str(text) {
            Ok(envelope) => envelope,
            Err(error) => {
                let reason = format!("not valid JSON: {}", without_place(&error));
                let line_of_fault = line + (error.line() as u64).saturating_sub(1);
                let reason = format!("{reason} (line {line_of_fault}, column {})", error.column());
                return self.unrecognised(line, reason, bytes);
            }
        };
        let shape = envelope.shape();
        if !matches!(shape, Shape::Wrapper | Shape::Unknown) {
            self.recognised()?;
        }
        let Self { parsers, output, .. } = self;
        let reading = output.reading;
        match shape {
            // Flow records count by their tuples, wrappers by their records.
            Shape::NsgFlow | Shape::VnetFlow | Shape::Manifest | Shape::Wrapper | Shape::Unknown => {}
            _ => output.met(1),
        }
        match shape {
            Shape::Activity => give(output, parsers.activity.read(&envelope, reading), line, bytes),
            Shape::NsgFlow => parsers.flow.read_nsg(&envelope, line, bytes, output),
            Shape::VnetFlow => parsers.flow.read_vnet(&envelope, line, bytes, output),
            Shape::SignIn => give(output, parsers.entra.sign_in(&envelope, text, reading), line, bytes),
            Shape::Audit => give(output, parsers.entra.audit(&envelope, text, reading), line, bytes),
            Shape::Dns(source) => {
                give(output, parsers.dns.read(&envelope, source, text, reading), line, bytes)
            }
            Shape::Inventory => give(output, parsers.inventory.read(&envelope, text, reading), line, bytes),
            Shape::Advisory => give(output, parsers.advisory.read(&envelope, text, reading), line, bytes),
            Shape::SecurityAlert => {
                give(output, parsers.security_alert.read(&envelope, text, reading), line, bytes)
            }
            Shape::Usage => parsers.usage.read(text, line, output),
            Shape::Manifest => {
                output.empty();
                Ok(())
            }
            Shape::NotReadYet(reason) => output.reject(line, None, reason.to_owned(), bytes),
            Shape::Wrapper if wrappers < WRAPPERS_MAX => self.wrapper(text, line, wrappers + 1),
            Shape::Wrapper | Shape::Unknown => self.unrecognised(line, UNKNOWN.to_owned(), bytes),
        }
    }

    /// Reads the records of a wrapper that was small enough to come as one record: of all its lists, as
    /// [`Frames`] does with one that is cut.
    fn wrapper(&mut self, text: &str, line: u64, wrappers: usize) -> Result<(), Failure> {
        let (mut is_empty, mut is_readable) = (true, true);
        for list in lists(text) {
            if let Ok(records) = serde_json::from_str::<Vec<&RawValue>>(list.get()) {
                is_empty &= records.is_empty();
                for record in records {
                    self.record(line, record.get().as_bytes(), wrappers)?;
                }
            } else if let Some(rows) = inventory::table_rows(list.get()) {
                is_empty &= rows.is_empty();
                for row in rows {
                    self.record(line, row.as_bytes(), wrappers)?;
                }
            } else {
                is_readable = false;
            }
        }
        if !is_readable {
            return self.unrecognised(line, UNKNOWN.to_owned(), text.as_bytes());
        }
        if is_empty {
            self.output.empty();
        }
        Ok(())
    }

    /// Notes that the file holds what it should; what was rejected so far was rejected one by one.
    fn recognised(&mut self) -> Result<(), Failure> {
        for (line, reason, text) in self.unrecognised.take().unwrap_or_default() {
            self.output.met(1);
            self.output.reject(line, None, reason, &text)?;
        }
        Ok(())
    }

    fn unrecognised(&mut self, line: u64, reason: String, text: &[u8]) -> Result<(), Failure> {
        match &mut self.unrecognised {
            None => {
                self.output.met(1);
                self.output.reject(line, None, reason, text)
            }
            Some(waiting) => {
                // The limit also bounds the memory that waiting texts take.
                let kept = &text[..text.len().min(crate::rejected::KEPT_BYTES_MAX)];
                waiting.push((line, reason, kept.to_owned()));
                Ok(())
            }
        }
    }

    fn is_foreign(&self) -> bool {
        self.unrecognised.as_ref().is_some_and(|waiting| waiting.len() >= UNKNOWN_RECORDS_MAX)
    }

    fn finish(self) -> Result<(), Failure> {
        let waiting = self.unrecognised.unwrap_or_default();
        let Some((line, reason, text)) = waiting.into_iter().next() else {
            return Ok(());
        };
        self.output.refuse(line, None, reason, &text)
    }
}

/// Takes the event, or rejects the record for the reason why there is none.
fn give<E: Event>(
    output: &mut Output<'_>,
    event: Result<E, String>,
    line: u64,
    bytes: &[u8],
) -> Result<(), Failure> {
    match event {
        Ok(event) => output.take(&event),
        Err(reason) => output.reject(line, Some(E::Rows::KIND), reason, bytes),
    }
}

/// The message of an error without its `at line 1 column 5`, which counts from the record's start.
fn without_place(error: &serde_json::Error) -> String {
    let message = error.to_string();
    match message.rfind(" at line ") {
        Some(end) => message[..end].to_owned(),
        None => message,
    }
}
