//! The SQL that filters and orders become.

use odata::checked::{Arithmetic, Comparison, Direction, Filter, Function, Literal, Operand, TextTest};
use sea_query::SqliteQueryBuilder;

use super::alerts::{Known, count, list};
use super::dialect::{Dialect, Postgres, Sqlite};
use crate::testing::{checked, compare, literal, operand, sort_key, value};
use crate::{AlertQuery, Position, default_order};
use alerts::Scope;

fn partner() -> Scope {
    Scope::Partner("p".parse().unwrap())
}

/// The condition that a filter becomes, without that of the scope.
fn condition(filter: &Filter) -> String {
    let sql = count(&partner(), Some(filter), None, &Known::default(), &Sqlite)
        .unwrap()
        .to_string(SqliteQueryBuilder);
    let (_, condition) = sql.split_once("\"partner_tenant_id\" = 'p' AND ").unwrap();
    condition.replace('"', "")
}

fn not(filter: Filter) -> Filter {
    Filter::Not(Box::new(filter))
}

#[test]
fn comparisons_mind_null_only_where_it_can_be() {
    use Comparison::{Eq, Gt, Ne};
    let check = |filter: &Filter, expected: &str| assert_eq!(condition(filter), expected);
    check(&compare("status", Eq, "active"), "status = 'active'");
    check(&compare("severity", Gt, "low"), "severity_rank + 0 > 2");
    check(&compare("detectedDateTime", Gt, "1970-01-01T00:00:01Z"), "detected_at > 1000000");
    check(&compare("resolvedBy", Ne, "ann"), "(resolved_by <> 'ann' OR resolved_by IS NULL)");
    check(&compare("displayName", Ne, "x"), "display_name <> 'x'");
    check(&compare("severity", Ne, "low"), "severity_rank <> 2");
    check(&not(compare("resolvedBy", Gt, "ann")), "(resolved_by <= 'ann' OR resolved_by IS NULL)");
    check(&not(compare("displayName", Gt, "x")), "display_name <= 'x'");
    check(&not(not(compare("resolvedBy", Eq, "ann"))), "resolved_by = 'ann'");
}

/// An index finds these. A reason may be null, and so is not one of the others; a rank is no text.
#[test]
fn what_is_not_one_status_is_one_of_the_others() {
    use Comparison::{Eq, Ne};
    let check = |filter: &Filter, expected: &str| assert_eq!(condition(filter), expected);
    let one_of = |list: &[&str]| {
        Filter::In(operand("status"), list.iter().map(|text| literal("status", text)).collect())
    };
    let open = "status IN ('active', 'investigating', 'unknownFutureValue')";
    check(&compare("status", Ne, "resolved"), open);
    check(&not(compare("status", Eq, "resolved")), open);
    check(&not(one_of(&["resolved"])), open);
    check(&Filter::Compare(value(literal("status", "resolved")), Ne, operand("status")), open);
    check(&not(compare("status", Ne, "resolved")), "status = 'resolved'");
    check(&not(one_of(&["active", "investigating", "unknownFutureValue"])), "status IN ('resolved')");
    check(&not(one_of(&["active", "resolved", "investigating", "unknownFutureValue"])), "(1 = 0)");
    check(&compare("resolvedReason", Ne, "fraud"), "(resolved_reason <> 'fraud' OR resolved_reason IS NULL)");
}

#[test]
fn literals_are_looked_up_before_the_database_is_asked() {
    let check = |left: Literal, comparison, right: Literal, expected: &str| {
        let filter = Filter::Compare(value(left), comparison, value(right));
        assert_eq!(condition(&filter), expected);
    };
    check(Literal::Null, Comparison::Eq, Literal::Null, "(1 = 1)");
    check(Literal::Null, Comparison::Le, Literal::Null, "(1 = 0)");
    check(Literal::Int(1), Comparison::Ne, Literal::Null, "(1 = 1)");
    check(Literal::Int(1), Comparison::Lt, Literal::Int(2), "(1 = 1)");
}

#[test]
fn and_or_not_are_pushed_down_to_the_comparisons() {
    let either = Filter::Or(
        Box::new(compare("status", Comparison::Eq, "active")),
        Box::new(not(compare("resolvedBy", Comparison::Eq, "ann"))),
    );
    assert_eq!(
        condition(&not(either)),
        "(status IN ('resolved', 'investigating', 'unknownFutureValue') AND resolved_by = 'ann')"
    );
}

#[test]
fn a_member_of_the_open_type_is_reached_by_a_bound_path() {
    let filter = compare("additionalDetails/VmCount", Comparison::Eq, "12");
    let (sql, values) =
        count(&partner(), Some(&filter), None, &Known::default(), &Sqlite).unwrap().build(SqliteQueryBuilder);
    assert!(!sql.contains("VmCount"), "{sql}");
    assert!(format!("{values:?}").contains("$.additionalDetails.\\\"VmCount\\\""), "{values:?}");
}

#[test]
fn what_cannot_be_answered_is_refused() {
    let check = |filter: &Filter, expected: &str| {
        assert_eq!(
            count(&partner(), Some(filter), None, &Known::default(), &Sqlite).unwrap_err().to_string(),
            expected
        );
    };
    let at = |path: &[&str]| {
        let mut operand = operand("displayName");
        if let odata::checked::Operand::Property(found) = &mut operand {
            found.segments = path.iter().map(|&segment| segment.to_owned()).collect();
        }
        Filter::Compare(operand, Comparison::Eq, value(Literal::String("x".into())))
    };
    check(&at(&["affectedResources"]), "'affectedResources' cannot be filtered by");
    check(&at(&["partner_tenant_id"]), "'partner_tenant_id' cannot be filtered by");
    check(&at(&["displayName", "length"]), "'displayName/length' cannot be filtered by");
    check(&at(&["additionalDetails", "a\"b"]), "'additionalDetails/a\"b' cannot be filtered by");
    check(
        &Filter::Compare(operand("status"), Comparison::Eq, value(Literal::Int(1))),
        "the operands of a comparison differ in type",
    );
    check(
        &Filter::Text(TextTest::Contains, operand("status"), value(Literal::String("x".into()))),
        "a string function takes strings",
    );
}

#[test]
fn a_position_becomes_one_seek_where_an_index_can_serve_it() {
    let check = |order: Vec<odata::checked::SortKey>, keys: Vec<Literal>, expected: &str| {
        let query = AlertQuery {
            filter: None,
            search: None,
            order,
            limit: 2,
            skip: 0,
            after: Some(Position { keys, id: "a".into() }),
        };
        let sql =
            list(&partner(), &query, &Known::default(), &Sqlite).unwrap().0.to_string(SqliteQueryBuilder);
        let (_, condition) = sql.rsplit_once("\"partner_tenant_id\" = 'p' AND ").unwrap();
        assert_eq!(condition.replace('"', ""), expected);
    };
    check(Vec::new(), Vec::new(), "(id) > ('a') ORDER BY id ASC LIMIT 3");
    check(
        default_order(),
        vec![literal("detectedDateTime", "1970-01-01T00:00:01Z")],
        "(detected_at, id) < (1000000, 'a') ORDER BY detected_at DESC, id DESC LIMIT 3",
    );
    check(
        vec![sort_key("severity", Direction::Descending), sort_key("displayName", Direction::Ascending)],
        vec![literal("severity", "high"), literal("displayName", "x")],
        "(severity_rank <= 4 AND ((severity_rank = 4 AND ((display_name = 'x' AND id > 'a') \
         OR display_name > 'x')) OR severity_rank < 4)) \
         ORDER BY severity_rank DESC, display_name ASC, id ASC LIMIT 3) \
         ORDER BY severity_rank DESC, display_name ASC, id ASC",
    );
    check(
        vec![sort_key("resolvedBy", Direction::Descending)],
        vec![Literal::Null],
        "(resolved_by IS NULL AND (resolved_by IS NULL AND id < 'a')) \
         ORDER BY resolved_by DESC NULLS LAST, id DESC LIMIT 3) \
         ORDER BY resolved_by DESC NULLS LAST, id DESC",
    );
}

/// What is computed, for SQLite and for PostgreSQL.
#[test]
fn each_database_gets_expressions_of_its_own() {
    let shown: Vec<String> = [
        "tolower(displayName) eq 'a'",
        "endswith(description,'.') eq false",
        "length(displayName) mul 2 lt 9",
        "length(displayName) divby 2 lt 4.5",
        "substring(displayName,length(alertType),2) ne resolvedBy",
        "year(detectedDateTime) eq 2031 and hour(detectedDateTime) lt 6",
        "resolvedOnDateTime lt detectedDateTime add duration'PT1H'",
        "additionalDetails/VmCount eq '12'",
        "affectedResources/any(r:contains(r/resourceId,subscriptionId))",
        "activityLogs/all(l:l/statusTo eq status or l/updatedDateTime gt 2031-01-01T00:00:00Z)",
        "affectedResources/$count gt 1",
    ]
    .into_iter()
    .map(|text| {
        let written = |dialect: &dyn Dialect| {
            let select = count(&partner(), Some(&checked(text)), None, &Known::default(), dialect).unwrap();
            let sql = dialect.statement(select.into()).sql;
            let (_, condition) = sql.split_once(" AND ").unwrap();
            condition.replace('"', "")
        };
        format!("{text}\n  {}\n  {}", written(&Sqlite), written(&Postgres))
    })
    .collect();
    insta::assert_snapshot!(shown.join("\n\n"));
}

#[test]
fn a_statement_grows_with_its_filter_and_no_faster() {
    let grown = |dialect: &dyn Dialect, levels: usize| {
        let mut filter = compare("description", Comparison::Ne, "null");
        let mut number = Operand::Call(Function::Length, vec![operand("displayName")]);
        for _ in 0..levels {
            let truth = Operand::Condition(Box::new(filter));
            filter = Filter::Compare(truth, Comparison::Ne, operand("isTest"));
            let year = Operand::Call(Function::Year, vec![operand("detectedDateTime")]);
            number = Operand::Arithmetic(Box::new(number), Arithmetic::DivBy, Box::new(year));
        }
        let number = Filter::Compare(number, Comparison::Ne, value(Literal::Null));
        let filter = Filter::And(Box::new(not(filter)), Box::new(number));
        let select = count(&partner(), Some(&filter), None, &Known::default(), dialect).unwrap();
        dialect.statement(select.into()).sql.len()
    };
    for dialect in [&Sqlite as &dyn Dialect, &Postgres] {
        let (two, four, eight) = (grown(dialect, 2), grown(dialect, 4), grown(dialect, 8));
        assert_eq!(eight - four, 2 * (four - two), "{two} {four} {eight}");
    }
}
