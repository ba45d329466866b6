//! Service Health: summaries and titles are plain text.
#![no_main]

use ingest::schema::Kind;
use libfuzzer_sys::fuzz_target;

mod reading;

use reading::check;

fuzz_target!(|data: &[u8]| {
    let found = check(data);
    for column in ["title", "summary"] {
        for text in found.texts(Kind::Advisory, column) {
            assert!(!text.contains("  ") && !text.contains('\n') && text.trim() == text, "{text:?}");
        }
    }
});
