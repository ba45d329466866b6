//! Makes it cheap to begin a read while there are many.
//!
//! A read begins by locking the state of the log that it will see, and ends by unlocking it: two calls
//! into the system, one reader at a time, which take as long as finding an alert. SQLite leaves both out
//! while another connection of the process holds the same lock. So while there are reads, a connection
//! of its own holds it, and takes it anew every few milliseconds: nobody may keep the log from beginning
//! anew for longer. What a read sees does not change.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use rusqlite::Connection;

use super::background::Background;
use super::connection;
use crate::StoreError;

/// For how long one state of the log is held.
const HELD_FOR: Duration = Duration::from_millis(10);

/// The connection's own cache, which holds little more than the schema.
const CACHE_KIB: usize = 64;

/// Holds the lock while there are reads.
pub(super) struct Keeper {
    /// Whether no read began since the lock was last taken.
    quiet: Arc<AtomicBool>,
    thread: Background,
}

impl Keeper {
    pub(super) fn start(path: &Path) -> Result<Self, StoreError> {
        let connection = connection::open_for_reading(path, CACHE_KIB, 0)?;
        let quiet = Arc::new(AtomicBool::new(true));
        let thread = Background::start("store-keeper", {
            let quiet = quiet.clone();
            move || hold(&connection, &quiet)
        })?;
        Ok(Self { quiet, thread })
    }

    /// Is told of each read before it begins.
    pub(super) fn note_read(&self) {
        // Looked at first, since writing to what others read would slow them all down.
        if self.quiet.load(Ordering::Relaxed) && self.quiet.swap(false, Ordering::Relaxed) {
            self.thread.wake();
        }
    }
}

fn hold(connection: &Connection, quiet: &AtomicBool) {
    // A failure costs nothing but speed, and whoever reads next sees it too.
    let held = connection.unchecked_transaction().and_then(|held| {
        held.prepare_cached("select 1 from sqlite_schema limit 1")?.exists([])?;
        Ok(held)
    });
    quiet.store(true, Ordering::Relaxed);
    thread::sleep(HELD_FOR);
    drop(held);
}
