//! The file of cases. It is nearly YAML: texts hold tabs, which YAML forbids, so this reads the few
//! forms that the file has.

/// One case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Case {
    /// The rule of the grammar.
    pub(crate) rule: String,
    /// The text, percent-encoded as in a URL.
    pub(crate) input: String,
    /// Whether it must be refused.
    pub(crate) must_fail: bool,
}

/// Reads all cases of the file.
pub(crate) fn read_cases(text: &str) -> Vec<Case> {
    let (_, list) = text.split_once("\nTestCases:\n").unwrap();
    let mut cases = Vec::new();
    for entry in list.split("\n  - Name:").skip(1).chain(first_entry(list)) {
        let (mut rule, mut input, mut must_fail) = (None, None, false);
        let mut fields: Vec<(String, Vec<&str>)> = vec![("Name".into(), Vec::new())];
        for line in entry.lines() {
            match line
                .strip_prefix("    ")
                .filter(|rest| rest.starts_with(|ch: char| ch.is_ascii_uppercase()))
            {
                Some(rest) => {
                    let (key, value) = rest.split_once(':').unwrap();
                    fields.push((key.to_owned(), vec![value]));
                }
                None => fields.last_mut().unwrap().1.push(line),
            }
        }
        for (key, lines) in fields {
            match key.as_str() {
                "Rule" => rule = Some(scalar(&lines)),
                "Input" => input = Some(scalar(&lines)),
                "FailAt" => must_fail = true,
                _ => {}
            }
        }
        cases.push(Case { rule: rule.unwrap(), input: input.unwrap(), must_fail });
    }
    cases
}

/// The entry that has no line break in front of it.
fn first_entry(list: &str) -> Option<&str> {
    list.strip_prefix("  - Name:").map(|rest| rest.split("\n  - Name:").next().unwrap_or(rest))
}

/// The text of a value that may go on over lines: plain, or in quotes of either kind.
fn scalar(lines: &[&str]) -> String {
    let lines: Vec<&str> = lines
        .iter()
        .map(|line| line.trim_matches(' '))
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .collect();
    let Some(first) = lines.first() else { return String::new() };
    if first.starts_with('"') {
        return double_quoted(&lines);
    }
    let folded = lines.join(" ");
    match folded.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')) {
        Some(inner) => inner.replace("''", "'"),
        // A comment may follow a plain value.
        None => folded.split(" #").next().unwrap_or_default().trim_end_matches(' ').to_owned(),
    }
}

/// A backslash at the end of a line joins it to the next without a space.
fn double_quoted(lines: &[&str]) -> String {
    let mut folded = String::new();
    for line in lines {
        let joined = folded.ends_with('\\') && !folded.ends_with("\\\\");
        if joined {
            folded.pop();
        } else if !folded.is_empty() {
            folded.push(' ');
        }
        folded.push_str(line);
    }
    let inner = folded.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap();
    let mut text = String::new();
    let mut chars = inner.chars();
    while let Some(ch) = chars.next() {
        text.push(match ch {
            '\\' => match chars.next().unwrap() {
                't' => '\t',
                'n' => '\n',
                'r' => '\r',
                other => other,
            },
            other => other,
        });
    }
    text
}

#[test]
fn the_forms_of_the_file_are_read() {
    let file = "Constraints:\n  a: []\n\nTestCases:\n  - Name: first\n    Rule: a\n    Input: x y\n\n  \
                - Name: long\n      name\n    Rule: b\n    FailAt: 3\n    Input: 'it''s\n      long'\n\n  \
                - Name:\n      quoted\n    Rule: c\n    Input: \"a\\\n      \\ \\\"b\\\\\"\n";
    let case =
        |rule: &str, input: &str, must_fail| Case { rule: rule.into(), input: input.into(), must_fail };
    let mut found = read_cases(file);
    found.sort_by(|a, b| a.rule.cmp(&b.rule));
    assert_eq!(found, [case("a", "x y", false), case("b", "it's long", true), case("c", "a \"b\\", false)]);
}
