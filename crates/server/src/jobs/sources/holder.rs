//! Under which name a server holds the leases of its sources.
//!
//! The name is kept in the data directory, so that a server that was killed and started again holds its leases still,
//! instead of waiting for them to end. A lock on the file, which the system takes back from whoever dies, keeps two
//! servers on one data directory from having one name.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::Path;

use uuid::Uuid;

use crate::config::DataDir;

/// The name of this server among all that share a store.
pub(super) struct Holder {
    name: String,
    /// Locked for as long as the server lives.
    _file: Option<File>,
}

impl Holder {
    /// The name that is kept in the data directory; one of its own if another server there has it.
    pub(super) fn of(data_dir: &DataDir) -> Self {
        match kept(&data_dir.server_id()) {
            Ok(holder) => holder,
            Err(error) => {
                // All that it costs is that the server waits after a restart.
                tracing::debug!(%error, "The server has another name after a restart");
                Self { name: Uuid::new_v4().to_string(), _file: None }
            }
        }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }
}

fn kept(path: &Path) -> io::Result<Holder> {
    let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
    file.try_lock()?;
    let mut name = String::new();
    (&file).take(64).read_to_string(&mut name)?;
    if let Ok(id) = name.trim().parse::<Uuid>() {
        return Ok(Holder { name: id.to_string(), _file: Some(file) });
    }
    let name = Uuid::new_v4().to_string();
    file.set_len(0)?;
    file.rewind()?;
    file.write_all(name.as_bytes())?;
    Ok(Holder { name, _file: Some(file) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_has_the_same_name_again_and_no_two_have_one() {
        let folder = tempfile::tempdir().unwrap();
        let data_dir = DataDir::new(folder.path());
        let first = Holder::of(&data_dir);
        let name = first.name().to_owned();
        let beside = Holder::of(&data_dir);
        assert_ne!(beside.name(), name);
        drop((first, beside));
        assert_eq!(Holder::of(&data_dir).name(), name);
        std::fs::write(data_dir.server_id(), "no id").unwrap();
        let mended = Holder::of(&data_dir).name().to_owned();
        assert_ne!(mended, name);
        assert_eq!(Holder::of(&data_dir).name(), mended);
    }
}
