//! Whole query strings: no panic, and the link to the next page is a query of the same kind.
#![no_main]

use libfuzzer_sys::fuzz_target;
use odata::{Limits, Position, QueryOption, QueryOptions, model};

#[path = "../../crates/odata/tests/sample/mod.rs"]
mod sample;

use sample::MODEL;

fuzz_target!(|raw: &str| {
    let Ok(options) = QueryOptions::parse(raw) else { return };
    let limits = Limits::default();
    let _ = options.check_for_entity(&MODEL, &limits);
    let Ok(query) = options.check(&MODEL, &limits) else { return };

    // Nulls fit every key, so this is a position of any order.
    let keys = query.order.iter().map(|_| odata::checked::Literal::Null).collect();
    let position = Position { keys, id: "id".to_owned() };
    let token = query.page_token(&position, &limits).expect("a short position has a token");
    let link = options.next_link_query(&token);
    let next = QueryOptions::parse(&link).expect("a link is a query string");
    assert_eq!(next.text(QueryOption::Skip), None);
    let next = next.check(&MODEL, &limits).expect("a link is a query that was allowed");
    assert_eq!(next.after, Some(position));
    assert_eq!(
        (next.filter, next.order, next.select, next.top),
        (query.filter, query.order, query.select, query.top)
    );
});
