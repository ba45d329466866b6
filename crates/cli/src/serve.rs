//! `tenantwatch serve`

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::bail;
use clap::Args;
use server::app::Instance;
use server::{ServeOptions, Server};

use crate::installation::Installation;
use crate::output;

/// Serve the API and the page, and run the detectors by their schedules
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  tenantwatch ingest exports/ && tenantwatch serve --listen 127.0.0.1:8080"
)]
pub(crate) struct Serve {
    #[command(flatten)]
    installation: Installation,

    /// Address and port to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,

    /// Where alerts are kept: sqlite (in the data directory)
    #[arg(long, value_name = "STORE", default_value = "sqlite")]
    store: String,
}

impl Serve {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        if self.store != "sqlite" {
            bail!(
                "--store {}: this version keeps alerts in SQLite only; leave the option out or write 'sqlite'",
                self.store
            );
        }
        let scheduled = self.installation.settings()?.scheduled_detection;
        let instance = self.installation.open()?;
        let detectors = instance.detectors.len();
        let options = ServeOptions { listen: self.listen, demo: false, scheduled_detection: scheduled };
        serve(instance, &options, |url| {
            output::say(&format!("Serving {url} with {detectors} detectors. Stop with Ctrl-C."));
            output::say("A token: tenantwatch token --scope PartnerSecurity.ReadWrite.All");
        })
        .await
    }
}

/// Serves until told to stop; prints the URL alone on standard output once the port is open.
pub(crate) async fn serve(
    instance: Arc<Instance>,
    options: &ServeOptions,
    ready: impl FnOnce(&str),
) -> anyhow::Result<()> {
    let server = Server::bind(instance, options).await?;
    let url = server.url();
    ready(&url);
    output::print(&url)?;
    server.run(stop_signal()).await?;
    output::say("Stopped.");
    Ok(())
}

/// Completes on Ctrl-C, or when the service manager asks to stop.
async fn stop_signal() {
    let interrupt = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let Ok(mut terminate) = signal(SignalKind::terminate()) else {
            let _ = interrupt.await;
            return;
        };
        tokio::select! {
            _ = interrupt => {}
            _ = terminate.recv() => {}
        }
    }
    #[cfg(not(unix))]
    let _ = interrupt.await;
}
