//! How the command line speaks: data to standard output, talk to standard error.

use std::io::{self, Write};

use chrono::{DateTime, TimeDelta, Utc};

use crate::progress;

/// Talks to the person at the terminal.
pub(crate) fn say(text: &str) {
    // Nothing can be done about a closed standard error.
    let _ = progress::aside(|| writeln!(io::stderr().lock(), "{text}"));
}

/// Writes a line of data.
pub(crate) fn print(text: &str) -> io::Result<()> {
    progress::aside(|| {
        let mut out = io::stdout().lock();
        writeln!(out, "{text}")?;
        out.flush()
    })
}

/// A time to the minute, in UTC.
pub(crate) fn minute(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%MZ").to_string()
}

/// A span of time, such as `28days` or `5m`.
pub(crate) fn span(span: TimeDelta) -> String {
    humantime::format_duration(span.to_std().unwrap_or_default()).to_string()
}

/// An error and its causes in one line, each said once.
pub(crate) fn chain(error: &anyhow::Error) -> String {
    let mut parts: Vec<String> = Vec::new();
    for cause in error.chain() {
        let text = cause.to_string();
        if !parts.iter().any(|said| said.ends_with(&text)) {
            parts.push(text);
        }
    }
    parts.join(": ")
}
