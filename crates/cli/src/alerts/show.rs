//! `tenantwatch alerts show`

use clap::Args;

use super::access::Access;
use super::output::{self, Format};

/// Show one alert
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  tenantwatch alerts show ID --server http://127.0.0.1:8080 --output table"
)]
pub(super) struct Show {
    #[command(flatten)]
    access: Access,

    /// The alert's id
    #[arg(value_name = "ID")]
    id: String,

    /// json, table (one property a line) or csv (every property that is one value)
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = Format::Json)]
    output: Format,
}

impl Show {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        output::one(self.output, self.access.open().await?.show(&self.id).await?)
    }
}
