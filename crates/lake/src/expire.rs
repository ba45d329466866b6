//! What goes: days beyond their retention, files that no version names, and old entries of the log.

use std::collections::{BTreeSet, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use deltalake::checkpoints::{cleanup_expired_logs_for, create_checkpoint};
use deltalake::kernel::Remove;
use deltalake::operations::vacuum::{Clock, VacuumMode};
use deltalake::protocol::DeltaOperation;
use deltalake::{DeltaTable, DeltaTableError, ObjectStoreError};
use futures::{StreamExt, TryStreamExt};
use ingest::schema::DAY;
use tracing::info;

use crate::LakeError;
use crate::rewrite::Removal;
use crate::table::{EventTable, LOG_FOLDER};

/// How often days are forgotten anew after others removed files meanwhile.
const ATTEMPTS_MAX: usize = 8;

/// Commits after a checkpoint before the upkeep writes another. Commits do so by themselves at each
/// hundredth; the upkeep makes up for one that failed.
const COMMITS_WITHOUT_CHECKPOINT_MAX: u64 = 100;

/// What was forgotten.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Forgotten {
    /// Days that are gone.
    pub days: usize,
    /// Files that the table names no more. They stay on disk until the vacuum.
    pub files: usize,
    /// Events in them.
    pub rows: u64,
    /// Size of the files.
    pub bytes: u64,
}

/// What a vacuum removed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Vacuumed {
    /// Data files that no version names any more, or that no commit ever named.
    pub files: usize,
    /// Unfinished files of writers that were killed.
    pub torn_files: usize,
}

/// What was done about a table's log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogTidied {
    /// Whether a checkpoint was due that no commit had written.
    pub checkpoint: bool,
    /// Entries and checkpoints that were removed.
    pub entries: usize,
}

impl EventTable {
    /// Takes all files of days before `first` out of the table.
    pub(crate) async fn forget_before(&self, first: NaiveDate) -> Result<Forgotten, LakeError> {
        let _turn = self.upkeep.lock().await;
        for _ in 0..ATTEMPTS_MAX {
            let Some(table) = self.current().await? else { return Ok(Forgotten::default()) };
            let (forgotten, removed) = self.days_before(&table, first)?;
            if removed.is_empty() {
                return Ok(forgotten);
            }
            let operation = DeltaOperation::Delete { predicate: None };
            match self.replace(&table, removed, Vec::new(), operation).await? {
                Removal::Committed => {
                    let Forgotten { days, rows, .. } = forgotten;
                    info!(table = %self.location(), before = %first, days, rows, "Forgot old days");
                    return Ok(forgotten);
                }
                Removal::Overtaken => self.pause().await,
            }
        }
        Err(LakeError::Contended { location: self.location().to_string(), attempts: ATTEMPTS_MAX })
    }

    fn days_before(
        &self,
        table: &DeltaTable,
        first: NaiveDate,
    ) -> Result<(Forgotten, Vec<Remove>), LakeError> {
        let state = table.snapshot().map_err(|e| self.delta_error(e))?;
        let mut forgotten = Forgotten::default();
        let mut days = BTreeSet::new();
        let mut removed = Vec::new();
        for file in state.log_data().iter() {
            let partition = file.partition_values_map().remove(DAY).flatten();
            let day: Option<NaiveDate> = partition.and_then(|name| name.parse().ok());
            let Some(day) = day.filter(|day| *day < first) else { continue };
            days.insert(day);
            forgotten.files += 1;
            forgotten.rows += file.num_records().unwrap_or(0) as u64;
            forgotten.bytes += u64::try_from(file.size()).unwrap_or(0);
            removed.push(file.remove_action(true));
        }
        forgotten.days = days.len();
        Ok((forgotten, removed))
    }

    /// Removes files that no version names, once they have been so for `keep`; of files that no commit named,
    /// their age decides, so that an append under way loses none.
    pub(crate) async fn vacuum(&self, keep: TimeDelta, now: DateTime<Utc>) -> Result<Vacuumed, LakeError> {
        let _turn = self.upkeep.lock().await;
        let Some(table) = self.current().await? else { return Ok(Vacuumed::default()) };
        let (_, planned) = table
            .clone()
            .vacuum()
            .with_mode(VacuumMode::Full)
            .with_retention_period(keep)
            .with_enforce_retention_duration(false)
            .with_clock(Arc::new(At(now)))
            .with_dry_run(true)
            .await
            .map_err(|e| self.delta_error(e))?;
        let files = self.delete(&table, planned.files_deleted.into_iter().collect()).await?;
        let torn_files = match self.location().to_file_path() {
            Ok(folder) => remove_torn_files(folder, keep, now).await,
            Err(()) => 0,
        };
        Ok(Vacuumed { files, torn_files })
    }

    /// Deletes those of the files that are there, and says how many. The log goes on naming files that were
    /// removed for a week, most of which an earlier vacuum deleted; Delta's own would try them all again, and
    /// write two commits.
    async fn delete(&self, table: &DeltaTable, unnamed: HashSet<String>) -> Result<usize, LakeError> {
        let failed = |source| self.delta_error(DeltaTableError::ObjectStore { source });
        let store = table.object_store();
        let there = store.list(None).try_filter_map(|file| {
            let location = unnamed.contains(file.location.as_ref()).then_some(file.location);
            futures::future::ready(Ok(location))
        });
        let there: Vec<_> = there.try_collect().await.map_err(failed)?;
        let deleted = store.delete_stream(futures::stream::iter(there).map(Ok).boxed());
        let gone = |outcome: &Result<_, ObjectStoreError>| {
            // Another vacuum may have been faster.
            futures::future::ready(!matches!(outcome, Err(ObjectStoreError::NotFound { .. })))
        };
        let deleted: Vec<_> = deleted.filter(gone).try_collect().await.map_err(failed)?;
        Ok(deleted.len())
    }

    /// Writes a checkpoint if one is due, and removes entries of the log that are older than `keep` and
    /// stand before a checkpoint.
    pub(crate) async fn tidy_log(&self, keep: TimeDelta, now: DateTime<Utc>) -> Result<LogTidied, LakeError> {
        let _turn = self.upkeep.lock().await;
        let Some(table) = self.current().await? else { return Ok(LogTidied::default()) };
        let Some(version) = table.version() else { return Ok(LogTidied::default()) };
        let since = self.last_checkpoint(&table).await?;
        let checkpoint = version - since.unwrap_or(0).min(version) >= COMMITS_WITHOUT_CHECKPOINT_MAX;
        if checkpoint {
            create_checkpoint(&table, None).await.map_err(|e| self.delta_error(e))?;
        }
        let before = (now - keep).timestamp_millis();
        let entries = cleanup_expired_logs_for(version, table.log_store().as_ref(), before, None)
            .await
            .map_err(|e| self.delta_error(e))?;
        Ok(LogTidied { checkpoint, entries })
    }

    /// The version of the last checkpoint.
    async fn last_checkpoint(&self, table: &DeltaTable) -> Result<Option<u64>, LakeError> {
        let store = table.object_store();
        let mut files = store.list(Some(&deltalake::Path::from(LOG_FOLDER)));
        let mut last = None;
        while let Some(file) = files.next().await {
            let file =
                file.map_err(|source| self.delta_error(deltalake::DeltaTableError::ObjectStore { source }))?;
            let name = file.location.filename().unwrap_or_default();
            if let Some((version, rest)) = name.split_once('.')
                && rest.starts_with("checkpoint")
            {
                last = last.max(version.parse().ok());
            }
        }
        Ok(last)
    }
}

/// A clock that stands still.
#[derive(Debug)]
struct At(DateTime<Utc>);

impl Clock for At {
    fn current_timestamp_millis(&self) -> i64 {
        self.0.timestamp_millis()
    }
}

/// Removes what a killed process left of files that it was writing: on a disk, they are written under the
/// name of the file with `#` and a number, and no listing of the storage shows them. Says how many.
async fn remove_torn_files(table: PathBuf, keep: TimeDelta, now: DateTime<Utc>) -> usize {
    let keep = keep.to_std().unwrap_or(Duration::MAX);
    let Some(before) = SystemTime::from(now).checked_sub(keep) else { return 0 };
    tokio::task::spawn_blocking(move || {
        let folders = entries(&table).filter(|path| path.is_dir());
        folders
            .flat_map(|folder| entries(&folder))
            .filter(|path| is_torn(path, before))
            .filter(remove)
            .count()
    })
    .await
    .unwrap_or(0)
}

/// What is in a folder; nothing if it cannot be read.
fn entries(folder: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path())
}

fn is_torn(path: &Path, before: SystemTime) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let is_staged = name.rsplit_once('#').is_some_and(|(name, number)| {
        (name.ends_with(".parquet") || name.ends_with(".json")) && number.parse::<u64>().is_ok()
    });
    let modified = || path.metadata().and_then(|file| file.modified()).ok();
    is_staged && modified().is_some_and(|at| at < before)
}

fn remove(path: &PathBuf) -> bool {
    std::fs::remove_file(path).is_ok()
}
