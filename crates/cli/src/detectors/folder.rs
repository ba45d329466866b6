//! The folder of a detector on disk.

use std::fs;
use std::path::Path;

use anyhow::Context as _;

/// Writes files below a folder, and the folders that they need.
pub(super) fn write<N: AsRef<str>, T: AsRef<str>>(folder: &Path, files: &[(N, T)]) -> anyhow::Result<()> {
    for (name, text) in files {
        let file = folder.join(name.as_ref());
        let around = file.parent().unwrap_or(folder);
        fs::create_dir_all(around).with_context(|| format!("making {}", around.display()))?;
        fs::write(&file, text.as_ref()).with_context(|| format!("writing {}", file.display()))?;
    }
    Ok(())
}
