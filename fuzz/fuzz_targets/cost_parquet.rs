//! Costs as Parquet.
//!
//! The library for Parquet panics on some damaged files. The reader has it in a thread of its own and makes a
//! rejection of that, so a panic there is no finding; one of the reader itself ends the process as ever.

#![no_main]

use libfuzzer_sys::fuzz_target;

mod reading;

fuzz_target!(
    init: std::panic::set_hook(Box::new(|_| {})),
    |bytes: &[u8]| {
        reading::check(bytes);
    }
);
