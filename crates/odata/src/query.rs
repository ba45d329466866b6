//! The whole query, checked: what a server needs to answer it.

use crate::checked::{Filter, SortKey};
use crate::error::{ErrorKind, QueryError, QueryOption};
use crate::limits::Limits;
use crate::model::Model;
use crate::options::QueryOptions;
use crate::orderby::{canonical, check_orderby};
use crate::page_token::{self, Fingerprint, Position};
use crate::parser::{parse_filter, parse_orderby, parse_select};
use crate::select::{Selection, check_select};
use crate::source::{Source, Span};

/// A query that the model admits and the limits allow.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    /// Which entities; all if `None`.
    pub filter: Option<Filter>,
    /// In which order: that of `$orderby`, or the model's default. The store adds the id as the last key.
    pub order: Vec<SortKey>,
    /// Which properties are shown; all if `None`.
    pub select: Option<Selection>,
    /// The size of a page, if the caller named one. May be 0: then the caller wants no entities.
    pub top: Option<u32>,
    /// How many entities of the order to pass over; 0 if there is a page token.
    pub skip: u64,
    /// Whether the caller wants to know how many entities the filter leaves.
    pub count: bool,
    /// Where the page starts, from the page token; at the first entity if `None`.
    pub after: Option<Position>,
    /// What page tokens of this query carry to be known again.
    pub fingerprint: Fingerprint,
}

impl QueryOptions {
    /// Parses each option and checks it against the model.
    ///
    /// # Errors
    /// The first option that is malformed, does not fit the model, is not supported or over a limit.
    pub fn check(&self, model: &Model, limits: &Limits) -> Result<Query, QueryError> {
        let (filter, filter_text) = match self.source(QueryOption::Filter) {
            Some(source) => {
                let expr = parse_filter(source.text, limits)?;
                (Some(crate::check::check_filter(&expr, source.text, model)?), expr.to_string())
            }
            None => (None, String::new()),
        };
        let (order, order_text) = match (self.text(QueryOption::OrderBy), model.default_orderby) {
            (None, "") => (Vec::new(), String::new()),
            (given, default) => {
                let text = given.unwrap_or(default);
                let items = parse_orderby(text, limits)?;
                (check_orderby(&items, text, model)?, canonical(&items))
            }
        };
        let fingerprint = Fingerprint::of(&filter_text, &order_text);
        let after = match self.text(QueryOption::SkipToken) {
            Some(_) if self.text(QueryOption::Skip).is_some() => {
                let message = "cannot be used with $skiptoken, which says where the page starts";
                return Err(QueryError::of_option(ErrorKind::Malformed, QueryOption::Skip.name(), message));
            }
            Some(token) => Some(page_token::decode(token, fingerprint, &order, limits)?),
            None => None,
        };
        self.check_format()?;
        Ok(Query {
            filter,
            order,
            select: self.check_select(model, limits)?,
            top: self
                .number(QueryOption::Top, u64::from(limits.top))?
                .and_then(|top| u32::try_from(top).ok()),
            skip: self.number(QueryOption::Skip, limits.skip)?.unwrap_or(0),
            count: self.check_count()?,
            after,
            fingerprint,
        })
    }

    /// The selection alone, for a request for one entity. Other options but `$format` are refused.
    ///
    /// # Errors
    /// As [`QueryOptions::check`] and [`QueryOptions::allow_only`].
    pub fn check_for_entity(&self, model: &Model, limits: &Limits) -> Result<Option<Selection>, QueryError> {
        self.allow_only(&[QueryOption::Select, QueryOption::Format])?;
        self.check_format()?;
        self.check_select(model, limits)
    }

    fn check_select(&self, model: &Model, limits: &Limits) -> Result<Option<Selection>, QueryError> {
        let Some(text) = self.text(QueryOption::Select) else { return Ok(None) };
        let items = parse_select(text, limits)?;
        check_select(&items, text, model).map(Some)
    }

    fn number(&self, option: QueryOption, max: u64) -> Result<Option<u64>, QueryError> {
        let Some(source) = self.source(option) else { return Ok(None) };
        let is_number = !source.text.is_empty() && source.text.bytes().all(|byte| byte.is_ascii_digit());
        if !is_number {
            return Err(unexpected(source, "a whole number"));
        }
        // A number of so many digits that it does not fit is over any limit.
        match source.text.parse() {
            Ok(number) if number <= max => Ok(Some(number)),
            _ => Err(source.error(ErrorKind::OverLimit, all_of(source), format!("more than {max}"))),
        }
    }

    fn check_count(&self) -> Result<bool, QueryError> {
        match self.source(QueryOption::Count) {
            None => Ok(false),
            Some(source) => match source.text.to_ascii_lowercase().as_str() {
                "true" => Ok(true),
                "false" => Ok(false),
                _ => Err(unexpected(source, "true or false")),
            },
        }
    }

    /// There is one format: JSON with minimal metadata.
    fn check_format(&self) -> Result<(), QueryError> {
        let Some(source) = self.source(QueryOption::Format) else { return Ok(()) };
        let mut parts = source.text.split(';').map(|part| part.trim().to_ascii_lowercase());
        let is_json = parts.next().is_some_and(|kind| kind == "json" || kind == "application/json");
        let is_minimal = parts.all(|part| part == "odata.metadata=minimal" || part == "metadata=minimal");
        if is_json && is_minimal {
            return Ok(());
        }
        let error =
            source.unsupported(all_of(source), format_args!("format {}", source.quote(all_of(source))));
        Err(error.with_hint("use json"))
    }
}

impl Query {
    /// The token of the page that starts after a position, for `$skiptoken`.
    ///
    /// # Errors
    /// The position's values are too long for a token.
    pub fn page_token(&self, after: &Position, limits: &Limits) -> Result<String, QueryError> {
        page_token::encode(after, self.fingerprint, limits)
    }
}

fn all_of(source: Source<'_>) -> Span {
    Span { start: 0, end: source.text.len() }
}

fn unexpected(source: Source<'_>, expected: &str) -> QueryError {
    let message = format!("expected {expected} but found {}", source.quote(all_of(source)));
    source.error(ErrorKind::Malformed, all_of(source), message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checked::{Direction, Literal};
    use crate::sample::MODEL;

    fn query(raw: &str) -> Result<Query, QueryError> {
        QueryOptions::parse(raw)?.check(&MODEL, &Limits::default())
    }

    fn check_error(raw: &str, expected: &str) {
        assert_eq!(
            query(raw).map(|_| ()).map_err(|error| error.to_string()),
            Err(expected.to_owned()),
            "{raw}"
        );
    }

    #[test]
    fn a_query_without_options_has_the_default_order() {
        let query = query("").unwrap();
        assert_eq!((query.filter, query.select, query.top, query.skip), (None, None, None, 0));
        assert!(!query.count && query.after.is_none());
        assert_eq!(query.order.len(), 1);
        assert_eq!(query.order[0].direction, Direction::Descending);
        assert_eq!(query.order[0].by.ty(), Some(crate::model::Type::DateTimeOffset));
    }

    #[test]
    fn options_are_read_together() {
        let query =
            query("$filter=severity+eq+'high'&$top=0&skip=3&COUNT=True&$format=json&$select=id").unwrap();
        assert!(query.filter.is_some() && query.count);
        assert_eq!((query.top, query.skip), (Some(0), 3));
        assert_eq!(query.select.unwrap().context_list(), "id");
        assert_eq!(super::QueryOptions::default().check_for_entity(&MODEL, &Limits::default()), Ok(None));
    }

    #[test]
    fn errors_name_the_option_and_the_place() {
        check_error("$top=ten", "$top: expected a whole number but found 'ten' at 0");
        check_error("$top=-1", "$top: expected a whole number but found '-1' at 0");
        check_error("$top=", "$top: expected a whole number but found the end at 0");
        check_error("$top=1001", "$top: more than 1000 at 0");
        check_error("$skip=99999999999999999999999", "$skip: more than 1000000 at 0");
        check_error("$count=yes", "$count: expected true or false but found 'yes' at 0");
        check_error("$format=atom", "$format: format 'atom' is not supported here at 0; use json");
        check_error(
            "$format=json;odata.metadata=full",
            "$format: format 'json;odata.metadata=full' is not supported here at 0; use json",
        );
        check_error(
            "$filter=severty eq 'high'",
            "$filter: unknown property 'severty' at 0; did you mean 'severity'?",
        );
    }

    #[test]
    fn a_page_token_is_good_for_its_own_query_only() {
        let first = query("$filter=isTest eq false&$orderby=severity&$top=5").unwrap();
        let position = Position { keys: vec![Literal::Enum(&crate::sample::SEVERITY, 2)], id: "a".into() };
        let token = first.page_token(&position, &Limits::default()).unwrap();

        let next = |raw: &str| query(&format!("{raw}&$skiptoken={token}"));
        let same = next("$top=9&orderby=severity+asc&$filter=isTest%20%20EQ+false").unwrap();
        assert_eq!(same.after, Some(position));

        let other = next("$filter=isTest eq true&$orderby=severity").unwrap_err();
        assert_eq!(
            other.to_string(),
            "$skiptoken: page token of another $filter or $orderby; follow @odata.nextLink as it is"
        );
        assert!(next("$filter=isTest eq false").is_err());
        assert_eq!(
            next("$filter=isTest eq false&$orderby=severity&$skip=1").unwrap_err().to_string(),
            "$skip: cannot be used with $skiptoken, which says where the page starts"
        );
    }
}
