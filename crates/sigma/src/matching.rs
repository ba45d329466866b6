//! What a rule asks of an event, as a tree of tests.
//!
//! A test of a value that an event lacks fails, and `not` of it holds: there are two truth values, as in Sigma, not three
//! as in SQL.

use std::collections::BTreeMap;

use crate::pattern::{Pattern, Piece};
use crate::regexes;

/// How many tests a rule may make. Hundreds are queries that nobody reads, and take long to plan.
pub(crate) const TESTS_MAX: usize = 500;

/// What must hold.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Match {
    All(Vec<Match>),
    Any(Vec<Match>),
    Not(Box<Match>),
    /// So many of these.
    AtLeast(usize, Vec<Match>),
    Test(Test),
}

/// A test of one value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Test {
    pub(crate) source: Source,
    pub(crate) is: Is,
}

/// Where the value is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Source {
    /// A column of the log's table.
    Column(&'static str, Form),
    /// A member of the JSON text in the column `properties`; its names in lower case, any item of a list.
    Json(Vec<String>),
}

/// How a column keeps its values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Form {
    /// Text in lower case.
    Lower,
    /// Text as the record has it.
    AsWritten,
    /// A whole number.
    Number,
}

/// What the value is compared with.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Is {
    /// A text with wildcards.
    Like { pattern: Pattern, cased: bool },
    /// A text in which a regular expression is found; its flags stand in it.
    Regex(String),
    /// A whole number.
    Number(Comparison, i64),
    /// There is no such value.
    Absent,
    /// There is none, or it is an empty text.
    Empty,
}

/// How numbers are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    Less,
    AtMost,
    Greater,
    AtLeast,
}

/// The values of an event, as far as rules ask for them.
pub(crate) type Event = BTreeMap<Source, Cell>;

/// A value of an event.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Cell {
    Text(String),
    Number(i64),
}

impl Match {
    /// All of these; one alone is itself.
    pub(crate) fn all(mut parts: Vec<Match>) -> Self {
        if parts.len() == 1 { parts.remove(0) } else { Self::All(parts) }
    }

    /// One of these; one alone is itself.
    pub(crate) fn any(mut parts: Vec<Match>) -> Self {
        if parts.len() == 1 { parts.remove(0) } else { Self::Any(parts) }
    }

    /// Not that; twice not is yes.
    pub(crate) fn not(inner: Match) -> Self {
        match inner {
            Self::Not(inner) => *inner,
            other => Self::Not(Box::new(other)),
        }
    }

    pub(crate) fn test(source: Source, is: Is) -> Self {
        Self::Test(Test { source, is })
    }

    /// How many tests it makes.
    pub(crate) fn size(&self) -> usize {
        match self {
            Self::All(parts) | Self::Any(parts) | Self::AtLeast(_, parts) => {
                parts.iter().map(Self::size).sum()
            }
            Self::Not(inner) => inner.size(),
            Self::Test(_) => 1,
        }
    }

    /// Whether it holds for an event.
    pub(crate) fn holds(&self, event: &Event) -> bool {
        match self {
            Self::All(parts) => parts.iter().all(|part| part.holds(event)),
            Self::Any(parts) => parts.iter().any(|part| part.holds(event)),
            Self::AtLeast(number, parts) => parts.iter().filter(|part| part.holds(event)).count() >= *number,
            Self::Not(inner) => !inner.holds(event),
            Self::Test(test) => test.is.holds(event.get(&test.source)),
        }
    }
}

impl Is {
    /// Whether a value is such.
    pub(crate) fn holds(&self, cell: Option<&Cell>) -> bool {
        match (self, cell) {
            (Self::Absent, None) | (Self::Empty, None) => true,
            (Self::Empty, Some(Cell::Text(text))) => text.is_empty(),
            (Self::Like { pattern, cased: false }, Some(Cell::Text(text))) => {
                fits(pattern.lower().pieces(), &text.to_lowercase())
            }
            (Self::Like { pattern, cased: true }, Some(Cell::Text(text))) => fits(pattern.pieces(), text),
            (Self::Regex(expression), Some(Cell::Text(text))) => {
                regexes::compile(expression).is_ok_and(|expression| expression.is_match(text))
            }
            (Self::Number(comparison, number), Some(Cell::Number(value))) => {
                comparison.holds(*value, *number)
            }
            (Self::Absent | Self::Empty, Some(_))
            | (Self::Like { .. } | Self::Regex(_) | Self::Number(..), _) => false,
        }
    }
}

impl Comparison {
    fn holds(self, value: i64, number: i64) -> bool {
        match self {
            Self::Equal => value == number,
            Self::Less => value < number,
            Self::AtMost => value <= number,
            Self::Greater => value > number,
            Self::AtLeast => value >= number,
        }
    }

    /// As SQL writes it.
    pub(crate) fn sign(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::Less => "<",
            Self::AtMost => "<=",
            Self::Greater => ">",
            Self::AtLeast => ">=",
        }
    }
}

/// Whether a text is as the pieces say. Looks back only to the last `Many`, so it takes no more than the product of both
/// lengths.
fn fits(pieces: &[Piece], text: &str) -> bool {
    enum Letter {
        This(char),
        Many,
        One,
    }
    let mut wanted = Vec::new();
    for piece in pieces {
        match piece {
            Piece::Text(text) => wanted.extend(text.chars().map(Letter::This)),
            Piece::Many => wanted.push(Letter::Many),
            Piece::One => wanted.push(Letter::One),
        }
    }
    let text: Vec<char> = text.chars().collect();
    let (mut at, mut next) = (0, 0);
    let mut last_many: Option<(usize, usize)> = None;
    while at < text.len() {
        match wanted.get(next) {
            Some(Letter::Many) => {
                last_many = Some((next, at));
                next += 1;
            }
            Some(Letter::One) => (at, next) = (at + 1, next + 1),
            Some(Letter::This(letter)) if *letter == text[at] => (at, next) = (at + 1, next + 1),
            Some(Letter::This(_)) | None => {
                let Some((many, from)) = last_many else { return false };
                last_many = Some((many, from + 1));
                (at, next) = (from + 1, many + 1);
            }
        }
    }
    wanted[next..].iter().all(|letter| matches!(letter, Letter::Many))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_fit_patterns() {
        let check = |pattern: &str, text: &str, expected: bool| {
            let is = Is::Like { pattern: Pattern::parse(pattern), cased: false };
            assert_eq!(is.holds(Some(&Cell::Text(text.to_owned()))), expected, "{pattern} and {text}");
        };
        check("abc", "ABC", true);
        check("abc", "abcd", false);
        check("a*c", "a-b-c", true);
        check("a*c", "a-b-d", false);
        check("a?c", "abc", true);
        check("a?c", "ac", false);
        check("*b*", "abc", true);
        check("*ab*ac", "abababac", true);
        check("*", "", true);
        check("", "", true);
        check("", "a", false);
        check("ÄÖ?", "äöü", true);
        check("a**", "a", true);
    }

    #[test]
    fn what_is_lacking_fails_a_test_and_holds_for_not() {
        let test = |is: Is| Match::test(Source::Column("caller", Form::Lower), is);
        let event = Event::new();
        let like = test(Is::Like { pattern: Pattern::parse("*"), cased: false });
        assert!(!like.holds(&event));
        assert!(Match::not(like.clone()).holds(&event));
        assert_eq!(Match::not(Match::not(like.clone())), like);
        assert!(test(Is::Absent).holds(&event) && test(Is::Empty).holds(&event));
        assert!(!test(Is::Number(Comparison::Less, 5)).holds(&event));
    }
}
