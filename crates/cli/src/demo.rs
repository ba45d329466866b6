//! `tenantwatch demo`

use std::fs;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context as _, bail};
use chrono::{DurationRound as _, TimeDelta, Utc};
use clap::Args;
use server::ServeOptions;
use server::app::Instance;
use server::app::detection::{Clock, Period};
use server::app::money;
use server::config::{DataDir, Settings};
use simulate::Summary;
use store::{Customer, CustomerSubscription};

use crate::detect::run_detectors;
use crate::ingest::take_in;
use crate::output;
use crate::serve::{TlsOptions, serve};
use crate::simulate::{describe, write_estate};

/// Marks a folder as made by the demo, so that the next demo may replace it.
const MARKER: &str = "made-by-tenantwatch-demo";

/// How long after the last evidence a detector that runs on time raises an alert.
const DETECTION_DELAY: TimeDelta = TimeDelta::minutes(5);

/// Simulate an estate with attacks, detect them, and serve the alerts on a page
///
/// Everything is made anew each time. The page gets its own token, so the demo listens on loopback only.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  tenantwatch demo --listen 127.0.0.1:8080 --customers 20 --days 30")]
pub(crate) struct Demo {
    /// Address and port to listen on, on loopback; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,

    /// Folder for the demo's data; must be empty, or an earlier demo, which is replaced
    #[arg(long, value_name = "DIR", env = "TENANTWATCH_DATA_DIR", default_value = "tenantwatch-demo")]
    data_dir: PathBuf,

    /// Where all chance starts; the same seed gives the same estate
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,

    /// Number of customers
    #[arg(long, value_name = "N", default_value_t = 20)]
    customers: u32,

    #[command(flatten)]
    tls: TlsOptions,

    /// Length of the simulated period in days
    #[arg(long, value_name = "N", default_value_t = 45)]
    days: u32,
}

impl Demo {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        if !self.listen.ip().is_loopback() {
            bail!(
                "the demo gives its page a token without a sign-in, so it listens on loopback only, not on {}",
                self.listen
            );
        }
        // A port that is taken should be told now, not after the estate is made.
        drop(TcpListener::bind(self.listen).with_context(|| {
            format!(
                "cannot listen on {}; is another program using the port? Choose another with --listen",
                self.listen
            )
        })?);
        let started = Instant::now();
        clear(&self.data_dir)?;
        let settings = Settings::default();
        // The estate ends at the last full hour, so that its alerts are as fresh as real ones.
        let end = Utc::now().duration_trunc(TimeDelta::hours(1)).context("finding the last full hour")?;
        let raw = self.data_dir.join("raw");
        let estate = simulate::Settings {
            seed: self.seed,
            customers: self.customers,
            days: self.days,
            end,
            partner_tenant_id: settings.partner_tenant_id.clone(),
        };
        let summary = write_estate(&raw, estate).await?;
        output::say(&format!("Simulated: {}", describe(&summary)));

        let instance = std::sync::Arc::new(Instance::open(DataDir::new(&self.data_dir), &settings).await?);
        let report = take_in(&instance, &[raw]).await?;
        output::say(&format!("Taken in: {} records from {} files", report.stored(), report.files));

        // As a partner would from its own list, so that pages show names.
        let (customers, subscriptions) = directory(&summary)?;
        let scope = instance.scope();
        instance.store.import_customers(&scope, &customers, &subscriptions, Utc::now()).await?;
        output::say(&format!("Imported: the names of {} customers", customers.len()));

        // Nobody watched this past, so the alerts are dated as if somebody had.
        let clock = Clock::AsIfWatched(DETECTION_DELAY);
        let found = run_detectors(&instance, Period::default(), clock, Utc::now()).await?;
        output::say(&format!(
            "Detected: {} alerts in {:.1} s from the start",
            found.raised.len(),
            started.elapsed().as_secs_f64()
        ));
        let reckoned = money::settle(&instance, TimeDelta::zero(), Utc::now()).await?;
        output::say(&format!("Reckoned: the money at risk of {reckoned} alerts"));
        for run in found.failures() {
            output::say(&format!(
                "Detector {} failed: {}",
                run.detector_id,
                run.error.as_deref().unwrap_or_default()
            ));
        }

        let options = ServeOptions { listen: self.listen, demo: true, tls: self.tls.tls() };
        let data_dir = self.data_dir.display().to_string();
        serve(instance, &settings, &options, |url| {
            output::say(&format!("Open {url} (data in {data_dir}). Stop with Ctrl-C."));
        })
        .await
    }
}

/// The estate's customers and their subscriptions, as a list of the partner's would have them.
fn directory(summary: &Summary) -> anyhow::Result<(Vec<Customer>, Vec<CustomerSubscription>)> {
    let customers = summary.directory.iter().map(|entry| {
        Ok(Customer {
            customer_tenant_id: entry.tenant.parse()?,
            name: Some(entry.name.clone()),
            domain: Some(entry.domain.clone()),
            reseller_tenant_id: None,
            reseller_mpn_id: entry.reseller_mpn_id.clone(),
            country: None,
        })
    });
    let subscriptions = summary.directory.iter().flat_map(|entry| {
        entry.subscriptions.iter().map(move |(id, name)| {
            Ok(CustomerSubscription {
                subscription_id: id.parse()?,
                name: Some(name.clone()),
                customer_tenant_id: entry.tenant.parse()?,
            })
        })
    });
    let customers = customers.collect::<anyhow::Result<_>>()?;
    Ok((customers, subscriptions.collect::<anyhow::Result<_>>()?))
}

/// Empties the folder of an earlier demo; the signing key stays, so that tokens keep their worth.
fn clear(folder: &Path) -> anyhow::Result<()> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries
            .collect::<io::Result<Vec<_>>>()
            .with_context(|| format!("reading {}", folder.display()))?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(error).with_context(|| format!("reading {}", folder.display())),
    };
    let is_demo = folder.join(MARKER).exists();
    let only_key = entries.iter().all(|entry| entry.file_name() == "issuer");
    if !is_demo && !only_key {
        bail!("{} holds something that is not a demo; name another folder with --data-dir", folder.display());
    }
    for entry in entries {
        let name = entry.file_name();
        if name == "issuer" || name == MARKER {
            continue;
        }
        let path = entry.path();
        let removed =
            if entry.file_type()?.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
        removed.with_context(|| format!("removing {}", path.display()))?;
    }
    fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
    fs::write(folder.join(MARKER), "").with_context(|| format!("writing in {}", folder.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_demo_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let demo = folder.path().join("demo");
        clear(&demo).unwrap();
        fs::create_dir_all(demo.join("issuer")).unwrap();
        fs::write(demo.join("alerts.db"), "x").unwrap();
        clear(&demo).unwrap();
        assert!(!demo.join("alerts.db").exists());
        assert!(demo.join("issuer").exists());

        let precious = folder.path().join("precious");
        fs::create_dir_all(&precious).unwrap();
        fs::write(precious.join("thesis.txt"), "x").unwrap();
        assert!(clear(&precious).unwrap_err().to_string().contains("--data-dir"));
        assert!(precious.join("thesis.txt").exists());
    }
}
