//! Compaction: many small files of a day become few large ones, sorted, without lines that a later
//! statement replaced.
//!
//! Appends leave a file for each day that they touch. A reader opens each of them, so the files of a day are
//! merged once they are many: those of a settled day all, those of a day that is still filling only with
//! others of about their size, so that an event is not written anew for each few that come after it. Files
//! are sorted by account and time: an account's day lies together then, and readers skip the rest.
//!
//! A day is rewritten by one commit that removes the files that were read and adds those that were written.
//! Appends go on meanwhile; what they add stays as it is. If the files were removed by somebody else
//! meanwhile, what was written is thrown away and the day is reported as overtaken (see the module
//! `rewrite`). Before the commit the rows are counted: what is written must be what was read.

use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use arrow_schema::{Field, Schema};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use datafusion::dataframe::DataFrame;
use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::functions::expr_fn::coalesce;
use datafusion::logical_expr::SortExpr;
use datafusion::prelude::{SessionConfig, SessionContext, col};
use deltalake::DeltaTable;
use deltalake::kernel::{Add, Remove};
use deltalake::protocol::DeltaOperation;
use deltalake::writer::{DeltaWriter, RecordBatchWriter};
use futures::StreamExt;
use ingest::schema::{DAY, Kind};
use tracing::{debug, info};

use crate::LakeError;
use crate::files::writer_properties;
use crate::read::scan;
use crate::rewrite::Removal;
use crate::superseded::{self, Statements};
use crate::table::EventTable;

/// Rows that are read, sorted and written at a time. Rows of an activity log are large.
const BATCH_ROWS: usize = 4096;

/// Memory for telling which statements are superseded, beside that for sorting, in bytes: enough for a million of
/// them a day, which must be in memory all at once.
const STATEMENTS_BYTES: usize = 192 << 20;

/// When and how the files of a day are rewritten.
#[derive(Debug, Clone, PartialEq)]
pub struct CompactionOptions {
    /// Size at which a new file is begun, in bytes. Files of less than half of it are small.
    pub target_file_bytes: u64,
    /// How many small files a settled day may have.
    pub small_files_max: usize,
    /// How many small files a day may have that is still filling.
    pub small_files_max_filling: usize,
    /// How long after its last file a day counts as filling.
    pub fills_for: TimeDelta,
    /// How long lines of cost are kept after a later statement replaced them.
    pub superseded_kept: TimeDelta,
    /// Share of a day's lines that must be of no use any more, from 0 to 1, before the day is rewritten for
    /// their sake.
    pub superseded_share: f64,
    /// How many days are rewritten at most.
    pub days_max: usize,
    /// Memory for sorting, in bytes; what does not fit is sorted on disk. Decoding and encoding take up to
    /// 200 MB beside it.
    pub memory_bytes: usize,
}

impl Default for CompactionOptions {
    fn default() -> Self {
        Self {
            target_file_bytes: 128 << 20,
            small_files_max: 4,
            small_files_max_filling: 24,
            fills_for: TimeDelta::hours(2),
            superseded_kept: TimeDelta::days(7),
            superseded_share: 0.25,
            days_max: usize::MAX,
            memory_bytes: 64 << 20,
        }
    }
}

impl CompactionOptions {
    /// Every small file is merged, also on days that are still filling.
    #[must_use]
    pub fn all() -> Self {
        Self { small_files_max: 1, fills_for: TimeDelta::zero(), ..Self::default() }
    }
}

/// What a compaction did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Compacted {
    /// Days that were rewritten.
    pub days: usize,
    /// Files that were removed from the table. They stay on disk until the vacuum.
    pub files_before: usize,
    /// Files that took their place.
    pub files_after: usize,
    /// Size of the files removed.
    pub bytes_before: u64,
    /// Size of the files that took their place.
    pub bytes_after: u64,
    /// Rows that were rewritten.
    pub rows: u64,
    /// Lines of cost that were left out, since a later statement had replaced them for long enough.
    pub superseded_rows: u64,
    /// Days that somebody else rewrote at the same time; nothing of ours counts there.
    pub overtaken: Vec<NaiveDate>,
    /// Days that need it too and have to wait for the next time, because of
    /// [`days_max`](CompactionOptions::days_max).
    pub days_left: usize,
}

/// What is remembered of the cost statements of each day, so that they are read once for each change.
pub(crate) type Inspected = HashMap<NaiveDate, (u64, Statements)>;

/// A file of the table.
#[derive(Debug, Clone)]
struct File {
    path: String,
    bytes: u64,
    rows: Option<usize>,
    written_at: DateTime<Utc>,
    remove: Remove,
}

/// A day that is to be rewritten.
struct Rewrite {
    day: NaiveDate,
    files: Vec<File>,
    /// How many superseded lines are left out: all files of the day are in `files` then.
    superseded: u64,
}

impl EventTable {
    pub(crate) async fn compact(
        &self,
        options: &CompactionOptions,
        now: DateTime<Utc>,
    ) -> Result<Compacted, LakeError> {
        let mut inspected = self.upkeep.lock().await;
        let mut compacted = Compacted::default();
        let Some(table) = self.current().await? else { return Ok(compacted) };
        let mut rewrites = self.plan(&table, options, now, &mut inspected).await?;
        rewrites.sort_by_key(|rewrite| std::cmp::Reverse(rewrite.files.len()));
        compacted.days_left = rewrites.len().saturating_sub(options.days_max);
        for rewrite in rewrites.into_iter().take(options.days_max) {
            // The table as it is now: what was committed for the last day would be looked through again.
            let Some(table) = self.current().await? else { break };
            self.rewrite(&table, rewrite, options, now, &mut compacted).await?;
        }
        Ok(compacted)
    }

    /// Which days need it.
    async fn plan(
        &self,
        table: &DeltaTable,
        options: &CompactionOptions,
        now: DateTime<Utc>,
        inspected: &mut Inspected,
    ) -> Result<Vec<Rewrite>, LakeError> {
        let days = self.files_of_days(table)?;
        inspected.retain(|day, _| days.contains_key(day));
        let mut rewrites = Vec::new();
        for (day, files) in days {
            let droppable = self.droppable(table, day, &files, options, now, inspected).await?;
            let rows: usize = files.iter().filter_map(|file| file.rows).sum();
            let small = small_files(&files, options, now);
            if droppable > 0
                && (!small.is_empty() || droppable as f64 >= options.superseded_share * rows as f64)
            {
                rewrites.push(Rewrite { day, files, superseded: droppable });
            } else if !small.is_empty() {
                rewrites.push(Rewrite { day, files: small, superseded: 0 });
            }
        }
        Ok(rewrites)
    }

    fn files_of_days(&self, table: &DeltaTable) -> Result<BTreeMap<NaiveDate, Vec<File>>, LakeError> {
        let state = table.snapshot().map_err(|e| self.delta_error(e))?;
        let mut days: BTreeMap<NaiveDate, Vec<File>> = BTreeMap::new();
        for file in state.log_data().iter() {
            let partition = file.partition_values_map().remove(DAY).flatten();
            // A file of another program that says no day is left alone.
            let Some(day) = partition.and_then(|name| name.parse().ok()) else { continue };
            let file = File {
                path: file.path().into_owned(),
                bytes: u64::try_from(file.size()).unwrap_or(0),
                rows: file.num_records(),
                written_at: DateTime::from_timestamp_millis(file.modification_time()).unwrap_or_default(),
                remove: file.remove_action(false),
            };
            days.entry(day).or_default().push(file);
        }
        Ok(days)
    }

    /// How many lines of the day may go.
    async fn droppable(
        &self,
        table: &DeltaTable,
        day: NaiveDate,
        files: &[File],
        options: &CompactionOptions,
        now: DateTime<Utc>,
        inspected: &mut Inspected,
    ) -> Result<u64, LakeError> {
        if self.kind() != Kind::Cost {
            return Ok(0);
        }
        let mut hasher = DefaultHasher::new();
        options.superseded_kept.hash(&mut hasher);
        files.iter().for_each(|file| file.path.hash(&mut hasher));
        let state = hasher.finish();
        if let Some((seen, statements)) = inspected.get(&day)
            && *seen == state
            && statements.next_at.is_none_or(|at| now < at)
        {
            return Ok(statements.droppable);
        }
        let session = session(STATEMENTS_BYTES).map_err(|e| self.query_error(e))?;
        let Some(lines) = self.statement_columns(table, files, &session)? else { return Ok(0) };
        let statements = Statements::of(lines, options.superseded_kept, now).await;
        let statements = statements.map_err(|e| self.query_error(e))?;
        inspected.insert(day, (state, statements));
        Ok(statements.droppable)
    }

    /// Who stated the lines of the files; `None` if the table is older than such columns.
    fn statement_columns(
        &self,
        table: &DeltaTable,
        files: &[File],
        session: &SessionContext,
    ) -> Result<Option<DataFrame>, LakeError> {
        let present = self.columns_of(table)?;
        let wanted: Vec<Field> = superseded::COLUMNS
            .iter()
            .filter_map(|name| present.field_with_name(name).ok().cloned())
            .collect();
        if wanted.len() < superseded::COLUMNS.len() {
            return Ok(None);
        }
        self.lines(table, files, Schema::new(wanted), session).map(Some)
    }

    /// All columns of the table, those of other versions too.
    fn columns_of(&self, table: &DeltaTable) -> Result<Arc<Schema>, LakeError> {
        Ok(table.snapshot().map_err(|e| self.delta_error(e))?.snapshot().arrow_schema())
    }

    fn lines(
        &self,
        table: &DeltaTable,
        files: &[File],
        columns: Schema,
        session: &SessionContext,
    ) -> Result<DataFrame, LakeError> {
        let paths = files.iter().map(|file| file.path.clone());
        scan(table, columns, session)
            .and_then(|scan| session.read_table(Arc::new(scan.with_file_paths(paths))))
            .map_err(|e| self.query_error(e))
    }

    /// Rewrites a day, and counts it in `compacted`.
    async fn rewrite(
        &self,
        table: &DeltaTable,
        rewrite: Rewrite,
        options: &CompactionOptions,
        now: DateTime<Utc>,
        compacted: &mut Compacted,
    ) -> Result<(), LakeError> {
        let day = rewrite.day;
        let here = self.files_of_days(table)?.remove(&day).unwrap_or_default();
        let still_here = |file: &File| here.iter().any(|other| other.path == file.path);
        // Lines of which a new file has the better statement are left for the next time.
        if !rewrite.files.iter().all(still_here) {
            compacted.overtaken.push(day);
            return Ok(());
        }
        let (added, written) = self.write_sorted(table, &rewrite, options, now).await?;
        let read: Option<usize> = rewrite.files.iter().try_fold(0, |sum: usize, file| Some(sum + file.rows?));
        let expected = read.map(|rows| rows as u64 - rewrite.superseded.min(rows as u64));
        if let Some(expected) = expected.filter(|expected| *expected != written) {
            self.discard_files(added).await;
            let problem = format!("{written} rows were written of {expected} that the log names");
            return Err(LakeError::Rewrite { location: self.location().to_string(), day, problem });
        }
        let (files_after, bytes_after) =
            (added.len(), added.iter().map(|file| u64::try_from(file.size).unwrap_or(0)).sum::<u64>());
        match self.commit_rewrite(table, &rewrite, added, options).await? {
            Removal::Overtaken => {
                debug!(table = %self.location(), %day, "Somebody else was faster; the day is left alone");
                compacted.overtaken.push(day);
            }
            Removal::Committed => {
                compacted.days += 1;
                compacted.files_before += rewrite.files.len();
                compacted.files_after += files_after;
                compacted.bytes_before += rewrite.files.iter().map(|file| file.bytes).sum::<u64>();
                compacted.bytes_after += bytes_after;
                compacted.rows += written;
                compacted.superseded_rows += rewrite.superseded;
                if rewrite.superseded > 0 {
                    let dropped = rewrite.superseded;
                    info!(table = %self.location(), %day, dropped, "Dropped cost lines that were stated anew");
                }
            }
        }
        Ok(())
    }

    /// Writes the rows of the files in their new order; no commit names what is written yet. Gives the files
    /// and the number of rows in them.
    async fn write_sorted(
        &self,
        table: &DeltaTable,
        rewrite: &Rewrite,
        options: &CompactionOptions,
        now: DateTime<Utc>,
    ) -> Result<(Vec<Add>, u64), LakeError> {
        let failed = |e| self.query_error(e);
        let statements = if rewrite.superseded > 0 { STATEMENTS_BYTES } else { 0 };
        let session = session(options.memory_bytes + statements).map_err(failed)?;
        let columns = self.columns_of(table)?;
        let order = account_and_time(&columns);
        let mut lines = self.lines(table, &rewrite.files, columns.as_ref().clone(), &session)?;
        if rewrite.superseded > 0
            && let Some(all) = self.statement_columns(table, &rewrite.files, &session)?
        {
            lines = superseded::without(lines, all, options.superseded_kept, now).map_err(failed)?;
        }
        let mut batches = lines.sort(order).map_err(failed)?.execute_stream().await.map_err(failed)?;
        let mut writer = RecordBatchWriter::for_table(table)
            .map_err(|e| self.delta_error(e))?
            .with_target_file_size(options.target_file_bytes)
            .with_writer_properties(writer_properties(self.kind()));
        let mut rows = 0;
        while let Some(batch) = batches.next().await {
            let batch = batch.map_err(failed)?;
            rows += batch.num_rows() as u64;
            writer.write(batch).await.map_err(|e| self.delta_error(e))?;
        }
        let added = writer.flush().await.map_err(|e| self.delta_error(e))?;
        Ok((added, rows))
    }

    async fn commit_rewrite(
        &self,
        table: &DeltaTable,
        rewrite: &Rewrite,
        mut added: Vec<Add>,
        options: &CompactionOptions,
    ) -> Result<Removal, LakeError> {
        let changes = rewrite.superseded > 0;
        for file in &mut added {
            file.data_change = changes;
        }
        let mut removed: Vec<Remove> = rewrite.files.iter().map(|file| file.remove.clone()).collect();
        for file in &mut removed {
            file.data_change = changes;
        }
        let operation = if changes {
            DeltaOperation::Delete { predicate: None }
        } else {
            let target_size = i64::try_from(options.target_file_bytes).unwrap_or(i64::MAX);
            DeltaOperation::Optimize { predicate: None, target_size }
        };
        // Appends of this process wait, so that the next one finds the new files known.
        let mut known = self.known.lock().await;
        let removal = match self.replace(table, removed, added.clone(), operation).await? {
            Removal::Overtaken if self.is_there(&added).await? => Removal::Committed,
            removal => removal,
        };
        if removal == Removal::Overtaken {
            self.discard_files(added).await;
        } else {
            let gone: Vec<&str> = rewrite.files.iter().map(|file| file.path.as_str()).collect();
            let new: Vec<&str> = added.iter().map(|file| file.path.as_str()).collect();
            // Ids of lines that were dropped are in no file any more; the day is read anew then.
            known.replaced(rewrite.day.to_epoch_days(), &gone, if changes { &[] } else { &new });
        }
        Ok(removal)
    }

    /// Whether the table as it is now names one of the files.
    async fn is_there(&self, files: &[Add]) -> Result<bool, LakeError> {
        match self.current().await? {
            Some(table) => self.names_any(&table, files),
            None => Ok(false),
        }
    }
}

/// The small files of a day that are worth merging; none if they are few.
fn small_files(files: &[File], options: &CompactionOptions, now: DateTime<Utc>) -> Vec<File> {
    let mut small: Vec<File> =
        files.iter().filter(|file| file.bytes < options.target_file_bytes / 2).cloned().collect();
    let newest = files.iter().map(|file| file.written_at).max();
    let filling = newest.is_some_and(|newest| now - newest < options.fills_for);
    if !filling {
        return if small.len() > options.small_files_max { small } else { Vec::new() };
    }
    if small.len() <= options.small_files_max_filling {
        return Vec::new();
    }
    // A file larger than all that are smaller waits until they have grown: so an event is written anew once
    // for each doubling, and not once for each merge.
    small.sort_by(|a, b| (a.bytes, &a.path).cmp(&(b.bytes, &b.path)));
    let mut sum = 0;
    let mut merged = 0;
    for (index, file) in small.iter().enumerate() {
        if file.bytes <= sum {
            merged = index + 1;
        }
        sum += file.bytes;
    }
    small.truncate(merged);
    small
}

/// By subscription, or customer where none is named, and time.
fn account_and_time(columns: &Schema) -> Vec<SortExpr> {
    let has = |name: &&str| columns.field_with_name(name).is_ok();
    let account: Vec<_> =
        ["subscription_id", "customer_tenant_id"].into_iter().filter(has).map(col).collect();
    let mut order = Vec::new();
    if !account.is_empty() {
        order.push(coalesce(account).sort(true, true));
    }
    if has(&"event_at") {
        order.push(col("event_at").sort(true, true));
    }
    order
}

/// A session that sorts within so much memory, on one core: others want the rest.
fn session(memory_bytes: usize) -> datafusion::common::Result<SessionContext> {
    let runtime =
        RuntimeEnvBuilder::new().with_memory_pool(Arc::new(FairSpillPool::new(memory_bytes))).build_arc()?;
    let config = SessionConfig::new().with_target_partitions(1).with_batch_size(BATCH_ROWS);
    Ok(SessionContext::new_with_config_rt(config, runtime))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(bytes: u64, hour: u32) -> File {
        let day = NaiveDate::from_ymd_opt(2026, 11, 20).unwrap();
        let path = format!("{bytes}");
        let remove = Remove {
            path: path.clone(),
            data_change: false,
            deletion_timestamp: None,
            extended_file_metadata: None,
            partition_values: None,
            size: None,
            tags: None,
            deletion_vector: None,
            base_row_id: None,
            default_row_commit_version: None,
        };
        let written_at = day.and_hms_opt(hour, 0, 0).unwrap().and_utc();
        File { path, bytes, rows: None, written_at, remove }
    }

    #[test]
    fn files_are_merged_once_they_are_many() {
        let options = CompactionOptions {
            target_file_bytes: 1000,
            small_files_max: 2,
            small_files_max_filling: 4,
            ..CompactionOptions::default()
        };
        let now = "2026-11-20T12:00:00Z".parse().unwrap();
        // Sizes, the hour of the last file, and the sizes that are merged.
        let cases: [(&str, &[u64], u32, &[u64]); 8] = [
            ("nothing", &[], 1, &[]),
            ("few", &[10, 20], 1, &[]),
            ("a settled day", &[10, 20, 400], 1, &[10, 20, 400]),
            ("large files stay", &[10, 20, 30, 500, 1000], 1, &[10, 20, 30]),
            ("a day that fills may have more", &[10, 20, 30, 40], 11, &[]),
            ("of a filling day those of one size", &[10, 10, 10, 11, 12, 400], 11, &[10, 10, 10, 11, 12]),
            ("unless they are as much together", &[100, 100, 100, 110, 400], 11, &[100, 100, 100, 110, 400]),
            ("each more than all before", &[1, 2, 4, 8, 16], 11, &[]),
        ];
        for (what, sizes, hour, expected) in cases {
            let files: Vec<File> = sizes.iter().map(|bytes| file(*bytes, hour)).collect();
            let merged: Vec<u64> = small_files(&files, &options, now).iter().map(|file| file.bytes).collect();
            assert_eq!(merged, expected, "{what}");
        }
    }
}
