//! The query options of a push: which statement of costs its records are part of.

use axum::extract::Query;
use axum::extract::rejection::QueryRejection;
use chrono::{DateTime, TimeDelta, Utc};
use graph::ApiError;
use ingest::Statement;
use ingest::schema::Kind;
use serde::Deserialize;

/// How long the name of a statement may be, in bytes.
const STATEMENT_BYTES_MAX: usize = 200;

/// How far a clock of the sender's may be ahead. A statement of the far future would win over all that follow.
const AHEAD_MAX: TimeDelta = TimeDelta::hours(1);

/// The options as they come.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Options {
    statement: Option<String>,
    part: Option<String>,
    stated: Option<String>,
}

/// The statement that a body is a part of.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct PartOf {
    statement: String,
    /// `None`: it is told by its content.
    part: Option<u64>,
    stated_at: DateTime<Utc>,
}

/// What the options of a request say; `None` if its body is a whole statement.
pub(super) fn read(
    options: Result<Query<Options>, QueryRejection>,
    wanted: Option<Kind>,
    now: DateTime<Utc>,
) -> Result<Option<PartOf>, ApiError> {
    let Query(options) = options.map_err(|error| {
        ApiError::bad_request(format!("{}. The options are statement, part and stated.", error.body_text()))
    })?;
    check(&options, wanted, now)
        .map_err(|message| ApiError::bad_request(format!("{message} Nothing was stored.")))
}

fn check(options: &Options, wanted: Option<Kind>, now: DateTime<Utc>) -> Result<Option<PartOf>, String> {
    let Some(statement) = &options.statement else {
        return match (&options.part, &options.stated) {
            (None, None) => Ok(None),
            _ => {
                Err("The options part and stated belong to a statement; name it with statement=.".to_owned())
            }
        };
    };
    if let Some(kind) = wanted.filter(|kind| *kind != Kind::Cost) {
        return Err(format!(
            "The option statement is for costs, and the path takes records of kind {}; leave it out.",
            kind.name()
        ));
    }
    if statement.trim().is_empty() || statement.len() > STATEMENT_BYTES_MAX {
        return Err(format!(
            "The option statement needs a name of 1 to {STATEMENT_BYTES_MAX} bytes, such as the id of the run of \
             the export."
        ));
    }
    let part = options.part.as_deref().map(|text| {
        text.parse::<u64>()
            .map_err(|_| format!("The option part is a whole number from 0, and '{}' is none.", shown(text)))
    });
    let stated = options.stated.as_deref().map(|text| {
        text.parse::<DateTime<Utc>>().map_err(|_| {
            format!(
                "The option stated is a time such as 2031-02-03T04:05:06Z, and '{}' is none.",
                shown(text)
            )
        })
    });
    let stated_at = stated.transpose()?.unwrap_or(now);
    if stated_at > now + AHEAD_MAX {
        return Err(format!(
            "The option stated, {stated_at}, lies in the future; it is when the export was made."
        ));
    }
    Ok(Some(PartOf { statement: statement.clone(), part: part.transpose()?, stated_at }))
}

fn shown(text: &str) -> String {
    text.chars().take(40).collect()
}

impl PartOf {
    /// The statement, of a body and of who sent it.
    pub(super) fn statement(&self, sender: &str, body: &[u8]) -> Statement {
        let numbered = self.part.map(|number| format!("number {number}"));
        let part = numbered.as_ref().map_or(body, String::as_bytes);
        Statement::of_sender(sender, &self.statement, part, self.stated_at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(statement: &str, part: &str, stated: &str) -> Options {
        let option = |text: &str| (text != "-").then(|| text.to_owned());
        Options { statement: option(statement), part: option(part), stated: option(stated) }
    }

    fn now() -> DateTime<Utc> {
        "2031-02-03T12:00:00Z".parse().unwrap()
    }

    #[test]
    fn values_that_say_nothing_are_refused() {
        let long = "x".repeat(201);
        for (statement, part, stated, kind, reason) in [
            ("-", "1", "-", Some(Kind::Cost), "belong to a statement"),
            ("-", "-", "2031-02-03T12:00:00Z", None, "belong to a statement"),
            (
                "may",
                "-",
                "-",
                Some(Kind::Activity),
                "is for costs, and the path takes records of kind activity",
            ),
            (" ", "-", "-", None, "1 to 200 bytes"),
            (&*long, "-", "-", None, "1 to 200 bytes"),
            ("may", "first", "-", None, "a whole number from 0, and 'first' is none"),
            ("may", "-1", "-", None, "a whole number"),
            ("may", "1", "yesterday", None, "such as 2031-02-03T04:05:06Z, and 'yesterday' is none"),
            ("may", "1", "2031-02-03T13:00:01Z", None, "lies in the future"),
        ] {
            let error = check(&options(statement, part, stated), kind, now()).unwrap_err();
            assert!(error.contains(reason), "{error}");
        }
    }

    #[test]
    fn a_statement_has_parts() {
        let read = |statement, part, stated| {
            check(&options(statement, part, stated), Some(Kind::Cost), now()).unwrap()
        };
        assert_eq!(read("-", "-", "-"), None);
        let of = |part: &PartOf, sender: &str, body: &[u8]| part.statement(sender, body);
        let (one, two) = (read("may", "1", "-").unwrap(), read("may", "2", "-").unwrap());
        assert_eq!(one.stated_at, now());
        assert_eq!(of(&one, "", b"a").id, of(&two, "", b"a").id);
        assert_ne!(of(&one, "", b"a").part, of(&two, "", b"a").part);
        assert_eq!(of(&one, "", b"a").part, of(&one, "", b"b").part, "the number decides");
        let by_content = read("may", "-", "2031-02-03T12:30:00Z").unwrap();
        assert_eq!(of(&by_content, "", b"a").stated_at, now() + TimeDelta::minutes(30));
        assert_eq!(of(&by_content, "", b"a").id, of(&one, "", b"a").id);
        assert_ne!(of(&by_content, "", b"a").part, of(&by_content, "", b"b").part);
        assert_ne!(of(&one, "c-1", b"a").id, of(&one, "", b"a").id);
    }
}
