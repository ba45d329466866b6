//! Opening connections, and bringing the schema up to date.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::functions;
use crate::StoreError;

/// How long a connection waits for a writer of another process before it gives up.
pub(super) const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// How much of the file the writer may keep in memory: an import that changes more in one transaction
/// writes pages twice.
const WRITER_CACHE_KIB: usize = 16 * 1024;

/// How many prepared statements a connection keeps: filters differ in shape, seldom by more.
const STATEMENTS_MAX: usize = 128;

pub(super) mod embedded {
    refinery::embed_migrations!("migrations/sqlite");
}

/// The connection that writes, to a file whose schema is up to date.
pub(super) fn open_for_writing(path: &Path) -> Result<Connection, StoreError> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(|error| StoreError::Database(Box::new(error)))?;
    }
    let lock = lock_schema(path)?;
    let mut connection = Connection::open(path)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    // Every commit is synced: a change of status that was answered survives a loss of power.
    connection.pragma_update(None, "synchronous", "full")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    set_cache(&connection, WRITER_CACHE_KIB)?;
    keep_statements(&connection)?;
    functions::register(&connection)?;
    embedded::migrations::runner()
        .run(&mut connection)
        .map_err(|error| StoreError::Database(Box::new(error)))?;
    drop(lock);
    Ok(connection)
}

/// A connection that moves the log into the file. The writer must be open.
pub(super) fn open_for_checkpoints(path: &Path) -> Result<Connection, StoreError> {
    let connection = Connection::open(path)?;
    connection.pragma_update(None, "synchronous", "full")?;
    Ok(connection)
}

/// A connection that only reads. The writer must be open, as it makes the files of the log.
///
/// The first `mapped` bytes of the file are mapped into memory, the rest is read into a cache of `cache_kib`.
pub(super) fn open_for_reading(path: &Path, cache_kib: usize, mapped: u64) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    set_cache(&connection, cache_kib)?;
    // SQLite maps no more than it was built for (`.cargo/config.toml`), whatever is asked.
    connection.pragma_update(None, "mmap_size", i64::try_from(mapped).unwrap_or(i64::MAX))?;
    keep_statements(&connection)?;
    functions::register(&connection)?;
    Ok(connection)
}

/// Lets statements stay prepared, whatever is bound to their parameters.
fn keep_statements(connection: &Connection) -> Result<(), StoreError> {
    connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
    // Otherwise a statement whose limit is a parameter is planned anew each time it is bound, which
    // takes as long as reading a page.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(())
}

fn set_cache(connection: &Connection, kib: usize) -> Result<(), StoreError> {
    // A negative number is a size in KiB, a positive one a number of pages.
    let size = i64::try_from(kib).map_or(i64::MIN, |kib| -kib);
    Ok(connection.pragma_update(None, "cache_size", size)?)
}

/// Keeps other processes from changing the schema at the same time.
///
/// A file of its own: SQLite's locks on the database belong to the process, and are lost when any
/// other handle to that file is closed.
fn lock_schema(path: &Path) -> Result<File, StoreError> {
    let mut name = path.as_os_str().to_owned();
    name.push("-schema-lock");
    let lock = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(PathBuf::from(name))
        .map_err(|error| StoreError::Database(Box::new(error)))?;
    lock.lock().map_err(|error| StoreError::Database(Box::new(error)))?;
    Ok(lock)
}
