//! Detectors over a few records as Azure writes them, without a lake: for events that others have labelled.

use std::collections::BTreeMap;
use std::sync::Arc;

use alerts::Finding;
use arrow_array::RecordBatch;
use arrow_array::cast::AsArray as _;
use arrow_array::types::TimestampMicrosecondType;
use chrono::{DateTime, TimeDelta, Utc};
use datafusion::arrow::compute::cast;
use datafusion::common::DataFusionError;
use datafusion::datasource::MemTable;
use datafusion::prelude::SessionContext;
use ingest::schema::Kind;
use ingest::{EventBatch, Extent, Item, Reading, read_bytes};

use crate::cases::partner;
use crate::detector::{DetectError, Detector};
use crate::indicators::Indicators;
use crate::session::{Limits, session};
use crate::window::Window;

/// Why records cannot be looked at.
#[derive(Debug, thiserror::Error)]
pub enum SampleError {
    /// They are no records of Azure's, or broken.
    #[error("the records cannot be read: {0}")]
    Unreadable(String),
    /// The tables cannot be made.
    #[error("the tables of the records cannot be made")]
    Tables(#[from] DataFusionError),
    /// A detector failed.
    #[error(transparent)]
    Detect(#[from] DetectError),
}

/// Records that were read.
pub struct Sample {
    session: SessionContext,
    window: Window,
}

impl Sample {
    /// Reads records: JSON lines, or any other shape that `tenantwatch ingest` takes.
    ///
    /// # Errors
    ///
    /// [`SampleError`] for the first record that cannot be read, and if there is none.
    pub fn read(records: &str) -> Result<Self, SampleError> {
        let partner = partner();
        let mut reading = Reading::new(&partner, DateTime::UNIX_EPOCH, 8192);
        reading.extent = Extent::Piece;
        let mut tables: BTreeMap<Kind, Vec<RecordBatch>> = BTreeMap::new();
        let mut problem = None;
        let read = read_bytes("records", records.as_bytes(), &reading, &mut |item| {
            match item {
                Item::Batch(batch) => tables.entry(batch.kind).or_default().extend(plain(&batch)),
                Item::Rejected(rejected) => problem = problem.take().or(Some(rejected.reason)),
            }
            Ok(())
        });
        if let Some(problem) = problem.or_else(|| read.err().map(|error| error.to_string())) {
            return Err(SampleError::Unreadable(problem));
        }
        let (first, last) =
            extent(&tables).ok_or_else(|| SampleError::Unreadable("there are none".to_owned()))?;
        let session = session(Limits::default())?;
        for kind in Kind::ALL {
            let table = MemTable::try_new(kind.schema(), vec![tables.remove(&kind).unwrap_or_default()])?;
            session.register_table(kind.name(), Arc::new(table))?;
        }
        Indicators::builtin().register(&session)?;
        Ok(Self { session, window: Window::new(first, last + TimeDelta::hours(1)) })
    }

    /// What a detector finds in them.
    ///
    /// # Errors
    ///
    /// [`SampleError::Detect`] if it fails.
    pub async fn findings(&self, detector: &Detector) -> Result<Vec<Finding>, SampleError> {
        Ok(detector.run(&self.session, &self.window, &partner()).await?)
    }
}

/// A batch as its table has it, with texts that are plain.
fn plain(batch: &EventBatch) -> Option<RecordBatch> {
    let schema = batch.kind.schema();
    let columns = batch.rows.columns().iter().zip(schema.fields());
    let columns: Result<_, _> = columns.map(|(column, field)| cast(column, field.data_type())).collect();
    RecordBatch::try_new(schema, columns.ok()?).ok()
}

/// When the first and the last event happened.
fn extent(tables: &BTreeMap<Kind, Vec<RecordBatch>>) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
    let times = || {
        tables.values().flatten().filter_map(|batch| {
            batch.column_by_name("event_at")?.as_primitive_opt::<TimestampMicrosecondType>()
        })
    };
    let first = times().flat_map(|times| times.values().iter().copied()).min()?;
    let last = times().flat_map(|times| times.values().iter().copied()).max()?;
    Some((DateTime::from_timestamp_micros(first)?, DateTime::from_timestamp_micros(last)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Catalogue;

    #[tokio::test]
    async fn records_are_read_and_looked_at() {
        let record = |operation: &str| {
            format!(
                r#"{{"time":"2031-02-03T04:05:06Z","resourceId":"/SUBSCRIPTIONS/S-1/RESOURCEGROUPS/RG/PROVIDERS/MICROSOFT.COMPUTE/VIRTUALMACHINES/VM1","operationName":"{operation}","category":"Administrative","resultType":"Success"}}"#
            )
        };
        let catalogue = Catalogue::builtin();
        let detector = catalogue.get("vm_anomalous_deployment").unwrap();
        let sample = Sample::read(&record("Microsoft.Compute/virtualMachines/write")).unwrap();
        assert!(sample.findings(detector).await.unwrap().is_empty(), "one machine is none too many");
        for (records, expected) in [("", "there are none"), ("{\"a\": 1}", "the records cannot be read")] {
            let error = Sample::read(records).err().unwrap().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
