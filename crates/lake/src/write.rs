//! Events become files: one a day and part, encoded on as many cores as pay.
//!
//! The rows of an append come in the order in which files keep them. They are cut into parts, each of which is
//! copied, encoded and written by itself, some thousand rows at a time: an append takes little memory beside its
//! events. No commit names the files yet.

use std::ops::Range;
use std::sync::Arc;
use std::thread::available_parallelism;

use arrow_schema::Schema;
use chrono::Utc;
use datafusion::object_store::{ObjectStore, ObjectStoreExt as _, path::Path};
use delta_kernel::engine::arrow_conversion::TryIntoArrow as _;
use deltalake::kernel::Add;
use deltalake::{DeltaTable, DeltaTableError};
use tokio::task::JoinSet;

use crate::LakeError;
use crate::encode::{FileEncoder, add_of};
use crate::incoming::{Day, Incoming};
use crate::table::EventTable;

/// How many rows are worth another part: fewer would be a file more for less than a tenth of a second.
const ROWS_PER_PART_MIN: usize = 32 * 1024;

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
        let encoder = Arc::new(self.encoder(table).map_err(|e| self.delta_error(e))?);
        let mut writing = JoinSet::new();
        let store = table.object_store();
        for part in parts(rows.len(), available_parallelism().map_or(1, usize::from)) {
            let (encoder, store) = (encoder.clone(), store.clone());
            let (incoming, rows) = (incoming.clone(), rows.clone());
            writing.spawn(async move { write_part(&encoder, &*store, &incoming, &rows[part]).await });
        }
        let mut files = Vec::new();
        let mut failure = None;
        while let Some(written) = writing.join_next().await {
            let (of_part, ended) =
                written.unwrap_or_else(|died| (Vec::new(), Err(DeltaTableError::generic(died.to_string()))));
            files.extend(of_part);
            failure = failure.or(ended.err());
        }
        if let Some(error) = failure {
            self.discard_files(files).await;
            return Err(self.delta_error(error));
        }
        // Whichever part was done first: the log of the same events is to be the same.
        files.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(files)
    }

    fn encoder(&self, table: &DeltaTable) -> Result<FileEncoder, DeltaTableError> {
        let columns: Schema = (&table.snapshot()?.metadata().parse_schema()?).try_into_arrow()?;
        Ok(FileEncoder::new(self.kind(), &columns)?)
    }
}

/// Cuts rows into parts of about the same size, at most `most` of them.
fn parts(rows: usize, most: usize) -> impl Iterator<Item = Range<usize>> {
    let count = (rows / ROWS_PER_PART_MIN).clamp(1, most.max(1));
    (0..count).map(move |part| rows * part / count..rows * (part + 1) / count)
}

/// Gives what was written also if something failed after it.
async fn write_part(
    encoder: &FileEncoder,
    store: &dyn ObjectStore,
    incoming: &Incoming,
    rows: &[u32],
) -> (Vec<Add>, Result<(), DeltaTableError>) {
    let mut files = Vec::new();
    let mut rest = rows;
    while let Some(first) = rest.first() {
        let day = incoming.day(*first);
        let of_day;
        (of_day, rest) = rest.split_at(rest.partition_point(|row| incoming.day(*row) <= day));
        match write_file(encoder, store, incoming, day, of_day).await {
            Ok(file) => files.push(file),
            Err(error) => return (files, Err(error)),
        }
    }
    (files, Ok(()))
}

async fn write_file(
    encoder: &FileEncoder,
    store: &dyn ObjectStore,
    incoming: &Incoming,
    day: Day,
    rows: &[u32],
) -> Result<Add, DeltaTableError> {
    let file = encoder.encode(incoming, rows).await?;
    // As Delta's own writers do, it says when it was written by the clock of this machine.
    let add = add_of(day, &file, Utc::now())?;
    store.put(&Path::from(add.path.as_str()), file.bytes.into()).await?;
    Ok(add)
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
