//! Following sources without serving anything: what comes is stored, and nothing else is done with it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use ingest::DiscoverError;
use sources::{FolderSettings, SourceSettings};
use store::StoreError;

use crate::app::Instance;
use crate::app::following::{Follower, Tally};
use crate::app::intake::{Intake, Room};
use crate::jobs::sources::{self as job, Followed};

pub use crate::app::following::Taken;
pub use crate::jobs::sources::{SourceEvent, Watch};

/// How long events under way may take to be stored once it is told to stop.
const STOP_WITHIN: Duration = Duration::from_secs(30);

/// How many paths are followed at most. Each is a source of its own, which is leased and noted every two seconds.
const PATHS_MAX: usize = 64;

/// Why paths cannot be followed.
#[derive(Debug, thiserror::Error)]
pub enum PathsError {
    /// A path is not there, or is neither file nor folder.
    #[error(transparent)]
    Path(#[from] DiscoverError),
    /// Too many were named.
    #[error(
        "{0} paths are too many to follow one by one, more than {PATHS_MAX}; name the folder that they are in"
    )]
    TooMany(usize),
}

/// What follows these files and folders, as they are now.
///
/// One that is among the sources of the settings is that source, so that its positions and its lease are shared with
/// a server. Others are sources of the name `follow:` and their absolute path.
///
/// # Errors
///
/// [`PathsError`], for the first path that cannot be followed.
pub fn sources_of(paths: &[PathBuf], settings: &[SourceSettings]) -> Result<Vec<SourceSettings>, PathsError> {
    let mut found: Vec<SourceSettings> = Vec::new();
    for path in paths {
        let unreadable = |source| DiscoverError::Unreadable { path: path.clone(), source };
        let metadata = fs::metadata(path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => DiscoverError::Missing { path: path.clone() },
            _ => unreadable(error),
        })?;
        if !metadata.is_dir() && !metadata.is_file() {
            return Err(DiscoverError::NotAFile { path: path.clone() }.into());
        }
        let real = fs::canonicalize(path).map_err(unreadable)?;
        let source = match settings.iter().find(|source| is_at(source, &real)) {
            Some(source) => source.clone(),
            None => {
                let absolute = std::path::absolute(path).map_err(unreadable)?;
                let name = format!("follow:{}", absolute.display());
                SourceSettings::Folder(FolderSettings::new(name, absolute))
            }
        };
        if !found.contains(&source) {
            found.push(source);
        }
    }
    if found.len() > PATHS_MAX { Err(PathsError::TooMany(found.len())) } else { Ok(found) }
}

fn is_at(source: &SourceSettings, real: &Path) -> bool {
    match source {
        SourceSettings::Folder(folder) => fs::canonicalize(&folder.path).is_ok_and(|path| path == real),
        SourceSettings::AzureBlob(_) | SourceSettings::S3(_) | SourceSettings::EventHubs(_) => false,
    }
}

/// Sources that are followed.
#[must_use = "dropping it stops the following"]
pub struct Following {
    followed: Followed,
    instance: Arc<Instance>,
    names: Vec<String>,
    storing: tokio::task::JoinHandle<()>,
}

/// What all followed sources took in, counted while it happens.
#[derive(Debug, Clone)]
pub struct Counts(Vec<Arc<Tally>>);

impl Counts {
    /// What was taken in so far.
    #[must_use]
    pub fn taken(&self) -> Taken {
        self.0.iter().map(|tally| tally.taken()).fold(Taken::default(), |sum, one| Taken {
            bytes: sum.bytes + one.bytes,
            stored: sum.stored + one.stored,
            duplicates: sum.duplicates + one.duplicates,
            quarantined: sum.quarantined + one.quarantined,
        })
    }
}

/// Follows sources, from where whoever read them last left off, until [`Following::stop`]; `watch` is told what
/// happens. Sources that another process reads are waited for. `room_bytes` is how much text may be on its way into
/// the lake at once.
pub fn follow(
    instance: &Arc<Instance>,
    all: &[SourceSettings],
    room_bytes: usize,
    watch: &Watch,
) -> Following {
    let (intake, storing) = Intake::open(instance.clone());
    let room = Room::new(room_bytes);
    let follower = Follower { instance: instance.clone(), intake, room, tally: Arc::default() };
    let names = all.iter().map(|settings| settings.name().to_owned()).collect();
    let followed = job::start(&follower, all, watch);
    Following { followed, instance: instance.clone(), names, storing }
}

impl Following {
    /// What is taken in.
    #[must_use]
    pub fn counts(&self) -> Counts {
        Counts(self.followed.tallies())
    }

    /// Stops, and gives what was taken in. What was handed in is stored before; what else was under way comes again
    /// the next time. Others may read the sources at once. That one of them fails is nobody's concern any more.
    ///
    /// # Errors
    ///
    /// If the store does not answer; nothing is lost by it.
    pub async fn stop(self) -> Result<Taken, StoreError> {
        let counts = self.counts();
        self.followed.stop().await;
        if tokio::time::timeout(STOP_WITHIN, self.storing).await.is_err() {
            tracing::warn!("Some events could not be stored in time; they come again the next time");
        }
        for name in &self.names {
            self.instance.store.clear_notice(&self.instance.scope(), job::FAILING, name, Utc::now()).await?;
        }
        Ok(counts.taken())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_of_the_settings_is_that_source_and_others_are_named_after_their_place() {
        let folder = tempfile::tempdir().unwrap();
        let (exports, file) = (folder.path().join("exports"), folder.path().join("one.json"));
        fs::create_dir(&exports).unwrap();
        fs::write(&file, "").unwrap();
        let known = SourceSettings::Folder(FolderSettings::new("exports", exports.clone()));
        let known = std::slice::from_ref(&known);
        let names = |paths: &[PathBuf]| {
            sources_of(paths, known)
                .map(|all| all.iter().map(|one| one.name().to_owned()).collect::<Vec<_>>())
        };
        let roundabout = exports.join("../exports");
        assert_eq!(names(&[roundabout, exports.clone()]).unwrap(), ["exports"]);
        let of_its_own = format!("follow:{}", file.display());
        assert_eq!(names(&[file.clone(), exports]).unwrap(), [of_its_own.as_str(), "exports"]);
        let missing = names(&[file, folder.path().join("none")]).unwrap_err().to_string();
        assert!(missing.ends_with("none does not exist"), "{missing}");

        let many: Vec<PathBuf> = (0..=PATHS_MAX).map(|n| folder.path().join(n.to_string())).collect();
        many.iter().for_each(|path| fs::write(path, "").unwrap());
        assert_eq!(names(&many[1..]).unwrap().len(), PATHS_MAX);
        assert!(names(&many).unwrap_err().to_string().contains("name the folder"));
    }
}
