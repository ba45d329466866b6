//! How PostgreSQL writes what databases write differently.
//!
//! Columns carry the collation `C`, and hand it on to what is computed from them. An expression over
//! no column must be given it, or it is compared by the rules of whatever language the database was
//! made for.

use sea_query::{Expr, Func, PostgresQueryBuilder, SubQueryStatement, Value};

use super::{Dialect, written};
use crate::session::Statement;

/// The alert's JSON as the server can read it: its `json` holds no NUL, so an escaped one becomes the
/// character that stands for what cannot be shown. Escaped backslashes are written another way first,
/// so that what follows them is not taken for an escape.
const READABLE_BODY: &str = r"replace(replace(body, '\\', '\u005c'), '\u0000', '\ufffd')::json";

/// PostgreSQL 13 or later.
pub(crate) struct Postgres;

impl Dialect for Postgres {
    fn statement(&self, built: SubQueryStatement) -> Statement {
        written(&built, &PostgresQueryBuilder)
    }

    fn text(&self, sql: &str, values: Vec<Value>) -> Statement {
        Statement { sql: sql.to_owned(), values }
    }

    fn position_of(&self, text: Expr, part: Expr) -> Expr {
        Expr::from(Func::cust("strpos").arg(text).arg(part))
    }

    fn open_member(&self, property: &str, member: &str) -> Expr {
        let value = Func::cust("json_extract_path_text").arg(Expr::cust(READABLE_BODY)).arg(property).arg(member);
        Expr::cust_with_expr(r#"$1 collate "C""#, value)
    }
}
