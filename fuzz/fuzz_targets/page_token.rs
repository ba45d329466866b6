//! Page tokens and delta tokens: as a text of any kind, and as bytes that are sealed like genuine ones,
//! which only a bug could do. What is read is written back to the same text.
#![no_main]

use libfuzzer_sys::fuzz_target;
use odata::{
    CheckContext, DeltaToken, Limits, Position, Query, QueryOption, QueryOptions, Seal, TokenKey, model,
    page_token,
};

#[path = "../../crates/odata/tests/sample/mod.rs"]
mod sample;

use sample::{KEY, MODEL, NOW};

const SEAL: Seal<'static> = Seal { key: &KEY, context: b"partner" };

fuzz_target!(|data: &[u8]| {
    let query = query();
    let limits = Limits::default();
    if let Ok(text) = std::str::from_utf8(data) {
        assert!(page_token::decode(text, query.fingerprint, &query.order, &SEAL, &limits).is_err());
        assert!(DeltaToken::decode(text, &SEAL, &limits).is_err());
    }
    let token = sealed_position(&query, data);
    if let Ok(read) = page_token::decode(&token, query.fingerprint, &query.order, &SEAL, &limits) {
        assert_eq!(query.page_token(&read.after, &SEAL, &limits).as_ref(), Ok(&token));
    }
    let token = SEAL.close(QueryOption::DeltaToken, data);
    if let Ok(read) = DeltaToken::decode(&token, &SEAL, &limits) {
        assert_eq!(read.encode(&SEAL, &limits).as_ref(), Ok(&token));
    }
});

fn query() -> Query {
    let raw = "$orderby=severity,title,isTest,count,cost,detectedDateTime desc";
    let options = QueryOptions::parse(raw).expect("a fixed query string");
    let limits = Limits::default();
    let context = CheckContext { model: &MODEL, limits: &limits, now: NOW, seal: SEAL };
    options.check(&context).expect("a fixed query")
}

/// A genuine moment and fingerprint with other bytes behind them.
fn sealed_position(query: &Query, tail: &[u8]) -> String {
    let limits = Limits::default();
    let nowhere = Position { keys: Vec::new(), id: String::new() };
    let genuine = query.page_token(&nowhere, &SEAL, &limits).expect("an empty position has a token");
    let option = QueryOption::SkipToken;
    let mut held = SEAL.open(option, &genuine, limits.token_bytes).expect("a genuine token");
    held.truncate(17);
    held.extend(tail);
    SEAL.close(option, &held)
}
