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

    /// Removes files that no commit will name. Those that stay are a matter of space only.
    pub(crate) async fn discard_files(&self, table: &DeltaTable, files: impl IntoIterator<Item = Add>) {
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
