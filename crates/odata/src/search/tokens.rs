//! The text of a search to tokens.

use crate::error::{ErrorKind, QueryError};
use crate::source::{Source, Span};

/// One token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) kind: TokenKind,
    pub(super) span: Span,
}

/// What a token looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TokenKind {
    /// Anything without spaces, quotes and parentheses.
    Word,
    /// A text in double quotes, quotes included.
    Phrase,
    Open,
    Close,
}

/// Cuts a text into tokens. Takes linear time.
pub(super) fn lex(source: Source<'_>) -> Result<Vec<Token>, QueryError> {
    let text = source.text;
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(first) = text[at..].chars().next() {
        let (kind, length) = match first {
            ' ' | '\t' => {
                at += 1;
                continue;
            }
            '(' => (TokenKind::Open, 1),
            ')' => (TokenKind::Close, 1),
            '"' => (TokenKind::Phrase, phrase_bytes(source, at)?),
            '\'' => {
                let span = Span { start: at, end: text.len() };
                let error = source.unsupported(span, "a search in single quotes");
                return Err(error.with_hint("put phrases in double quotes: \"a b\""));
            }
            _ => (TokenKind::Word, text[at..].find([' ', '\t', '(', ')', '"']).unwrap_or(text.len() - at)),
        };
        let span = Span { start: at, end: at + length };
        at = span.end;
        let is_glued = text[at..].starts_with('"') && kind != TokenKind::Open;
        if is_glued {
            let message = "a '\"' in the middle of a word";
            return Err(source.error(ErrorKind::Malformed, Span { start: at, end: at + 1 }, message));
        }
        if let Some(control) = source.slice(span).chars().find(|ch| ch.is_control()) {
            let message = format!("unexpected character U+{:04X}", u32::from(control));
            return Err(source.error(ErrorKind::Malformed, span, message));
        }
        tokens.push(Token { kind, span });
    }
    Ok(tokens)
}

/// The text of a phrase: without its quotes, and with what a backslash protects.
pub(super) fn unquoted(phrase: &str) -> String {
    let inner = phrase.strip_prefix('"').unwrap_or(phrase);
    let inner = inner.strip_suffix('"').unwrap_or(inner);
    let mut text = String::with_capacity(inner.len());
    let mut chars = inner.chars().peekable();
    while let Some(ch) = chars.next() {
        let protects = ch == '\\' && chars.peek().is_some_and(|next| matches!(next, '"' | '\\'));
        text.extend(if protects { chars.next() } else { Some(ch) });
    }
    text
}

fn phrase_bytes(source: Source<'_>, start: usize) -> Result<usize, QueryError> {
    let bytes = &source.text.as_bytes()[start..];
    let mut at = 1;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' if matches!(bytes.get(at + 1), Some(b'"' | b'\\')) => at += 2,
            b'"' => {
                let is_empty = at == 1;
                let follows_at_once =
                    source.text[start + at + 1..].starts_with(|ch| !matches!(ch, ' ' | '\t' | ')' | '"'));
                if is_empty || follows_at_once {
                    let what = if is_empty { "an empty phrase" } else { "a phrase without a space after it" };
                    let span = Span { start, end: start + at + 1 };
                    return Err(source.error(ErrorKind::Malformed, span, what));
                }
                return Ok(at + 1);
            }
            _ => at += 1,
        }
    }
    let span = Span { start, end: source.text.len() };
    Err(source.error(ErrorKind::Malformed, span, "a phrase without its closing quote"))
}
