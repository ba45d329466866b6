//! The one thread that writes.
//!
//! Callers hand it closures and wait for their answers. What waits together is committed together:
//! each piece of work runs in a savepoint of one transaction, so that one sync to the disk serves
//! all of them, and one that fails is undone alone. No caller is answered before the commit.
//!
//! Large work commits alone: what a savepoint might have to undo is written down page by page, which
//! takes as long as the work.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::{self, JoinHandle};

use futures::channel::oneshot;
use rusqlite::Connection;

use super::checkpoint::Checkpoints;
use super::session::SqliteSession;
use crate::StoreError;

/// How many pieces of work share a commit at most, so that the first does not wait for ever.
const GROUP_MAX: usize = 128;

/// How many pieces of work wait at most. More than that is not a burst but a disk that has stalled,
/// and callers do better to hear of it.
const QUEUE_MAX: usize = 10_000;

/// The thread, and the way to it.
pub(super) struct Writer {
    jobs: Option<SyncSender<Queued>>,
    thread: Option<JoinHandle<()>>,
}

/// Work that runs inside a savepoint, and says whether it is to be kept. Without a connection it
/// does nothing but wait for the bad news.
type Job = Box<dyn FnOnce(Option<&mut Connection>) -> Done + Send>;

/// Work that waits.
struct Queued {
    job: Job,
    /// Whether it wants a transaction of its own.
    alone: bool,
}

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
    /// Starts the thread. It drops `checkpoints` before it closes the connection.
    pub(super) fn start(connection: Connection, checkpoints: Checkpoints) -> Result<Self, StoreError> {
        let (jobs, queue) = sync_channel(QUEUE_MAX);
        let thread = thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || run(connection, checkpoints, &queue))
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
        self.queue(false, work).await
    }

    /// As [`Writer::write`], for work that changes many rows.
    pub(super) async fn write_alone<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut SqliteSession<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.queue(true, work).await
    }

    async fn queue<T: Send + 'static>(
        &self,
        alone: bool,
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
        jobs.try_send(Queued { job, alone }).map_err(|refused| match refused {
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

fn run(mut connection: Connection, mut checkpoints: Checkpoints, queue: &Receiver<Queued>) {
    // What was taken from the queue for a group that it did not fit into.
    let mut left_over = None;
    while let Some(first) = left_over.take().or_else(|| queue.recv().ok()) {
        let mut group = Group { first: Some(first), queue, left_over: &mut left_over, done: Vec::new() };
        let failure = group.commit(&mut connection).err().map(Arc::new);
        for Done { answer, .. } in group.done {
            answer(failure.as_ref());
        }
        checkpoints.after_commit(&connection);
    }
    drop(checkpoints);
}

/// The work that shares one transaction: the first, and those that wait behind it.
struct Group<'a> {
    first: Option<Queued>,
    queue: &'a Receiver<Queued>,
    left_over: &'a mut Option<Queued>,
    done: Vec<Done>,
}

impl Group<'_> {
    /// Runs and commits it. If it fails, nothing of the group is kept.
    fn commit(&mut self, connection: &mut Connection) -> Result<(), rusqlite::Error> {
        let Some(first) = self.first.take() else { return Ok(()) };
        if let Err(error) = run_text(connection, "begin immediate") {
            self.done.push((first.job)(None));
            return Err(error);
        }
        let ended = if first.alone {
            let keep = self.run(connection, first.job);
            run_text(connection, if keep { "commit" } else { "rollback" })
        } else {
            self.run_in_savepoints(connection, first.job).and_then(|()| run_text(connection, "commit"))
        };
        if ended.is_err() && !connection.is_autocommit() {
            // The callers are told of the first failure; if this one fails too, the next `begin` will.
            let _ = connection.execute_batch("rollback");
        }
        ended
    }

    /// Runs each job in a savepoint, so that one that fails is undone alone.
    fn run_in_savepoints(&mut self, connection: &mut Connection, first: Job) -> Result<(), rusqlite::Error> {
        let mut next = Some(first);
        while let Some(job) = next {
            run_text(connection, "savepoint job")?;
            if !self.run(connection, job) {
                run_text(connection, "rollback to job")?;
            }
            run_text(connection, "release job")?;
            next = self.next();
        }
        Ok(())
    }

    /// Runs a job, and says whether what it did is to be kept.
    fn run(&mut self, connection: &mut Connection, job: Job) -> bool {
        // A panic abandons the one caller, whose end of the channel was dropped with the job.
        let finished = catch_unwind(AssertUnwindSafe(|| job(Some(connection)))).ok();
        let keep = finished.as_ref().is_some_and(|finished| finished.keep);
        self.done.extend(finished);
        keep
    }

    /// The next job of the group, if one waits and may join.
    fn next(&mut self) -> Option<Job> {
        if self.done.len() >= GROUP_MAX {
            return None;
        }
        let next = self.queue.try_recv().ok()?;
        if next.alone {
            *self.left_over = Some(next);
            return None;
        }
        Some(next.job)
    }
}

/// Begins and ends transactions, with statements that stay prepared.
fn run_text(connection: &Connection, sql: &str) -> Result<(), rusqlite::Error> {
    connection.prepare_cached(sql)?.execute([]).map(drop)
}
