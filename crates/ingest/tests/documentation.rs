//! `docs/records.md` names each column of each table, in order, with its type.

#![expect(clippy::unwrap_used, reason = "tests; clippy excuses only the bodies of test functions")]

use std::fs;
use std::path::Path;

use arrow_schema::{DataType, Field};
use ingest::schema::Kind;

/// The columns and types in the table under a heading.
fn documented(text: &str, heading: &str) -> Vec<(String, String)> {
    let (_, section) =
        text.split_once(&format!("\n## {heading}\n")).unwrap_or_else(|| panic!("no section {heading}"));
    let section = section.split("\n## ").next().unwrap();
    let rows = section.lines().filter(|line| line.starts_with("| `"));
    rows.map(|row| {
        let mut cells = row.split('|').skip(1).map(str::trim);
        (cells.next().unwrap().trim_matches('`').to_owned(), cells.next().unwrap().to_owned())
    })
    .collect()
}

fn word(field: &Field) -> (String, String) {
    let word = match field.data_type() {
        DataType::Utf8 => "text",
        DataType::Int64 => "int",
        DataType::Float64 => "float",
        DataType::Timestamp(..) => "time",
        DataType::Date32 => "date",
        DataType::Binary => "hash",
        other => panic!("no word for {other}"),
    };
    (field.name().clone(), word.to_owned())
}

#[test]
fn every_column_is_documented() {
    let text =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/records.md")).unwrap();
    let common = documented(&text, "Columns of every table");
    for kind in Kind::ALL {
        let columns: Vec<_> = kind.schema().fields().iter().map(|field| word(field)).collect();
        let expected = [common.clone(), documented(&text, kind.name())].concat();
        assert_eq!(columns, expected, "{}", kind.name());
    }
}
