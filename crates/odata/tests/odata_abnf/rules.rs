//! Which part of our grammar each rule is about, and what it says to a case.

use odata::ast::{ExprKind, Literal};
use odata::format::parse_format;
use odata::parser::{parse_filter, parse_orderby, parse_select};
use odata::query::{parse_count, parse_number};
use odata::search::parse_search;
use odata::{ErrorKind, Limits, QueryError, QueryOption, QueryOptions, Source};

use crate::cases::Case;

/// What our grammar says to a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It is read, as it should be.
    Accepted,
    /// It is not read, because it has what is not supported; this is it.
    OnPurpose(String),
    /// It is not read, as it should not be.
    AsDemanded,
    /// Its rule is about something else; this is it.
    NotOurs(&'static str),
    /// It is read and should not be, or is not read and should be.
    Failed(String),
}

/// The part of our grammar that a rule is about.
enum Part {
    /// An expression.
    Expression,
    /// What follows the path of a collection.
    AfterCollection,
    /// A literal that this holds for.
    Literal(fn(&Literal) -> bool),
    /// The same, in the form of payloads: nothing is percent-encoded.
    Value(fn(&Literal) -> bool),
    /// What stands in the quotes of `duration'…'`.
    DurationValue,
    /// A name.
    Identifier,
    /// A query string.
    QueryString,
    /// The text of a search.
    Search,
    /// Something else.
    NotOurs(&'static str),
}

pub(crate) fn run(case: &Case) -> Outcome {
    let decoded = || percent_decoded(&case.input);
    let result = match part(&case.rule) {
        Part::NotOurs(what) => return Outcome::NotOurs(what),
        Part::Expression => parse_filter(&decoded(), &Limits::default()).map(|_| true),
        Part::AfterCollection => parse_filter(&format!("a/{}", decoded()), &Limits::default()).map(|_| true),
        Part::Literal(is) => literal(&decoded(), is),
        Part::Value(is) => literal(&case.input, is),
        Part::DurationValue => literal(&format!("duration'{}'", case.input), |_| true),
        Part::Identifier => parse_filter(&case.input, &Limits::default())
            .map(|expr| matches!(expr.value, ExprKind::Path(path) if path.segments.len() == 1)),
        Part::QueryString => query_string(&case.input).map(|()| true),
        Part::Search => parse_search(&decoded(), &Limits::default()).map(|_| true),
    };
    match (result, case.must_fail) {
        (Ok(true), false) => Outcome::Accepted,
        (Ok(false) | Err(_), true) => Outcome::AsDemanded,
        (Ok(true), true) => Outcome::Failed("is read, but must be refused".to_owned()),
        (Ok(false), false) => Outcome::Failed("is read as something else".to_owned()),
        (Err(error), false) => match reason(&error) {
            Some(reason) => Outcome::OnPurpose(reason),
            None => Outcome::Failed(error.to_string()),
        },
    }
}

fn part(rule: &str) -> Part {
    let is_integer = |literal: &Literal| matches!(literal, Literal::Integer(_));
    let is_number = |literal: &Literal| matches!(literal, Literal::Integer(_) | Literal::Double(_));
    match rule {
        "commonExpr" | "boolCommonExpr" | "boolcommonExpr" | "firstMemberExpr" | "notExpr" | "isofExpr"
        | "propertyPathExpr" => Part::Expression,
        "anyExpr" => Part::AfterCollection,
        "filter" | "orderby" | "orderBy" | "select" | "search" | "queryOptions" | "systemQueryOption"
        | "customQueryOption" | "skiptoken" | "deltatoken" | "compute" | "expand" => Part::QueryString,
        "searchExpr" => Part::Search,
        "odataIdentifier" => Part::Identifier,
        "null" => Part::Literal(|literal| matches!(literal, Literal::Null)),
        "boolean" => Part::Literal(|literal| matches!(literal, Literal::Boolean(_))),
        "date" => Part::Literal(|literal| matches!(literal, Literal::Date(_))),
        "dateTimeOffsetLiteral" | "dateTimeOffsetValueInUrl" => {
            Part::Literal(|literal| matches!(literal, Literal::DateTime(_)))
        }
        "timeOfDayLiteral" => Part::Literal(|literal| matches!(literal, Literal::TimeOfDay(_))),
        "durationLiteral" => {
            // Without its prefix it is a text until it stands beside a duration.
            Part::Literal(|literal| matches!(literal, Literal::Duration(_) | Literal::String(_)))
        }
        "guid" => Part::Literal(|literal| matches!(literal, Literal::Guid(_))),
        "stringLiteral" => Part::Literal(|literal| matches!(literal, Literal::String(_))),
        "enumLiteral" => {
            Part::Literal(|literal| matches!(literal, Literal::Enum { .. } | Literal::String(_)))
        }
        "binaryLiteral" => Part::Literal(|_| false),
        "primitiveLiteral" => Part::Literal(|_| true),
        "sbyteLiteral" | "int16Literal" | "int32Literal" | "int64Literal" => Part::Literal(is_integer),
        "decimalLiteral" | "doubleLiteral" | "singleLiteral" => Part::Literal(is_number),
        "dateValue" => Part::Value(|literal| matches!(literal, Literal::Date(_))),
        "dateTimeOffsetValue" => Part::Value(|literal| matches!(literal, Literal::DateTime(_))),
        "timeOfDayValue" => Part::Value(|literal| matches!(literal, Literal::TimeOfDay(_))),
        "byteValue" | "sbyteValue" | "int16Value" | "int32Value" | "int64Value" => Part::Value(is_integer),
        "decimalValue" | "doubleValue" | "singleValue" => Part::Value(is_number),
        "durationValue" => Part::DurationValue,
        "odataUri" | "odataRelativeUri" | "resourcePath" | "entitySetName" | "functionParameter" => {
            Part::NotOurs("paths of resources")
        }
        "context" => Part::NotOurs("context URLs in answers"),
        "header"
        | "preference"
        | "prefer"
        | "request-id"
        | "maxpagesizePreference"
        | "includeAnnotationsPreference" => Part::NotOurs("headers"),
        "booleanValue" | "enumValue" | "primitiveValue" | "stringInUrl" => {
            Part::NotOurs("values in payloads that differ from literals")
        }
        geo if geo.starts_with("geo") => Part::NotOurs("geographic values in payloads"),
        other => panic!("rule '{other}' is new"),
    }
}

fn literal(text: &str, is: fn(&Literal) -> bool) -> Result<bool, QueryError> {
    let expr = parse_filter(text, &Limits::default())?;
    Ok(matches!(&expr.value, ExprKind::Literal(literal) if is(literal)))
}

/// Reads each option of a query string by its grammar.
fn query_string(raw: &str) -> Result<(), QueryError> {
    let limits = Limits::default();
    for given in QueryOptions::parse(raw)?.given() {
        let text = given.text.as_str();
        match given.option {
            QueryOption::Count => parse_count(text).map(drop),
            QueryOption::Filter => parse_filter(text, &limits).map(drop),
            QueryOption::Format => parse_format(text).map(drop),
            QueryOption::OrderBy => parse_orderby(text, &limits).map(drop),
            QueryOption::Search => parse_search(text, &limits).map(drop),
            QueryOption::Select => parse_select(text, &limits).map(drop),
            QueryOption::Skip | QueryOption::Top => {
                parse_number(Source { option: given.option, text }, u64::MAX).map(drop)
            }
            // Tokens are opaque: any text may be one.
            QueryOption::DeltaToken | QueryOption::SkipToken => Ok(()),
        }?;
    }
    Ok(())
}

/// What was refused on purpose; `None` if the error says that the text is malformed.
fn reason(error: &QueryError) -> Option<String> {
    let message = error.message.as_str();
    if message == "given more than once" {
        return Some("an option given twice".to_owned());
    }
    match error.kind {
        ErrorKind::UnknownName if message.starts_with("unknown function") => {
            Some("a function or key of the service's own model".to_owned())
        }
        ErrorKind::UnknownName if message == "unknown query option" => {
            Some("a custom query option".to_owned())
        }
        ErrorKind::Unsupported => Some(unsupported(error, message)),
        ErrorKind::Malformed | ErrorKind::UnknownName | ErrorKind::WrongType | ErrorKind::OverLimit => None,
    }
}

/// What is not supported, without the names of the case.
fn unsupported(error: &QueryError, message: &str) -> String {
    let what = message.split("is not supported here").next().unwrap_or_default().trim();
    let (prefix, rest) = what.split_once('\'').unwrap_or((what, ""));
    let name = rest.trim_end_matches('\'').to_lowercase();
    match prefix.trim() {
        _ if rest.contains("in parentheses") => {
            "other options in parentheses than `$select` and `$filter`".to_owned()
        }
        "" if what.is_empty() => format!("`${}`", error.option.trim_start_matches('$').to_lowercase()),
        "" => format!("`{name}`"),
        "function" if !name.contains('.') || name.starts_with("geo.") => format!("`{name}`"),
        "function" => "a function or key of the service's own model".to_owned(),
        "function or key" => "a function or key of the service's own model".to_owned(),
        "operator" => format!("`{name}`"),
        "segment" => format!("the segment `{name}`"),
        "format" => "a format other than JSON".to_owned(),
        "a literal of type" => format!("literals of type `{name}`"),
        "number" => "`INF` and `NaN`".to_owned(),
        "type cast or qualified name" => "a type cast or qualified name".to_owned(),
        "annotation" => "an annotation".to_owned(),
        "parameter alias" => "a parameter alias".to_owned(),
        _ if what.starts_with("parameter aliases") => "a parameter alias".to_owned(),
        prefix => prefix.to_owned(),
    }
}

/// Decodes percent-encoding; a `+` is a plus here, as the cases are texts of the grammar.
fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let code = match after {
            [high, low, ..] if *first == b'%' => {
                std::str::from_utf8(&[*high, *low]).ok().and_then(|pair| u8::from_str_radix(pair, 16).ok())
            }
            _ => None,
        };
        bytes.push(code.unwrap_or(*first));
        rest = if code.is_some() { &after[2..] } else { after };
    }
    String::from_utf8(bytes).unwrap()
}
