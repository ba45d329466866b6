//! Daily rated usage of Partner Center, as JSON lines.
#![no_main]

use libfuzzer_sys::fuzz_target;

mod reading;

use reading::check;

fuzz_target!(|data: &[u8]| {
    check(data);
});
