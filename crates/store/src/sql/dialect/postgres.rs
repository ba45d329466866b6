//! PostgreSQL's expressions.
//!
//! Where an operand is needed several times, it is given a name by a subselect; `offset 0` keeps the
//! planner from putting the operand back in each place. The server fails on what SQLite makes null, a
//! sum that does not fit for one, so sums are made in `numeric`, or not made at all if they cannot fit.
//!
//! Texts are compared byte by byte, whatever the database's collation, so every text that is computed
//! says so. Letters are mapped by ICU's root locale, which follows Unicode as Rust does; their versions
//! of Unicode may differ in letters of the last years.

mod number;

use odata::checked::{Arithmetic, WHITE_SPACE};
use sea_query::{
    BinOper, Expr, ExprTrait, Func, FunctionCall, PostgresQueryBuilder, Query, SelectStatement,
    SubQueryStatement, Value,
};

use self::number::{MOMENTS, WHOLE, doubles, fitting, whole};
use super::{Dialect, Numbers, Primitive, Words, written};
use crate::session::Statement;
use crate::sql::scalar::Scalar;

/// Writes out the limit that a statement ends with, if it does.
///
/// A plan that is kept must suit every value of its parameters. For any limit at all the server finds
/// none, and plans anew each time, which takes a third of what it does for a page.
fn with_limit_written_out(mut statement: Statement) -> Statement {
    let last = format!(" LIMIT ${}", statement.values.len());
    if let Some(Value::BigUnsigned(Some(limit))) = statement.values.last()
        && let Some(before) = statement.sql.strip_suffix(&last)
    {
        statement.sql = format!("{before} LIMIT {limit}");
        statement.values.pop();
    }
    statement
}

/// How many characters of a word are indexed; see `alert_words`.
const WORD_LENGTH_MAX: usize = 500;

/// The label by which a text's words are told from those of others; see `alert_words`.
fn label(column: &str) -> Option<&'static str> {
    match column {
        "display_name" => Some("A"),
        "description" => Some("B"),
        "affected_resources" => Some("C"),
        "additional_details" => Some("D"),
        _ => None,
    }
}

fn cut(word: &str) -> &str {
    word.char_indices().nth(WORD_LENGTH_MAX).map_or(word, |(end, _)| &word[..end])
}

/// PostgreSQL 13 or later, with ICU.
pub(crate) struct Postgres;

impl Dialect for Postgres {
    fn statement(&self, built: SubQueryStatement) -> Statement {
        with_limit_written_out(written(&built, &PostgresQueryBuilder))
    }

    fn text(&self, sql: &str, values: Vec<Value>) -> Statement {
        Statement { sql: sql.to_owned(), values }
    }

    fn has_words(&self, words: &Words) -> Expr {
        // Words hold letters and digits alone, so none needs escaping.
        let label = words.column.and_then(label).map(|label| format!(":{label}")).unwrap_or_default();
        let words = words.words.iter().map(|word| format!("'{}'{label}", cut(word)));
        let phrase = Expr::val(words.collect::<Vec<_>>().join(" <-> ")).cast_as("text").cast_as("tsquery");
        let matching = Query::select()
            .column("alert_number")
            .from("alert_text")
            .and_where(Expr::col("words").binary(BinOper::Custom("@@"), phrase))
            .take();
        Expr::col(("alert", "alert_number")).in_subquery(matching)
    }

    /// It knows from its statistics how many alerts have them.
    fn count_of_words(&self, _words: &Words, _most: u64) -> Option<SelectStatement> {
        None
    }

    /// Figures that are kept would make writers wait for each other.
    fn counted_columns(&self) -> &'static [&'static str] {
        &[]
    }

    /// It knows from its statistics how many alerts a filter leaves.
    fn sorted_columns(&self) -> &'static [&'static str] {
        &[]
    }

    fn constant(&self, value: Scalar) -> Expr {
        let template = match &value {
            Scalar::Text(_) => "cast($1 as text)",
            Scalar::Int(_) => "cast($1 as bigint)",
            Scalar::Double(_) => "cast($1 as double precision)",
            Scalar::Bool(_) => "cast($1 as boolean)",
        };
        Expr::cust_with_expr(template, Expr::val(value))
    }

    fn position_of(&self, text: Expr, part: Expr) -> Expr {
        Func::cust("strpos").arg(text).arg(part).into()
    }

    fn starts_with(&self, text: Expr, part: Expr) -> Expr {
        Func::cust("starts_with").arg(text).arg(part).into()
    }

    fn ends_with(&self, text: Expr, part: Expr) -> Expr {
        Expr::cust_with_exprs("starts_with(reverse($1), reverse($2))", [text, part])
    }

    fn open_member(&self, body: Expr, property: &str, member: &str) -> Expr {
        Expr::cust_with_exprs(
            r#"(($1 -> cast($2 as text) ->> cast($3 as text)) collate "C")"#,
            [json(body), Expr::val(property), Expr::val(member)],
        )
    }

    fn items(&self, body: Expr, property: &str) -> FunctionCall {
        // An alert's collections are arrays, if empty ones.
        let array = Expr::cust_with_exprs("$1 -> cast($2 as text)", [json(body), Expr::val(property)]);
        Func::cust("json_array_elements").arg(array)
    }

    fn item_text(&self, item: Expr, path: &[String]) -> Expr {
        let (last, before) = match path {
            [before @ .., last] => (last.as_str(), before),
            [] => ("", path),
        };
        let owner = before.iter().fold(item, |owner, segment| {
            Expr::cust_with_exprs("$1 -> cast($2 as text)", [owner, Expr::val(segment.as_str())])
        });
        Expr::cust_with_exprs(r#"(($1 ->> cast($2 as text)) collate "C")"#, [owner, Expr::val(last)])
    }

    fn moment(&self, text: Expr) -> Expr {
        // Whole seconds and the fraction apart: a cast would round what is finer than microseconds.
        let template = "(case when $1 ~ $2 then \
             cast(extract(epoch from cast(left($1, 19) as timestamp)) as bigint) * 1000000 \
             + cast(rpad(translate(substr($1, 21, 6), 'Z', ''), 6, '0') as bigint) end)";
        Expr::cust_with_exprs(template, [text, Expr::val(MOMENT)])
    }

    fn call(&self, function: Primitive, operands: Vec<Expr>) -> Expr {
        let template = match (function, operands.len()) {
            (Primitive::Length, _) => "cast(char_length($1) as bigint)",
            (Primitive::IndexOf, _) => "cast(strpos($1, $2) - 1 as bigint)",
            (Primitive::Substring, 3) => {
                return named(
                    &["text", "start", "count"],
                    "case when operand.start is null or operand.count is null then null \
                     else substr(operand.text, \
                     1 + cast(least(greatest(operand.start, 0), 1000000000) as integer), \
                     cast(least(greatest(operand.count, 0), 1000000000) as integer)) end collate \"C\"",
                    operands,
                );
            }
            (Primitive::Substring, _) => {
                return named(
                    &["text", "start"],
                    "case when operand.start is not null then substr(operand.text, \
                     1 + cast(least(greatest(operand.start, 0), 1000000000) as integer)) end collate \"C\"",
                    operands,
                );
            }
            (Primitive::ToLower, _) => r#"(lower(($1) collate "und-x-icu") collate "C")"#,
            (Primitive::ToUpper, _) => r#"(upper(($1) collate "und-x-icu") collate "C")"#,
            (Primitive::Trim, _) => {
                let operands = operands.into_iter().chain([Expr::val(WHITE_SPACE)]);
                return Expr::cust_with_exprs(r#"(btrim($1, $2) collate "C")"#, operands);
            }
            (Primitive::Concat, _) => r#"((($1) || ($2)) collate "C")"#,
            (Primitive::Year, _) => return part_of_day("extract(year from {date})", operands),
            (Primitive::Month, _) => return part_of_day("extract(month from {date})", operands),
            (Primitive::Day, _) => return part_of_day("extract(day from {date})", operands),
            (Primitive::Date, _) => return part_of_day("{date} - date '1970-01-01'", operands),
            (Primitive::Round, _) => {
                return named(
                    &["number"],
                    "trunc(operand.number) + case when abs(operand.number - trunc(operand.number)) >= 0.5 \
                     then sign(operand.number) else 0 end",
                    operands,
                );
            }
            (Primitive::Floor, _) => "floor($1)",
            (Primitive::Ceiling, _) => "ceiling($1)",
        };
        Expr::cust_with_exprs(template, operands)
    }

    fn arithmetic(&self, operator: Arithmetic, of: Numbers, left: Expr, right: Expr) -> Expr {
        match of {
            Numbers::Double => doubles(operator, left, right),
            Numbers::Whole => fitting(whole(operator), WHOLE, [left, right]),
            Numbers::Moment => fitting(whole(operator), MOMENTS, [left, right]),
        }
    }

    fn negated(&self, of: Numbers, operand: Expr) -> Expr {
        match of {
            Numbers::Whole | Numbers::Moment => fitting("- cast($1 as numeric)", WHOLE, [operand]),
            Numbers::Double => Expr::cust_with_expr("(- ($1))", operand),
        }
    }

    fn double(&self, whole: Expr) -> Expr {
        Expr::cust_with_expr("cast($1 as double precision)", whole)
    }
}

/// A moment of a year of four digits, as an alert's JSON has it.
const MOMENT: &str = "^(?!0000)[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]+)?Z$";

/// The alert's JSON as the server can read it: its `json` holds no NUL, so an escaped one becomes the
/// character that stands for what cannot be shown. Escaped backslashes are written another way first,
/// so that what follows them is not taken for an escape.
fn json(body: Expr) -> Expr {
    let template = concat!(
        r"cast(case when strpos($1, '\u0000') = 0 then $1 ",
        r"else replace(replace($1, '\\', '\u005c'), '\u0000', '\ufffd') end as json)"
    );
    Expr::cust_with_expr(template, body)
}

/// An expression over operands by these names, which stand in the result once.
fn named(names: &[&str], expression: &str, operands: Vec<Expr>) -> Expr {
    let columns: Vec<String> =
        names.iter().enumerate().map(|(n, name)| format!("(${}) as {name}", n + 1)).collect();
    let template = format!("(select {expression} from (select {} offset 0) as operand)", columns.join(", "));
    Expr::cust_with_exprs(template, operands)
}

/// A whole number that tells of the `{date}` that a moment lies in; null if its year has not four digits.
fn part_of_day(part: &str, operands: Vec<Expr>) -> Expr {
    // The server divides towards zero, and days before 1970 want it downwards.
    let date = "(date '1970-01-01' + cast((operand.moment \
         - (operand.moment % 86400000000 + 86400000000) % 86400000000) / 86400000000 as integer))";
    let expression = format!(
        "case when operand.moment between -62135596800000000 and 253402300799999999 \
         then cast({} as bigint) end",
        part.replace("{date}", date)
    );
    named(&["moment"], &expression, operands)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(limit: u64, offset: Option<u64>) -> Statement {
        let mut select = Query::select();
        select.column("body").from("alert").and_where(Expr::col("id").eq("a")).limit(limit);
        if let Some(offset) = offset {
            select.offset(offset);
        }
        Postgres.statement(select.take().into())
    }

    #[test]
    fn a_limit_is_no_parameter_where_it_comes_last() {
        let plain = page(51, None);
        assert_eq!(plain.sql, r#"SELECT "body" FROM "alert" WHERE "id" = $1 LIMIT 51"#);
        assert_eq!(plain.values, ["a".into()]);
        let skipped = page(51, Some(7));
        assert!(skipped.sql.ends_with("LIMIT $2 OFFSET $3"), "{}", skipped.sql);
        assert_eq!(skipped.values.len(), 3);
    }

    #[test]
    fn words_are_bound_and_labelled() {
        let select = |column| {
            let words = vec!["mining".to_owned(), "x".repeat(600)];
            let condition = Postgres.has_words(&Words { column, words, are_common: false });
            Postgres.statement(Query::select().from("alert").and_where(condition).take().into())
        };
        let any = select(None);
        assert!(any.sql.contains(r#""words" @@ CAST(CAST($1 AS text) AS tsquery)"#), "{}", any.sql);
        assert_eq!(any.values, [format!("'mining' <-> '{}'", "x".repeat(500)).into()]);
        let described = select(Some("description"));
        assert_eq!(described.values, [format!("'mining':B <-> '{}':B", "x".repeat(500)).into()]);
    }
}
