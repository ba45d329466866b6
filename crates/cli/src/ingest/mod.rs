//! `tenantwatch ingest`

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use chrono::Utc;
use clap::Args;
use serde_json::json;
use server::app::Instance;
use server::app::ingestion::{self, IngestReport};

use crate::installation::Installation;
use crate::output;
use crate::progress::BytesBar;

/// How many rejected records the summary lists; all of them are in the quarantine.
const REJECTED_SHOWN: usize = 10;

/// Take in Azure records from files and folders, plain or gzip
///
/// The kind of each record is told by its content: activity log, Entra sign-in and audit logs (each as
/// exported, from the API, or from Log Analytics), Cost Management actual cost (CSV), NSG and VNet flow
/// log. Records that cannot be read go to the quarantine with the reason; `tenantwatch quarantine` shows
/// them. Taking in a file again changes nothing.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  tenantwatch ingest exports/ extra.json.gz --json\n\nWith --json: {\"read\",\"stored\",\"duplicates\",\"quarantined\",\"by_kind\":{KIND:{…}},\"rejected\":[…]}"
)]
pub(crate) struct Ingest {
    #[command(flatten)]
    installation: Installation,

    /// Print the summary as one JSON object
    #[arg(long)]
    json: bool,

    /// Files and folders
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
}

impl Ingest {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
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
    let bar = BytesBar::start(total, done.clone());
    let report = ingestion::ingest(instance.clone(), files, Utc::now(), done).await;
    bar.finish();
    Ok(report?)
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
        "read": report.read(),
        "stored": report.stored(),
        "duplicates": report.duplicates(),
        "quarantined": report.quarantined,
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
        report.read(),
        report.files,
        report.stored(),
        report.duplicates(),
        report.quarantined
    ));
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
