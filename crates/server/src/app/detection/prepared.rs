//! What detectors that run together find out first: whose events each has to see, and of these what can be read once
//! for all of them.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use alerts::Finding;
use detect::{Candidates, DetectError, Detector, Looking, Together, Window};
use futures::StreamExt as _;
use ingest::schema::Kind;

use super::events::{Events, RunError};
use super::plan::Plan;

/// The table that most detectors read, and the column by which most of them are restricted.
const SHARED: (Kind, &str) = (Kind::Activity, "subscription_id");

/// What is known before detectors run.
#[derive(Default)]
pub(super) struct Prepared {
    /// The candidates of each detector in its window, and how long it took to find them.
    candidates: HashMap<String, (Candidates, Duration)>,
    together: Option<Together>,
}

impl Prepared {
    /// Asks each detector that looks at a window at once. One that fails here fails again when it runs, where that is
    /// reported.
    pub(super) async fn of(events: &Events<'_>, plans: &[Plan], abreast: usize) -> Self {
        let mut asked: Vec<&Plan> = Vec::new();
        let mut questions = Vec::new();
        for plan in plans {
            if plan.slices.len() == 1 && plan.detector.candidates_sql.is_some() {
                asked.push(plan);
                questions.push(ask(events, plan));
            }
        }
        let mut prepared = Self::default();
        let answers: Vec<_> = futures::stream::iter(questions).buffered(abreast).collect().await;
        prepared.candidates.extend(answers.into_iter().flatten());
        prepared.together = prepared.share(events, &asked).await.unwrap_or_else(|error| {
            tracing::warn!(%error, "Events cannot be shared by detectors; each reads its own");
            None
        });
        prepared
    }

    async fn share(&self, events: &Events<'_>, asked: &[&Plan]) -> Result<Option<Together>, RunError> {
        let looking: Vec<Looking<'_>> = asked
            .iter()
            .filter_map(|plan| {
                let (candidates, _) = self.candidates.get(&plan.detector.manifest.id)?;
                let window = plan.slices.first()?;
                (!candidates.is_empty()).then_some(Looking { detector: &plan.detector, window, candidates })
            })
            .collect();
        let (kind, column) = SHARED;
        Ok(Together::hold(events.session().await?, events.partner(), kind, column, &looking).await?)
    }

    /// What one detector finds in one window.
    ///
    /// # Errors
    ///
    /// [`RunError`] if the query fails or runs over its limits.
    pub(super) async fn findings(
        &self,
        events: &Events<'_>,
        detector: &Detector,
        window: &Window,
    ) -> Result<Vec<Finding>, RunError> {
        let Some((candidates, _)) = self.candidates.get(&detector.manifest.id) else {
            return events.findings(detector, window).await;
        };
        let session = match self.together.as_ref().and_then(|together| together.session_for(detector)) {
            Some(shared) => shared,
            None => events.session().await?,
        };
        Ok(detector.run_on(session, window, events.partner(), Some(candidates)).await?)
    }

    /// How long it took to find a detector's candidates.
    pub(super) fn took(&self, detector_id: &str) -> Duration {
        self.candidates.get(detector_id).map_or(Duration::ZERO, |(_, took)| *took)
    }
}

/// The candidates of a detector; `None` if it fails.
async fn ask(events: &Events<'_>, plan: &Plan) -> Option<(String, (Candidates, Duration))> {
    let started = Instant::now();
    let window = plan.slices.first()?;
    let session = events.session().await.ok()?;
    let found: Result<_, DetectError> = plan.detector.candidates(session, window, events.partner()).await;
    let id = &plan.detector.manifest.id;
    match found {
        Ok(candidates) => {
            let (candidates, took) = (candidates?, started.elapsed());
            let ms = took.as_millis();
            tracing::debug!(detector.id = %id, "Candidates of {id}, found in {ms} ms: {candidates}");
            Some((id.clone(), (candidates, took)))
        }
        Err(error) => {
            tracing::debug!(detector.id = %id, error = ?error, "Candidates of {id} cannot be found");
            None
        }
    }
}
