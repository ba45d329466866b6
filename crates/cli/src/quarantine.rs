//! `tenantwatch quarantine`

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use anyhow::{Context as _, bail};
use chrono::Utc;
use clap::{Args, Subcommand};
use ingest::{Kept, quarantine_files, read_quarantine};
use serde_json::json;
use server::app::quarantine;

use crate::ingest::show_report;
use crate::installation::Installation;
use crate::output;
use crate::progress::Progress;

/// Look at records that could not be taken in, and read them again
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  tenantwatch quarantine list")]
pub(crate) struct Quarantine {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    List(List),
    Show(Show),
    Retry(Retry),
}

/// List the quarantine's files, each with its reasons and how often they occur
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  tenantwatch quarantine list")]
struct List {
    #[command(flatten)]
    installation: Installation,

    /// Print one JSON object a file
    #[arg(long)]
    json: bool,
}

/// Show the records of a quarantine file: where each comes from, why it was rejected, its text
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  tenantwatch quarantine show insights.json.0d2c1b7a9e8f6054.ndjson --limit 3"
)]
struct Show {
    #[command(flatten)]
    installation: Installation,

    /// Show at most so many
    #[arg(long, value_name = "COUNT", default_value_t = 20)]
    limit: usize,

    /// Print one JSON object a record
    #[arg(long)]
    json: bool,

    /// The file's name, as `list` shows it; its beginning will do if no other begins so
    #[arg(value_name = "NAME")]
    name: String,
}

/// Read quarantined records again: after an upgrade, or after mending them where they are kept
///
/// What can be read now is stored and leaves the quarantine; the rest stays, with the reason of today.
/// Lines of a CSV, and files that were refused as a whole, are read again from the file that they came
/// from, if it is still there and as long as it was, and once its other records can be read.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  tenantwatch quarantine retry")]
struct Retry {
    #[command(flatten)]
    installation: Installation,

    /// Print the summary as one JSON object, as `ingest` does
    #[arg(long)]
    json: bool,

    /// The files' names, as `list` shows them; all files if none is named
    #[arg(value_name = "NAME")]
    names: Vec<String>,
}

impl Quarantine {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        match self.command {
            Command::List(list) => list.run(),
            Command::Show(show) => show.run(),
            Command::Retry(retry) => retry.run().await,
        }
    }
}

impl List {
    fn run(self) -> anyhow::Result<()> {
        let files = files(&self.installation)?;
        if files.is_empty() && !self.json {
            output::say("The quarantine is empty.");
        }
        for path in files {
            let mut reasons: BTreeMap<String, u64> = BTreeMap::new();
            let mut input = None;
            for kept in read_quarantine(&path)? {
                let kept = kept?;
                *reasons.entry(kept.reason).or_default() += 1;
                input.get_or_insert(kept.file);
            }
            let (name, input) = (name_of(&path), input.unwrap_or_default());
            if self.json {
                let line = json!({"name": name, "file": input, "reasons": reasons});
                output::print(&line.to_string())?;
                continue;
            }
            output::print(&format!("{name}  from {}", input.display()))?;
            for (reason, count) in reasons {
                output::print(&format!("  {count:>6} × {reason}"))?;
            }
        }
        Ok(())
    }
}

impl Show {
    fn run(self) -> anyhow::Result<()> {
        let path = named(&files(&self.installation)?, &self.name)?;
        let mut records = read_quarantine(&path)?;
        for kept in records.by_ref().take(self.limit) {
            let kept = kept?;
            output::print(&if self.json { serde_json::to_string(&kept)? } else { as_text(&kept) })?;
        }
        let more = records.count();
        if more > 0 {
            output::say(&format!("… and {more} more; --limit shows them"));
        }
        Ok(())
    }
}

fn as_text(kept: &Kept) -> String {
    let kind = kept.kind.as_deref().unwrap_or("of no known kind");
    format!("{}:{} ({kind}): {}\n{}\n", kept.file.display(), kept.line, kept.reason, kept.record.trim_end())
}

impl Retry {
    async fn run(self) -> anyhow::Result<()> {
        let all = files(&self.installation)?;
        let chosen = if self.names.is_empty() {
            all
        } else {
            self.names.iter().map(|name| named(&all, name)).collect::<anyhow::Result<_>>()?
        };
        let instance = self.installation.open().await?;
        let sizes = chosen.iter().map(|path| fs::metadata(path).map_or(0, |found| found.len()));
        let done = Arc::new(AtomicU64::new(0));
        let progress = Progress::bytes(sizes.sum(), done.clone());
        let report = quarantine::retry(instance, chosen, Utc::now(), done).await?;
        drop(progress);
        show_report(&report, self.json)
    }
}

fn files(installation: &Installation) -> anyhow::Result<Vec<PathBuf>> {
    let folder = installation.data_dir().quarantine();
    quarantine_files(&folder).with_context(|| format!("reading the quarantine {}", folder.display()))
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// The one file that the name means.
fn named(files: &[PathBuf], name: &str) -> anyhow::Result<PathBuf> {
    if let Some(exact) = files.iter().find(|path| name_of(path) == name) {
        return Ok(exact.clone());
    }
    let meant: Vec<_> = files.iter().filter(|path| name_of(path).starts_with(name)).collect();
    match meant[..] {
        [one] => Ok(one.clone()),
        [] => bail!("the quarantine has no file '{name}'; `tenantwatch quarantine list` shows what it has"),
        _ => bail!(
            "'{name}' begins the names of {} quarantine files; write more of the one you mean",
            meant.len()
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_means_one_file() {
        let files = ["/q/a.json.01.ndjson", "/q/a.json.02.ndjson", "/q/b.csv.03.ndjson"].map(PathBuf::from);
        assert_eq!(named(&files, "a.json.02.ndjson").unwrap(), files[1]);
        assert_eq!(named(&files, "b").unwrap(), files[2]);
        assert!(named(&files, "a").unwrap_err().to_string().contains("begins the names of 2"));
        assert!(named(&files, "c").unwrap_err().to_string().contains("quarantine list"));
    }
}
