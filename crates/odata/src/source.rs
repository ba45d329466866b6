//! The text of one query option, and places in it.

use std::fmt;

use crate::error::{ErrorKind, QueryError, QueryOption, shown};

/// A stretch of an option's decoded text, in bytes; `end` is the first byte after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Span {
    /// The first byte.
    pub start: usize,
    /// The first byte after it.
    pub end: usize,
}

impl Span {
    /// The stretch from the start of this one to the end of the other.
    #[must_use]
    pub fn to(self, other: Self) -> Self {
        Self { start: self.start, end: other.end }
    }
}

/// A value, and where it was written.
///
/// Two are equal when their values are: a tree that was printed and read again is the same tree,
/// although its parts have moved.
#[derive(Debug, Clone)]
pub struct Spanned<T> {
    /// The value.
    pub value: T,
    /// Where it was written.
    pub span: Span,
}

impl<T: PartialEq> PartialEq for Spanned<T> {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl<T: fmt::Display> fmt::Display for Spanned<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value.fmt(f)
    }
}

/// The decoded text of one option. Every stage takes it along, to say where an error is.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// Which option.
    pub option: QueryOption,
    /// Its text, percent-decoded.
    pub text: &'a str,
}

impl<'a> Source<'a> {
    /// The text of a stretch; empty if the stretch is of another text.
    #[must_use]
    pub fn slice(self, span: Span) -> &'a str {
        self.text.get(span.start..span.end).unwrap_or_default()
    }

    /// The stretch as it is quoted in a message.
    pub(crate) fn quote(self, span: Span) -> String {
        match self.slice(span) {
            "" => "the end".to_owned(),
            text if text.starts_with('\'') => shown(text),
            text => format!("'{}'", shown(text)),
        }
    }

    /// An error about a stretch of this text.
    pub(crate) fn error(self, kind: ErrorKind, span: Span, message: impl Into<String>) -> QueryError {
        let before = self.text.get(..span.start).unwrap_or(self.text);
        let token = self.slice(span);
        QueryError {
            kind,
            option: self.option.name().to_owned(),
            position: Some(before.chars().count()),
            token: (!token.is_empty()).then(|| shown(token)),
            message: message.into(),
            hint: None,
        }
    }

    /// The stretch is part of OData, but this server does not have it.
    pub(crate) fn unsupported(self, span: Span, what: impl fmt::Display) -> QueryError {
        self.error(ErrorKind::Unsupported, span, format!("{what} is not supported here"))
    }

    /// Refuses a text that is too long.
    pub(crate) fn check_length(self, bytes_max: usize) -> Result<(), QueryError> {
        let bytes = self.text.len();
        if bytes > bytes_max {
            let message = format!("{bytes} bytes; at most {bytes_max} are allowed");
            return Err(self.whole(ErrorKind::OverLimit, message));
        }
        Ok(())
    }

    /// An error about the text as a whole.
    pub(crate) fn whole(self, kind: ErrorKind, message: impl Into<String>) -> QueryError {
        QueryError::of_option(kind, self.option.name(), message)
    }
}
