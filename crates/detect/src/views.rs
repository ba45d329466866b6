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
use datafusion::functions_window::expr_fn::row_number;
use datafusion::logical_expr::{ExprFunctionExt, Literal};
use datafusion::prelude::{SessionContext, col, lit};
use ingest::schema::{DAY, Kind};

/// Which events a view shows.
pub(crate) struct Visible {
    /// From when on; midnight of UTC.
    pub(crate) since: DateTime<Utc>,
    /// Up to when.
    pub(crate) until: DateTime<Utc>,
}

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

/// One partner's events of a kind within a time.
pub(crate) async fn events(
    session: &SessionContext,
    kind: Kind,
    partner: &PartnerTenantId,
    visible: &Visible,
) -> Result<DataFrame> {
    // The day is the partition: with bounds on it, files of other days are not opened.
    let first_day = visible.since.date_naive();
    let last_day = visible.until.date_naive();
    let frame = session
        .table(kind.name())
        .await?
        .filter(col(DAY).gt_eq(lit(day(first_day))).and(col(DAY).lt_eq(lit(day(last_day)))))?
        .filter(
            col("event_at")
                .gt_eq(time(visible.since).lit())
                .and(col("event_at").lt(time(visible.until).lit())),
        )?
        .filter(col("partner_tenant_id").eq(lit(partner.as_str())))?;
    match kind {
        Kind::Cost => latest_lines(frame),
        _ => Ok(frame),
    }
}

/// Keeps of each line of a bill what arrived last: a restated line replaces, it does not add.
fn latest_lines(lines: DataFrame) -> Result<DataFrame> {
    let columns: Vec<_> = lines.schema().fields().iter().map(|field| col(field.name())).collect();
    let newest_first = vec![col("arrived_at").sort(false, true), col("event_id").sort(false, true)];
    let age =
        row_number().partition_by(vec![col("line_id")]).order_by(newest_first).build()?.alias("line_age");
    lines.window(vec![age])?.filter(col("line_age").eq(lit(1u64)))?.select(columns)
}

fn day(date: chrono::NaiveDate) -> ScalarValue {
    ScalarValue::Date32(Some(datafusion::arrow::datatypes::Date32Type::from_naive_date(date)))
}

/// A time as the events have it.
pub(crate) fn time(at: DateTime<Utc>) -> ScalarValue {
    ScalarValue::TimestampMicrosecond(Some(at.timestamp_micros()), Some(Arc::from("UTC")))
}
