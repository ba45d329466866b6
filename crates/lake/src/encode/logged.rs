//! What the log of a table says of a file.

use std::collections::HashMap;

use chrono::{DateTime, SecondsFormat, Utc};
use deltalake::DeltaTableError;
use deltalake::kernel::Add;
use deltalake::parquet::file::metadata::ParquetMetaData;
use deltalake::parquet::file::statistics::Statistics;
use ingest::schema::DAY;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::EncodedFile;
use crate::files::LOGGED_STATISTICS;
use crate::incoming::{Day, partition_name};

/// The entry for a file of a day, which is to be written under the entry's path.
///
/// # Errors
///
/// A day or a time that no calendar has.
pub(crate) fn add_of(day: Day, file: &EncodedFile, now: DateTime<Utc>) -> Result<Add, DeltaTableError> {
    let day = partition_name(day)
        .ok_or_else(|| DeltaTableError::generic(format!("day {day} is in no calendar")))?;
    Ok(Add {
        path: format!("{DAY}={day}/part-00000-{}-c000.zstd.parquet", Uuid::new_v4()),
        size: file.bytes.len() as i64,
        partition_values: HashMap::from([(DAY.to_owned(), Some(day))]),
        modification_time: now.timestamp_millis(),
        data_change: true,
        stats: Some(statistics(&file.metadata)?.to_string()),
        tags: None,
        deletion_vector: None,
        base_row_id: None,
        default_row_commit_version: None,
        clustering_provider: None,
    })
}

/// How many rows a file has, and of the columns that the log tells of the least and greatest values.
fn statistics(file: &ParquetMetaData) -> Result<Value, DeltaTableError> {
    let (mut least, mut greatest, mut nulls) = (Map::new(), Map::new(), Map::new());
    let columns = file.file_metadata().schema_descr().columns();
    for (at, column) in columns.iter().enumerate() {
        if !LOGGED_STATISTICS.split(',').any(|logged| logged == column.name()) {
            continue;
        }
        let mut of_column = OfColumn::default();
        for group in file.row_groups() {
            of_column.add(group.column(at).statistics())?;
        }
        let OfColumn { extremes, null_count } = of_column;
        if let Some((first, last)) = extremes {
            least.insert(column.name().to_owned(), first.into());
            greatest.insert(column.name().to_owned(), last.into());
        }
        nulls.insert(column.name().to_owned(), null_count.into());
    }
    let rows = file.file_metadata().num_rows();
    Ok(json!({ "numRecords": rows, "minValues": least, "maxValues": greatest, "nullCount": nulls }))
}

/// Of one column, over all row groups.
#[derive(Default)]
struct OfColumn {
    /// The least and the greatest value as the log writes them, whose order as texts is that of the values.
    extremes: Option<(String, String)>,
    null_count: u64,
}

impl OfColumn {
    fn add(&mut self, of_group: Option<&Statistics>) -> Result<(), DeltaTableError> {
        let Some(of_group) = of_group else { return Ok(()) };
        self.null_count += of_group.null_count_opt().unwrap_or_default();
        if let Some((first, last)) = extremes(of_group)? {
            self.extremes = Some(match self.extremes.take() {
                None => (first, last),
                Some((least, greatest)) => (least.min(first), greatest.max(last)),
            });
        }
        Ok(())
    }
}

fn extremes(of_group: &Statistics) -> Result<Option<(String, String)>, DeltaTableError> {
    match of_group {
        Statistics::Int64(micros) => {
            let (Some(first), Some(last)) = (micros.min_opt(), micros.max_opt()) else { return Ok(None) };
            Ok(Some((time(*first)?, time(*last)?)))
        }
        Statistics::ByteArray(texts) => {
            let text = |bytes: Option<&[u8]>| bytes.and_then(|bytes| String::from_utf8(bytes.to_vec()).ok());
            Ok(text(texts.min_bytes_opt()).zip(text(texts.max_bytes_opt())))
        }
        // No column that the log tells of is another.
        _ => Ok(None),
    }
}

/// Cut to the millisecond, as the log's readers expect also of the greatest.
fn time(micros: i64) -> Result<String, DeltaTableError> {
    let time = DateTime::from_timestamp_micros(micros);
    let time =
        time.ok_or_else(|| DeltaTableError::generic(format!("{micros} µs is a time of no calendar")))?;
    Ok(time.to_rfc3339_opts(SecondsFormat::Millis, true))
}
