//! Words of records that our events keep under other words.

use crate::fields::{Field, RISK_TYPES, Reading};
use crate::matching::{Comparison, Form, Is, Match, Source};
use crate::pattern::Pattern;
use crate::selection::plain;

/// Compares a value whose words are not taken as they are.
pub(crate) fn read(field: &Field, pattern: &Pattern) -> Result<Match, String> {
    let source = &field.source;
    let literal = pattern.as_literal().map(str::to_lowercase);
    let word = |words: &[(&str, &str)]| {
        let literal = literal.as_deref()?;
        words.iter().find(|(theirs, _)| *theirs == literal).map(|(_, ours)| Pattern::literal(ours))
    };
    match field.reading {
        Reading::Plain => plain(source, pattern, false),
        Reading::Provider => plain(source, &pattern.clone().then("/").before_anything(), false),
        Reading::ActivityStatus => {
            plain(source, &word(ACTIVITY_STATUSES).unwrap_or_else(|| pattern.clone()), false)
        }
        Reading::SignInStatus => sign_in_status(source, pattern, literal.as_deref()),
        Reading::AuditStatus => match literal.as_deref() {
            Some("success" | "failure" | "timeout") => plain(source, pattern, false),
            // A typing error would make a detector that never fires.
            Some(short) if !short.contains([' ', '.']) => Err(format!(
                "'{short}' is no result of an audit record; those are success, failure and timeout"
            )),
            Some(_) => plain(&reason(), pattern, false),
            None => Ok(Match::Any(vec![plain(source, pattern, false)?, plain(&reason(), pattern, false)?])),
        },
        Reading::SignInLog => match word(SIGN_IN_LOGS) {
            Some(log) => plain(source, &log, false),
            None => {
                Err("it names none of the logs of sign-ins, such as NonInteractiveUserSignInLogs".to_owned())
            }
        },
        Reading::Protocol => {
            let protocol = literal.unwrap_or_default().replace([' ', '-', '_'], "");
            if !PROTOCOLS.contains(&protocol.as_str()) {
                return Err(format!(
                    "sign-ins have no such member, and '{protocol}' is no authentication protocol"
                ));
            }
            plain(source, &Pattern::literal(&protocol), false)
        }
        Reading::NoSpaces => plain(source, &pattern.map(|text| text.replace(' ', "")), false),
        Reading::RiskType => match literal.as_deref() {
            Some(kind) if RISK_TYPES.contains(&kind) => plain(source, pattern, false),
            Some(kind) => Err(format!(
                "sign-ins do not carry the type of risk '{kind}', and Entra's log of risk detections is not taken in"
            )),
            None => Err("types of risk are compared whole, without wildcards".to_owned()),
        },
    }
}

/// Why the result of an audit record is what it is.
fn reason() -> Source {
    Source::Column("result_reason", Form::AsWritten)
}

/// Success and failure are told by the code; anything else stands in the status.
fn sign_in_status(source: &Source, pattern: &Pattern, literal: Option<&str>) -> Result<Match, String> {
    let success = Match::test(Source::Column("error_code", Form::Number), Is::Number(Comparison::Equal, 0));
    let absent = Match::test(Source::Column("error_code", Form::Number), Is::Absent);
    match literal {
        Some("success" | "succeeded" | "0") => Ok(success),
        Some("failure" | "failed" | "fail") => Ok(Match::All(vec![Match::not(success), Match::not(absent)])),
        // The status of a sign-in is an object, which equals no text.
        Some(word) => Err(format!("'{word}' is no status of a sign-in; those are success and failure")),
        None => plain(source, pattern, false),
    }
}

const ACTIVITY_STATUSES: &[(&str, &str)] = &[
    ("start", "started"),
    ("started", "started"),
    ("accept", "accepted"),
    ("accepted", "accepted"),
    ("success", "succeeded"),
    ("succeeded", "succeeded"),
    ("failure", "failed"),
    ("failed", "failed"),
];

const SIGN_IN_LOGS: &[(&str, &str)] = &[
    ("signinlogs", "interactive"),
    ("interactive", "interactive"),
    ("noninteractiveusersigninlogs", "non_interactive"),
    ("serviceprincipalsigninlogs", "service_principal"),
    ("managedidentitysigninlogs", "managed_identity"),
];

/// Members of Graph's `protocolType`, and how the logs spell them.
const PROTOCOLS: &[&str] = &[
    "authenticationtransfer",
    "devicecode",
    "nativeauth",
    "oauth2",
    "ropc",
    "saml20",
    "wsfederation",
    "implicitaccesstokenandgetresponsemode",
];
