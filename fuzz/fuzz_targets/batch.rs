//! The bodies of `$batch`: no panic; what is read has few requests, and an order in which each runs once, after
//! those it depends on.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::Value;

/// The file itself, as the crate around it brings a web server and its cryptography.
#[path = "../../crates/graph/src/app/batch.rs"]
mod batch;

use batch::{Batch, REQUESTS_MAX};

fuzz_target!(|data: &[u8]| {
    let Ok(Value::Object(body)) = serde_json::from_slice(data) else { return };
    let batch = match Batch::parse(&body) {
        Ok(batch) => batch,
        Err(error) => return assert!(!error.to_string().is_empty()),
    };
    let count = batch.items.len();
    assert!((1..=REQUESTS_MAX).contains(&count));
    for (index, item) in batch.items.iter().enumerate() {
        assert!(!item.id.is_empty() && !item.method.is_empty() && !item.url.is_empty());
        assert!(item.depends_on.iter().all(|before| *before < count && *before != index));
    }
    let mut is_done = vec![false; count];
    for wave in batch.waves().expect("what was read has an order") {
        assert!(!wave.is_empty());
        let is_ready = |index: &usize| batch.items[*index].depends_on.iter().all(|before| is_done[*before]);
        assert!(wave.iter().all(is_ready));
        for index in wave {
            assert!(!std::mem::replace(&mut is_done[index], true), "request {index} runs twice");
        }
    }
    assert!(!is_done.contains(&false));
});
