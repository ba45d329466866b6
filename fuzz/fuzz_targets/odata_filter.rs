//! `$filter`, `$orderby`, `$select` and `$search` texts: no panic, errors point into the text, and what was read
//! prints as a text that reads the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use odata::check::check_filter;
use odata::orderby::{canonical, check_orderby};
use odata::parser::{parse_filter, parse_orderby, parse_select};
use odata::search::{check_search, parse_search};
use odata::select::check_select;
use odata::{Limits, QueryError, TokenKey, model};

#[path = "../../crates/odata/tests/sample/mod.rs"]
#[allow(dead_code, reason = "nothing here is sealed, so the key is not used")]
mod sample;

use sample::{MODEL, NOW};

fuzz_target!(|text: &str| {
    let limits = Limits::default();
    filter(text, &limits).unwrap_or_else(|error| points_into(text, &error));
    orderby(text, &limits).unwrap_or_else(|error| points_into(text, &error));
    let select = parse_select(text, &limits).and_then(|items| check_select(&items, text, &MODEL));
    search(text, &limits).unwrap_or_else(|error| points_into(text, &error));
    select.map(|_| ()).unwrap_or_else(|error| points_into(text, &error));
});

fn filter(text: &str, limits: &Limits) -> Result<(), QueryError> {
    let expr = parse_filter(text, limits)?;
    let printed = expr.to_string();
    let again = parse_filter(&printed, &for_printed(limits)).expect("a printed filter is read");
    assert_eq!(again, expr, "{printed}");
    let checked = check_filter(&expr, text, &MODEL, NOW)?;
    assert_eq!(check_filter(&again, &printed, &MODEL, NOW), Ok(checked), "{printed}");
    Ok(())
}

fn orderby(text: &str, limits: &Limits) -> Result<(), QueryError> {
    let items = parse_orderby(text, limits)?;
    let printed = canonical(&items);
    assert_eq!(parse_orderby(&printed, &for_printed(limits)).as_ref(), Ok(&items), "{printed}");
    check_orderby(&items, text, &MODEL, NOW).map(|_| ())
}

fn search(text: &str, limits: &Limits) -> Result<(), QueryError> {
    let search = parse_search(text, limits)?;
    let printed = search.to_string();
    assert_eq!(parse_search(&printed, &for_printed(limits)).as_ref(), Ok(&search), "{printed}");
    check_search(&search, text, &MODEL).map(|_| ())
}

/// A printed number or time may be longer than it was written, and nested one deeper: `--0` negates the
/// number `-0`, which prints as `0`, before which a sign needs parentheses.
fn for_printed(limits: &Limits) -> Limits {
    Limits { option_bytes: usize::MAX, filter_depth: limits.filter_depth + 1, ..limits.clone() }
}

fn points_into(text: &str, error: &QueryError) {
    assert!(error.position.is_none_or(|position| position <= text.chars().count()), "{error}");
    assert!(error.to_string().len() < 2_000);
}
