use super::*;
use crate::ast::Lambda;

/// The tree with every grouping shown: operators first, each in parentheses.
fn sexpr(expr: &Expr) -> String {
    match &expr.value {
        ExprKind::Literal(literal) => literal.to_string(),
        ExprKind::Path(path) => path.to_string(),
        ExprKind::Not(operand) => format!("(not {})", sexpr(operand)),
        ExprKind::Binary(operator, left, right) => {
            format!("({} {} {})", operator.keyword(), sexpr(left), sexpr(right))
        }
        ExprKind::In(operand, items) => {
            let items: Vec<_> = items.iter().map(ToString::to_string).collect();
            format!("(in {} [{}])", sexpr(operand), items.join(" "))
        }
        ExprKind::Call(function, arguments) => {
            let arguments: Vec<_> = arguments.iter().map(sexpr).collect();
            format!("({} {})", function.name(), arguments.join(" "))
        }
        ExprKind::Negate(operand) => format!("(- {})", sexpr(operand)),
        ExprKind::Lambda(path, quantifier, lambda) => match lambda.as_deref() {
            Some(Lambda { variable, condition }) => {
                format!("({} {path} {variable} {})", quantifier.keyword(), sexpr(condition))
            }
            None => format!("({} {path})", quantifier.keyword()),
        },
        ExprKind::Count(path, filter) => match filter {
            Some(filter) => format!("(count {path} {})", sexpr(filter)),
            None => format!("(count {path})"),
        },
    }
}

fn check(text: &str, expected: &str) {
    let found = parse_filter(text, &Limits::default()).map(|expr| sexpr(&expr));
    assert_eq!(found.unwrap_or_else(|error| error.to_string()), expected, "{text}");
}

fn check_printed(text: &str, expected: &str) {
    let expr = parse_filter(text, &Limits::default()).unwrap();
    assert_eq!(expr.to_string(), expected, "{text}");
    assert_eq!(parse_filter(expected, &Limits::default()).unwrap(), expr, "{text}");
}

#[test]
fn operators_bind_as_odata_says() {
    check("a eq 1 or b eq 2 and c eq 3", "(or (eq a 1) (and (eq b 2) (eq c 3)))");
    check("a eq 1 and b eq 2 or c eq 3", "(or (and (eq a 1) (eq b 2)) (eq c 3))");
    check("(a or b) and c", "(and (or a b) c)");
    check("a and b and c", "(and (and a b) c)");
    check("a or b or c", "(or (or a b) c)");
    check("not a and b", "(and (not a) b)");
    check("not a eq b", "(eq (not a) b)");
    check("not (a eq b)", "(not (eq a b))");
    check("not not a", "(not (not a))");
    check("not a in (1)", "(not (in a [1]))");
    check("a eq b lt c", "(eq a (lt b c))");
    check("a lt b eq c", "(eq (lt a b) c)");
    check("a eq b ne c", "(ne (eq a b) c)");
    check("a eq not b", "(eq a (not b))");
    check("a lt not b gt c", "(gt (lt a (not b)) c)");
    check("a eq b in (1)", "(eq a (in b [1]))");
    check("a add b mul c", "(add a (mul b c))");
    check("a sub b add c", "(add (sub a b) c)");
    check("a mul b div c mod d divby e", "(divby (mod (div (mul a b) c) d) e)");
    check("a add 1 gt b sub 1 eq c", "(eq (gt (add a 1) (sub b 1)) c)");
    check("-a mul b", "(mul (- a) b)");
    check("-a in (1)", "(- (in a [1]))");
    check("not -a", "(not (- a))");
    check("1 sub -1", "(sub 1 -1)");
    check("contains(a,'x') and b", "(and (contains a 'x') b)");
    check("not contains(a,'x')", "(not (contains a 'x'))");
}

#[test]
fn keywords_and_functions_are_read_in_any_case() {
    check("a EQ TRUE AND NOT b Or c iN (NULL,False)", "(or (and (eq a true) (not b)) (in c [null false]))");
    check("startsWith(a,'x') or ENDSWITH(a,'y')", "(or (startswith a 'x') (endswith a 'y'))");
    check("A eq a", "(eq A a)");
}

#[test]
fn literals_and_paths_are_read() {
    check("a eq 'it''s'", "(eq a 'it''s')");
    check("'x' eq a", "(eq 'x' a)");
    check("a ge 2031-02-03", "(ge a 2031-02-03)");
    check("a ge 2031-02-03t04:05:06.7+01:00", "(ge a 2031-02-03T03:05:06.700Z)");
    check("a eq 7C1F0A52-0b1e-4a39-9a55-2f6f1d0c9e11", "(eq a 7c1f0a52-0b1e-4a39-9a55-2f6f1d0c9e11)");
    check("a eq -1.5e3", "(eq a -1500.0)");
    check("a eq n.s.sev'high'", "(eq a n.s.sev'high')");
    check("a/b/c eq null", "(eq a/b/c null)");
    check("a/not/in eq 1", "(eq a/not/in 1)");
    check("a in ('x' , 'y')", "(in a ['x' 'y'])");
    check("a in(n.s.sev'high')", "(in a [n.s.sev'high'])");
    check("contains( a , contains )", "(contains a contains)");
    check("(a)and(b)", "(and a b)");
}

#[test]
fn collections_are_asked_about() {
    check("a/any()", "(any a)");
    check("a/b/ANY( )", "(any a/b)");
    check("a/any(x:x/b eq 1 and c)", "(any a x (and (eq x/b 1) c))");
    check("a/all( x : x )", "(all a x x)");
    check("$it/a/any(x:$it/b eq x/c)", "(any $it/a x (eq $it/b x/c))");
    check("a/any(x:x/b/all(y:y/c eq x/d)) or e", "(or (any a x (all x/b y (eq y/c x/d))) e)");
    check("not a/any(x:x) and b", "(and (not (any a x x)) b)");
    check("a/$count gt 1", "(gt (count a) 1)");
    check("a/$COUNT($filter=b eq 1) add 1", "(add (count a (eq b 1)) 1)");
    check("a/$count(FILTER=b)", "(count a b)");
    check("a/any", "a/any");
    check("any eq 1", "(eq any 1)");
    check("$it eq 1", "(eq $it 1)");
    check("$IT/a", "$it/a");
}

#[test]
fn functions_take_their_arguments() {
    check("substring(a,1) eq subString(a,1,2)", "(eq (substring a 1) (substring a 1 2))");
    check("now() sub duration'PT24H'", "(sub (now ) duration'PT86400S')");
    check("date( a )", "(date a)");
    check("date eq 1", "(eq date 1)");
    check("time(a) lt 12:00", "(lt (time a) 12:00:00)");
    check("round(a divby 2)", "(round (divby a 2))");
}

#[test]
fn the_canonical_text_has_only_the_parentheses_it_needs() {
    check_printed("((a) AND ((b or c)))", "a and (b or c)");
    check_printed("(a and b) and c", "a and b and c");
    check_printed("a and (b and c)", "a and (b and c)");
    check_printed("not  (not (a))", "not not a");
    check_printed("not (a in (1,2))", "not a in (1,2)");
    check_printed("(not a) in (1)", "(not a) in (1)");
    check_printed("(a eq 1) eq true", "a eq 1 eq true");
    check_printed("true eq (a eq 1)", "true eq (a eq 1)");
    check_printed("(a add b) sub c", "a add b sub c");
    check_printed("a add (b sub c)", "a add (b sub c)");
    check_printed("(a add b) MUL c", "(a add b) mul c");
    check_printed("-(a)", "-a");
    check_printed("- 5", "-(5)");
    check_printed("-5", "-5");
    check_printed("--a", "--a");
    check_printed("-(a add b)", "-(a add b)");
    check_printed("a/ANY( X : (X/b) )", "a/any(X:X/b)");
    check_printed("a/$Count( filter=b )", "a/$count($filter=b)");
    check_printed("$It/a", "$it/a");
    check_printed("duration'P1DT1.50S'", "duration'PT86401.5S'");
    check_printed("a in ()", "a in ()");
    check_printed("Contains(a ,\t'it''s')", "contains(a,'it''s')");
}

#[test]
fn malformed_texts_are_refused_where_they_are() {
    let value = "a property, a literal or a function";
    check("", &format!("$filter: expected {value} but found the end at 0"));
    check("  ", "$filter: a space in front is not allowed at 0");
    check(" a", "$filter: a space in front is not allowed at 0");
    check("a eq", &format!("$filter: expected {value} but found the end at 4"));
    check("a eq eq 1", &format!("$filter: expected {value} but found 'eq' at 5"));
    check("and", &format!("$filter: expected {value} but found 'and' at 0"));
    check("a eq 1)", "$filter: expected an operator but found ')' at 6");
    check("ü and (a eq 1", "$filter: expected ')' for the '(' at 6 but found the end at 13");
    check("(a,b)", "$filter: expected ')' for the '(' at 0 but found ',' at 2");
    check(
        "a equals 1",
        "$filter: unknown operator 'equals' at 2; use one of or, and, eq, ne, lt, le, gt, ge, add, sub, mul, div, divby, mod, in",
    );
    check("a 'x'", "$filter: expected an operator but found 'x' at 2");
    check("a eq'x'", "$filter: expected an operator but found 'eq'x'' at 2; put a space after 'eq'");
    check("a = 1", "$filter: expected an operator but found '=' at 2");
    check("a eq \"x\"", &format!("$filter: expected {value} but found '\"' at 5"));
    check("a in 'x'", "$filter: expected a list in parentheses after 'in' but found 'x' at 5");
    check("a in (1,)", "$filter: expected a literal but found ')' at 8");
    check("a/ eq 1", "$filter: expected a property right after '/' but found 'eq' at 3");
    check("a /b eq 1", "$filter: expected an operator but found '/' at 2");
    check("a/", "$filter: expected a property but found the end at 2");
    check("a/'x'", "$filter: expected a property but found 'x' at 2");
    check("contains(a)", "$filter: contains takes 2 arguments, not 1, at 0");
    check("contains()", "$filter: contains takes 2 arguments, not 0, at 0");
    check("now(1)", "$filter: now takes 0 arguments, not 1, at 0");
    check("substring(a)", "$filter: substring takes 2 or 3 arguments, not 1, at 0");
    check("any(x:x)", "$filter: 'any' without a collection in front at 0; write collection/any(…)");
    check("a/all()", "$filter: expected a variable, as in any(x:x/name eq 'a') but found ')' at 6");
    check(
        "a/any(x)",
        "$filter: expected ':' after the variable, as in any(x:x/name eq 'a') but found ')' at 7",
    );
    check("a/any(x:x", "$filter: expected ')' for the '(' at 5 but found the end at 9");
    check(
        "a/$count(b)",
        "$filter: 'b' in parentheses is not supported here at 9; count with a filter: $count($filter=…)",
    );
    check("a/$count($filter b)", "$filter: expected '=' after '$filter' but found 'b' at 17");
    check("a/$count/b", "$filter: expected an operator but found '/' at 8");
    check(
        "a eq duration'P1Y'",
        "$filter: malformed duration 'duration'P1Y'' at 5; write days, hours, minutes and seconds, such as duration'P1DT2H3M4.5S'",
    );
    check("a eq 24:00:00", "$filter: no such time of day '24:00:00' at 5");
    check("contain(a,'x')", "$filter: unknown function 'contain' at 0; did you mean 'contains'?");
    check("foo(a)", "$filter: unknown function 'foo' at 0");
    check("a eq 1.", "$filter: malformed number '1.' at 5");
    check("a eq 2031-02-30", "$filter: no such date '2031-02-30' at 5");
    check(
        "a gt 2031-02-03T00:00:00 01:00",
        "$filter: a date and time without an offset '2031-02-03T00:00:00' at 5; \
         end it with Z, or with an offset such as +01:00, which is %2B01:00 in a URL",
    );
}

#[test]
fn what_is_not_supported_is_refused_by_name() {
    let check = |text: &str, what: &str| {
        let error = parse_filter(text, &Limits::default()).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Unsupported, "{text}");
        assert_eq!(error.to_string(), format!("$filter: {what}"), "{text}");
    };
    check(
        "a has n.s'b'",
        "operator 'has' is not supported here at 2; \
         no enumeration here has flags; compare with 'eq' or 'in'",
    );
    check("geo.distance(a,b) lt 1", "function 'geo.distance' is not supported here at 0");
    check("substringof('x',a)", "function 'substringof' is not supported here at 0; use contains(text,part)");
    check("cast(a,Edm.String) eq 'x'", "function 'cast' is not supported here at 0");
    check("a/b(1) eq 1", "function or key 'b' in a path is not supported here at 2");
    check("a/n.s.t/b eq 1", "type cast or qualified name 'n.s.t' is not supported here at 2");
    check("a eq @p1", "parameter alias '@p1' is not supported here at 5");
    check(
        "a eq guid'7c1f0a52-0b1e-4a39-9a55-2f6f1d0c9e11'",
        "a literal of type 'guid' is not supported here at 5; \
         write dates, times and GUIDs without a type and without quotes",
    );
    check("a eq INF", "number 'INF' is not supported here at 5");
    check("$this eq 1", "'$this' is not supported here at 0");
    check("$root/a", "'$root' is not supported here at 0");
    check("a/$filter(b)/$count", "segment '$filter' is not supported here at 2");
    check("a/@n.t eq 1", "annotation '@n' is not supported here at 2");
    check("@n.t/any()", "annotation '@n' is not supported here at 0");
    check("n.s.f(a)", "function 'n.s.f' is not supported here at 0");
    check("isof(a,n.t)", "function 'isof' is not supported here at 0");
    check("case(a:1)", "function 'case' is not supported here at 0");
    check("a eq binary'T0'", "a literal of type 'binary' is not supported here at 5");
    check("a eq 10000-01-01", "a year outside 1 to 9999 is not supported here: '10000-01-01' at 5");
    check("a in (b)", "a list item that is no literal is not supported here at 6");
    check("a in [1]", "JSON in a query is not supported here at 5");
}

#[test]
fn limits_are_kept_and_named() {
    let limits = Limits {
        filter_nodes: 5,
        filter_depth: 3,
        in_items: 2,
        option_bytes: 60,
        lambda_depth: 1,
        ..Limits::default()
    };
    let check = |text: &str, expected: Result<(), &str>| {
        let found = parse_filter(text, &limits).map(|_| ()).map_err(|error| error.to_string());
        assert_eq!(found, expected.map_err(str::to_owned), "{text}");
    };
    check("a or b or c", Ok(()));
    check("a or b or c or d", Err("$filter: more than 5 terms and operators at 15"));
    check("(((a)))", Ok(()));
    check("((((a))))", Err("$filter: nested deeper than 3 at 3"));
    check("not not not not a", Err("$filter: nested deeper than 3 at 12"));
    check("a in (1,2)", Ok(()));
    check("a in (1,2,3)", Err("$filter: more than 2 items in a list at 10"));
    check("a/any(x:x)", Ok(()));
    check("a/any(x:x/b/any())", Err("$filter: conditions on collections nested deeper than 1 at 12"));
    check(
        "a/$count($filter=b/$count($filter=c))",
        Err("$filter: conditions on collections nested deeper than 1 at 25"),
    );
    check(&"a".repeat(61), Err("$filter: 61 bytes; at most 60 are allowed"));
}

#[test]
fn no_setting_lets_a_text_overflow_the_stack() {
    let unlimited = Limits {
        option_bytes: usize::MAX,
        filter_nodes: usize::MAX,
        filter_depth: usize::MAX,
        in_items: usize::MAX,
        lambda_depth: usize::MAX,
        ..Limits::default()
    };
    let deep = 100_000;
    for text in [
        "(".repeat(deep),
        "not ".repeat(deep),
        "contains(".repeat(deep),
        "-".repeat(deep),
        "a/any(a:".repeat(deep),
        "a/$count($filter=".repeat(deep),
        format!("a{}", " or a".repeat(deep)),
    ] {
        assert_eq!(parse_filter(&text, &unlimited).unwrap_err().kind, ErrorKind::OverLimit);
    }
    let at_the_ceiling = [
        format!("a{}", " or a".repeat(Limits::NODES_CEILING / 2 - 1)),
        format!("a{}", " in (1)".repeat(Limits::NODES_CEILING - 1)),
        format!("{}a", "not ".repeat(Limits::DEPTH_CEILING)),
    ];
    for text in at_the_ceiling {
        assert_eq!(parse_filter(&text, &unlimited).unwrap().to_string(), text);
    }
}
