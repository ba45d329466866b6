//! The DataFusion session that runs detectors, and the limits of a run.

use std::sync::Arc;
use std::time::Duration;

use datafusion::common::Result;
use datafusion::execution::memory_pool::GreedyMemoryPool;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::prelude::{SessionConfig, SessionContext};

use crate::functions;
use crate::time_first::TimeFirst;

/// What runs may use. The memory is shared by all runs of a session; the time is for each run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Memory for sorting, joining and grouping, in bytes; what does not fit is written to disk,
    /// and where that cannot be done the run fails.
    pub memory_bytes: usize,
    /// How long one run may take.
    pub run_timeout: Duration,
    /// How many findings one run may give; a query that gives more is broken or badly tuned.
    pub findings_max: usize,
    /// How many threads a query is spread over.
    pub partitions: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory_bytes: 2 << 30,
            run_timeout: Duration::from_secs(300),
            findings_max: 100_000,
            partitions: std::thread::available_parallelism().map_or(1, usize::from),
        }
    }
}

impl Limits {
    /// The limits that a session was made with; the defaults for a session made elsewhere.
    pub(crate) fn of(session: &SessionContext) -> Self {
        session
            .state_ref()
            .read()
            .config()
            .get_extension::<Self>()
            .map_or_else(Self::default, |limits| *limits)
    }
}

/// A session with our functions and these limits, without tables.
///
/// # Errors
///
/// If DataFusion cannot set up its place for temporary files.
pub fn session(limits: Limits) -> Result<SessionContext> {
    // A query has a hundred operators, most of which need next to nothing. Fair shares would leave the few that need
    // much with a hundredth.
    let pool = GreedyMemoryPool::new(limits.memory_bytes);
    let runtime = RuntimeEnvBuilder::new().with_memory_pool(Arc::new(pool)).build_arc()?;
    let mut config = SessionConfig::new()
        .with_target_partitions(limits.partitions.max(1))
        .with_information_schema(false)
        .with_extension(Arc::new(limits));
    // Times in queries are UTC, like the events.
    config.options_mut().execution.time_zone = Some("UTC".to_owned());
    let session = SessionContext::new_with_config_rt(config, runtime);
    session.add_optimizer_rule(Arc::new(TimeFirst));
    functions::register(&session);
    Ok(session)
}
