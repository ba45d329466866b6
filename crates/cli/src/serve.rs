//! `tenantwatch serve`

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, ValueEnum};
use server::app::Instance;
use server::config::Settings;
use server::{ServeOptions, Server, Tls};

use crate::installation::Installation;
use crate::output;
use crate::stop;

/// Serve the API and the page, take records in, and run the detectors by their schedules
///
/// Records come by `ingest` beside it, by POST /ingest/v1/{kind}, and from the `[[sources]]` of the settings: folders,
/// containers in Azure Blob and S3, Event Hubs (docs/sources.md). The tables of events are kept small meanwhile.
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

    #[command(flatten)]
    tls: TlsOptions,
}

/// How the server is reached over HTTPS; plain HTTP without these options.
#[derive(Debug, Args)]
pub(crate) struct TlsOptions {
    /// Serve HTTPS with this certificate (PEM, with its chain); read again every hour
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,

    /// The certificate's private key (PEM)
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,

    /// Serve HTTPS with a certificate of a local authority, which clients must be told to trust
    ///
    /// The authority's certificate is written to DIR/tls/ca.pem: NODE_EXTRA_CA_CERTS=DIR/tls/ca.pem,
    /// SSL_CERT_FILE=DIR/tls/ca.pem or curl --cacert DIR/tls/ca.pem.
    #[arg(long, value_name = "KIND", conflicts_with = "tls_cert")]
    tls: Option<LocalTls>,

    /// Another name or address that the local authority's certificate is to hold for (may be repeated)
    #[arg(long, value_name = "NAME", requires = "tls")]
    tls_name: Vec<String>,
}

/// Certificates that are made here.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum LocalTls {
    /// Signed by an authority of this data directory alone.
    SelfSigned,
}

impl TlsOptions {
    pub(crate) fn tls(&self) -> Option<Tls> {
        match (&self.tls_cert, &self.tls_key, self.tls) {
            (Some(certificate), Some(key), _) => {
                Some(Tls::Files { certificate: certificate.clone(), key: key.clone() })
            }
            (_, _, Some(LocalTls::SelfSigned)) => Some(Tls::SelfSigned { names: self.tls_name.clone() }),
            _ => None,
        }
    }
}

impl Serve {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let settings = self.installation.settings()?;
        let instance = self.installation.open().await?;
        let detectors = instance.detectors.len();
        let options = ServeOptions { listen: self.listen, demo: false, tls: self.tls.tls() };
        serve(instance, &settings, &options, |url| {
            output::say(&format!("Serving {url} with {detectors} detectors. Stop with Ctrl-C."));
            output::say("A token: tenantwatch token --scope PartnerSecurity.ReadWrite.All");
        })
        .await
    }
}

/// Serves until told to stop; prints the URL alone on standard output once the port is open.
pub(crate) async fn serve(
    instance: Arc<Instance>,
    settings: &Settings,
    options: &ServeOptions,
    ready: impl FnOnce(&str),
) -> anyhow::Result<()> {
    let server = Server::bind(instance, settings, options).await?;
    let url = server.url();
    ready(&url);
    output::print(&url)?;
    let stop = stop::asked();
    server
        .run(async {
            // It only waits for signals, so that it does not fail.
            let _ = stop.await;
        })
        .await?;
    output::say("Stopped.");
    Ok(())
}
