//! A detector, and one run of it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use alerts::{CustomerTenantId, DetectorSetting, Finding, PartnerTenantId, SubscriptionId};
use chrono::{DateTime, TimeDelta, Utc};
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::common::{DataFusionError, Result as QueryResult};
use datafusion::dataframe::DataFrame;
use datafusion::datasource::MemTable;
use datafusion::execution::context::SQLOptions;
use datafusion::logical_expr::ScalarUDF;
use datafusion::prelude::SessionContext;
use futures::TryStreamExt;
use humantime::format_duration;
use ingest::schema::Kind;

use crate::candidates::{self, Candidates};
use crate::files::Text;
use crate::findings::{self, Context};
use crate::functions::SettingFunction;
use crate::held;
use crate::reads::{self, Reads};
use crate::session::Limits;
use crate::views;
use crate::{Manifest, ShapeError, Window};

/// A detector: what its manifest says, its query, and its cases.
#[derive(Debug, Clone)]
pub struct Detector {
    /// What the manifest says.
    pub manifest: Manifest,
    /// The query, in DataFusion's SQL.
    pub sql: String,
    /// The query that tells whose events [`sql`](Self::sql) has to see, if there is one; see [`Candidates`].
    pub candidates_sql: Option<String>,
    /// Where it comes from: a path for people to find it.
    pub origin: String,
    /// The texts of its cases, by name.
    pub(crate) cases: Vec<Text>,
    /// Numbers that the operator chose in place of the manifest's.
    pub(crate) settings: Vec<DetectorSetting>,
    /// What its queries read of their tables, by their texts, once that was asked for.
    pub(crate) reads: Arc<Mutex<HashMap<String, Arc<Reads>>>>,
}

/// Why a run failed.
#[derive(Debug, thiserror::Error)]
pub enum DetectError {
    /// The window holds no time.
    #[error("detector {detector}: the window ends at or before its start")]
    EmptyWindow {
        /// The detector's id.
        detector: String,
    },
    /// The session lacks a table that the manifest names.
    #[error("detector {detector}: the session has no table '{table}', which the manifest names as an input")]
    MissingTable {
        /// The detector's id.
        detector: String,
        /// The table.
        table: String,
        /// What DataFusion says.
        #[source]
        source: Box<DataFusionError>,
    },
    /// The query is wrong, or its run failed.
    #[error("detector {detector}: the query failed")]
    Query {
        /// The detector's id.
        detector: String,
        /// What DataFusion says.
        #[source]
        source: Box<DataFusionError>,
    },
    /// The query gives something other than findings.
    #[error("detector {detector}: {shape}")]
    Shape {
        /// The detector's id.
        detector: String,
        /// What is wrong with which column.
        shape: ShapeError,
    },
    /// The query for candidates gives something else than columns of tables.
    #[error("detector {detector}: {problem}")]
    Candidates {
        /// The detector's id.
        detector: String,
        /// What is wrong with which column.
        problem: String,
    },
    /// The run took too long.
    #[error("detector {detector}: stopped after {}", format_duration(*limit))]
    Timeout {
        /// The detector's id.
        detector: String,
        /// How long it might have taken.
        limit: std::time::Duration,
    },
    /// The query gives more findings than anyone could read.
    #[error("detector {detector}: more than {limit} findings in one run; the query lacks a condition")]
    TooManyFindings {
        /// The detector's id.
        detector: String,
        /// How many it might have given.
        limit: usize,
    },
}

impl Detector {
    /// The same detector with numbers that the operator chose; those of other detectors are passed over.
    #[must_use]
    pub fn with_settings(&self, chosen: &[DetectorSetting]) -> Self {
        let own = chosen.iter().filter(|setting| setting.detector_id == self.manifest.id);
        Self { settings: own.cloned().collect(), ..self.clone() }
    }

    /// The number that the operator chose for a setting, if any, of an alert's customer and subscription.
    #[must_use]
    pub fn chosen(
        &self,
        name: &str,
        customer: &CustomerTenantId,
        subscription: &SubscriptionId,
    ) -> Option<&DetectorSetting> {
        DetectorSetting::narrowest(&self.settings, name, Some(customer.as_str()), Some(subscription.as_str()))
    }

    /// Looks at one partner's events and gives the findings whose evidence falls into the window.
    ///
    /// The session is one of [`crate::session()`] with the tables of the detector's inputs. Findings
    /// come in a total order: by subscription, time, grouping key and words.
    ///
    /// # Errors
    ///
    /// [`DetectError`]; nothing is half given.
    pub async fn run(
        &self,
        session: &SessionContext,
        window: &Window,
        partner: &PartnerTenantId,
    ) -> Result<Vec<Finding>, DetectError> {
        let candidates = self.candidates(session, window, partner).await?;
        self.run_on(session, window, partner, candidates.as_ref()).await
    }

    /// Whose events a run over the window has to see; `None` if all, since the detector does not tell.
    ///
    /// # Errors
    ///
    /// As [`run`](Self::run).
    pub async fn candidates(
        &self,
        session: &SessionContext,
        window: &Window,
        partner: &PartnerTenantId,
    ) -> Result<Option<Candidates>, DetectError> {
        self.check_window(window)?;
        let limits = Limits::of(session);
        let failed = |error| self.query_error(error);
        let look = async {
            let mut named: Option<Candidates> = None;
            for sql in self.candidate_queries()? {
                if named.as_ref().is_some_and(Candidates::is_empty) {
                    break;
                }
                let query = self.planned_candidates(session, window, partner, &sql, named.as_ref()).await?;
                let rows = query.collect().await.map_err(failed)?;
                named = Some(Candidates::read(&rows).map_err(failed)?);
            }
            Ok(named)
        };
        self.in_time(&limits, look).await
    }

    /// As [`run`](Self::run), seeing only the events of these candidates; all events if there are none given.
    ///
    /// # Errors
    ///
    /// As [`run`](Self::run).
    pub async fn run_on(
        &self,
        session: &SessionContext,
        window: &Window,
        partner: &PartnerTenantId,
        candidates: Option<&Candidates>,
    ) -> Result<Vec<Finding>, DetectError> {
        self.check_window(window)?;
        if candidates.is_some_and(Candidates::is_empty) {
            return Ok(Vec::new());
        }
        let limits = Limits::of(session);
        let batches = self.in_time(&limits, self.rows(session, window, partner, candidates, &limits)).await?;

        let context = Context { manifest: &self.manifest, partner };
        let mut findings = Vec::new();
        for batch in &batches {
            let found = findings::read(&context, batch)
                .map_err(|shape| DetectError::Shape { detector: self.manifest.id.clone(), shape })?;
            findings.extend(found);
        }
        let evidence_since = window.evidence_since(&self.manifest.inputs);
        findings.retain(|finding| {
            finding.last_observed_at >= evidence_since && finding.first_observed_at < window.until
        });
        findings.sort_by(|a, b| findings::order(a).cmp(&findings::order(b)));
        Ok(findings)
    }

    fn check_window(&self, window: &Window) -> Result<(), DetectError> {
        if window.until <= window.since {
            return Err(DetectError::EmptyWindow { detector: self.manifest.id.clone() });
        }
        Ok(())
    }

    async fn in_time<T>(
        &self,
        limits: &Limits,
        work: impl Future<Output = Result<T, DetectError>>,
    ) -> Result<T, DetectError> {
        let limit = limits.run_timeout;
        tokio::time::timeout(limit, work)
            .await
            .map_err(|_| DetectError::Timeout { detector: self.manifest.id.clone(), limit })?
    }

    /// The query over what a run may see, planned and its columns checked.
    pub(crate) async fn planned(
        &self,
        session: &SessionContext,
        window: &Window,
        partner: &PartnerTenantId,
        candidates: Option<&Candidates>,
    ) -> Result<DataFrame, DetectError> {
        let own = self.own_session(session, window, partner, candidates, &self.sql).await?;
        let query = self.prepared(&own, window, &self.sql).await?;
        findings::check(&self.manifest, query.schema().as_arrow())
            .map_err(|shape| DetectError::Shape { detector: self.manifest.id.clone(), shape })?;
        Ok(query)
    }

    /// The queries for candidates; none if there is no file of them.
    pub(crate) fn candidate_queries(&self) -> Result<Vec<String>, DetectError> {
        let Some(sql) = &self.candidates_sql else { return Ok(Vec::new()) };
        candidates::steps(sql, &self.sql).map_err(|error| self.query_error(error))
    }

    /// A query for candidates over those whom the one before named, planned and its columns checked.
    pub(crate) async fn planned_candidates(
        &self,
        session: &SessionContext,
        window: &Window,
        partner: &PartnerTenantId,
        sql: &str,
        named_before: Option<&Candidates>,
    ) -> Result<DataFrame, DetectError> {
        let own = self.own_session(session, window, partner, named_before, sql).await?;
        let query = self.prepared(&own, window, sql).await?;
        match Candidates::problem(query.schema().as_arrow(), &self.manifest.inputs) {
            Some(problem) => Err(DetectError::Candidates { detector: self.manifest.id.clone(), problem }),
            None => Ok(query),
        }
    }

    /// A query, with the bounds of the run in the place of its parameters.
    async fn prepared(
        &self,
        own: &SessionContext,
        window: &Window,
        sql: &str,
    ) -> Result<DataFrame, DetectError> {
        let options =
            SQLOptions::new().with_allow_ddl(false).with_allow_dml(false).with_allow_statements(false);
        let inputs = &self.manifest.inputs;
        let visible_until =
            inputs.iter().map(|kind| window.visible_until(*kind)).max().unwrap_or(window.until);
        let parameters = vec![
            ("since", views::time(window.evidence_since(inputs))),
            ("until", views::time(visible_until)),
        ];
        let planned = own.sql_with_options(sql, options).await;
        planned.and_then(|plan| plan.with_param_values(parameters)).map_err(|error| self.query_error(error))
    }

    /// The rows of the query.
    async fn rows(
        &self,
        session: &SessionContext,
        window: &Window,
        partner: &PartnerTenantId,
        candidates: Option<&Candidates>,
        limits: &Limits,
    ) -> Result<Vec<RecordBatch>, DetectError> {
        let failed = |error| self.query_error(error);
        let query = self.planned(session, window, partner, candidates).await?;
        let mut stream = query.execute_stream().await.map_err(failed)?;
        let mut batches = Vec::new();
        let mut rows = 0;
        while let Some(batch) = stream.try_next().await.map_err(failed)? {
            rows += batch.num_rows();
            if rows > limits.findings_max {
                let limit = limits.findings_max;
                return Err(DetectError::TooManyFindings { detector: self.manifest.id.clone(), limit });
            }
            batches.push(batch);
        }
        Ok(batches)
    }

    /// A session that has only what a query of this run may see, and of that what it has to see.
    async fn own_session(
        &self,
        session: &SessionContext,
        window: &Window,
        partner: &PartnerTenantId,
        candidates: Option<&Candidates>,
        sql: &str,
    ) -> Result<SessionContext, DetectError> {
        let own = self.bare_session(session).await?;
        let history = window.history_since(&self.manifest.inputs, self.manifest.lookback);
        let all = Candidates::default();
        let candidates = candidates.unwrap_or(&all);
        for kind in &self.manifest.inputs {
            let until = window.visible_until(*kind);
            let is_to_hold = candidates.restricts(*kind) && !held::is_in_memory(session, *kind).await;
            let reads = if is_to_hold { Some(self.reads(session, sql).await?) } else { None };
            let since = reads.as_ref().map_or(history, |reads| self.reads_since(reads, window, *kind));
            let mut view = views::events_of(session, *kind, partner, since, until, candidates).await;
            if let (Some(reads), Ok(events)) = (&reads, &view)
                && let Some(table) = self.held(session, *kind, events.clone(), reads).await?
            {
                view = session.read_table(table);
            }
            self.register(&own, Kind::name(*kind), view)?;
        }
        Ok(own)
    }

    /// Events in memory; `None` if they are too many.
    async fn held(
        &self,
        session: &SessionContext,
        kind: Kind,
        events: DataFrame,
        reads: &Reads,
    ) -> Result<Option<Arc<MemTable>>, DetectError> {
        let read = reads.of(kind.name()).cloned().unwrap_or_default();
        let held = held::hold(session, kind, events, &read, held::HELD_BYTES_MAX).await;
        held.map_err(|error| self.query_error(error))
    }

    /// A session with the functions and indicators of the detector, without events.
    async fn bare_session(&self, session: &SessionContext) -> Result<SessionContext, DetectError> {
        let own = views::empty_session(session).map_err(|error| self.query_error(error))?;
        own.register_udf(ScalarUDF::from(SettingFunction::new(&self.manifest.settings, &self.settings)));
        for table in &self.manifest.indicators {
            self.register(&own, table, session.table(table.as_str()).await)?;
        }
        Ok(own)
    }

    /// What one of its queries reads of its tables, whatever the window.
    pub(crate) async fn reads(&self, session: &SessionContext, sql: &str) -> Result<Arc<Reads>, DetectError> {
        let known = self.reads.lock().unwrap_or_else(PoisonError::into_inner).get(sql).cloned();
        if let Some(known) = known {
            return Ok(known);
        }
        let failed = |error| self.query_error(error);
        let own = self.bare_session(session).await?;
        reads::register_empty(&own, &self.manifest.inputs).map_err(failed)?;
        let since = reads::end_of_all_units();
        let window = Window::new(since, since + TimeDelta::hours(1));
        let plan = self.prepared(&own, &window, sql).await?.into_optimized_plan().map_err(failed)?;
        let reads = Arc::new(reads::reads_of(&plan, since).map_err(failed)?);
        let mut all = self.reads.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(Arc::clone(all.entry(sql.to_owned()).or_insert(reads)))
    }

    /// From when on a query reads events of a kind: the lookback, or less where it says so.
    pub(crate) fn reads_since(&self, reads: &Reads, window: &Window, kind: Kind) -> DateTime<Utc> {
        let inputs = &self.manifest.inputs;
        let history = window.history_since(inputs, self.manifest.lookback);
        if kind == Kind::Cost {
            // Which statement of a day counts is found among all its lines.
            return history;
        }
        let named = reads.of(kind.name());
        let named = named.and_then(|read| read.since(window.evidence_since(inputs)));
        named.map_or(history, |named| named.max(history))
    }

    fn register(
        &self,
        own: &SessionContext,
        table: &str,
        view: QueryResult<DataFrame>,
    ) -> Result<(), DetectError> {
        let view = view.map_err(|error| DetectError::MissingTable {
            detector: self.manifest.id.clone(),
            table: table.to_owned(),
            source: Box::new(error),
        })?;
        own.register_table(table, view.into_view()).map_err(|error| self.query_error(error))?;
        Ok(())
    }

    pub(crate) fn query_error(&self, error: DataFusionError) -> DetectError {
        DetectError::Query { detector: self.manifest.id.clone(), source: Box::new(error) }
    }
}
