//! Expressions: operators by precedence, calls, lists.

use super::{Parser, errors::expected_operand};
use crate::ast::{BinaryOperator, Expr, ExprKind, Function, Literal, Precedence};
use crate::error::{ErrorKind, QueryError};
use crate::lexer::{Token, TokenKind};
use crate::source::{Span, Spanned};
use crate::unsupported;

/// What may follow an operand and bind it.
enum Infix {
    Binary(BinaryOperator),
    In,
}

impl Parser<'_> {
    pub(super) fn expression(&mut self, least: Precedence) -> Result<Expr, QueryError> {
        let mut left = self.operand()?;
        while let Some(infix) = self.infix()? {
            let precedence = match infix {
                Infix::Binary(operator) => operator.precedence(),
                Infix::In => Precedence::In,
            };
            if precedence < least {
                break;
            }
            self.take();
            left = match infix {
                Infix::Binary(operator) => {
                    let right = self.expression(precedence.tighter())?;
                    let span = left.span.to(right.span);
                    self.node(ExprKind::Binary(operator, Box::new(left), Box::new(right)), span)?
                }
                Infix::In => {
                    let (items, close) = self.in_list()?;
                    let span = left.span.to(close);
                    self.node(ExprKind::In(Box::new(left), items), span)?
                }
            };
        }
        Ok(left)
    }

    /// The operator that comes next, if one does; it is not taken.
    fn infix(&self) -> Result<Option<Infix>, QueryError> {
        let token = self.peek();
        let word = self.word(token);
        if unsupported::is_operator(word) {
            let error = self.source.unsupported(token.span, format_args!("operator '{word}'"));
            return Err(error.with_hint("no enumeration here has flags; compare with 'eq' or 'in'"));
        }
        if word.eq_ignore_ascii_case("in") {
            return Ok(Some(Infix::In));
        }
        Ok(binary_operator(word).map(Infix::Binary))
    }

    fn operand(&mut self) -> Result<Expr, QueryError> {
        let token = self.peek();
        match token.kind {
            TokenKind::Open => self.nested(Self::parenthesised),
            TokenKind::Word => self.word_operand(token),
            TokenKind::SystemWord if self.source.slice(token.span).eq_ignore_ascii_case("$it") => {
                self.path_operand()
            }
            TokenKind::Symbol if self.source.slice(token.span) == "-" => self.nested(Self::negative),
            _ => {
                let literal = self.literal(expected_operand())?;
                self.node(ExprKind::Literal(literal.value), literal.span)
            }
        }
    }

    fn word_operand(&mut self, token: Token) -> Result<Expr, QueryError> {
        let word = self.word(token);
        if word.eq_ignore_ascii_case("not") {
            return self.nested(Self::negation);
        }
        if let Some(literal) = word_literal(word) {
            self.take();
            return self.node(ExprKind::Literal(literal), token.span);
        }
        if is_reserved(word) || is_not_finite(word) {
            return Err(self.unexpected(expected_operand()));
        }
        if self.peek_at(1).kind == TokenKind::Open {
            return self.call(token);
        }
        self.path_operand()
    }

    fn parenthesised(&mut self) -> Result<Expr, QueryError> {
        let open = self.take();
        let inner = self.expression(Precedence::Or)?;
        let close = self.close(open)?;
        Ok(Expr { value: inner.value, span: open.span.to(close) })
    }

    fn negation(&mut self) -> Result<Expr, QueryError> {
        let not = self.take();
        let operand = self.expression(Precedence::Unary)?;
        let span = not.span.to(operand.span);
        self.node(ExprKind::Not(Box::new(operand)), span)
    }

    fn negative(&mut self) -> Result<Expr, QueryError> {
        let minus = self.take();
        let operand = self.expression(Precedence::Unary)?;
        let span = minus.span.to(operand.span);
        self.node(ExprKind::Negate(Box::new(operand)), span)
    }

    fn call(&mut self, name: Token) -> Result<Expr, QueryError> {
        let word = self.word(name);
        let known = Function::ALL.iter().copied().find(|known| known.name().eq_ignore_ascii_case(word));
        let Some(function) = known else { return Err(self.not_a_function(name)) };
        self.take();
        let (arguments, close) = self.nested(Self::arguments)?;
        let wanted = function.arguments();
        if !wanted.contains(&arguments.len()) {
            let (least, most, found) = (*wanted.start(), *wanted.end(), arguments.len());
            let wanted = if least == most { most.to_string() } else { format!("{least} or {most}") };
            let message = format!("{} takes {wanted} arguments, not {found},", function.name());
            return Err(self.source.error(ErrorKind::Malformed, name.span, message));
        }
        self.node(ExprKind::Call(function, arguments), name.span.to(close))
    }

    fn arguments(&mut self) -> Result<(Vec<Expr>, Span), QueryError> {
        let open = self.take();
        let mut arguments = Vec::new();
        if self.peek().kind == TokenKind::Close {
            return Ok((arguments, self.take().span));
        }
        loop {
            arguments.push(self.expression(Precedence::Or)?);
            if self.take_if(TokenKind::Comma).is_none() {
                return Ok((arguments, self.close(open)?));
            }
        }
    }

    fn in_list(&mut self) -> Result<(Vec<Spanned<Literal>>, Span), QueryError> {
        let Some(open) = self.take_if(TokenKind::Open) else {
            return Err(self.unexpected("a list in parentheses after 'in'"));
        };
        let mut items = Vec::new();
        if let Some(close) = self.take_if(TokenKind::Close) {
            return Ok((items, close.span));
        }
        loop {
            self.check_count(items.len(), self.limits.in_items, "items in a list")?;
            let token = self.peek();
            match word_literal(self.word(token)) {
                Some(value) => items.push(Spanned { value, span: self.take().span }),
                None if token.kind == TokenKind::Word => {
                    return Err(self.source.unsupported(token.span, "a list item that is no literal"));
                }
                None => items.push(self.literal("a literal")?),
            }
            if self.take_if(TokenKind::Comma).is_none() {
                return Ok((items, self.close(open)?));
            }
        }
    }
}

fn binary_operator(word: &str) -> Option<BinaryOperator> {
    // Most words here end an expression, and the longest operator has five letters.
    if word.is_empty() || word.len() > 5 {
        return None;
    }
    BinaryOperator::ALL.iter().copied().find(|operator| operator.keyword().eq_ignore_ascii_case(word))
}

/// Whether the word can only be an operator between operands.
pub(super) fn is_reserved(word: &str) -> bool {
    binary_operator(word).is_some() || word.eq_ignore_ascii_case("in") || unsupported::is_operator(word)
}

pub(super) fn is_not_finite(word: &str) -> bool {
    matches!(word, "INF" | "NaN")
}

fn word_literal(word: &str) -> Option<Literal> {
    if word.eq_ignore_ascii_case("null") {
        Some(Literal::Null)
    } else if word.eq_ignore_ascii_case("true") {
        Some(Literal::Boolean(true))
    } else {
        word.eq_ignore_ascii_case("false").then_some(Literal::Boolean(false))
    }
}
