use chrono::SecondsFormat;

use super::*;
use crate::checked::{PropertyPath, Root};
use crate::limits::Limits;
use crate::parser::parse_filter;
use crate::sample::{MODEL, NOW};

fn literal(literal: &Literal) -> String {
    match literal {
        Literal::Null => "null".into(),
        Literal::String(text) => format!("'{text}'"),
        Literal::Boolean(value) => value.to_string(),
        Literal::Int(value) => value.to_string(),
        Literal::Double(value) => format!("{value:?}"),
        Literal::DateTime(at) => at.to_rfc3339_opts(SecondsFormat::AutoSi, true),
        Literal::Date(day) => day.to_string(),
        Literal::TimeOfDay(time) => time.to_string(),
        Literal::Duration(length) => length.to_string(),
        Literal::Enum(enumeration, member) => format!("#{}", enumeration.members[*member]),
    }
}

/// A path; in front of it the items it starts at, and after it whether it may be null.
fn path(root: Root, segments: &[String], nullable: bool) -> String {
    let root = match root {
        Root::Entity => String::new(),
        Root::Item(depth) => format!("{depth}:"),
    };
    format!("{root}{}{}", segments.join("/"), if nullable { "?" } else { "" })
}

fn operand(value: &Operand) -> String {
    match value {
        Operand::Property(PropertyPath { root, segments, nullable, .. }) => path(*root, segments, *nullable),
        Operand::Literal(value) => literal(value),
        Operand::Arithmetic(left, operator, right) => {
            format!("({} {} {})", format!("{operator:?}").to_lowercase(), operand(left), operand(right))
        }
        Operand::Negate(inner) => format!("(- {})", operand(inner)),
        Operand::Call(function, operands) => {
            format!("({} {})", function.name(), operands.iter().map(operand).collect::<Vec<_>>().join(" "))
        }
        Operand::Count(collection, None) => {
            format!("(count {})", path(collection.root, &collection.segments, false))
        }
        Operand::Count(collection, Some(filter)) => {
            format!("(count {} {})", path(collection.root, &collection.segments, false), sexpr(filter))
        }
        Operand::Condition(condition) => format!("(value {})", sexpr(condition)),
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
        Filter::Any(collection, None) => {
            format!("(any {})", path(collection.root, &collection.segments, false))
        }
        Filter::Any(collection, Some(body)) => {
            format!("(any {} {})", path(collection.root, &collection.segments, false), sexpr(body))
        }
        Filter::All(collection, body) => {
            format!("(all {} {})", path(collection.root, &collection.segments, false), sexpr(body))
        }
    }
}

fn check(text: &str, expected: &str) {
    let found = parse_filter(text, &Limits::default())
        .and_then(|expr| check_filter(&expr, text, &MODEL, NOW))
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
    check("detectedDateTime ge 2031-02-03", "(Ge detectedDateTime 2031-02-03T00:00:00Z)");
    check("detectedDateTime lt 2031-02-03T01:00:00+01:00", "(Lt detectedDateTime 2031-02-03T00:00:00Z)");
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
        "$filter: contains needs a text; 'severity' is a member of an enumeration at 9",
    );
    check("contains(title,5)", "$filter: contains needs a text; '5' is a whole number at 15");
}

#[test]
fn what_is_no_single_value_is_refused() {
    check(
        "resources eq null",
        "$filter: collection 'resources' as a value is not supported here at 0; use any, all or $count",
    );
    check(
        "resources/resourceId eq 'a'",
        "$filter: collection 'resources' as a value is not supported here at 0; use any, all or $count",
    );
    check(
        "address eq null",
        "$filter: 'address' is a complex value; name one of its properties at 0; for example address/city",
    );
}

#[test]
fn conditions_are_values_too() {
    check("(count eq 1) eq true", "(Eq count 1)");
    check("true ne contains(title,'a')", "(not (Contains title 'a'))");
    check("contains(address/city,'a') eq true", "(Eq (value (Contains address/city? 'a')) true)");
    check("not isTest eq true", "(Eq (value (not isTest?)) true)");
    check("count eq 1 eq isTest", "(Eq (value (Eq count 1)) isTest?)");
    check("resources/any() eq false", "(not (any resources))");
    check(
        "(count eq 1) eq 1",
        "$filter: the other side is true or false and cannot be compared with '1' at 16",
    );
}

#[test]
fn items_of_collections_are_asked_for() {
    check("resources/any()", "(any resources)");
    check("resources/any(r:r/resourceId eq 'a')", "(any resources (Eq 0:resourceId 'a'))");
    check("resources/any(title:title/resourceId eq 'a')", "(any resources (Eq 0:resourceId 'a'))");
    check(
        "$it/resources/all(r:contains(r/resourceId,title))",
        "(all resources (Contains 0:resourceId title))",
    );
    check(
        "resources/any(a:resources/any(b:a/resourceId ne b/resourceId and $it/isTest))",
        "(any resources (any resources (and (Ne 1:resourceId 0:resourceId) isTest?)))",
    );
    check("not resources/any(r:r/resourceType eq 't')", "(not (any resources (Eq 0:resourceType 't')))");
    check("resources/$count ge 2", "(Ge (count resources) 2)");
    check("2 le resources/$count", "(Ge (count resources) 2)");
    check("resources/$count in (1,2)", "(in (count resources) [1 2])");
    check(
        "resources/$count($filter=resourceType eq $it/title) gt 1",
        "(Gt (count resources (Eq 0:resourceType title)) 1)",
    );
    check(
        "resources/any(r:resources/$count($filter=resourceId eq r/resourceId) gt 1)",
        "(any resources (Gt (count resources (Eq 0:resourceId 1:resourceId)) 1))",
    );
}

#[test]
fn collections_are_refused_where_they_make_no_sense() {
    check("title/any()", "$filter: 'title' is no collection at 0");
    check("details/Key/any()", "$filter: 'details/Key' is no collection at 0");
    check("ressources/any()", "$filter: unknown property 'ressources' at 0; did you mean 'resources'?");
    check("resources/any(r:r/id eq 'a')", "$filter: unknown property 'id' at 18");
    check(
        "resources/any(r:title eq r)",
        "$filter: 'r' is a complex value; name one of its properties at 25; for example r/resourceId",
    );
    check("resources/any(r:resources/any(r:true))", "$filter: variable 'r' is taken at 30");
    check(
        "resources/any(r:r/resourceId)",
        "$filter: 'r/resourceId' is neither true nor false at 16; compare it with something",
    );
    check("resources/$count($filter=title eq 'a') gt 1", "$filter: unknown property 'title' at 25");
    check(
        "$it eq null",
        "$filter: '$it' is a complex value; name one of its properties at 0; for example $it/id",
    );
    check(
        "resources/$count eq 'a'",
        "$filter: the other side is a whole number and cannot be compared with 'a' at 20; write it without quotes",
    );
}

#[test]
fn functions_take_and_give_types() {
    check("length(title) gt 5", "(Gt (length title) 5)");
    check("indexof(title,'a') eq -1", "(Eq (indexof title 'a') -1)");
    check("substring(title,1,length(id)) eq 'a'", "(Eq (substring title 1 (length id)) 'a')");
    check("tolower(title) eq toupper(id)", "(Eq (tolower title) (toupper id))");
    check("contains(tolower(trim(title)),'x')", "(Contains (tolower (trim title)) 'x')");
    check("concat(title,concat(' ',id)) eq ''", "(Eq (concat title (concat ' ' id)) '')");
    check("year(detectedDateTime) eq 2031", "(Eq (year detectedDateTime) 2031)");
    check("date(detectedDateTime) eq 2031-02-03", "(Eq (date detectedDateTime) 2031-02-03)");
    check("year(date(detectedDateTime)) eq 1", "(Eq (year (date detectedDateTime)) 1)");
    check("time(detectedDateTime) lt 12:00", "(Lt (time detectedDateTime) 12:00:00)");
    check("hour(time(detectedDateTime)) eq 1", "(Eq (hour (time detectedDateTime)) 1)");
    check("fractionalseconds(detectedDateTime) gt 0.5", "(Gt (fractionalseconds detectedDateTime) 0.5)");
    check("totaloffsetminutes(resolvedDateTime) eq 0", "(Eq (totaloffsetminutes resolvedDateTime?) 0)");
    check("round(cost) eq 3", "(Eq (round cost?) 3.0)");
    check("floor(count) eq 3", "(Eq count 3)");
    check("severity eq 'high' and length(null) eq null", "(and (Eq severity #high) (Eq null null))");
}

#[test]
fn functions_refuse_other_types() {
    check("length(count) eq 1", "$filter: length needs a text; 'count' is a whole number at 7");
    check("substring(title,1.5) eq ''", "$filter: substring needs a whole number; '1.5' is a number at 16");
    check("substring(title,cost) eq ''", "$filter: substring needs a whole number; 'cost' is a number at 16");
    check("year(title) eq 1", "$filter: year needs a date and time or a date; 'title' is a text at 5");
    check(
        "hour(date(detectedDateTime)) eq 1",
        "$filter: hour needs a date and time or a time of day; 'date(detectedDateTime)' is a date at 5",
    );
    check("date(detectedDateTime) eq now()", "$filter: a date cannot be compared with a date and time at 26");
    check(
        "date(detectedDateTime) eq '2031-02-03'",
        "$filter: the other side is a date and cannot be compared with '2031-02-03' at 26; write dates without quotes: 2031-02-03",
    );
    check("round(title) eq 1", "$filter: round needs a number; 'title' is a text at 6");
    check(
        "totalseconds(count) eq 1",
        "$filter: totalseconds needs a duration; 'count' is a whole number at 13",
    );
    check(
        "length(title)",
        "$filter: 'length(title)' is neither true nor false at 0; compare it with something",
    );
}

#[test]
fn numbers_are_computed_with() {
    check("count add 1 gt 2 mul 3", "(Gt (add count 1) 6)");
    check("count divby 2 lt cost", "(Lt (divby count 2) cost?)");
    check("-cost mul 2 lt 0", "(Lt (mul (- cost?) 2) 0.0)");
    check("7 div 2 eq 3 and -7 div 2 eq -3 and -7 mod 2 eq -1", "(and (and (Eq 3 3) (Eq -3 -3)) (Eq -1 -1))");
    check("7 divby 2 eq 3.5 and 7.5 mod 2 eq 1.5", "(and (Eq 3.5 3.5) (Eq 1.5 1.5))");
    check("1 add 0.5 eq cost", "(Eq cost? 1.5)");
    check("count add null eq 1", "(Eq null 1)");
    check("1 div 0 eq count", "$filter: division by zero at 0");
    check("9223372036854775807 add 1 eq count", "$filter: the result is out of range at 0");
    check("1e308 mul 10 lt cost", "$filter: the result is out of range at 0");
    check("title add 1 eq 2", "$filter: 'add' cannot join a text and a whole number at 0");
    check("-title eq 'a'", "$filter: 'title' is a text and has no negative at 1");
    check(
        "count add 1 eq 'a'",
        "$filter: the other side is a whole number and cannot be compared with 'a' at 15; write it without quotes",
    );
}

#[test]
fn times_are_computed_with() {
    check("detectedDateTime ge now()", "(Ge detectedDateTime 2033-05-18T03:33:20Z)");
    check("detectedDateTime ge now() sub duration'PT24H'", "(Ge detectedDateTime 2033-05-17T03:33:20Z)");
    check("duration'-P1D' add now() lt detectedDateTime", "(Gt detectedDateTime 2033-05-17T03:33:20Z)");
    check("date(detectedDateTime) eq date(now())", "(Eq (date detectedDateTime) 2033-05-18)");
    check(
        "detectedDateTime add duration'P1D' gt now()",
        "(Gt (add detectedDateTime PT86400S) 2033-05-18T03:33:20Z)",
    );
    check(
        "duration'P1D' add detectedDateTime gt now()",
        "(Gt (add detectedDateTime PT86400S) 2033-05-18T03:33:20Z)",
    );
    check(
        "resolvedDateTime sub detectedDateTime gt duration'P1D'",
        "(Gt (sub resolvedDateTime? detectedDateTime) PT86400S)",
    );
    check(
        "resolvedDateTime sub detectedDateTime gt 'P1D'",
        "(Gt (sub resolvedDateTime? detectedDateTime) PT86400S)",
    );
    check(
        "totalseconds(resolvedDateTime sub detectedDateTime) le 3600",
        "(Le (totalseconds (sub resolvedDateTime? detectedDateTime)) 3600.0)",
    );
    check("detectedDateTime gt mindatetime()", "(Gt detectedDateTime 0001-01-01T00:00:00Z)");
    check("detectedDateTime lt maxdatetime()", "(Lt detectedDateTime 9999-12-31T23:59:59.999999Z)");
    check("totalseconds(2031-02-03 sub 2031-02-02) eq 86400", "(Eq 86400.0 86400.0)");
    check("year(2031-02-03) eq 2031 and hour(04:05) eq 4", "(and (Eq 2031 2031) (Eq 4 4))");
    check("maxdatetime() add duration'PT1S' gt now()", "$filter: the result is out of range at 0");
    check(
        "detectedDateTime add 1 gt now()",
        "$filter: 'add' cannot join a date and time and a whole number at 0",
    );
    check(
        "detectedDateTime add detectedDateTime gt now()",
        "$filter: 'add' cannot join a date and time and a date and time at 0",
    );
    check(
        "duration'P1D' sub detectedDateTime gt now()",
        "$filter: 'sub' cannot join a duration and a date and time at 0",
    );
    check(
        "date(detectedDateTime) add duration'P1D' gt 2031-02-03",
        "$filter: 'add' cannot join a date and a duration at 0",
    );
    check(
        "resolvedDateTime sub detectedDateTime gt 5",
        "$filter: the other side is a duration and cannot be compared with '5' at 41; write durations as duration'P1DT2H3M4S'",
    );
}

#[test]
fn literals_alone_are_computed_at_once() {
    check("title eq concat('a',concat('b','c'))", "(Eq title 'abc')");
    check("title eq tolower('É') and title eq toupper('ß')", "(and (Eq title 'é') (Eq title 'SS'))");
    check(
        "title eq substring('größe',2) and title eq substring('größe',-1,3)",
        "(and (Eq title 'öße') (Eq title 'grö'))",
    );
    check(
        "title eq substring('ab',5) and title eq substring('ab',0,-1)",
        "(and (Eq title '') (Eq title ''))",
    );
    check(
        "count eq indexof('größe','e') and count eq indexof('a','') and count eq indexof('a','b')",
        "(and (and (Eq count 4) (Eq count 0)) (Eq count -1))",
    );
    check("title eq trim(' a ') and count eq length('größe')", "(and (Eq title 'a') (Eq count 5))");
    check(
        "cost eq round(2.5) and cost eq round(-2.5) and cost eq floor(-0.5)",
        "(and (and (Eq cost? 3.0) (Eq cost? -3.0)) (Eq cost? -1.0))",
    );
    check("cost eq ceiling(0.2) and count eq round(5)", "(and (Eq cost? 1.0) (Eq count 5.0))");
    check("fractionalseconds(04:05:06.25) eq cost", "(Eq cost? 0.25)");
    check("title in ()", "false");
}

#[test]
fn white_space_is_what_trim_takes() {
    let all: String = ('\0'..=char::MAX).filter(|ch| ch.is_whitespace()).collect();
    assert_eq!(crate::checked::WHITE_SPACE, all);
}

#[test]
fn conditions_and_values_are_not_mixed() {
    check("title", "$filter: 'title' is neither true nor false at 0; compare it with something");
    check("isTest and 5", "$filter: '5' is neither true nor false at 11; compare it with something");
    check("null", "$filter: 'null' is neither true nor false at 0; compare it with something");
    check("not title", "$filter: 'title' is neither true nor false at 4; compare it with something");
    check(
        "not status eq 'active'",
        "$filter: 'status' is neither true nor false at 4; \
         'not' binds tighter than comparisons: write not (a eq b) for the opposite of a eq b",
    );
    check("'a' in ('a')", "$filter: a literal before 'in' is not supported here at 0; name a property");
}

#[test]
fn the_longest_chain_is_checked_without_overflowing_the_stack() {
    let limits = Limits { option_bytes: usize::MAX, filter_nodes: usize::MAX, ..Limits::default() };
    let text = format!("isTest{}", " and isTest".repeat(Limits::NODES_CEILING / 2 - 1));
    let expr = parse_filter(&text, &limits).unwrap();
    assert!(check_filter(&expr, &text, &MODEL, NOW).is_ok());
}
