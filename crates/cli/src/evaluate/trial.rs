//! What detectors make of one estate, or of the records of one installation.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ::alerts::Alert;
use anyhow::{Context as _, bail};
use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};
use detect::{Catalogue, Detector, Window};
use futures::{StreamExt as _, TryStreamExt as _};
use ingest::schema::Kind;
use serde::{Deserialize, Serialize};
use server::app::Instance;
use server::app::detection::{Clock, Events, Period};
use server::app::rehearsal::{rehearse, subscription_spans};
use server::app::replay::{Replay, publication_lag};
use server::config::{DataDir, Settings};
use simulate::{Label, Pace, ScoredAlert, SubscriptionDays, Trial};

use crate::detect::run_detectors;
use crate::ingest::take_in;
use crate::lake::compact_all;
use crate::output;
use crate::progress::Progress;
use crate::simulate::{describe, write_estate};

/// What is to be run.
pub(super) struct Runs {
    folders: Vec<PathBuf>,
    builtin: bool,
    /// What is compared with; each is scored by itself.
    pub(super) baselines: Vec<Arc<Detector>>,
}

impl Runs {
    pub(super) fn new(
        folders: Vec<PathBuf>,
        without_builtin: bool,
        baselines: Option<&Path>,
    ) -> anyhow::Result<Self> {
        let baselines = match baselines {
            Some(folder) => Catalogue::at(folder)?.detectors().iter().cloned().map(Arc::new).collect(),
            None => Vec::new(),
        };
        Ok(Self { folders, builtin: !without_builtin, baselines })
    }

    /// The texts of all that is run beside the built-in detectors.
    pub(super) fn texts(&self) -> anyhow::Result<String> {
        let mut detectors: Vec<Detector> = Vec::new();
        for folder in &self.folders {
            detectors.extend(Catalogue::at(folder)?.detectors().iter().cloned());
        }
        Ok(format!("built-in {}, {detectors:?}, {:?}", self.builtin, self.baselines))
    }

    pub(super) fn settings(&self) -> Settings {
        Settings {
            detector_folders: self.folders.clone(),
            builtin_detectors: self.builtin,
            ..Settings::default()
        }
    }
}

/// A trial of the detectors, and one of each baseline with the same labels.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Compared {
    pub(super) own: Trial,
    /// In the order of [`Runs::baselines`].
    pub(super) baselines: Vec<Trial>,
}

/// Simulates an estate, takes it in and looks at it.
pub(super) async fn of_estate(runs: &Runs, estate: simulate::Settings) -> anyhow::Result<Compared> {
    let (seed, end) = (estate.seed, estate.end);
    let folder = tempfile::tempdir().context("making a folder for the estate")?;
    let looked = async {
        let raw = folder.path().join("raw");
        let summary = write_estate(&raw, estate).await?;
        let instance =
            Arc::new(Instance::open(DataDir::new(folder.path().join("data")), &runs.settings()).await?);
        take_in(&instance, std::slice::from_ref(&raw)).await?;
        // A day comes in in a dozen files, and each query would open all of them.
        compact_all(&instance).await?;
        let period = Period { since: None, until: Some(end) };
        let report = run_detectors(&instance, period, Clock::AsIfWatched(TimeDelta::zero()), end).await?;
        if let Some(failed) = report.failures().next() {
            bail!("detector {} failed: {}", failed.detector_id, failed.error.as_deref().unwrap_or_default());
        }
        output::say(&format!("seed {seed}: {} alerts in {}", report.raised.len(), describe(&summary)));
        let raised = last_states(&instance, &report.raised).await?;
        let clean = simulate::clean_subscription_days(&summary.subscriptions, &summary.labels);
        let own = trial(&instance, &instance.detectors, &raised, &summary.labels, clean).await?;
        let baselines = baselines(runs, &instance, &summary.labels, clean).await?;
        anyhow::Ok(Compared { own, baselines })
    };
    looked.await.with_context(|| format!("seed {seed}"))
}

/// Looks at the records of an installation. Nothing is raised.
pub(super) async fn of_records(runs: &Runs, labels: &Path, data_dir: &Path) -> anyhow::Result<Compared> {
    let labels = simulate::read_labels(labels)?;
    let data_dir = DataDir::new(data_dir);
    let mut settings = Settings::load(None, &data_dir)?;
    settings.detector_folders.extend(runs.folders.iter().cloned());
    settings.builtin_detectors &= runs.builtin;
    let instance = Instance::open(data_dir, &settings).await?;
    let spans: Vec<SubscriptionDays> = subscription_spans(&instance)
        .await?
        .into_iter()
        .map(|span| SubscriptionDays {
            customer_tenant: span.customer_tenant_id.unwrap_or_default(),
            subscription: span.subscription_id,
            first_day: span.first_day,
            last_day: span.last_day,
        })
        .collect();
    let clean = simulate::clean_subscription_days(&spans, &labels);
    let chosen = instance.store.detector_settings(&instance.scope()).await?;
    let detectors: Vec<Arc<Detector>> =
        instance.detectors.iter().map(|detector| Arc::new(detector.with_settings(&chosen))).collect();
    let alerts = rehearsed(&instance, &detectors).await?;
    let own = trial(&instance, &detectors, &alerts, &labels, clean).await?;
    let baselines = baselines(runs, &instance, &labels, clean).await?;
    Ok(Compared { own, baselines })
}

async fn baselines(
    runs: &Runs,
    instance: &Instance,
    labels: &[Label],
    clean_subscription_days: u64,
) -> anyhow::Result<Vec<Trial>> {
    let mut trials = Vec::new();
    for baseline in runs.baselines.chunks(1) {
        let alerts = rehearsed(instance, baseline).await?;
        trials.push(trial(instance, baseline, &alerts, labels, clean_subscription_days).await?);
    }
    Ok(trials)
}

/// What detectors would have raised over all events.
async fn rehearsed(instance: &Instance, detectors: &[Arc<Detector>]) -> anyhow::Result<Vec<Alert>> {
    let spans = subscription_spans(instance).await?;
    let (Some(first), Some(last)) =
        (spans.iter().map(|span| span.first_day).min(), spans.iter().map(|span| span.last_day).max())
    else {
        bail!("there are no events to look at; take some in with `tenantwatch ingest PATH`");
    };
    let midnight = |day: NaiveDate| day.and_time(NaiveTime::MIN).and_utc();
    let window = Window::new(midnight(first), midnight(last) + TimeDelta::days(1));
    let progress = Progress::things(detectors.len() as u64, "detectors");
    let mut alerts = Vec::new();
    for detector in detectors {
        alerts.extend(rehearse(instance, detector, &window).await?.alerts);
        progress.add(1);
    }
    Ok(alerts)
}

/// The raised alerts as later findings left them.
async fn last_states(instance: &Instance, raised: &[Alert]) -> anyhow::Result<Vec<Alert>> {
    let mut alerts = Vec::with_capacity(raised.len());
    for alert in raised {
        let body = instance.store.alert(&instance.scope(), &alert.body.id).await?;
        let body = body.with_context(|| format!("alert {} vanished", alert.body.id))?;
        alerts.push(Alert { body: serde_json::from_str(&body.json)?, ..alert.clone() });
    }
    Ok(alerts)
}

/// Alerts with what scoring needs to know. When they would have come is looked for where it counts: for those that
/// belong to an attack.
async fn trial(
    instance: &Instance,
    detectors: &[Arc<Detector>],
    alerts: &[Alert],
    labels: &[Label],
    clean_subscription_days: u64,
) -> anyhow::Result<Trial> {
    let mut scored = Vec::with_capacity(alerts.len());
    let mut to_date: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (place, alert) in alerts.iter().enumerate() {
        let one = undated(detectors, alert)?;
        if labels.iter().any(|label| label.malicious && one.counts_for(label)) {
            to_date.entry(alert.body.customer_tenant_id.as_str()).or_default().push(place);
        }
        scored.push(one);
    }
    let events = Events::of(instance);
    let dated = to_date.values().map(|places| dates(instance, &events, detectors, alerts, places));
    let abreast = std::thread::available_parallelism().map_or(1, usize::from);
    let dated: Vec<_> = futures::stream::iter(dated).buffer_unordered(abreast).try_collect().await?;
    for (place, detected_at) in dated.into_iter().flatten() {
        scored[place].detected_at = Some(detected_at);
    }
    Ok(Trial { labels: labels.to_vec(), alerts: scored, clean_subscription_days })
}

/// When alerts of one customer would have come.
async fn dates(
    instance: &Instance,
    events: &Events<'_>,
    detectors: &[Arc<Detector>],
    alerts: &[Alert],
    places: &[usize],
) -> anyhow::Result<Vec<(usize, DateTime<Utc>)>> {
    let own: Vec<&Alert> = places.iter().map(|place| &alerts[*place]).collect();
    let replay = Replay::of(instance, events, &own).await?;
    let mut dates = Vec::new();
    for (place, alert) in places.iter().zip(own) {
        let detector = detector_of(detectors, alert)?;
        match replay.first_detection(detector, alert).await? {
            Some(first) => dates.push((*place, first)),
            // Its findings depend on the window, which is a fault of the detector. The alert counts, its time does not.
            None => output::say(&format!(
                "no scheduled run of {} finds the alert on {} from {}: it is left out of times to detect",
                detector.manifest.id,
                alert.body.subscription_id,
                alert.body.first_observed_date_time.unwrap_or_default()
            )),
        }
    }
    Ok(dates)
}

fn undated(detectors: &[Arc<Detector>], alert: &Alert) -> anyhow::Result<ScoredAlert> {
    let manifest = &detector_of(detectors, alert)?.manifest;
    let body = &alert.body;
    let missing = || format!("alert {} has no time of evidence", body.id);
    let lag = publication_lag();
    let by_the_hour = |kind: &Kind| matches!(kind, Kind::Cost | Kind::Flow);
    Ok(ScoredAlert {
        alert_type: body.alert_type.clone(),
        detector_id: manifest.id.clone(),
        pace: if manifest.inputs.iter().any(by_the_hour) { Pace::Hourly } else { Pace::Events },
        publication_lag: manifest.inputs.iter().map(|kind| lag.of(*kind)).max().unwrap_or_default(),
        customer_tenant_id: body.customer_tenant_id.to_string(),
        subscription_id: body.subscription_id.to_string(),
        first_observed_at: body.first_observed_date_time.with_context(missing)?,
        last_observed_at: body.last_observed_date_time.with_context(missing)?,
        detected_at: None,
    })
}

fn detector_of<'a>(detectors: &'a [Arc<Detector>], alert: &Alert) -> anyhow::Result<&'a Arc<Detector>> {
    let id = match &alert.origin {
        ::alerts::Origin::Detector { detector_id, .. } => detector_id.as_str(),
        _ => "",
    };
    let detector = detectors.iter().find(|detector| detector.manifest.id == id);
    detector.with_context(|| format!("alert {} is of no detector that ran", alert.body.id))
}
