//! All detectors: those that come with the program, and those of the user.

use std::path::Path;
use std::sync::Arc;

use crate::detector::Detector;
use crate::files::{FileError, Files, Text};
use crate::{Manifest, ManifestError};

/// A set of detectors with different ids, in the order of their ids.
#[derive(Debug, Clone, Default)]
pub struct Catalogue {
    detectors: Vec<Detector>,
}

/// Why detectors cannot be loaded.
#[derive(Debug, thiserror::Error)]
pub enum CatalogueError {
    /// A file cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// A manifest is wrong.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// A folder lacks one of the two files that make a detector.
    #[error("{folder}: there is no {file}; a detector's folder has detector.toml and query.sql")]
    Incomplete {
        /// The folder.
        folder: String,
        /// What is missing.
        file: &'static str,
    },
    /// Two detectors have the same id.
    #[error(
        "{second}: there is a detector '{id}' already, in {first}; give this one another id and folder name"
    )]
    Duplicate {
        /// The id.
        id: String,
        /// Where the first one is.
        first: String,
        /// Where the second one is.
        second: String,
    },
}

/// The folder beside the detectors that holds indicator tables.
const INDICATORS: &str = "indicators";

const MANIFEST: &str = "detector.toml";
const QUERY: &str = "query.sql";
const CANDIDATES: &str = "candidates.sql";

impl Catalogue {
    /// The detectors that come with the program.
    #[must_use]
    pub fn builtin() -> Self {
        let detectors =
            load(&Files::embedded()).expect("the built-in detectors are loaded by a test of this crate");
        Self { detectors }
    }

    /// The detectors at a path: the one whose folder it is, or those of the folders in it.
    ///
    /// # Errors
    ///
    /// [`CatalogueError`] for the first thing that is wrong.
    pub fn at(path: &Path) -> Result<Self, CatalogueError> {
        // Names such as `.` say nothing; the detector's id is the name of its folder.
        let path =
            path.canonicalize().map_err(|source| FileError::Unreadable { path: path.to_owned(), source })?;
        let is_detector = path.join(MANIFEST).is_file();
        let files = if is_detector { Files::of_detector(&path)? } else { Files::of_folder(&path)? };
        Ok(Self { detectors: load(&files)? })
    }

    /// Adds the detectors of a folder: one folder in it for each.
    ///
    /// # Errors
    ///
    /// [`CatalogueError`] for the first thing that is wrong; an id that is taken is an error, as a
    /// detector that silently stands in for another would be missed by nobody.
    pub fn with_folder(mut self, folder: &Path) -> Result<Self, CatalogueError> {
        for detector in load(&Files::of_folder(folder)?)? {
            if let Some(first) = self.get(&detector.manifest.id) {
                return Err(CatalogueError::Duplicate {
                    id: detector.manifest.id.clone(),
                    first: first.origin.clone(),
                    second: detector.origin,
                });
            }
            self.detectors.push(detector);
        }
        self.detectors.sort_by(|a, b| a.manifest.id.cmp(&b.manifest.id));
        Ok(self)
    }

    /// All detectors, in the order of their ids.
    #[must_use]
    pub fn detectors(&self) -> &[Detector] {
        &self.detectors
    }

    /// The detector of that id.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&Detector> {
        self.detectors.iter().find(|detector| detector.manifest.id == id)
    }
}

fn load(files: &Files) -> Result<Vec<Detector>, CatalogueError> {
    let mut folders: Vec<&str> =
        files.texts.keys().filter_map(|path| Some(path.split_once('/')?.0)).collect();
    folders.dedup();
    folders.retain(|folder| *folder != INDICATORS);
    folders.into_iter().map(|folder| detector(files, folder)).collect()
}

fn detector(files: &Files, folder: &str) -> Result<Detector, CatalogueError> {
    let text = |file: &'static str| {
        let missing = || CatalogueError::Incomplete { folder: files.name(folder), file };
        files.texts.get(&format!("{folder}/{file}")).ok_or_else(missing)
    };
    let file = files.name(&format!("{folder}/{MANIFEST}"));
    let manifest = Manifest::parse(text(MANIFEST)?, &file, folder)?;
    let prefix = format!("{folder}/cases/");
    let cases = files
        .texts
        .range(prefix.clone()..)
        .take_while(|(path, _)| path.starts_with(&prefix))
        .filter_map(|(path, text)| {
            let name = path.strip_prefix(&prefix)?.strip_suffix(".toml")?;
            Some(Text { name: name.to_owned(), text: text.clone() })
        })
        .collect();
    Ok(Detector {
        manifest,
        sql: text(QUERY)?.clone(),
        candidates_sql: files.texts.get(&format!("{folder}/{CANDIDATES}")).cloned(),
        origin: files.name(folder),
        cases,
        settings: Vec::new(),
        reads: Arc::default(),
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const GOOD: &str = r#"
id = "ID"
version = 1
alert_type = "Odd"
title = "Odd"
severity = "low"
confidence = "low"
inputs = ["activity"]
lookback = "1d"
schedule = "1h"
overlap = "0s"
grouping = []
meaning = "Odd."
response = ["Look."]
mitre = []
source = "Own."
"#;

    fn folder(id: &str, files: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let detector = folder.path().join(id);
        fs::create_dir(&detector).unwrap();
        for file in files {
            let text = if file.ends_with(".toml") { GOOD.replace("ID", id) } else { "select 1".to_owned() };
            fs::write(detector.join(file), text).unwrap();
        }
        folder
    }

    #[test]
    fn the_built_in_detectors_load() {
        let catalogue = Catalogue::builtin();
        let ids: Vec<_> =
            catalogue.detectors().iter().map(|detector| detector.manifest.id.as_str()).collect();
        assert!(ids.is_sorted() && ids.contains(&"crypto_mining"), "{ids:?}");
    }

    #[test]
    fn a_folder_adds_its_detectors() {
        let folder = folder("odd", &["detector.toml", "query.sql"]);
        let catalogue = Catalogue::builtin().with_folder(folder.path()).unwrap();
        assert!(catalogue.get("odd").is_some());
        assert!(catalogue.get("crypto_mining").is_some());
        assert!(catalogue.get("even").is_none());
    }

    #[test]
    fn a_path_is_a_detector_or_a_folder_of_them() {
        let folder = folder("odd", &["detector.toml", "query.sql"]);
        for path in [folder.path().to_owned(), folder.path().join("odd"), folder.path().join("odd/.")] {
            let found = Catalogue::at(&path).unwrap();
            assert_eq!(found.detectors().len(), 1, "{}", path.display());
            assert!(found.get("odd").is_some_and(|odd| odd.origin.ends_with("/odd")), "{}", path.display());
        }
        assert!(
            Catalogue::at(Path::new("no/such"))
                .unwrap_err()
                .to_string()
                .starts_with("no/such cannot be read")
        );
    }

    #[test]
    fn what_is_wrong_with_a_folder_is_named() {
        let check = |id: &str, files: &[&str], expected: &str| {
            let folder = folder(id, files);
            let error = Catalogue::builtin().with_folder(folder.path()).unwrap_err().to_string();
            let error = error.replace(&folder.path().display().to_string(), "FOLDER");
            assert_eq!(error, expected);
        };
        check(
            "crypto_mining",
            &["detector.toml", "query.sql"],
            "FOLDER/crypto_mining: there is a detector 'crypto_mining' already, in built-in/crypto_mining; \
             give this one another id and folder name",
        );
        let two_files = "a detector's folder has detector.toml and query.sql";
        check("odd", &["query.sql"], &format!("FOLDER/odd: there is no detector.toml; {two_files}"));
        check("odd", &["detector.toml"], &format!("FOLDER/odd: there is no query.sql; {two_files}"));
        let missing = Catalogue::builtin().with_folder(Path::new("no/such/folder")).unwrap_err();
        assert_eq!(missing.to_string(), "no/such/folder cannot be read");
    }
}
