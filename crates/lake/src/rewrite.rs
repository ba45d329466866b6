//! Commits that take files out of a table, and the files that such a commit puts in their place.
//!
//! Delta lets two compactions of the same files pass each other if neither changes what the table says:
//! both would then add the events again. So each commit that removes files carries a mark of its own,
//! [`UPKEEP_TURN`], in the way in which appends do (see the module `append`): of two that were based on the
//! same version one is refused. Appends carry another mark and are not held up.

use std::time::Duration;

use datafusion::object_store::{ObjectStoreExt, path::Path};
use deltalake::kernel::transaction::{
    CommitBuilder, CommitConflictError, CommitProperties, TransactionError,
};
use deltalake::kernel::{Action, Add, Remove, Transaction};
use deltalake::protocol::DeltaOperation;
use deltalake::{DeltaTable, DeltaTableError};
use tracing::{debug, warn};

use crate::LakeError;
use crate::table::EventTable;

/// The name under which commits that remove files take turns. Changing it would let old and new versions
/// pass each other.
const UPKEEP_TURN: &str = "tenantwatch/upkeep";

/// How often the commit goes on behind appends that were faster; each try costs as much as reading their
/// log entries.
const APPENDS_PASSED_MAX: usize = 256;

/// How a commit that removes files ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Removal {
    Committed,
    /// Somebody else removed files or changed the columns meanwhile; nothing changed.
    Overtaken,
}

impl EventTable {
    /// Puts `added` in the place of `removed` in one commit, based on `table`.
    pub(crate) async fn replace(
        &self,
        table: &DeltaTable,
        removed: Vec<Remove>,
        added: Vec<Add>,
        operation: DeltaOperation,
    ) -> Result<Removal, LakeError> {
        let based_on = table.snapshot().map_err(|e| self.delta_error(e))?;
        // Delta compares the names only; the number is for people who read the log.
        let turn = i64::try_from(based_on.version()).unwrap_or(i64::MAX).saturating_add(1);
        let properties = CommitProperties::default()
            .with_application_transaction(Transaction::new(UPKEEP_TURN, turn))
            .with_max_retries(APPENDS_PASSED_MAX)
            .with_cleanup_expired_logs(Some(false));
        let actions = removed.into_iter().map(Action::Remove).chain(added.into_iter().map(Action::Add));
        let commit = CommitBuilder::from(properties)
            .with_actions(actions.collect())
            .build(Some(based_on), table.log_store(), operation)
            .into_prepared_commit_future()
            .await
            .map_err(|e| self.delta_error(e))?;
        match commit.await {
            Ok(committed) => {
                // From here on it is done; a checkpoint that fails only costs readers time.
                if let Err(error) = committed.await {
                    warn!(table = %self.location(), %error, "The table's log could not be tidied up");
                }
                Ok(Removal::Committed)
            }
            Err(DeltaTableError::Transaction {
                source:
                    TransactionError::CommitConflict(
                        CommitConflictError::ConcurrentTransaction
                        | CommitConflictError::ConcurrentDeleteRead
                        | CommitConflictError::ConcurrentDeleteDelete
                        | CommitConflictError::MetadataChanged
                        | CommitConflictError::ProtocolChanged(_),
                    )
                    | TransactionError::MaxCommitAttempts(_),
            }) => Ok(Removal::Overtaken),
            Err(error) => Err(self.delta_error(error)),
        }
    }

    /// Whether the table names one of the files.
    ///
    /// A storage that is asked again after an answer got lost may say that the log entry exists which the
    /// first request wrote: then the commit looks overtaken, by itself.
    pub(crate) fn names_any(&self, table: &DeltaTable, files: &[Add]) -> Result<bool, LakeError> {
        let state = table.snapshot().map_err(|e| self.delta_error(e))?;
        Ok(state.log_data().iter().any(|named| files.iter().any(|file| named.path() == file.path)))
    }

    /// Removes files that no commit will name. Those that stay are a matter of space only; so they do if the
    /// table cannot be read, or names one of them after all.
    pub(crate) async fn discard_files(&self, files: Vec<Add>) {
        if files.is_empty() {
            return;
        }
        let table = match self.current().await {
            Ok(Some(table)) if matches!(self.names_any(&table, &files), Ok(false)) => table,
            _ => return debug!(table = %self.location(), "Files are left for the vacuum"),
        };
        for file in files {
            if let Err(error) = table.object_store().delete(&Path::from(file.path.as_str())).await {
                debug!(table = %self.location(), file = file.path, %error, "A file is left for the vacuum");
            }
        }
    }

    /// Lets whoever was faster finish, before another look.
    pub(crate) async fn pause(&self) {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[cfg(test)]
mod tests {
    use arrow_array::{
        ArrayRef, BinaryArray, Date32Array, RecordBatch, StringArray, TimestampMicrosecondArray,
        new_null_array,
    };
    use arrow_schema::DataType;
    use ingest::schema::Kind;
    use std::sync::Arc;

    use super::Add;
    use crate::Lake;

    /// An event of 1970, of which only what must be there is there.
    fn event() -> RecordBatch {
        let schema = Kind::Flow.schema();
        let columns = schema.fields().iter().map(|field| -> ArrayRef {
            match field.data_type() {
                DataType::Date32 => Arc::new(Date32Array::from(vec![0])),
                DataType::Timestamp(..) => {
                    Arc::new(TimestampMicrosecondArray::from(vec![0]).with_timezone("UTC"))
                }
                DataType::Binary => Arc::new(BinaryArray::from_iter_values([[1; 16]])),
                DataType::Utf8 => Arc::new(StringArray::from(vec!["a"])),
                other => new_null_array(other, 1),
            }
        });
        RecordBatch::try_new(schema.clone(), columns.collect()).unwrap()
    }

    #[tokio::test]
    async fn files_that_a_commit_names_are_never_discarded() {
        let folder = tempfile::tempdir().unwrap();
        let lake = Lake::in_directory(folder.path()).unwrap();
        lake.append(Kind::Flow, vec![event()]).await.unwrap();
        let events = lake.event_table(Kind::Flow);
        let table = events.current().await.unwrap().unwrap();
        let named = table.snapshot().unwrap().log_data().iter().next().unwrap().path().into_owned();
        let path = folder.path().join("flow").join(&named);
        let mut file = Add { path: named, ..Add::default() };
        assert!(events.names_any(&table, &[file.clone()]).unwrap());
        events.discard_files(vec![file.clone()]).await;
        assert!(path.exists());

        let other = path.with_file_name("part-other.parquet");
        std::fs::copy(&path, &other).unwrap();
        file.path = other.strip_prefix(folder.path().join("flow")).unwrap().to_str().unwrap().to_owned();
        assert!(!events.names_any(&table, &[file.clone()]).unwrap());
        events.discard_files(vec![file]).await;
        assert!(path.exists() && !other.exists());
    }
}
