//! Events become files: one a day and part, encoded on as many cores as pay.
//!
//! The rows of an append come in the order in which files keep them. They are cut into parts, each of which is
//! copied, encoded and written by itself, some thousand rows at a time: an append takes little memory beside its
//! events. No commit names the files yet.

use std::ops::Range;
use std::sync::Arc;
use std::thread::available_parallelism;

use arrow_array::{Array, ArrayRef, RecordBatch, new_null_array};
use arrow_schema::{ArrowError, SchemaRef};
use delta_kernel::expressions::Scalar;
use deltalake::kernel::Add;
use deltalake::writer::{DeltaWriter as _, RecordBatchWriter, WriteMode};
use deltalake::{DeltaTable, DeltaTableError};
use indexmap::IndexMap;
use ingest::schema::{DAY, Kind};
use tokio::task::{JoinSet, yield_now};

use crate::LakeError;
use crate::files::writer_properties;
use crate::incoming::Incoming;
use crate::table::EventTable;

/// How many rows are worth another part: fewer would be a file more for less than a tenth of a second.
const ROWS_PER_PART_MIN: usize = 32 * 1024;

/// How many rows are copied and encoded at a time: few enough to stay in the processor's cache.
const ROWS_PER_BATCH: usize = 8 * 1024;

impl EventTable {
    /// Writes rows of `incoming`, one file a day and part.
    ///
    /// Encoding takes the time of a processor. It runs on the runtime's own threads and lets others pass after each
    /// few thousand rows: the threads for what blocks are many, and each would keep the memory of what it encoded.
    pub(crate) async fn write(
        &self,
        table: &DeltaTable,
        incoming: &Arc<Incoming>,
        rows: &Arc<[u32]>,
    ) -> Result<Vec<Add>, LakeError> {
        let kind = self.kind();
        let mut writing = JoinSet::new();
        for part in parts(rows.len(), available_parallelism().map_or(1, usize::from)) {
            let writer = RecordBatchWriter::for_table(table)
                .map_err(|e| self.delta_error(e))?
                .with_writer_properties(writer_properties(kind));
            let (incoming, rows) = (incoming.clone(), rows.clone());
            writing.spawn(async move { write_part(kind, writer, &incoming, &rows[part]).await });
        }
        let mut files = Vec::new();
        let mut failure = None;
        while let Some(written) = writing.join_next().await {
            match written.unwrap_or_else(|died| Err(DeltaTableError::generic(died.to_string()))) {
                Ok(of_part) => files.extend(of_part),
                Err(error) => failure = failure.or(Some(error)),
            }
        }
        if let Some(error) = failure {
            self.discard_files(files).await;
            return Err(self.delta_error(error));
        }
        // Whichever part was done first: the log of the same events is to be the same.
        files.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(files)
    }
}

/// Cuts rows into parts of about the same size, at most `most` of them.
fn parts(rows: usize, most: usize) -> impl Iterator<Item = Range<usize>> {
    let count = (rows / ROWS_PER_PART_MIN).clamp(1, most.max(1));
    (0..count).map(move |part| rows * part / count..rows * (part + 1) / count)
}

async fn write_part(
    kind: Kind,
    mut writer: RecordBatchWriter,
    incoming: &Incoming,
    rows: &[u32],
) -> Result<Vec<Add>, DeltaTableError> {
    let schema = writer.arrow_schema();
    let mut rest = rows;
    while let Some(first) = rest.first() {
        let day = incoming.day(*first);
        let of_day;
        (of_day, rest) = rest.split_at(rest.partition_point(|row| incoming.day(*row) <= day));
        let partition = IndexMap::from([(DAY.to_owned(), Scalar::Date(day))]);
        for rows in of_day.chunks(ROWS_PER_BATCH) {
            let batch = incoming.take(rows).and_then(|columns| under_schema(kind, columns, &schema));
            let batch = batch.map_err(|source| DeltaTableError::Arrow { source })?;
            writer.write_partition(batch, &partition, WriteMode::Default).await?;
            yield_now().await;
        }
    }
    writer.flush().await
}

/// Columns of a kind as a batch with the table's columns: in its order, and null where this version knows no such
/// column.
fn under_schema(kind: Kind, columns: Vec<ArrayRef>, table: &SchemaRef) -> Result<RecordBatch, ArrowError> {
    let known = kind.schema();
    let rows = columns.first().map_or(0, Array::len);
    let of_table = table.fields().iter().map(|field| match known.index_of(field.name()) {
        Ok(at) => columns[at].clone(),
        Err(_) => new_null_array(field.data_type(), rows),
    });
    RecordBatch::try_new(table.clone(), of_table.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_all_rows_once() {
        let check = |rows: usize, most: usize, expected: &[usize]| {
            let parts: Vec<Range<usize>> = parts(rows, most).collect();
            assert_eq!(parts.iter().map(Range::len).collect::<Vec<_>>(), expected, "{rows} rows");
            let all: Vec<usize> = parts.into_iter().flatten().collect();
            assert!(all.into_iter().eq(0..rows));
        };
        check(1, 8, &[1]);
        check(ROWS_PER_PART_MIN * 2 - 1, 8, &[ROWS_PER_PART_MIN * 2 - 1]);
        check(ROWS_PER_PART_MIN * 2, 8, &[ROWS_PER_PART_MIN; 2]);
        check(ROWS_PER_PART_MIN * 9, 2, &[ROWS_PER_PART_MIN * 9 / 2; 2]);
        check(ROWS_PER_PART_MIN * 2, 1, &[ROWS_PER_PART_MIN * 2]);
    }
}
