//! `tenantwatch evaluate`

mod events;
mod kept;
mod nab;
mod report;
mod trial;

use std::ops::RangeInclusive;
use std::path::PathBuf;

use chrono::{DateTime, Utc};
use clap::{Args, Subcommand};

use self::kept::Kept;
use self::trial::{Runs, of_estate, of_records};
use crate::installation;
use crate::output;
use crate::progress::Progress;

/// Score the detectors against simulated estates with labelled attacks
///
/// Each seed's estate is simulated, taken in and detected in a folder of its own that is removed after.
/// The time to detect counts from the first malicious event to the first scheduled run that finds it,
/// with the delay with which Azure publishes its records. Over several seeds each figure has a 95 % interval.
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Examples:\n  tenantwatch evaluate --seeds 1-5 --customers 50 --days 60 --json\n  tenantwatch evaluate --seeds 1-5 --baselines benches/baselines\n  tenantwatch evaluate --labels labels.json --data-dir tenantwatch-data\n\nWith --json: {\"precision\",\"recall\",\"median_time_to_detect_s\",\"false_alerts_per_1000_clean_subscription_days\",\"intervals\",\"kinds\",\"detectors\",\"baselines\",…}"
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

    /// Only those; so a folder may hold changed copies of the built-in ones
    #[arg(long, requires = "detectors")]
    without_builtin: bool,

    /// Folder with detectors to compare with, each of which is scored by itself on the same records
    #[arg(long, value_name = "DIR")]
    baselines: Option<PathBuf>,

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

    /// Folder that keeps what came of each estate, and from where it is taken the next time
    ///
    /// So a long evaluation goes on where it was stopped, and several runs can share the seeds and be put together by a
    /// last one. What another build of the program left there, or another choice of customers, days, end, detectors or
    /// baselines, is passed over.
    #[arg(long, value_name = "DIR", conflicts_with = "labels")]
    keep: Option<PathBuf>,

    /// Print the scores as one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Benchmark {
    Nab(nab::Nab),
    Events(events::Events),
}

impl Evaluate {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        match &self.benchmark {
            Some(Benchmark::Nab(nab)) => return nab.run(),
            Some(Benchmark::Events(events)) => return events.run().await,
            None => {}
        }
        let runs = Runs::new(self.detectors.clone(), self.without_builtin, self.baselines.as_deref())?;
        let trials = match (&self.labels, &self.data_dir) {
            (Some(labels), Some(data_dir)) => vec![of_records(&runs, labels, data_dir).await?],
            _ => self.estates(&runs).await?,
        };
        let report = report::Report::new(&runs, &trials);
        output::print(&if self.json { serde_json::to_string(&report)? } else { report.to_string() })?;
        Ok(())
    }

    /// What the detectors make of simulated estates.
    async fn estates(&self, runs: &Runs) -> anyhow::Result<Vec<trial::Compared>> {
        let kept = match &self.keep {
            Some(folder) => {
                let of = format!("{} customers, {} days, until {}", self.customers, self.days, self.end);
                Some(Kept::open(folder, &format!("{of}, {}", runs.texts()?))?)
            }
            None => None,
        };
        let mut trials = Vec::new();
        let progress = Progress::things(self.seeds.clone().count() as u64, "estates");
        for seed in self.seeds.clone() {
            let estate = simulate::Settings {
                seed,
                customers: self.customers,
                days: self.days,
                end: self.end,
                partner_tenant_id: runs.settings().partner_tenant_id,
            };
            let known = kept.as_ref().map(|kept| kept.trial(seed)).transpose()?.flatten();
            let trial = match known {
                Some(trial) => trial,
                None => {
                    let trial = of_estate(runs, estate).await?;
                    kept.as_ref().map(|kept| kept.put(seed, &trial)).transpose()?;
                    trial
                }
            };
            trials.push(trial);
            progress.add(1);
        }
        Ok(trials)
    }
}

/// Reads `7` or `1-5`.
fn seeds(text: &str) -> Result<RangeInclusive<u64>, String> {
    let wrong = || format!("'{text}' is not a seed (7) or a range of seeds (1-5)");
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let first: u64 = first.trim().parse().map_err(|_| wrong())?;
    let last: u64 = last.trim().parse().map_err(|_| wrong())?;
    if first > last { Err(wrong()) } else { Ok(first..=last) }
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
