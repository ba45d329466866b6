//! The OASIS test cases of OData's URL grammar, against our grammar.
//!
//! Every case whose rule is about query options, expressions or literals of a URL is run. It is
//! accepted, refused as the case demands, or refused on purpose: by an error that names what we do not
//! support. Anything else is a failure, of which there must be none. Whether names exist is not asked,
//! because the cases are about another model.
//!
//! The cases are `odata-abnf-testcases.yaml` of `oasis-tcs/odata-abnf` and no part of this repository.
//! They are looked for in the folder that the variable `TENANTWATCH_ODATA_CASES` names, and else in
//! `../shared/data/odata-abnf` beside the repository; without them nothing is tested here.
//! The table in `docs/odata.md` must be what a run yields; with `TENANTWATCH_ODATA_CASES_WRITE` set, it
//! is written there.

#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
#![expect(clippy::print_stdout, reason = "a skipped test says so, and the table is worth reading")]

use std::path::{Path, PathBuf};
use std::{env, fs};

mod cases;
mod report;
mod rules;

use cases::read_cases;
use report::Report;
use rules::{Outcome, run};

/// What the cases at commit e7790a5 of their repository yield.
const EXPECTED: Totals = Totals { accepted: 241, on_purpose: 198, as_demanded: 50, failed: 0, not_ours: 351 };

#[derive(Debug, Default, PartialEq, Eq)]
struct Totals {
    accepted: usize,
    on_purpose: usize,
    as_demanded: usize,
    failed: usize,
    not_ours: usize,
}

#[test]
fn every_case_is_accepted_or_refused_for_a_reason() {
    let Some(text) = case_file() else { return };
    let cases = read_cases(&text);
    let mut report = Report::default();
    let mut totals = Totals::default();
    let mut failures = Vec::new();
    for case in &cases {
        let outcome = run(case);
        match &outcome {
            Outcome::Accepted => totals.accepted += 1,
            Outcome::OnPurpose(_) => totals.on_purpose += 1,
            Outcome::AsDemanded => totals.as_demanded += 1,
            Outcome::NotOurs(_) => totals.not_ours += 1,
            Outcome::Failed(why) => {
                totals.failed += 1;
                failures.push(format!("{}: {}: {why}", case.rule, case.input));
            }
        }
        report.add(&case.rule, &outcome);
    }
    println!("{}", report.markdown());
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert_eq!(totals, EXPECTED);
    check_document(&report.markdown());
}

fn case_file() -> Option<String> {
    let folder = match env::var_os("TENANTWATCH_ODATA_CASES") {
        Some(folder) => PathBuf::from(folder),
        None => repository().join("../shared/data/odata-abnf"),
    };
    let file = folder.join("odata-abnf-testcases.yaml");
    if !file.exists() {
        println!("skipped: {} is not there", file.display());
        return None;
    }
    Some(fs::read_to_string(file).unwrap())
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The document holds the table between two marks.
fn check_document(table: &str) {
    const START: &str = "<!-- cases: start; written by the tests of crates/odata -->\n";
    const END: &str = "<!-- cases: end -->\n";
    let path = repository().join("docs/odata.md");
    let document = fs::read_to_string(&path).unwrap();
    let (before, rest) = document.split_once(START).unwrap();
    let (_, after) = rest.split_once(END).unwrap();
    let wanted = format!("{before}{START}\n{table}\n{END}{after}");
    if env::var_os("TENANTWATCH_ODATA_CASES_WRITE").is_some() {
        fs::write(&path, wanted).unwrap();
        return;
    }
    assert!(
        document == wanted,
        "docs/odata.md is out of date; run this test with TENANTWATCH_ODATA_CASES_WRITE=1"
    );
}
