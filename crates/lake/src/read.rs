//! Reading events: tables for DataFusion, and what the log says about them.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::TimestampMicrosecondType;
use arrow_array::{Array, RecordBatch};
use arrow_schema::{Field, Schema, SchemaRef};
use chrono::{DateTime, NaiveDate, Utc};
use datafusion::catalog::TableProvider;
use datafusion::common::ScalarValue;
use datafusion::datasource::empty::EmptyTable;
use datafusion::error::DataFusionError;
use datafusion::functions_aggregate::expr_fn::{max, min};
use datafusion::prelude::{Expr, SessionContext, col, lit};
use deltalake::DeltaTable;
use deltalake::delta_datafusion::{DeltaScanConfig, DeltaScanNext};
use ingest::schema::{DAY, Kind};

use crate::LakeError;
use crate::compact::CompactionOptions;
use crate::table::EventTable;

/// How much one table holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableSummary {
    /// Which table.
    pub kind: Kind,
    /// Number of events. Files of other programs that do not say theirs are left out.
    pub rows: u64,
    /// Number of Parquet files.
    pub files: u64,
    /// How many of them are small (less than half of what compaction aims at) and not the only such file of
    /// their day: what a compaction could merge.
    pub small_files: u64,
    /// Size of the files in bytes.
    pub bytes: u64,
    /// The first and the last UTC day with events; `None` if there are none.
    pub days: Option<(NaiveDate, NaiveDate)>,
    /// Version of the Delta table, one more with each commit; `None` if the table does not exist.
    pub version: Option<u64>,
}

impl EventTable {
    /// The table as it is now, with exactly the columns of the kind.
    pub(crate) async fn provider(
        &self,
        session: &SessionContext,
    ) -> Result<Arc<dyn TableProvider>, LakeError> {
        match self.current().await? {
            Some(table) => self.provider_of(&table, session),
            None => Ok(Arc::new(EmptyTable::new(self.kind().schema()))),
        }
    }

    fn provider_of(
        &self,
        table: &DeltaTable,
        session: &SessionContext,
    ) -> Result<Arc<dyn TableProvider>, LakeError> {
        let columns = self.compare_columns(table)?;
        let scan = scan(table, Schema::new(columns.present), session).map_err(|e| self.query_error(e))?;
        if columns.missing.is_empty() {
            return Ok(Arc::new(scan));
        }
        with_nulls(scan, &columns.missing, &self.kind().schema(), session).map_err(|e| self.query_error(e))
    }

    /// When the first and the last event happened.
    pub(crate) async fn extent(&self) -> Result<Option<(DateTime<Utc>, DateTime<Utc>)>, LakeError> {
        let Some(table) = self.current().await? else { return Ok(None) };
        let Some((first, last)) = self.summary_of(&table)?.days else { return Ok(None) };
        let provider = self.provider_of(&table, &self.session)?;
        let failed = |e| self.query_error(e);
        let rows = self
            .session
            .read_table(provider)
            .and_then(|events| events.filter(col(DAY).in_list(vec![day(first), day(last)], false)))
            .and_then(|events| events.aggregate(vec![], vec![min(col("event_at")), max(col("event_at"))]))
            .map_err(failed)?
            .collect()
            .await
            .map_err(failed)?;
        Ok(rows.first().and_then(|row| Some((time(row, 0)?, time(row, 1)?))))
    }

    /// How much the table holds.
    pub(crate) async fn summary(&self) -> Result<TableSummary, LakeError> {
        match self.current().await? {
            Some(table) => self.summary_of(&table),
            None => Ok(TableSummary {
                kind: self.kind(),
                rows: 0,
                files: 0,
                small_files: 0,
                bytes: 0,
                days: None,
                version: None,
            }),
        }
    }

    fn summary_of(&self, table: &DeltaTable) -> Result<TableSummary, LakeError> {
        let state = table.snapshot().map_err(|e| self.delta_error(e))?;
        let mut summary = TableSummary {
            kind: self.kind(),
            rows: 0,
            files: 0,
            small_files: 0,
            bytes: 0,
            days: None,
            version: Some(state.version()),
        };
        let small_bytes = CompactionOptions::default().target_file_bytes / 2;
        let mut small: BTreeMap<NaiveDate, u64> = BTreeMap::new();
        for file in state.log_data().iter() {
            summary.rows += file.num_records().unwrap_or(0) as u64;
            summary.files += 1;
            let bytes = u64::try_from(file.size()).unwrap_or(0);
            summary.bytes += bytes;
            let partition = file.partition_values_map().remove(DAY).flatten();
            if let Some(day) = partition.and_then(|name| name.parse().ok()) {
                summary.days = Some(summary.days.map_or((day, day), |(a, b)| (a.min(day), b.max(day))));
                if bytes < small_bytes {
                    *small.entry(day).or_default() += 1;
                }
            }
        }
        summary.small_files = small.values().filter(|files| **files > 1).sum();
        Ok(summary)
    }
}

/// A scan of some of the table's columns, as the types that the schema names.
///
/// Left to itself, Delta shows texts as views and the partition as a dictionary; then a query could
/// work in a detector's test and fail on the lake.
pub(crate) fn scan(
    table: &DeltaTable,
    columns: Schema,
    session: &SessionContext,
) -> Result<DeltaScanNext, DataFusionError> {
    table.update_datafusion_session(&session.state())?;
    let mut config =
        DeltaScanConfig::new().with_wrap_partition_values(false).with_schema(SchemaRef::new(columns));
    config.schema_force_view_types = false;
    DeltaScanNext::new(table.snapshot()?.snapshot().clone(), config)
}

/// The scan with columns of nulls added, in the order of the schema. Filters and projections reach
/// the scan, since a query sees through the view.
fn with_nulls(
    scan: DeltaScanNext,
    missing: &[Field],
    schema: &SchemaRef,
    session: &SessionContext,
) -> Result<Arc<dyn TableProvider>, DataFusionError> {
    let mut columns = Vec::with_capacity(schema.fields().len());
    for field in schema.fields() {
        columns.push(if missing.iter().any(|column| column.name() == field.name()) {
            lit(ScalarValue::try_from(field.data_type())?).alias(field.name())
        } else {
            col(field.name())
        });
    }
    Ok(session.read_table(Arc::new(scan))?.select(columns)?.into_view())
}

fn day(date: NaiveDate) -> Expr {
    lit(ScalarValue::Date32(Some(date.to_epoch_days())))
}

fn time(row: &RecordBatch, column: usize) -> Option<DateTime<Utc>> {
    let times = row.column(column).as_primitive_opt::<TimestampMicrosecondType>()?;
    if times.is_empty() || times.is_null(0) { None } else { DateTime::from_timestamp_micros(times.value(0)) }
}
