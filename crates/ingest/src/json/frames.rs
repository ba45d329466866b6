//! Cuts a stream of JSON into records, holding no more than one record at a time.
//!
//! The stream is a row of values, with white space or commas between: objects, lists of objects, or
//! wrappers (`{"records":[…]}`, `{"value":[…]}`, `{"data":[…]}`), each on one line or on many. Where a value is damaged,
//! the cut resumes at the next line that starts like a record; everything up to there is one damaged
//! piece. In a document without line ends nothing tells where the next record starts, so there the
//! rest is one piece.

use std::io::{self, Read};

use super::envelope::begins_record;
use super::scan::{LIST_NAMES, Progress, Scan};
use super::window::Window;
use crate::rejected::KEPT_BYTES_MAX;

/// A record larger than this is refused. Real ones have a few kilobytes; flow records of busy
/// interfaces some hundred.
const RECORD_BYTES_MAX: usize = 16 * 1024 * 1024;

const TOO_LARGE: &str = "it is larger than 16 MiB, the limit for one record";

/// A piece of the stream.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    /// The line it starts on, from 1.
    pub(crate) line: u64,
    /// Why it is no record, if it is not.
    pub(crate) damage: Option<String>,
}

/// The stream, cut.
pub(crate) struct Frames<R> {
    window: Window<R>,
    place: Place,
    /// How much of the window the last frame took.
    taken: usize,
    /// The text of the last frame, if it was damaged; the window has moved on.
    damaged: Option<Vec<u8>>,
    /// The first object stood on one line, so the others are expected to.
    is_line_by_line: bool,
    has_seen_object: bool,
}

/// Where in the stream the window stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Between values.
    Outside,
    /// In a list of records; `wrapped` if an object is around it.
    List { wrapped: bool },
    /// After the list, in the object around it.
    Rest,
    /// Nothing more can be told apart.
    End,
}

/// A line in a stream of one record a line.
enum Line {
    /// It holds one record of this length.
    Whole(usize),
    /// It starts a record that ends nowhere: the next line starts another. It ends at this place.
    Cut(usize),
    /// A wrapper, a record over several lines, or one that is too large.
    Other,
}

impl<R: Read> Frames<R> {
    pub(crate) fn new(source: R) -> Self {
        Self {
            window: Window::new(source),
            place: Place::Outside,
            taken: 0,
            damaged: None,
            is_line_by_line: false,
            has_seen_object: false,
        }
    }

    /// The text of the last frame.
    pub(crate) fn text(&self) -> &[u8] {
        match &self.damaged {
            Some(text) => text,
            None => &self.window.bytes()[..self.taken],
        }
    }

    /// The next frame, or `None` at the end.
    ///
    /// # Errors
    /// What the system reports.
    pub(crate) fn next(&mut self) -> io::Result<Option<Frame>> {
        let taken = std::mem::take(&mut self.taken);
        self.window.advance(taken);
        self.damaged = None;
        loop {
            let found = match self.place {
                Place::Outside => self.outside()?,
                Place::List { wrapped } => self.in_list(wrapped)?,
                Place::Rest => self.rest()?,
                Place::End => return Ok(None),
            };
            if found.is_some() {
                return Ok(found);
            }
        }
    }

    fn outside(&mut self) -> io::Result<Option<Frame>> {
        self.skip(|byte| byte.is_ascii_whitespace() || byte == b',')?;
        match self.window.bytes().first() {
            None => self.end(None),
            Some(b'[') => {
                self.window.advance(1);
                self.place = Place::List { wrapped: false };
                Ok(None)
            }
            Some(b'{') => self.object(),
            Some(_) => {
                self.damaged_until_line(0, "a record starts with `{`, this does not".to_owned(), Some(0))
            }
        }
    }

    fn object(&mut self) -> io::Result<Option<Frame>> {
        if self.is_line_by_line {
            match self.line()? {
                Line::Whole(length) => return Ok(Some(self.record(length))),
                Line::Cut(end) => {
                    return self.damaged_until_line(
                        end,
                        "it is not closed: the line ends within it".to_owned(),
                        Some(0),
                    );
                }
                Line::Other => {}
            }
        }
        let is_first = !std::mem::replace(&mut self.has_seen_object, true);
        match self.scan(Scan::of_document())? {
            Progress::End(length) => {
                if is_first {
                    self.is_line_by_line = memchr::memchr(b'\n', &self.window.bytes()[..length]).is_none();
                }
                Ok(Some(self.record(length)))
            }
            Progress::List(start) => {
                if self.is_one_record(start)? {
                    return self.value();
                }
                self.window.advance(start);
                self.place = Place::List { wrapped: true };
                Ok(None)
            }
            Progress::Damaged(at, why) => self.damaged_until_line(at, why.to_owned(), Some(0)),
            Progress::Open => self.end(Some("it is not closed: the file ends within it")),
        }
    }

    /// Whether the object whose list starts at a place is not to be cut: what stands before the list says that it
    /// is a record, or the list is empty, so that the object would be gone.
    fn is_one_record(&mut self, start: usize) -> io::Result<bool> {
        let mut at = start;
        loop {
            let rest = &self.window.bytes()[at..];
            if let Some(found) = rest.iter().position(|byte| !byte.is_ascii_whitespace()) {
                let is_empty = rest[found] == b']';
                return Ok(is_empty || begins_record(&self.window.bytes()[..start]));
            }
            at += rest.len();
            if at > RECORD_BYTES_MAX || !self.window.widen()? {
                return Ok(false);
            }
        }
    }

    /// The object that the window stands at, as one record whatever it has.
    fn value(&mut self) -> io::Result<Option<Frame>> {
        match self.scan(Scan::of_value())? {
            Progress::End(length) => Ok(Some(self.record(length))),
            Progress::Damaged(at, why) => self.damaged_until_line(at, why.to_owned(), Some(0)),
            Progress::List(_) | Progress::Open => self.end(Some("it is not closed: the file ends within it")),
        }
    }

    fn in_list(&mut self, wrapped: bool) -> io::Result<Option<Frame>> {
        let indent = self.skip(|byte| byte.is_ascii_whitespace() || byte == b',')?;
        match self.window.bytes().first() {
            None => self.end(Some("the file ends within the list of records")),
            Some(b']') => {
                self.window.advance(1);
                self.place = if wrapped { Place::Rest } else { Place::Outside };
                Ok(None)
            }
            Some(b'{' | b'[') => match self.scan(Scan::of_value())? {
                Progress::End(length) => Ok(Some(self.record(length))),
                Progress::Damaged(at, why) => self.damaged_until_line(at, why.to_owned(), indent),
                Progress::List(_) | Progress::Open => {
                    self.end(Some("it is not closed: the file ends within it"))
                }
            },
            Some(_) => self.scalar(),
        }
    }

    /// An item of a list that is no object: up to the next comma, bracket or line end.
    fn scalar(&mut self) -> io::Result<Option<Frame>> {
        let mut length = 1;
        loop {
            let rest = &self.window.bytes()[length..];
            if let Some(end) = rest.iter().position(|byte| matches!(byte, b',' | b']' | b'\n')) {
                return Ok(Some(self.record(length + end)));
            }
            length += rest.len();
            if length > RECORD_BYTES_MAX || !self.window.widen()? {
                return self.end(Some("the file ends within the list of records"));
            }
        }
    }

    fn rest(&mut self) -> io::Result<Option<Frame>> {
        match self.scan(Scan::of_rest())? {
            Progress::End(length) => {
                self.window.advance(length);
                self.place = Place::Outside;
                Ok(None)
            }
            Progress::List(start) => {
                self.window.advance(start);
                self.place = Place::List { wrapped: true };
                Ok(None)
            }
            Progress::Damaged(at, why) => self.damaged_until_line(at, why.to_owned(), Some(0)),
            Progress::Open => self.end(Some("the file ends before the object around the records does")),
        }
    }

    fn record(&mut self, length: usize) -> Frame {
        self.taken = length;
        Frame { line: self.window.line(), damage: None }
    }

    /// What the line says of itself, without a look at its structure.
    fn line(&mut self) -> io::Result<Line> {
        let mut searched = 0;
        let end = loop {
            let bytes = self.window.bytes();
            if let Some(found) = memchr::memchr(b'\n', &bytes[searched..]) {
                break searched + found;
            }
            searched = bytes.len();
            if searched > RECORD_BYTES_MAX {
                return Ok(Line::Other);
            }
            if !self.window.widen()? {
                break searched;
            }
        };
        if end + 1 == self.window.bytes().len() {
            // Whether this was the last line is seen from the next byte.
            self.window.widen()?;
        }
        let bytes = self.window.bytes();
        let line = bytes[..end].trim_ascii_end();
        let line = line.strip_suffix(b",").unwrap_or(line);
        let is_followed_by_record = bytes.get(end + 1) == Some(&b'{');
        Ok(if end > RECORD_BYTES_MAX || names_list_first(line) {
            Line::Other
        } else if line.ends_with(b"}") {
            Line::Whole(line.len())
        } else if is_followed_by_record {
            Line::Cut(end)
        } else {
            Line::Other
        })
    }

    fn scan(&mut self, mut scan: Scan) -> io::Result<Progress> {
        loop {
            let progress = scan.go_on(self.window.bytes());
            if let Progress::End(length) = progress
                && length > RECORD_BYTES_MAX
            {
                return Ok(Progress::Damaged(length - 1, TOO_LARGE));
            }
            if progress != Progress::Open {
                return Ok(progress);
            }
            let size = self.window.bytes().len();
            if size > RECORD_BYTES_MAX {
                return Ok(Progress::Damaged(size - 1, TOO_LARGE));
            }
            if !self.window.widen()? {
                return Ok(Progress::Open);
            }
        }
    }

    /// Moves over bytes of a sort. Gives how far the next byte is from the start of its line, if only
    /// bytes that were moved over stand before it.
    fn skip(&mut self, passes: impl Fn(u8) -> bool) -> io::Result<Option<usize>> {
        let mut indent = None;
        loop {
            let bytes = self.window.bytes();
            let count = bytes.iter().position(|byte| !passes(*byte)).unwrap_or(bytes.len());
            indent = match memchr::memrchr(b'\n', &bytes[..count]) {
                Some(line_end) => Some(count - line_end - 1),
                None => indent.map(|before: usize| before + count),
            };
            let is_found = count < bytes.len();
            self.window.advance(count);
            if is_found || !self.window.widen()? {
                return Ok(indent);
            }
        }
    }

    /// The end of the stream, with a last frame if something is left or went wrong.
    fn end(&mut self, unfinished: Option<&str>) -> io::Result<Option<Frame>> {
        self.place = Place::End;
        let reason = match (self.window.take_fault(), unfinished) {
            (Some(fault), _) => {
                format!("the file is damaged here and cannot be decompressed further: {fault}")
            }
            (None, Some(unfinished)) => unfinished.to_owned(),
            (None, None) => return Ok(None),
        };
        self.damaged_until_end(reason)
    }

    /// Takes everything from here on as one damaged frame.
    fn damaged_until_end(&mut self, reason: String) -> io::Result<Option<Frame>> {
        let line = self.window.line();
        let mut kept = Vec::new();
        loop {
            let size = self.window.bytes().len();
            self.keep(&mut kept, size);
            if !self.window.widen()? {
                break;
            }
        }
        self.place = Place::End;
        self.damaged = Some(kept);
        Ok(Some(Frame { line, damage: Some(reason) }))
    }

    /// Takes everything up to the next line that starts with `{` at this indent as one damaged frame.
    /// `at` is where the damage was noticed; no indent means that records do not start on lines of their
    /// own.
    fn damaged_until_line(
        &mut self,
        at: usize,
        reason: String,
        indent: Option<usize>,
    ) -> io::Result<Option<Frame>> {
        let line = self.window.line();
        let line_of_damage = line + memchr::memchr_iter(b'\n', &self.window.bytes()[..at]).count() as u64;
        let reason = format!("{reason} (line {line_of_damage})");
        let indent = indent.unwrap_or_else(|| {
            // The list was all on one line, so a line that starts like a record is a new document.
            self.place = Place::Outside;
            0
        });
        let mut kept = Vec::new();
        // A value that starts too early may itself be the start of the next record.
        let start_of_line = memchr::memrchr(b'\n', &self.window.bytes()[..at]).map_or(0, |end| end + 1);
        self.keep(&mut kept, if start_of_line > 0 { start_of_line } else { 0 });
        let mut is_first_line = start_of_line == 0;
        loop {
            if !is_first_line && self.line_starts_record(indent)? {
                break;
            }
            is_first_line = false;
            if !self.keep_line(&mut kept)? {
                break;
            }
        }
        if self.place == Place::Rest {
            self.place = Place::Outside;
        }
        self.damaged = Some(kept);
        Ok(Some(Frame { line, damage: Some(reason) }))
    }

    /// Whether the window stands at a line with `{` after `indent` blanks, or with `[` at its start.
    fn line_starts_record(&mut self, indent: usize) -> io::Result<bool> {
        while self.window.bytes().len() <= indent {
            if !self.window.widen()? {
                return Ok(false);
            }
        }
        let (blanks, rest) = self.window.bytes().split_at(indent);
        // A message may be a list of records as well.
        let is_start = rest[0] == b'{' || (rest[0] == b'[' && indent == 0);
        Ok(is_start && blanks.iter().all(|byte| matches!(byte, b' ' | b'\t')))
    }

    /// Moves over the rest of the line; `false` at the end of the stream.
    fn keep_line(&mut self, kept: &mut Vec<u8>) -> io::Result<bool> {
        loop {
            let bytes = self.window.bytes();
            if let Some(end) = memchr::memchr(b'\n', bytes) {
                self.keep(kept, end + 1);
                return Ok(true);
            }
            let size = bytes.len();
            self.keep(kept, size);
            if !self.window.widen()? {
                return Ok(false);
            }
        }
    }

    fn keep(&mut self, kept: &mut Vec<u8>, count: usize) {
        let room = (KEPT_BYTES_MAX + 1).saturating_sub(kept.len());
        kept.extend(&self.window.bytes()[..count.min(room)]);
        self.window.advance(count);
    }
}

/// Whether the first member of an object is a list of records, as in Event Hubs messages.
fn names_list_first(object: &[u8]) -> bool {
    let Some(rest) = object.strip_prefix(b"{") else { return false };
    let rest = rest.trim_ascii_start();
    let Some(rest) = rest.strip_prefix(b"\"") else { return false };
    LIST_NAMES.iter().any(|name| {
        let start = rest.get(..name.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(name.as_bytes()))
            && rest.get(name.len()) == Some(&b'"')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Frames as `line:text`, damaged ones as `line!text`.
    fn frames(bytes: &[u8]) -> Vec<String> {
        let mut frames = Frames::new(bytes);
        let mut found = Vec::new();
        while let Some(frame) = frames.next().unwrap() {
            let mark = if frame.damage.is_some() { '!' } else { ':' };
            found.push(format!("{}{mark}{}", frame.line, String::from_utf8_lossy(frames.text())));
        }
        found
    }

    #[test]
    fn shapes_of_a_document() {
        let check = |json: &str, expected: &[&str]| assert_eq!(frames(json.as_bytes()), expected, "{json}");
        check("", &[]);
        check("{\"a\":1}\n{\"b\":2}\r\n\n{\"c\":3}", &["1:{\"a\":1}", "2:{\"b\":2}", "4:{\"c\":3}"]);
        check("[{\"a\":1},{\"b\":[{}]}]", &["1:{\"a\":1}", "1:{\"b\":[{}]}"]);
        check("{\n \"a\": 1\n}\n{\n \"b\": 2\n}", &["1:{\n \"a\": 1\n}", "4:{\n \"b\": 2\n}"]);
        check(
            "{\"records\":[{\"a\":1},\n{\"b\":2}],\"x\":1}\n{\"c\":3}",
            &["1:{\"a\":1}", "2:{\"b\":2}", "3:{\"c\":3}"],
        );
        check(
            "{\"a\":1}\n{\"records\":[{\"b\":2}]}\n{\"c\":3},",
            &["1:{\"a\":1}", "2:{\"b\":2}", "3:{\"c\":3}"],
        );
        check("{\"value\":[]}", &["1:{\"value\":[]}"]);
        check("{\"value\":[ ],\"data\":[1]}", &["1:{\"value\":[ ],\"data\":[1]}"]);
        check("{\"value\":[1],\"data\":[2],\"value\":[3]}", &["1:1", "1:2", "1:3"]);
        check(
            "{\"time\":1,\"category\":\"AuditLogs\",\"data\":[1]}",
            &["1:{\"time\":1,\"category\":\"AuditLogs\",\"data\":[1]}"],
        );
        check("[1, null,\"x\"]", &["1:1", "1:null", "1:\"x\""]);
    }

    #[test]
    fn damage_stops_at_the_next_record() {
        let check = |json: &str, expected: &[&str]| assert_eq!(frames(json.as_bytes()), expected, "{json}");
        check("{\"a\":1}\n{\"b\":\"cut\n{\"c\":3}\n", &["1:{\"a\":1}", "2!{\"b\":\"cut\n", "3:{\"c\":3}"]);
        check("{\"a\":{\"b\":1}\n{\"c\":3}\n", &["1!{\"a\":{\"b\":1}\n", "2:{\"c\":3}"]);
        check("{\"a\":1}\nnoise\n{\"c\":3}\n", &["1:{\"a\":1}", "2!noise\n", "3:{\"c\":3}"]);
        check("{\"a\":1}\n{\"b\":", &["1:{\"a\":1}", "2!{\"b\":"]);
        check(
            "[\n  {\"a\":1},\n  {\"b\":]},\n  {\"c\":3}\n]",
            &["2:{\"a\":1}", "3!{\"b\":]},\n", "4:{\"c\":3}"],
        );
        check("{\"records\":[{\"a\":1},{\"b\"", &["1:{\"a\":1}", "1!{\"b\""]);
        check("{\"records\":[{\"a\":1},{\"b\"]},{\"c\":3}]}", &["1:{\"a\":1}", "1!{\"b\"]},{\"c\":3}]}"]);
        check("{\"a\":1}\n{\"cut\":\n{\"c\":3}\n", &["1:{\"a\":1}", "2!{\"cut\":\n", "3:{\"c\":3}"]);
        check(
            "{\"records\":[{\"a\":1},{\"b\":\n{\"c\":3}\n{\"d\":4}\n",
            &["1:{\"a\":1}", "1!{\"b\":\n{\"c\":3}\n", "3:{\"d\":4}"],
        );
        check("{\"records\":[{\"a\":1}]", &["1:{\"a\":1}", "1!"]);
        check(
            "{\"a\":]}\n[{\"b\":2},{\"c\":]}]\n[{\"d\":4}]\n",
            &["1!{\"a\":]}\n", "2:{\"b\":2}", "2!{\"c\":]}]\n", "3:{\"d\":4}"],
        );
    }

    #[test]
    fn a_record_larger_than_the_limit_is_passed_over() {
        let mut json = b"{\"a\":1}\n{\"b\":\"".to_vec();
        json.extend(std::iter::repeat_n(b'x', RECORD_BYTES_MAX + 10));
        json.extend(b"\"}\n{\"c\":3}\n");
        let found = frames(&json);
        assert_eq!(found.len(), 3);
        assert_eq!(found[2], "3:{\"c\":3}");
        assert!(found[1].len() < KEPT_BYTES_MAX + 100, "the text of the rejection is bounded");
    }
}
