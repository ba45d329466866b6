//! Tokens to a syntax tree, by precedence climbing (Pratt). Takes linear time.
//!
//! Recursion is bounded: only parentheses, `not`, `-`, calls, lambdas and nested selections nest, and
//! their depth is counted. Between two of them the parser calls itself at most once for each rank of
//! [`Precedence`].
//!
//! Keywords are known by their place: after a `/` any word is a name. At the start of a path the
//! operators' words are reserved, which gives better errors for `a eq eq 1`.

use crate::ast::{Expr, ExprKind, OrderItem, Precedence, SelectItem};
use crate::checked::Direction;
use crate::error::{ErrorKind, QueryError, QueryOption};
use crate::lexer::{Token, TokenKind, lex};
use crate::limits::Limits;
use crate::source::{Source, Span};

mod errors;
mod expression;
mod literals;
mod paths;
#[cfg(test)]
mod tests;

/// Parses the text of `$filter`.
///
/// # Errors
/// The text is malformed, uses what is not supported, or is over a limit.
pub fn parse_filter(text: &str, limits: &Limits) -> Result<Expr, QueryError> {
    let mut parser = Parser::new(Source { option: QueryOption::Filter, text }, limits)?;
    let expr = parser.expression(Precedence::Or)?;
    if parser.peek().kind == TokenKind::End { Ok(expr) } else { Err(parser.not_an_operator()) }
}

/// Parses the text of `$orderby`.
///
/// # Errors
/// As [`parse_filter`].
pub fn parse_orderby(text: &str, limits: &Limits) -> Result<Vec<OrderItem>, QueryError> {
    let mut parser = Parser::new(Source { option: QueryOption::OrderBy, text }, limits)?;
    let mut items = Vec::new();
    loop {
        parser.check_count(items.len(), limits.orderby_keys, "sort keys")?;
        items.push(parser.order_item()?);
        if !parser.comma_or_end("',', 'asc', 'desc'")? {
            return Ok(items);
        }
    }
}

/// Parses the text of `$select`.
///
/// # Errors
/// As [`parse_filter`].
pub fn parse_select(text: &str, limits: &Limits) -> Result<Vec<SelectItem>, QueryError> {
    let mut parser = Parser::new(Source { option: QueryOption::Select, text }, limits)?;
    let mut items = Vec::new();
    loop {
        items.push(parser.select_item()?);
        if !parser.comma_or_end("','")? {
            return Ok(items);
        }
    }
}

struct Parser<'a> {
    source: Source<'a>,
    limits: &'a Limits,
    tokens: Vec<Token>,
    next: usize,
    /// Nodes of the tree so far.
    nodes: usize,
    /// Items of a selection so far, nested ones too.
    selected: usize,
    /// How many parentheses and their like are open.
    depth: usize,
    /// How many of those are conditions on collections.
    lambda_depth: usize,
}

impl<'a> Parser<'a> {
    fn new(source: Source<'a>, limits: &'a Limits) -> Result<Self, QueryError> {
        source.check_length(limits.option_bytes)?;
        if source.text.starts_with([' ', '\t']) {
            let message = "a space in front is not allowed";
            return Err(source.error(ErrorKind::Malformed, Span { start: 0, end: 1 }, message));
        }
        let tokens = lex(source)?;
        Ok(Self { source, limits, tokens, next: 0, nodes: 0, selected: 0, depth: 0, lambda_depth: 0 })
    }

    fn peek(&self) -> Token {
        self.peek_at(0)
    }

    fn peek_at(&self, ahead: usize) -> Token {
        let end = Span { start: self.source.text.len(), end: self.source.text.len() };
        let end = Token { kind: TokenKind::End, span: end };
        self.tokens.get(self.next + ahead).copied().unwrap_or(end)
    }

    fn take(&mut self) -> Token {
        let token = self.peek();
        self.next += 1;
        token
    }

    fn take_if(&mut self, kind: TokenKind) -> Option<Token> {
        (self.peek().kind == kind).then(|| self.take())
    }

    /// Takes a certain visible character that is no token kind of its own.
    fn take_symbol(&mut self, symbol: &str, expected: &str) -> Result<Token, QueryError> {
        let token = self.peek();
        if token.kind == TokenKind::Symbol && self.source.slice(token.span) == symbol {
            Ok(self.take())
        } else {
            Err(self.unexpected(expected))
        }
    }

    fn word(&self, token: Token) -> &'a str {
        if token.kind == TokenKind::Word { self.source.slice(token.span) } else { "" }
    }

    fn order_item(&mut self) -> Result<OrderItem, QueryError> {
        let expr = self.expression(Precedence::Or)?;
        let direction = match self.word(self.peek()).to_ascii_lowercase().as_str() {
            "asc" => Some(Direction::Ascending),
            "desc" => Some(Direction::Descending),
            _ => None,
        };
        if direction.is_some() {
            self.take();
        }
        Ok(OrderItem { expr, direction: direction.unwrap_or(Direction::Ascending) })
    }

    /// Takes a comma and is true, or is false at the end of the text.
    fn comma_or_end(&mut self, expected: &str) -> Result<bool, QueryError> {
        if self.take_if(TokenKind::Comma).is_some() {
            return Ok(true);
        }
        if self.peek().kind == TokenKind::End { Ok(false) } else { Err(self.unexpected(expected)) }
    }

    fn close(&mut self, open: Token) -> Result<Span, QueryError> {
        match self.take_if(TokenKind::Close) {
            Some(close) => Ok(close.span),
            None => {
                let opened_at = self.source.text[..open.span.start].chars().count();
                Err(self.unexpected(&format!("')' for the '(' at {opened_at}")))
            }
        }
    }

    // --- Limits

    fn node(&mut self, value: ExprKind, span: Span) -> Result<Expr, QueryError> {
        self.nodes += 1;
        let nodes_max = self.limits.filter_nodes.min(Limits::NODES_CEILING);
        if self.nodes > nodes_max {
            let message = format!("more than {nodes_max} terms and operators");
            return Err(self.source.error(ErrorKind::OverLimit, span, message));
        }
        Ok(Expr { value, span })
    }

    fn nested<T>(&mut self, parse: impl FnOnce(&mut Self) -> Result<T, QueryError>) -> Result<T, QueryError> {
        let depth_max = self.limits.filter_depth.min(Limits::DEPTH_CEILING);
        if self.depth == depth_max {
            let message = format!("nested deeper than {depth_max}");
            return Err(self.source.error(ErrorKind::OverLimit, self.peek().span, message));
        }
        self.depth += 1;
        let parsed = parse(self);
        self.depth -= 1;
        parsed
    }

    /// As [`Self::nested`], for a condition on the items of a collection.
    fn nested_lambda<T>(
        &mut self,
        parse: impl FnOnce(&mut Self) -> Result<T, QueryError>,
    ) -> Result<T, QueryError> {
        let depth_max = self.limits.lambda_depth;
        if self.lambda_depth == depth_max {
            let message = format!("conditions on collections nested deeper than {depth_max}");
            return Err(self.source.error(ErrorKind::OverLimit, self.peek().span, message));
        }
        self.lambda_depth += 1;
        let parsed = self.nested(parse);
        self.lambda_depth -= 1;
        parsed
    }

    fn check_count(&self, count: usize, max: usize, what: &str) -> Result<(), QueryError> {
        if count < max {
            return Ok(());
        }
        let message = format!("more than {max} {what}");
        Err(self.source.error(ErrorKind::OverLimit, self.peek().span, message))
    }
}
