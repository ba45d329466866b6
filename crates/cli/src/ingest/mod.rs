//! `tenantwatch ingest`: files and folders, once or for as long as something comes.

mod follow;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use anyhow::bail;
use chrono::Utc;
use clap::Args;
use serde_json::json;
use server::app::Instance;
use server::app::ingestion::{self, IngestReport};

use crate::installation::Installation;
use crate::output;
use crate::progress::Progress;

/// How many rejected records the summary lists; all of them are in the quarantine.
const REJECTED_SHOWN: usize = 10;

/// Take in Azure records from files and folders: JSON, CSV or Parquet, plain, gzip or zstd
///
/// The kind of each record is told by its content. As exported by diagnostic settings, from the REST API or Graph,
/// and from Log Analytics: activity log (activity), Entra sign-in logs (sign_in) and audit logs (audit), Azure
/// Firewall and DNS query logs (dns), Service Health (advisory), Defender for Cloud (security_alert). Cost Management
/// exports, actual and amortised, of EA, MCA and CSP, FOCUS, and Partner Center's daily-rated usage (cost). NSG and
/// VNet flow logs (flow). Rows of Azure Resource Graph (inventory).
///
/// Records that cannot be read go to the quarantine with the reason; `tenantwatch quarantine` shows them. Taking in
/// a file again changes nothing.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Ingest {
    #[command(flatten)]
    installation: Installation,

    /// Then wait for more: new files, and lines that are added to those there are, until Ctrl-C
    ///
    /// How far each file was read is kept with the alerts, so that it goes on there when it is started again. It takes
    /// records in and does nothing else: `serve` with the same folder under `[[sources]]` in its settings follows it
    /// too, and runs the detectors and merges small files besides. Both may run on one data directory, and a folder
    /// of the settings is read by one of them at a time. Files are looked at every two seconds.
    #[arg(long)]
    pub(crate) follow: bool,

    /// Print the summary as one JSON object; with --follow, an object for each time that something came
    #[arg(long)]
    json: bool,

    /// Files and folders
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
}

const EXAMPLES: &str = "Examples:
  tenantwatch ingest exports/ extra.json.gz --json
  tenantwatch ingest --follow exports/

With --json: {\"read\",\"stored\",\"duplicates\",\"quarantined\",\"by_kind\":{KIND:{…}},\"rejected\":[…]}
With --follow --json: {\"source\",\"objects\",\"read\",\"stored\",\"duplicates\",\"quarantined\",\"bytes\"} a line";

impl Ingest {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        keep_out_of(self.installation.data_dir().root(), &self.paths)?;
        if self.follow {
            return follow::run(&self.installation, &self.paths, self.json).await;
        }
        let instance = self.installation.open().await?;
        let report = take_in(&instance, &self.paths).await?;
        show_report(&report, self.json)
    }
}

/// Prints what was taken in.
pub(crate) fn show_report(report: &IngestReport, json: bool) -> anyhow::Result<()> {
    if json {
        output::print(&as_json(report).to_string())?;
    } else {
        for line in as_text(report) {
            output::print(&line)?;
        }
    }
    Ok(())
}

/// Takes in records with a progress bar.
pub(crate) async fn take_in(instance: &Arc<Instance>, paths: &[PathBuf]) -> anyhow::Result<IngestReport> {
    let mut files = ::ingest::discover(paths)?;
    files.retain(|file| !simulate::describes_an_estate(&file.path));
    let total = files.iter().map(|file| file.size_bytes).sum();
    let done = Arc::new(AtomicU64::new(0));
    let _progress = Progress::bytes(total, done.clone());
    Ok(ingestion::ingest(instance.clone(), files, Utc::now(), done).await?)
}

/// Refuses a folder in which the data directory lies: what is kept there would be taken in as records.
fn keep_out_of(data_dir: &Path, paths: &[PathBuf]) -> anyhow::Result<()> {
    let Ok(data_dir) = fs::canonicalize(data_dir) else { return Ok(()) };
    for path in paths {
        if fs::canonicalize(path).is_ok_and(|path| data_dir.starts_with(path)) {
            bail!(
                "{} holds the data directory {}, whose own files are no records; name the folders beside it, or put \
                 it elsewhere with --data-dir",
                path.display(),
                data_dir.display()
            );
        }
    }
    Ok(())
}

fn as_json(report: &IngestReport) -> serde_json::Value {
    let by_kind: serde_json::Map<String, serde_json::Value> = report
        .by_kind
        .iter()
        .map(|(kind, counts)| {
            (kind.name().to_owned(), json!({"stored": counts.stored, "duplicates": counts.duplicates}))
        })
        .collect();
    let rejected: Vec<_> = report
        .rejected
        .iter()
        .map(|rejected| json!({"file": rejected.file, "line": rejected.line, "reason": rejected.reason}))
        .collect();
    json!({
        "read": report.read,
        "stored": report.stored(),
        "duplicates": report.duplicates(),
        "quarantined": report.quarantined,
        "empty": report.empty,
        "by_kind": by_kind,
        "rejected": rejected,
    })
}

fn as_text(report: &IngestReport) -> Vec<String> {
    let mut lines = vec![format!("{:<10} {:>12} {:>12}", "kind", "stored", "duplicates")];
    for (kind, counts) in &report.by_kind {
        lines.push(format!("{:<10} {:>12} {:>12}", kind.name(), counts.stored, counts.duplicates));
    }
    lines.push(format!(
        "{} read from {} files: {} stored, {} duplicates, {} quarantined",
        report.read,
        report.files,
        report.stored(),
        report.duplicates(),
        report.quarantined
    ));
    if report.empty > 0 {
        lines.push(format!(
            "{} held no records: flow records without flows, empty lists, manifests of exports",
            report.empty
        ));
    }
    for rejected in report.rejected.iter().take(REJECTED_SHOWN) {
        lines.push(format!("rejected {}:{}: {}", rejected.file, rejected.line, rejected.reason));
    }
    let more = report.quarantined.saturating_sub(REJECTED_SHOWN as u64);
    if more > 0 {
        lines.push(format!("… and {more} more"));
    }
    if let Some(folder) = &report.quarantine {
        lines.push(format!(
            "All rejected records with their reasons: `tenantwatch quarantine list`, or {}",
            folder.display()
        ));
    }
    lines
}
