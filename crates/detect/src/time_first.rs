//! In which order a file's rows are asked what a query wants of them.
//!
//! The conditions on a table are asked one after the other, and each decodes its columns for the rows that are left. A run
//! looks at minutes of files that hold a day, so once the time was asked for, next to nothing is decoded. The engine has
//! them in no order that helps.

use datafusion::common::Result;
use datafusion::common::tree_node::Transformed;
use datafusion::logical_expr::{Expr, LogicalPlan};
use datafusion::optimizer::{ApplyOrder, OptimizerConfig, OptimizerRule};

use crate::candidates::IS_AMONG;

/// Of the conditions on a table, puts those that leave the fewest rows first.
#[derive(Debug)]
pub(crate) struct TimeFirst;

impl OptimizerRule for TimeFirst {
    fn name(&self) -> &str {
        "time_first"
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        Some(ApplyOrder::TopDown)
    }

    fn rewrite(&self, plan: LogicalPlan, _config: &dyn OptimizerConfig) -> Result<Transformed<LogicalPlan>> {
        match plan {
            LogicalPlan::TableScan(mut scan) if !scan.filters.is_sorted_by_key(place) => {
                scan.filters.sort_by_key(place);
                Ok(Transformed::yes(LogicalPlan::TableScan(scan)))
            }
            other => Ok(Transformed::no(other)),
        }
    }
}

/// Whose the rows are comes first, since files are sorted by that; then when; then the rest.
fn place(condition: &Expr) -> u8 {
    let is_whose =
        |expression: &Expr| matches!(expression, Expr::ScalarFunction(call) if call.name() == IS_AMONG);
    let columns = condition.column_refs();
    if is_whose(condition) {
        0
    } else if !columns.is_empty() && columns.iter().all(|column| column.name == "event_at") {
        1
    } else {
        2
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use datafusion::common::tree_node::{TreeNode as _, TreeNodeRecursion};
    use datafusion::datasource::file_format::parquet::ParquetFormat;
    use datafusion::datasource::listing::ListingOptions;
    use ingest::schema::Kind;

    use super::*;
    use crate::session::{Limits, session};

    #[tokio::test]
    async fn time_is_asked_for_before_what_has_to_be_decoded() {
        let folder = tempfile::tempdir().unwrap();
        let session = session(Limits::default()).unwrap();
        let options = ListingOptions::new(Arc::new(ParquetFormat::default().with_force_view_types(false)));
        let path = folder.path().to_str().unwrap();
        let schema = Some(Kind::Activity.schema());
        session.register_listing_table("activity", path, options, schema, None).await.unwrap();
        let sql = "select caller from (select * from activity where category = 'policy' and caller is not null) as a
            where operation = 'x' and event_at >= timestamp '2031-01-01T00:00:00Z'";
        let plan = session.sql(sql).await.unwrap().into_optimized_plan().unwrap();
        let mut conditions = Vec::new();
        plan.apply(|node| {
            if let LogicalPlan::TableScan(scan) = node {
                conditions.extend(scan.filters.iter().map(ToString::to_string));
            }
            Ok(TreeNodeRecursion::Continue)
        })
        .unwrap();
        assert_eq!(conditions.len(), 4, "{conditions:?}");
        assert!(conditions[0].contains("event_at"), "{conditions:?}");
    }
}
