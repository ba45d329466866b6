//! The lake: normalised events in Delta tables, one table a kind, partitioned by day.
//!
//! [`Lake`] appends events and shows them to DataFusion. A table is a folder under the lake's root,
//! named after its [`Kind`]: Parquet files, and beside them the Delta log that says which of the files
//! count. The columns are those of [`Kind::schema`].
//!
//! What always holds:
//!
//! - An append is one commit: readers see all of it or none. A process killed in the middle leaves
//!   files that no commit names; they take space until a vacuum, and change nothing else.
//! - An event is stored once a day partition, by its `event_id`, however often it is appended and by
//!   however many processes at once. Nothing but the table's own log guards this, so it holds on any
//!   storage that can create a file only if it is absent: local disks, Azure Blob, S3. See
//!   the module `append`.
//! - A table written by an older version, without columns that have come since, can be read (the
//!   columns are null) and gets the columns with the next append.
//!
//! Each append leaves a file or a few for each day that it touches, so callers should append in large chunks (see
//! [`Lake::append`]), and somebody must call [`Lake::compact`] now and then.
//!
//! Correctness does not rest on any memory of this process: the ids and table states that it keeps
//! only save reading.

mod append;
mod compact;
mod encode;
mod error;
mod expire;
mod files;
mod incoming;
mod known;
mod read;
mod rewrite;
mod s3;
mod storage;
mod superseded;
mod table;
mod texts;
mod write;

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use arrow_array::RecordBatch;
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use datafusion::catalog::TableProvider;
use datafusion::prelude::SessionContext;
use ingest::schema::Kind;
use url::Url;

pub use append::Appended;
pub use compact::{Compacted, CompactionOptions};
pub use error::LakeError;
pub use expire::{Forgotten, LogTidied, Vacuumed};
pub use known::KNOWN_IDS_MAX;
pub use read::TableSummary;

use incoming::Incoming;
use table::EventTable;

/// The tables of events under one root. Cheap to clone; all clones share what they remember.
#[derive(Clone)]
pub struct Lake {
    root: Url,
    tables: Arc<BTreeMap<Kind, EventTable>>,
}

impl Lake {
    /// The lake under `root`, such as `file:///var/lib/tenantwatch/events` or
    /// `abfss://container@account.dfs.core.windows.net/events` (with the cargo feature `azure`).
    ///
    /// `options` are passed to the storage: account names, keys, endpoints. They are kept out of every
    /// message. Nothing is contacted or created: a table comes to be with its first append.
    ///
    /// # Errors
    ///
    /// [`LakeError::Location`] if this build knows no such storage, or a file is in the way.
    pub fn open(root: &Url, options: &HashMap<String, String>) -> Result<Self, LakeError> {
        Self::open_remembering(root, options, KNOWN_IDS_MAX)
    }

    /// As [`Lake::open`], with a bound on the memory: how many event ids each table may remember.
    ///
    /// Each takes 20 to 40 bytes. Of days whose ids do not fit, an append reads again what may hold its events:
    /// the files of the same hours, where the log tells.
    ///
    /// # Errors
    ///
    /// As [`Lake::open`].
    pub fn open_remembering(
        root: &Url,
        options: &HashMap<String, String>,
        known_ids_max: usize,
    ) -> Result<Self, LakeError> {
        let root = storage::check_root(root)?;
        let mut tables = BTreeMap::new();
        for kind in Kind::ALL {
            let location = storage::table_location(&root, kind)?;
            tables.insert(kind, EventTable::new(kind, location, options.clone(), known_ids_max));
        }
        Ok(Self { root, tables: Arc::new(tables) })
    }

    /// The lake in a local directory, which need not exist yet.
    ///
    /// # Errors
    ///
    /// [`LakeError::Location`] if a file is in the way or the path cannot be written as a URL.
    pub fn in_directory(directory: &Path) -> Result<Self, LakeError> {
        Self::open(&storage::directory_url(directory)?, &HashMap::new())
    }

    /// Where the lake is; ends with a slash.
    #[must_use]
    pub fn root(&self) -> &Url {
        &self.root
    }

    /// Stores those of the events that the table does not have yet, all in one commit.
    ///
    /// The batches have the columns of [`Kind::schema`] in its order; texts may be
    /// [repeated ones](ingest::repeated_text). An event whose `event_id` is
    /// already in the table under the same `day`, or earlier in `batches`, is counted as a duplicate
    /// and dropped. If nothing is left, nothing is committed.
    ///
    /// Memory: the size of `batches`, some ten MB a core for what is being encoded, and the ids that are
    /// remembered (bounded, see the module `known`). The caller bounds it by appending in chunks; 100,000 to
    /// 500,000 rows make good files. Sorting runs on the calling task, so that a server should give an append a
    /// task of its own; encoding runs on tasks of its own, which let others pass every few milliseconds.
    ///
    /// # Errors
    ///
    /// [`LakeError`]. Unless it says otherwise, nothing of this append is visible then, and it can be
    /// tried again as a whole: what did get through is recognised as a duplicate.
    pub async fn append(&self, kind: Kind, batches: Vec<RecordBatch>) -> Result<Appended, LakeError> {
        let is_new = self.append_rows(kind, &batches).await?;
        let stored = is_new.iter().filter(|is_new| **is_new).count() as u64;
        Ok(Appended { stored, duplicates: is_new.len() as u64 - stored })
    }

    /// As [`Lake::append`]; tells of each row, in the order of the batches, whether it was new.
    ///
    /// # Errors
    ///
    /// As [`Lake::append`].
    pub async fn append_rows(&self, kind: Kind, batches: &[RecordBatch]) -> Result<Vec<bool>, LakeError> {
        let incoming = Arc::new(Incoming::new(kind, batches)?);
        let mut is_new = vec![false; incoming.len()];
        for row in self.event_table(kind).append(&incoming).await?.iter() {
            is_new[*row as usize] = true;
        }
        Ok(is_new)
    }

    /// Registers the tables `activity`, `cost` and `flow` in a DataFusion session, as they are now.
    ///
    /// Later appends do not show; register again to see them. A table that does not exist yet is
    /// registered as an empty one. The columns are exactly those of [`Kind::schema`], so a query that
    /// works on in-memory batches of that schema works here. Filters on `day` leave out whole files.
    ///
    /// # Errors
    ///
    /// [`LakeError`] if a table cannot be read.
    pub async fn register(&self, session: &SessionContext) -> Result<(), LakeError> {
        for kind in Kind::ALL {
            let table = self.table(kind, session).await?;
            let query_failed = |source| LakeError::query(self.event_table(kind).location(), source);
            session.deregister_table(kind.name()).map_err(query_failed)?;
            session.register_table(kind.name(), table).map_err(query_failed)?;
        }
        Ok(())
    }

    /// One table as it is now, to be read in `session` (which gets to know the table's storage).
    ///
    /// # Errors
    ///
    /// [`LakeError`] if the table cannot be read.
    pub async fn table(
        &self,
        kind: Kind,
        session: &SessionContext,
    ) -> Result<Arc<dyn TableProvider>, LakeError> {
        self.event_table(kind).provider(session).await
    }

    /// When the first and the last event of a kind happened; `None` if there are no events.
    ///
    /// Reads one column of the first and the last day.
    ///
    /// # Errors
    ///
    /// [`LakeError`] if the table cannot be read.
    pub async fn extent(&self, kind: Kind) -> Result<Option<(DateTime<Utc>, DateTime<Utc>)>, LakeError> {
        self.event_table(kind).extent().await
    }

    /// How much the table of a kind holds; reads the log only.
    ///
    /// # Errors
    ///
    /// [`LakeError`] if the log cannot be read.
    pub async fn summary(&self, kind: Kind) -> Result<TableSummary, LakeError> {
        self.event_table(kind).summary().await
    }

    /// How much each table holds, in the order of [`Kind::ALL`]; reads the logs only.
    ///
    /// # Errors
    ///
    /// [`LakeError`] if a table's log cannot be read.
    pub async fn describe(&self) -> Result<Vec<TableSummary>, LakeError> {
        let mut summaries = Vec::with_capacity(Kind::ALL.len());
        for kind in Kind::ALL {
            summaries.push(self.summary(kind).await?);
        }
        Ok(summaries)
    }

    /// Merges the small files of each day into few that are sorted by account and time, and leaves out lines
    /// of cost that a later statement replaced long enough ago.
    ///
    /// Appends by this and other processes go on meanwhile and lose nothing; where another compaction was
    /// faster, the day is left alone and named in the result. `now` tells which days are still filling and
    /// how long lines have been superseded.
    ///
    /// Memory: see [`CompactionOptions::memory_bytes`]. Sorting and encoding run on the calling task.
    ///
    /// # Errors
    ///
    /// [`LakeError`]. What was rewritten before stays, the rest is unchanged.
    pub async fn compact(
        &self,
        kind: Kind,
        options: &CompactionOptions,
        now: DateTime<Utc>,
    ) -> Result<Compacted, LakeError> {
        self.event_table(kind).compact(options, now).await
    }

    /// Takes all days before `first` out of the table, in one commit.
    ///
    /// Events of such days that are appended later are stored, and go when this is called again; they are
    /// counted then.
    ///
    /// # Errors
    ///
    /// [`LakeError`]; nothing is forgotten then.
    pub async fn forget_before(&self, kind: Kind, first: NaiveDate) -> Result<Forgotten, LakeError> {
        self.event_table(kind).forget_before(first).await
    }

    /// Removes data files from the storage that the table has not named for `keep`, or that never came to a
    /// commit and are as old as that.
    ///
    /// Readers and appends that run for longer than `keep` lose their files: days are right, seconds are for
    /// tests. `now` is the time from which on `keep` is counted back.
    ///
    /// # Errors
    ///
    /// [`LakeError`]; some files may be gone then, none that the table names.
    pub async fn vacuum(
        &self,
        kind: Kind,
        keep: TimeDelta,
        now: DateTime<Utc>,
    ) -> Result<Vacuumed, LakeError> {
        self.event_table(kind).vacuum(keep, now).await
    }

    /// Keeps the table fast to open: sees to it that there is a recent checkpoint, and removes entries of
    /// the log that are older than `keep` and stand before one.
    ///
    /// A process that last looked at the table before that reads it anew. Appends do not do this by
    /// themselves.
    ///
    /// # Errors
    ///
    /// [`LakeError`]; the log is whole then.
    pub async fn tidy_log(
        &self,
        kind: Kind,
        keep: TimeDelta,
        now: DateTime<Utc>,
    ) -> Result<LogTidied, LakeError> {
        self.event_table(kind).tidy_log(keep, now).await
    }

    fn event_table(&self, kind: Kind) -> &EventTable {
        self.tables.get(&kind).expect("`open` makes a table for each kind of `Kind::ALL`")
    }
}

impl fmt::Debug for Lake {
    /// The root only: the storage options may hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lake").field("root", &self.root.as_str()).finish_non_exhaustive()
    }
}
