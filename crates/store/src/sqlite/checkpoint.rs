//! Moves what was committed from the log into the file, while the writer goes on.
//!
//! SQLite would do it on the writer's thread, after the commit that makes the log too long: everybody
//! who changes something then waits for a thousand pages to reach their places on the disk. Here a
//! thread of its own does it, on its own connection, which SQLite lets run beside a writer. A log that is
//! written without a pause is never wholly moved that way, and so never begins anew; when it is longer
//! than [`LOG_PAGES_MAX`], the writer moves the rest itself.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rusqlite::Connection;

use super::background::Background;
use super::connection;
use crate::StoreError;

/// How many pages the log grows by between two moves.
const STEP_PAGES: usize = 2_000;

/// How long the log may become before the writer waits for it to be moved: 64 MiB of pages.
pub(super) const LOG_PAGES_MAX: usize = 16_000;

/// Keeps the log short; belongs to the writer.
pub(super) struct Checkpoints {
    /// How many pages the log had after the last commit.
    log_pages: Arc<AtomicUsize>,
    /// How many it had when it was last handed over.
    handed_over: usize,
    /// Ends before the writer closes its connection, which is to be the last.
    thread: Background,
}

impl Checkpoints {
    /// Takes over from SQLite on the writer's connection, to the file at `path`.
    pub(super) fn start(writing: &mut Connection, path: &Path) -> Result<Self, StoreError> {
        let log_pages = Arc::new(AtomicUsize::new(0));
        let seen = log_pages.clone();
        writing.wal_hook(Some(move |_: &mut rusqlite::hooks::Wal, pages: i32| {
            seen.store(usize::try_from(pages).unwrap_or(0), Ordering::Relaxed);
            Ok(())
        }))?;
        let own = connection::open_for_checkpoints(path)?;
        let thread = Background::start("store-checkpoint", move || checkpoint(&own))?;
        Ok(Self { log_pages, handed_over: 0, thread })
    }

    /// Looks at the log after a commit.
    pub(super) fn after_commit(&mut self, writing: &Connection) {
        let pages = self.log_pages.load(Ordering::Relaxed);
        // It began anew.
        self.handed_over = Ord::min(self.handed_over, pages);
        if pages >= LOG_PAGES_MAX {
            checkpoint(writing);
        } else if pages - self.handed_over >= STEP_PAGES {
            self.handed_over = pages;
            self.thread.wake();
        }
    }
}

/// Moves what no reader still needs where it is. Waits for nobody; what is left is for the next time.
fn checkpoint(connection: &Connection) {
    let moved = connection.query_row("pragma wal_checkpoint(passive)", [], |row| row.get::<_, i64>(0));
    if let Err(error) = moved {
        // Nothing is lost: the log holds all that was committed, and grows until this works.
        tracing::warn!(%error, "the log of the alert store could not be moved into its file");
    }
}
