//! Finds the files to read: files as named, folders with everything below them.
//!
//! The list is sorted and holds each file once, however many ways lead to it. Hidden files (a name
//! that starts with a dot) are taken only when named themselves. Links are followed; a folder is
//! entered once, so a link that leads back up does no harm. Nothing is opened here.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// A file that can be read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct InputFile {
    /// Where it is, as reached from the path that was named.
    pub path: PathBuf,
    /// Its size on disk in bytes, compressed or not.
    pub size_bytes: u64,
}

/// Why the files could not be listed.
#[derive(Debug, thiserror::Error)]
pub enum DiscoverError {
    /// No such file or folder, or a link that leads nowhere.
    #[error("{} does not exist", path.display())]
    Missing {
        /// The path that was looked for.
        path: PathBuf,
    },
    /// A device, pipe or socket was named.
    #[error("{} is neither a file nor a folder", path.display())]
    NotAFile {
        /// The path that was named.
        path: PathBuf,
    },
    /// The system refused.
    #[error("cannot read {}", path.display())]
    Unreadable {
        /// The path that was refused.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

/// Lists the files behind the paths.
///
/// # Errors
/// The first path that does not exist, cannot be read, or is neither a file nor a folder.
pub fn discover(paths: &[PathBuf]) -> Result<Vec<InputFile>, DiscoverError> {
    let mut search = Search::default();
    for path in paths {
        search.add_named(path)?;
    }
    search.files.sort();
    Ok(search.files)
}

#[derive(Default)]
struct Search {
    files: Vec<InputFile>,
    /// Real paths of the files and folders already taken.
    taken: HashSet<PathBuf>,
}

impl Search {
    fn add_named(&mut self, path: &Path) -> Result<(), DiscoverError> {
        let metadata = metadata(path)?;
        if metadata.is_dir() {
            self.add_folder(path)
        } else if metadata.is_file() {
            self.add_file(path, metadata.len())
        } else {
            Err(DiscoverError::NotAFile { path: path.to_owned() })
        }
    }

    fn add_folder(&mut self, folder: &Path) -> Result<(), DiscoverError> {
        // Work list instead of recursion: the depth of a tree is not ours to choose.
        let mut waiting = vec![folder.to_owned()];
        while let Some(folder) = waiting.pop() {
            if !self.take(&folder)? {
                continue;
            }
            for entry in fs::read_dir(&folder).map_err(|source| failed(&folder, source))? {
                let entry = entry.map_err(|source| failed(&folder, source))?;
                let is_hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
                if is_hidden {
                    continue;
                }
                let path = entry.path();
                let metadata = metadata(&path)?;
                if metadata.is_dir() {
                    waiting.push(path);
                } else if metadata.is_file() {
                    self.add_file(&path, metadata.len())?;
                }
                // Pipes and sockets lie in folders by accident; only a named one is an error.
            }
        }
        Ok(())
    }

    fn add_file(&mut self, path: &Path, size_bytes: u64) -> Result<(), DiscoverError> {
        if self.take(path)? {
            self.files.push(InputFile { path: path.to_owned(), size_bytes });
        }
        Ok(())
    }

    /// Whether this is the first way to the path.
    fn take(&mut self, path: &Path) -> Result<bool, DiscoverError> {
        let real = fs::canonicalize(path).map_err(|source| failed(path, source))?;
        Ok(self.taken.insert(real))
    }
}

fn metadata(path: &Path) -> Result<fs::Metadata, DiscoverError> {
    fs::metadata(path).map_err(|source| failed(path, source))
}

fn failed(path: &Path, source: io::Error) -> DiscoverError {
    let path = path.to_owned();
    match source.kind() {
        io::ErrorKind::NotFound => DiscoverError::Missing { path },
        _ => DiscoverError::Unreadable { path, source },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(root: &Path, files: &[InputFile]) -> Vec<String> {
        files.iter().map(|file| file.path.strip_prefix(root).unwrap().display().to_string()).collect()
    }

    #[test]
    fn folders_are_read_in_order_without_hidden_files() {
        let root = tempfile::tempdir().unwrap();
        for name in ["b.json", "a/z.csv", "a/b/c.json", ".hidden", "a/.git/config"] {
            let path = root.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "12345").unwrap();
        }
        let files = discover(&[root.path().to_owned(), root.path().join("b.json")]).unwrap();
        assert_eq!(names(root.path(), &files), ["a/b/c.json", "a/z.csv", "b.json"]);
        assert!(files.iter().all(|file| file.size_bytes == 5));
        let hidden = discover(&[root.path().join(".hidden")]).unwrap();
        assert_eq!(names(root.path(), &hidden), [".hidden"], "a hidden file that is named is taken");
    }

    #[test]
    fn what_is_not_there_is_said() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("nothing");
        let error = discover(std::slice::from_ref(&path)).unwrap_err();
        assert_eq!(error.to_string(), format!("{} does not exist", path.display()));
    }

    #[cfg(unix)]
    #[test]
    fn links_in_a_circle_end() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("a")).unwrap();
        fs::write(root.path().join("a/one.json"), "{}").unwrap();
        std::os::unix::fs::symlink(root.path(), root.path().join("a/up")).unwrap();
        std::os::unix::fs::symlink(root.path().join("a/one.json"), root.path().join("a/same.json")).unwrap();
        assert_eq!(discover(&[root.path().to_owned()]).unwrap().len(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn a_named_pipe_is_refused_and_a_dead_link_is_said() {
        let root = tempfile::tempdir().unwrap();
        let error = discover(&[PathBuf::from("/dev/null")]).unwrap_err();
        assert!(matches!(error, DiscoverError::NotAFile { .. }), "{error}");
        std::os::unix::fs::symlink(root.path().join("gone"), root.path().join("link")).unwrap();
        let error = discover(&[root.path().to_owned()]).unwrap_err();
        assert!(matches!(error, DiscoverError::Missing { .. }), "{error}");
    }
}
