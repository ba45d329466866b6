//! `$search`: words and phrases joined by `NOT`, `AND` and `OR`.
//!
//! The grammar is that of OData 4.01: operators in upper case, `NOT` before `AND` before `OR`, and
//! terms side by side are joined by `AND`. A term may name the property to look in, as Graph's
//! directory does: `"title:mining"`; then a phrase of that form cannot be searched for in all of them.
//!
//! The text has a lexer of its own, because nearly any character may stand in a word.

use std::fmt;

use crate::checked::{Search, SearchTerm};
use crate::error::{ErrorKind, QueryError, QueryOption, shown};
use crate::limits::Limits;
use crate::model::Model;
use crate::source::{Source, Span};
use crate::suggest::nearest;

#[cfg(test)]
mod tests;
mod tokens;

use tokens::{Token, TokenKind, lex};

/// A search as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SearchExpr {
    /// Both are found.
    And(Box<SearchExpr>, Box<SearchExpr>),
    /// One is found.
    Or(Box<SearchExpr>, Box<SearchExpr>),
    /// It is not found.
    Not(Box<SearchExpr>),
    /// A word or phrase.
    Term(Term),
}

/// A word or phrase.
#[derive(Debug, Clone)]
pub struct Term {
    /// The property before the first colon, if there is one.
    pub property: Option<String>,
    /// The text, without quotes, escapes and property.
    pub text: String,
    /// Where it was written.
    span: Span,
}

impl PartialEq for Term {
    fn eq(&self, other: &Self) -> bool {
        (&self.property, &self.text) == (&other.property, &other.text)
    }
}

impl Eq for Term {}

/// Parses the text of `$search`.
///
/// # Errors
/// The text is malformed or over a limit.
pub fn parse_search(text: &str, limits: &Limits) -> Result<SearchExpr, QueryError> {
    let source = Source { option: QueryOption::Search, text };
    source.check_length(limits.option_bytes)?;
    let mut parser = Parser { source, limits, tokens: lex(source)?, next: 0, terms: 0, depth: 0 };
    let search = parser.either()?;
    match parser.peek() {
        Some(token) => Err(parser.unexpected(Some(token))),
        None => Ok(search),
    }
}

/// Checks a search. `text` is what it was parsed from, for the errors.
///
/// # Errors
/// The model has no search or not that property, or a term has nothing to be found.
pub fn check_search(search: &SearchExpr, text: &str, model: &Model) -> Result<Search, QueryError> {
    let source = Source { option: QueryOption::Search, text };
    if model.searchable.is_empty() {
        return Err(source.whole(ErrorKind::Unsupported, "cannot be used with this resource"));
    }
    checked(search, source, model)
}

fn checked(search: &SearchExpr, source: Source<'_>, model: &Model) -> Result<Search, QueryError> {
    let boxed = |part: &SearchExpr| checked(part, source, model).map(Box::new);
    Ok(match search {
        SearchExpr::And(left, right) => Search::And(boxed(left)?, boxed(right)?),
        SearchExpr::Or(left, right) => Search::Or(boxed(left)?, boxed(right)?),
        SearchExpr::Not(inner) => Search::Not(boxed(inner)?),
        SearchExpr::Term(term) => Search::Term(checked_term(term, source, model)?),
    })
}

fn checked_term(term: &Term, source: Source<'_>, model: &Model) -> Result<SearchTerm, QueryError> {
    let known = |name: &str| model.searchable.iter().copied().find(|known| *known == name);
    let property = match &term.property {
        Some(name) => Some(known(name).ok_or_else(|| {
            let message = format!("property '{}' cannot be searched", shown(name));
            let error = source.error(ErrorKind::UnknownName, term.span, message);
            match nearest(name, model.searchable.iter().copied()) {
                Some(near) => error.suggesting(Some(near)),
                None => error.with_hint(format!(
                    "use one of {}; with a space after the colon it is no property",
                    model.searchable.join(", ")
                )),
            }
        })?),
        None => None,
    };
    if !term.text.contains(char::is_alphanumeric) {
        let message = format!("{} has no letter or digit to be found", source.quote(term.span));
        return Err(source.error(ErrorKind::Malformed, term.span, message));
    }
    Ok(SearchTerm { text: term.text.clone(), property })
}

struct Parser<'a> {
    source: Source<'a>,
    limits: &'a Limits,
    tokens: Vec<Token>,
    next: usize,
    terms: usize,
    depth: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Option<Token> {
        self.tokens.get(self.next).copied()
    }

    fn text(&self, token: Token) -> &str {
        self.source.slice(token.span)
    }

    fn either(&mut self) -> Result<SearchExpr, QueryError> {
        let mut left = self.both()?;
        while self.takes_operator("OR") {
            left = SearchExpr::Or(Box::new(left), Box::new(self.both()?));
        }
        Ok(left)
    }

    fn both(&mut self) -> Result<SearchExpr, QueryError> {
        let mut left = self.negatable()?;
        loop {
            let is_joined = self.takes_operator("AND") || self.term_follows();
            if !is_joined {
                return Ok(left);
            }
            left = SearchExpr::And(Box::new(left), Box::new(self.negatable()?));
        }
    }

    fn negatable(&mut self) -> Result<SearchExpr, QueryError> {
        if self.takes_operator("NOT") {
            // The grammar has no NOT of a NOT: the second is a word.
            return Ok(SearchExpr::Not(Box::new(self.operand()?)));
        }
        self.operand()
    }

    fn operand(&mut self) -> Result<SearchExpr, QueryError> {
        let Some(token) = self.peek() else { return Err(self.unexpected(None)) };
        match token.kind {
            TokenKind::Word | TokenKind::Phrase => self.term(token),
            TokenKind::Open => self.group(token),
            TokenKind::Close => Err(self.unexpected(Some(token))),
        }
    }

    fn group(&mut self, open: Token) -> Result<SearchExpr, QueryError> {
        let depth_max = self.limits.filter_depth.min(Limits::DEPTH_CEILING);
        if self.depth == depth_max {
            let message = format!("nested deeper than {depth_max}");
            return Err(self.source.error(ErrorKind::OverLimit, open.span, message));
        }
        self.depth += 1;
        self.next += 1;
        let inner = self.either()?;
        let Some(Token { kind: TokenKind::Close, .. }) = self.peek() else {
            return Err(self.source.error(ErrorKind::Malformed, open.span, "a '(' without its ')'"));
        };
        self.next += 1;
        self.depth -= 1;
        Ok(inner)
    }

    fn term(&mut self, token: Token) -> Result<SearchExpr, QueryError> {
        self.terms += 1;
        let max = self.limits.search_terms;
        if self.terms > max {
            let message = format!("more than {max} words and phrases");
            return Err(self.source.error(ErrorKind::OverLimit, token.span, message));
        }
        self.next += 1;
        let text = match token.kind {
            TokenKind::Phrase => tokens::unquoted(self.text(token)),
            _ => self.text(token).to_owned(),
        };
        let (property, text) = match restricted(&text) {
            Some((property, rest)) => (Some(property.to_owned()), rest.to_owned()),
            None => (None, text),
        };
        Ok(SearchExpr::Term(Term { property, text, span: token.span }))
    }

    /// Takes the word if it is an operator here: something follows it that it can be applied to.
    fn takes_operator(&mut self, operator: &str) -> bool {
        let is_it = self.peek().is_some_and(|token| {
            token.kind == TokenKind::Word
                && self.text(token) == operator
                && self.tokens.get(self.next + 1).is_some_and(|next| next.kind != TokenKind::Close)
        });
        self.next += usize::from(is_it);
        is_it
    }

    /// Whether a term stands here that is not `OR` between two others.
    fn term_follows(&self) -> bool {
        let Some(token) = self.peek() else { return false };
        let is_or = token.kind == TokenKind::Word && self.text(token) == "OR";
        let has_right_side = self.tokens.get(self.next + 1).is_some_and(|next| next.kind != TokenKind::Close);
        token.kind != TokenKind::Close && !(is_or && has_right_side)
    }

    fn unexpected(&self, token: Option<Token>) -> QueryError {
        let end = Span { start: self.source.text.len(), end: self.source.text.len() };
        let span = token.map_or(end, |token| token.span);
        let message = format!("expected a word or a phrase but found {}", self.source.quote(span));
        self.source.error(ErrorKind::Malformed, span, message)
    }
}

/// A property before a colon, and what follows. An address such as `https://…` has none.
fn restricted(text: &str) -> Option<(&str, &str)> {
    let (property, rest) = text.split_once(':')?;
    let is_path = property.split('/').all(|name| {
        name.starts_with(|ch: char| ch.is_alphabetic() || ch == '_')
            && name.chars().all(|ch| ch.is_alphanumeric() || ch == '_')
    });
    let is_restriction =
        is_path && !rest.is_empty() && !rest.starts_with([' ', '\t']) && !rest.starts_with("//");
    is_restriction.then_some((property, rest))
}

impl fmt::Display for SearchExpr {
    /// The canonical text: every term in quotes, every operator written, parentheses where needed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let operand = |f: &mut fmt::Formatter<'_>, part: &Self, in_parentheses: bool| {
            if in_parentheses { write!(f, "({part})") } else { write!(f, "{part}") }
        };
        match self {
            Self::Or(left, right) => {
                operand(f, left, false)?;
                f.write_str(" OR ")?;
                operand(f, right, matches!(**right, Self::Or(..)))
            }
            Self::And(left, right) => {
                operand(f, left, matches!(**left, Self::Or(..)))?;
                f.write_str(" AND ")?;
                operand(f, right, matches!(**right, Self::Or(..) | Self::And(..)))
            }
            Self::Not(inner) => {
                f.write_str("NOT ")?;
                operand(f, inner, !matches!(**inner, Self::Term(_)))
            }
            Self::Term(term) => {
                f.write_str("\"")?;
                if let Some(property) = &term.property {
                    write!(f, "{property}:")?;
                }
                write!(f, "{}\"", term.text.replace('\\', "\\\\").replace('"', "\\\""))
            }
        }
    }
}
