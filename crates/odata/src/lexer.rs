//! Text to tokens. A token is a kind and a stretch of the text; nothing is copied.
//!
//! The lexer knows shapes only: that a text is a date is decided here, that the 31st of June is none
//! is found when the parser reads the literal. White space is a space or a tab and only separates.

use crate::error::{ErrorKind, QueryError};
use crate::source::{Source, Span};

/// One token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token {
    /// What it looks like.
    pub kind: TokenKind,
    /// Where it stands.
    pub span: Span,
}

/// What a token looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    /// A name, a keyword, or names joined by dots.
    Word,
    /// A name after `$`, such as `$it`.
    SystemWord,
    /// A name after `@`.
    Alias,
    /// A text in quotes, quotes included.
    String,
    /// A name and, without a space, a text in quotes.
    TypedString,
    /// A number, perhaps malformed.
    Number,
    /// A date, or a date and time, perhaps malformed.
    Date,
    /// A time without a date.
    TimeOfDay,
    /// Hexadecimal digits in groups of 8-4-4-4-12.
    Guid,
    /// `(`
    Open,
    /// `)`
    Close,
    /// `,`
    Comma,
    /// `/`
    Slash,
    /// `*`
    Star,
    /// Any other visible character.
    Symbol,
    /// The end of the text; always the last token, and empty.
    End,
}

/// Cuts a text into tokens, the last of which is [`TokenKind::End`]. Takes linear time.
///
/// # Errors
/// A quote without its end, a NUL character in a text, or a control character between tokens.
pub fn lex(source: Source<'_>) -> Result<Vec<Token>, QueryError> {
    let mut lexer = Lexer { source, at: 0 };
    let mut tokens = Vec::new();
    loop {
        let token = lexer.token()?;
        tokens.push(token);
        if token.kind == TokenKind::End {
            return Ok(tokens);
        }
    }
}

struct Lexer<'a> {
    source: Source<'a>,
    at: usize,
}

impl<'a> Lexer<'a> {
    fn rest(&self) -> &'a str {
        self.source.text.get(self.at..).unwrap_or_default()
    }

    fn token(&mut self) -> Result<Token, QueryError> {
        let blank = prefix_bytes(self.rest(), |ch| ch == ' ' || ch == '\t');
        self.at += blank;
        let start = self.at;
        let kind = self.advance()?;
        Ok(Token { kind, span: Span { start, end: self.at } })
    }

    /// Moves past one token.
    fn advance(&mut self) -> Result<TokenKind, QueryError> {
        let rest = self.rest();
        let mut chars = rest.chars();
        let Some(first) = chars.next() else { return Ok(TokenKind::End) };
        let second = chars.next();
        let (kind, length) = match first {
            '(' => (TokenKind::Open, 1),
            ')' => (TokenKind::Close, 1),
            ',' => (TokenKind::Comma, 1),
            '/' => (TokenKind::Slash, 1),
            '*' => (TokenKind::Star, 1),
            '\'' => (TokenKind::String, self.quoted_bytes(0)?),
            '$' if second.is_some_and(starts_name) => (TokenKind::SystemWord, 1 + name_bytes(&rest[1..])),
            '@' if second.is_some_and(starts_name) => (TokenKind::Alias, 1 + name_bytes(&rest[1..])),
            _ if starts_with_guid(rest) => (TokenKind::Guid, GUID_BYTES),
            '0'..='9' => numeral(rest),
            '+' | '-' if second.is_some_and(|ch| ch.is_ascii_digit()) => numeral(rest),
            _ if starts_name(first) => self.word()?,
            _ if first.is_control() || first.is_whitespace() => {
                let span = Span { start: self.at, end: self.at + first.len_utf8() };
                let message = format!("unexpected character U+{:04X}", u32::from(first));
                return Err(self.source.error(ErrorKind::Malformed, span, message));
            }
            _ => (TokenKind::Symbol, first.len_utf8()),
        };
        self.at += length;
        Ok(kind)
    }

    /// A name, or names joined by dots, and perhaps a text in quotes that belongs to it.
    fn word(&self) -> Result<(TokenKind, usize), QueryError> {
        let rest = self.rest();
        let mut length = name_bytes(rest);
        while let Some(after) = rest[length..].strip_prefix('.') {
            if !after.starts_with(starts_name) {
                break;
            }
            length += 1 + name_bytes(after);
        }
        if rest[length..].starts_with('\'') {
            return Ok((TokenKind::TypedString, length + self.quoted_bytes(length)?));
        }
        Ok((TokenKind::Word, length))
    }

    /// How long the text in quotes is that starts `offset` bytes from here. A doubled quote is part of it.
    fn quoted_bytes(&self, offset: usize) -> Result<usize, QueryError> {
        let quoted = &self.rest()[offset..];
        let bytes = quoted.as_bytes();
        let mut at = 1;
        while at < bytes.len() {
            match bytes[at] {
                b'\'' if bytes.get(at + 1) == Some(&b'\'') => at += 2,
                b'\'' => return Ok(at + 1),
                // PostgreSQL cannot hold it in a text, so no value can match.
                0 => {
                    let start = self.at + offset + at;
                    let span = Span { start, end: start + 1 };
                    return Err(self.source.error(ErrorKind::Malformed, span, "a NUL character in a text"));
                }
                _ => at += 1,
            }
        }
        let span = Span { start: self.at, end: self.source.text.len() };
        Err(self
            .source
            .error(ErrorKind::Malformed, span, "a text without its closing quote")
            .with_hint("a quote inside a text is doubled: 'it''s'"))
    }
}

const GUID_BYTES: usize = 36;

fn starts_with_guid(rest: &str) -> bool {
    let bytes = rest.as_bytes();
    let shaped = bytes.len() >= GUID_BYTES
        && bytes[..GUID_BYTES].iter().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        });
    shaped && !rest[GUID_BYTES..].starts_with(|ch| in_name(ch) || matches!(ch, '-' | '.' | ':' | '\''))
}

/// A run that starts like a number. Dates and times are told apart by their first separator.
fn numeral(rest: &str) -> (TokenKind, usize) {
    let length = prefix_bytes(rest, |ch| in_name(ch) || matches!(ch, '.' | ':' | '+' | '-'));
    let sign = usize::from(rest.starts_with(['+', '-']));
    let digits = prefix_bytes(&rest[sign..length], |ch| ch.is_ascii_digit());
    let kind = match rest[sign + digits..length].chars().next() {
        Some('-') if digits >= 4 => TokenKind::Date,
        Some(':') => TokenKind::TimeOfDay,
        _ => TokenKind::Number,
    };
    (kind, length)
}

fn prefix_bytes(text: &str, belongs: impl Fn(char) -> bool) -> usize {
    text.find(|ch| !belongs(ch)).unwrap_or(text.len())
}

fn name_bytes(text: &str) -> usize {
    prefix_bytes(text, in_name)
}

fn starts_name(ch: char) -> bool {
    ch == '_' || ch.is_alphabetic()
}

fn in_name(ch: char) -> bool {
    ch == '_' || ch.is_alphanumeric()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::QueryOption;

    fn source(text: &str) -> Source<'_> {
        Source { option: QueryOption::Filter, text }
    }

    fn check(text: &str, expected: &str) {
        let tokens = lex(source(text)).unwrap();
        let found: Vec<String> = tokens
            .iter()
            .map(|token| format!("{:?} {}", token.kind, source(text).slice(token.span)).trim_end().to_owned())
            .collect();
        assert_eq!(found.join(" | "), format!("{expected} | End"), "{text}");
    }

    #[test]
    fn texts_are_cut_into_tokens() {
        check("status eq 'active'", "Word status | Word eq | String 'active'");
        check("\tnot(a)", "Word not | Open ( | Word a | Close )");
        check("a/b/$count", "Word a | Slash / | Word b | Slash / | SystemWord $count");
        check("'it''s' 'b'", "String 'it''s' | String 'b'");
        check("''", "String ''");
        check("'a%27 or ('", "String 'a%27 or ('");
        check("a.b.c'high'", "TypedString a.b.c'high'");
        check("a.b.", "Word a.b | Symbol .");
        check("größe eq 1", "Word größe | Word eq | Number 1");
        check("@p1 = @", "Alias @p1 | Symbol = | Symbol @");
        check("*,b", "Star * | Comma , | Word b");
        check("🦀", "Symbol 🦀");
    }

    #[test]
    fn numbers_dates_and_guids_are_told_apart() {
        check("-5 +5 1.5e-3 - 5", "Number -5 | Number +5 | Number 1.5e-3 | Symbol - | Number 5");
        check("2031-02-03", "Date 2031-02-03");
        check("2031-02-03T04:05:06.789+01:00)", "Date 2031-02-03T04:05:06.789+01:00 | Close )");
        check("12:30:00", "TimeOfDay 12:30:00");
        check("7c1f0a52-0b1e-4a39-9a55-2f6f1d0c9e11", "Guid 7c1f0a52-0b1e-4a39-9a55-2f6f1d0c9e11");
        check("ABCDEF52-0b1e-4a39-9a55-2f6f1d0c9e11,", "Guid ABCDEF52-0b1e-4a39-9a55-2f6f1d0c9e11 | Comma ,");
        check("20310203-0b1e-4a39-9a55-2f6f1d0c9e11", "Guid 20310203-0b1e-4a39-9a55-2f6f1d0c9e11");
        check("20310203-0b1e-4a39-9a55-2f6f1d0c9e112", "Date 20310203-0b1e-4a39-9a55-2f6f1d0c9e112");
    }

    #[test]
    fn what_is_no_token_is_refused_where_it_stands() {
        let check =
            |text: &str, expected: &str| assert_eq!(lex(source(text)).unwrap_err().to_string(), expected);
        check(
            "ä eq 'it''s",
            "$filter: a text without its closing quote at 5; a quote inside a text is doubled: 'it''s'",
        );
        check("a\neq 1", "$filter: unexpected character U+000A at 1");
        check("a eq 'b\0'", "$filter: a NUL character in a text at 7");
    }
}
