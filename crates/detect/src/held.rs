//! The events that a run has to see, read into memory once.
//!
//! A query names a table many times, and each time its files would be opened and decoded anew. What is left once
//! whose events count is known is little, so it is read once, and of it the columns that the query reads.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow_array::builder::StringViewBuilder;
use arrow_array::cast::AsArray as _;
use arrow_array::{Array as _, ArrayRef, RecordBatch, StringArray, new_null_array};
use arrow_schema::{DataType, Schema, SchemaRef};
use datafusion::arrow::compute::BatchCoalescer;
use datafusion::common::Result;
use datafusion::dataframe::DataFrame;
use datafusion::datasource::MemTable;
use datafusion::logical_expr::when;
use datafusion::prelude::{SessionContext, col};
use futures::TryStreamExt;
use ingest::schema::{DAY, Kind};

use crate::reads::{BODY, Read};

/// So many rows make a batch.
const ROWS_AT_ONCE: usize = 8192;

/// Events of more bytes are left where they are, and read by each part of the query that names them.
pub(crate) const HELD_BYTES_MAX: usize = 512 << 20;

/// Whether a session has a table in memory, so that nothing is gained by reading it.
pub(crate) async fn is_in_memory(session: &SessionContext, kind: Kind) -> bool {
    let provider = session.table_provider(kind.name()).await;
    provider.is_ok_and(|provider| provider.downcast_ref::<MemTable>().is_some())
}

/// The events in memory, with nulls in the columns that are not read; `None` if they are more bytes than allowed.
///
/// Texts become views, each text of a batch kept once: ids and names repeat from row to row.
pub(crate) async fn hold(
    session: &SessionContext,
    kind: Kind,
    events: DataFrame,
    read: &Read,
    bytes_max: usize,
) -> Result<Option<Arc<MemTable>>> {
    let schema = held_schema(kind, &read.columns);
    let mut names: Vec<&str> = schema
        .fields()
        .iter()
        .map(|field| field.name().as_str())
        .filter(|name| read.columns.contains(*name))
        .collect();
    if names.is_empty() {
        // Rows are counted then.
        names.push(DAY);
    }
    let columns = names.into_iter().map(|name| match &read.body {
        Some(needed) if name == BODY => Ok(when(needed.clone(), col(name)).end()?.alias(name)),
        _ => Ok(col(name)),
    });
    let mut stream = events.select(columns.collect::<Result<Vec<_>>>()?)?.execute_stream().await?;
    // Few of a file's rows are left, and texts repeat within a batch.
    let mut gathered = BatchCoalescer::new(stream.schema(), ROWS_AT_ONCE);
    let (mut batches, mut bytes, mut is_last) = (Vec::new(), 0, false);
    while !is_last {
        match stream.try_next().await? {
            Some(rows) => gathered.push_batch(rows)?,
            None => {
                gathered.finish_buffered_batch()?;
                is_last = true;
            }
        }
        while let Some(rows) = gathered.next_completed_batch() {
            let batch = with_nulls(&rows, &schema)?;
            bytes += batch.get_array_memory_size();
            batches.push(batch);
        }
        if bytes > bytes_max {
            tracing::debug!(kind = kind.name(), "There are too many events of {} to hold them", kind.name());
            return Ok(None);
        }
    }
    let partitions = session.state_ref().read().config().target_partitions();
    let mut parts: Vec<Vec<RecordBatch>> =
        batches.chunks(batches.len().div_ceil(partitions).max(1)).map(<[_]>::to_vec).collect();
    if parts.is_empty() {
        parts.push(Vec::new());
    }
    MemTable::try_new(schema, parts).map(|table| Some(Arc::new(table)))
}

/// The columns of a kind; those that are read hold views in the place of texts.
fn held_schema(kind: Kind, read: &BTreeSet<String>) -> SchemaRef {
    let fields = kind
        .schema()
        .fields()
        .iter()
        .map(|field| {
            let field = field.as_ref().clone().with_nullable(true);
            let is_text = *field.data_type() == DataType::Utf8 && read.contains(field.name());
            if is_text { field.with_data_type(DataType::Utf8View) } else { field }
        })
        .collect::<Vec<_>>();
    Arc::new(Schema::new(fields))
}

fn with_nulls(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch> {
    let columns = schema.fields().iter().map(|field| match batch.column_by_name(field.name()) {
        Some(column) => match (field.data_type(), column.as_string_opt::<i32>()) {
            (DataType::Utf8View, Some(texts)) => views(texts),
            _ => Arc::clone(column),
        },
        None => new_null_array(field.data_type(), batch.num_rows()),
    });
    Ok(RecordBatch::try_new(Arc::clone(schema), columns.collect())?)
}

fn views(texts: &StringArray) -> ArrayRef {
    let mut views = StringViewBuilder::with_capacity(texts.len()).with_deduplicate_strings();
    for text in texts {
        views.append_option(text);
    }
    Arc::new(views.finish())
}

#[cfg(test)]
mod tests {
    use arrow_array::Array as _;
    use datafusion::common::ScalarValue;
    use datafusion::prelude::lit;

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
            let columns = read.iter().map(|name| (*name).to_owned()).collect();
            let read = Read { columns, ..Read::default() };
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
            assert!(held.iter().all(|batch| batch["caller"].len() == batch.num_rows()));
        }
    }
}
