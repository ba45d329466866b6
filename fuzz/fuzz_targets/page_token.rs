//! Page tokens: as a text of any kind, and as the bytes behind a genuine head, which is how a forged
//! token gets past the fingerprint. What is read is written back to the same text.
#![no_main]

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use libfuzzer_sys::fuzz_target;
use odata::{Limits, Position, Query, QueryOptions, model, page_token};

#[path = "../../crates/odata/tests/sample/mod.rs"]
mod sample;

use sample::MODEL;

fuzz_target!(|data: &[u8]| {
    let query = query();
    let limits = Limits::default();
    if let Ok(text) = std::str::from_utf8(data) {
        let _ = page_token::decode(text, query.fingerprint, &query.order, &limits);
    }
    let token = forged(&query, data);
    if let Ok(position) = page_token::decode(&token, query.fingerprint, &query.order, &limits) {
        assert_eq!(query.page_token(&position, &limits).as_ref(), Ok(&token));
    }
});

fn query() -> Query {
    let raw = "$orderby=severity,title,isTest,count,cost,detectedDateTime desc";
    let options = QueryOptions::parse(raw).expect("a fixed query string");
    options.check(&MODEL, &Limits::default()).expect("a fixed query")
}

/// A genuine version and fingerprint with other bytes behind them.
fn forged(query: &Query, tail: &[u8]) -> String {
    let nowhere = Position { keys: Vec::new(), id: String::new() };
    let genuine = query.page_token(&nowhere, &Limits::default()).expect("an empty position has a token");
    let mut bytes = URL_SAFE_NO_PAD.decode(genuine).expect("a genuine token");
    bytes.truncate(17);
    bytes.extend(tail);
    URL_SAFE_NO_PAD.encode(bytes)
}
