//! `tenantwatch score`: facts for the partner's security score.

use std::fs;
use std::path::PathBuf;

use anyhow::Context as _;
use chrono::Utc;
use clap::{Args, Subcommand};
use graph::app::score::import::import;

use crate::installation::Installation;
use crate::output;

/// Import facts for the partner's security score
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  tenantwatch score import facts.json")]
pub(crate) struct Score {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    Import(Import),
}

/// Take in what Tenantwatch cannot see itself: requirements and customer insights, as Graph writes them
///
/// The file is a JSON object with requirements, customerInsights or both; docs/score.md has an example.
/// A list that is in the file takes the place of what was known.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  tenantwatch score import facts.json")]
struct Import {
    #[command(flatten)]
    installation: Installation,

    /// The file
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

impl Score {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        match self.action {
            Action::Import(import) => import.run().await,
        }
    }
}

impl Import {
    async fn run(self) -> anyhow::Result<()> {
        let shown = self.file.display();
        let text = fs::read_to_string(&self.file).with_context(|| format!("reading {shown}"))?;
        let instance = self.installation.open().await?;
        let imported = import(&*instance.store, &instance.scope(), &text, Utc::now())
            .await
            .with_context(|| format!("importing {shown}"))?;
        let told = |name: &str, count: Option<usize>| match count {
            Some(count) => format!("{count} {name}"),
            None => format!("{name} as they were"),
        };
        output::say(&format!(
            "{}, {}",
            told("requirements", imported.requirements),
            told("customer insights", imported.customer_insights)
        ));
        Ok(())
    }
}
