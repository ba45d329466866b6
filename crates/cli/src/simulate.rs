//! `tenantwatch simulate`

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ::alerts::PartnerTenantId;
use anyhow::Context as _;
use chrono::{DateTime, Utc};
use clap::Args;
use server::config::DEFAULT_PARTNER_TENANT;
use simulate::{Settings, Summary};

use crate::installation;
use crate::output;
use crate::progress::Progress;

/// What an estate holds, in one line.
pub(crate) fn describe(summary: &Summary) -> String {
    let (attacks, harmless): (Vec<_>, Vec<_>) = summary.labels.iter().partition(|label| label.malicious);
    format!(
        "{} customers with {} subscriptions; {} activity records, {} cost lines, {} flow tuples, {} sign-ins, {} directory changes in {} files ({:.1} MB); {} attacks, {} harmless look-alikes",
        summary.customers,
        summary.subscriptions.len(),
        summary.volume.activity_records,
        summary.volume.cost_rows,
        summary.volume.flow_tuples,
        summary.volume.sign_in_records,
        summary.volume.audit_records,
        summary.volume.files,
        summary.volume.bytes as f64 / 1e6,
        attacks.len(),
        harmless.len()
    )
}

/// Writes an estate with a progress bar.
pub(crate) async fn write_estate(out: &Path, settings: Settings) -> anyhow::Result<Summary> {
    let written = Arc::new(AtomicU64::new(0));
    let total = settings.customers.into();
    let _progress = Progress::things_of("customers", {
        let written = written.clone();
        move || (written.load(Ordering::Relaxed), total)
    });
    let out = out.to_owned();
    let writing = tokio::task::spawn_blocking(move || simulate::simulate_watched(&out, &settings, &written));
    Ok(writing.await.context("the simulation stopped")??)
}

/// Write raw Azure files of a made-up estate with labelled attacks
///
/// Activity logs, cost exports and flow logs in Azure's own formats; labels.json says what is an attack
/// and what only looks like one. The same options give the same files, byte for byte.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  tenantwatch simulate --out estate --seed 7 --customers 20 --days 30\n  tenantwatch ingest estate && tenantwatch detect"
)]
pub(crate) struct Simulate {
    /// Folder to write to; must be empty, or an earlier simulation, which is replaced
    #[arg(long, value_name = "DIR")]
    out: PathBuf,

    /// Where all chance starts; the same seed gives the same estate
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,

    /// Number of customers
    #[arg(long, value_name = "N", default_value_t = 50)]
    customers: u32,

    /// Length of the period in days
    #[arg(long, value_name = "N", default_value_t = 60)]
    days: u32,

    /// The moment at which the estate is looked at; no record is younger
    #[arg(long, value_name = "TIME", value_parser = installation::time, default_value = "2026-11-01T00:00:00Z")]
    end: DateTime<Utc>,

    /// The partner whose customers these are
    #[arg(long, value_name = "ID", default_value = DEFAULT_PARTNER_TENANT)]
    partner_tenant: PartnerTenantId,
}

impl Simulate {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let settings = Settings {
            seed: self.seed,
            customers: self.customers,
            days: self.days,
            end: self.end,
            partner_tenant_id: self.partner_tenant,
        };
        let summary = write_estate(&self.out, settings).await?;
        output::say(&format!("Wrote {}", describe(&summary)));
        Ok(output::print(&self.out.join("labels.json").display().to_string())?)
    }
}
