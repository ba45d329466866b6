//! `tenantwatch alerts update`

use ::alerts::{ResolvedReason, Status, StatusChange};
use anyhow::Context as _;
use clap::Args;

use super::access::Access;
use super::output::{self, Format};

/// Change the status of an alert
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  tenantwatch alerts update ID --status resolved --reason fraud --by ann@partner.example\n  tenantwatch alerts update ID --status investigating --server https://graph.microsoft.com"
)]
pub(super) struct Update {
    #[command(flatten)]
    access: Access,

    /// The alert's id
    #[arg(value_name = "ID")]
    id: String,

    /// active, investigating or resolved
    #[arg(long, value_name = "STATUS")]
    status: String,

    /// Why it is resolved: fraud, legitimate or ignore
    #[arg(long, value_name = "REASON")]
    reason: Option<String>,

    /// In whose name, for the activity log (default: command-line); a server takes it from the token
    #[arg(long, value_name = "UPN", conflicts_with = "server")]
    by: Option<String>,

    /// Only if the alert still has this ETag, the @odata.etag of what was read
    #[arg(long, value_name = "ETAG", requires = "server", help_heading = "Server")]
    if_match: Option<String>,

    /// json, table (one property a line) or csv (every property that is one value)
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = Format::Json)]
    output: Format,
}

impl Update {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let change = StatusChange {
            to: self.status.parse::<Status>().context("--status")?,
            reason: self
                .reason
                .as_deref()
                .map(str::parse::<ResolvedReason>)
                .transpose()
                .context("--reason")?,
        };
        let id = self.id.parse()?;
        let source = self.access.open().await?;
        let alert = source.update(&id, &change, self.if_match.as_deref(), self.by.as_deref()).await?;
        output::one(self.output, alert)
    }
}
