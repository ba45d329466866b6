//! `tenantwatch explain`

use alerts::AlertId;
use clap::Args;
use server::app::explanation::explain;

use crate::installation::Installation;
use crate::output;

/// Explain why an alert fired: values, thresholds, the events behind it, and the weeks before as a picture
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  tenantwatch explain 0f0e0d0c-7777-5000-8000-000000000007")]
pub(crate) struct Explain {
    #[command(flatten)]
    installation: Installation,

    /// Print one JSON object: {"alert","detector","thresholds":[…],"series":{…},"events":[…]}
    #[arg(long)]
    json: bool,

    /// The alert's id, as `alerts list` shows it
    #[arg(value_name = "ALERT_ID")]
    id: AlertId,
}

impl Explain {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let instance = self.installation.open().await?;
        let explanation = explain(&instance, &instance.scope(), &self.id).await?;
        let text = if self.json { explanation.to_json().to_string() } else { explanation.to_text() };
        Ok(output::print(text.trim_end())?)
    }
}
