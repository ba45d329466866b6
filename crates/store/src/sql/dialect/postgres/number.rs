//! Numbers computed with so that no result makes the server fail.

use odata::checked::Arithmetic;
use sea_query::Expr;

use super::named;

/// One less than the least value, and one more than the greatest.
pub(super) type Beyond = (&'static str, &'static str);

pub(super) const WHOLE: Beyond = ("-9223372036854775809", "9223372036854775808");

/// The years 1 to 9999.
pub(super) const MOMENTS: Beyond = ("-62135596800000001", "253402300800000000");

pub(super) fn whole(operator: Arithmetic) -> &'static str {
    match operator {
        Arithmetic::Add => "cast($1 as numeric) + cast($2 as numeric)",
        Arithmetic::Sub => "cast($1 as numeric) - cast($2 as numeric)",
        Arithmetic::Mul => "cast($1 as numeric) * cast($2 as numeric)",
        Arithmetic::Div | Arithmetic::DivBy => "div(cast($1 as numeric), nullif(cast($2 as numeric), 0))",
        Arithmetic::Mod => "mod(cast($1 as numeric), nullif(cast($2 as numeric), 0))",
    }
}

/// A number as a `bigint`, or null if it lies beyond. `greatest` and `least` pass null over, so null
/// takes that way too.
pub(super) fn fitting<const N: usize>(number: &str, (below, above): Beyond, operands: [Expr; N]) -> Expr {
    let template = format!(
        "cast(nullif(nullif(least(greatest({number}, {below}), {above}), {below}), {above}) as bigint)"
    );
    Expr::cust_with_exprs(template, operands)
}

/// The greatest double, and the least above zero that has all its digits.
const GREATEST: &str = "1.7976931348623157e308::double precision";
const LEAST: &str = "2.2250738585072014e-308::double precision";

/// The server fails where a result is too large, and where it is too small; so it is not let come to
/// that. The bounds are those of [`crate::sql::double`].
pub(super) fn doubles(operator: Arithmetic, left: Expr, right: Expr) -> Expr {
    let expression = match operator {
        Arithmetic::Add => sum("operand.y"),
        Arithmetic::Sub => sum("(- operand.y)"),
        Arithmetic::Mul => format!(
            "when abs(operand.x) >= {GREATEST} / greatest(abs(operand.y), 1) then null \
             when abs(operand.x) < {LEAST} / greatest(least(abs(operand.y), 1), {LEAST}) then 0 \
             else operand.x * operand.y"
        ),
        Arithmetic::Div | Arithmetic::DivBy => format!(
            "when operand.y = 0 then null \
             when abs(operand.x) >= {GREATEST} * least(abs(operand.y), 1) then null \
             when abs(operand.x) < {LEAST} * greatest(abs(operand.y), 1) then 0 \
             else operand.x / operand.y"
        ),
        Arithmetic::Mod => return remainder(left, right),
    };
    let expression = format!("case when operand.x is null or operand.y is null then null {expression} end");
    named(&["x", "y"], &expression, vec![left, right])
}

fn sum(y: &str) -> String {
    format!(
        "when operand.x > 0 and {y} >= {GREATEST} - operand.x then null \
         when operand.x < 0 and {y} <= - {GREATEST} - operand.x then null \
         else operand.x + {y}"
    )
}

/// `x - y * trunc(x / y)`, which is how the specification has it.
fn remainder(left: Expr, right: Expr) -> Expr {
    let x = || Expr::cust("operand.x");
    let y = || Expr::cust("operand.y");
    let quotient = Expr::cust_with_expr("trunc($1)", doubles(Arithmetic::DivBy, x(), y()));
    let product = doubles(Arithmetic::Mul, y(), quotient);
    let rest = doubles(Arithmetic::Sub, x(), product);
    Expr::cust_with_exprs(
        "(select $1 from (select ($2) as x, ($3) as y offset 0) as operand)",
        [rest, left, right],
    )
}
