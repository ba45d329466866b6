//! The events that a run has to see, read into memory once.
//!
//! A query names a table many times, and each time its files would be opened and decoded anew. What is left once
//! whose events count is known is little, so it is read once, and of it the columns that the query reads.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow_array::{RecordBatch, new_null_array};
use arrow_schema::{Schema, SchemaRef};
use datafusion::common::Result;
use datafusion::dataframe::DataFrame;
use datafusion::datasource::MemTable;
use datafusion::prelude::SessionContext;
use futures::TryStreamExt;
use ingest::schema::{DAY, Kind};

/// Events of more bytes are left where they are, and read by each part of the query that names them.
pub(crate) const HELD_BYTES_MAX: usize = 512 << 20;

/// Whether a session has a table in memory, so that nothing is gained by reading it.
pub(crate) async fn is_in_memory(session: &SessionContext, kind: Kind) -> bool {
    let provider = session.table_provider(kind.name()).await;
    provider.is_ok_and(|provider| provider.downcast_ref::<MemTable>().is_some())
}

/// The events in memory, with nulls in the columns that are not read; `None` if they are more bytes than allowed.
pub(crate) async fn hold(
    session: &SessionContext,
    kind: Kind,
    events: DataFrame,
    read: &BTreeSet<String>,
    bytes_max: usize,
) -> Result<Option<Arc<MemTable>>> {
    let fields = kind
        .schema()
        .fields()
        .iter()
        .map(|field| field.as_ref().clone().with_nullable(true))
        .collect::<Vec<_>>();
    let schema = Arc::new(Schema::new(fields));
    let mut names: Vec<&str> = schema
        .fields()
        .iter()
        .map(|field| field.name().as_str())
        .filter(|name| read.contains(*name))
        .collect();
    if names.is_empty() {
        // Rows are counted then.
        names.push(DAY);
    }
    let mut stream = events.select_columns(&names)?.execute_stream().await?;
    let (mut batches, mut bytes) = (Vec::new(), 0);
    while let Some(batch) = stream.try_next().await? {
        let batch = with_nulls(&batch, &schema)?;
        bytes += batch.get_array_memory_size();
        if bytes > bytes_max {
            tracing::debug!(kind = kind.name(), "There are too many events of {} to hold them", kind.name());
            return Ok(None);
        }
        batches.push(batch);
    }
    let partitions = session.state_ref().read().config().target_partitions();
    let mut parts: Vec<Vec<RecordBatch>> =
        batches.chunks(batches.len().div_ceil(partitions).max(1)).map(<[_]>::to_vec).collect();
    if parts.is_empty() {
        parts.push(Vec::new());
    }
    MemTable::try_new(schema, parts).map(|table| Some(Arc::new(table)))
}

fn with_nulls(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch> {
    let columns = schema.fields().iter().map(|field| match batch.column_by_name(field.name()) {
        Some(column) => Arc::clone(column),
        None => new_null_array(field.data_type(), batch.num_rows()),
    });
    Ok(RecordBatch::try_new(Arc::clone(schema), columns.collect())?)
}

#[cfg(test)]
mod tests {
    use arrow_array::Array as _;
    use arrow_array::cast::AsArray as _;
    use datafusion::common::ScalarValue;
    use datafusion::prelude::{col, lit};

    use super::*;

    #[tokio::test]
    async fn what_is_held_has_all_columns_and_the_rows_of_those_that_are_read() {
        let schema = Kind::Activity.schema();
        let session = SessionContext::new();
        let rows = "select arrow_cast(0, 'Date32') as day, 'a' as caller, 'left out' as properties union all select arrow_cast(1, 'Date32'), 'b', 'left out'";
        let columns = schema.fields().iter().map(|field| match field.name().as_str() {
            name @ (DAY | "caller" | "properties") => col(name),
            name => lit(ScalarValue::try_from(field.data_type()).unwrap()).alias(name),
        });
        let events = session.sql(rows).await.unwrap().select(columns.collect::<Vec<_>>()).unwrap();
        for (read, callers, days) in [(&["caller"][..], 2, 0), (&[], 0, 2)] {
            let read = read.iter().map(|name| (*name).to_owned()).collect();
            let few = hold(&session, Kind::Activity, events.clone(), &read, 8).await.unwrap();
            assert!(few.is_none(), "they take more than 8 bytes");
            let held = hold(&session, Kind::Activity, events.clone(), &read, HELD_BYTES_MAX).await.unwrap();
            let held = session.read_table(held.unwrap()).unwrap();
            assert_eq!(held.schema().fields().len(), schema.fields().len());
            let held: Vec<RecordBatch> = held.collect().await.unwrap();
            let known = |name: &str| -> usize {
                held.iter().map(|batch| batch[name].len() - batch[name].logical_null_count()).sum()
            };
            let rows: usize = held.iter().map(RecordBatch::num_rows).sum();
            assert_eq!((rows, known("caller"), known(DAY), known("properties")), (2, callers, days, 0));
            assert!(held.iter().all(|batch| batch["caller"].as_string_opt::<i32>().is_some()));
        }
    }
}
