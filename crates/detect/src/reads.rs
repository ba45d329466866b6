//! What a query reads of its tables: which columns, and how far back.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Result, ScalarValue};
use datafusion::datasource::empty::EmptyTable;
use datafusion::logical_expr::utils::split_conjunction;
use datafusion::logical_expr::{BinaryExpr, Expr, LogicalPlan, Operator};
use datafusion::prelude::SessionContext;
use ingest::schema::Kind;

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
}

impl Read {
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
    let mut reads: BTreeMap<String, Read> = BTreeMap::new();
    let mut scans: BTreeMap<String, Scans> = BTreeMap::new();
    plan.apply_with_subqueries(|node| {
        match node {
            LogicalPlan::TableScan(scan) => {
                let table = scan.table_name.table();
                scans.entry(table.to_owned()).or_default().all += 1;
                let columns = &mut reads.entry(table.to_owned()).or_default().columns;
                columns.extend(scan.projected_schema.fields().iter().map(|field| field.name().clone()));
                let filtered = scan.filters.iter().flat_map(|filter| filter.column_refs());
                columns.extend(filtered.map(|column| column.name.clone()));
            }
            LogicalPlan::Filter(filter) => {
                if let LogicalPlan::TableScan(scan) = filter.input.as_ref()
                    && let Some(bound) =
                        split_conjunction(&filter.predicate).into_iter().filter_map(bound).max()
                {
                    let scans = scans.entry(scan.table_name.table().to_owned()).or_default();
                    scans.reaches.push(since - bound);
                }
            }
            _ => {}
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    for (table, scans) in scans {
        reads.entry(table).or_default().reach = scans.reach();
    }
    Ok(Reads { by_table: reads })
}

/// The places of a plan that read one table.
#[derive(Default)]
struct Scans {
    all: usize,
    /// How far back those reach that have a bound.
    reaches: Vec<TimeDelta>,
}

impl Scans {
    fn reach(self) -> Option<TimeDelta> {
        if self.all == self.reaches.len() { self.reaches.into_iter().max() } else { None }
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
    use super::*;
    use crate::views;

    async fn reads(sql: &str) -> Reads {
        let session = SessionContext::new();
        register_empty(&session, &[Kind::Activity, Kind::SignIn]).unwrap();
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

    #[test]
    fn a_reach_counts_from_the_start_of_a_run() {
        let since: DateTime<Utc> = "2031-03-04T05:06:07Z".parse().unwrap();
        let reaching = |reach| Read { reach, ..Read::default() }.since(since);
        assert_eq!(reaching(None), None);
        assert_eq!(reaching(Some(TimeDelta::hours(2))), Some(since - TimeDelta::hours(2)));
        assert_eq!(reaching(Some(TimeDelta::MAX)), None);
    }
}
