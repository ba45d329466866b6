//! Cases: small stories that a detector must fire on, and near misses that it must not.
//!
//! A case is a TOML file in the detector's folder `cases/`: events in the normalised form, the window
//! to look at, and what is expected. The format is described in `detectors/README.md`. Only columns
//! that matter are written; the others are null. Cases run on tables in memory, without a lake.

mod events;

use std::collections::{BTreeMap, BTreeSet};

use alerts::{Finding, PartnerTenantId};
use chrono::{DateTime, TimeDelta, Utc};
use datafusion::common::DataFusionError;
use datafusion::prelude::SessionContext;
use ingest::schema::Kind;
use serde::Deserialize;
use serde_json::Value;

use crate::detector::{DetectError, Detector};
use crate::indicators::{Indicators, WrittenPool};
use crate::session::{Limits, session};
use crate::window::Window;

pub use events::EventError;

/// The partner that events of a case belong to, unless they say otherwise.
const PARTNER: &str = "partner-1";

/// The partner whose events cases look at.
pub(crate) fn partner() -> PartnerTenantId {
    PARTNER.parse().expect("the partner of cases is a tenant id")
}

/// Into how many slices the time of a case is cut, and by how much they are longer than equal ones: runs are to end in the
/// middle of an hour.
const SLICES: i32 = 3;
const LONGER: TimeDelta = TimeDelta::minutes(17);

/// A case that has been read.
#[derive(Debug, Clone)]
pub struct Case {
    /// The name of its file, without the ending.
    pub name: String,
    /// What the story is.
    pub description: String,
    /// The window that is looked at.
    pub window: Window,
    /// Whether the detector must fire.
    pub fires: bool,
    /// What the findings must be like.
    pub expected: Vec<Expected>,
    events: events::Events,
    mining_pools: Vec<WrittenPool>,
}

/// What a finding must be like. What is not said may be anything.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expected {
    /// Its subscription.
    pub subscription: String,
    /// Its grouping key.
    pub grouping_key: Option<String>,
    /// Its severity, in Graph's word.
    pub severity: Option<String>,
    /// Its confidence, in Graph's word.
    pub confidence: Option<String>,
    /// Words that stand in its description.
    pub says: Option<String>,
    /// Entries of its details.
    #[serde(default)]
    pub details: BTreeMap<String, String>,
}

/// How a case went.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// What the detector found.
    pub findings: Vec<Finding>,
    /// What is not as expected, in words; empty if the case passed.
    pub mismatches: Vec<String>,
}

/// Why a case cannot be run.
#[derive(Debug, thiserror::Error)]
pub enum CaseError {
    /// It is not TOML, or lacks a key, or has one too many.
    #[error("case {case}: {problem}")]
    Syntax {
        /// The case, with its detector.
        case: String,
        /// What is wrong.
        problem: String,
    },
    /// An event makes no sense.
    #[error("case {case}: {event}")]
    Event {
        /// The case, with its detector.
        case: String,
        /// What is wrong with which event.
        event: EventError,
    },
    /// The tables cannot be made.
    #[error("the tables of the case cannot be made")]
    Tables(#[from] DataFusionError),
    /// The detector failed.
    #[error(transparent)]
    Detect(#[from] DetectError),
}

/// The case as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    description: String,
    since: DateTime<Utc>,
    until: DateTime<Utc>,
    fires: bool,
    #[serde(default)]
    expected: Vec<Expected>,
    #[serde(default)]
    defaults: BTreeMap<String, toml::Table>,
    #[serde(default)]
    mining_pools: Vec<WrittenPool>,
    #[serde(default)]
    events: Vec<toml::Table>,
}

impl Case {
    /// The cases of a detector, in the order of their names.
    ///
    /// # Errors
    ///
    /// [`CaseError`] for the first case that cannot be read.
    pub fn of(detector: &Detector) -> Result<Vec<Self>, CaseError> {
        detector
            .cases
            .iter()
            .map(|file| {
                Self::parse(&format!("{}/{}", detector.manifest.id, file.name), &file.name, &file.text)
            })
            .collect()
    }

    fn parse(case: &str, name: &str, text: &str) -> Result<Self, CaseError> {
        let syntax = |problem: String| CaseError::Syntax { case: case.to_owned(), problem };
        let written: Written = toml::from_str(text).map_err(|error| syntax(error.to_string()))?;
        if written.fires == written.expected.is_empty() {
            return Err(syntax("a case that fires has 'expected' findings, a near miss has none".to_owned()));
        }
        let events = events::Events::read(&written.defaults, &written.events)
            .map_err(|event| CaseError::Event { case: case.to_owned(), event })?;
        Ok(Self {
            name: name.to_owned(),
            description: written.description,
            window: Window::new(written.since, written.until),
            fires: written.fires,
            expected: written.expected,
            events,
            mining_pools: written.mining_pools,
        })
    }

    /// Runs the detector over the case and compares.
    ///
    /// # Errors
    ///
    /// [`CaseError`] if it cannot be run; a case that fails is an [`Outcome`] with mismatches.
    pub async fn run(&self, detector: &Detector) -> Result<Outcome, CaseError> {
        let session = self.session(detector)?;
        let findings = detector.run(&session, &self.window, &self.partner()).await?;
        let mut mismatches = self.mismatches(detector, &findings);
        if detector.candidates_sql.is_some() {
            let of_all = detector.run_on(&session, &self.window, &self.partner(), None).await?;
            mismatches.extend(differs("since candidates.sql leaves out events", &findings, &of_all));
            behind_views(&session).await?;
            let held = detector.run(&session, &self.window, &self.partner()).await?;
            mismatches.extend(differs("when events are read into memory first", &held, &of_all));
        }
        Ok(Outcome { findings, mismatches })
    }

    /// What differs if the time of the case is looked at in slices, as daily work does, from what was found in the
    /// whole: which incidents, on which days. Empty if nothing does.
    ///
    /// # Errors
    ///
    /// [`CaseError`] if it cannot be run.
    pub async fn differs_in_slices(
        &self,
        detector: &Detector,
        whole: &[Finding],
    ) -> Result<Vec<String>, CaseError> {
        let (session, partner) = (self.session(detector)?, self.partner());
        let length = self.window.until - self.window.since;
        let slice = (length / SLICES + LONGER).max(TimeDelta::minutes(95));
        let mut pieces = Vec::new();
        let mut since = self.window.since;
        while since < self.window.until {
            let until = (since + slice).min(self.window.until);
            pieces.extend(detector.run(&session, &Window::new(since, until), &partner).await?);
            since = until;
        }
        let (whole, pieces) = (incidents(whole), incidents(&pieces));
        let minutes = slice.num_minutes();
        let missed = whole
            .difference(&pieces)
            .map(|missed| format!("only without slices, not in those of {minutes} minutes: {missed}"));
        let extra =
            pieces.difference(&whole).map(|extra| format!("only in slices of {minutes} minutes: {extra}"));
        Ok(missed.chain(extra).collect())
    }

    /// A session with the events of the case, for runs over other windows than its own.
    ///
    /// # Errors
    ///
    /// [`CaseError::Tables`] if DataFusion refuses the tables.
    pub fn session(&self, detector: &Detector) -> Result<SessionContext, CaseError> {
        let session = session(Limits::default())?;
        self.events.register(&session)?;
        let mut indicators = Indicators::builtin();
        for pool in &self.mining_pools {
            indicators.add_mining_pool(pool).map_err(|problem| CaseError::Syntax {
                case: format!("{}/{}", detector.manifest.id, self.name),
                problem: format!("mining_pools: {problem}"),
            })?;
        }
        indicators.register(&session)?;
        Ok(session)
    }

    /// A session that has the tables of all kinds and no events, to plan queries in.
    pub(crate) fn empty_session() -> Result<SessionContext, DataFusionError> {
        let session = session(Limits::default())?;
        events::Events::default().register(&session)?;
        Indicators::builtin().register(&session)?;
        Ok(session)
    }

    /// The partner whose events the case looks at.
    #[must_use]
    pub fn partner(&self) -> PartnerTenantId {
        partner()
    }

    /// Every finding must be expected, and everything expected must be found.
    fn mismatches(&self, detector: &Detector, findings: &[Finding]) -> Vec<String> {
        let mut mismatches = Vec::new();
        for expected in &self.expected {
            if !findings.iter().any(|finding| expected.matches(finding)) {
                mismatches.push(format!("not found: {expected:?}"));
            }
        }
        for finding in findings {
            if !self.expected.iter().any(|expected| expected.matches(finding)) {
                mismatches.push(format!("not expected: {}: {}", finding.subscription_id, show(finding)));
            }
            if finding.detector_id != detector.manifest.id
                || finding.alert_type != detector.manifest.alert_type
            {
                mismatches.push(format!("a finding of another detector: {}", finding.detector_id));
            }
        }
        mismatches
    }
}

impl Expected {
    fn matches(&self, finding: &Finding) -> bool {
        let same =
            |wanted: &Option<String>, found: &str| wanted.as_deref().is_none_or(|wanted| wanted == found);
        self.subscription == finding.subscription_id.as_str()
            && same(&self.grouping_key, &finding.grouping_key)
            && same(&self.severity, finding.severity.as_str())
            && same(&self.confidence, finding.confidence.as_str())
            && self.says.as_ref().is_none_or(|words| finding.description.contains(words))
            && self
                .details
                .iter()
                .all(|(name, value)| finding.details.get(name).and_then(Value::as_str) == Some(value))
    }
}

/// What one run found and the other did not.
fn differs(why: &str, some: &[Finding], of_all: &[Finding]) -> Vec<String> {
    let only = |some: &[Finding], others: &[Finding], words: &str| -> Vec<String> {
        let alone = some.iter().filter(|finding| !others.contains(finding));
        alone
            .map(|finding| format!("{words} {why}: {}: {}", finding.subscription_id, show(finding)))
            .collect()
    };
    let mut differences = only(of_all, some, "not found");
    differences.extend(only(some, of_all, "found only"));
    differences
}

/// Hides that the tables are in memory, as those of files are not.
async fn behind_views(session: &SessionContext) -> Result<(), DataFusionError> {
    for kind in Kind::ALL {
        let view = session.table(kind.name()).await?.into_view();
        session.deregister_table(kind.name())?;
        session.register_table(kind.name(), view)?;
    }
    Ok(())
}

/// What must not depend on how time is cut: which incident, and on which days it was seen.
fn incidents(findings: &[Finding]) -> BTreeSet<String> {
    findings
        .iter()
        .map(|finding| {
            let day = finding.last_observed_at.date_naive();
            format!("{} [{}] on {day}", finding.subscription_id, finding.grouping_key)
        })
        .collect()
}

fn show(finding: &Finding) -> String {
    let details = Value::Object(finding.details.clone());
    format!(
        "{} {} [{}] {} to {}: {} {details}",
        finding.severity,
        finding.confidence,
        finding.grouping_key,
        finding.first_observed_at,
        finding.last_observed_at,
        finding.description
    )
}
