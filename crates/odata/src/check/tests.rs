use super::*;
use crate::limits::Limits;
use crate::parser::parse_filter;
use crate::sample::MODEL;

fn literal(literal: &Literal) -> String {
    match literal {
        Literal::Null => "null".into(),
        Literal::String(text) => format!("'{text}'"),
        Literal::Boolean(value) => value.to_string(),
        Literal::Int(value) => value.to_string(),
        Literal::Double(value) => format!("{value:?}"),
        Literal::DateTime(at) => at.to_rfc3339(),
        Literal::Date(_) | Literal::TimeOfDay(_) | Literal::Duration(_) => format!("{literal:?}"),
        Literal::Enum(enumeration, member) => format!("#{}", enumeration.members[*member]),
    }
}

fn operand(operand: &Operand) -> String {
    match operand {
        Operand::Property(path) => {
            format!("{}{}", path.segments.join("/"), if path.nullable { "?" } else { "" })
        }
        Operand::Literal(value) => literal(value),
        other => format!("{other:?}"),
    }
}

fn sexpr(filter: &Filter) -> String {
    match filter {
        Filter::And(left, right) => format!("(and {} {})", sexpr(left), sexpr(right)),
        Filter::Or(left, right) => format!("(or {} {})", sexpr(left), sexpr(right)),
        Filter::Not(inner) => format!("(not {})", sexpr(inner)),
        Filter::Compare(left, comparison, right) => {
            format!("({comparison:?} {} {})", operand(left), operand(right))
        }
        Filter::In(left, items) => {
            format!("(in {} [{}])", operand(left), items.iter().map(literal).collect::<Vec<_>>().join(" "))
        }
        Filter::Text(test, text, part) => format!("({test:?} {} {})", operand(text), operand(part)),
        Filter::Is(inner) => operand(inner),
        other => format!("{other:?}"),
    }
}

fn check(text: &str, expected: &str) {
    let found = parse_filter(text, &Limits::default())
        .and_then(|expr| check_filter(&expr, text, &MODEL))
        .map(|filter| sexpr(&filter));
    assert_eq!(found.unwrap_or_else(|error| error.to_string()), expected, "{text}");
}

#[test]
fn literals_get_the_type_of_the_property() {
    check("id eq 'A'", "(Eq id 'A')");
    check("id eq 7C1F0A52-0b1e-4a39-9a55-2f6f1d0c9e11", "(Eq id '7c1f0a52-0b1e-4a39-9a55-2f6f1d0c9e11')");
    check("count gt 5", "(Gt count 5)");
    check("count gt 5.5", "(Gt count 5.5)");
    check("cost lt 5", "(Lt cost? 5.0)");
    check("severity eq 'high'", "(Eq severity #high)");
    check("severity ge sample.security.severity'medium'", "(Ge severity #medium)");
    check("severity ge sample.securities.severity'medium'", "(Ge severity #medium)");
    check("detectedDateTime ge 2031-02-03", "(Ge detectedDateTime 2031-02-03T00:00:00+00:00)");
    check("detectedDateTime lt 2031-02-03T01:00:00+01:00", "(Lt detectedDateTime 2031-02-03T00:00:00+00:00)");
    check("isTest eq true", "(Eq isTest? true)");
    check("resolvedDateTime eq null", "(Eq resolvedDateTime? null)");
}

#[test]
fn a_literal_moves_to_the_right_and_the_comparison_turns() {
    check("5 lt count", "(Gt count 5)");
    check("5 ge count", "(Le count 5)");
    check("'high' eq severity", "(Eq severity #high)");
    check("count lt cost", "(Lt count cost?)");
    check("1 lt 2", "(Lt 1 2)");
    check("1 lt 2.5", "(Lt 1 2.5)");
    check("null eq 'a'", "(Eq null 'a')");
}

#[test]
fn paths_lead_into_complex_values() {
    check("address/city eq 'Bonn'", "(Eq address/city? 'Bonn')");
    check("details/VmCount eq '5'", "(Eq details/VmCount? '5')");
    check("contains(details/kind,'x')", "(Contains details/kind? 'x')");
}

#[test]
fn conditions_are_joined() {
    check(
        "isTest and not (status eq 'active') or severity in ('low','high')",
        "(or (and isTest? (not (Eq status #active))) (in severity [#low #high]))",
    );
    check("not isTest", "(not isTest?)");
    check("true", "true");
    check("details/Key in (null,'a')", "(in details/Key? [null 'a'])");
    check("startswith('abc',title)", "(StartsWith 'abc' title)");
    check("endswith(title,null)", "(EndsWith title null)");
}

#[test]
fn unknown_names_are_refused_where_they_are() {
    check("severty eq 'high'", "$filter: unknown property 'severty' at 0; did you mean 'severity'?");
    check("title eq 'ü' and xyz eq 1", "$filter: unknown property 'xyz' at 17");
    check("address/ciry eq 'a'", "$filter: unknown property 'ciry' at 8; did you mean 'city'?");
    check("title/x eq 'a'", "$filter: no property 'x' because 'title' has none at 6");
    check("details/Key/x eq 'a'", "$filter: no property 'x' because 'Key' has none at 12");
    check("Severity eq 'high'", "$filter: unknown property 'Severity' at 0; did you mean 'severity'?");
    check(
        "severity eq 'hgh'",
        "$filter: 'hgh' is not a member of sample.security.severity at 12; \
         use one of informational, low, medium, high, critical",
    );
    check("severity eq high", "$filter: unknown property 'high' at 12; a text is put in quotes: 'high'");
    check("severty eq title", "$filter: unknown property 'severty' at 0; did you mean 'severity'?");
    check("severity eq hgh", "$filter: unknown property 'hgh' at 12");
    check("foo eq title", "$filter: unknown property 'foo' at 0; a text is put in quotes: 'foo'");
    check(
        "severity eq sample.security.status'active'",
        "$filter: unknown enumeration 'sample.security.status' beside 'severity' at 12; \
         did you mean 'sample.security.severity'?",
    );
}

#[test]
fn unlike_things_are_not_compared() {
    check(
        "detectedDateTime gt '2031-02-03'",
        "$filter: 'detectedDateTime' is a date and time and cannot be compared with '2031-02-03' at 20; \
         write dates without quotes: 2031-02-03T04:05:06Z or 2031-02-03",
    );
    check(
        "details/VmCount gt 5",
        "$filter: 'details/VmCount' is a text and cannot be compared with '5' at 19; put it in quotes",
    );
    check(
        "severity eq 3",
        "$filter: 'severity' is a member of an enumeration and cannot be compared with '3' at 12; put it in quotes",
    );
    check(
        "isTest eq 'true'",
        "$filter: 'isTest' is true or false and cannot be compared with 'true' at 10; write it without quotes",
    );
    check(
        "count in (1,'x')",
        "$filter: 'count' is a whole number and cannot be compared with 'x' at 12; write it without quotes",
    );
    check("count eq true", "$filter: 'count' is a whole number and cannot be compared with 'true' at 9");
    check("title eq count", "$filter: a text cannot be compared with a whole number at 9");
    check(
        "severity eq status",
        "$filter: a member of an enumeration cannot be compared with a member of an enumeration at 12",
    );
    check(
        "1 eq 'a'",
        "$filter: the other side is a whole number and cannot be compared with 'a' at 5; write it without quotes",
    );
    check("title eq n.s'a'", "$filter: 'title' is a text, not a member of an enumeration, at 9");
    check(
        "contains(severity,'h')",
        "$filter: contains needs texts; 'severity' is a member of an enumeration at 9",
    );
    check("contains(title,5)", "$filter: contains needs texts; '5' is a whole number at 15");
}

#[test]
fn what_is_no_single_value_is_refused() {
    check("resources eq null", "$filter: collection 'resources' as a value is not supported here at 0");
    check(
        "resources/resourceId eq 'a'",
        "$filter: collection 'resources' as a value is not supported here at 0",
    );
    check(
        "address eq null",
        "$filter: 'address' is a complex value; name one of its properties at 0; for example address/city",
    );
}

#[test]
fn conditions_and_values_are_not_mixed() {
    check("title", "$filter: 'title' is neither true nor false at 0; compare it with something");
    check("isTest and 5", "$filter: '5' is neither true nor false at 11; compare it with something");
    check("null", "$filter: 'null' is neither true nor false at 0; compare it with something");
    let hint = "use it by itself, or after 'not'";
    check(
        "(count eq 1) eq true",
        &format!("$filter: a condition as a value is not supported here at 0; {hint}"),
    );
    check(
        "contains(title,'a') eq true",
        &format!("$filter: a condition as a value is not supported here at 0; {hint}"),
    );
    check(
        "not status eq 'active'",
        "$filter: a condition as a value is not supported here at 0; \
         'not' binds tighter than comparisons: write not (a eq b) for the opposite of a eq b",
    );
    check("'a' in ('a')", "$filter: a literal before 'in' is not supported here at 0; name a property");
}

#[test]
fn the_longest_chain_is_checked_without_overflowing_the_stack() {
    let limits = Limits { option_bytes: usize::MAX, filter_nodes: usize::MAX, ..Limits::default() };
    let text = format!("isTest{}", " and isTest".repeat(Limits::NODES_CEILING / 2 - 1));
    let expr = parse_filter(&text, &limits).unwrap();
    assert!(check_filter(&expr, &text, &MODEL).is_ok());
}
