//! Public sample events of other projects: each is stored or rejected with a reason, none panics.
//!
//! The samples are not part of the project. `TENANTWATCH_SHARED_DATA` names the folder they are in; without
//! it, `../shared/data` beside the workspace is tried.

#![expect(clippy::unwrap_used, reason = "tests; clippy excuses only the bodies of test functions")]
#![expect(clippy::print_stderr, reason = "a skipped test says so")]

mod rows;

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use ingest::schema::Kind;
use rows::read;

fn folder() -> PathBuf {
    std::env::var_os("TENANTWATCH_SHARED_DATA")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"), PathBuf::from)
}

/// The records of a sample file: a member of each line, as JSON text.
fn records(name: &str, member: &str) -> Option<Vec<String>> {
    let path = folder().join("azure").join(name);
    let Ok(text) = fs::read_to_string(&path) else {
        eprintln!("skipped: {} is not there", path.display());
        return None;
    };
    let record = |line: &str| {
        let row: serde_json::Value = serde_json::from_str(line).unwrap();
        match &row[member] {
            // An excerpt that is no JSON by itself is given as it is.
            serde_json::Value::String(text) => text.clone(),
            other => other.to_string(),
        }
    };
    Some(text.lines().map(record).collect())
}

/// What becomes of the records one by one, by reason.
fn tally(records: &[String]) -> BTreeMap<String, u64> {
    let mut tally = BTreeMap::new();
    for record in records {
        let outcome = read(record.as_bytes());
        assert_eq!(outcome.summary.read, 1, "{record}");
        let what =
            outcome.rejected.first().map_or_else(|| "stored".to_owned(), |rejected| rejected.reason.clone());
        *tally.entry(what).or_insert(0) += 1;
    }
    tally
}

#[test]
fn activity_samples() {
    let Some(records) = records("labelled_activity_events.jsonl", "log") else { return };
    insta::assert_debug_snapshot!(tally(&records));
    let together = read(records.join("\n").as_bytes());
    assert_eq!(together.summary.read, records.len() as u64, "together they are as many");
    assert_eq!(
        together.column(Kind::Activity, "operation").len() as u64,
        together.summary.rows(Kind::Activity)
    );
}

#[test]
fn entra_samples() {
    let Some(records) = records("labelled_entra_events.jsonl", "log") else { return };
    insta::assert_debug_snapshot!(tally(&records));
}

#[test]
fn attack_samples() {
    let Some(records) = records("stratus_attack_events.jsonl", "event") else { return };
    insta::assert_debug_snapshot!(tally(&records));
}

#[test]
fn other_samples_are_refused_or_read_without_panic() {
    for part in ["azure", "azure-facts", "cost", "mining"] {
        let Ok(files) = fs::read_dir(folder().join(part)) else { continue };
        for file in files {
            let bytes = fs::read(file.unwrap().path()).unwrap();
            read(&bytes);
        }
    }
}
