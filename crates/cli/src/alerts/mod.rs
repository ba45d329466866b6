//! `tenantwatch alerts`: import, list, show, update.
//!
//! All but import work on the data directory, on a Tenantwatch server, and on Microsoft Graph; which
//! one, [`access`] decides.

mod access;
mod import;
mod list;
mod output;
mod show;
mod update;

use clap::{Args, Subcommand};

/// Import, list, show and update alerts
///
/// Without --server they are the data directory's. With it, they are those of a Tenantwatch server or of
/// Microsoft Graph.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  tenantwatch alerts list --filter \"severity eq 'high'\"")]
pub(crate) struct Alerts {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    Import(import::Import),
    List(list::List),
    Show(show::Show),
    Update(update::Update),
}

impl Alerts {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        match self.action {
            Action::Import(import) => import.run().await,
            Action::List(list) => list.run().await,
            Action::Show(show) => show.run().await,
            Action::Update(update) => update.run().await,
        }
    }
}
