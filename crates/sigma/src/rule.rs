//! A rule as it is written: what it says of itself, which log it is about, and the parts of its detection.

use crate::report::{Because, Skipped};
use crate::yaml::{Node, Value};

/// A rule whose outer form is sound. What its detection says is looked at later.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Rule {
    pub(crate) about: About,
    pub(crate) level: Level,
    pub(crate) status: Status,
    pub(crate) log_source: LogSource,
    /// Named parts of the detection, without the conditions.
    pub(crate) parts: Vec<(String, Node)>,
    /// Each with its line; one of them must hold.
    pub(crate) conditions: Vec<(String, usize)>,
}

/// What a rule says of itself for people.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct About {
    /// The line on which it begins.
    pub(crate) line: usize,
    pub(crate) title: String,
    pub(crate) id: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) author: Option<String>,
    pub(crate) date: Option<String>,
    pub(crate) license: Option<String>,
    pub(crate) references: Vec<String>,
    pub(crate) tags: Vec<String>,
    pub(crate) false_positives: Vec<String>,
}

/// How bad a match is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Level {
    Informational,
    Low,
    Medium,
    High,
    Critical,
    /// The rule does not say.
    Unsaid,
}

/// How far its authors trust the rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    Stable,
    Test,
    Experimental,
    /// The rule does not say.
    Unsaid,
}

/// The log that a rule is about, in lower case.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct LogSource {
    pub(crate) line: usize,
    pub(crate) product: Option<String>,
    pub(crate) category: Option<String>,
    pub(crate) service: Option<String>,
    pub(crate) definition: Option<String>,
}

/// What a document says of itself, as far as it can be read; for the report.
pub(crate) fn about(document: &Node) -> About {
    let text = |key: &str| {
        document.get(key).and_then(Node::scalar).map(|text| one_line(&text)).filter(|t| !t.is_empty())
    };
    let list = |key: &str| match document.get(key).map(|node| &node.value) {
        Some(Value::List(items)) => {
            items.iter().filter_map(Node::scalar).map(|text| one_line(&text)).collect()
        }
        _ => text(key).into_iter().collect(),
    };
    About {
        line: document.line,
        title: text("title").unwrap_or_default(),
        id: text("id"),
        description: document.get("description").and_then(Node::scalar).map(|text| without_controls(&text)),
        author: text("author"),
        date: text("modified").or_else(|| text("date")),
        license: text("license"),
        references: list("references"),
        tags: list("tags"),
        false_positives: list("falsepositives"),
    }
}

/// Reads the outer form of a rule.
pub(crate) fn read(document: &Node) -> Result<Rule, Skipped> {
    let skip = |line: usize, because: Because, reason: String| Skipped { line, because, reason };
    let line = document.line;
    if !matches!(document.value, Value::Map(_)) {
        let reason = "it is no rule: a rule is a map with title, logsource and detection".to_owned();
        return Err(skip(line, Because::NotARule, reason));
    }
    if let Some(action) = document.get("action") {
        let reason = "it is written for several documents at once ('action'), which Sigma has given up; write each rule whole";
        return Err(skip(action.line, Because::Collection, reason.to_owned()));
    }
    if let Some(correlation) = document.get("correlation") {
        let reason = "it is a correlation of other rules, not a rule about events";
        return Err(skip(correlation.line, Because::Correlation, reason.to_owned()));
    }
    if let Some(filter) = document.get("filter") {
        let reason = "it is a filter for other rules, not a rule about events; say what it leaves out with `tenantwatch tuning add`";
        return Err(skip(filter.line, Because::Filter, reason.to_owned()));
    }
    let status = status(document)?;
    let log_source = log_source(document)?;
    let about = about(document);
    if about.title.is_empty() {
        return Err(skip(line, Because::NotARule, "it has no title; give it one".to_owned()));
    }
    let (parts, conditions) = detection(document)?;
    Ok(Rule { about, level: level(document)?, status, log_source, parts, conditions })
}

fn status(document: &Node) -> Result<Status, Skipped> {
    let Some(node) = document.get("status").filter(|node| node.value != Value::Null) else {
        return Ok(Status::Unsaid);
    };
    let word = node.scalar().unwrap_or_default().to_lowercase();
    match word.as_str() {
        "stable" => Ok(Status::Stable),
        "test" | "testing" => Ok(Status::Test),
        "experimental" => Ok(Status::Experimental),
        "deprecated" | "unsupported" => Err(Skipped {
            line: node.line,
            because: Because::Retired,
            reason: format!("its authors call it {word}; take what it was replaced by, if anything"),
        }),
        other => Err(Skipped {
            line: node.line,
            because: Because::NotARule,
            reason: format!("its status '{other}' is none of Sigma's; use stable, test or experimental"),
        }),
    }
}

fn level(document: &Node) -> Result<Level, Skipped> {
    let Some(node) = document.get("level").filter(|node| node.value != Value::Null) else {
        return Ok(Level::Unsaid);
    };
    match node.scalar().unwrap_or_default().to_lowercase().as_str() {
        "informational" => Ok(Level::Informational),
        "low" => Ok(Level::Low),
        "medium" => Ok(Level::Medium),
        "high" => Ok(Level::High),
        "critical" => Ok(Level::Critical),
        other => Err(Skipped {
            line: node.line,
            because: Because::NotARule,
            reason: format!(
                "its level '{other}' is none of Sigma's; use informational, low, medium, high or critical"
            ),
        }),
    }
}

fn log_source(document: &Node) -> Result<LogSource, Skipped> {
    let Some(node) = document.get("logsource").filter(|node| matches!(node.value, Value::Map(_))) else {
        let reason = "it has no logsource, so it does not say which log it is about".to_owned();
        return Err(Skipped { line: document.line, because: Because::NotARule, reason });
    };
    let word = |key: &str| node.get(key).and_then(Node::scalar).map(|text| text.trim().to_lowercase());
    let definition = node.get("definition").and_then(Node::scalar).map(|text| one_line(&text));
    Ok(LogSource {
        line: node.line,
        product: word("product"),
        category: word("category"),
        service: word("service"),
        definition,
    })
}

type Detection = (Vec<(String, Node)>, Vec<(String, usize)>);

fn detection(document: &Node) -> Result<Detection, Skipped> {
    let wrong =
        |line: usize, reason: &str| Skipped { line, because: Because::NotARule, reason: reason.to_owned() };
    let Some(node) = document.get("detection") else {
        return Err(wrong(document.line, "it has no detection"));
    };
    let Value::Map(members) = &node.value else {
        return Err(wrong(node.line, "its detection is no map of named parts"));
    };
    let parts: Vec<(String, Node)> =
        members.iter().filter(|(name, _)| name != "condition" && name != "timeframe").cloned().collect();
    if parts.is_empty() {
        return Err(wrong(node.line, "its detection has no parts beside the condition"));
    }
    let Some(condition) = node.get("condition") else {
        return Err(wrong(node.line, "its detection has no condition"));
    };
    let texts = match &condition.value {
        Value::List(items) => items.iter().collect(),
        _ => vec![condition],
    };
    let conditions: Vec<(String, usize)> =
        texts.into_iter().filter_map(|node| Some((node.scalar()?, node.line))).collect();
    if conditions.is_empty() {
        return Err(wrong(condition.line, "its condition is no text"));
    }
    Ok((parts, conditions))
}

/// A text without line ends and other characters that would spoil a line.
pub(crate) fn one_line(text: &str) -> String {
    text.split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

/// A text of several lines without other control characters.
fn without_controls(text: &str) -> String {
    text.trim().chars().filter(|c| *c == '\n' || !c.is_control()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml::documents;

    fn first(text: &str) -> Result<Rule, Skipped> {
        read(&documents(text).0[0])
    }

    #[test]
    fn a_rule_is_read() {
        let rule = first(
            "title: Lock\n  removed\nid: 1-2\nstatus: Test\nlevel: high\nreferences: https://a.example\ntags:\n  - attack.t1490\n\
             logsource:\n  product: Azure\n  service: activitylogs\ndetection:\n  one:\n    a: b\n  timeframe: 5m\n  condition: one\n",
        )
        .unwrap();
        assert_eq!(
            (rule.about.title.as_str(), rule.level, rule.status),
            ("Lock removed", Level::High, Status::Test)
        );
        assert_eq!(rule.about.references, ["https://a.example"]);
        assert_eq!(rule.log_source.product.as_deref(), Some("azure"));
        assert_eq!(rule.parts.len(), 1);
        assert_eq!(rule.conditions, [("one".to_owned(), 16)]);
    }

    #[test]
    fn what_is_no_rule_about_events_is_told() {
        let check = |text: &str, line: usize, because: Because, words: &str| {
            let skipped = first(text).unwrap_err();
            assert_eq!((skipped.line, skipped.because), (line, because), "{skipped:?}");
            assert!(skipped.reason.contains(words), "{skipped:?}");
        };
        check("- a\n", 1, Because::NotARule, "it is no rule");
        check("title: a\naction: global\n", 2, Because::Collection, "several documents");
        check("title: a\ncorrelation:\n  type: event_count\n", 3, Because::Correlation, "correlation");
        check("title: a\nfilter:\n  rules: [x]\n", 3, Because::Filter, "tuning add");
        check("title: a\nstatus: deprecated\n", 2, Because::Retired, "deprecated");
        check("title: a\nstatus: new\n", 2, Because::NotARule, "'new'");
        check("title: a\n", 1, Because::NotARule, "no logsource");
        let source = "logsource: {product: azure}\n";
        check(source, 1, Because::NotARule, "no title");
        check(&format!("title: a\n{source}"), 1, Because::NotARule, "no detection");
        check(&format!("title: a\n{source}detection: x\n"), 3, Because::NotARule, "no map");
        check(&format!("title: a\n{source}detection: {{condition: a}}\n"), 3, Because::NotARule, "no parts");
        check(
            &format!("title: a\n{source}detection: {{a: {{b: c}}}}\n"),
            3,
            Because::NotARule,
            "no condition",
        );
        check(
            &format!("title: a\n{source}level: bad\ndetection: {{a: {{b: c}}, condition: a}}\n"),
            3,
            Because::NotARule,
            "'bad'",
        );
    }
}
