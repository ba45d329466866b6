//! `tenantwatch detectors new`

use std::path::PathBuf;

use anyhow::bail;
use clap::Args;

use super::folder;
use crate::output;

/// Write the folder of a new detector that works: manifest, query, cases
///
/// What it detects is an example, a caller who deletes locks for the first time; change it into yours.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  tenantwatch detectors new odd_hours --into ./our-detectors")]
pub(super) struct New {
    /// The folder in which its folder is made
    #[arg(long, value_name = "DIR", default_value = ".")]
    into: PathBuf,

    /// Its id, and the name of its folder: a small letter, then a-z, 0-9 and _
    #[arg(value_name = "ID")]
    id: String,
}

/// The files of a detector, with `{id}` for its id.
const TEMPLATE: [(&str, &str); 7] = [
    ("detector.toml", include_str!("template/detector.toml")),
    ("query.sql", include_str!("template/query.sql")),
    ("cases/new_caller.toml", include_str!("template/cases/new_caller.toml")),
    ("cases/returns_after_a_month.toml", include_str!("template/cases/returns_after_a_month.toml")),
    ("cases/known_caller.toml", include_str!("template/cases/known_caller.toml")),
    ("cases/refused.toml", include_str!("template/cases/refused.toml")),
    ("cases/new_subscription.toml", include_str!("template/cases/new_subscription.toml")),
];

impl New {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let sound = self.id.starts_with(|c: char| c.is_ascii_lowercase())
            && self.id.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
        if !sound {
            bail!(
                "'{}' is no detector id; use a small letter, then a-z, 0-9 and _, such as odd_hours",
                self.id
            );
        }
        let folder = self.into.join(&self.id);
        if folder.exists() {
            bail!("{} is there already; choose another id, or remove it", folder.display());
        }
        let files = TEMPLATE.map(|(name, text)| (name, text.replace("{id}", &self.id)));
        folder::write(&folder, &files)?;
        output::print(&folder.display().to_string())?;
        output::say(&format!(
            "Now change what it says and looks for; then\n  tenantwatch detectors lint {0}\n  tenantwatch detectors test {0}\nand run it with --detectors {1}",
            folder.display(),
            self.into.display()
        ));
        Ok(())
    }
}
