//! The one thread that writes.
//!
//! Callers hand it closures and wait for their answers. What waits together is committed together:
//! each piece of work runs in a savepoint of one transaction, so that one sync to the disk serves
//! all of them, and one that fails is undone alone. No caller is answered before the commit.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::{self, JoinHandle};

use futures::channel::oneshot;
use rusqlite::Connection;

use super::session::SqliteSession;
use crate::StoreError;

/// How many pieces of work share a commit at most, so that the first does not wait for ever.
const GROUP_MAX: usize = 128;

/// How many pieces of work wait at most. More than that is not a burst but a disk that has stalled,
/// and callers do better to hear of it.
const QUEUE_MAX: usize = 10_000;

/// The thread, and the way to it.
pub(super) struct Writer {
    jobs: Option<SyncSender<Job>>,
    thread: Option<JoinHandle<()>>,
}

/// Work that runs inside a savepoint, and says whether it is to be kept. Without a connection it
/// does nothing but wait for the bad news.
type Job = Box<dyn FnOnce(Option<&mut Connection>) -> Done + Send>;

/// Work that was done, and whose caller still waits.
struct Done {
    keep: bool,
    answer: Answer,
}

/// Answers the caller; takes why the transaction failed, if it did.
type Answer = Box<dyn FnOnce(Option<&Arc<rusqlite::Error>>)>;

/// The group's transaction failed, and with it the work of every caller in it.
#[derive(Debug, thiserror::Error)]
#[error("the transaction failed")]
struct TransactionFailed(#[source] Arc<rusqlite::Error>);

/// The writing thread has gone, or the work panicked.
#[derive(Debug, thiserror::Error)]
#[error("the work was abandoned")]
struct Abandoned;

/// More work waits than the disk keeps up with.
#[derive(Debug, thiserror::Error)]
#[error("{QUEUE_MAX} writes are waiting already")]
struct Overloaded;

impl Writer {
    pub(super) fn start(connection: Connection) -> Result<Self, StoreError> {
        let (jobs, queue) = sync_channel(QUEUE_MAX);
        let thread = thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || run(connection, &queue))
            .map_err(|error| StoreError::Database(Box::new(error)))?;
        Ok(Self { jobs: Some(jobs), thread: Some(thread) })
    }

    /// Runs `work` in a transaction and waits until it is on the disk.
    ///
    /// All of it is kept or, if it fails, nothing. A caller that stops waiting does not undo it.
    pub(super) async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut SqliteSession<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (answer, answered) = oneshot::channel();
        let job: Job = Box::new(move |connection| {
            let result = match connection {
                Some(connection) => work(&mut SqliteSession(connection)),
                None => Err(abandoned()),
            };
            Done {
                keep: result.is_ok(),
                answer: Box::new(move |failure| {
                    let result = match failure {
                        Some(cause) => Err(StoreError::Database(Box::new(TransactionFailed(cause.clone())))),
                        None => result,
                    };
                    // A caller that has gone needs no answer.
                    let _ = answer.send(result);
                }),
            }
        });
        let jobs = self.jobs.as_ref().ok_or_else(abandoned)?;
        jobs.try_send(job).map_err(|refused| match refused {
            TrySendError::Full(_) => StoreError::Database(Box::new(Overloaded)),
            TrySendError::Disconnected(_) => abandoned(),
        })?;
        answered.await.unwrap_or_else(|_| Err(abandoned()))
    }
}

fn abandoned() -> StoreError {
    StoreError::Database(Box::new(Abandoned))
}

impl Drop for Writer {
    /// Lets the thread finish what it was given and close the file.
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            // The thread catches panics of its work; there is nothing left to report.
            let _ = thread.join();
        }
    }
}

fn run(mut connection: Connection, queue: &Receiver<Job>) {
    while let Ok(first) = queue.recv() {
        let mut done = Vec::new();
        let committed = commit_together(&mut connection, first, queue, &mut done);
        let failure = committed.err().map(Arc::new);
        for Done { answer, .. } in done {
            answer(failure.as_ref());
        }
    }
}

/// Runs the first job and those that wait behind it, and commits them.
///
/// If it fails, nothing of the group is kept.
fn commit_together(
    connection: &mut Connection,
    first: Job,
    queue: &Receiver<Job>,
    done: &mut Vec<Done>,
) -> Result<(), rusqlite::Error> {
    if let Err(error) = run_text(connection, "begin immediate") {
        done.push(first(None));
        return Err(error);
    }
    let committed =
        run_together(connection, first, queue, done).and_then(|()| run_text(connection, "commit"));
    if committed.is_err() && !connection.is_autocommit() {
        // The callers are told of the first failure; if this one fails too, the next `begin` will.
        let _ = connection.execute_batch("rollback");
    }
    committed
}

/// Begins and ends transactions, with statements that stay prepared.
fn run_text(connection: &Connection, sql: &str) -> Result<(), rusqlite::Error> {
    connection.prepare_cached(sql)?.execute([]).map(drop)
}

/// Runs each job in a savepoint, so that one that fails is undone alone.
fn run_together(
    connection: &mut Connection,
    first: Job,
    queue: &Receiver<Job>,
    done: &mut Vec<Done>,
) -> Result<(), rusqlite::Error> {
    let mut next = Some(first);
    while let Some(job) = next {
        run_text(connection, "savepoint job")?;
        // A panic abandons the one caller, whose end of the channel was dropped with the job.
        let finished = catch_unwind(AssertUnwindSafe(|| job(Some(&mut *connection)))).ok();
        let keep = finished.as_ref().is_some_and(|finished| finished.keep);
        done.extend(finished);
        if !keep {
            run_text(connection, "rollback to job")?;
        }
        run_text(connection, "release job")?;
        next = if done.len() < GROUP_MAX { queue.try_recv().ok() } else { None };
    }
    Ok(())
}
