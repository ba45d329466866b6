//! How PostgreSQL writes what databases write differently.
//!
//! Columns carry the collation `C`, and hand it on to what is computed from them. An expression over
//! no column must be given it, or it is compared by the rules of whatever language the database was
//! made for.

use sea_query::{BinOper, Expr, ExprTrait, Func, PostgresQueryBuilder, Query, SubQueryStatement, Value};

use super::{Dialect, written};
use crate::session::Statement;

/// The alert's JSON as the server can read it: its `json` holds no NUL, so an escaped one becomes the
/// character that stands for what cannot be shown. Escaped backslashes are written another way first,
/// so that what follows them is not taken for an escape.
const READABLE_BODY: &str = r"replace(replace(body, '\\', '\u005c'), '\u0000', '\ufffd')::json";

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

/// PostgreSQL 13 or later.
pub(crate) struct Postgres;

impl Dialect for Postgres {
    fn statement(&self, built: SubQueryStatement) -> Statement {
        with_limit_written_out(written(&built, &PostgresQueryBuilder))
    }

    fn text(&self, sql: &str, values: Vec<Value>) -> Statement {
        Statement { sql: sql.to_owned(), values }
    }

    fn has_words(&self, column: Option<&'static str>, words: &[String]) -> Expr {
        // Words hold letters and digits alone, so none needs escaping.
        let label = column.and_then(label).map(|label| format!(":{label}")).unwrap_or_default();
        let words = words.iter().map(|word| format!("'{}'{label}", cut(word)));
        let phrase = Expr::val(words.collect::<Vec<_>>().join(" <-> ")).cast_as("text").cast_as("tsquery");
        let matching = Query::select()
            .column("alert_number")
            .from("alert_text")
            .and_where(Expr::col("words").binary(BinOper::Custom("@@"), phrase))
            .take();
        Expr::col(("alert", "alert_number")).in_subquery(matching)
    }

    /// Figures that are kept would make writers wait for each other.
    fn counted_columns(&self) -> &'static [&'static str] {
        &[]
    }

    fn position_of(&self, text: Expr, part: Expr) -> Expr {
        Expr::from(Func::cust("strpos").arg(text).arg(part))
    }

    fn open_member(&self, property: &str, member: &str) -> Expr {
        let value =
            Func::cust("json_extract_path_text").arg(Expr::cust(READABLE_BODY)).arg(property).arg(member);
        Expr::cust_with_expr(r#"$1 collate "C""#, value)
    }
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
        let words = ["mining".to_owned(), "x".repeat(600)];
        let select = |column| {
            let condition = Postgres.has_words(column, &words);
            Postgres.statement(Query::select().from("alert").and_where(condition).take().into())
        };
        let any = select(None);
        assert!(any.sql.contains(r#""words" @@ CAST(CAST($1 AS text) AS tsquery)"#), "{}", any.sql);
        assert_eq!(any.values, [format!("'mining' <-> '{}'", "x".repeat(500)).into()]);
        let described = select(Some("description"));
        assert_eq!(described.values, [format!("'mining':B <-> '{}':B", "x".repeat(500)).into()]);
    }
}
