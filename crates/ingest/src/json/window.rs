//! A moving view of a stream: the bytes from the current place on, as many as were asked for.

use std::io::{self, Read};

use crate::open::is_of_the_system;

/// How much is read at a time.
const CHUNK_BYTES: usize = 256 * 1024;

pub(super) struct Window<R> {
    source: R,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    is_at_end: bool,
    /// Why the stream ended early, if it did.
    fault: Option<io::Error>,
    /// The line of the first byte in view, from 1.
    line: u64,
}

impl<R: Read> Window<R> {
    pub(super) fn new(source: R) -> Self {
        Self { source, buffer: Vec::new(), start: 0, end: 0, is_at_end: false, fault: None, line: 1 }
    }

    /// The bytes in view.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// The line of the first byte in view, from 1.
    pub(super) fn line(&self) -> u64 {
        self.line
    }

    /// Widens the view; `false` at the end of the stream.
    ///
    /// # Errors
    /// What the system reports. Damaged compressed data ends the stream and is kept for
    /// [`Window::take_fault`].
    pub(super) fn widen(&mut self) -> io::Result<bool> {
        if self.is_at_end {
            return Ok(false);
        }
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        let wanted = self.end + CHUNK_BYTES;
        if self.buffer.len() < wanted {
            self.buffer.resize(wanted.max(self.buffer.len() * 2), 0);
        }
        loop {
            match self.source.read(&mut self.buffer[self.end..]) {
                Ok(0) => {
                    self.is_at_end = true;
                    return Ok(false);
                }
                Ok(read) => {
                    self.end += read;
                    return Ok(true);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if is_of_the_system(&error) => return Err(error),
                Err(error) => {
                    self.fault = Some(error);
                    self.is_at_end = true;
                    return Ok(false);
                }
            }
        }
    }

    /// Moves on by `count` bytes of the view.
    pub(super) fn advance(&mut self, count: usize) {
        let passed = &self.buffer[self.start..self.start + count];
        self.line += memchr::memchr_iter(b'\n', passed).count() as u64;
        self.start += count;
    }

    /// Why the stream ended early, once.
    pub(super) fn take_fault(&mut self) -> Option<io::Error> {
        self.fault.take()
    }
}
