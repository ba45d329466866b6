//! YAML as a tree whose nodes know their line.
//!
//! Of YAML's events this makes nulls, truth values, numbers, texts, lists and maps, by the core schema of YAML 1.2. What
//! a rule must not do is bounded here: how large a file is, how deep it nests, and how much its aliases repeat.

use std::collections::HashMap;

use saphyr_parser::{Event, Parser, ScalarStyle, Span, StrInput};

/// The largest file of rules. The largest known to us has some kilobytes.
pub const BYTES_MAX: usize = 4 << 20;

/// How many nodes a file may have, those that aliases repeat counted each time.
const NODES_MAX: usize = 200_000;

/// How deep lists and maps may nest. A rule needs five.
const DEPTH_MAX: usize = 32;

/// A value and the line on which it begins, from 1.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Node {
    pub(crate) line: usize,
    pub(crate) value: Value,
}

/// What YAML can say.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    /// As it is written: rules compare numbers as texts too.
    Number(String),
    Text(String),
    List(Vec<Node>),
    /// In the order of the file; keys are different.
    Map(Vec<(String, Node)>),
}

/// A file that is no YAML, or more of it than a rule can need.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct YamlError {
    pub(crate) line: usize,
    pub(crate) problem: String,
}

impl Node {
    /// A member of a map.
    pub(crate) fn get(&self, key: &str) -> Option<&Node> {
        let Value::Map(members) = &self.value else { return None };
        members.iter().find(|(name, _)| name == key).map(|(_, node)| node)
    }

    /// A text, number or truth value as text.
    pub(crate) fn scalar(&self) -> Option<String> {
        match &self.value {
            Value::Text(text) | Value::Number(text) => Some(text.clone()),
            Value::Bool(truth) => Some(truth.to_string()),
            Value::Null | Value::List(_) | Value::Map(_) => None,
        }
    }
}

/// The documents of a file. After an error nothing more can be told apart, so it comes last.
pub(crate) fn documents(text: &str) -> (Vec<Node>, Option<YamlError>) {
    let mut documents = Vec::new();
    if text.len() > BYTES_MAX {
        let problem = format!("the file has {} bytes; a file of rules has at most {BYTES_MAX}", text.len());
        return (documents, Some(YamlError { line: 1, problem }));
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = Reader { parser: Parser::new_from_str(text), anchors: HashMap::new(), nodes: 0 };
    loop {
        match reader.document() {
            Ok(Some(document)) => documents.push(document),
            Ok(None) => return (documents, None),
            Err(error) => return (documents, Some(error)),
        }
    }
}

struct Reader<'a> {
    parser: Parser<'a, StrInput<'a>>,
    anchors: HashMap<usize, Node>,
    nodes: usize,
}

impl<'a> Reader<'a> {
    /// The next document; nothing at the end of the file.
    fn document(&mut self) -> Result<Option<Node>, YamlError> {
        loop {
            let Some((event, span)) = self.next()? else { return Ok(None) };
            match event {
                Event::StreamEnd => return Ok(None),
                Event::Nothing | Event::StreamStart | Event::DocumentStart(_) | Event::DocumentEnd => {}
                Event::Alias(_)
                | Event::Scalar(..)
                | Event::SequenceStart(..)
                | Event::SequenceEnd
                | Event::MappingStart(..)
                | Event::MappingEnd => return self.node(event, &span, 0).map(Some),
            }
        }
    }

    fn next(&mut self) -> Result<Option<(Event<'a>, Span)>, YamlError> {
        self.parser.next_event().transpose().map_err(|error| YamlError {
            line: error.marker().line(),
            problem: format!("it is no YAML: {}", error.info()),
        })
    }

    /// The event after an opened list or map.
    fn inner(&mut self, line: usize) -> Result<(Event<'a>, Span), YamlError> {
        let end = || YamlError { line, problem: "it ends in the middle of a list or map".to_owned() };
        self.next()?.ok_or_else(end)
    }

    fn node(&mut self, event: Event<'a>, span: &Span, depth: usize) -> Result<Node, YamlError> {
        let line = span.start.line();
        let wrong = |problem: String| YamlError { line, problem };
        if depth > DEPTH_MAX {
            return Err(wrong(format!("it nests deeper than {DEPTH_MAX}")));
        }
        self.count(1, line)?;
        let (value, anchor) = match event {
            Event::Scalar(text, style, anchor, _) => (scalar(&text, style), anchor),
            Event::SequenceStart(anchor, _) => (self.list(line, depth)?, anchor),
            Event::MappingStart(anchor, _) => (self.map(line, depth)?, anchor),
            Event::Alias(anchor) => {
                let node = self.anchors.get(&anchor).cloned();
                let node = node.ok_or_else(|| wrong("an alias names nothing that came before".to_owned()))?;
                if depth + depth_of(&node) > DEPTH_MAX {
                    return Err(wrong(format!("it nests deeper than {DEPTH_MAX}")));
                }
                self.count(size(&node), line)?;
                return Ok(node);
            }
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd
            | Event::SequenceEnd
            | Event::MappingEnd => return Err(wrong("a value is missing".to_owned())),
        };
        let node = Node { line, value };
        if anchor > 0 {
            // What aliases may repeat counts as much as what they do.
            self.count(size(&node), line)?;
            self.anchors.insert(anchor, node.clone());
        }
        Ok(node)
    }

    fn list(&mut self, line: usize, depth: usize) -> Result<Value, YamlError> {
        let mut items = Vec::new();
        loop {
            let (event, span) = self.inner(line)?;
            if matches!(event, Event::SequenceEnd) {
                return Ok(Value::List(items));
            }
            items.push(self.node(event, &span, depth + 1)?);
        }
    }

    fn map(&mut self, line: usize, depth: usize) -> Result<Value, YamlError> {
        let mut members: Vec<(String, Node)> = Vec::new();
        let mut names = std::collections::HashSet::new();
        loop {
            let (event, span) = self.inner(line)?;
            if matches!(event, Event::MappingEnd) {
                return Ok(Value::Map(members));
            }
            let key = self.node(event, &span, depth + 1)?;
            let at = key.line;
            let name = key.scalar().ok_or_else(|| YamlError {
                line: at,
                problem: "a key is no text; write a name before the colon".to_owned(),
            })?;
            if !names.insert(name.clone()) {
                let problem = format!("the key '{name}' stands there twice; keep one");
                return Err(YamlError { line: at, problem });
            }
            let (event, span) = self.inner(line)?;
            let mut value = self.node(event, &span, depth + 1)?;
            // Of an empty value the parser tells the line after it.
            if value.value == Value::Null {
                value.line = at;
            }
            members.push((name, value));
        }
    }

    fn count(&mut self, more: usize, line: usize) -> Result<(), YamlError> {
        self.nodes = self.nodes.saturating_add(more);
        if self.nodes > NODES_MAX {
            let problem = format!("it has more than {NODES_MAX} values, those of aliases counted each time");
            return Err(YamlError { line, problem });
        }
        Ok(())
    }
}

fn size(node: &Node) -> usize {
    match &node.value {
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) => 1,
        Value::List(items) => 1 + items.iter().map(size).sum::<usize>(),
        Value::Map(members) => 1 + members.iter().map(|(_, node)| 1 + size(node)).sum::<usize>(),
    }
}

fn depth_of(node: &Node) -> usize {
    match &node.value {
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) => 0,
        Value::List(items) => 1 + items.iter().map(depth_of).max().unwrap_or(0),
        Value::Map(members) => 1 + members.iter().map(|(_, node)| depth_of(node)).max().unwrap_or(0),
    }
}

/// What a scalar is: only without quotes can it be more than a text.
fn scalar(text: &str, style: ScalarStyle) -> Value {
    if style != ScalarStyle::Plain {
        return Value::Text(text.to_owned());
    }
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        number if is_number(number) => Value::Number(number.to_owned()),
        text => Value::Text(text.to_owned()),
    }
}

/// Decimal numbers alone; `0x10` stays a text, as it would be compared.
fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    plain && digits.bytes().any(|byte| byte.is_ascii_digit()) && digits.parse::<f64>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn only(text: &str) -> Node {
        let (mut documents, error) = documents(text);
        assert_eq!(error, None, "{text}");
        assert_eq!(documents.len(), 1, "{text}");
        documents.remove(0)
    }

    fn error(text: &str) -> String {
        let error = documents(text).1.expect(text);
        format!("{}: {}", error.line, error.problem)
    }

    #[test]
    fn values_are_told_apart() {
        let check = |written: &str, expected: Value| assert_eq!(only(written).value, expected, "{written}");
        check("50053", Value::Number("50053".to_owned()));
        check("-1.5", Value::Number("-1.5".to_owned()));
        check("'50053'", Value::Text("50053".to_owned()));
        check("0x10", Value::Text("0x10".to_owned()));
        check("1.2.3", Value::Text("1.2.3".to_owned()));
        check("false", Value::Bool(false));
        check("'false'", Value::Text("false".to_owned()));
        check("no", Value::Text("no".to_owned()));
        check("null", Value::Null);
        check("''", Value::Text(String::new()));
        check("\"a\\tb\"", Value::Text("a\tb".to_owned()));
        check("'it''s'", Value::Text("it's".to_owned()));
    }

    #[test]
    fn nodes_know_their_lines() {
        let node = only("\u{feff}a:\n  b:\n    - 1\n    - 2\nempty:\nlast: x\n");
        let list = node.get("a").and_then(|node| node.get("b")).unwrap();
        let Value::List(items) = &list.value else { panic!("{list:?}") };
        assert_eq!(items.iter().map(|item| item.line).collect::<Vec<_>>(), [3, 4]);
        assert_eq!(node.get("empty").unwrap().line, 5);
        assert_eq!(node.get("last").unwrap().line, 6);
    }

    #[test]
    fn a_file_may_hold_several_documents() {
        let (read, error) = documents("a: 1\n---\nb: 2\n---\nc: [1\n");
        assert_eq!(read.len(), 2);
        assert!(error.is_some());
        assert_eq!(documents("").0.len(), 0);
        assert_eq!(documents("# nothing\n").0.len(), 0);
    }

    #[test]
    fn what_no_rule_needs_is_refused() {
        assert_eq!(error("a: 1\na: 2\n"), "2: the key 'a' stands there twice; keep one");
        assert_eq!(error("[1]: 2\n"), "1: a key is no text; write a name before the colon");
        assert!(error(&"[".repeat(100)).contains("nests deeper than 32"), "{}", error(&"[".repeat(100)));
        let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..10 {
            let item = format!("*a{}", level - 1);
            bomb.push_str(&format!("a{level}: &a{level} [{}]\n", vec![item; 10].join(", ")));
        }
        assert!(error(&bomb).contains("more than 200000 values"), "{}", error(&bomb));
        assert!(documents(&" ".repeat(BYTES_MAX + 1)).1.unwrap().problem.contains("bytes"));
    }

    #[test]
    fn aliases_repeat_what_they_name() {
        let node = only("a: &one [x]\nb: *one\n");
        assert_eq!(node.get("a"), node.get("b"));
    }
}
