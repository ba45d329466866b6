//! What holds for any query: printing and reading agree, nothing panics, errors point into the text,
//! and no text takes long.

use std::time::{Duration, Instant};

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta};
use odata::ast::{BinaryOperator, Expr, ExprKind, Function, Lambda, Literal, Path, Quantifier};
use odata::check::check_filter;
use odata::checked;
use odata::delta_token::DeltaToken;
use odata::page_token::{self, Fingerprint};
use odata::parser::{parse_filter, parse_orderby, parse_select};
use odata::search::{check_search, parse_search};
use odata::{
    CheckContext, Limits, Position, Query, QueryError, QueryOption, QueryOptions, Seal, Span, Spanned,
    TokenKey, model,
};
use proptest::prelude::*;

mod sample;

use sample::{KEY, MODEL, NOW, SEVERITY};

const SEAL: Seal<'static> = Seal { key: &KEY, context: b"partner" };

fn checked(options: &QueryOptions) -> Result<Query, QueryError> {
    options.check(&CheckContext { model: &MODEL, limits: &Limits::default(), now: NOW, seal: SEAL })
}

/// Far above what the strategies make, so that only the grammar decides.
fn roomy() -> Limits {
    Limits {
        option_bytes: 1 << 20,
        filter_nodes: Limits::NODES_CEILING,
        filter_depth: Limits::DEPTH_CEILING,
        lambda_depth: Limits::DEPTH_CEILING,
        ..Limits::default()
    }
}

fn spanned<T>(value: T) -> Spanned<T> {
    Spanned { value, span: Span::default() }
}

fn name() -> impl Strategy<Value = String> {
    "[A-Za-z_äß][A-Za-z0-9_é]{0,8}"
}

fn path() -> impl Strategy<Value = Path> {
    const NOT_FIRST: &[&str] = &[
        "or", "and", "eq", "ne", "lt", "le", "gt", "ge", "in", "not", "has", "add", "sub", "mul", "div",
        "divby", "mod", "null", "true", "false", "inf", "nan",
    ];
    let first = name().prop_filter("a keyword", |name| !NOT_FIRST.contains(&name.to_lowercase().as_str()));
    let word = prop_oneof![9 => name(), 1 => Just("not".to_owned())];
    (any::<bool>(), first, prop::collection::vec(word, 0..3)).prop_map(|(from_it, first, rest)| Path {
        from_it,
        segments: std::iter::once(first).chain(rest).map(spanned).collect(),
    })
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z' ()/%]{0,12}", "\\PC{0,12}"]
}

fn literal() -> impl Strategy<Value = Literal> {
    // From the first moment of the year 1 to the last of the year 9999.
    let seconds = -62_135_596_800_i64..=253_402_300_799;
    let nanoseconds = prop_oneof![Just(0), Just(500_000_000), 0..1_000_000_000_u32];
    prop_oneof![
        Just(Literal::Null),
        any::<bool>().prop_map(Literal::Boolean),
        any::<i64>().prop_map(Literal::Integer),
        any::<f64>().prop_filter("not finite", |value| value.is_finite()).prop_map(Literal::Double),
        (1..=9999_i32, 1..=365_u32).prop_map(|(year, day)| {
            Literal::Date(NaiveDate::from_yo_opt(year, day).expect("every year has 365 days"))
        }),
        (seconds, nanoseconds).prop_map(|(seconds, nanoseconds)| {
            Literal::DateTime(DateTime::from_timestamp(seconds, nanoseconds).expect("the years 1 to 9999"))
        }),
        (0..86_400_u32, prop_oneof![Just(0), 0..1_000_000_000_u32]).prop_map(|(seconds, nanoseconds)| {
            let time = NaiveTime::from_num_seconds_from_midnight_opt(seconds, nanoseconds);
            Literal::TimeOfDay(time.expect("a second of a day"))
        }),
        (-315_576_000_000_i64..315_576_000_000, prop_oneof![Just(0), 0..1_000_000_000_u32]).prop_map(
            |(seconds, nanoseconds)| {
                Literal::Duration(TimeDelta::new(seconds, nanoseconds).expect("less than 10,000 years"))
            }
        ),
        any::<u128>().prop_map(|bits| Literal::Guid(uuid::Uuid::from_u128(bits))),
        text().prop_map(Literal::String),
        (name(), name(), text()).prop_map(|(namespace, local, member)| Literal::Enum {
            type_name: format!("{namespace}.{local}"),
            member,
        }),
    ]
}

fn expr() -> impl Strategy<Value = Expr> {
    let leaf = prop_oneof![
        literal().prop_map(|literal| spanned(ExprKind::Literal(literal))),
        path().prop_map(|path| spanned(ExprKind::Path(path))),
    ];
    leaf.prop_recursive(8, 64, 4, |inner| {
        let boxed = inner.clone().prop_map(Box::new);
        let operator = prop::sample::select(BinaryOperator::ALL);
        let call = prop::sample::select(Function::ALL).prop_flat_map({
            let inner = inner.clone();
            move |function| {
                let arguments = prop::collection::vec(inner.clone(), function.arguments());
                arguments.prop_map(move |arguments| spanned(ExprKind::Call(function, arguments)))
            }
        });
        let items = prop::collection::vec(literal().prop_map(spanned), 0..4);
        let lambda = (name(), inner.clone())
            .prop_map(|(variable, condition)| Box::new(Lambda { variable: spanned(variable), condition }))
            .boxed();
        prop_oneof![
            boxed.clone().prop_map(|operand| spanned(ExprKind::Not(operand))),
            (operator, boxed.clone(), boxed.clone())
                .prop_map(|(operator, left, right)| spanned(ExprKind::Binary(operator, left, right))),
            boxed.clone().prop_map(|operand| spanned(ExprKind::Negate(operand))),
            (boxed.clone(), items).prop_map(|(operand, items)| spanned(ExprKind::In(operand, items))),
            call,
            (path(), prop::option::of(boxed))
                .prop_map(|(path, filter)| spanned(ExprKind::Count(path, filter))),
            (path(), prop::option::of(lambda.clone())).prop_map(|(path, lambda)| spanned(ExprKind::Lambda(
                path,
                Quantifier::Any,
                lambda
            ))),
            (path(), lambda).prop_map(|(path, lambda)| spanned(ExprKind::Lambda(
                path,
                Quantifier::All,
                Some(lambda)
            ))),
        ]
    })
}

/// Texts that are made of what queries are made of, so that many of them get far.
fn query_like() -> impl Strategy<Value = String> {
    const PIECES: &[&str] = &[
        "severity",
        "title",
        "count",
        "cost",
        "isTest",
        "detectedDateTime",
        "address/city",
        "details/Key",
        "resources",
        "'high'",
        "'it''s'",
        "sample.security.severity'low'",
        "5",
        "-1.5e3",
        "true",
        "null",
        "2031-02-03",
        "2031-02-03T04:05:06.7Z",
        "7c1f0a52-0b1e-4a39-9a55-2f6f1d0c9e11",
        " eq ",
        " ne ",
        " gt ",
        " le ",
        " and ",
        " or ",
        "not ",
        " in ",
        "(",
        ")",
        ",",
        "contains(",
        "startswith(",
        "length(",
        "substring(",
        "year(",
        "date(",
        "round(",
        "now()",
        "duration'P1D'",
        "12:30:00",
        "resources/any(r:",
        "resources/all(r:",
        "resources/$count",
        "($filter=",
        "($select=",
        "r/resourceId",
        " sub ",
        " divby ",
        " mod ",
        "-",
        ":",
        " AND ",
        " OR ",
        "NOT ",
        "\"",
        "\\",
        "title:",
        " ",
        "/",
        "'",
        "$it",
        "any(",
        " add ",
        " desc",
        "*",
        "ü",
        "%27",
        "+",
        "&",
        "$filter=",
        "=",
        "@",
        "\0",
    ];
    prop::collection::vec(prop::sample::select(PIECES), 0..24).prop_map(|pieces| pieces.concat())
}

/// Texts that were right before some of their characters were taken out or replaced.
fn mutated() -> impl Strategy<Value = String> {
    let mutations =
        prop::collection::vec((any::<prop::sample::Index>(), prop::option::of(any::<char>())), 0..4);
    (expr(), mutations).prop_map(|(expr, mutations)| {
        let mut chars: Vec<char> = expr.to_string().chars().collect();
        for (at, replacement) in mutations {
            if chars.is_empty() {
                break;
            }
            let at = at.index(chars.len());
            match replacement {
                Some(other) => chars[at] = other,
                None => drop(chars.remove(at)),
            }
        }
        chars.into_iter().collect()
    })
}

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![query_like(), mutated(), any::<String>()]
}

/// The position lies in the text, and the token stands there.
fn check_error(text: &str, error: &QueryError) {
    let Some(position) = error.position else { return };
    let rest: String = text.chars().skip(position).collect();
    assert!(position <= text.chars().count(), "{error}");
    if let Some(token) = &error.token {
        let plain = !token.contains(['\\', '…']);
        assert!(!plain || rest.starts_with(token.as_str()), "{error}: {text:?}");
    }
    assert!(error.to_string().len() < 2_000, "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn printing_and_parsing_is_identity(expr in expr()) {
        let printed = expr.to_string();
        let parsed = parse_filter(&printed, &roomy());
        prop_assert_eq!(parsed.as_ref(), Ok(&expr), "{}", printed);
    }

    #[test]
    fn the_canonical_text_means_the_same(text in query_like()) {
        let Ok(expr) = parse_filter(&text, &roomy()) else { return Ok(()) };
        let canonical = expr.to_string();
        let again = parse_filter(&canonical, &roomy());
        prop_assert_eq!(again.as_ref(), Ok(&expr), "{}", canonical);
        if let Ok(filter) = check_filter(&expr, &text, &MODEL, NOW) {
            prop_assert_eq!(check_filter(&again.unwrap(), &canonical, &MODEL, NOW), Ok(filter));
        }
    }

    #[test]
    fn any_text_is_read_or_refused_in_place(text in any_text()) {
        let limits = Limits::default();
        match parse_filter(&text, &limits) {
            Ok(expr) => {
                if let Err(error) = check_filter(&expr, &text, &MODEL, NOW) {
                    check_error(&text, &error);
                }
            }
            Err(error) => check_error(&text, &error),
        }
        if let Err(error) = parse_orderby(&text, &limits) {
            check_error(&text, &error);
        }
        if let Err(error) = parse_select(&text, &limits) {
            check_error(&text, &error);
        }
        match parse_search(&text, &limits) {
            Ok(search) => {
                let printed = search.to_string();
                let roomy = Limits { option_bytes: usize::MAX, ..limits };
                let again = parse_search(&printed, &roomy);
                prop_assert_eq!(again.as_ref(), Ok(&search), "{}", printed);
                if let Err(error) = check_search(&search, &text, &MODEL) {
                    check_error(&text, &error);
                }
            }
            Err(error) => check_error(&text, &error),
        }
    }

    #[test]
    fn any_query_string_is_read_or_refused(raw in any_text(), value in any_text()) {
        let pairs = [format!("$filter={value}"), format!("$orderby={value}&$skiptoken={value}"), format!("$search={value}&$format={value}")];
        for raw in pairs.into_iter().chain([raw]) {
            if let Ok(options) = QueryOptions::parse(&raw) {
                let _ = checked(&options);
                let link = options.next_link_query("token");
                prop_assert!(QueryOptions::parse(&link).is_ok(), "{}", link);
            }
        }
    }

    #[test]
    fn page_tokens_read_back(
        severity in 0..SEVERITY.members.len(),
        title in prop::option::of(any::<String>()),
        count in any::<i64>(),
        seconds in -62_135_596_800_i64..=253_402_300_799,
        nanoseconds in 0..1_000_000_000_u32,
        id in any::<String>(),
    ) {
        let query = QueryOptions::parse("$orderby=severity,title,count,detectedDateTime").unwrap();
        let query = checked(&query).unwrap();
        let position = Position {
            keys: vec![
                checked::Literal::Enum(&SEVERITY, severity),
                title.map_or(checked::Literal::Null, checked::Literal::String),
                checked::Literal::Int(count),
                checked::Literal::DateTime(DateTime::from_timestamp(seconds, nanoseconds).unwrap()),
            ],
            id,
        };
        let token = query.page_token(&position, &SEAL, &Limits::default()).unwrap();
        let read = page_token::decode(&token, query.fingerprint, &query.order, &SEAL, &Limits::default());
        prop_assert_eq!(read.map(|token| token.after), Ok(position));
    }

    #[test]
    fn whatever_is_sealed_as_a_position_is_read_or_refused(tail in prop::collection::vec(prop_oneof![0..8_u8, any::<u8>()], 0..60)) {
        let limits = Limits::default();
        let query = QueryOptions::parse("$orderby=title,count,detectedDateTime desc").unwrap();
        let query = checked(&query).unwrap();
        let genuine = query.page_token(&Position { keys: vec![], id: String::new() }, &SEAL, &limits).unwrap();
        let mut held = SEAL.open(QueryOption::SkipToken, &genuine, limits.token_bytes).unwrap();
        // The absent moment and the fingerprint stay, so that the rest is read.
        held.truncate(1 + 16);
        held.extend([3]);
        held.extend(tail);
        let token = SEAL.close(QueryOption::SkipToken, &held);
        if let Ok(read) = page_token::decode(&token, query.fingerprint, &query.order, &SEAL, &limits) {
            prop_assert_eq!(query.page_token(&read.after, &SEAL, &limits).unwrap(), token);
        }
    }

    #[test]
    fn any_text_as_a_page_token_is_refused(token in prop_oneof![any::<String>(), "[A-Za-z0-9_-]{0,80}"]) {
        let limits = Limits::default();
        let query = Fingerprint::of("", "", "");
        prop_assert!(page_token::decode(&token, query, &[], &SEAL, &limits).is_err());
        prop_assert!(DeltaToken::decode(&token, &SEAL, &limits).is_err());
    }
}

#[test]
fn errors_stay_short_whatever_they_quote() {
    let long = "x".repeat(8_000);
    let texts = [
        long.clone(),
        format!("${long}"),
        format!("@{long}"),
        format!("title/${long}"),
        format!("title/a.{long}"),
        format!("title/{long}(1)"),
        format!("{long}'a'"),
        format!("title eq a.{long}'a'"),
        format!("severity eq '{long}'"),
        format!("severity eq a.{long}'a'"),
        format!("details/{long} eq 5"),
        format!("details/{long}/y eq 5"),
        format!("{long}(1)"),
        format!("title {long}"),
        format!("title eq 1{long}"),
    ];
    let limits = Limits::default();
    for text in texts {
        let error = parse_filter(&text, &limits)
            .and_then(|expr| check_filter(&expr, &text, &MODEL, NOW))
            .unwrap_err();
        assert!(error.to_string().len() < 400, "{error}");
    }
}

#[test]
fn no_text_takes_long() {
    let limits = Limits::default();
    let fill = |piece: &str| piece.repeat(limits.option_bytes / piece.len());
    let nested = format!("{}isTest{}", "(".repeat(limits.filter_depth), ")".repeat(limits.filter_depth));
    let texts = [
        nested,
        fill("("),
        fill("not "),
        fill("a or "),
        fill("contains(a,"),
        fill("-"),
        fill("resources/any(r:"),
        fill("\""),
        fill("1 add "),
        fill("'"),
        fill("a."),
        fill("a/"),
        fill("1,"),
        fill("ü"),
        fill("7c1f0a52-0b1e-4a39-9a55-2f6f1d0c9e1-"),
        format!("severity eq '{}'", "x".repeat(8_000)),
        "x".repeat(limits.option_bytes),
    ];
    for text in texts {
        let start = Instant::now();
        let raw = format!("$filter={text}");
        let _ = QueryOptions::parse(&raw).and_then(|options| checked(&options));
        let _ = QueryOptions::parse(&raw.replace("$filter", "$search")).and_then(|options| checked(&options));
        // A millisecond is usual even unoptimised; the rest is for a machine under load.
        assert!(start.elapsed() < Duration::from_secs(2), "{text}");
    }
}
