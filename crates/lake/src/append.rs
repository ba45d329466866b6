//! Appending events, each at most once.
//!
//! One append is: look at the table, read which of the ids it has already, write the others as
//! Parquet files, commit. Two appends of the same events at once would both find them absent, and
//! Delta by itself lets two appends pass each other. So each commit carries a mark (Delta's `txn`
//! action, under the one name [`APPEND_TURN`]), and Delta refuses a commit if another one with the same
//! mark came after the version that it was based on. The loser looks again, reads the ids of the files
//! that are new, drops what it lost to the winner, and commits again. Compaction and other commits
//! without the mark do not get in the way.
//!
//! This rests on the log alone, on "create this file if it is absent", and so it holds between threads,
//! processes and machines. A lock file was the alternative; it would serve local disks only.
//!
//! The appends of one process wait for each other instead of racing.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Date32Type;
use arrow_schema::{Field, Schema};
use datafusion::common::ScalarValue;
use datafusion::prelude::{Expr, col, lit};
use delta_kernel::expressions::Scalar;
use deltalake::kernel::transaction::{
    CommitBuilder, CommitConflictError, CommitProperties, TransactionError,
};
use deltalake::kernel::{Action, Add, LogicalFileView, StructDataExt as _, Transaction};
use deltalake::protocol::{DeltaOperation, SaveMode};
use deltalake::{DeltaTable, DeltaTableError};
use futures::StreamExt;
use ingest::schema::DAY;
use tracing::{debug, warn};

use crate::LakeError;
use crate::incoming::{Day, Incoming, STATEMENT, event_id, partition_name};
use crate::known::{DataFile, KnownIds, ReadingPlan};
use crate::read::scan;
use crate::table::EventTable;

/// The name under which appends take turns. Changing it would let old and new versions pass each other.
const APPEND_TURN: &str = "tenantwatch/append";

/// How often an append looks again after others were faster. Each time at least one other append has
/// got through, so this is reached only under a load that no retry would help.
const COMMIT_ATTEMPTS_MAX: usize = 32;

/// What became of the rows of an append.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Appended {
    /// Rows that are in the table now and were not before.
    pub stored: u64,
    /// Rows that were dropped: their event is in the table already, or came twice.
    pub duplicates: u64,
}

/// Files that hold events but are in no commit yet.
struct Written {
    /// The rows they hold.
    rows: Arc<[u32]>,
    files: Vec<Add>,
}

/// How a commit ended.
enum Turn {
    Committed,
    /// Another append was faster; nothing changed.
    Overtaken,
}

impl EventTable {
    /// Stores the events that the table does not have, in one commit; gives their rows.
    pub(crate) async fn append(&self, incoming: &Arc<Incoming>) -> Result<Arc<[u32]>, LakeError> {
        if incoming.len() == 0 {
            return Ok(Arc::from([]));
        }
        let mut known = self.known.lock().await;
        let mut earlier: Option<Written> = None;
        for _ in 0..COMMIT_ATTEMPTS_MAX {
            let table = self.ready_for_append().await?;
            if let Some(written) = &earlier
                && self.names_any(&table, &written.files)?
            {
                // It was this append itself that was faster; only the answer got lost.
                remember(&mut known, incoming, written);
                return Ok(written.rows.clone());
            }
            let in_table = self.find_known(&mut known, &table, incoming).await?;
            let fresh: Arc<[u32]> = incoming.fresh(&in_table).into();
            let written = match earlier.take() {
                Some(written) if written.rows == fresh => written,
                stale => {
                    self.discard(stale).await;
                    if fresh.is_empty() {
                        return Ok(fresh);
                    }
                    let files = self.write(&table, incoming, &fresh).await?;
                    Written { rows: fresh, files }
                }
            };
            match self.commit(&table, &written.files).await? {
                Turn::Committed => {
                    remember(&mut known, incoming, &written);
                    return Ok(written.rows);
                }
                Turn::Overtaken => {
                    debug!(table = %self.location(), "Another append was faster; looking again");
                    earlier = Some(written);
                }
            }
        }
        self.discard(earlier).await;
        Err(LakeError::Contended { location: self.location().to_string(), attempts: COMMIT_ATTEMPTS_MAX })
    }

    /// Marks the rows whose event the table has.
    async fn find_known(
        &self,
        known: &mut KnownIds,
        table: &DeltaTable,
        incoming: &Incoming,
    ) -> Result<Vec<bool>, LakeError> {
        let files = self.files_by_day(table, incoming)?;
        let plan = known.plan(&files, &incoming.counts());
        let mut in_table = vec![false; incoming.len()];
        if let Err(error) = self.read_planned(known, table, incoming, &plan, &mut in_table).await {
            known.clear();
            return Err(error);
        }
        for day in incoming.days() {
            for (row, id) in incoming.events_of(day) {
                in_table[row as usize] |= known.contains(day, id);
            }
        }
        Ok(in_table)
    }

    /// Reads what the plan names: learns the ids of days that are kept, and marks the rows that are met in
    /// others.
    async fn read_planned(
        &self,
        known: &mut KnownIds,
        table: &DeltaTable,
        incoming: &Incoming,
        plan: &ReadingPlan,
        in_table: &mut [bool],
    ) -> Result<(), LakeError> {
        if !plan.learnt.is_empty() {
            let files = plan.learnt.iter().map(|(_, path)| path.as_str());
            self.read_ids(table, files, None, |day, id| known.learn(day, [id])).await?;
            for (day, path) in &plan.learnt {
                known.learnt_file(*day, path);
            }
        }
        if !plan.passing.is_empty() {
            let files = plan.passing.iter().map(String::as_str);
            self.read_ids(table, files, self.alike(incoming), |day, id| {
                if let Some(row) = incoming.row(day, id) {
                    in_table[row as usize] = true;
                }
            })
            .await?;
        }
        Ok(())
    }

    /// What stored events have in common with those that may be the same as one of `incoming`, where that can be
    /// said in few words. Parts of files that hold no such events need not be read.
    fn alike(&self, incoming: &Incoming) -> Option<Expr> {
        if self.kind().id_holds_time() {
            let (first, last) = incoming.times()?;
            let time = |micros| lit(ScalarValue::TimestampMicrosecond(Some(micros), Some("UTC".into())));
            return Some(col("event_at").between(time(first), time(last)));
        }
        let statements = incoming.statements()?;
        let statements = statements.into_iter().map(|id| lit(ScalarValue::Binary(Some(id))));
        Some(col(STATEMENT).in_list(statements.collect(), false))
    }

    /// The table's files of the days that the events fall on, by the log.
    fn files_by_day(
        &self,
        table: &DeltaTable,
        incoming: &Incoming,
    ) -> Result<BTreeMap<Day, Vec<DataFile>>, LakeError> {
        let days: HashMap<String, Day> =
            incoming.days().filter_map(|day| Some((partition_name(day)?, day))).collect();
        let mut files: BTreeMap<Day, Vec<DataFile>> = days.values().map(|day| (*day, Vec::new())).collect();
        let state = table.snapshot().map_err(|e| self.delta_error(e))?;
        for file in state.log_data().iter() {
            let partition = file.partition_values_map().remove(DAY).flatten();
            let Some(day) = partition.and_then(|name| days.get(&name).copied()) else { continue };
            let times = if self.kind().id_holds_time() { times_of(&file) } else { None };
            let overlaps = match (times, incoming.times_of(day)) {
                (Some((first, last)), Some((from, until))) => first <= until && from <= last,
                _ => true,
            };
            let file = DataFile { path: file.path().into_owned(), rows: file.num_records(), overlaps };
            files.entry(day).or_default().push(file);
        }
        Ok(files)
    }

    /// Hands the day and id of each event in the files to `meet`.
    async fn read_ids<'f>(
        &self,
        table: &DeltaTable,
        files: impl Iterator<Item = &'f str>,
        filter: Option<Expr>,
        mut meet: impl FnMut(Day, u128),
    ) -> Result<(), LakeError> {
        let schema = self.kind().schema();
        let read = |name: &&str| schema.field_with_name(name).ok().cloned();
        let columns: Vec<Field> = [DAY, "event_id", "event_at", STATEMENT].iter().filter_map(read).collect();
        let failed = |e| self.query_error(e);
        let scan = scan(table, Schema::new(columns), &self.session).map_err(failed)?.with_file_paths(files);
        let mut events = self.session.read_table(Arc::new(scan)).map_err(failed)?;
        if let Some(filter) = filter {
            events = events.filter(filter).map_err(failed)?;
        }
        let events = events.select_columns(&[DAY, "event_id"]).map_err(failed)?;
        let mut batches = events.execute_stream().await.map_err(failed)?;
        while let Some(batch) = batches.next().await {
            let batch = batch.map_err(failed)?;
            let days = batch.column(0).as_primitive::<Date32Type>();
            let ids = batch.column(1).as_binary::<i32>();
            for (day, bytes) in days.values().iter().zip(ids) {
                // Ids of another length are not ours, so that no event of ours equals them.
                if let Some(id) = bytes.and_then(event_id) {
                    meet(*day, id);
                }
            }
        }
        Ok(())
    }

    async fn commit(&self, table: &DeltaTable, files: &[Add]) -> Result<Turn, LakeError> {
        let based_on = table.snapshot().map_err(|e| self.delta_error(e))?;
        // Delta compares the names only; the number is for people who read the log.
        let turn = i64::try_from(based_on.version()).unwrap_or(i64::MAX).saturating_add(1);
        // The log is cleaned up by the upkeep: to do so at each commit would list it each time.
        let properties = CommitProperties::default()
            .with_application_transaction(Transaction::new(APPEND_TURN, turn))
            .with_cleanup_expired_logs(Some(false));
        let operation = DeltaOperation::Write {
            mode: SaveMode::Append,
            partition_by: Some(vec![DAY.to_owned()]),
            predicate: None,
        };
        let commit = CommitBuilder::from(properties)
            .with_actions(files.iter().cloned().map(Action::Add).collect())
            .build(Some(based_on), table.log_store(), operation)
            .into_prepared_commit_future()
            .await
            .map_err(|e| self.delta_error(e))?;
        match commit.await {
            Ok(committed) => {
                // From here on the events are stored; a checkpoint that fails only costs readers time.
                if let Err(error) = committed.await {
                    warn!(table = %self.location(), %error, "The table's log could not be tidied up");
                }
                Ok(Turn::Committed)
            }
            Err(error) if was_overtaken(&error) => Ok(Turn::Overtaken),
            Err(error) => Err(self.delta_error(error)),
        }
    }

    /// Removes the files of an append that did not come to a commit.
    async fn discard(&self, written: Option<Written>) {
        self.discard_files(written.map(|written| written.files).unwrap_or_default()).await;
    }
}

/// Whether a commit failed because the table is no longer as it was looked at.
fn was_overtaken(error: &DeltaTableError) -> bool {
    match error {
        DeltaTableError::VersionAlreadyExists(_) => true,
        DeltaTableError::Transaction { source } => matches!(
            source,
            TransactionError::VersionAlreadyExists(_)
                | TransactionError::MaxCommitAttempts(_)
                | TransactionError::CommitConflict(
                    CommitConflictError::ConcurrentTransaction
                        // Old days were forgotten, or superseded lines dropped.
                        | CommitConflictError::ConcurrentDeleteRead
                        | CommitConflictError::MetadataChanged
                        | CommitConflictError::ProtocolChanged(_)
                )
        ),
        _ => false,
    }
}

/// When the first and the last event of a file happened, in microseconds since 1970; `None` if the log does not
/// say.
fn times_of(file: &LogicalFileView) -> Option<(i64, i64)> {
    let micros = |values: Option<Scalar>| match values? {
        Scalar::Struct(values) => match values.value(values.index_of("event_at")?)? {
            Scalar::Timestamp(micros) => Some(*micros),
            _ => None,
        },
        _ => None,
    };
    Some((micros(file.min_values())?, micros(file.max_values())?))
}

fn remember(known: &mut KnownIds, incoming: &Incoming, written: &Written) {
    for day in incoming.days() {
        known.learn(day, incoming.events_of(day).map(|(_, id)| id));
    }
    let days: HashMap<String, Day> =
        incoming.days().filter_map(|day| Some((partition_name(day)?, day))).collect();
    for file in &written.files {
        let partition = file.partition_values.get(DAY).cloned().flatten();
        if let Some(day) = partition.and_then(|name| days.get(&name).copied()) {
            known.learnt_file(day, &file.path);
        }
    }
}
