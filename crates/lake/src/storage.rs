//! Where a lake may be: which URLs this build can open, and where under them each table is.

use std::path::Path;

use ingest::schema::Kind;
use url::Url;

use crate::{LakeError, s3};

/// URL schemes, and what must be built in for them.
const SCHEMES: &[(&str, Backend)] = &[
    ("file", Backend::Disk),
    ("abfs", Backend::Azure),
    ("abfss", Backend::Azure),
    ("adl", Backend::Azure),
    ("az", Backend::Azure),
    ("azure", Backend::Azure),
    ("s3", Backend::S3),
    ("s3a", Backend::S3),
];

#[derive(Clone, Copy)]
enum Backend {
    Disk,
    Azure,
    S3,
}

impl Backend {
    /// Makes the backend's schemes known to Delta. Safe to call again.
    ///
    /// The `deltalake` crate does so by itself in a constructor that runs before `main`; a linker may
    /// leave that out, so nothing here relies on it.
    fn register(self) -> Result<(), &'static str> {
        match self {
            Self::Disk => Ok(()),
            #[cfg(feature = "azure")]
            Self::Azure => {
                deltalake::azure::register_handlers(None);
                Ok(())
            }
            #[cfg(not(feature = "azure"))]
            Self::Azure => Err("this build has no Azure storage; build with the cargo feature `azure`"),
            Self::S3 if cfg!(feature = "s3") => {
                s3::register();
                Ok(())
            }
            Self::S3 => Err("this build has no S3 storage; build with the cargo feature `s3`"),
        }
    }
}

/// The root with a slash at its end, if a lake can be there.
pub(crate) fn check_root(root: &Url) -> Result<Url, LakeError> {
    let refused = |problem: String| LakeError::Location { location: root.to_string(), problem };
    let Some((_, backend)) = SCHEMES.iter().find(|(scheme, _)| *scheme == root.scheme()) else {
        let known: Vec<_> = SCHEMES.iter().map(|(scheme, _)| *scheme).collect();
        return Err(refused(format!("'{}' is none of {}", root.scheme(), known.join(", "))));
    };
    backend.register().map_err(|problem| refused(problem.to_owned()))?;
    if root.query().is_some() || root.fragment().is_some() {
        return Err(refused("a lake's URL has no '?' and no '#'; pass keys as options".to_owned()));
    }
    if let Backend::Disk = backend {
        let path = root.to_file_path().map_err(|()| refused("it is no local path".to_owned()))?;
        if path.exists() && !path.is_dir() {
            return Err(refused("a file is in the way; name a directory".to_owned()));
        }
    }
    let mut root = root.clone();
    if !root.path().ends_with('/') {
        let path = format!("{}/", root.path());
        root.set_path(&path);
    }
    Ok(root)
}

/// The URL of a local directory, which need not exist.
pub(crate) fn directory_url(directory: &Path) -> Result<Url, LakeError> {
    let refused =
        |problem: String| LakeError::Location { location: directory.display().to_string(), problem };
    let absolute = std::path::absolute(directory).map_err(|error| refused(error.to_string()))?;
    Url::from_directory_path(absolute).map_err(|()| refused("the path cannot be written as a URL".to_owned()))
}

/// The table of a kind is the folder of the same name.
pub(crate) fn table_location(root: &Url, kind: Kind) -> Result<Url, LakeError> {
    root.join(&format!("{}/", kind.name())).map_err(|error| LakeError::Location {
        location: root.to_string(),
        problem: format!("no folder '{}' can be under it: {error}", kind.name()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(root: &str, expected: Result<&str, &str>) {
        let outcome = check_root(&Url::parse(root).unwrap());
        match expected {
            Ok(url) => assert_eq!(outcome.unwrap().as_str(), url, "{root}"),
            Err(part) => {
                let message = outcome.unwrap_err().to_string();
                assert!(message.contains(part), "{root}: {message}");
            }
        }
    }

    #[test]
    fn roots_are_checked_before_use() {
        check("file:///nowhere/events", Ok("file:///nowhere/events/"));
        check("file:///nowhere/events/", Ok("file:///nowhere/events/"));
        check("ftp://host/events", Err("'ftp' is none of file, abfs"));
        check("memory:///events", Err("'memory' is none of"));
        check("file:///nowhere?key=secret", Err("no '?'"));
        check("file://host.example/share", Err("no local path"));
    }

    #[cfg(not(feature = "azure"))]
    #[test]
    fn a_storage_that_is_not_built_in_names_its_feature() {
        check("abfss://events@account.dfs.core.windows.net/", Err("cargo feature `azure`"));
    }

    #[cfg(not(feature = "s3"))]
    #[test]
    fn s3_names_its_feature() {
        check("s3://bucket/events", Err("cargo feature `s3`"));
    }

    #[test]
    fn a_file_in_the_way_is_refused() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let url = Url::from_file_path(file.path()).unwrap();
        check(url.as_str(), Err("a file is in the way"));
    }

    #[test]
    fn tables_are_folders_of_the_root() {
        let root = Url::parse("file:///nowhere/events/").unwrap();
        let location = table_location(&root, Kind::Activity).unwrap();
        assert_eq!(location.as_str(), "file:///nowhere/events/activity/");
    }

    #[test]
    fn a_relative_directory_becomes_absolute() {
        let url = directory_url(Path::new("somewhere/events")).unwrap();
        assert_eq!(url.scheme(), "file");
        assert!(url.path().ends_with("/somewhere/events/"), "{url}");
    }
}
