use super::*;
use crate::checked::{Direction, Literal};
use crate::sample::{KEY, MODEL, NOW};

const SEAL: Seal<'static> = Seal { key: &KEY, context: b"partner" };

fn query_at(raw: &str, now: DateTime<Utc>) -> Result<Query, QueryError> {
    let limits = Limits::default();
    let context = CheckContext { model: &MODEL, limits: &limits, now, seal: SEAL };
    QueryOptions::parse(raw)?.check(&context)
}

fn query(raw: &str) -> Result<Query, QueryError> {
    query_at(raw, NOW)
}

fn check_error(raw: &str, expected: &str) {
    assert_eq!(query(raw).map(|_| ()).map_err(|error| error.to_string()), Err(expected.to_owned()), "{raw}");
}

#[test]
fn a_query_without_options_has_the_default_order() {
    let query = query("").unwrap();
    assert_eq!((query.filter, query.select, query.top, query.skip), (None, None, None, 0));
    assert!(!query.count && query.after.is_none());
    assert_eq!(query.order.len(), 1);
    assert_eq!(query.order[0].direction, Direction::Descending);
    assert_eq!(query.order[0].by.ty(), Some(crate::model::Type::DateTimeOffset));
}

#[test]
fn options_are_read_together() {
    let query = query("$filter=severity+eq+'high'&$top=0&skip=3&COUNT=True&$format=json&$select=id").unwrap();
    assert!(query.filter.is_some() && query.count);
    assert_eq!((query.top, query.skip), (Some(0), 3));
    assert_eq!(query.select.unwrap().context_list(), "id");
    assert_eq!(super::QueryOptions::default().check_for_entity(&MODEL, &Limits::default()), Ok((None, None)));
}

#[test]
fn errors_name_the_option_and_the_place() {
    check_error("$top=ten", "$top: expected a whole number but found 'ten' at 0");
    check_error("$top=-1", "$top: expected a whole number but found '-1' at 0");
    check_error("$top=", "$top: expected a whole number but found the end at 0");
    check_error("$top=1001", "$top: more than 1000 at 0");
    check_error("$skip=99999999999999999999999", "$skip: more than 1000000 at 0");
    check_error("$count=yes", "$count: expected true or false but found 'yes' at 0");
    check_error("$format=atom", "$format: format 'atom' is not supported here at 0; use json");
    check_error("$search=a (b", "$search: a '(' without its ')' at 2");
    check_error(
        "$filter=severty eq 'high'",
        "$filter: unknown property 'severty' at 0; did you mean 'severity'?",
    );
}

#[test]
fn search_metadata_and_delta_token_are_read() {
    let query = query("$search=mining&$format=application/json;odata.metadata=full&$deltatoken=abc").unwrap();
    assert!(matches!(query.search, Some(Search::Term(term)) if term.text == "mining"));
    assert_eq!((query.metadata, query.delta_token.as_deref()), (Some(MetadataLevel::Full), Some("abc")));
}

#[test]
fn all_pages_agree_on_now() {
    let raw = "$filter=detectedDateTime ge now() sub duration'P1D'&$orderby=title";
    let first = query(raw).unwrap();
    assert_eq!(first.now, Some(NOW));
    let position = Position { keys: vec![Literal::String("t".into())], id: "a".into() };
    let token = first.page_token(&position, &SEAL, &Limits::default()).unwrap();
    let later = NOW + chrono::TimeDelta::hours(5);
    let next = query_at(&format!("{raw}&$skiptoken={token}"), later).unwrap();
    assert_eq!((&next.filter, next.now, next.after), (&first.filter, first.now, Some(position.clone())));
    assert_ne!(query_at(raw, later).unwrap().filter, first.filter);

    let plain = query("$orderby=title").unwrap();
    assert_eq!(plain.now, None);
    assert_eq!(query("$orderby=detectedDateTime sub now()").unwrap().now, Some(NOW));
}

#[test]
fn a_page_token_is_of_one_caller_and_one_search() {
    let first = query("$search=mining&$orderby=title").unwrap();
    let position = Position { keys: vec![Literal::Null], id: "a".into() };
    let token = first.page_token(&position, &SEAL, &Limits::default()).unwrap();
    check_error(
        &format!("$search=other&$orderby=title&$skiptoken={token}"),
        "$skiptoken: page token of another $filter, $search or $orderby; follow @odata.nextLink as it is",
    );
    let other = Seal { context: b"another", ..SEAL };
    let stolen = first.page_token(&position, &other, &Limits::default()).unwrap();
    check_error(
        &format!("$search=mining&$orderby=title&$skiptoken={stolen}"),
        "$skiptoken: the token was changed, or was given to another caller; start again without it",
    );
}

#[test]
fn a_page_token_is_good_for_its_own_query_only() {
    let first = query("$filter=isTest eq false&$orderby=severity&$top=5").unwrap();
    let position = Position { keys: vec![Literal::Enum(&crate::sample::SEVERITY, 2)], id: "a".into() };
    let token = first.page_token(&position, &SEAL, &Limits::default()).unwrap();

    let next = |raw: &str| query(&format!("{raw}&$skiptoken={token}"));
    let same = next("$top=9&orderby=severity+asc&$filter=isTest%20%20EQ+false").unwrap();
    assert_eq!(same.after, Some(position));

    let other = next("$filter=isTest eq true&$orderby=severity").unwrap_err();
    assert_eq!(
        other.to_string(),
        "$skiptoken: page token of another $filter, $search or $orderby; follow @odata.nextLink as it is"
    );
    assert!(next("$filter=isTest eq false").is_err());
    assert_eq!(
        next("$filter=isTest eq false&$orderby=severity&$skip=1").unwrap_err().to_string(),
        "$skip: cannot be used with $skiptoken, which says where the page starts"
    );
}
