//! Cases of a detector: stories that it must fire on, and near misses, made of events that the rule itself gives.

use serde::Serialize;
use serde_json::{Map, Value, json};
use toml::Table;

use crate::fields::Log;
use crate::matching::{Cell, Event, Form, Match, Source};
use crate::report::Because;
use crate::witness::{self, NearMiss};

/// What a finding that is about no subscription has in its place.
const NO_SUBSCRIPTION: &str = "00000000-0000-0000-0000-000000000000";

/// How many alternatives of a rule get a case of their own.
const ALTERNATIVES_MAX: usize = 4;

/// How many near misses are written, beside the one of another day.
const NEAR_MISSES_MAX: usize = 4;

/// A case as `detectors/README.md` describes it.
#[derive(Serialize)]
struct Case {
    description: String,
    since: &'static str,
    until: &'static str,
    fires: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    expected: Vec<Expected>,
    events: Vec<Table>,
}

#[derive(Serialize)]
struct Expected {
    subscription: String,
    details: Details,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Details {
    matches: String,
}

/// The files of a detector's cases, or why none can be made.
pub(crate) fn files(log: Log, wanted: &Match) -> Result<Vec<(String, String)>, (Because, String)> {
    let base = witness::base(log);
    let matching = witness::events(wanted, &base, ALTERNATIVES_MAX);
    let Some(first) = matching.first() else {
        let reason = "no event could be made up that it matches: its conditions contradict each other, or are too \
                      intricate to test";
        return Err((Because::NeverMatches, reason.to_owned()));
    };
    let near = witness::near_misses(wanted, &base, first, NEAR_MISSES_MAX);
    if near.len() < 2 {
        let reason = "it matches almost every event, so no near miss could be made up";
        return Err((Because::MatchesEverything, reason.to_owned()));
    }
    let writer = Writer { log };
    let mut files = vec![
        writer.fires("fires", "An event as the rule wants it.", &[(first, "2031-03-01T10:20:00Z")]),
        writer.fires(
            "fires_again",
            "The same is done twice, hours apart: each time counts.",
            &[(first, "2031-03-01T10:20:00Z"), (first, "2031-03-01T17:45:00Z")],
        ),
        writer.near(
            &NearMiss {
                name: "another_day".to_owned(),
                description: "An event as the rule wants it, but of the day before the window.".to_owned(),
                event: first.clone(),
            },
            "2031-02-28T10:20:00Z",
        ),
    ];
    for (number, event) in (2..).zip(&matching[1..]) {
        let name = format!("fires_alternative_{number}");
        files.push(writer.fires(
            &name,
            "Another of the events that the rule wants.",
            &[(event, "2031-03-01T10:20:00Z")],
        ));
    }
    files.extend(near.iter().map(|miss| writer.near(miss, "2031-03-01T10:20:00Z")));
    Ok(files.into_iter().map(|(name, case)| (format!("cases/{name}.toml"), text(&case))).collect())
}

struct Writer {
    log: Log,
}

impl Writer {
    fn fires(&self, name: &str, description: &str, events: &[(&Event, &str)]) -> (String, Case) {
        // One expectation may be met by several findings, and all events are of one subscription.
        let expected = events.first().map(|(event, _)| Expected {
            subscription: self.subscription(event),
            details: Details { matches: "1".to_owned() },
        });
        let expected = expected.into_iter().collect();
        (name.to_owned(), self.case(description, true, expected, events))
    }

    fn near(&self, miss: &NearMiss, at: &str) -> (String, Case) {
        (miss.name.clone(), self.case(&miss.description, false, Vec::new(), &[(&miss.event, at)]))
    }

    fn case(
        &self,
        description: &str,
        fires: bool,
        expected: Vec<Expected>,
        events: &[(&Event, &str)],
    ) -> Case {
        Case {
            description: description.to_owned(),
            since: "2031-03-01T00:00:00Z",
            until: "2031-03-02T00:00:00Z",
            fires,
            expected,
            events: events.iter().map(|(event, at)| self.event(event, at)).collect(),
        }
    }

    /// Which subscription a finding of the event has.
    fn subscription(&self, event: &Event) -> String {
        match (self.log, event.get(&Source::Column("subscription_id", Form::Lower))) {
            (Log::Activity | Log::Audit, Some(Cell::Text(id))) => id.clone(),
            _ => NO_SUBSCRIPTION.to_owned(),
        }
    }

    fn event(&self, event: &Event, at: &str) -> Table {
        let mut table = Table::new();
        table.insert("kind".to_owned(), self.log.table().into());
        table.insert("at".to_owned(), at.into());
        let mut members = Members::default();
        for (source, cell) in event {
            match (source, cell) {
                (Source::Column(column, _), Cell::Text(text)) => {
                    table.insert((*column).to_owned(), text.clone().into());
                }
                (Source::Column(column, _), Cell::Number(number)) => {
                    table.insert((*column).to_owned(), (*number).into());
                }
                (Source::Json(path), Cell::Text(text)) => members.add(path, text.clone().into()),
                (Source::Json(path), Cell::Number(number)) => members.add(path, (*number).into()),
            }
        }
        if !members.inner.is_empty() {
            table.insert("properties".to_owned(), members.json().to_string().into());
        }
        table
    }
}

/// Members of a JSON object, some of which have a value, some members of their own, some both.
#[derive(Default)]
struct Members {
    value: Option<Value>,
    inner: Vec<(String, Members)>,
}

impl Members {
    fn add(&mut self, path: &[String], value: Value) {
        let Some((name, rest)) = path.split_first() else {
            self.value = Some(value);
            return;
        };
        let at = self.inner.iter().position(|(other, _)| other == name).unwrap_or_else(|| {
            self.inner.push((name.clone(), Self::default()));
            self.inner.len() - 1
        });
        self.inner[at].1.add(rest, value);
    }

    fn json(&self) -> Value {
        if self.inner.is_empty() {
            return self.value.clone().unwrap_or(Value::Null);
        }
        let object: Map<String, Value> =
            self.inner.iter().map(|(name, members)| (name.clone(), members.within(name))).collect();
        match &self.value {
            // Any item of a list may fit.
            Some(value) => json!([object, value]),
            None => Value::Object(object),
        }
    }

    /// The value of a member of this name. Entra keeps what was changed, and what else there is to say, as lists of pairs.
    fn within(&self, name: &str) -> Value {
        let (key, value) = match name {
            "modifiedproperties" => ("displayName", "newValue"),
            "additionaldetails" => ("key", "value"),
            _ => return self.json(),
        };
        let own = ["displayname", "oldvalue", "newvalue", "key", "value"];
        if self.inner.is_empty() || self.inner.iter().any(|(name, _)| own.contains(&name.as_str())) {
            return self.json();
        }
        let pairs = self.inner.iter().map(|(name, members)| json!({key: name, value: members.json()}));
        pairs.chain(self.value.clone()).collect()
    }
}

/// A case as TOML.
fn text(case: &Case) -> String {
    // Every value is a text, a number or a truth value, and keys are names of columns.
    toml::to_string(case).expect("a case has only values that TOML can write")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matching::Is;
    use crate::pattern::Pattern;

    fn member(path: &[&str], value: &str) -> Match {
        let path = path.iter().map(|name| (*name).to_owned()).collect();
        Match::test(Source::Json(path), Is::Like { pattern: Pattern::parse(value), cased: false })
    }

    #[test]
    fn members_become_json() {
        let check = |path: &[&str], expected: &str| {
            let mut members = Members::default();
            let path: Vec<String> = path.iter().map(|name| (*name).to_owned()).collect();
            members.add(&path, "x".into());
            assert_eq!(members.json().to_string(), expected);
        };
        check(&["status"], r#"{"status":"x"}"#);
        check(&["targetresources", "type"], r#"{"targetresources":{"type":"x"}}"#);
        check(
            &["targetresources", "modifiedproperties", "consentcontext.isadminconsent"],
            r#"{"targetresources":{"modifiedproperties":[{"displayName":"consentcontext.isadminconsent","newValue":"x"}]}}"#,
        );
        check(
            &["additionaldetails", "user-agent"],
            r#"{"additionaldetails":[{"key":"user-agent","value":"x"}]}"#,
        );
        check(&["modifiedproperties", "newvalue"], r#"{"modifiedproperties":{"newvalue":"x"}}"#);
    }

    #[test]
    fn a_member_may_have_a_value_and_members() {
        let wanted =
            Match::All(vec![member(&["targetresources"], "*A*"), member(&["targetresources", "type"], "B")]);
        let files = files(Log::Audit, &wanted).unwrap();
        let fires = &files.iter().find(|(name, _)| name == "cases/fires.toml").unwrap().1;
        assert!(fires.contains(r#"properties = '{"targetresources":[{"type":"B"},"A"]}'"#), "{fires}");
    }

    #[test]
    fn what_cannot_be_tested_is_refused() {
        let never = Match::All(vec![member(&["a"], "x"), member(&["a"], "y")]);
        assert_eq!(files(Log::Audit, &never).unwrap_err().0, Because::NeverMatches);
        let always = Match::Any(vec![member(&["a"], "x"), Match::not(member(&["a"], "x"))]);
        assert_eq!(files(Log::Audit, &always).unwrap_err().0, Because::MatchesEverything);
    }
}
