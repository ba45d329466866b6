//! Paths, what may stand at their end, and the items of a selection.

use super::Parser;
use crate::ast::{Expr, ExprKind, Lambda, Path, Precedence, Quantifier, SelectItem};
use crate::error::QueryError;
use crate::lexer::{Token, TokenKind};
use crate::source::{Span, Spanned};

/// What ends a path in an expression.
enum Ending {
    None,
    Quantifier(Quantifier),
    Count,
}

impl Parser<'_> {
    /// A path, and `any`, `all` or `$count` at its end.
    pub(super) fn path_operand(&mut self) -> Result<Expr, QueryError> {
        let start = self.peek().span;
        let (path, span, ending) = self.path_and_ending()?;
        match ending {
            Ending::None => self.node(ExprKind::Path(path), span),
            Ending::Quantifier(quantifier) => {
                let (lambda, close) = self.nested_lambda(|parser| parser.lambda(quantifier))?;
                self.node(ExprKind::Lambda(path, quantifier, lambda.map(Box::new)), start.to(close))
            }
            Ending::Count => {
                let count = self.take();
                let is_filtered =
                    self.peek().kind == TokenKind::Open && self.peek().span.start == count.span.end;
                if !is_filtered {
                    return self.node(ExprKind::Count(path, None), start.to(count.span));
                }
                let (filter, close) = self.nested_lambda(Self::count_filter)?;
                self.node(ExprKind::Count(path, Some(Box::new(filter))), start.to(close))
            }
        }
    }

    /// Names joined by `/`, without spaces between them. An ending is not taken.
    fn path_and_ending(&mut self) -> Result<(Path, Span, Ending), QueryError> {
        let mut path = Path { from_it: false, segments: Vec::new() };
        let mut span = self.peek().span;
        loop {
            let token = self.peek();
            let is_first = !path.from_it && path.segments.is_empty();
            if is_first && token.kind == TokenKind::SystemWord {
                path.from_it = self.source.slice(token.span).eq_ignore_ascii_case("$it");
            }
            if is_first && path.from_it {
                self.take();
            } else {
                if !path.segments.is_empty() {
                    match self.ending(token) {
                        Ending::None => {}
                        ending => return Ok((path, span, ending)),
                    }
                }
                self.refuse_segment(token, is_first)?;
                self.take();
                path.segments.push(Spanned { value: self.word(token).to_owned(), span: token.span });
            }
            span = span.to(token.span);
            let slash = self.peek();
            if slash.kind != TokenKind::Slash || slash.span.start != token.span.end {
                return Ok((path, span, Ending::None));
            }
            self.take();
            if self.peek().span.start != slash.span.end {
                return Err(self.unexpected("a property right after '/'"));
            }
        }
    }

    fn ending(&self, token: Token) -> Ending {
        let text = self.source.slice(token.span);
        let called = self.peek_at(1).kind == TokenKind::Open;
        match token.kind {
            TokenKind::SystemWord if text.eq_ignore_ascii_case("$count") => Ending::Count,
            TokenKind::Word if called && text.eq_ignore_ascii_case("any") => {
                Ending::Quantifier(Quantifier::Any)
            }
            TokenKind::Word if called && text.eq_ignore_ascii_case("all") => {
                Ending::Quantifier(Quantifier::All)
            }
            _ => Ending::None,
        }
    }

    /// `any(…)` or `all(…)` from the word on.
    fn lambda(&mut self, quantifier: Quantifier) -> Result<(Option<Lambda>, Span), QueryError> {
        self.take();
        let open = self.take();
        if quantifier == Quantifier::Any
            && let Some(close) = self.take_if(TokenKind::Close)
        {
            return Ok((None, close.span));
        }
        let name = self.peek();
        let is_name = name.kind == TokenKind::Word && !self.word(name).contains('.');
        if !is_name {
            return Err(self.unexpected("a variable, as in any(x:x/name eq 'a')"));
        }
        self.take();
        self.take_symbol(":", "':' after the variable, as in any(x:x/name eq 'a')")?;
        let variable = Spanned { value: self.word(name).to_owned(), span: name.span };
        let condition = self.expression(Precedence::Or)?;
        let close = self.close(open)?;
        Ok((Some(Lambda { variable, condition }), close))
    }

    /// `($filter=…)` after `$count`.
    fn count_filter(&mut self) -> Result<(Expr, Span), QueryError> {
        let open = self.take();
        self.option_in_parentheses("filter", "count with a filter: $count($filter=…)")?;
        let filter = self.expression(Precedence::Or)?;
        Ok((filter, self.close(open)?))
    }

    /// Takes `$name=`, or `name=`; refuses other options by name.
    fn option_in_parentheses(&mut self, name: &str, advice: &str) -> Result<(), QueryError> {
        let token = self.peek();
        let text = self.source.slice(token.span);
        let is_name = matches!(token.kind, TokenKind::Word | TokenKind::SystemWord | TokenKind::Alias);
        if !is_name {
            return Err(self.unexpected(&format!("'${name}='")));
        }
        if !text.trim_start_matches('$').eq_ignore_ascii_case(name) {
            let what = format!("{} in parentheses", self.source.quote(token.span));
            return Err(self.source.unsupported(token.span, what).with_hint(advice));
        }
        self.take();
        self.take_symbol("=", &format!("'=' after {}", self.source.quote(token.span)))?;
        Ok(())
    }

    /// Refuses what is no plain name, and names it if OData knows it.
    fn refuse_segment(&self, token: Token, is_first: bool) -> Result<(), QueryError> {
        let text = self.source.slice(token.span);
        let quoted = self.source.quote(token.span);
        let called = self.peek_at(1).kind == TokenKind::Open;
        let refused = |what: String| Err(self.source.unsupported(token.span, what));
        match token.kind {
            TokenKind::SystemWord => refused(format!("segment {quoted}")),
            TokenKind::Alias if !is_first => refused(format!("annotation {quoted}")),
            TokenKind::Word if text.contains('.') => refused(format!("type cast or qualified name {quoted}")),
            TokenKind::Word if called && !is_first => refused(format!("function or key {quoted} in a path")),
            TokenKind::Word => Ok(()),
            _ => Err(self.unexpected("a property")),
        }
    }

    // --- Selections

    pub(super) fn select_item(&mut self) -> Result<SelectItem, QueryError> {
        self.check_count(self.selected, self.limits.select_items, "items")?;
        self.selected += 1;
        if self.take_if(TokenKind::Star).is_some() {
            return Ok(SelectItem::All);
        }
        let path = self.select_path()?;
        if self.peek().kind != TokenKind::Open {
            return Ok(SelectItem::Path(path));
        }
        let items = self.nested(Self::nested_selection)?;
        Ok(SelectItem::Nested(path, items))
    }

    /// A path of names only; one or more options in parentheses may follow it.
    fn select_path(&mut self) -> Result<Path, QueryError> {
        let mut path = Path { from_it: false, segments: Vec::new() };
        loop {
            let token = self.peek();
            let is_name = token.kind == TokenKind::Word && !self.word(token).contains('.');
            if !is_name {
                self.refuse_segment(token, false)?;
            }
            self.take();
            path.segments.push(Spanned { value: self.word(token).to_owned(), span: token.span });
            let slash = self.peek();
            if slash.kind != TokenKind::Slash || slash.span.start != token.span.end {
                return Ok(path);
            }
            self.take();
            if self.peek().span.start != slash.span.end {
                return Err(self.unexpected("a property right after '/'"));
            }
        }
    }

    /// `($select=…)` after a property.
    fn nested_selection(&mut self) -> Result<Vec<SelectItem>, QueryError> {
        let open = self.take();
        self.option_in_parentheses("select", "only $select=… may stand there")?;
        let mut items = Vec::new();
        loop {
            items.push(self.select_item()?);
            if self.take_if(TokenKind::Comma).is_none() {
                break;
            }
        }
        if self.source.slice(self.peek().span) == ";" {
            let what = "a second option in parentheses";
            return Err(self.source.unsupported(self.peek().span, what));
        }
        self.close(open)?;
        Ok(items)
    }
}
