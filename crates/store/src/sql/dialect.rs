//! The expressions that databases write differently.

use sea_query::{
    BinOper, CaseStatement, Expr, ExprTrait, Func, Query, QueryBuilder, SqlWriterValues, SqliteQueryBuilder,
    SubQueryStatement, Value,
};

use crate::session::Statement;

/// What differs between databases.
pub(crate) trait Dialect: Sync {
    /// The text and parameters of a statement that was built.
    fn statement(&self, built: SubQueryStatement) -> Statement;

    /// A statement that was written by hand, with parameters `$1` and so on.
    fn text(&self, sql: &str, values: Vec<Value>) -> Statement;

    /// That these words stand side by side in a column of `alert_text`; in any of them if `None`.
    fn has_words(&self, column: Option<&'static str>, words: &[String]) -> Expr;

    /// The columns of `alert` by which the database keeps counts, in `alert_count`; none if it keeps none.
    fn counted_columns(&self) -> &'static [&'static str];

    /// Where `part` first occurs in `text`, from 1; 0 if it does not. With regard to case.
    fn position_of(&self, text: Expr, part: Expr) -> Expr;

    /// A member of the open type at `property` of the alert's JSON, as text.
    ///
    /// Strings are themselves; other values are their JSON text; null and absence are null. `member`
    /// is an OData identifier, so it holds no quote.
    fn open_member(&self, property: &str, member: &str) -> Expr;
}

/// The text and parameters of a statement, as the builder of a database writes them.
pub(crate) fn written(built: &SubQueryStatement, builder: &impl QueryBuilder) -> Statement {
    let (placeholder, numbered) = builder.placeholder();
    let mut sql = SqlWriterValues::new(placeholder, numbered);
    builder.prepare_query_statement(built, &mut sql);
    let (sql, values) = sql.into_parts();
    Statement { sql, values: values.0 }
}

/// SQLite 3.39 or later.
pub(crate) struct Sqlite;

impl Dialect for Sqlite {
    fn statement(&self, built: SubQueryStatement) -> Statement {
        written(&built, &SqliteQueryBuilder)
    }

    fn text(&self, sql: &str, values: Vec<Value>) -> Statement {
        Statement { sql: sql.replace('$', "?"), values }
    }

    fn has_words(&self, column: Option<&'static str>, words: &[String]) -> Expr {
        // Words hold no quote, so a phrase needs no escaping.
        let phrase = format!("\"{}\"", words.join(" "));
        let pattern = column.map_or_else(|| phrase.clone(), |column| format!("{column} : {phrase}"));
        let matching = Query::select()
            .column("rowid")
            .from("alert_text")
            .and_where(Expr::col("alert_text").binary(BinOper::Custom("match"), pattern))
            .take();
        Expr::col(("alert", "alert_number")).in_subquery(matching)
    }

    fn counted_columns(&self) -> &'static [&'static str] {
        &["status", "severity_rank", "confidence_rank", "alert_type", "is_test", "resolved_reason"]
    }

    fn position_of(&self, text: Expr, part: Expr) -> Expr {
        // `like` folds ASCII case here, so it cannot serve.
        Expr::from(Func::cust("instr").arg(text).arg(part))
    }

    fn open_member(&self, property: &str, member: &str) -> Expr {
        let path = format!("$.{property}.\"{member}\"");
        let json_type = Expr::from(Func::cust("json_type").arg(Expr::col("body")).arg(path.as_str()));
        let text = Expr::from(Func::cust("json_extract").arg(Expr::col("body")).arg(path.as_str()));
        let json = Expr::col("body").binary(BinOper::Custom("->"), Expr::val(path));
        CaseStatement::new()
            .case(json_type.clone().eq("text"), text)
            .case(json_type.ne("null"), json)
            .finally(Expr::null())
            .into()
    }
}
