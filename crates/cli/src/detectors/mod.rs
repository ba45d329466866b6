//! `tenantwatch detectors`: the author's kit.

mod check;
mod folder;
mod import;
mod list;
mod new;
mod show;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use detect::{Catalogue, Detector};

use crate::installation::Installation;

/// List, show, write and test detectors
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  tenantwatch detectors list\n  tenantwatch detectors test crypto_mining")]
pub(crate) struct Detectors {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    List(list::List),
    Show(show::Show),
    New(new::New),
    Import(import::Import),
    Lint(check::Lint),
    Test(check::Test),
}

impl Detectors {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        match self.command {
            Command::List(list) => list.run(),
            Command::Show(show) => show.run(),
            Command::New(new) => new.run(),
            Command::Import(import) => import.run().await,
            Command::Lint(lint) => lint.run().await,
            Command::Test(test) => test.run().await,
        }
    }
}

/// The detectors that this installation runs: the built-in ones, and those of its folders.
fn catalogue(installation: &Installation) -> anyhow::Result<Catalogue> {
    Ok(installation.settings()?.catalogue()?)
}

/// What was meant on the command line: ids of the catalogue, folders of a detector, folders of several; all of the
/// catalogue if nothing was named.
fn named(installation: &Installation, names: &[String]) -> anyhow::Result<Vec<Detector>> {
    if names.is_empty() {
        return Ok(catalogue(installation)?.detectors().to_vec());
    }
    let mut found = Vec::new();
    for name in names {
        if is_path(name) {
            let there = Catalogue::at(Path::new(name))?;
            if there.detectors().is_empty() {
                bail!("{name} holds no detector: a detector is a folder with detector.toml and query.sql");
            }
            found.extend_from_slice(there.detectors());
        } else {
            let known = catalogue(installation)?;
            found.push(known.get(name).cloned().with_context(|| unknown(name))?);
        }
    }
    Ok(found)
}

/// Ids hold neither slashes nor dots.
fn is_path(name: &str) -> bool {
    name.contains(['/', '.']) || PathBuf::from(name).is_dir()
}

fn unknown(id: &str) -> String {
    format!(
        "there is no detector '{id}'; `tenantwatch detectors list` names all, and a folder is written as ./{id}"
    )
}
