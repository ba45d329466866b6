//! What a query reads of its tables: which columns, and how far back.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use datafusion::common::tree_node::{Transformed, TreeNode as _, TreeNodeRecursion};
use datafusion::common::{Result, ScalarValue};
use datafusion::datasource::empty::EmptyTable;
use datafusion::logical_expr::utils::{conjunction, split_conjunction};
use datafusion::logical_expr::{BinaryExpr, Expr, LogicalPlan, Operator, TableScan};
use datafusion::prelude::{SessionContext, col, lit};
use ingest::schema::Kind;

use crate::functions::SETTING;

/// What a query reads of its tables.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Reads {
    by_table: BTreeMap<String, Read>,
}

impl Reads {
    /// What is read of a table; `None` if nothing is.
    pub(crate) fn of(&self, table: &str) -> Option<&Read> {
        self.by_table.get(table)
    }
}

/// What a query reads of a table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Read {
    /// The columns that it needs.
    pub(crate) columns: BTreeSet<String>,
    /// How long before `$since` the oldest event can lie that it looks at; `None` if it names no bound.
    pub(crate) reach: Option<TimeDelta>,
    /// Of which rows it needs the body; `None` if of all. Bodies are most of a record's bytes, and hardly any query
    /// looks at more than those of a few operations.
    pub(crate) body: Option<Expr>,
}

/// The column that has the body of a record.
pub(crate) const BODY: &str = "properties";

impl Read {
    /// What several queries read, each of which is looked at by itself as for its time.
    pub(crate) fn of_all<'a>(reads: impl IntoIterator<Item = &'a Self>) -> Self {
        let mut all = Self { body: Some(lit(false)), ..Self::default() };
        for read in reads {
            all.columns.extend(read.columns.iter().cloned());
            if read.columns.contains(BODY) {
                all.body = all.body.zip(read.body.clone()).map(|(one, other)| one.or(other));
            }
        }
        all
    }

    /// From when on events are read, where `since` stands for `$since`.
    pub(crate) fn since(&self, since: DateTime<Utc>) -> Option<DateTime<Utc>> {
        since.checked_sub_signed(self.reach?)
    }
}

/// The `$since` of plans that are looked at and never run. It is the last moment of an hour, a Sunday, a month of 31
/// days and a year, so that nothing that a query cuts off from its start (`date_trunc`) reaches further back from another.
pub(crate) fn end_of_all_units() -> DateTime<Utc> {
    let midnight =
        NaiveDate::from_ymd_opt(2024, 1, 1).unwrap_or_default().and_time(chrono::NaiveTime::MIN).and_utc();
    midnight - TimeDelta::microseconds(1)
}

/// Registers a table without rows for each kind: enough to plan a query by.
pub(crate) fn register_empty(session: &SessionContext, kinds: &[Kind]) -> Result<()> {
    for kind in kinds {
        session.register_table(kind.name(), Arc::new(EmptyTable::new(kind.schema())))?;
    }
    Ok(())
}

/// What an optimised plan reads, with `since` as its `$since`.
pub(crate) fn reads_of(plan: &LogicalPlan, since: DateTime<Utc>) -> Result<Reads> {
    let mut tables: BTreeMap<String, Scans> = BTreeMap::new();
    plan.apply_with_subqueries(|node| {
        if let LogicalPlan::TableScan(scan) = node {
            tables.entry(scan.table_name.table().to_owned()).or_default().all.push(columns_of(scan));
        }
        if let LogicalPlan::Filter(filter) = node
            && let LogicalPlan::TableScan(scan) = filter.input.as_ref()
        {
            let conditions = split_conjunction(&filter.predicate);
            tables.entry(scan.table_name.table().to_owned()).or_default().filtered.push(Filtered {
                reach: conditions
                    .iter()
                    .filter_map(|condition| bound(condition))
                    .max()
                    .map(|bound| since - bound),
                columns: columns_of(scan),
                condition: lasting(&conditions),
            });
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(Reads { by_table: tables.into_iter().map(|(table, scans)| (table, scans.read())).collect() })
}

fn columns_of(scan: &TableScan) -> BTreeSet<String> {
    let projected = scan.projected_schema.fields().iter().map(|field| field.name().clone());
    let filtered = scan.filters.iter().flat_map(Expr::column_refs).map(|column| column.name.clone());
    projected.chain(filtered).collect()
}

/// The conditions that are the same whenever a run is and whatever numbers the operator chose; they name columns of one
/// table.
fn lasting(conditions: &[&Expr]) -> Option<Expr> {
    let of_column = |expression: Expr| match expression {
        Expr::Column(column) => Ok(Transformed::yes(col(column.name))),
        other => Ok(Transformed::no(other)),
    };
    let passes = |part: &Expr| match part {
        Expr::Literal(value, _) => value.data_type().is_temporal(),
        Expr::ScalarFunction(call) => call.name() == SETTING,
        _ => false,
    };
    let is_lasting = |condition: &&&Expr| !condition.exists(|part| Ok(passes(part))).unwrap_or(true);
    let kept = conditions.iter().filter(is_lasting);
    let kept = kept.map(|condition| (*condition).clone().transform(of_column).map(|done| done.data));
    kept.collect::<Result<Vec<_>>>().ok().and_then(conjunction)
}

/// The places of a plan that read one table.
#[derive(Default)]
struct Scans {
    /// The columns of each.
    all: Vec<BTreeSet<String>>,
    filtered: Vec<Filtered>,
}

/// A place that reads a table under conditions.
struct Filtered {
    reach: Option<TimeDelta>,
    columns: BTreeSet<String>,
    condition: Option<Expr>,
}

impl Scans {
    fn read(self) -> Read {
        let is_bounded = self.all.len() == self.filtered.len();
        let reaches: Option<Vec<TimeDelta>> = self.filtered.iter().map(|scan| scan.reach).collect();
        let with_body = |columns: &&BTreeSet<String>| columns.contains(BODY);
        let bodies: Vec<&Filtered> = self.filtered.iter().filter(|scan| with_body(&&scan.columns)).collect();
        let of_some = self.all.iter().filter(with_body).count() == bodies.len();
        let conditions: Option<Vec<Expr>> = bodies.iter().map(|scan| scan.condition.clone()).collect();
        Read {
            reach: reaches.filter(|_| is_bounded).and_then(|reaches| reaches.into_iter().max()),
            body: conditions
                .filter(|_| of_some)
                .and_then(|conditions| conditions.into_iter().reduce(Expr::or)),
            columns: self.all.into_iter().flatten().collect(),
        }
    }
}

/// The time of a condition that leaves out the events before it: `event_at >= TIME`.
fn bound(condition: &Expr) -> Option<DateTime<Utc>> {
    let Expr::BinaryExpr(BinaryExpr { left, op, right }) = condition else { return None };
    let (column, time) = match op {
        Operator::GtEq | Operator::Gt => (left, right),
        Operator::LtEq | Operator::Lt => (right, left),
        _ => return None,
    };
    match (column.as_ref(), time.as_ref()) {
        (Expr::Column(column), Expr::Literal(ScalarValue::TimestampMicrosecond(Some(micros), _), _))
            if column.name == "event_at" =>
        {
            DateTime::from_timestamp_micros(*micros)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use datafusion::logical_expr::ScalarUDF;

    use super::*;
    use crate::functions::SettingFunction;
    use crate::manifest::Setting;
    use crate::views;

    async fn reads(sql: &str) -> Reads {
        let session = SessionContext::new();
        register_empty(&session, &[Kind::Activity, Kind::SignIn]).unwrap();
        let (name, meaning) = ("least".to_owned(), String::new());
        let declared = [Setting { name, default: 4.0, min: None, max: None, meaning }];
        session.register_udf(ScalarUDF::from(SettingFunction::new(&declared, &[])));
        let since = end_of_all_units();
        let query = session.sql(sql).await.unwrap();
        let query = query.with_param_values(vec![("since", views::time(since))]).unwrap();
        reads_of(&query.into_optimized_plan().unwrap(), since).unwrap()
    }

    #[tokio::test]
    async fn a_query_reads_what_its_plan_needs() {
        for (sql, expected) in [
            (
                "select caller from (select * from activity) where status = 'failed'",
                &["activity.caller", "activity.status"][..],
            ),
            ("select count(*) from activity", &[]),
            (
                "select a.caller from activity as a where exists (select 1 from sign_in where sign_in.user_id = a.caller_id)",
                &["activity.caller", "activity.caller_id", "sign_in.user_id"],
            ),
        ] {
            let named = |(table, read): (String, Read)| {
                read.columns.into_iter().map(move |column| format!("{table}.{column}"))
            };
            let columns: Vec<String> = reads(sql).await.by_table.into_iter().flat_map(named).collect();
            assert_eq!(columns, expected, "{sql}");
        }
    }

    #[tokio::test]
    async fn a_query_reaches_as_far_back_as_the_least_of_its_bounds() {
        let hours = |hours| Some(TimeDelta::hours(hours));
        let a_microsecond_less =
            |reach: Option<TimeDelta>| reach.map(|reach| reach - TimeDelta::microseconds(1));
        for (sql, expected) in [
            ("select caller from activity", None),
            ("select caller from activity where event_at >= $since", hours(0)),
            ("select caller from activity where status = 'a' and event_at > $since - interval '2 hours'", hours(2)),
            ("select caller from activity where $since - interval '1 day' <= event_at", hours(24)),
            ("select caller from activity where event_at < $since", None),
            ("select caller from activity where event_at >= $since or status = 'a'", None),
            (
                "select caller from (select * from activity) as a where event_at >= date_trunc('hour', $since)",
                a_microsecond_less(hours(1)),
            ),
            (
                "select caller from activity where event_at >= date_trunc('month', $since)",
                a_microsecond_less(hours(31 * 24)),
            ),
            (
                "with recent as (select * from activity where event_at >= $since - interval '3 hours')
                select a.caller from recent as a join recent as b on a.caller = b.caller and b.event_at >= $since",
                hours(3),
            ),
            (
                "select a.caller from activity as a join activity as b on a.caller = b.caller where b.event_at >= $since",
                None,
            ),
            (
                "select caller from activity where event_at >= $since
                and caller in (select caller from activity where event_at >= $since - interval '9 days')",
                hours(9 * 24),
            ),
        ] {
            assert_eq!(reads(sql).await.of("activity").unwrap().reach, expected, "{sql}");
        }
    }

    #[tokio::test]
    async fn bodies_are_needed_where_something_looks_at_them() {
        let recent = "event_at >= $since and operation = 'a'";
        for (sql, expected) in [
            (format!("select properties from activity where {recent}"), Some("operation = Utf8(\"a\")")),
            (
                format!(
                    "select properties from activity where {recent} union all select caller from activity"
                ),
                Some("operation = Utf8(\"a\")"),
            ),
            (
                format!(
                    "select properties from activity where {recent} union all select properties from activity"
                ),
                None,
            ),
            (
                format!(
                    "select properties from activity where {recent} union all select properties from activity where status = 'b'"
                ),
                Some("operation = Utf8(\"a\") OR status = Utf8(\"b\")"),
            ),
            ("select properties from activity where event_at >= $since".to_owned(), None),
            // What the operator chooses next, this would not know.
            (
                format!(
                    "select properties from activity where {recent} and vm_capacity >= setting('least', caller, status)"
                ),
                Some("operation = Utf8(\"a\")"),
            ),
        ] {
            let reads = reads(&sql).await;
            let body = reads.of("activity").unwrap().body.as_ref().map(ToString::to_string);
            assert_eq!(body.as_deref(), expected, "{sql}");
        }
        let of_one = reads("select properties from activity where operation = 'a'").await;
        let without = reads("select caller from activity").await;
        let of_all = reads("select properties from activity").await;
        let [of_one, without, of_all] =
            [&of_one, &without, &of_all].map(|reads| reads.of("activity").unwrap());
        let together = Read::of_all([of_one, without]).body.map(|body| body.to_string());
        assert_eq!(together.as_deref(), Some("Boolean(false) OR operation = Utf8(\"a\")"));
        assert_eq!(Read::of_all([of_one, of_all]).body, None);
    }

    #[test]
    fn a_reach_counts_from_the_start_of_a_run() {
        let since: DateTime<Utc> = "2031-03-04T05:06:07Z".parse().unwrap();
        let reaching = |reach| Read { reach, ..Read::default() }.since(since);
        assert_eq!(reaching(None), None);
        assert_eq!(reaching(Some(TimeDelta::hours(2))), Some(since - TimeDelta::hours(2)));
        assert_eq!(reaching(Some(TimeDelta::MAX)), None);
    }
}
