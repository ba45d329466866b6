//! Literals that are no words.

use super::Parser;
use super::errors::expected_operand;
use super::expression::is_reserved;
use crate::ast::Literal;
use crate::error::{QueryError, shown};
use crate::lexer::{Token, TokenKind};
use crate::literal::{NotALiteral, read_date, read_duration, read_number, read_string, read_time_of_day};
use crate::source::Spanned;

impl Parser<'_> {
    /// A literal that is not a word. `expected` says what else could have stood here.
    pub(super) fn literal(&mut self, expected: &str) -> Result<Spanned<Literal>, QueryError> {
        let token = self.peek();
        let text = self.source.slice(token.span);
        let read = match token.kind {
            TokenKind::String => Ok(Literal::String(read_string(text))),
            TokenKind::TypedString => return self.typed_string(token),
            TokenKind::Number => read_number(text),
            TokenKind::Date => read_date(text),
            TokenKind::TimeOfDay => read_time_of_day(text),
            TokenKind::Guid => {
                text.parse().map(Literal::Guid).map_err(|_| NotALiteral::from("malformed GUID"))
            }
            _ => return Err(self.unexpected(expected)),
        };
        self.literal_read(token, read)
    }

    fn literal_read(
        &mut self,
        token: Token,
        read: Result<Literal, NotALiteral>,
    ) -> Result<Spanned<Literal>, QueryError> {
        match read {
            Ok(value) => Ok(Spanned { value, span: self.take().span }),
            Err(NotALiteral { kind, message, hint }) => {
                let message = format!("{message} {}", self.source.quote(token.span));
                let error = self.source.error(kind, token.span, message);
                Err(hint.into_iter().fold(error, QueryError::with_hint))
            }
        }
    }

    fn typed_string(&mut self, token: Token) -> Result<Spanned<Literal>, QueryError> {
        let text = self.source.slice(token.span);
        let quote_at = text.find('\'').unwrap_or(text.len());
        let (type_name, quoted) = text.split_at(quote_at);
        if type_name.eq_ignore_ascii_case("duration") {
            let read = read_duration(&read_string(quoted)).map(Literal::Duration);
            return self.literal_read(token, read);
        }
        if is_reserved(type_name) || type_name.eq_ignore_ascii_case("not") {
            return Err(self.unexpected(expected_operand()));
        }
        // The names of enumerations are qualified; `binary`, `geography` and their like are not.
        if !type_name.contains('.') {
            let error =
                self.source.unsupported(token.span, format_args!("a literal of type '{}'", shown(type_name)));
            let is_unquoted = ["date", "datetime", "datetimeoffset", "guid", "time", "timeofday"];
            return Err(if is_unquoted.iter().any(|name| name.eq_ignore_ascii_case(type_name)) {
                error.with_hint("write dates, times and GUIDs without a type and without quotes")
            } else {
                error
            });
        }
        let value = Literal::Enum { type_name: type_name.to_owned(), member: read_string(quoted) };
        Ok(Spanned { value, span: self.take().span })
    }
}
