//! Files of the quarantine: each line is read or named as unreadable; what was read is written as a line that reads
//! the same, and its record can be read again.

use std::path::PathBuf;
use std::sync::LazyLock;
use std::{env, fs, process};

use ingest::{Kept, read_quarantine};

use crate::reading;

static FILE: LazyLock<PathBuf> =
    LazyLock::new(|| env::temp_dir().join(format!("tenantwatch-fuzz-{}.ndjson", process::id())));

pub fn check(data: &[u8]) {
    fs::write(&*FILE, data).expect("the folder for temporary files can be written");
    let lines = read_quarantine(&FILE).expect("the file is there");
    let mut number = 0;
    for line in lines {
        number += 1;
        let kept = match line {
            Ok(kept) => kept,
            Err(error) => {
                assert_eq!(error.line, number);
                continue;
            }
        };
        let written = serde_json::to_string(&kept).expect("a rejection can be written");
        assert!(!written.contains('\n'));
        let again: Kept = serde_json::from_str(&written).expect("what was written can be read");
        assert_eq!(again, kept);
        reading::check(kept.record.as_bytes());
    }
    assert!(number <= data.iter().filter(|byte| **byte == b'\n').count() as u64 + 1);
}
