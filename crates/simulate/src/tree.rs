//! The folder that an estate is written to.
//!
//! Only a folder that is empty, or that an earlier run made, is written to. A marker says so; it is
//! written first, so that a run that was cut off can be repeated. Of an earlier run only what a run
//! writes is removed; if there is anything else, the run refuses to start.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use serde::{Deserialize, Serialize};

use crate::SimulateError;
use crate::settings::Settings;

/// The marker: what made the folder, with which settings.
pub const MARKER_FILE: &str = "simulation.json";

/// The truth, for scoring.
pub const LABELS_FILE: &str = "labels.json";

/// The folders of raw Azure records, as a run writes them. Not every estate has all.
pub const RAW_FOLDERS: [&str; 10] = [
    "insights-activity-logs",
    "event-hub",
    "rest-api",
    "cost-exports",
    "insights-logs-flowlogflowevent",
    "insights-logs-networksecuritygroupflowevent",
    "insights-logs-signinlogs",
    "insights-logs-noninteractiveusersigninlogs",
    "insights-logs-serviceprincipalsigninlogs",
    "insights-logs-auditlogs",
];

const MADE_BY: &str = "tenantwatch simulate";

#[derive(Serialize, Deserialize)]
struct Marker {
    made_by: String,
    settings: Settings,
}

/// A folder that may be written to.
pub(crate) struct Tree {
    root: PathBuf,
}

impl Tree {
    /// Clears the folder of an earlier run, or makes it, and marks it.
    pub(crate) fn prepare(root: &Path, settings: &Settings) -> Result<Self, SimulateError> {
        let failed = |source| SimulateError::Write { path: root.to_owned(), source };
        fs::create_dir_all(root).map_err(failed)?;
        let mut names = Vec::new();
        for entry in fs::read_dir(root).map_err(failed)? {
            names.push(entry.map_err(failed)?.file_name());
        }
        if !names.is_empty() {
            if !is_marked(&root.join(MARKER_FILE)) {
                return Err(SimulateError::NotOurs { path: root.to_owned() });
            }
            let ours = |name: &str| name == MARKER_FILE || name == LABELS_FILE || RAW_FOLDERS.contains(&name);
            if let Some(foreign) = names.iter().find(|name| !name.to_str().is_some_and(ours)) {
                return Err(SimulateError::Foreign { path: root.join(foreign) });
            }
        }
        let tree = Self { root: root.to_owned() };
        let marker = Marker { made_by: MADE_BY.to_owned(), settings: settings.clone() };
        let text = serde_json::to_string_pretty(&marker).map_err(|error| failed(error.into()))?;
        tree.write(MARKER_FILE, false, format!("{text}\n").as_bytes())?;
        for name in &names {
            tree.clear(name.to_str().unwrap_or_default())?;
        }
        Ok(tree)
    }

    fn clear(&self, name: &str) -> Result<(), SimulateError> {
        let path = self.root.join(name);
        let cleared = match name {
            MARKER_FILE => Ok(()),
            LABELS_FILE => fs::remove_file(&path),
            _ => fs::remove_dir_all(&path),
        };
        cleared.map_err(|source| SimulateError::Write { path, source })
    }

    /// The folder itself.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Writes a whole file. Returns its size in bytes.
    pub(crate) fn write(&self, name: &str, gzip: bool, content: &[u8]) -> Result<u64, SimulateError> {
        let mut sink = self.open(name, gzip)?;
        sink.write_all(content).map_err(|source| sink.failed(source))?;
        sink.close()
    }

    /// Opens a file to be written piece by piece; `.gz` is added to the name of a compressed one.
    pub(crate) fn open(&self, name: &str, gzip: bool) -> Result<Sink, SimulateError> {
        let path = self.root.join(if gzip { format!("{name}.gz") } else { name.to_owned() });
        let open = || {
            if let Some(folder) = path.parent() {
                fs::create_dir_all(folder)?;
            }
            let file = BufWriter::new(File::create(&path)?);
            // The fastest level: the files are read once, and the encoder's header holds no time.
            Ok(if gzip {
                Encoding::Gzip(Box::new(GzEncoder::new(file, Compression::fast())))
            } else {
                Encoding::Plain(file)
            })
        };
        match open() {
            Ok(encoding) => Ok(Sink { path, encoding }),
            Err(source) => Err(SimulateError::Write { path, source }),
        }
    }
}

fn is_marked(marker: &Path) -> bool {
    let read = fs::read(marker).ok().and_then(|text| serde_json::from_slice::<serde_json::Value>(&text).ok());
    // Only the maker is looked at: the settings of another version may differ.
    read.is_some_and(|marker| marker["made_by"] == MADE_BY)
}

/// Whether a file tells about an estate instead of being part of it: the marker and the labels, which lie
/// beside the raw folders and are not to be taken in. A file of the same name elsewhere does not.
#[must_use]
pub fn describes_an_estate(file: &Path) -> bool {
    let is_named_so = file.file_name().is_some_and(|name| name == MARKER_FILE || name == LABELS_FILE);
    is_named_so && is_marked(&file.with_file_name(MARKER_FILE))
}

/// A file being written.
pub(crate) struct Sink {
    path: PathBuf,
    encoding: Encoding,
}

enum Encoding {
    Plain(BufWriter<File>),
    Gzip(Box<GzEncoder<BufWriter<File>>>),
}

impl Sink {
    /// What to say when writing failed.
    pub(crate) fn failed(&self, source: io::Error) -> SimulateError {
        SimulateError::Write { path: self.path.clone(), source }
    }

    /// Ends the file. Returns its size in bytes.
    pub(crate) fn close(self) -> Result<u64, SimulateError> {
        let path = self.path;
        let close = || {
            let mut file = match self.encoding {
                Encoding::Plain(file) => file,
                Encoding::Gzip(encoder) => encoder.finish()?,
            };
            file.flush()?;
            Ok(file.get_ref().metadata()?.len())
        };
        close().map_err(|source| SimulateError::Write { path, source })
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.encoding {
            Encoding::Plain(file) => file.write(bytes),
            Encoding::Gzip(encoder) => encoder.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.encoding {
            Encoding::Plain(file) => file.flush(),
            Encoding::Gzip(encoder) => encoder.flush(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> Settings {
        Settings {
            seed: 1,
            customers: 1,
            days: 1,
            end: "2026-03-02T12:00:00Z".parse().unwrap(),
            partner_tenant_id: "p".parse().unwrap(),
        }
    }

    #[test]
    fn a_folder_of_somebody_else_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("letter.txt"), "dear").unwrap();
        assert!(matches!(Tree::prepare(folder.path(), &settings()), Err(SimulateError::NotOurs { .. })));
        // Nor does a marker of another maker help.
        fs::write(folder.path().join(MARKER_FILE), "{\"made_by\": \"me\"}").unwrap();
        assert!(matches!(Tree::prepare(folder.path(), &settings()), Err(SimulateError::NotOurs { .. })));
        assert_eq!(fs::read_to_string(folder.path().join("letter.txt")).unwrap(), "dear");
    }

    #[test]
    fn only_files_beside_a_marker_describe_an_estate() {
        let folder = tempfile::tempdir().unwrap();
        let elsewhere = folder.path().join(LABELS_FILE);
        fs::write(&elsewhere, "[]").unwrap();
        let root = folder.path().join("estate");
        let tree = Tree::prepare(&root, &settings()).unwrap();
        tree.write(LABELS_FILE, false, b"[]").unwrap();
        tree.write("rest-api/labels.json", false, b"[]").unwrap();
        let check = |path: PathBuf, expected| assert_eq!(describes_an_estate(&path), expected, "{path:?}");
        check(root.join(MARKER_FILE), true);
        check(root.join(LABELS_FILE), true);
        check(root.join("rest-api/labels.json"), false);
        check(elsewhere, false);
    }

    #[test]
    fn an_earlier_run_is_replaced_but_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("new/estate");
        let tree = Tree::prepare(&root, &settings()).unwrap();
        tree.write("rest-api/old.json", false, b"{}").unwrap();
        tree.write(LABELS_FILE, false, b"[]").unwrap();
        Tree::prepare(&root, &settings()).unwrap();
        assert!(!root.join("rest-api").exists());
        assert!(!root.join(LABELS_FILE).exists());
        assert!(root.join(MARKER_FILE).exists());

        fs::write(root.join("notes.md"), "mine").unwrap();
        let refused = Tree::prepare(&root, &settings()).err().unwrap();
        assert!(matches!(refused, SimulateError::Foreign { path } if path.ends_with("notes.md")));
    }
}
