//! Lines of cost that a later statement has replaced.
//!
//! Azure states the days of a month again and again, each time with other amounts. Queries see of each
//! account's day the last statement of a dataset only, so that the others may go after a while. A statement
//! counts as superseded from the moment when the first better one arrived here, not from when that says it
//! was made: what was shown in between stays explainable for as long as the grace period lasts.

use arrow_array::cast::AsArray;
use arrow_array::types::{Int64Type, TimestampMicrosecondType};
use chrono::{DateTime, TimeDelta, Utc};
use datafusion::common::{JoinType, Result, ScalarValue};
use datafusion::dataframe::DataFrame;
use datafusion::functions::expr_fn::coalesce;
use datafusion::functions_aggregate::expr_fn::{count, max, min, sum};
use datafusion::logical_expr::expr::WindowFunction;
use datafusion::logical_expr::{
    ExprFunctionExt, Literal, WindowFrame, WindowFrameBound, WindowFrameUnits, WindowFunctionDefinition,
};
use datafusion::prelude::{Expr, col, lit};

/// What the statements of a day say about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Statements {
    /// Lines that may go now.
    pub(crate) droppable: u64,
    /// When the next lines may go; `None` if no others are superseded.
    pub(crate) next_at: Option<DateTime<Utc>>,
}

/// What tells one statement of an account and dataset from all others, and the names of that here.
///
/// As in detection, an account is a subscription, or a customer where none is named.
fn keys() -> [(&'static str, Expr); 4] {
    [
        ("partner_key", col("partner_tenant_id")),
        ("account_key", coalesce(vec![col("subscription_id"), col("customer_tenant_id"), lit("")])),
        ("dataset_key", coalesce(vec![col("dataset"), lit("")])),
        ("statement_key", col("statement_id")),
    ]
}

/// Columns that [`Statements`] and [`without`] need.
pub(crate) const COLUMNS: [&str; 7] = [
    "partner_tenant_id",
    "subscription_id",
    "customer_tenant_id",
    "dataset",
    "statement_id",
    "stated_at",
    "arrived_at",
];

impl Statements {
    /// Looks at all lines of a day.
    pub(crate) async fn of(lines: DataFrame, kept: TimeDelta, now: DateTime<Utc>) -> Result<Self> {
        let before = now - kept;
        let sums = superseded(lines)?
            .aggregate(
                vec![col("better_since").lt_eq(time(before)).alias("droppable")],
                vec![sum(col("lines")).alias("lines"), min(col("better_since")).alias("first")],
            )?
            .collect()
            .await?;
        let mut found = Self { droppable: 0, next_at: None };
        for batch in &sums {
            let droppable = batch.column(0).as_boolean();
            let lines = batch.column(1).as_primitive::<Int64Type>();
            let first = batch.column(2).as_primitive::<TimestampMicrosecondType>();
            for row in 0..batch.num_rows() {
                if droppable.value(row) {
                    found.droppable += u64::try_from(lines.value(row)).unwrap_or(0);
                } else {
                    found.next_at = DateTime::from_timestamp_micros(first.value(row)).map(|at| at + kept);
                }
            }
        }
        Ok(found)
    }
}

/// The lines of a day without those that may go. `all` has the same lines, of which only [`COLUMNS`] are
/// read.
pub(crate) fn without(
    lines: DataFrame,
    all: DataFrame,
    kept: TimeDelta,
    now: DateTime<Utc>,
) -> Result<DataFrame> {
    let gone = superseded(all)?.filter(col("better_since").lt_eq(time(now - kept)))?;
    let on = keys().map(|(name, key)| col(name).eq(key));
    // The statements are few, and the left side is the one that is kept in memory.
    gone.join_on(lines, JoinType::RightAnti, on)
}

/// Each statement that another one replaces, with the number of its lines and the time from which on the
/// first better one was here (`better_since`).
fn superseded(lines: DataFrame) -> Result<DataFrame> {
    let statements = lines.aggregate(
        keys().into_iter().map(|(name, key)| key.alias(name)).collect(),
        vec![
            max(col("stated_at")).alias("stated_last"),
            max(col("arrived_at")).alias("arrived_last"),
            min(col("arrived_at")).alias("arrived_first"),
            count(lit(1)).alias("lines"),
        ],
    )?;
    // The same order in which detection chooses.
    let best_first = vec![
        col("stated_last").sort(false, false),
        col("arrived_last").sort(false, false),
        col("statement_key").sort(false, false),
    ];
    let all_better = WindowFrame::new_bounds(
        WindowFrameUnits::Rows,
        WindowFrameBound::Preceding(ScalarValue::UInt64(None)),
        WindowFrameBound::Preceding(ScalarValue::UInt64(Some(1))),
    );
    let first_better = WindowFunction::new(
        WindowFunctionDefinition::AggregateUDF(datafusion::functions_aggregate::min_max::min_udaf()),
        vec![col("arrived_first")],
    );
    let better_since = Expr::from(first_better)
        .partition_by(vec![col("partner_key"), col("account_key"), col("dataset_key")])
        .order_by(best_first)
        .window_frame(all_better)
        .build()?
        .alias("better_since");
    statements.window(vec![better_since])?.filter(col("better_since").is_not_null())
}

fn time(at: DateTime<Utc>) -> Expr {
    ScalarValue::TimestampMicrosecond(Some(at.timestamp_micros()), Some("UTC".into())).lit()
}
