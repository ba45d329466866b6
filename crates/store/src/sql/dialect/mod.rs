//! The expressions that databases write differently.
//!
//! An operand is handed in once and stands in the result once, whatever is done with it: an operand may
//! hold others, and one that is repeated at each level doubles with each level. No expression may fail
//! when it runs, whatever stands in a row: a result that does not exist is null, as `odata::checked`
//! has it.

mod postgres;
mod sqlite;

use odata::checked::Arithmetic;
use sea_query::{
    Expr, FunctionCall, QueryBuilder, SelectStatement, SqlWriterValues, SubQueryStatement, Value,
};

pub(crate) use postgres::Postgres;
pub(crate) use sqlite::Sqlite;

use super::scalar::Scalar;
use crate::session::Statement;

/// Words that are looked for.
pub(crate) struct Words {
    /// The column of `alert_text` in which they stand; any of them if `None`.
    pub(crate) column: Option<&'static str>,
    /// The words, side by side: letters and digits alone, in lower case.
    pub(crate) words: Vec<String>,
    /// Whether so many alerts have them that it is faster to ask each alert of a list whether it is one of these, than to
    /// look these up.
    pub(crate) are_common: bool,
}

/// What differs between databases.
pub(crate) trait Dialect: Sync {
    /// The text and parameters of a statement that was built.
    fn statement(&self, built: SubQueryStatement) -> Statement;

    /// A statement that was written by hand, with parameters `$1` and so on.
    fn text(&self, sql: &str, values: Vec<Value>) -> Statement;

    /// That these words stand side by side in an alert's texts.
    fn has_words(&self, words: &Words) -> Expr;

    /// How many alerts have the words, counted no further than to `most`; `None` if the database judges by itself how the
    /// alerts that have them are best found.
    fn count_of_words(&self, words: &Words, most: u64) -> Option<SelectStatement>;

    /// The columns of `alert` by which the database keeps counts, in `alert_count`; none if it keeps none.
    fn counted_columns(&self) -> &'static [&'static str];

    /// What the index of `alert` holds, beside the partner, within which lists are sorted that no index gives in order;
    /// nothing if the database has none for that.
    fn sorted_columns(&self) -> &'static [&'static str];

    /// A value where nothing beside it tells of what type it is.
    fn constant(&self, value: Scalar) -> Expr;

    /// Where `part` first occurs in `text`, from 1; 0 if it does not. With regard to case.
    fn position_of(&self, text: Expr, part: Expr) -> Expr;

    /// Whether `text` starts with `part`.
    fn starts_with(&self, text: Expr, part: Expr) -> Expr;

    /// Whether `text` ends with `part`.
    fn ends_with(&self, text: Expr, part: Expr) -> Expr;

    /// A member of the open type at `property` of the alert's JSON, as text.
    ///
    /// Strings are themselves; other values are their JSON text; null and absence are null. `member`
    /// is an OData identifier, so it holds no quote. `body` may be repeated.
    fn open_member(&self, body: Expr, property: &str, member: &str) -> Expr;

    /// The items of the array at that property of the alert's JSON, as a table whose column `value` is
    /// what [`Dialect::item_text`] takes.
    fn items(&self, body: Expr, property: &str) -> FunctionCall;

    /// The text at a path of OData identifiers into an item.
    fn item_text(&self, item: Expr, path: &[String]) -> Expr;

    /// The microseconds of a moment that is written as an alert's JSON has it: RFC 3339, in UTC, ending
    /// in `Z`. What is finer is cut off. Null for years that have not four digits. `text` may be repeated.
    fn moment(&self, text: Expr) -> Expr;

    /// A function of operands of the types that it names. Null if one of them is.
    fn call(&self, function: Primitive, operands: Vec<Expr>) -> Expr;

    /// Two numbers, or a moment and a duration, computed with.
    fn arithmetic(&self, operator: Arithmetic, of: Numbers, left: Expr, right: Expr) -> Expr;

    /// The number with its sign turned.
    fn negated(&self, of: Numbers, operand: Expr) -> Expr;

    /// A whole number as a double.
    fn double(&self, whole: Expr) -> Expr;
}

/// The text and parameters of a statement, as the builder of a database writes them.
fn written(built: &SubQueryStatement, builder: &impl QueryBuilder) -> Statement {
    let (placeholder, numbered) = builder.placeholder();
    let mut sql = SqlWriterValues::new(placeholder, numbered);
    builder.prepare_query_statement(built, &mut sql);
    let (sql, values) = sql.into_parts();
    Statement { sql, values: values.0 }
}

/// What is computed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Numbers {
    /// Whole numbers, durations, or two moments; the result is a whole number of 64 bits or null.
    Whole,
    /// Doubles.
    Double,
    /// A moment and a duration; the result is a moment of the years 1 to 9999, or null.
    Moment,
}

/// The functions of `odata::checked` that are more than arithmetic of whole numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Primitive {
    /// `length`
    Length,
    /// `indexof`
    IndexOf,
    /// `substring`, of two operands or three.
    Substring,
    /// `tolower`
    ToLower,
    /// `toupper`
    ToUpper,
    /// `trim`
    Trim,
    /// `concat`
    Concat,
    /// `year` of a moment; null for years that have not four digits, as the next three.
    Year,
    /// `month` of a moment.
    Month,
    /// `day` of a moment.
    Day,
    /// `date` of a moment.
    Date,
    /// `round`
    Round,
    /// `floor`
    Floor,
    /// `ceiling`
    Ceiling,
}
