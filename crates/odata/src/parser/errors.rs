//! What the parser says when it cannot go on. What OData has and we have not is named.

use super::Parser;
use super::expression::{is_not_finite, is_reserved};
use crate::ast::{BinaryOperator, Function};
use crate::error::{ErrorKind, QueryError};
use crate::lexer::{Token, TokenKind};
use crate::suggest::nearest;
use crate::unsupported;

/// What may stand where an operand is needed.
pub(super) fn expected_operand() -> &'static str {
    "a property, a literal or a function"
}

impl Parser<'_> {
    /// Says what was found instead of what was expected; refuses by name what OData has here.
    pub(super) fn unexpected(&self, expected: &str) -> QueryError {
        let token = self.peek();
        let text = self.source.slice(token.span);
        let quoted = self.source.quote(token.span);
        let after = self.source.slice(self.peek_at(1).span);
        let what = match (token.kind, text) {
            (TokenKind::SystemWord, _) => quoted,
            (TokenKind::Alias, _) if matches!(after, "." | "/") => format!("annotation {quoted}"),
            (TokenKind::Alias, _) => format!("parameter alias {quoted}"),
            (TokenKind::Symbol, "[" | "{") => "JSON in a query".to_owned(),
            (TokenKind::Word, _) if is_not_finite(text) => format!("number {quoted}"),
            _ => {
                let message = format!("expected {expected} but found {quoted}");
                return self.source.error(ErrorKind::Malformed, token.span, message);
            }
        };
        self.source.unsupported(token.span, what)
    }

    /// A whole expression was read and then something stands that cannot follow.
    pub(super) fn not_an_operator(&self) -> QueryError {
        let token = self.peek();
        let text = self.source.slice(token.span);
        let keywords = BinaryOperator::ALL.iter().map(|operator| operator.keyword());
        if token.kind == TokenKind::Word {
            let message = format!("unknown operator {}", self.source.quote(token.span));
            let error = self.source.error(ErrorKind::UnknownName, token.span, message);
            let error =
                error.with_hint(format!("use one of {}, in", keywords.collect::<Vec<_>>().join(", ")));
            return error;
        }
        let error = self.unexpected("an operator");
        match text.split_once('\'') {
            Some((word, _)) if token.kind == TokenKind::TypedString && is_reserved(word) => {
                error.with_hint(format!("put a space after '{word}'"))
            }
            _ => error,
        }
    }

    /// A name before a parenthesis is none of the functions.
    pub(super) fn not_a_function(&self, name: Token) -> QueryError {
        let word = self.word(name);
        if unsupported::is_lambda(word) {
            let message = format!("{} without a collection in front", self.source.quote(name.span));
            let error = self.source.error(ErrorKind::Malformed, name.span, message);
            return error.with_hint(format!("write collection/{}(…)", word.to_ascii_lowercase()));
        }
        if unsupported::is_function(word) || word.contains('.') {
            let error =
                self.source.unsupported(name.span, format_args!("function '{}'", crate::error::shown(word)));
            let reversed = word.eq_ignore_ascii_case("substringof");
            return if reversed { error.with_hint("use contains(text,part)") } else { error };
        }
        let message = format!("unknown function {}", self.source.quote(name.span));
        let error = self.source.error(ErrorKind::UnknownName, name.span, message);
        error.suggesting(nearest(word, Function::ALL.iter().map(|function| function.name())))
    }
}
