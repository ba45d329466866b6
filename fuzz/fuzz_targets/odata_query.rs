//! Whole query strings: no panic, and the link to the next page is a query of the same kind.
#![no_main]

use libfuzzer_sys::fuzz_target;
use odata::{CheckContext, Limits, Position, QueryOption, QueryOptions, Seal, TokenKey, model};

#[path = "../../crates/odata/tests/sample/mod.rs"]
mod sample;

use sample::{KEY, MODEL, NOW};

fuzz_target!(|raw: &str| {
    let Ok(options) = QueryOptions::parse(raw) else { return };
    let limits = Limits::default();
    let _ = options.check_for_entity(&MODEL, &limits);
    let seal = Seal { key: &KEY, context: b"partner" };
    let context = CheckContext { model: &MODEL, limits: &limits, now: NOW, seal };
    let Ok(query) = options.check(&context) else { return };

    // Nulls fit every key, so this is a position of any order.
    let keys = query.order.iter().map(|_| odata::checked::Literal::Null).collect();
    let position = Position { keys, id: "id".to_owned() };
    let token = query.page_token(&position, &seal, &limits).expect("a short position has a token");
    let link = options.next_link_query(&token);
    let next = QueryOptions::parse(&link).expect("a link is a query string");
    assert_eq!(next.text(QueryOption::Skip), None);
    let later = CheckContext { now: NOW + chrono::TimeDelta::days(1), ..context };
    let next = next.check(&later).expect("a link is a query that was allowed");
    assert_eq!(next.after, Some(position));
    assert_eq!(
        (next.filter, next.search, next.order, next.select, next.top, next.now),
        (query.filter, query.search, query.order, query.select, query.top, query.now)
    );
});
