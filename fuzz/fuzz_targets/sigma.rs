//! A file of Sigma rules: no panic; each outcome lies in the file; what became a detector has a manifest and cases that
//! are TOML, names that are safe as paths, and a query whose quotes and parentheses close.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sigma::{Importer, Translation};

fuzz_target!(|text: &str| {
    let lines = text.lines().count() + 2;
    let mut importer = Importer::default();
    let mut ids = std::collections::BTreeSet::new();
    for outcome in importer.import(text) {
        assert!((1..=lines).contains(&outcome.line), "{} of {lines}", outcome.line);
        match outcome.result {
            Ok(translation) => {
                assert!(ids.insert(translation.id.clone()), "{} stands there twice", translation.id);
                sound(&translation);
            }
            Err(skipped) => {
                assert!((1..=lines).contains(&skipped.line), "{skipped} of {lines}");
                assert!(!skipped.reason.is_empty());
            }
        }
    }
});

fn sound(translation: &Translation) {
    let is_word = |text: &str| {
        text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
    };
    assert!(is_word(&translation.id) && (1..=64).contains(&translation.id.len()), "{}", translation.id);
    let mut cases = [0, 0];
    for (name, text) in &translation.files {
        match name.as_str() {
            "query.sql" => closed(text),
            name => {
                let table: toml::Table = text.parse().expect("a file of a detector is TOML");
                if let Some(case) = name.strip_prefix("cases/") {
                    let case = case.strip_suffix(".toml").expect("a case ends in .toml");
                    assert!(is_word(case), "{case}");
                    cases[usize::from(table["fires"].as_bool().expect("a case says whether it fires"))] += 1;
                } else {
                    assert_eq!(name, "detector.toml");
                    assert_eq!(table["id"].as_str(), Some(translation.id.as_str()));
                }
            }
        }
    }
    assert!(cases[0] >= 3 && cases[1] >= 2, "{cases:?}");
}

/// Comments end with their line, quotes close, parentheses outside of both balance.
fn closed(sql: &str) {
    let (mut depth, mut quoted, mut comment) = (0_i64, false, false);
    let mut letters = sql.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '\n' => comment = false,
            _ if comment => {}
            '\'' => quoted = !quoted,
            _ if quoted => {}
            '-' if letters.peek() == Some(&'-') => comment = true,
            '(' => depth += 1,
            ')' => depth -= 1,
            ';' => panic!("a second statement: {sql}"),
            _ => {}
        }
        assert!(depth >= 0, "{sql}");
    }
    assert!(depth == 0 && !quoted, "{sql}");
}
