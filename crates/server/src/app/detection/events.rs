//! The events of an instance, as queries see them.

use std::error::Error;
use std::sync::Arc;

use alerts::{Finding, PartnerTenantId};
use datafusion::dataframe::DataFrame;
use datafusion::datasource::MemTable;
use datafusion::error::DataFusionError;
use datafusion::prelude::SessionContext;
use detect::{DetectError, Detector, Window};
use ingest::schema::Kind;
use lake::LakeError;
use store::StoreError;
use tokio::sync::OnceCell;

use crate::app::Instance;

/// Tables of so many events, in files of so many bytes, are read into memory once for all queries: some of these name a
/// table a dozen times, and opening its files is then most of their work. In memory, events are some twenty times as
/// large as in their files.
const HELD_ROWS_MAX: u64 = 500_000;
const HELD_BYTES_MAX: u64 = 16 << 20;

/// Why a detector gave no findings.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The events cannot be read.
    #[error("the events cannot be read")]
    Lake(#[from] LakeError),
    /// The rules or the directory cannot be read.
    #[error("the alert store cannot be read")]
    Store(#[from] StoreError),
    /// The query engine cannot be set up.
    #[error("the query engine cannot be set up")]
    Engine(#[source] Box<dyn Error + Send + Sync>),
    /// The query failed, or ran over its limits.
    #[error(transparent)]
    Query(#[from] DetectError),
}

impl From<DataFusionError> for RunError {
    fn from(error: DataFusionError) -> Self {
        Self::Engine(Box::new(error))
    }
}

/// The events of an instance, opened for the first query and then shared by all: what comes in later is not seen, and
/// what one query read of the files' contents the next need not read again.
pub struct Events<'a> {
    instance: &'a Instance,
    session: OnceCell<SessionContext>,
}

impl<'a> Events<'a> {
    /// Nothing is read yet.
    #[must_use]
    pub fn of(instance: &'a Instance) -> Self {
        Self { instance, session: OnceCell::new() }
    }

    /// What one detector finds in one window.
    ///
    /// # Errors
    ///
    /// [`RunError`] if the query fails or runs over its limits.
    pub async fn findings(&self, detector: &Detector, window: &Window) -> Result<Vec<Finding>, RunError> {
        Ok(detector.run(self.session().await?, window, &self.instance.partner).await?)
    }

    /// Whose events these are.
    pub(super) fn partner(&self) -> &PartnerTenantId {
        &self.instance.partner
    }

    /// The session of all queries, with a table of each kind and of each indicator.
    pub(in crate::app) async fn session(&self) -> Result<&SessionContext, RunError> {
        self.session.get_or_try_init(|| self.open()).await
    }

    async fn open(&self) -> Result<SessionContext, RunError> {
        let session = self.instance.session()?;
        self.instance.lake.register(&session).await?;
        for kind in Kind::ALL {
            let summary = self.instance.lake.summary(kind).await?;
            if summary.rows <= HELD_ROWS_MAX && summary.bytes <= HELD_BYTES_MAX {
                let all = session.table(kind.name()).await?;
                hold(&session, kind, all).await?;
            }
        }
        Ok(session)
    }
}

/// Reads events into memory, and lets queries find them there in place of the lake's.
pub(in crate::app) async fn hold(
    session: &SessionContext,
    kind: Kind,
    events: DataFrame,
) -> Result<(), DataFusionError> {
    let schema = Arc::clone(events.schema().inner());
    let table = MemTable::try_new(schema, events.collect_partitioned().await?)?;
    session.deregister_table(kind.name())?;
    session.register_table(kind.name(), Arc::new(table))?;
    Ok(())
}
