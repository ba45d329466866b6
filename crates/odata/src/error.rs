//! What may be wrong with a query, and where.

use std::fmt;

/// How many characters of the caller's text an error repeats; the rest is cut.
const SHOWN_CHARS_MAX: usize = 60;

/// The query options that are supported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum QueryOption {
    /// `$count`
    Count,
    /// `$deltatoken`
    DeltaToken,
    /// `$filter`
    Filter,
    /// `$format`
    Format,
    /// `$orderby`
    OrderBy,
    /// `$search`
    Search,
    /// `$select`
    Select,
    /// `$skip`
    Skip,
    /// `$skiptoken`
    SkipToken,
    /// `$top`
    Top,
}

impl QueryOption {
    /// All of them, by name.
    pub const ALL: &'static [Self] = &[
        Self::Count,
        Self::DeltaToken,
        Self::Filter,
        Self::Format,
        Self::OrderBy,
        Self::Search,
        Self::Select,
        Self::Skip,
        Self::SkipToken,
        Self::Top,
    ];

    /// The name with its `$`, as messages show it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Count => "$count",
            Self::DeltaToken => "$deltatoken",
            Self::Filter => "$filter",
            Self::Format => "$format",
            Self::OrderBy => "$orderby",
            Self::Search => "$search",
            Self::Select => "$select",
            Self::Skip => "$skip",
            Self::SkipToken => "$skiptoken",
            Self::Top => "$top",
        }
    }

    /// The option of that name, with or without `$` and in any case, as OData 4.01 demands.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        let bare = name.strip_prefix('$').unwrap_or(name);
        Self::ALL.iter().copied().find(|option| option.name()[1..].eq_ignore_ascii_case(bare))
    }
}

/// What sort of thing is wrong, for callers that answer each differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// The text does not follow the grammar.
    Malformed,
    /// A property, function, enumeration member or option that does not exist.
    UnknownName,
    /// Things that cannot be compared, or a value where a condition is needed.
    WrongType,
    /// Part of OData, but not of this server.
    Unsupported,
    /// Longer, deeper or more than [`Limits`](crate::Limits) allow.
    OverLimit,
}

/// Why a query was refused. It shows as `$filter: unknown property 'severty' at 0`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct QueryError {
    /// What sort of thing is wrong.
    pub kind: ErrorKind,
    /// The option's name with its `$`; of an unknown option, as the caller wrote it.
    pub option: String,
    /// Where it starts in the option's decoded text, in characters from 0; `None` if the whole is
    /// meant. (While decoding fails, it counts in the text as it was sent.)
    pub position: Option<usize>,
    /// The text that is wrong, cut when it is long; `None` at the end of the text.
    pub token: Option<String>,
    /// What is wrong, as a clause without its position.
    pub message: String,
    /// What to do about it, if there is a good guess.
    pub hint: Option<String>,
}

impl QueryError {
    /// An error about an option as a whole.
    pub(crate) fn of_option(kind: ErrorKind, option: impl Into<String>, message: impl Into<String>) -> Self {
        Self { kind, option: option.into(), position: None, token: None, message: message.into(), hint: None }
    }

    /// The same error with advice.
    pub(crate) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same error with "did you mean", if there is a name to suggest.
    pub(crate) fn suggesting(self, name: Option<&str>) -> Self {
        match name {
            Some(name) => self.with_hint(format!("did you mean '{name}'?")),
            None => self,
        }
    }
}

impl fmt::Display for QueryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.option, self.message)?;
        if let Some(position) = self.position {
            write!(f, " at {position}")?;
        }
        if let Some(hint) = &self.hint {
            write!(f, "; {hint}")?;
        }
        Ok(())
    }
}

/// The caller's text as a message may repeat it: cut, and without control characters, which would
/// let a caller write into logs.
pub(crate) fn shown(text: &str) -> String {
    let mut out = String::new();
    for (count, ch) in text.chars().enumerate() {
        if count == SHOWN_CHARS_MAX {
            out.push('…');
            break;
        }
        if ch.is_control() { out.extend(ch.escape_default()) } else { out.push(ch) }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_found_with_and_without_dollar_in_any_case() {
        assert_eq!(QueryOption::from_name("$filter"), Some(QueryOption::Filter));
        assert_eq!(QueryOption::from_name("OrderBy"), Some(QueryOption::OrderBy));
        assert_eq!(QueryOption::from_name("$SKIPTOKEN"), Some(QueryOption::SkipToken));
        assert_eq!(QueryOption::from_name("$$filter"), None);
        assert_eq!(QueryOption::from_name(""), None);
    }

    #[test]
    fn what_is_repeated_is_short_and_printable() {
        assert_eq!(shown("a\nb\u{1b}"), "a\\nb\\u{1b}");
        assert_eq!(shown(&"x".repeat(100)).chars().count(), SHOWN_CHARS_MAX + 1);
    }
}
