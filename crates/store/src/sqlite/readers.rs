//! The pool of connections that read.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};
use std::thread;

use rusqlite::Connection;

use super::connection;
use super::keeper::Keeper;
use super::session::SqliteSession;
use crate::StoreError;

/// How many connections there are at least.
const READERS_MIN: usize = 4;

/// How many connections there are at most.
const READERS_MAX: usize = 16;

/// How much of the file those may keep in memory that threads take first: the inner pages of the indexes,
/// and the leaves that are asked for most. The system caches the file too, but each page read from there is
/// a call.
const CACHE_KIB: usize = 80 * 1024;

thread_local! {
    /// The connection that this thread takes if it can: what it read before is in that one's cache, and
    /// in the cache of the thread's processor.
    static USUAL: usize = NEXT_USUAL.fetch_add(1, Ordering::Relaxed);
}

/// Hands out [`USUAL`] in turn.
static NEXT_USUAL: AtomicUsize = AtomicUsize::new(0);

/// Connections that read; as many as threads can run at once, so that readers seldom wait.
pub(super) struct Readers {
    keeper: Keeper,
    connections: Vec<Mutex<Connection>>,
}

impl Readers {
    pub(super) fn open(path: &Path, mapped: u64) -> Result<Self, StoreError> {
        let threads = thread::available_parallelism().map_or(READERS_MIN, usize::from).min(READERS_MAX);
        let connections = (0..Ord::max(threads, READERS_MIN))
            .map(|_| connection::open_for_reading(path, CACHE_KIB / threads, mapped).map(Mutex::new))
            .collect::<Result<_, _>>()?;
        Ok(Self { keeper: Keeper::start(path)?, connections })
    }

    /// Runs one read, here and now, on a connection that is free; else on the next to become so.
    pub(super) fn read<T>(
        &self,
        work: impl FnOnce(&mut SqliteSession<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.keeper.note_read();
        work(&mut SqliteSession(&mut self.free()))
    }

    fn free(&self) -> MutexGuard<'_, Connection> {
        let first = USUAL.with(|usual| usual % self.connections.len());
        let (before, from) = self.connections.split_at(first);
        for connection in from.iter().chain(before) {
            match connection.try_lock() {
                Ok(guard) => return guard,
                // A read that panicked leaves nothing behind: its statement was reset on the way out.
                Err(TryLockError::Poisoned(poisoned)) => return poisoned.into_inner(),
                Err(TryLockError::WouldBlock) => {}
            }
        }
        self.connections[first].lock().unwrap_or_else(PoisonError::into_inner)
    }
}
