//! Tokens to a syntax tree, by precedence climbing (Pratt). Takes linear time.
//!
//! Recursion is bounded: only parentheses, `not` and calls nest, and their depth is counted. Between
//! two of them the parser calls itself at most once for each rank of [`Precedence`].
//!
//! Keywords are known by their place: after a `/` any word is a name. At the start of a path the
//! operators' words are reserved, which gives better errors for `a eq eq 1`.

use crate::ast::{
    BinaryOperator, Expr, ExprKind, Function, Literal, OrderItem, Path, Precedence, SelectItem,
};
use crate::checked::Direction;
use crate::error::{ErrorKind, QueryError, QueryOption, shown};
use crate::lexer::{Token, TokenKind, lex};
use crate::limits::Limits;
use crate::literal::{NotALiteral, read_date, read_number, read_string};
use crate::source::{Source, Span, Spanned};
use crate::unsupported;

mod errors;
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
        parser.check_count(items.len(), limits.select_items, "items")?;
        items.push(parser.select_item()?);
        if !parser.comma_or_end("','")? {
            return Ok(items);
        }
    }
}

struct Parser<'a> {
    source: Source<'a>,
    tokens: Vec<Token>,
    next: usize,
    nodes: usize,
    nodes_max: usize,
    depth: usize,
    depth_max: usize,
    in_items_max: usize,
}

/// What may follow an operand and bind it.
enum Infix {
    Binary(BinaryOperator),
    In,
}

impl<'a> Parser<'a> {
    fn new(source: Source<'a>, limits: &Limits) -> Result<Self, QueryError> {
        let bytes = source.text.len();
        if bytes > limits.option_bytes {
            let message = format!("{bytes} bytes; at most {} are allowed", limits.option_bytes);
            return Err(source.whole(ErrorKind::OverLimit, message));
        }
        Ok(Self {
            source,
            tokens: lex(source)?,
            next: 0,
            nodes: 0,
            nodes_max: limits.filter_nodes.min(Limits::NODES_CEILING),
            depth: 0,
            depth_max: limits.filter_depth.min(Limits::DEPTH_CEILING),
            in_items_max: limits.in_items,
        })
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

    fn word(&self, token: Token) -> &'a str {
        if token.kind == TokenKind::Word { self.source.slice(token.span) } else { "" }
    }

    // --- Expressions

    fn expression(&mut self, least: Precedence) -> Result<Expr, QueryError> {
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
            return Err(self.source.unsupported(token.span, format_args!("operator '{word}'")));
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
            _ => {
                let literal = self.literal("a property, a literal or a function")?;
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
            return Err(self.unexpected("a property, a literal or a function"));
        }
        if self.peek_at(1).kind == TokenKind::Open {
            return self.call(token);
        }
        let (path, span) = self.path()?;
        self.node(ExprKind::Path(path), span)
    }

    fn parenthesised(&mut self) -> Result<Expr, QueryError> {
        let open = self.take();
        let inner = self.expression(Precedence::Or)?;
        let close = self.close(open)?;
        Ok(Expr { value: inner.value, span: open.span.to(close) })
    }

    fn negation(&mut self) -> Result<Expr, QueryError> {
        let not = self.take();
        let operand = self.expression(Precedence::Not)?;
        let span = not.span.to(operand.span);
        self.node(ExprKind::Not(Box::new(operand)), span)
    }

    fn call(&mut self, name: Token) -> Result<Expr, QueryError> {
        let word = self.word(name);
        let Some(function) =
            Function::ALL.iter().copied().find(|known| known.name().eq_ignore_ascii_case(word))
        else {
            return Err(self.not_a_function(name));
        };
        self.take();
        let (arguments, close) = self.nested(Self::arguments)?;
        if arguments.len() != Function::ARGUMENTS {
            let found = arguments.len();
            let message =
                format!("{} takes {} arguments, not {found},", function.name(), Function::ARGUMENTS);
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
        loop {
            self.check_count(items.len(), self.in_items_max, "items in a list")?;
            let token = self.peek();
            match word_literal(self.word(token)) {
                Some(value) => items.push(Spanned { value, span: self.take().span }),
                None if token.kind == TokenKind::Word => {
                    return Err(self.source.unsupported(token.span, "a list item that is no literal"));
                }
                None if token.kind == TokenKind::Close && items.is_empty() => {
                    return Err(self.source.unsupported(token.span, "an empty list"));
                }
                None => items.push(self.literal("a literal")?),
            }
            if self.take_if(TokenKind::Comma).is_none() {
                return Ok((items, self.close(open)?));
            }
        }
    }

    /// A literal that is not a word. `expected` says what else could have stood here.
    fn literal(&mut self, expected: &str) -> Result<Spanned<Literal>, QueryError> {
        let token = self.peek();
        let text = self.source.slice(token.span);
        let read = match token.kind {
            TokenKind::String => Ok(Literal::String(read_string(text))),
            TokenKind::TypedString => return self.typed_string(token),
            TokenKind::Number => read_number(text),
            TokenKind::Date => read_date(text),
            TokenKind::Guid => {
                text.parse().map(Literal::Guid).map_err(|_| NotALiteral::from("malformed GUID"))
            }
            TokenKind::TimeOfDay => return Err(self.source.unsupported(token.span, "a time without a date")),
            _ => return Err(self.unexpected(expected)),
        };
        match read {
            Ok(value) => Ok(Spanned { value, span: self.take().span }),
            Err(NotALiteral { message, hint }) => {
                let message = format!("{message} {}", self.source.quote(token.span));
                let error = self.source.error(ErrorKind::Malformed, token.span, message);
                Err(hint.into_iter().fold(error, QueryError::with_hint))
            }
        }
    }

    fn typed_string(&mut self, token: Token) -> Result<Spanned<Literal>, QueryError> {
        let text = self.source.slice(token.span);
        let quote_at = text.find('\'').unwrap_or(text.len());
        let (type_name, quoted) = text.split_at(quote_at);
        if is_reserved(type_name) || type_name.eq_ignore_ascii_case("not") {
            return Err(self.unexpected("a property, a literal or a function"));
        }
        // The names of enumerations are qualified; `duration`, `binary` and their like are not.
        if !type_name.contains('.') {
            let error =
                self.source.unsupported(token.span, format_args!("a literal of type '{}'", shown(type_name)));
            let is_unquoted = ["date", "datetime", "datetimeoffset", "guid"];
            return Err(if is_unquoted.iter().any(|name| name.eq_ignore_ascii_case(type_name)) {
                error.with_hint("write dates and GUIDs without a type and without quotes")
            } else {
                error
            });
        }
        let value = Literal::Enum { type_name: type_name.to_owned(), member: read_string(quoted) };
        Ok(Spanned { value, span: self.take().span })
    }

    // --- Paths and items

    /// Names joined by `/`, without spaces between them.
    fn path(&mut self) -> Result<(Path, Span), QueryError> {
        let mut span = self.peek().span;
        let mut segments = Vec::new();
        loop {
            let token = self.peek();
            self.refuse_segment(token, segments.is_empty())?;
            self.take();
            segments.push(Spanned { value: self.word(token).to_owned(), span: token.span });
            span = span.to(token.span);
            let slash = self.peek();
            if slash.kind != TokenKind::Slash || slash.span.start != token.span.end {
                return Ok((Path { segments }, span));
            }
            self.take();
            if self.peek().span.start != slash.span.end {
                return Err(self.unexpected("a property right after '/'"));
            }
        }
    }

    /// Refuses what is no plain name, and names it if OData knows it.
    fn refuse_segment(&self, token: Token, is_first: bool) -> Result<(), QueryError> {
        let text = self.source.slice(token.span);
        let quoted = self.source.quote(token.span);
        let called = self.peek_at(1).kind == TokenKind::Open;
        let refused = |what: String| Err(self.source.unsupported(token.span, what));
        match token.kind {
            TokenKind::SystemWord => refused(format!("segment {quoted}")),
            TokenKind::Word if text.contains('.') => refused(format!("type cast or qualified name {quoted}")),
            TokenKind::Word if called && unsupported::is_lambda(text) => {
                refused(format!("lambda operator {quoted}"))
            }
            TokenKind::Word if called && !is_first => refused(format!("function {quoted} in a path")),
            TokenKind::Word => Ok(()),
            _ => Err(self.unexpected("a property")),
        }
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

    fn select_item(&mut self) -> Result<SelectItem, QueryError> {
        if self.take_if(TokenKind::Star).is_some() {
            return Ok(SelectItem::All);
        }
        let (path, _) = self.path()?;
        let token = self.peek();
        if token.kind == TokenKind::Open {
            let error = self.source.unsupported(token.span, "an option in parentheses after a property");
            return Err(error.with_hint("select nested properties by path: a/b"));
        }
        Ok(SelectItem::Path(path))
    }

    /// Takes a comma and is true, or is false at the end of the text.
    fn comma_or_end(&mut self, expected: &str) -> Result<bool, QueryError> {
        if self.take_if(TokenKind::Comma).is_some() {
            return Ok(true);
        }
        if self.peek().kind == TokenKind::End { Ok(false) } else { Err(self.unexpected(expected)) }
    }

    // --- Limits

    fn node(&mut self, value: ExprKind, span: Span) -> Result<Expr, QueryError> {
        self.nodes += 1;
        if self.nodes > self.nodes_max {
            let message = format!("more than {} terms and operators", self.nodes_max);
            return Err(self.source.error(ErrorKind::OverLimit, span, message));
        }
        Ok(Expr { value, span })
    }

    fn nested<T>(&mut self, parse: impl FnOnce(&mut Self) -> Result<T, QueryError>) -> Result<T, QueryError> {
        if self.depth == self.depth_max {
            let message = format!("nested deeper than {}", self.depth_max);
            return Err(self.source.error(ErrorKind::OverLimit, self.peek().span, message));
        }
        self.depth += 1;
        let parsed = parse(self);
        self.depth -= 1;
        parsed
    }

    fn check_count(&self, count: usize, max: usize, what: &str) -> Result<(), QueryError> {
        if count < max {
            return Ok(());
        }
        let message = format!("more than {max} {what}");
        Err(self.source.error(ErrorKind::OverLimit, self.peek().span, message))
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
}

fn binary_operator(word: &str) -> Option<BinaryOperator> {
    BinaryOperator::ALL.iter().copied().find(|operator| operator.keyword().eq_ignore_ascii_case(word))
}

/// Whether the word can only be an operator between operands.
fn is_reserved(word: &str) -> bool {
    binary_operator(word).is_some() || word.eq_ignore_ascii_case("in") || unsupported::is_operator(word)
}

fn is_not_finite(word: &str) -> bool {
    matches!(word, "INF" | "NaN")
}

fn word_literal(word: &str) -> Option<Literal> {
    match word.to_ascii_lowercase().as_str() {
        "null" => Some(Literal::Null),
        "true" => Some(Literal::Boolean(true)),
        "false" => Some(Literal::Boolean(false)),
        _ => None,
    }
}
