//! Manifests beside the parts of an export: which of the objects they are, and what they say.
//!
//! What is in them is for the reader of records; here they are only handed along.

use std::collections::BTreeMap;

use bytes::Bytes;
use object_store::{Error, ObjectStore, ObjectStoreExt};

use super::errors::Place;
use super::layout;
use crate::{Manifest, SourceError};

/// As Cost Management and Partner Center's exports call them.
const NAMES: [&str; 2] = [layout::MANIFEST, "_manifest.json"];
/// Objects may lie in folders below their manifest.
const FOLDERS_ABOVE: usize = 3;
/// A manifest is held in memory for each batch that needs it. The parts of a run are a few, or some hundred.
const BYTES_MAX: u64 = 4 * 1024 * 1024;

/// The manifests of a container.
#[derive(Debug, Default)]
pub(super) struct Manifests {
    /// Keys by the folder that they lie in.
    keys: BTreeMap<String, String>,
}

/// Where the manifest of an object lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ManifestOf {
    pub(super) key: String,
    /// The object's name below the manifest's folder.
    part: String,
}

/// The texts of manifests that a batch needs, by key; none of those that cannot be used.
pub(super) type Texts = BTreeMap<String, Option<Bytes>>;

impl Manifests {
    /// Finds the manifests among keys.
    pub(super) fn among<'k>(keys: impl Iterator<Item = &'k str>) -> Self {
        let mut found = Self::default();
        for key in keys {
            let (folder, name) = layout::split(key);
            if NAMES.contains(&name) {
                found.keys.insert(folder.to_owned(), key.to_owned());
            }
        }
        found
    }

    /// The manifest nearest to an object: in its folder, or in one above.
    pub(super) fn of(&self, key: &str) -> Option<ManifestOf> {
        let mut folder = layout::split(key).0;
        for _ in 0..FOLDERS_ABOVE {
            if let Some(manifest) = self.keys.get(folder).filter(|manifest| *manifest != key) {
                let part = key.strip_prefix(folder).unwrap_or(key).trim_start_matches('/');
                return Some(ManifestOf { key: manifest.clone(), part: part.to_owned() });
            }
            if folder.is_empty() {
                break;
            }
            folder = layout::split(folder).0;
        }
        None
    }
}

impl ManifestOf {
    /// What is handed along with the object.
    pub(super) fn with_text(self, texts: &Texts) -> Option<Manifest> {
        let text = texts.get(&self.key)?.clone()?;
        Some(Manifest { text, part: self.part })
    }
}

/// Reads a manifest. One that cannot be used is left out, with a notice: it may be anything of that name.
///
/// # Errors
/// It may be readable later, and its objects wait so long.
pub(super) async fn read(
    store: &dyn ObjectStore,
    place: &Place,
    key: &str,
    notices: &mut Vec<String>,
) -> Result<Option<Bytes>, SourceError> {
    let path = place.path(key)?;
    let bytes = match store.get(&path).await {
        Ok(found) if found.meta.size > BYTES_MAX => {
            notices.push(format!(
                "{} is not used: it is larger than {} MiB, the limit for a manifest; what it lists is taken in without it",
                place.name_of(key),
                BYTES_MAX / 1024 / 1024
            ));
            return Ok(None);
        }
        Ok(found) => found.bytes().await,
        Err(Error::NotFound { .. }) => return Ok(None),
        Err(error) => Err(error),
    };
    match bytes.map_err(|error| place.object_error(key, error)) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.is_transient() => Err(error),
        Err(error) => {
            let said = crate::error::with_causes(&error);
            notices.push(format!("what a manifest lists is taken in without it: {said}"));
            Ok(None)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_manifest_counts() {
        let keys =
            ["a/manifest.json", "a/b/c/_manifest.json", "a/b/c/x.csv", "manifest.jsonl", "d/manifest.json"];
        let manifests = Manifests::among(keys.into_iter());
        let check = |key: &str, expected: Option<(&str, &str)>| {
            let found = manifests.of(key);
            let found = found.as_ref().map(|found| (found.key.as_str(), found.part.as_str()));
            assert_eq!(found, expected, "{key}");
        };
        check("a/b/c/x.csv", Some(("a/b/c/_manifest.json", "x.csv")));
        check("a/b/x.csv", Some(("a/manifest.json", "b/x.csv")));
        check("a/x.csv", Some(("a/manifest.json", "x.csv")));
        check("a/b/x/y/z.csv", None);
        check("x.csv", None);
        check("a/manifest.json", None);
        check("ab/x.csv", None);
        let at_the_root = Manifests::among(["manifest.json"].into_iter());
        assert_eq!(at_the_root.of("a/x.csv").unwrap().part, "a/x.csv");
    }
}
