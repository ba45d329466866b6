//! Listing and counting alerts, and looking at one.

use odata::query::CheckContext;
use odata::{MetadataLevel, Query, QueryOption, QueryOptions, Selection};
use store::{AlertBody, AlertQuery};

use super::{
    AlertError, AlertReply, Desk, LIMITS, MODEL, PAGE_SIZE, asked_level, known_id, seal, stored,
    token_context,
};

/// One page of alerts.
#[derive(Debug)]
pub struct AlertList {
    /// The alerts, whole.
    pub alerts: Vec<AlertBody>,
    /// Which properties to show; all if `None`.
    pub selection: Option<Selection>,
    /// How many alerts filter and search leave, if the caller asked.
    pub count: Option<u64>,
    /// The query string of the next page; `None` on the last.
    pub next_query: Option<String>,
    /// How much metadata the caller wants, if the query says so.
    pub metadata: Option<MetadataLevel>,
    /// The page size that the caller preferred, if it was kept.
    pub preferred_page_size: Option<u32>,
}

/// Lists alerts by the raw query string of the request.
///
/// `page_size` is what the caller prefers; see `page_limit`.
///
/// # Errors
///
/// [`AlertError::Query`] with option, position and token; [`AlertError::Store`].
pub async fn list(desk: &Desk<'_>, raw_query: &str, page_size: Option<u32>) -> Result<AlertList, AlertError> {
    let options = QueryOptions::parse(raw_query)?;
    options.allow_only(LIST_OPTIONS)?;
    let query = check(desk, &options)?;
    let count = match query.count {
        true => {
            Some(desk.store.count_alerts(desk.scope, query.filter.as_ref(), query.search.as_ref()).await?)
        }
        false => None,
    };
    page(desk, &options, query, page_size, count).await
}

/// What a list takes: all but `$deltatoken`.
const LIST_OPTIONS: &[QueryOption] = &[
    QueryOption::Filter,
    QueryOption::Search,
    QueryOption::OrderBy,
    QueryOption::Select,
    QueryOption::Top,
    QueryOption::Skip,
    QueryOption::Count,
    QueryOption::SkipToken,
    QueryOption::Format,
];

/// The options, checked against what alerts can be asked.
pub(super) fn check(desk: &Desk<'_>, options: &QueryOptions) -> Result<Query, AlertError> {
    let context = token_context(desk.scope);
    let check = CheckContext { model: &MODEL, limits: &LIMITS, now: desk.now, seal: seal(desk, &context) };
    Ok(options.check(&check)?)
}

/// How many alerts a page holds: what the caller prefers, but no more than `$top` asks for and no more
/// than any page may hold.
pub(super) fn page_limit(top: Option<u32>, preferred: Option<u32>) -> u32 {
    let asked = match (top, preferred) {
        (Some(top), Some(preferred)) => top.min(preferred),
        (one, other) => one.or(other).unwrap_or(PAGE_SIZE),
    };
    asked.min(LIMITS.top)
}

/// One page of what a checked query asks for.
pub(super) async fn page(
    desk: &Desk<'_>,
    options: &QueryOptions,
    query: Query,
    page_size: Option<u32>,
    count: Option<u64>,
) -> Result<AlertList, AlertError> {
    let preferred = page_size.map(|size| size.min(LIMITS.top));
    let limit = page_limit(query.top, preferred);
    let mut list = AlertList {
        alerts: Vec::new(),
        selection: query.select.clone(),
        count,
        next_query: None,
        metadata: asked_level(options, query.metadata),
        preferred_page_size: preferred,
    };
    if limit == 0 {
        return Ok(list);
    }
    let asked = AlertQuery {
        filter: query.filter.clone(),
        search: query.search.clone(),
        order: query.order.clone(),
        limit: limit as usize,
        skip: query.skip,
        after: query.after.clone(),
    };
    let page = desk.store.list_alerts(desk.scope, &asked).await?;
    if let Some(next) = page.next {
        let context = token_context(desk.scope);
        let token = query.page_token(&next, &seal(desk, &context), &LIMITS)?;
        list.next_query = Some(options.next_link_query(&token));
    }
    list.alerts = page.alerts;
    Ok(list)
}

/// Counts alerts by the raw query string of the request; only filter and search make sense there.
///
/// # Errors
///
/// As [`list`].
pub async fn count(desk: &Desk<'_>, raw_query: &str) -> Result<u64, AlertError> {
    let options = QueryOptions::parse(raw_query)?;
    options.allow_only(&[QueryOption::Filter, QueryOption::Search])?;
    let query = check(desk, &options)?;
    Ok(desk.store.count_alerts(desk.scope, query.filter.as_ref(), query.search.as_ref()).await?)
}

/// One alert.
///
/// # Errors
///
/// [`AlertError::NotFound`] if the scope has no such alert; [`AlertError::Query`].
pub async fn show(desk: &Desk<'_>, id: &str, raw_query: &str) -> Result<AlertReply, AlertError> {
    let options = QueryOptions::parse(raw_query)?;
    let (selection, metadata) = options.check_for_entity(&MODEL, &LIMITS)?;
    let body = stored(desk, &known_id(id)?).await?;
    Ok(AlertReply { body, selection, metadata: asked_level(&options, metadata) })
}
