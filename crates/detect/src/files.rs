//! The files of detectors and indicators: those within the program, and those of a folder.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rust_embed::RustEmbed;

/// No file of a detector is larger; one that is was put there by mistake.
const FILE_BYTES_MAX: u64 = 4 << 20;

/// How errors name the files within the program.
pub(crate) const BUILT_IN: &str = "built-in";

#[derive(RustEmbed)]
#[folder = "$CARGO_MANIFEST_DIR/../../detectors"]
struct Embedded;

/// A text and its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Text {
    pub(crate) name: String,
    pub(crate) text: String,
}

/// A file that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The system says no.
    #[error("{} cannot be read", path.display())]
    Unreadable {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// It is too large to be one of ours.
    #[error("{} has {bytes} bytes; a file of a detector has at most {FILE_BYTES_MAX}", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its size.
        bytes: u64,
    },
}

/// Texts by their path within the folder, with `/` between the parts; in the order of the paths.
#[derive(Debug, Default)]
pub(crate) struct Files {
    /// What errors put before a path.
    pub(crate) origin: String,
    pub(crate) texts: BTreeMap<String, String>,
}

impl Files {
    /// The files within the program.
    pub(crate) fn embedded() -> Self {
        let texts = Embedded::iter()
            .filter(|path| is_ours(path))
            .filter_map(|path| {
                let data: Cow<'static, [u8]> = Embedded::get(&path)?.data;
                Some((path.into_owned(), String::from_utf8_lossy(&data).into_owned()))
            })
            .collect();
        Self { origin: BUILT_IN.to_owned(), texts }
    }

    /// The files of a folder and of the folders in it, three deep: detector, `cases`, case.
    pub(crate) fn of_folder(folder: &Path) -> Result<Self, FileError> {
        let mut files = Self { origin: folder.display().to_string(), texts: BTreeMap::new() };
        files.add_folder(folder, "", 3)?;
        Ok(files)
    }

    /// The files of the folder of one detector, as if it were alone in the folder around it.
    pub(crate) fn of_detector(folder: &Path) -> Result<Self, FileError> {
        let around = folder.parent().unwrap_or(Path::new(""));
        let name = folder.file_name().unwrap_or_default().to_string_lossy();
        let mut files = Self { origin: around.display().to_string(), texts: BTreeMap::new() };
        files.add_folder(folder, &format!("{name}/"), 2)?;
        Ok(files)
    }

    fn add_folder(&mut self, folder: &Path, prefix: &str, depth: usize) -> Result<(), FileError> {
        let unreadable = |path: &Path| {
            let path = path.to_owned();
            move |source| FileError::Unreadable { path, source }
        };
        for entry in std::fs::read_dir(folder).map_err(unreadable(folder))? {
            let entry = entry.map_err(unreadable(folder))?;
            let path = entry.path();
            // A name that is not UTF-8 cannot be one of ours.
            let Ok(name) = entry.file_name().into_string() else {
                continue;
            };
            let inner = format!("{prefix}{name}");
            // Follows links: a mounted configuration often consists of them.
            let about = std::fs::metadata(&path).map_err(unreadable(&path))?;
            if about.is_dir() && depth > 1 && !name.starts_with('.') {
                self.add_folder(&path, &format!("{inner}/"), depth - 1)?;
            } else if about.is_file() && is_ours(&inner) {
                if about.len() > FILE_BYTES_MAX {
                    return Err(FileError::TooLarge { path, bytes: about.len() });
                }
                let text = std::fs::read_to_string(&path).map_err(unreadable(&path))?;
                self.texts.insert(inner, text);
            }
        }
        Ok(())
    }

    /// A path as errors name it.
    pub(crate) fn name(&self, path: &str) -> String {
        format!("{}/{path}", self.origin)
    }
}

/// Whether a file is one that detectors are made of.
fn is_ours(path: &str) -> bool {
    [".toml", ".sql", ".csv"].iter().any(|ending| path.ends_with(ending))
}
