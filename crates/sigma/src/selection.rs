//! The parts of a detection and its condition: YAML to tests.
//!
//! A map asks for all of its fields, a list for one of its items, a bare value for its text anywhere in the event. What is
//! not understood is refused with its line; nothing is left out, since a rule with a condition less finds other things.

use crate::condition::{self, Condition, ConditionError, Quantity};
use crate::fields::{Field, Log, Reading};
use crate::matching::{Comparison, Form, Is, Match, Source, TESTS_MAX};
use crate::pattern::Pattern;
use crate::readings;
use crate::regexes;
use crate::report::{Because, Skipped};
use crate::rule::Rule;
use crate::yaml::{Node, Value};

/// How long one value may be, in bytes.
const VALUE_BYTES_MAX: usize = 4_096;

/// What a rule asks of an event of a log, and what to tell of the translation.
pub(crate) fn read(rule: &Rule, log: Log) -> Result<(Match, Vec<String>), Skipped> {
    let mut reader = Reader { log, notes: Vec::new() };
    let mut parts = Vec::with_capacity(rule.parts.len());
    for (name, node) in &rule.parts {
        parts.push((name.as_str(), reader.part(node)?));
    }
    let mut wanted = Vec::with_capacity(rule.conditions.len());
    let mut size = 0;
    for (text, line) in &rule.conditions {
        let condition = condition::parse(text).map_err(|error| of_condition(error, *line))?;
        wanted.push(combine(&condition, &parts, *line, &mut size)?);
    }
    Ok((Match::any(wanted), reader.notes))
}

fn of_condition(error: ConditionError, line: usize) -> Skipped {
    match error {
        ConditionError::Aggregation => Skipped {
            line,
            because: Because::Aggregation,
            reason: "its condition counts or relates events ('|'), which is not translated; write the query by hand, or \
                     take a correlation rule apart"
                .to_owned(),
        },
        ConditionError::Syntax { column, problem } => Skipped {
            line,
            because: Because::BadCondition,
            reason: format!("its condition cannot be read at character {column}: {problem}"),
        },
    }
}

/// Puts the parts together as a condition says.
fn combine(
    condition: &Condition,
    parts: &[(&str, Match)],
    line: usize,
    size: &mut usize,
) -> Result<Match, Skipped> {
    let mut take = |part: &Match| {
        *size += part.size();
        if *size > TESTS_MAX {
            let reason = format!("it makes more than {TESTS_MAX} comparisons; split it");
            return Err(Skipped { line, because: Because::TooLarge, reason });
        }
        Ok(part.clone())
    };
    let wrong = |reason: String| Skipped { line, because: Because::BadCondition, reason };
    match condition {
        Condition::Name(name) => {
            let part = parts.iter().find(|(other, _)| other == name);
            let (_, part) =
                part.ok_or_else(|| wrong(format!("its condition names '{name}', which it does not define")))?;
            take(part)
        }
        Condition::Of(quantity, which) => {
            let meant: Vec<Match> = parts
                .iter()
                .filter(|(name, _)| which.means(name))
                .map(|(_, part)| take(part))
                .collect::<Result<_, _>>()?;
            match quantity {
                _ if meant.is_empty() => {
                    Err(wrong("its condition asks for parts of which it defines none".to_owned()))
                }
                Quantity::All => Ok(Match::all(meant)),
                Quantity::AtLeast(1) => Ok(Match::any(meant)),
                Quantity::AtLeast(number) if *number > meant.len() => {
                    Err(wrong(format!("its condition asks for {number} parts of {}", meant.len())))
                }
                Quantity::AtLeast(number) => Ok(Match::AtLeast(*number, meant)),
            }
        }
        Condition::Not(inner) => Ok(Match::not(combine(inner, parts, line, size)?)),
        Condition::And(inner) => {
            inner.iter().map(|one| combine(one, parts, line, size)).collect::<Result<_, _>>().map(Match::All)
        }
        Condition::Or(inner) => {
            inner.iter().map(|one| combine(one, parts, line, size)).collect::<Result<_, _>>().map(Match::Any)
        }
    }
}

struct Reader {
    log: Log,
    notes: Vec<String>,
}

impl Reader {
    /// A named part of the detection.
    fn part(&mut self, node: &Node) -> Result<Match, Skipped> {
        match &node.value {
            Value::Map(members) if !members.is_empty() => {
                let tests: Vec<Match> =
                    members.iter().map(|(key, value)| self.item(key, value)).collect::<Result<_, _>>()?;
                Ok(Match::all(tests))
            }
            Value::List(items) if !items.is_empty() => {
                let choices: Vec<Match> =
                    items.iter().map(|item| self.part(item)).collect::<Result<_, _>>()?;
                Ok(Match::any(choices))
            }
            Value::Text(_) | Value::Number(_) | Value::Bool(_) => self.values("", &[], node),
            Value::Null | Value::Map(_) | Value::List(_) => Err(Skipped {
                line: node.line,
                because: Because::NotARule,
                reason: "a part of its detection is empty".to_owned(),
            }),
        }
    }

    /// A field with its modifiers, and the value or values.
    fn item(&mut self, key: &str, node: &Node) -> Result<Match, Skipped> {
        let mut words = key.split('|').map(str::trim);
        let name = words.next().unwrap_or_default();
        let modifiers: Vec<String> = words.map(str::to_lowercase).collect();
        self.values(name, &modifiers, node)
    }

    fn values(&mut self, name: &str, modifiers: &[String], node: &Node) -> Result<Match, Skipped> {
        let how = How::read(modifiers).map_err(|reason| {
            let placeholder = modifiers.iter().any(|modifier| modifier == "expand");
            let because = if placeholder { Because::Placeholder } else { Because::UnsupportedModifier };
            Skipped { line: node.line, because, reason: format!("{}: {reason}", named(name)) }
        })?;
        let field = if name.is_empty() {
            None
        } else {
            let known = self.log.field(name).ok_or_else(|| self.unknown(name, node.line))?;
            if let Some(note) = known.note {
                self.note(format!("line {}: {}: {note}", node.line, named(name)));
            }
            Some(known)
        };
        let items = match &node.value {
            Value::List(items) => items.as_slice(),
            _ => std::slice::from_ref(node),
        };
        let mut tests = Vec::with_capacity(items.len());
        for item in items {
            // Of risks only what sign-ins carry is there to be looked at.
            let not_there = field.as_ref().is_some_and(|field| field.reading == Reading::RiskType);
            let wrong = |reason: String| Skipped {
                line: item.line,
                because: if not_there { Because::LogNotTakenIn } else { Because::UnsupportedValue },
                reason: format!("{}: {reason}", named(name)),
            };
            if item.scalar().is_some_and(|text| text.len() > VALUE_BYTES_MAX) {
                return Err(wrong(format!("a value has more than {VALUE_BYTES_MAX} bytes")));
            }
            if tests.len() >= TESTS_MAX {
                let reason = format!("it makes more than {TESTS_MAX} comparisons; split it");
                return Err(Skipped { line: item.line, because: Because::TooLarge, reason });
            }
            let test = match &field {
                Some(field) => of_field(field, &how, item),
                None => keyword(self.log, &how, item),
            };
            tests.push(test.map_err(wrong)?);
        }
        if tests.is_empty() {
            let reason = format!("{}: the list of values is empty", named(name));
            return Err(Skipped { line: node.line, because: Because::UnsupportedValue, reason });
        }
        if field.is_none() {
            let columns: Vec<&str> = self.log.texts().iter().map(|(column, _)| *column).collect();
            self.note(format!("a value without a field is looked for in {}", columns.join(", ")));
        }
        Ok(if how.all { Match::all(tests) } else { Match::any(tests) })
    }

    fn unknown(&self, name: &str, line: usize) -> Skipped {
        let reason = format!(
            "the field '{name}' is nothing that {} has here; name a member of Azure's record or a column of docs/records.md",
            self.log.record()
        );
        Skipped { line, because: Because::UnknownField, reason }
    }

    fn note(&mut self, note: String) {
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }
}

fn named(name: &str) -> String {
    if name.is_empty() { "a value without a field".to_owned() } else { format!("'{name}'") }
}

/// How a value is compared.
struct How {
    by: By,
    /// Of several values all must fit, not one.
    all: bool,
    cased: bool,
    /// Flags of a regular expression.
    flags: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum By {
    Whole,
    Contains,
    Starts,
    Ends,
    Regex,
    Network,
    Exists,
    Number(Comparison),
    /// As `Whole`, and not that.
    Differs,
}

impl How {
    fn read(modifiers: &[String]) -> Result<Self, String> {
        let mut how = Self { by: By::Whole, all: false, cased: false, flags: String::new() };
        for modifier in modifiers {
            let by = match modifier.as_str() {
                "all" => {
                    how.all = true;
                    continue;
                }
                "cased" => {
                    how.cased = true;
                    continue;
                }
                "i" | "ignorecase" | "m" | "multiline" | "s" | "dotall" if how.by == By::Regex => {
                    how.flags
                        .extend(modifier.chars().next().map(|flag| if flag == 'd' { 's' } else { flag }));
                    continue;
                }
                "contains" => By::Contains,
                "startswith" => By::Starts,
                "endswith" => By::Ends,
                "re" => By::Regex,
                "cidr" => By::Network,
                "exists" => By::Exists,
                "lt" => By::Number(Comparison::Less),
                "lte" => By::Number(Comparison::AtMost),
                "gt" => By::Number(Comparison::Greater),
                "gte" => By::Number(Comparison::AtLeast),
                "neq" => By::Differs,
                "expand" => {
                    return Err("it wants values of your own ('expand'); write them in place of the %name%"
                        .to_owned());
                }
                "fieldref" => return Err("comparing two fields ('fieldref') is not translated".to_owned()),
                "base64" | "base64offset" | "wide" | "utf16" | "utf16le" | "utf16be" | "windash" => {
                    return Err(format!("'{modifier}' is for command lines and is not translated"));
                }
                "minute" | "hour" | "day" | "week" | "month" | "year" => {
                    return Err(format!("comparing a part of a time ('{modifier}') is not translated"));
                }
                other => return Err(format!("'{other}' is no modifier that is known")),
            };
            if how.by != By::Whole {
                return Err(format!("'{modifier}' does not go together with the modifier before it"));
            }
            how.by = by;
        }
        Ok(how)
    }
}

/// The pattern of a text value.
fn pattern(by: By, text: &str) -> Pattern {
    let pattern = Pattern::parse(text);
    match by {
        By::Contains => pattern.after_anything().before_anything(),
        By::Starts => pattern.before_anything(),
        By::Ends => pattern.after_anything(),
        By::Whole | By::Differs | By::Regex | By::Network | By::Exists | By::Number(_) => pattern,
    }
}

/// Compares one value of a field.
fn of_field(field: &Field, how: &How, node: &Node) -> Result<Match, String> {
    let source = field.source.clone();
    let form = match &source {
        Source::Column(_, form) => Some(*form),
        Source::Json(_) => None,
    };
    if node.value == Value::Null {
        return match how.by {
            By::Whole => Ok(Match::test(source, Is::Absent)),
            _ => Err("null goes with no modifier".to_owned()),
        };
    }
    let Some(text) = node.scalar() else {
        return Err("its value is neither a text, a number nor a list of them".to_owned());
    };
    match how.by {
        By::Exists => {
            let absent = Match::test(source, Is::Absent);
            match text.to_lowercase().as_str() {
                "true" | "yes" => Ok(Match::not(absent)),
                "false" | "no" => Ok(absent),
                other => Err(format!("'exists' wants true or false, not '{other}'")),
            }
        }
        By::Number(comparison) => {
            if form != Some(Form::Number) {
                return Err("only columns of numbers can be compared by size".to_owned());
            }
            let number = text.parse().map_err(|_| format!("'{text}' is no whole number"))?;
            Ok(Match::test(source, Is::Number(comparison, number)))
        }
        By::Network => {
            if form == Some(Form::Number) {
                return Err("a number lies in no network".to_owned());
            }
            regexes::of_network(&text).map(|expression| Match::test(source, Is::Regex(expression)))
        }
        By::Regex => {
            if form == Some(Form::Number) {
                return Err("a number is not compared with a regular expression".to_owned());
            }
            let mut flags = how.flags.clone();
            // What is kept in lower case would never fit capitals.
            if form == Some(Form::Lower) && !flags.contains('i') {
                flags.push('i');
            }
            let expression = if flags.is_empty() { text.clone() } else { format!("(?{flags}){text}") };
            regexes::compile(&expression)
                .map_err(|error| format!("the regular expression cannot be used: {}", last_line(&error)))?;
            Ok(Match::test(source, Is::Regex(expression)))
        }
        By::Whole | By::Contains | By::Starts | By::Ends | By::Differs => {
            if how.cased && matches!(form, Some(Form::Lower | Form::Number)) {
                return Err("our events keep it in lower case, so 'cased' cannot be held to".to_owned());
            }
            let pattern = pattern(how.by, &text);
            let test = of_pattern(field, &pattern, how.cased)?;
            Ok(if how.by == By::Differs { Match::not(test) } else { test })
        }
    }
}

fn of_pattern(field: &Field, pattern: &Pattern, cased: bool) -> Result<Match, String> {
    if field.reading != Reading::Plain {
        return readings::read(field, pattern);
    }
    plain(&field.source, pattern, cased)
}

/// Compares a value as it is written.
pub(crate) fn plain(source: &Source, pattern: &Pattern, cased: bool) -> Result<Match, String> {
    let literal = pattern.as_literal();
    let like = || Match::test(source.clone(), Is::Like { pattern: pattern.clone(), cased });
    match source {
        Source::Column(_, Form::Number) => {
            let text = literal.ok_or("a number is compared whole, without wildcards")?;
            let number = text.parse().map_err(|_| format!("'{text}' is no whole number"))?;
            Ok(Match::test(source.clone(), Is::Number(Comparison::Equal, number)))
        }
        // What is empty is not kept.
        Source::Column(..) if literal == Some("") => Ok(Match::test(source.clone(), Is::Empty)),
        // An empty list holds nothing that could be found.
        Source::Json(_) if literal == Some("[]") => {
            Ok(Match::any(vec![Match::test(source.clone(), Is::Absent), like()]))
        }
        Source::Column(..) | Source::Json(_) => Ok(like()),
    }
}

/// Looks for a value anywhere in the event.
fn keyword(log: Log, how: &How, node: &Node) -> Result<Match, String> {
    let Some(text) = node.scalar() else {
        return Err("it is neither a text nor a number".to_owned());
    };
    if how.cased {
        return Err("our events keep much in lower case, so 'cased' cannot be held to".to_owned());
    }
    let is = match how.by {
        By::Whole | By::Contains => {
            Is::Like { pattern: Pattern::parse(&text).after_anything().before_anything(), cased: false }
        }
        By::Regex => {
            let mut flags = how.flags.replace('i', "");
            flags.insert(0, 'i');
            let expression = format!("(?{flags}){text}");
            regexes::compile(&expression)
                .map_err(|error| format!("the regular expression cannot be used: {}", last_line(&error)))?;
            Is::Regex(expression)
        }
        By::Starts | By::Ends | By::Network | By::Exists | By::Number(_) | By::Differs => {
            return Err("without a field only 'contains', 're' and 'all' make sense".to_owned());
        }
    };
    let anywhere = log
        .texts()
        .iter()
        .map(|(column, form)| Match::test(Source::Column(column, *form), is.clone()))
        .collect();
    Ok(Match::Any(anywhere))
}

/// The crate draws the place under the expression; the words come last.
fn last_line(error: &regex::Error) -> String {
    let text = error.to_string();
    text.lines().next_back().unwrap_or_default().trim_start_matches("error: ").to_owned()
}
