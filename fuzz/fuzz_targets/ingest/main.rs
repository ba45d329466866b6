//! All that reads records: the readers of each kind, the quarantine, manifests of exports.
//!
//! One program for all of them: each would have the libraries of Arrow and Parquet in it, and with the sanitizer's
//! checks those are most of a program of a hundred megabytes. Which target it is, the variable READER says; those of
//! the kinds of record differ by seeds and words alone.
//!
//! The library for Parquet panics on some damaged files. The reader has it in a thread of its own and makes a
//! rejection of that, so a panic there is no finding; any other ends the process.

#![no_main]

use std::sync::LazyLock;
use std::{env, panic, process, thread};

use libfuzzer_sys::fuzz_target;

mod manifest;
mod quarantine;
mod reading;
mod records;

static CHECK: LazyLock<fn(&[u8])> = LazyLock::new(|| match env::var("READER").as_deref() {
    Err(_) | Ok("" | "records") => records::check,
    Ok("manifest") => manifest::check,
    Ok("quarantine") => quarantine::check,
    Ok(other) => {
        eprintln!("READER is '{other}'; it may be records, manifest or quarantine");
        process::exit(2);
    }
});

fuzz_target!(
    init: {
        let ends_the_process = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if thread::current().name() != Some("parquet") {
                ends_the_process(info);
            }
        }));
        LazyLock::force(&CHECK);
    },
    |bytes: &[u8]| CHECK(bytes)
);
