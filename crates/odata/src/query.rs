//! The whole query, checked: what a server needs to answer it.

use chrono::{DateTime, Utc};

use crate::check::check_filter;
use crate::checked::{Filter, Search, SortKey};
use crate::error::{ErrorKind, QueryError, QueryOption};
use crate::format::{MetadataLevel, parse_format};
use crate::limits::Limits;
use crate::model::Model;
use crate::options::QueryOptions;
use crate::orderby::{canonical, check_orderby};
use crate::page_token::{self, Fingerprint, PageToken, Position};
use crate::parser::{parse_filter, parse_orderby, parse_select};
use crate::seal::Seal;
use crate::search::{check_search, parse_search};
use crate::select::{Selection, check_select};
use crate::source::{Source, Span};

#[cfg(test)]
mod tests;

/// What a query is checked against.
#[derive(Debug, Clone, Copy)]
pub struct CheckContext<'a> {
    /// What can be asked of the entities.
    pub model: &'a Model,
    /// How much may be asked.
    pub limits: &'a Limits,
    /// What `now()` means, unless a page token says what it meant on the first page.
    pub now: DateTime<Utc>,
    /// What page tokens are sealed with.
    pub seal: Seal<'a>,
}

/// A query that the model admits and the limits allow.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    /// Which entities; all if `None`.
    pub filter: Option<Filter>,
    /// Which of these; all if `None`.
    pub search: Option<Search>,
    /// In which order: that of `$orderby`, or the model's default. The store adds the id as the last key.
    pub order: Vec<SortKey>,
    /// Which properties are shown; all if `None`.
    pub select: Option<Selection>,
    /// The size of a page, if the caller named one in `$top`; others, such as a header or a default,
    /// come in where this is `None`. May be 0: then the caller wants no entities.
    pub top: Option<u32>,
    /// How many entities of the order to pass over; 0 if there is a page token.
    pub skip: u64,
    /// Whether the caller wants to know how many entities filter and search leave.
    pub count: bool,
    /// How much metadata the answer has, if `$format` says so.
    pub metadata: Option<MetadataLevel>,
    /// Where the page starts, from the page token; at the first entity if `None`.
    pub after: Option<Position>,
    /// The text of `$deltatoken`, unread: see [`DeltaToken`](crate::DeltaToken).
    pub delta_token: Option<String>,
    /// What page tokens of this query carry to be known again.
    pub fingerprint: Fingerprint,
    /// What `now()` meant, if the query asks for it. Page tokens carry it on.
    pub now: Option<DateTime<Utc>>,
}

impl QueryOptions {
    /// Parses each option and checks it against the model.
    ///
    /// # Errors
    /// The first option that is malformed, does not fit the model, is not supported or over a limit.
    pub fn check(&self, context: &CheckContext<'_>) -> Result<Query, QueryError> {
        let CheckContext { model, limits, .. } = *context;
        let token = match self.text(QueryOption::SkipToken) {
            Some(_) if self.text(QueryOption::Skip).is_some() => {
                let message = "cannot be used with $skiptoken, which says where the page starts";
                return Err(QueryError::of_option(ErrorKind::Malformed, QueryOption::Skip.name(), message));
            }
            Some(text) => Some(page_token::open(text, &context.seal, limits)?),
            None => None,
        };
        let now = token.as_ref().and_then(|token| token.now).unwrap_or(context.now);
        let mut asks_for_now = false;

        let (filter, filter_text) = match self.source(QueryOption::Filter) {
            Some(Source { text, .. }) => {
                let expr = parse_filter(text, limits)?;
                asks_for_now |= expr.value.asks_for_now();
                (Some(check_filter(&expr, text, model, now)?), expr.to_string())
            }
            None => (None, String::new()),
        };
        let (search, search_text) = match self.text(QueryOption::Search) {
            Some(text) => {
                let search = parse_search(text, limits)?;
                (Some(check_search(&search, text, model)?), search.to_string())
            }
            None => (None, String::new()),
        };
        let (order, order_text) = match (self.text(QueryOption::OrderBy), model.default_orderby) {
            (None, "") => (Vec::new(), String::new()),
            (given, default) => {
                let text = given.unwrap_or(default);
                let items = parse_orderby(text, limits)?;
                asks_for_now |= items.iter().any(|item| item.expr.value.asks_for_now());
                (check_orderby(&items, text, model, now)?, canonical(&items))
            }
        };
        let fingerprint = Fingerprint::of(&filter_text, &search_text, &order_text);
        let after = token.map(|token| token.position(fingerprint, &order)).transpose()?;
        Ok(Query {
            filter,
            search,
            order,
            select: self.check_select(model, limits)?,
            top: self
                .number(QueryOption::Top, u64::from(limits.top))?
                .and_then(|top| u32::try_from(top).ok()),
            skip: self.number(QueryOption::Skip, limits.skip)?.unwrap_or(0),
            count: self.check_count()?,
            metadata: self.check_format()?,
            after,
            delta_token: self.text(QueryOption::DeltaToken).map(str::to_owned),
            fingerprint,
            now: asks_for_now.then_some(now),
        })
    }

    /// Selection and metadata alone, for a request for one entity. Other options are refused.
    ///
    /// # Errors
    /// As [`QueryOptions::check`] and [`QueryOptions::allow_only`].
    pub fn check_for_entity(
        &self,
        model: &Model,
        limits: &Limits,
    ) -> Result<(Option<Selection>, Option<MetadataLevel>), QueryError> {
        self.allow_only(&[QueryOption::Select, QueryOption::Format])?;
        Ok((self.check_select(model, limits)?, self.check_format()?))
    }

    fn check_select(&self, model: &Model, limits: &Limits) -> Result<Option<Selection>, QueryError> {
        let Some(text) = self.text(QueryOption::Select) else { return Ok(None) };
        let items = parse_select(text, limits)?;
        check_select(&items, text, model).map(Some)
    }

    fn number(&self, option: QueryOption, max: u64) -> Result<Option<u64>, QueryError> {
        self.source(option).map(|source| parse_number(source, max)).transpose()
    }

    fn check_count(&self) -> Result<bool, QueryError> {
        self.text(QueryOption::Count).map_or(Ok(false), parse_count)
    }

    fn check_format(&self) -> Result<Option<MetadataLevel>, QueryError> {
        self.text(QueryOption::Format).map_or(Ok(None), parse_format)
    }
}

/// Reads the number of `$top` or `$skip`.
///
/// # Errors
/// The text is no number without a sign, or one over the limit.
pub fn parse_number(source: Source<'_>, max: u64) -> Result<u64, QueryError> {
    let is_number = !source.text.is_empty() && source.text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number {
        return Err(unexpected(source, "a whole number"));
    }
    // A number of so many digits that it does not fit is over any limit.
    match source.text.parse() {
        Ok(number) if number <= max => Ok(number),
        _ => Err(source.error(ErrorKind::OverLimit, all_of(source), format!("more than {max}"))),
    }
}

/// Reads the text of `$count`.
///
/// # Errors
/// It is neither `true` nor `false`, in any case.
pub fn parse_count(text: &str) -> Result<bool, QueryError> {
    match text.to_ascii_lowercase().as_str() {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(unexpected(Source { option: QueryOption::Count, text }, "true or false")),
    }
}

impl Query {
    /// The token of the page that starts after a position, for `$skiptoken`.
    ///
    /// # Errors
    /// The position's values are too long for a token.
    pub fn page_token(
        &self,
        after: &Position,
        seal: &Seal<'_>,
        limits: &Limits,
    ) -> Result<String, QueryError> {
        let token = PageToken { now: self.now, query: self.fingerprint, after: after.clone() };
        token.encode(seal, limits)
    }
}

fn all_of(source: Source<'_>) -> Span {
    Span { start: 0, end: source.text.len() }
}

fn unexpected(source: Source<'_>, expected: &str) -> QueryError {
    let message = format!("expected {expected} but found {}", source.quote(all_of(source)));
    source.error(ErrorKind::Malformed, all_of(source), message)
}
