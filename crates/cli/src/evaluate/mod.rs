//! `tenantwatch evaluate`

mod events;

use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ::alerts::Alert;
use anyhow::{Context as _, bail};
use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};
use clap::{Args, Subcommand};
use detect::Window;
use server::app::Instance;
use server::app::detection::{Clock, Period};
use server::app::rehearsal::{rehearse, subscription_spans};
use server::app::replay;
use server::config::{DataDir, Settings};
use simulate::{Label, ScoredAlert, Scores, SubscriptionDays};

use crate::detect::run_detectors;
use crate::ingest::take_in;
use crate::installation;
use crate::output;
use crate::progress::Progress;
use crate::simulate::{describe, write_estate};

/// Score the detectors against simulated estates with labelled attacks
///
/// Each seed's estate is simulated, taken in and detected in a folder of its own that is removed after.
/// The time to detect counts from the first malicious event to the first scheduled run that finds it,
/// with the delay with which Azure publishes its records.
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Examples:\n  tenantwatch evaluate --seeds 1-5 --customers 50 --days 60 --json\n  tenantwatch evaluate --labels labels.json --data-dir tenantwatch-data\n\nWith --json: {\"precision\",\"recall\",\"median_time_to_detect_s\",\"false_alerts_per_1000_clean_subscription_days\",…}"
)]
pub(crate) struct Evaluate {
    /// A benchmark of others instead of simulated estates
    #[command(subcommand)]
    benchmark: Option<Benchmark>,

    /// Seeds of the estates: one, or the first and the last
    #[arg(long, value_name = "A-B", default_value = "1-1", value_parser = seeds)]
    seeds: RangeInclusive<u64>,

    /// Number of customers of each estate
    #[arg(long, value_name = "N", default_value_t = 50)]
    customers: u32,

    /// Length of each estate's period in days
    #[arg(long, value_name = "N", default_value_t = 60)]
    days: u32,

    /// Folder with detectors of your own, beside the built-in ones (may be repeated)
    #[arg(long = "detectors", value_name = "DIR")]
    detectors: Vec<PathBuf>,

    /// Where the estates end
    #[arg(long, value_name = "TIME", value_parser = installation::time, default_value = "2026-11-01T00:00:00Z")]
    end: DateTime<Utc>,

    /// Score on records that were taken in, by labels of anyone's making, instead of on simulated estates
    ///
    /// A JSON list of {"scenario","kind","malicious","customer_tenant","subscription","from","until","first_event",
    /// "principals","resources"}. An alert on that subscription whose evidence falls into that time counts for the
    /// scenario. Nothing is raised or written.
    #[arg(long, value_name = "FILE", requires = "data_dir", conflicts_with_all = ["seeds", "customers", "days", "end"])]
    labels: Option<PathBuf>,

    /// The folder of the installation that took the records in
    #[arg(long, value_name = "DIR", requires = "labels")]
    data_dir: Option<PathBuf>,

    /// Print the scores as one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Benchmark {
    Nab(Nab),
    Events(events::Events),
}

/// Score the series scorer on a folder laid out like the Numenta Anomaly Benchmark
///
/// Reads data/*/*.csv and labels/combined_windows.json. No file has settings of its own; one threshold for all
/// files is chosen for each of the benchmark's three profiles, as its rules say.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  tenantwatch evaluate nab ../NAB --json\n\nWith --json: {\"windows\",\"points\",\"standard\":{\"score\",\"threshold\",\"windows_found\",\"false_alerts\"},\"reward_low_FP_rate\":…,\"reward_low_FN_rate\":…,\"files\":[…]}"
)]
struct Nab {
    /// The folder that holds `data` and `labels`
    #[arg(value_name = "DIR")]
    folder: PathBuf,

    /// Print the scores as one JSON object
    #[arg(long)]
    json: bool,
}

impl Nab {
    fn run(&self) -> anyhow::Result<()> {
        let report = evaluation::nab::evaluate(&self.folder)?;
        if self.json {
            output::print(&serde_json::to_string(&report)?)?;
        } else {
            output::print(report.to_string().trim_end())?;
        }
        Ok(())
    }
}

/// Estates and what the detectors made of them.
#[derive(Default)]
struct Evidence {
    labels: Vec<Label>,
    alerts: Vec<ScoredAlert>,
    clean_subscription_days: u64,
}

impl Evaluate {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        match &self.benchmark {
            Some(Benchmark::Nab(nab)) => return nab.run(),
            Some(Benchmark::Events(events)) => return events.run().await,
            None => {}
        }
        let evidence = match (&self.labels, &self.data_dir) {
            (Some(labels), Some(data_dir)) => self.records(labels, data_dir).await?,
            _ => self.estates().await?,
        };
        let scores = simulate::score(&evidence.labels, &evidence.alerts, evidence.clean_subscription_days);
        if self.json {
            output::print(&serde_json::to_string(&scores)?)?;
        } else {
            print(&scores)?;
            print_misses(&evidence)?;
        }
        Ok(())
    }

    /// What the detectors make of records that were taken in.
    async fn records(&self, labels: &Path, data_dir: &Path) -> anyhow::Result<Evidence> {
        let labels = simulate::read_labels(labels)?;
        let data_dir = DataDir::new(data_dir);
        let mut settings = Settings::load(None, &data_dir)?;
        settings.detector_folders.extend(self.detectors.iter().cloned());
        let instance = Instance::open(data_dir, &settings).await?;
        let spans = subscription_spans(&instance).await?;
        let (Some(first), Some(last)) =
            (spans.iter().map(|span| span.first_day).min(), spans.iter().map(|span| span.last_day).max())
        else {
            bail!("there are no events to look at; take some in with `tenantwatch ingest PATH`");
        };
        let midnight = |day: NaiveDate| day.and_time(NaiveTime::MIN).and_utc();
        let window = Window::new(midnight(first), midnight(last) + TimeDelta::days(1));
        let mut alerts = Vec::new();
        let progress = Progress::things(instance.detectors.len() as u64, "detectors");
        for detector in &instance.detectors {
            let chosen = instance.store.detector_settings(&instance.scope()).await?;
            for alert in rehearse(&instance, &detector.with_settings(&chosen), &window).await?.alerts {
                alerts.push(scored(&instance, &alert).await?);
            }
            progress.add(1);
        }
        drop(progress);
        let spans: Vec<SubscriptionDays> = spans
            .into_iter()
            .map(|span| SubscriptionDays {
                customer_tenant: span.customer_tenant_id.unwrap_or_default(),
                subscription: span.subscription_id,
                first_day: span.first_day,
                last_day: span.last_day,
            })
            .collect();
        let clean_subscription_days = simulate::clean_subscription_days(&spans, &labels);
        Ok(Evidence { labels, alerts, clean_subscription_days })
    }

    /// What the detectors make of simulated estates.
    async fn estates(&self) -> anyhow::Result<Evidence> {
        let mut evidence = Evidence::default();
        let progress = Progress::things(self.seeds.clone().count() as u64, "estates");
        for seed in self.seeds.clone() {
            let folder = tempfile::tempdir().context("making a folder for the estate")?;
            self.add_estate(seed, folder.path(), &mut evidence)
                .await
                .with_context(|| format!("seed {seed}"))?;
            progress.add(1);
        }
        drop(progress);
        Ok(evidence)
    }

    async fn add_estate(&self, seed: u64, folder: &Path, evidence: &mut Evidence) -> anyhow::Result<()> {
        let settings = Settings { detector_folders: self.detectors.clone(), ..Settings::default() };
        let estate = simulate::Settings {
            seed,
            customers: self.customers,
            days: self.days,
            end: self.end,
            partner_tenant_id: settings.partner_tenant_id.clone(),
        };
        let raw = folder.join("raw");
        let summary = write_estate(&raw, estate).await?;
        let instance = Arc::new(Instance::open(DataDir::new(folder.join("data")), &settings).await?);
        take_in(&instance, std::slice::from_ref(&raw)).await?;
        let period = Period { since: None, until: Some(self.end) };
        let clock = Clock::AsIfWatched(TimeDelta::zero());
        let report = run_detectors(&instance, period, clock, self.end).await?;
        if let Some(failed) = report.failures().next() {
            bail!("detector {} failed: {}", failed.detector_id, failed.error.as_deref().unwrap_or_default());
        }
        let replayed = Progress::things(report.raised.len() as u64, "alerts");
        for alert in last_states(&instance, &report.raised).await? {
            evidence.alerts.push(scored(&instance, &alert).await?);
            replayed.add(1);
        }
        drop(replayed);
        evidence.clean_subscription_days +=
            simulate::clean_subscription_days(&summary.subscriptions, &summary.labels);
        output::say(&format!("seed {seed}: {} alerts in {}", report.raised.len(), describe(&summary)));
        evidence.labels.extend(summary.labels);
        Ok(())
    }
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

async fn scored(instance: &Instance, alert: &Alert) -> anyhow::Result<ScoredAlert> {
    let body = &alert.body;
    let mut detected_at = None;
    for detector in &instance.detectors {
        if let Some(first) = replay::first_detection(instance, detector, alert).await? {
            detected_at = Some(first);
        }
    }
    let missing = || format!("alert {} has no time of evidence", body.id);
    Ok(ScoredAlert {
        alert_type: body.alert_type.clone(),
        customer_tenant_id: body.customer_tenant_id.to_string(),
        subscription_id: body.subscription_id.to_string(),
        first_observed_at: body.first_observed_date_time.with_context(missing)?,
        last_observed_at: body.last_observed_date_time.with_context(missing)?,
        // A run that never finds it again would be a detector whose findings depend on the window.
        detected_at: detected_at.with_context(|| format!("no scheduled run finds alert {}", body.id))?,
    })
}

/// Reads `7` or `1-5`.
fn seeds(text: &str) -> Result<RangeInclusive<u64>, String> {
    let wrong = || format!("'{text}' is not a seed (7) or a range of seeds (1-5)");
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let first: u64 = first.trim().parse().map_err(|_| wrong())?;
    let last: u64 = last.trim().parse().map_err(|_| wrong())?;
    if first > last { Err(wrong()) } else { Ok(first..=last) }
}

fn print(scores: &Scores) -> anyhow::Result<()> {
    let share = |value: Option<f64>| value.map_or("undefined".to_owned(), |value| format!("{value:.3}"));
    output::print(&format!("precision                                      {}", share(scores.precision)))?;
    output::print(&format!("recall                                         {}", share(scores.recall)))?;
    let median = scores.median_time_to_detect_s.map(|seconds| TimeDelta::seconds(seconds as i64));
    let median = median.map_or("undefined".to_owned(), |time| {
        format!("{} h {:02} min", time.num_hours(), time.num_minutes() % 60)
    });
    output::print(&format!("median time to detect                          {median}"))?;
    let noise = share(scores.false_alerts_per_1000_clean_subscription_days);
    output::print(&format!("false alerts per 1,000 clean subscription-days {noise}"))?;
    Ok(())
}

/// Names the attacks that were missed and the alerts that were false, so that a reader can look.
fn print_misses(evidence: &Evidence) -> anyhow::Result<()> {
    for label in evidence.labels.iter().filter(|label| label.malicious) {
        if !evidence.alerts.iter().any(|alert| alert.counts_for(label)) {
            output::print(&format!(
                "missed  {} in {} from {}",
                label.scenario, label.subscription, label.from
            ))?;
        }
    }
    for alert in &evidence.alerts {
        let mut labels = evidence.labels.iter().filter(|label| alert.counts_for(label));
        if !labels.clone().any(|label| label.malicious) {
            let scenario = labels.next().map_or("nothing", |label| &label.scenario);
            output::print(&format!(
                "false   {} in {} from {} ({scenario})",
                alert.alert_type, alert.subscription_id, alert.first_observed_at
            ))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_are_one_or_a_range() {
        assert_eq!(seeds("7"), Ok(7..=7));
        assert_eq!(seeds("1-5"), Ok(1..=5));
        for wrong in ["", "a", "5-1", "1-", "-3"] {
            assert!(seeds(wrong).unwrap_err().contains("1-5"), "{wrong}");
        }
    }
}
