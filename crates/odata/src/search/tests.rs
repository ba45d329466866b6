use super::*;
use crate::sample::MODEL;

/// The tree with every grouping shown.
fn sexpr(search: &SearchExpr) -> String {
    match search {
        SearchExpr::And(left, right) => format!("(and {} {})", sexpr(left), sexpr(right)),
        SearchExpr::Or(left, right) => format!("(or {} {})", sexpr(left), sexpr(right)),
        SearchExpr::Not(inner) => format!("(not {})", sexpr(inner)),
        SearchExpr::Term(Term { property: Some(property), text, .. }) => format!("[{property}={text}]"),
        SearchExpr::Term(Term { property: None, text, .. }) => format!("[{text}]"),
    }
}

fn check(text: &str, expected: &str) {
    let found = parse_search(text, &Limits::default());
    if let Ok(search) = &found {
        assert_eq!(parse_search(&search.to_string(), &Limits::default()).as_ref(), Ok(search), "{text}");
    }
    assert_eq!(found.map_or_else(|error| error.to_string(), |search| sexpr(&search)), expected, "{text}");
}

#[test]
fn not_binds_before_and_before_or() {
    check("blue", "[blue]");
    check("blue green", "(and [blue] [green])");
    check("a AND b OR c d", "(or (and [a] [b]) (and [c] [d]))");
    check("a OR b OR c", "(or (or [a] [b]) [c])");
    check("a NOT b OR c", "(or (and [a] (not [b])) [c])");
    check("NOT (a b)", "(not (and [a] [b]))");
    check("(a OR b) AND NOT \"c d\"", "(and (or [a] [b]) (not [c d]))");
    check("(a)(b)", "(and [a] [b])");
    check("a and b", "(and (and [a] [and]) [b])");
}

#[test]
fn operators_without_operands_are_words() {
    check("AND", "[AND]");
    check("NOT", "[NOT]");
    check("NOT NOT", "(not [NOT])");
    check("AND OR", "(and [AND] [OR])");
    check("OR AND", "(and [OR] [AND])");
    check("AND OR NOT", "(or [AND] [NOT])");
    check("(a OR)", "(and [a] [OR])");
}

#[test]
fn nearly_anything_is_a_word() {
    check(
        "3.14 9,81 brand-new Daniel's 08/15 $x #1 a;b",
        "(and (and (and (and (and (and (and [3.14] [9,81]) [brand-new]) [Daniel's]) [08/15]) [$x]) [#1]) [a;b])",
    );
    check("größe", "[größe]");
}

#[test]
fn phrases_are_read_with_their_escapes() {
    check(r#""a \"b\" \\ \c""#, r#"[a "b" \ \c]"#);
    check("\"a\" \"b\"", "(and [a] [b])");
    check("\"a", "$search: a phrase without its closing quote at 0");
    check("\"a\\\"", "$search: a phrase without its closing quote at 0");
    check("\"\"", "$search: an empty phrase at 0");
    check("\"a\"b", "$search: a phrase without a space after it at 0");
    check("a\"b\"", "$search: a '\"' in the middle of a word at 1");
    check(
        "'a'",
        "$search: a search in single quotes is not supported here at 0; put phrases in double quotes: \"a b\"",
    );
}

#[test]
fn a_term_may_name_its_property() {
    check("\"title:crypto mining\" OR address/city:Bonn", "(or [title=crypto mining] [address/city=Bonn])");
    check("\"title:a:b\"", "[title=a:b]");
    check("12:30 https://a.b \"note: this\"", "(and (and [12:30] [https://a.b]) [note: this])");
}

#[test]
fn malformed_searches_are_refused_where_they_are() {
    check("", "$search: expected a word or a phrase but found the end at 0");
    check("a )", "$search: expected a word or a phrase but found ')' at 2");
    check("()", "$search: expected a word or a phrase but found ')' at 1");
    check("(a", "$search: a '(' without its ')' at 0");
    check("ü\u{1}", "$search: unexpected character U+0001 at 0");
    check(&"(".repeat(8_000), "$search: nested deeper than 50 at 50");
    check(&"a ".repeat(21), "$search: more than 20 words and phrases at 40");
}

#[test]
fn a_search_is_checked_against_the_model() {
    let check = |text: &str, expected: &str| {
        let found =
            parse_search(text, &Limits::default()).and_then(|search| check_search(&search, text, &MODEL));
        let found = match found {
            Ok(Search::Term(term)) => format!("{:?} {}", term.property, term.text),
            Ok(other) => format!("{other:?}"),
            Err(error) => error.to_string(),
        };
        assert_eq!(found, expected, "{text}");
    };
    check("\"title:a b\"", "Some(\"title\") a b");
    check("a", "None a");
    check("titel:a", "$search: property 'titel' cannot be searched at 0; did you mean 'title'?");
    check(
        "a \"severity:high\"",
        "$search: property 'severity' cannot be searched at 2; \
         use one of title, address/city, resources; with a space after the colon it is no property",
    );
    check("a --", "$search: '--' has no letter or digit to be found at 2");

    let without = Model { searchable: &[], ..MODEL };
    let error = check_search(&parse_search("a", &Limits::default()).unwrap(), "a", &without).unwrap_err();
    assert_eq!(error.to_string(), "$search: cannot be used with this resource");
}
