use super::*;
use crate::checked::{Direction, Literal};
use crate::sample::MODEL;

fn query(raw: &str) -> Result<Query, QueryError> {
    QueryOptions::parse(raw)?.check(&MODEL, &Limits::default())
}

fn check_error(raw: &str, expected: &str) {
    assert_eq!(
        query(raw).map(|_| ()).map_err(|error| error.to_string()),
        Err(expected.to_owned()),
        "{raw}"
    );
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
    let query =
        query("$filter=severity+eq+'high'&$top=0&skip=3&COUNT=True&$format=json&$select=id").unwrap();
    assert!(query.filter.is_some() && query.count);
    assert_eq!((query.top, query.skip), (Some(0), 3));
    assert_eq!(query.select.unwrap().context_list(), "id");
    assert_eq!(super::QueryOptions::default().check_for_entity(&MODEL, &Limits::default()), Ok(None));
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
    check_error(
        "$format=json;odata.metadata=full",
        "$format: format 'json;odata.metadata=full' is not supported here at 0; use json",
    );
    check_error(
        "$filter=severty eq 'high'",
        "$filter: unknown property 'severty' at 0; did you mean 'severity'?",
    );
}

#[test]
fn a_page_token_is_good_for_its_own_query_only() {
    let first = query("$filter=isTest eq false&$orderby=severity&$top=5").unwrap();
    let position = Position { keys: vec![Literal::Enum(&crate::sample::SEVERITY, 2)], id: "a".into() };
    let token = first.page_token(&position, &Limits::default()).unwrap();

    let next = |raw: &str| query(&format!("{raw}&$skiptoken={token}"));
    let same = next("$top=9&orderby=severity+asc&$filter=isTest%20%20EQ+false").unwrap();
    assert_eq!(same.after, Some(position));

    let other = next("$filter=isTest eq true&$orderby=severity").unwrap_err();
    assert_eq!(
        other.to_string(),
        "$skiptoken: page token of another $filter or $orderby; follow @odata.nextLink as it is"
    );
    assert!(next("$filter=isTest eq false").is_err());
    assert_eq!(
        next("$filter=isTest eq false&$orderby=severity&$skip=1").unwrap_err().to_string(),
        "$skip: cannot be used with $skiptoken, which says where the page starts"
    );
}
