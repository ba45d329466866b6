//! SQLite's expressions. Its own functions do too little: `lower` knows ASCII alone, `length` stops at a
//! NUL, whole numbers that do not fit become doubles. So most are ours, and every connection has them:
//! see `crate::sqlite::functions`.

use odata::checked::Arithmetic;
use sea_query::{
    BinOper, CaseStatement, Expr, ExprTrait, Func, FunctionCall, Query, SelectStatement, SqliteQueryBuilder,
    SubQueryStatement, Value,
};

use super::{Dialect, Numbers, Primitive, Words, written};
use crate::model::{NAMED_DETECTOR, names_detector};
use crate::session::Statement;
use crate::sql::scalar::Scalar;

/// The numbers of the alerts that have the words.
fn having(words: &Words) -> SelectStatement {
    // Words hold no quote, so a phrase needs no escaping.
    let phrase = format!("\"{}\"", words.words.join(" "));
    let pattern = words.column.map_or_else(|| phrase.clone(), |column| format!("{column} : {phrase}"));
    Query::select()
        .column("rowid")
        .from("alert_text")
        .and_where(Expr::col("alert_text").binary(BinOper::Custom("match"), pattern))
        .take()
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

    fn has_words(&self, words: &Words) -> Expr {
        // The plus hides the column from the planner, which would otherwise look up each alert that has the words, and sort
        // them all. Each index holds the number, so that no alert is read for it.
        let asked = match words.are_common {
            true => Expr::cust(r#"+"alert"."alert_number""#),
            false => Expr::col(("alert", "alert_number")),
        };
        asked.in_subquery(having(words))
    }

    fn count_of_words(&self, words: &Words, most: u64) -> Option<SelectStatement> {
        let few = having(words).limit(most).take();
        Some(Query::select().expr(Func::count(Expr::cust("*"))).from_subquery(few, "few").take())
    }

    fn counted_columns(&self) -> &'static [&'static str] {
        &["status", "severity_rank", "confidence_rank", "alert_type", "is_test", "resolved_reason"]
    }

    fn sorted_columns(&self) -> &'static [&'static str] {
        // Those of alert_by_status.
        &[
            "status",
            "detected_at",
            "id",
            "severity_rank",
            "confidence_rank",
            "alert_type",
            "display_name",
            "customer_tenant_id",
            "subscription_id",
            "last_observed_at",
            "resolved_at",
            "resolved_reason",
            NAMED_DETECTOR,
        ]
    }

    fn constant(&self, value: Scalar) -> Expr {
        Expr::val(value)
    }

    fn position_of(&self, text: Expr, part: Expr) -> Expr {
        // `like` folds ASCII case here, so it cannot serve.
        call("instr", [text, part])
    }

    fn starts_with(&self, text: Expr, part: Expr) -> Expr {
        call("odata_starts_with", [text, part])
    }

    fn ends_with(&self, text: Expr, part: Expr) -> Expr {
        call("odata_ends_with", [text, part])
    }

    fn open_member(&self, body: Expr, property: &str, member: &str) -> Expr {
        let path = format!("$.{property}.\"{member}\"");
        // An index is found by its expression as the migration wrote it, and parameters are none of that. These texts
        // are ours.
        let is_indexed = names_detector(property, member);
        let text = |text: &str| if is_indexed { Expr::cust(format!("'{text}'")) } else { Expr::val(text) };
        let json_type = call("json_type", [body.clone(), text(&path)]);
        let found = call("json_extract", [body.clone(), text(&path)]);
        let json = body.binary(BinOper::Custom("->"), text(&path));
        CaseStatement::new()
            .case(json_type.clone().eq(text("text")), found)
            .case(json_type.ne(text("null")), json)
            .finally(Expr::null())
            .into()
    }

    fn items(&self, body: Expr, property: &str) -> FunctionCall {
        Func::cust("json_each").arg(body).arg(format!("$.{property}"))
    }

    fn item_text(&self, item: Expr, path: &[String]) -> Expr {
        let path: String = path.iter().map(|segment| format!(".\"{segment}\"")).collect();
        call("json_extract", [item, format!("${path}").into()])
    }

    fn moment(&self, text: Expr) -> Expr {
        call("odata_moment", [text])
    }

    fn call(&self, function: Primitive, operands: Vec<Expr>) -> Expr {
        let name = match function {
            Primitive::Length => "odata_length",
            Primitive::IndexOf => "odata_index_of",
            Primitive::Substring => "odata_substring",
            Primitive::ToLower => "odata_to_lower",
            Primitive::ToUpper => "odata_to_upper",
            Primitive::Trim => "odata_trim",
            Primitive::Concat => "odata_concat",
            Primitive::Year => "odata_year",
            Primitive::Month => "odata_month",
            Primitive::Day => "odata_day",
            Primitive::Date => "odata_date",
            Primitive::Round => "odata_round",
            Primitive::Floor => "odata_floor",
            Primitive::Ceiling => "odata_ceiling",
        };
        call(name, operands)
    }

    fn arithmetic(&self, operator: Arithmetic, of: Numbers, left: Expr, right: Expr) -> Expr {
        let name = match (of, operator) {
            (Numbers::Whole, Arithmetic::Add) => "odata_add",
            (Numbers::Whole, Arithmetic::Sub) => "odata_sub",
            (Numbers::Whole, Arithmetic::Mul) => "odata_mul",
            (Numbers::Whole, Arithmetic::Div | Arithmetic::DivBy) => "odata_div",
            (Numbers::Whole, Arithmetic::Mod) => "odata_mod",
            (Numbers::Double, Arithmetic::Add) => "odata_add_double",
            (Numbers::Double, Arithmetic::Sub) => "odata_sub_double",
            (Numbers::Double, Arithmetic::Mul) => "odata_mul_double",
            (Numbers::Double, Arithmetic::Div | Arithmetic::DivBy) => "odata_div_double",
            (Numbers::Double, Arithmetic::Mod) => "odata_mod_double",
            (Numbers::Moment, Arithmetic::Sub) => "odata_before",
            (Numbers::Moment, _) => "odata_after",
        };
        call(name, [left, right])
    }

    fn negated(&self, of: Numbers, operand: Expr) -> Expr {
        match of {
            Numbers::Whole | Numbers::Moment => call("odata_sub", [Expr::cust("0"), operand]),
            Numbers::Double => call("odata_sub_double", [Expr::cust("0.0"), operand]),
        }
    }

    fn double(&self, whole: Expr) -> Expr {
        Expr::cust_with_expr("cast(? as real)", whole)
    }
}

fn call(name: &'static str, operands: impl IntoIterator<Item = Expr>) -> Expr {
    Func::cust(name).args(operands).into()
}
