//! What a query sees: one partner's events of its window and lookback, and the indicators it names.
//!
//! The query runs in a session of its own, whose only tables are these views. It shares functions,
//! memory and limits with the session that has the whole tables, but cannot name them; so a query
//! cannot read another partner's events even by mistake.

use std::sync::Arc;

use alerts::PartnerTenantId;
use chrono::{DateTime, Utc};
use datafusion::catalog::{
    CatalogProvider, CatalogProviderList, MemoryCatalogProvider, MemoryCatalogProviderList,
    MemorySchemaProvider,
};
use datafusion::common::{Result, ScalarValue};
use datafusion::dataframe::DataFrame;
use datafusion::execution::SessionStateBuilder;
use datafusion::functions::expr_fn::coalesce;
use datafusion::functions_aggregate::expr_fn::max;
use datafusion::functions_window::expr_fn::row_number;
use datafusion::logical_expr::{Expr, ExprFunctionExt, JoinType, Literal, case};
use datafusion::prelude::{SessionContext, col, lit};
use ingest::schema::{DAY, Kind};

use crate::Candidates;

/// A session without tables that shares everything else with `session`.
pub(crate) fn empty_session(session: &SessionContext) -> Result<SessionContext> {
    let state = session.state();
    let names = state.config_options().catalog.clone();
    let catalog = MemoryCatalogProvider::new();
    catalog.register_schema(&names.default_schema, Arc::new(MemorySchemaProvider::new()))?;
    let catalogs = MemoryCatalogProviderList::new();
    catalogs.register_catalog(names.default_catalog.clone(), Arc::new(catalog));
    let state = SessionStateBuilder::new_from_existing(state).with_catalog_list(Arc::new(catalogs)).build();
    Ok(SessionContext::new_with_state(state))
}

/// A session with the same tables, of which some can be replaced.
pub(crate) async fn same_tables(session: &SessionContext) -> Result<SessionContext> {
    let own = empty_session(session)?;
    let names = session.state().config_options().catalog.clone();
    let schema =
        session.catalog(&names.default_catalog).and_then(|catalog| catalog.schema(&names.default_schema));
    for name in schema.map(|schema| schema.table_names()).unwrap_or_default() {
        own.register_table(name.as_str(), session.table_provider(name.as_str()).await?)?;
    }
    Ok(own)
}

/// One partner's events of a kind from one time up to another; of costs, the statements that count.
///
/// # Errors
///
/// If the session has no table of that kind.
pub async fn visible_events(
    session: &SessionContext,
    kind: Kind,
    partner: &PartnerTenantId,
    since: DateTime<Utc>,
    until: DateTime<Utc>,
) -> Result<DataFrame> {
    events_of(session, kind, partner, since, until, &Candidates::default()).await
}

/// As [`visible_events`]; of a table that the candidates restrict, theirs.
pub(crate) async fn events_of(
    session: &SessionContext,
    kind: Kind,
    partner: &PartnerTenantId,
    since: DateTime<Utc>,
    until: DateTime<Utc>,
    candidates: &Candidates,
) -> Result<DataFrame> {
    // The day is the partition: with bounds on it, files of other days are not opened.
    let first_day = since.date_naive();
    let last_day = until.date_naive();
    // Few rows are left once whose they are is known, so that is asked first.
    let frame = candidates
        .of(kind, session.table(kind.name()).await?)?
        .filter(col(DAY).gt_eq(lit(day(first_day))).and(col(DAY).lt_eq(lit(day(last_day)))))?
        .filter(col("event_at").gt_eq(time(since).lit()).and(col("event_at").lt(time(until).lit())))?
        .filter(col("partner_tenant_id").eq(lit(partner.as_str())))?;
    match kind {
        Kind::Cost => stated_last(frame),
        _ => Ok(frame),
    }
}

/// The datasets of cost, those that are preferred first. Each states the same usage in its own way, so that
/// lines of two of them must not be added up.
const DATASETS: [&str; 5] = ["actual", "focus", "billed", "unbilled", "amortized"];

/// Keeps of each subscription's day the lines of one statement: a later one replaces what was stated
/// before, it does not add.
///
/// Exports state the days of a month again and again, so that there are many times more lines than
/// statements. So the statements are listed first, from their few columns, and the lines joined to those
/// that count; a window over the lines would sort them all.
fn stated_last(lines: DataFrame) -> Result<DataFrame> {
    let counted = statements(lines.clone())?;
    let columns: Vec<_> = lines.schema().fields().iter().map(|field| col(field.name())).collect();
    let keyed = lines.with_column(ACCOUNT, account())?.with_column(DATASET_KEY, dataset())?;
    let on = [
        col(ACCOUNT).eq(col("counted_account")),
        col(DAY).eq(col("counted_day")),
        col(DATASET_KEY).eq(col("counted_dataset")),
        col("statement_id").eq(col("counted_statement")),
    ];
    // The statements are few, and the left side is the one that is kept in memory.
    counted.join_on(keyed, JoinType::RightSemi, on)?.select(columns)
}

/// The statement that counts for each account and day, as one row of keys.
fn statements(lines: DataFrame) -> Result<DataFrame> {
    let keys = vec![
        account().alias("counted_account"),
        col(DAY).alias("counted_day"),
        dataset().alias("counted_dataset"),
        col("statement_id").alias("counted_statement"),
    ];
    let latest =
        vec![max(col("stated_at")).alias("stated_last"), max(col("arrived_at")).alias("arrived_last")];
    let best_first = vec![
        preference()?.sort(true, false),
        col("stated_last").sort(false, false),
        col("arrived_last").sort(false, false),
        col("counted_statement").sort(false, false),
    ];
    let rank = row_number()
        .partition_by(vec![col("counted_account"), col("counted_day")])
        .order_by(best_first)
        .build()?
        .alias("rank");
    lines.aggregate(keys, latest)?.window(vec![rank])?.filter(col("rank").eq(lit(1u64)))?.select_columns(&[
        "counted_account",
        "counted_day",
        "counted_dataset",
        "counted_statement",
    ])
}

const ACCOUNT: &str = "account_key";
const DATASET_KEY: &str = "dataset_key";

/// Whose lines replace each other: those of a subscription, or of a customer where none is named.
fn account() -> Expr {
    coalesce(vec![col("subscription_id"), col("customer_tenant_id"), lit("")])
}

fn dataset() -> Expr {
    coalesce(vec![col("dataset"), lit("")])
}

/// The place of a dataset in [`DATASETS`]; one that is not there comes last.
fn preference() -> Result<Expr> {
    let mut places = (0i64..).zip(DATASETS);
    let of = col("counted_dataset");
    let Some((place, name)) = places.next() else { return Ok(lit(0i64)) };
    let mut choice = case(of).when(lit(name), lit(place));
    for (place, name) in places {
        choice = choice.when(lit(name), lit(place));
    }
    choice.otherwise(lit(i64::MAX))
}

fn day(date: chrono::NaiveDate) -> ScalarValue {
    ScalarValue::Date32(Some(datafusion::arrow::datatypes::Date32Type::from_naive_date(date)))
}

/// A time as the events have it.
pub(crate) fn time(at: DateTime<Utc>) -> ScalarValue {
    ScalarValue::TimestampMicrosecond(Some(at.timestamp_micros()), Some(Arc::from("UTC")))
}

#[cfg(test)]
mod tests {
    use arrow_array::{
        ArrayRef, BinaryArray, Date32Array, RecordBatch, StringArray, TimestampMicrosecondArray,
        new_null_array,
    };
    use chrono::NaiveDate;
    use datafusion::arrow::array::AsArray as _;
    use datafusion::datasource::MemTable;

    use super::*;

    /// A line: its name, subscription, customer, day of March, dataset, statement, when that was made, and
    /// when the line arrived (both as days of March; 0 for null).
    type Line = (&'static str, &'static str, &'static str, u32, &'static str, &'static str, u32, u32);

    fn midnight(day: u32) -> Option<DateTime<Utc>> {
        let date = NaiveDate::from_ymd_opt(2031, 3, day)?;
        Some(date.and_time(chrono::NaiveTime::MIN).and_utc())
    }

    fn table(lines: &[Line]) -> RecordBatch {
        let texts = |pick: fn(&Line) -> &'static str| -> ArrayRef {
            let text = |line| Some(pick(line)).filter(|text| !text.is_empty());
            Arc::new(lines.iter().map(text).collect::<StringArray>())
        };
        let times = |pick: fn(&Line) -> u32| -> ArrayRef {
            let micros = |line| midnight(pick(line)).map(|at| at.timestamp_micros());
            let micros: TimestampMicrosecondArray = lines.iter().map(micros).collect();
            Arc::new(micros.with_timezone("UTC"))
        };
        let bytes = |pick: fn(&Line) -> &'static str| -> ArrayRef {
            Arc::new(BinaryArray::from_iter_values(lines.iter().map(pick)))
        };
        let days = || -> ArrayRef {
            let day = |line: &Line| Some(midnight(line.3)?.date_naive().to_epoch_days());
            Arc::new(lines.iter().map(day).collect::<Date32Array>())
        };
        let schema = Kind::Cost.schema();
        let columns = schema.fields().iter().map(|field| match field.name().as_str() {
            "day" => days(),
            "event_id" => bytes(|line| line.0),
            "event_at" => times(|line| line.3),
            "arrived_at" => times(|line| line.7),
            "partner_tenant_id" => Arc::new(StringArray::from(vec!["partner-1"; lines.len()])),
            "subscription_id" => texts(|line| line.1),
            "customer_tenant_id" => texts(|line| line.2),
            "dataset" => texts(|line| line.4),
            "statement_id" => bytes(|line| line.5),
            "stated_at" => times(|line| line.6),
            _ => new_null_array(field.data_type(), lines.len()),
        });
        RecordBatch::try_new(schema.clone(), columns.collect()).unwrap()
    }

    /// The names of the lines that are seen from March 1 until the day given.
    async fn seen(lines: &[Line], until: u32) -> String {
        let session = SessionContext::new();
        let half = lines.len() / 2;
        let batches = [&lines[..half], &lines[half..]].map(|part| vec![table(part)]).to_vec();
        let table = MemTable::try_new(Kind::Cost.schema(), batches).unwrap();
        session.register_table("cost", Arc::new(table)).unwrap();
        let (since, until) = (midnight(1).unwrap(), midnight(until).unwrap());
        let partner: PartnerTenantId = "partner-1".parse().unwrap();
        let view = visible_events(&session, Kind::Cost, &partner, since, until).await.unwrap();
        assert_eq!(
            view.schema().as_arrow(),
            Kind::Cost.schema().as_ref(),
            "the view has the table's columns"
        );
        let rows = view.sort_by(vec![col("event_id")]).unwrap().collect().await.unwrap();
        let names = rows.iter().flat_map(|batch| batch["event_id"].as_binary::<i32>().iter().flatten());
        names.map(|name| String::from_utf8_lossy(name).into_owned()).collect::<Vec<_>>().join(" ")
    }

    #[tokio::test]
    async fn one_statement_counts_for_each_account_and_day() {
        let cases: [(&str, &[Line], &str); 9] = [
            (
                "lines of a statement add up",
                &[("a", "s1", "", 2, "actual", "x", 3, 3), ("b", "s1", "", 2, "actual", "x", 3, 4)],
                "a b",
            ),
            (
                "the latest statement replaces all lines of those before, arrived in whatever order",
                &[
                    ("a", "s1", "", 2, "actual", "x", 3, 9),
                    ("b", "s1", "", 2, "actual", "x", 3, 9),
                    ("c", "s1", "", 2, "actual", "y", 4, 5),
                ],
                "c",
            ),
            (
                "days and subscriptions are apart",
                &[
                    ("a", "s1", "", 2, "actual", "x", 3, 3),
                    ("b", "s1", "", 3, "actual", "y", 4, 4),
                    ("c", "s2", "", 2, "actual", "y", 4, 4),
                ],
                "a b c",
            ),
            (
                "stated at the same time: the one that arrived last",
                &[("a", "s1", "", 2, "actual", "y", 3, 3), ("b", "s1", "", 2, "actual", "x", 3, 4)],
                "b",
            ),
            (
                "all the same: the greatest id",
                &[("a", "s1", "", 2, "actual", "y", 3, 3), ("b", "s1", "", 2, "actual", "x", 3, 3)],
                "a",
            ),
            (
                "one that does not say when it was made is the oldest",
                &[("a", "s1", "", 2, "actual", "y", 0, 9), ("b", "s1", "", 2, "actual", "x", 3, 3)],
                "b",
            ),
            (
                "the preferred dataset, however old",
                &[
                    ("a", "s1", "", 2, "amortized", "a", 9, 9),
                    ("b", "s1", "", 2, "unbilled", "u", 8, 8),
                    ("c", "s1", "", 2, "billed", "b", 7, 7),
                    ("d", "s1", "", 2, "focus", "f", 6, 6),
                    ("e", "s2", "", 2, "focus", "f", 6, 6),
                    ("f", "s2", "", 2, "actual", "x", 3, 3),
                    ("g", "s3", "", 2, "", "n", 9, 9),
                    ("h", "s3", "", 2, "amortized", "a", 3, 3),
                    ("i", "s4", "", 2, "", "n", 9, 9),
                ],
                "d f h i",
            ),
            (
                "without a subscription, the customer's; without either, together",
                &[
                    ("a", "", "c1", 2, "actual", "x", 3, 3),
                    ("b", "", "c2", 2, "actual", "y", 4, 4),
                    ("c", "s1", "c1", 2, "actual", "z", 5, 5),
                    ("d", "", "", 2, "actual", "x", 3, 3),
                    ("e", "", "", 2, "actual", "y", 4, 4),
                ],
                "a b c e",
            ),
            ("no lines", &[], ""),
        ];
        for (what, lines, expected) in cases {
            assert_eq!(seen(lines, 20).await, expected, "{what}");
            let mut turned = lines.to_vec();
            turned.reverse();
            assert_eq!(seen(&turned, 20).await, expected, "{what}, in reverse");
        }
    }

    #[tokio::test]
    async fn the_end_of_the_window_goes_by_the_day_of_usage() {
        let lines = [("a", "s1", "", 2, "actual", "x", 3, 3), ("b", "s1", "", 4, "actual", "y", 5, 5)];
        assert_eq!(seen(&lines, 4).await, "a");
        assert_eq!(seen(&lines, 5).await, "a b");
    }
}
