//! `tenantwatch detect`

use std::sync::Arc;
use std::sync::atomic::Ordering;

use anyhow::bail;
use chrono::{DateTime, TimeDelta, Utc};
use clap::Args;
use server::app::Instance;
use server::app::detection::{self, Clock, DetectionReport, Period};
use server::app::money;

use crate::installation::{self, Installation};
use crate::output;
use crate::progress::Progress;

/// Run all detectors once over the events that were taken in
///
/// Without --since and --until each detector goes on where its last run ended. The alerts that were
/// raised, or that went on, are printed.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  tenantwatch detect --since 2026-10-01 --until 2026-11-01 --json")]
pub(crate) struct Detect {
    #[command(flatten)]
    installation: Installation,

    /// Look at events from this time on: a day, or a time with its zone
    #[arg(long, value_name = "TIME", value_parser = installation::time)]
    since: Option<DateTime<Utc>>,

    /// Look at events before this time (default: now)
    #[arg(long, value_name = "TIME", value_parser = installation::time)]
    until: Option<DateTime<Utc>>,

    /// One JSON alert a line, as the API shows it
    #[arg(long)]
    json: bool,
}

/// Runs all detectors with a progress bar.
pub(crate) async fn run_detectors(
    instance: &Instance,
    period: Period,
    clock: Clock,
    now: DateTime<Utc>,
) -> anyhow::Result<DetectionReport> {
    let so_far = Arc::new(detection::Progress::default());
    let _progress = Progress::things_of("slices of time", {
        let so_far = so_far.clone();
        move || (so_far.done.load(Ordering::Relaxed), so_far.total.load(Ordering::Relaxed))
    });
    Ok(detection::detect_watched(instance, period, clock, now, &so_far).await?)
}

impl Detect {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        if let (Some(since), Some(until)) = (self.since, self.until)
            && since >= until
        {
            bail!("--since {since} does not lie before --until {until}");
        }
        let instance = self.installation.open().await?;
        let period = Period { since: self.since, until: self.until };
        let report = run_detectors(&instance, period, Clock::Real, Utc::now()).await?;
        money::settle(&instance, TimeDelta::zero(), Utc::now()).await?;
        self.print(&report)?;
        let silenced = match report.silenced {
            0 => String::new(),
            count => format!(", {count} silenced (`tenantwatch tuning silenced` lists them)"),
        };
        output::say(&format!(
            "{} raised, {} continued{silenced}, by {} detectors",
            report.raised.len(),
            report.continued.len(),
            report.runs.len()
        ));
        if report.runs.is_empty() {
            output::say("There are no events to look at yet; take some in with `tenantwatch ingest PATH`.");
        }
        let failed: Vec<String> = report
            .failures()
            .map(|run| format!("{}: {}", run.detector_id, run.error.as_deref().unwrap_or_default()))
            .collect();
        if !failed.is_empty() {
            bail!("{} of {} detectors failed: {}", failed.len(), report.runs.len(), failed.join("; "));
        }
        Ok(())
    }

    fn print(&self, report: &DetectionReport) -> anyhow::Result<()> {
        for alert in report.raised.iter().chain(&report.continued) {
            let body = &alert.body;
            if self.json {
                output::print(&serde_json::to_string(body)?)?;
            } else {
                output::print(&format!(
                    "{}  {:<6}  {:<33}  {}  {}",
                    body.detected_date_time.format("%Y-%m-%d %H:%M"),
                    body.severity,
                    body.alert_type,
                    body.subscription_id,
                    body.description.as_deref().unwrap_or(&body.display_name)
                ))?;
            }
        }
        Ok(())
    }
}
