//! A thread that works whenever it is woken.

use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use crate::StoreError;

/// The thread, which ends with its owner: dropping this waits until its work is done.
pub(super) struct Background {
    wake: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Background {
    /// Starts a thread of that name, which does the work once for each time it is woken.
    pub(super) fn start(name: &str, mut work: impl FnMut() + Send + 'static) -> Result<Self, StoreError> {
        let (wake, woken) = sync_channel(1);
        let thread = thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || {
                while woken.recv().is_ok() {
                    work();
                }
            })
            .map_err(|error| StoreError::Database(Box::new(error)))?;
        Ok(Self { wake: Some(wake), thread: Some(thread) })
    }

    /// Has the work done soon. Who wakes it several times before it looks has it done once.
    pub(super) fn wake(&self) {
        if let Some(wake) = &self.wake {
            // If it is full, the thread is about to look anyway.
            let _ = wake.try_send(());
        }
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        self.wake = None;
        if let Some(thread) = self.thread.take() {
            // What panicked there was reported there.
            let _ = thread.join();
        }
    }
}
