//! Rows of Resource Graph, and its replies: each has a type and a path.
#![no_main]

use ingest::schema::Kind;
use libfuzzer_sys::fuzz_target;

mod reading;

use reading::check;

fuzz_target!(|data: &[u8]| {
    let found = check(data);
    let rows = found.summary.rows(Kind::Inventory) as usize;
    for column in ["resource_id", "resource_type"] {
        assert_eq!(found.texts(Kind::Inventory, column).len(), rows, "{column} is never null");
    }
});
