//! One Delta table: finding it, creating it, and giving it columns that have come since.

use std::collections::HashMap;

use arrow_schema::{Field, SchemaRef};
use datafusion::object_store::ObjectStore;
use datafusion::prelude::SessionContext;
use deltalake::kernel::engine::arrow_conversion::TryIntoKernel;
use deltalake::kernel::transaction::{CommitProperties, TransactionError};
use deltalake::kernel::{StructField, StructType};
use deltalake::protocol::SaveMode;
use deltalake::{DeltaTable, DeltaTableBuilder, DeltaTableError, TableProperty};
use futures::StreamExt;
use ingest::schema::{DAY, Kind};
use tokio::sync::Mutex;
use tracing::debug;
use url::Url;

use crate::LakeError;
use crate::compact::Inspected;
use crate::files::LOGGED_STATISTICS;
use crate::known::KnownIds;

/// How many commits a checkpoint comes after. To make one, Delta reads the commits since the last all at once, with room
/// for a thousand files each: that took 340 MB of memory for the 100 commits that are usual, a fifth of it for 20.
const CHECKPOINT_INTERVAL: &str = "20";

/// The folder of a Delta table that holds its log.
pub(crate) const LOG_FOLDER: &str = "_delta_log";

/// The table of one kind, whether it exists yet or not.
pub(crate) struct EventTable {
    kind: Kind,
    location: Url,
    options: HashMap<String, String>,
    /// The table as last seen, to read only what its log got since.
    last_seen: Mutex<Option<DeltaTable>>,
    /// Held by the one append of this process that is under way. Other processes are kept apart by
    /// the log; see the module `append`.
    pub(crate) known: Mutex<KnownIds>,
    /// Held by the one compaction, vacuum or forgetting of this process that is under way.
    pub(crate) upkeep: Mutex<Inspected>,
    /// Where the lake's own queries run.
    pub(crate) session: SessionContext,
}

impl EventTable {
    pub(crate) fn new(
        kind: Kind,
        location: Url,
        options: HashMap<String, String>,
        known_ids_max: usize,
    ) -> Self {
        Self {
            kind,
            location,
            options,
            last_seen: Mutex::new(None),
            known: Mutex::new(KnownIds::new(known_ids_max)),
            upkeep: Mutex::new(Inspected::new()),
            session: SessionContext::new(),
        }
    }

    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }

    pub(crate) fn location(&self) -> &Url {
        &self.location
    }

    /// An error of Delta, said of this table.
    pub(crate) fn delta_error(&self, source: DeltaTableError) -> LakeError {
        LakeError::delta(&self.location, source)
    }

    /// An error of DataFusion, said of this table.
    pub(crate) fn query_error(&self, source: datafusion::error::DataFusionError) -> LakeError {
        LakeError::query(&self.location, source)
    }

    /// The table as it is now; `None` if it does not exist.
    pub(crate) async fn current(&self) -> Result<Option<DeltaTable>, LakeError> {
        let mut last_seen = self.last_seen.lock().await;
        let current = match last_seen.take() {
            Some(mut table) => match table.update_state().await {
                Ok(()) => Some(table),
                Err(error) => {
                    // The log may have been cleaned up beyond what we knew. Loading it all tells
                    // whether anything is really wrong.
                    debug!(table = %self.location, %error, "Loading the table anew");
                    self.load().await?
                }
            },
            None => self.load().await?,
        };
        last_seen.clone_from(&current);
        Ok(current)
    }

    /// The table as it is now, created if need be, with all columns of the kind.
    pub(crate) async fn ready_for_append(&self) -> Result<DeltaTable, LakeError> {
        let table = match self.current().await? {
            Some(table) => table,
            None => self.create().await?,
        };
        let missing = self.compare_columns(&table)?.missing;
        if missing.is_empty() { Ok(table) } else { self.add_columns(table, &missing).await }
    }

    /// Which columns of the kind the table has.
    pub(crate) fn compare_columns(&self, table: &DeltaTable) -> Result<Columns, LakeError> {
        let found = table.snapshot().map_err(|e| self.delta_error(e))?.snapshot().arrow_schema();
        let mut columns = Columns { present: Vec::new(), missing: Vec::new() };
        for wanted in self.kind.schema().fields() {
            let problem = |found: String| LakeError::Column {
                location: self.location.to_string(),
                column: wanted.name().clone(),
                found,
                expected: wanted.data_type().to_string(),
            };
            match found.field_with_name(wanted.name()) {
                Ok(field) if field.data_type() == wanted.data_type() => {
                    columns.present.push(wanted.as_ref().clone());
                }
                Ok(field) => return Err(problem(field.data_type().to_string())),
                Err(_) if wanted.is_nullable() => columns.missing.push(wanted.as_ref().clone()),
                Err(_) => return Err(problem("missing".to_owned())),
            }
        }
        Ok(columns)
    }

    fn unloaded(&self) -> Result<DeltaTable, LakeError> {
        DeltaTableBuilder::from_url(self.location.clone())
            .and_then(|builder| builder.with_storage_options(self.options.clone()).build())
            .map_err(|e| self.delta_error(e))
    }

    async fn load(&self) -> Result<Option<DeltaTable>, LakeError> {
        let mut table = self.unloaded()?;
        if !table.verify_deltatable_existence().await.map_err(|e| self.delta_error(e))? {
            return Ok(None);
        }
        table.load().await.map_err(|e| self.delta_error(e))?;
        Ok(Some(table))
    }

    async fn create(&self) -> Result<DeltaTable, LakeError> {
        let empty = self.unloaded()?;
        if let Some(found) = self.foreign_file(&empty).await? {
            // Unless another process has just created the table and written to it.
            return self
                .load()
                .await?
                .ok_or_else(|| LakeError::NotATable { location: self.location.to_string(), found });
        }
        // No second try: it would write another creation over that of whoever was faster.
        let once = CommitProperties::default().with_max_retries(0);
        let created = empty
            .create()
            .with_columns(self.delta_columns(&self.kind.schema())?)
            .with_partition_columns([DAY])
            .with_table_name(self.kind.name())
            .with_configuration_property(TableProperty::DataSkippingStatsColumns, Some(LOGGED_STATISTICS))
            .with_configuration_property(TableProperty::CheckpointInterval, Some(CHECKPOINT_INTERVAL))
            .with_save_mode(SaveMode::Ignore)
            .with_commit_properties(once)
            .await;
        match created {
            Ok(table) => Ok(table),
            Err(error) => match self.load().await? {
                Some(table) => Ok(table),
                None => Err(self.delta_error(error)),
            },
        }
    }

    /// The name of a file, if the folder holds any besides a log that is about to be.
    async fn foreign_file(&self, table: &DeltaTable) -> Result<Option<String>, LakeError> {
        let store = table.object_store();
        let mut files = store.list(None);
        while let Some(file) = files.next().await {
            let file = file.map_err(|source| self.delta_error(DeltaTableError::ObjectStore { source }))?;
            let in_log = file.location.parts().next().is_some_and(|part| part.as_ref() == LOG_FOLDER);
            if !in_log {
                return Ok(Some(file.location.to_string()));
            }
        }
        Ok(None)
    }

    async fn add_columns(&self, table: DeltaTable, missing: &[Field]) -> Result<DeltaTable, LakeError> {
        let schema = SchemaRef::new(arrow_schema::Schema::new(missing.to_vec()));
        let added = table.add_columns().with_fields(self.delta_columns(&schema)?).await;
        match added {
            Ok(table) => Ok(table),
            Err(DeltaTableError::Transaction { source: TransactionError::CommitConflict(_) }) => {
                // Somebody else changed the table, most likely in the same way.
                let current = self.current().await?;
                let current = current.ok_or_else(|| self.delta_error(DeltaTableError::NotInitialized))?;
                match self.compare_columns(&current)?.missing.first() {
                    None => Ok(current),
                    Some(_) => Err(LakeError::Contended { location: self.location.to_string(), attempts: 1 }),
                }
            }
            Err(error) => Err(self.delta_error(error)),
        }
    }

    fn delta_columns(&self, schema: &SchemaRef) -> Result<Vec<StructField>, LakeError> {
        let columns: Result<StructType, _> = schema.clone().try_into_kernel();
        let columns = columns.map_err(|source| self.delta_error(DeltaTableError::Arrow { source }))?;
        Ok(columns.fields().cloned().collect())
    }
}

/// The columns of a kind, by whether a table has them.
pub(crate) struct Columns {
    /// Those it has, in the order of the kind's schema.
    pub(crate) present: Vec<Field>,
    /// Those it lacks, all nullable.
    pub(crate) missing: Vec<Field>,
}
